//! Development tasks: `cargo xtask tidy` checks the rules of the house that no compiler knows, `cargo xtask ci` runs
//! everything that a change must pass.
#![forbid(unsafe_code)]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool talks on its standard streams"
)]

mod ci;
mod openwire;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;

/// Development tasks of KeepMQ.
#[derive(Parser)]
#[command(bin_name = "cargo xtask", disable_help_subcommand = true)]
enum Task {
    /// Checks the rules of the house: crate graph, budgets, bans, names, documents. A few seconds.
    Tidy,
    /// Makes the OpenWire codec's commands from the tables of the wire.
    Openwire,
    /// Runs everything that a change must pass, in order, and stops at the first failure.
    #[command(visible_alias = "test")]
    Ci(ci::Options),
}

fn main() -> ExitCode {
    match run(&Task::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: &Task) -> anyhow::Result<ExitCode> {
    let root = root()?;
    let passed = match task {
        Task::Tidy => tidy::run(&root)?,
        Task::Openwire => openwire::run(&root)?,
        Task::Ci(options) => ci::run(&root, options)?,
    };
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The workspace's folder: two above this crate's.
fn root() -> anyhow::Result<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = here.ancestors().nth(2).context("crates/xtask is expected two folders below the workspace")?;
    Ok(root.to_path_buf())
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::{Task, root};

    #[test]
    fn the_command_line_is_consistent() {
        Task::command().debug_assert();
    }

    #[test]
    fn test_is_another_word_for_ci() {
        for word in ["ci", "test"] {
            let task = Task::try_parse_from(["xtask", word, "--only", "fmt", "--skip", "tidy"]);
            assert!(matches!(task, Ok(Task::Ci(_))), "{word}");
        }
        assert!(matches!(Task::try_parse_from(["xtask", "tidy"]), Ok(Task::Tidy)));
    }

    #[test]
    fn steps_that_do_not_exist_are_refused() {
        let error = Task::try_parse_from(["xtask", "ci", "--only", "benchmarks"]).err().unwrap().to_string();
        assert!(error.contains("possible values: fmt, tidy"), "{error}");
    }

    #[test]
    fn the_root_is_where_the_workspace_is() {
        assert!(root().unwrap().join("crates/xtask/Cargo.toml").exists());
    }
}
