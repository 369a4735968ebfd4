//! Reads everything that the rules judge. Git says what belongs to the project: files not yet committed too, so that a
//! fault is found before the commit, but nothing that is ignored, such as build output.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};

use super::fault::Fault;
use super::metadata::Metadata;
use super::source::Source;
use super::test_code::test_modules;

/// The project's files, and what cargo knows of it.
pub(crate) struct Workspace {
    /// Paths of all files that git tracks or would track.
    pub files: Vec<String>,
    /// Those that are text, with their text.
    pub texts: BTreeMap<String, String>,
    /// All Rust files that parse.
    pub sources: Vec<Source>,
    /// Rust files that do not.
    pub broken: Vec<Fault>,
    /// The crates.
    pub metadata: Metadata,
}

impl Workspace {
    /// Reads the workspace at `root`.
    pub(crate) fn load(root: &Path) -> anyhow::Result<Self> {
        let files = files(root)?;
        let mut texts = BTreeMap::new();
        for file in &files {
            let bytes = fs::read(root.join(file)).with_context(|| file.clone())?;
            if let Ok(text) = String::from_utf8(bytes) {
                texts.insert(file.clone(), text);
            }
        }
        let (sources, broken) = parse(&texts);
        Ok(Self { files, texts, sources, broken, metadata: Metadata::load(root)? })
    }

    /// The texts whose path ends so.
    pub(crate) fn texts_ending<'a>(&'a self, end: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let texts = self.texts.iter().filter(move |(path, _)| path.ends_with(end));
        texts.map(|(path, text)| (path.as_str(), text.as_str()))
    }
}

/// Tracked files and new ones that are not ignored, without those just deleted and without links.
fn files(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut git = Command::new("git");
    let list = git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"]);
    let output = list.current_dir(root).output().context("git ls-files")?;
    ensure!(output.status.success(), "git ls-files: {}", String::from_utf8_lossy(&output.stderr));
    let names = String::from_utf8(output.stdout).context("a file name is not UTF-8")?;
    let is_file = |file: &&str| fs::symlink_metadata(root.join(file)).is_ok_and(|found| found.is_file());
    Ok(names.split_terminator('\0').filter(is_file).map(str::to_owned).collect())
}

fn parse(texts: &BTreeMap<String, String>) -> (Vec<Source>, Vec<Fault>) {
    let mut sources = Vec::new();
    let mut broken = Vec::new();
    let rust = texts.iter().filter(|(path, _)| Path::new(path).extension().is_some_and(|end| end == "rs"));
    // On one thread: the places of tokens are only known where they were read.
    for (path, text) in rust {
        match Source::parse(path, text) {
            Ok(source) => sources.push(source),
            Err(fault) => broken.push(fault),
        }
    }
    mark_test_modules(&mut sources);
    (sources, broken)
}

/// Files of modules that are declared under `#[cfg(test)]` are tests, and so is what lies below them.
fn mark_test_modules(sources: &mut [Source]) {
    let declared = |source: &Source| {
        let folder = module_folder(&source.path);
        test_modules(&source.ast).into_iter().map(move |name| format!("{folder}/{name}")).collect::<Vec<_>>()
    };
    let modules: Vec<String> = sources.iter().flat_map(declared).collect();
    for source in sources {
        let is_below = |module: &String| {
            source
                .path
                .strip_prefix(module.as_str())
                .is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
        };
        if modules.iter().any(is_below) {
            source.becomes_test();
        }
    }
}

/// Where the modules of a file have their files.
fn module_folder(path: &str) -> String {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    match name {
        "lib.rs" | "main.rs" | "mod.rs" => folder.to_owned(),
        name => format!("{folder}/{}", name.trim_end_matches(".rs")),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{module_folder, parse};
    use crate::tidy::source::Kind;

    #[test]
    fn modules_have_their_files_where_the_compiler_looks() {
        assert_eq!(module_folder("crates/a/src/lib.rs"), "crates/a/src");
        assert_eq!(module_folder("crates/a/src/b.rs"), "crates/a/src/b");
    }

    #[test]
    fn files_of_test_modules_are_tests() {
        let texts = [
            ("crates/a/src/b.rs", "#[cfg(test)]\nmod oracle;\nmod real;\n"),
            ("crates/a/src/b/oracle.rs", "mod deep;\n"),
            ("crates/a/src/b/oracle/deep.rs", "fn a() {}\n"),
            ("crates/a/src/b/real.rs", "fn a() {}\n"),
        ];
        let texts: BTreeMap<_, _> = texts.map(|(path, text)| (path.to_owned(), text.to_owned())).into();
        let (sources, broken) = parse(&texts);
        assert_eq!(broken, []);
        let kinds: Vec<Kind> = sources.iter().map(|source| source.kind).collect();
        assert_eq!(kinds, [Kind::Source, Kind::Test, Kind::Test, Kind::Source]);
    }

    #[test]
    fn files_that_do_not_parse_are_reported() {
        let texts = BTreeMap::from([("crates/a/src/lib.rs".to_owned(), "fn".to_owned())]);
        assert_eq!(parse(&texts).1.len(), 1);
    }
}
