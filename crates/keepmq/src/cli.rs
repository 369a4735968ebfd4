//! The command line.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::client::{BrowseArgs, ReceiveArgs, SendArgs};
use crate::explain::ExplainArgs;
use crate::quickstart::QuickstartArgs;
use crate::user::UserArgs;

/// A message broker that is closed until you open it.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes a folder with everything that a broker needs, and serves it on this machine.
    Quickstart(QuickstartArgs),
    /// Serves an existing folder.
    Serve(Folder),
    /// Judges a folder's configuration: all its faults, each with a remedy. Exit code 1 when there are any.
    Check {
        #[command(flatten)]
        folder: Folder,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Why was that denied, or would it be? By the number of a decision, or for a user and a destination.
    Explain(ExplainArgs),
    /// Adds, changes, lists and removes users.
    User(UserArgs),
    /// Sends messages.
    Send(SendArgs),
    /// Receives messages, and takes them.
    Receive(ReceiveArgs),
    /// Looks at a queue's messages without taking them.
    Browse(BrowseArgs),
    /// Looks at the journal of a broker that is stopped.
    #[command(subcommand)]
    Journal(JournalCommand),
    /// Looks at the audit log.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Measures a broker, this one or another. Exit codes: 0 everything arrived; 1 something did not; 2 no run.
    Bench(keepmq_bench::Args),
}

/// Where the broker's files are.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Folder {
    /// The broker's folder, with its keepmq.toml.
    #[arg(long = "dir", value_name = "DIR", default_value = "keepmq-data")]
    pub(crate) dir: PathBuf,
}

#[derive(Debug, Subcommand)]
enum JournalCommand {
    /// Reads everything and checks it. Exit code 1 when anything is not as it was written.
    Verify(Folder),
    /// Tells what the store holds, and what keeps each file.
    Stat(Folder),
}

#[derive(Debug, Subcommand)]
enum AuditCommand {
    /// Checks that no line was changed or is missing.
    Verify(Folder),
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Quickstart(args) => args.run(),
            Command::Serve(folder) => crate::serve::serve(&folder.dir),
            Command::Check { folder, json } => Ok(crate::check::run(&folder.dir, json)),
            Command::Explain(args) => args.run(),
            Command::User(args) => args.run(),
            Command::Send(args) => args.run(),
            Command::Receive(args) => args.run(),
            Command::Browse(args) => args.run(),
            Command::Journal(JournalCommand::Verify(folder)) => crate::journal::verify(&folder.dir),
            Command::Journal(JournalCommand::Stat(folder)) => crate::journal::stat(&folder.dir),
            Command::Audit(AuditCommand::Verify(folder)) => crate::explain::verify_audit(&folder.dir),
            Command::Bench(args) => Ok(crate::bench::run(&args)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn no_command_takes_a_password_as_an_argument() {
        fn look(command: &clap::Command) {
            for argument in command.get_arguments() {
                assert!(!argument.get_id().as_str().contains("password"), "{}", argument.get_id());
            }
            command.get_subcommands().for_each(look);
        }
        look(&Args::command());
    }
}
