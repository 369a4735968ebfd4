//! Every crate takes its lints, edition and license from the workspace, and its folder is called like the package. A
//! crate that forgets `[lints]` would build without any of the house's lints, and nothing else would say so.

use toml::{Table, Value};

use super::fault::Fault;

/// Fields of `[package]` that are the same everywhere.
const INHERITED: [&str; 2] = ["edition", "license"];

/// Judges the `Cargo.toml` of a crate.
pub(crate) fn check(path: &str, text: &str) -> Vec<Fault> {
    let manifest: Table = match text.parse() {
        Ok(manifest) => manifest,
        Err(error) => return vec![Fault::of(path, format!("does not parse: {error}"), "mend it")],
    };
    let line = |word: &str| {
        (1..).zip(text.lines()).find(|(_, text)| text.starts_with(word)).map_or(1, |(line, _)| line)
    };
    let mut faults = Vec::new();
    let folder = path.rsplit('/').nth(1).unwrap_or_default();
    let package = manifest.get("package");
    let name = package.and_then(|package| package.get("name")).and_then(Value::as_str).unwrap_or_default();
    if name != folder {
        let wrong = format!("the package `{name}` lies in the folder `{folder}`");
        faults.push(Fault::at(path, line("name"), wrong, "give both the same name"));
    }
    for field in INHERITED {
        if !is_inherited(package.and_then(|package| package.get(field))) {
            let wrong = format!("`{field}` is not the workspace's");
            faults.push(Fault::at(path, line(field), wrong, format!("write `{field}.workspace = true`")));
        }
    }
    if !is_inherited(manifest.get("lints")) {
        faults.push(Fault::at(
            path,
            line("[lints"),
            "the lints are not the workspace's",
            "write `workspace = true` under [lints]",
        ));
    }
    faults
}

fn is_inherited(field: Option<&Value>) -> bool {
    field.and_then(|field| field.get("workspace")).and_then(Value::as_bool) == Some(true)
}

#[cfg(test)]
mod tests {
    use super::check;

    const GOOD: &str = "[package]\nname = \"a\"\nedition.workspace = true\nlicense = { workspace = true }\n[lints]\nworkspace = true\n";

    #[test]
    fn a_manifest_inherits_from_the_workspace() {
        assert_eq!(check("crates/a/Cargo.toml", GOOD), []);
        for (from, to) in [
            ("edition.workspace = true", "edition = \"2021\""),
            ("license = { workspace = true }", ""),
            ("[lints]\nworkspace = true", "[lints.rust]\nmissing_docs = \"warn\""),
        ] {
            assert_eq!(check("crates/a/Cargo.toml", &GOOD.replace(from, to)).len(), 1, "{to}");
        }
    }

    #[test]
    fn the_folder_is_called_like_the_package() {
        let faults = check("crates/b/Cargo.toml", GOOD);
        assert_eq!((faults.len(), faults[0].line), (1, 2));
    }

    #[test]
    fn a_broken_manifest_is_a_fault() {
        assert_eq!(check("crates/a/Cargo.toml", "[package").len(), 1);
    }
}
