//! Documents point at things that exist. A document that is wrong is worse than none, and links rot first.
//!
//! Not seen: addresses of other sites, the headings behind a `#`, paths that are not written as `crates/...` in
//! backticks, and whether what is said of a thing is true.

use std::collections::BTreeSet;

use pulldown_cmark::{Event, Parser, Tag};

use super::definitions::defined_names;
use super::fault::Fault;
use super::source::Source;

const REQUIRED: [&str; 4] = ["ARCHITECTURE.md", "Cargo.lock", "LICENSE", "README.md"];
/// The document whose `path: name` are looked up in the code.
const ARCHITECTURE: &str = "ARCHITECTURE.md";
/// Words of a declaration that are no names.
const KEYWORDS: [&str; 13] = [
    "pub", "fn", "trait", "struct", "enum", "type", "mod", "const", "static", "impl", "macro", "method",
    "module",
];

/// Files that every checkout has.
pub(crate) fn missing(files: &[String]) -> Vec<Fault> {
    let missing = REQUIRED.iter().filter(|name| !files.iter().any(|file| file == *name));
    missing.map(|name| Fault::of(name, "the file is missing", "add it")).collect()
}

/// Files and folders by their path.
pub(crate) struct Tree {
    known: BTreeSet<String>,
}

impl Tree {
    /// The files and every folder above one.
    pub(crate) fn of(files: &[String]) -> Self {
        let mut known = BTreeSet::from([String::new()]);
        for file in files {
            let folders = file.match_indices('/').filter_map(|(at, _)| file.get(..at));
            known.extend(folders.map(str::to_owned));
            known.insert(file.clone());
        }
        Self { known }
    }

    fn has(&self, path: &str) -> bool {
        self.known.contains(path.trim_end_matches('/'))
    }
}

/// Judges one Markdown document.
pub(crate) fn check(path: &str, text: &str, tree: &Tree, sources: &[Source]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (event, range) in Parser::new(text).into_offset_iter() {
        let line = text.get(..range.start).unwrap_or_default().matches('\n').count() + 1;
        match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                let broken = target(path, &dest_url).is_some_and(|target| !tree.has(&target));
                let wrong = || format!("the link leads nowhere: {dest_url}");
                faults
                    .extend(broken.then(|| Fault::at(path, line, wrong(), "mend the link or add the file")));
            }
            Event::Code(code) => {
                let named = place(&code).and_then(|place| place_fault(&place, path, tree, sources));
                faults.extend(named.map(|wrong| Fault::at(path, line, wrong, "name what is there now")));
            }
            _ => {}
        }
    }
    faults
}

