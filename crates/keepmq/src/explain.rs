//! `keepmq explain`: why a decision was made, or what it would be; and whether the audit log is whole.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Args;
use keepmq_identity::users_file;
use keepmq_model::{DecisionId, Kind};
use keepmq_policy::{Policy, Right, judge};

use crate::cli::Folder;
use crate::say;

/// A decision, or a question.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The number of a decision, as a client was told it.
    #[arg(value_name = "ID", conflicts_with_all = ["user", "read", "write", "admin"], value_parser = decision)]
    decision: Option<DecisionId>,
    /// Whom the question is about.
    #[arg(long, required_unless_present = "decision")]
    user: Option<String>,
    /// May the user read from it? A destination such as queue://orders or topic://news.>
    #[arg(long, value_name = "DESTINATION", group = "right")]
    read: Option<String>,
    /// May the user send to it?
    #[arg(long, value_name = "DESTINATION", group = "right")]
    write: Option<String>,
    /// May the user create and delete it?
    #[arg(long, value_name = "DESTINATION", group = "right")]
    admin: Option<String>,
    #[command(flatten)]
    folder: Folder,
}

fn decision(text: &str) -> Result<DecisionId, &'static str> {
    text.parse().map_err(|()| "a decision looks like D-1-17")
}

impl ExplainArgs {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        if let Some(id) = self.decision {
            return recorded(&self.folder.dir, id);
        }
        let question = [(Right::Read, self.read), (Right::Write, self.write), (Right::Admin, self.admin)];
        let asked = question.into_iter().find_map(|(right, destination)| Some((right, destination?)));
        let (Some(user), Some((right, destination))) = (self.user, asked) else {
            bail!("name a destination with --read, --write or --admin");
        };
        foretold(&self.folder.dir, &user, right, &destination)
    }
}

fn recorded(folder: &Path, id: DecisionId) -> anyhow::Result<ExitCode> {
    let path = audit_file(folder)?;
    let found = keepmq_admin::find(&path, &id.to_string()).with_context(|| path.display().to_string())?;
    let Some(record) = found else {
        bail!("{} has no decision {id}", path.display());
    };
    say::line(&serde_json::to_string_pretty(&record)?);
    Ok(ExitCode::SUCCESS)
}

/// Answers with the very function that decides.
fn foretold(folder: &Path, user: &str, right: Right, destination: &str) -> anyhow::Result<ExitCode> {
    let config = match keepmq_config::load(folder) {
        Ok(loaded) => loaded.config,
        Err(report) => bail!("{}", report.to_string().trim_end()),
    };
    let users = users_file::load(&config.users)?;
    let Some(known) = users.get(user) else { bail!("there is no user {user}") };
    let (kind, name) = split(destination)?;
    let verdict = judge(&Policy { epoch: 0, map: config.map }, &known.principal(), right, kind, name);
    let answer = if verdict.allowed { "yes" } else { "no" };
    say::line(&format!("{answer}: {user} to {} {}{name}: {}", right.phrase(), kind.scheme(), verdict.rule));
    Ok(if verdict.allowed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn split(destination: &str) -> anyhow::Result<(Kind, &str)> {
    let kinds = [Kind::Queue, Kind::Topic, Kind::TempQueue, Kind::TempTopic];
    let found = kinds.into_iter().find_map(|kind| Some((kind, destination.strip_prefix(kind.scheme())?)));
    found.with_context(|| format!("{destination} is no destination: write queue://NAME or topic://NAME"))
}

fn audit_file(folder: &Path) -> anyhow::Result<std::path::PathBuf> {
    match keepmq_config::load(folder) {
        Ok(loaded) => Ok(loaded.config.audit),
        Err(report) => bail!("{}", report.to_string().trim_end()),
    }
}

pub(crate) fn verify_audit(folder: &Path) -> anyhow::Result<ExitCode> {
    let path = audit_file(folder)?;
    match keepmq_admin::verify(&path) {
        Ok(verified) => {
            say::line(&format!("{}: {} lines, whole", path.display(), verified.lines));
            say::line(&format!("the last one has the hash {}", verified.last_hash));
            Ok(ExitCode::SUCCESS)
        }
        Err(fault) => {
            say::fault(&format!("{}: {fault}", path.display()));
            Ok(ExitCode::FAILURE)
        }
    }
}
