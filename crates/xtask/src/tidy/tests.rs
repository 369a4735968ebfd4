//! Made-up workspaces, judged whole: that every rule is asked, and that a clean workspace passes.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::workspace::Workspace;
use super::{all_faults, run};

const WORKSPACE: &str = r#"
[workspace]
members = ["crates/keepmq-*"]
[workspace.lints]
[workspace.package]
edition = "2024"
license = "MIT"
"#;

const MANIFEST: &str = r#"
[package]
name = "keepmq-core"
edition.workspace = true
license.workspace = true
[lints]
workspace = true
"#;

/// A clean workspace of one crate.
const CLEAN: [(&str, &str); 9] = [
    ("Cargo.toml", WORKSPACE),
    ("Cargo.lock", "version = 4\n"),
    ("LICENSE", "MIT"),
    ("README.md", "See [the map](ARCHITECTURE.md)."),
    ("ARCHITECTURE.md", "The door is `crates/keepmq-core/src/lib.rs: Gate`."),
    (".gitignore", "/ignored"),
    ("ignored/utils.rs", "does not even parse"),
    ("crates/keepmq-core/Cargo.toml", MANIFEST),
    ("crates/keepmq-core/src/lib.rs", "//! Doc.\n#![forbid(unsafe_code)]\nstruct Gate;"),
];

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// The clean workspace with some files put in or replaced.
fn workspace_with(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    let git = Command::new("git").args(["init", "--quiet"]).current_dir(folder.path()).status().unwrap();
    assert!(git.success());
    for (path, text) in CLEAN.iter().chain(files) {
        write(folder.path(), path, text);
    }
    folder
}

/// What tidy says of the clean workspace with some files put in or replaced.
fn said(files: &[(&str, &str)]) -> Vec<String> {
    let folder = workspace_with(files);
    let faults = all_faults(&Workspace::load(folder.path()).unwrap());
    faults.iter().map(ToString::to_string).collect()
}

/// Exactly one fault, at this place and with this word in it.
fn says_once(files: &[(&str, &str)], place: &str, word: &str) {
    let said = said(files);
    assert_eq!(said.len(), 1, "{files:?}: {said:#?}");
    assert!(said[0].starts_with(place) && said[0].contains(word), "{place}, {word}: {said:#?}");
}

#[test]
fn a_clean_workspace_passes() {
    assert_eq!(said(&[]), [""; 0]);
    assert!(run(workspace_with(&[]).path()).unwrap());
    assert!(!run(workspace_with(&[("crates/keepmq-core/src/b.rs", "fn")]).path()).unwrap());
}

#[test]
fn every_rule_for_code_is_asked() {
    let shard = "crates/keepmq-core/src/shard/queue.rs";
    let long = format!("fn a() {{\n{}}}\n", "b();\n".repeat(80));
    let fill = "fn c() {}\n".repeat(30);
    for (code, line, word) in [
        ("fn", 1, "does not parse"),
        ("fn a() { b.await }", 1, "state machine"),
        ("use std::sync::Mutex;", 1, "a shard"),
        ("fn a() {\n Instant::now() }", 2, "simulation"),
        ("fn a() { decide() }", 1, "gate"),
        ("mod util {}", 1, "says nothing"),
        ("\n// FIXME", 2, "FIXME"),
        (&(long + &fill), 1, "80 at most"),
    ] {
        says_once(&[(shard, code)], &format!("{shard}:{line}:"), word);
    }
}

#[test]
fn every_rule_for_roots_and_manifests_is_asked() {
    says_once(
        &[("crates/keepmq-core/src/main.rs", "fn main() {}")],
        "crates/keepmq-core/src/main.rs:1:",
        "forbid",
    );
    let own = MANIFEST.replace("license.workspace = true", "license = \"MIT\"");
    says_once(&[("crates/keepmq-core/Cargo.toml", &own)], "crates/keepmq-core/Cargo.toml:", "license");
    let unknown = MANIFEST.replace("keepmq-core", "keepmq-extra");
    let lib = ("crates/keepmq-extra/src/lib.rs", "#![forbid(unsafe_code)]");
    says_once(
        &[("crates/keepmq-extra/Cargo.toml", &unknown), lib],
        "crates/keepmq-extra/Cargo.toml:",
        "table",
    );
}