/// The file that a relative link leads to; `None` for addresses and places in the same document.
fn target(document: &str, link: &str) -> Option<String> {
    let link = link.split(['#', '?']).next().unwrap_or_default();
    if link.is_empty() || link.contains("://") || link.starts_with("mailto:") {
        return None;
    }
    let mut parts: Vec<&str> = document.split('/').collect();
    parts.pop();
    if link.starts_with('/') {
        parts.clear();
    }
    // By hand, since the path need not exist and links are no business of the file system.
    for part in link.split('/') {
        match part {
            "" | "." => {}
            // Above the workspace nothing is known.
            ".." if parts.is_empty() => return Some(link.to_owned()),
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// `crates/a/src/b.rs: name` taken apart.
struct Place {
    path: String,
    names: Vec<String>,
}

/// Reads a stretch of code as a place; patterns such as `crates/*/src` are none.
fn place(code: &str) -> Option<Place> {
    if !code.starts_with("crates/") || code.contains(['*', '<', '{', '$', '…']) {
        return None;
    }
    let (path, names) = code.split_once(": ").unwrap_or((code, ""));
    let path = path.split([':', ' ']).next().unwrap_or_default();
    Some(Place { path: path.to_owned(), names: names.split(',').flat_map(identifiers).collect() })
}

/// `trait Store` gives `Store`, `Shard::step(input)` gives `Shard` and `step`.
fn identifiers(name: &str) -> Vec<String> {
    let name = name.split(['(', '[', '!']).next().unwrap_or_default();
    let words = name.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
    words.filter(|word| !word.is_empty() && !KEYWORDS.contains(word)).map(str::to_owned).collect()
}

fn place_fault(place: &Place, document: &str, tree: &Tree, sources: &[Source]) -> Option<String> {
    if !tree.has(&place.path) {
        return Some(format!("`{}` does not exist", place.path));
    }
    if document != ARCHITECTURE || place.names.is_empty() {
        return None;
    }
    let source = sources.iter().find(|source| source.path == place.path)?;
    let defined = defined_names(&source.ast);
    let absent = place.names.iter().find(|name| !defined.contains(*name))?;
    Some(format!("`{}` defines no `{absent}`", place.path))
}

#[cfg(test)]
mod tests {
    use super::{Tree, check, missing, target};
    use crate::tidy::source::Source;

    fn owned(files: &[&str]) -> Vec<String> {
        files.iter().map(|file| (*file).to_owned()).collect()
    }

    fn faults(path: &str, text: &str) -> Vec<(usize, String)> {
        let files = owned(&["README.md", "docs/guide.md", "crates/a/src/lib.rs", "LICENSE"]);
        let sources =
            [Source::parse("crates/a/src/lib.rs", "pub struct Queue; impl Queue { fn push() {} }").unwrap()];
        let found = check(path, text, &Tree::of(&files), &sources);
        found.into_iter().map(|fault| (fault.line, fault.wrong)).collect()
    }

    #[test]
    fn every_project_has_its_papers() {
        assert_eq!(missing(&owned(&["ARCHITECTURE.md", "README.md", "LICENSE", "Cargo.lock"])), []);
        assert_eq!(missing(&owned(&["docs/README.md", "LICENSE", "Cargo.lock"])).len(), 2);
    }

    #[test]
    fn links_are_followed_from_their_document() {
        assert_eq!(target("docs/a.md", "../LICENSE#x").as_deref(), Some("LICENSE"));
        assert_eq!(target("docs/a.md", "./b.md").as_deref(), Some("docs/b.md"));
        assert_eq!(target("docs/a.md", "#x"), None);
        assert_eq!(target("docs/a.md", "https://docs.rs/x"), None);
    }

    #[test]
    fn broken_links_are_faults() {
        assert_eq!(
            faults(
                "docs/guide.md",
                "[a](../LICENSE) [b](guide.md#top) [c](../crates/a/) ![d][e]\n\n[e]: guide.md"
            ),
            []
        );
        let broken = faults("README.md", "# Top\n\nSee [a](docs/none.md) and [b](../outside.md).\n");
        assert_eq!(broken.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [3, 3]);
        assert_eq!(faults("README.md", "`[a](none.md)`\n\n    [a](none.md)\n"), []);
    }

    #[test]
    fn paths_into_the_code_exist() {
        assert_eq!(
            faults("README.md", "`crates/a/src/lib.rs:12`, `crates/a`, `crates/*/src`, `crates/<x>`"),
            []
        );
        assert_eq!(faults("README.md", "`crates/a/src/gone.rs`").len(), 1);
    }

    #[test]
    fn names_in_the_architecture_exist() {
        let good = "`crates/a/src/lib.rs: struct Queue`, `crates/a/src/lib.rs: Queue::push(x), Queue`";
        assert_eq!(faults("ARCHITECTURE.md", good), []);
        let bad = "`crates/a/src/lib.rs: Queue::pop`";
        assert_eq!(
            faults("ARCHITECTURE.md", bad),
            [(1, "`crates/a/src/lib.rs` defines no `pop`".to_owned())]
        );
        assert_eq!(faults("README.md", bad), []);
    }

    #[test]
    fn links_from_the_root_and_images_are_followed() {
        assert_eq!(target("docs/a.md", "/LICENSE").as_deref(), Some("LICENSE"));
        assert_eq!(target("docs/a.md", "mailto:a@example.org"), None);
        assert_eq!(faults("docs/guide.md", "![logo](logo.png)").len(), 1);
        assert_eq!(faults("docs/guide.md", "[all](/docs/) [root](/)"), []);
    }

    #[test]
    fn a_file_that_defines_nothing_of_that_name_is_named() {
        for bad in ["`crates/a/src/lib.rs: Queue, Topic`", "`crates/a/src/lib.rs: trait Topic`"] {
            let found = faults("ARCHITECTURE.md", bad);
            assert!(found[0].1.contains("no `Topic`"), "{found:?}");
        }
        assert_eq!(faults("ARCHITECTURE.md", "`crates/a/src/lib.rs: fn push()`, `LICENSE: none`"), []);
    }
}
