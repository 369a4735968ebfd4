//! `keepmq user`: who may log in.

use std::io::{IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use keepmq_identity::users_file;
use keepmq_model::Secret;
use keepmq_net::Clock;

use crate::cli::Folder;
use crate::say;

/// Longest password that is read, in bytes; the rules allow less.
const MOST_BYTES: u64 = 1024;
/// An hour in milliseconds.
const HOUR_MS: u64 = 3_600_000;

/// What to do with users.
#[derive(Debug, Args)]
pub(crate) struct UserArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Adds a user. The password is asked for, or read from standard input.
    Add {
        name: String,
        /// The user's groups, separated by commas. Rights are given to groups.
        #[arg(long, value_name = "LIST", value_delimiter = ',')]
        groups: Vec<String>,
        #[command(flatten)]
        folder: Folder,
    },
    /// Gives a user another password, which is asked for or read from standard input.
    Passwd {
        name: String,
        /// The old password stays good for so many hours, so that clients can be changed one after the other.
        #[arg(long, value_name = "HOURS")]
        keep_old: Option<u64>,
        #[command(flatten)]
        folder: Folder,
    },
    /// Gives a user other groups.
    Groups {
        name: String,
        /// All of the user's groups, separated by commas.
        #[arg(value_delimiter = ',')]
        groups: Vec<String>,
        #[command(flatten)]
        folder: Folder,
    },
    /// Removes a user. Their connections end within a second.
    Remove {
        name: String,
        #[command(flatten)]
        folder: Folder,
    },
    /// Lists the users.
    List {
        #[command(flatten)]
        folder: Folder,
    },
}

impl UserArgs {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Add { name, groups, folder } => {
                let password = ask_password()?;
                let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
                users_file::edit(&file(&folder.dir)?, |users| users.add(&name, &groups, &password))?;
                say::line(&format!("added {name}"));
            }
            Command::Passwd { name, keep_old, folder } => {
                let password = ask_password()?;
                let until_ms =
                    keep_old.map(|hours| Clock.now().unix_ms.saturating_add(hours.saturating_mul(HOUR_MS)));
                users_file::edit(&file(&folder.dir)?, |users| {
                    users.set_password(&name, &password, until_ms)
                })?;
                say::line(&format!("changed the password of {name}"));
            }
            Command::Groups { name, groups, folder } => {
                let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
                users_file::edit(&file(&folder.dir)?, |users| users.set_groups(&name, &groups))?;
                say::line(&format!("{name} is in {}", groups.join(", ")));
            }
            Command::Remove { name, folder } => {
                users_file::edit(&file(&folder.dir)?, |users| users.remove(&name))?;
                say::line(&format!("removed {name}"));
            }
            Command::List { folder } => list(&folder.dir)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn file(folder: &Path) -> anyhow::Result<PathBuf> {
    match keepmq_config::load(folder) {
        Ok(loaded) => Ok(loaded.config.users),
        Err(report) => bail!("{}", report.to_string().trim_end()),
    }
}

fn list(folder: &Path) -> anyhow::Result<()> {
    let users = users_file::load(&file(folder)?)?;
    for user in users.list() {
        let groups: Vec<&str> = user.groups().iter().map(|group| &**group).collect();
        let disabled = if user.is_disabled() { "  (disabled)" } else { "" };
        say::line(&format!("{}  {}{disabled}", user.name(), groups.join(",")));
    }
    Ok(())
}

/// From a terminal asked twice and not shown; from a pipe the first line.
fn ask_password() -> anyhow::Result<Secret> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        let mut bytes = Vec::new();
        std::io::copy(&mut stdin.lock().take(MOST_BYTES), &mut bytes)
            .context("no password on standard input")?;
        let end = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(bytes.len());
        bytes.truncate(end);
        return Ok(Secret::new(bytes));
    }
    let first = rpassword::prompt_password("password: ")?;
    let second = rpassword::prompt_password("once more: ")?;
    if first != second {
        bail!("the two are not the same; nothing was changed");
    }
    Ok(Secret::new(first.into_bytes()))
}