#[test]
fn every_rule_for_files_is_asked() {
    let host = ["crates", "io"].join(".");
    says_once(&[("docs/a.md", &format!("\nfrom {host}"))], "docs/a.md:2:", "registry");
    says_once(&[("docs/a.md", "[b](b.md)")], "docs/a.md:1:", "nowhere");
    says_once(&[("ARCHITECTURE.md", "`crates/keepmq-core/src/lib.rs: Door`")], "ARCHITECTURE.md:1:", "Door");
    says_once(&[("docs/helpers/a.txt", "")], "docs/helpers/a.txt:1:", "says nothing");
    let folder = workspace_with(&[]);
    fs::remove_file(folder.path().join("LICENSE")).unwrap();
    assert_eq!(all_faults(&Workspace::load(folder.path()).unwrap())[0].path, "LICENSE");
}

#[test]
fn exceptions_are_read_and_must_be_needed() {
    let list = "crates/xtask/exceptions.txt";
    let excused = "unsafe-code crates/keepmq-core/src/main.rs -- maps files";
    says_once(&[(list, excused)], list, "nothing needs");
    assert_eq!(said(&[(list, excused), ("crates/keepmq-core/src/main.rs", "fn main() {}")]), [""; 0]);
    says_once(&[(list, "# list\nunsafe-code x")], "crates/xtask/exceptions.txt:2:", "reason");
}

#[test]
fn what_has_grown_is_measured() {
    let code = "fn a() {}\n".repeat(801);
    let said = said(&[("crates/keepmq-core/src/a.rs", &code)]).join("\n");
    for word in ["450 lines", "800 at most", "hold comments", "lines of tests"] {
        assert_eq!(said.matches(word).count(), 1, "{word}: {said}");
    }
    assert_eq!(said.lines().count(), 4, "{said}");
}

#[test]
fn what_git_ignores_or_has_lost_is_not_read() {
    let folder = workspace_with(&[("docs/gone.md", "x"), ("docs/new.md", "x"), ("docs/bytes.bin", "")]);
    let git = |words: &[&str]| Command::new("git").args(words).current_dir(folder.path()).status().unwrap();
    assert!(git(&["add", "docs/gone.md"]).success());
    fs::remove_file(folder.path().join("docs/gone.md")).unwrap();
    fs::write(folder.path().join("docs/bytes.bin"), [0xff, 0xfe]).unwrap();
    std::os::unix::fs::symlink("/", folder.path().join("docs/link.md")).unwrap();
    let workspace = Workspace::load(folder.path()).unwrap();
    let docs: Vec<&str> =
        workspace.files.iter().map(String::as_str).filter(|file| file.contains('/')).collect();
    assert_eq!(docs.iter().filter(|file| file.starts_with("docs/")).count(), 2, "{docs:?}");
    assert!(!docs.contains(&"ignored/utils.rs"));
    assert!(!workspace.texts.contains_key("docs/bytes.bin"), "not UTF-8");
}

#[test]
fn a_folder_that_is_no_repository_is_an_error_that_says_so() {
    let folder = TempDir::new().unwrap();
    let error = Workspace::load(folder.path()).err().unwrap().to_string();
    assert!(error.contains("git ls-files"), "{error}");
}

#[test]
fn dependencies_are_read_from_real_manifests() {
    let mqtt = MANIFEST.replace("keepmq-core", "keepmq-mqtt")
        + "[dependencies]\nc = { package = \"keepmq-core\", path = \"../keepmq-core\" }\n";
    let lib = ("crates/keepmq-mqtt/src/lib.rs", "#![forbid(unsafe_code)]");
    says_once(
        &[("crates/keepmq-mqtt/Cargo.toml", &mqtt), lib],
        "crates/keepmq-mqtt/Cargo.toml:",
        "`keepmq-core`",
    );
}

#[test]
fn features_for_tests_are_found_in_real_manifests() {
    for (features, found) in [("default = [\"testing\"]\ntesting = []", 1), ("testing = []", 0)] {
        let manifest = format!("{MANIFEST}[features]\n{features}\n");
        let said = said(&[("crates/keepmq-core/Cargo.toml", &manifest)]);
        assert_eq!(said.len(), found, "{features}: {said:#?}");
    }
}
