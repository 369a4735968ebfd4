//! `keepmq browse`.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use keepmq_stomp::codec::Command;

use super::print::print;
use super::target::Target;
use crate::say;

/// How long the broker may take for the next message.
const PATIENCE: Duration = Duration::from_secs(30);

/// Which queue, and how much of it.
#[derive(Debug, Args)]
pub(crate) struct BrowseArgs {
    /// Which: /queue/NAME.
    queue: String,
    /// At most so many messages.
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Each message as a line of JSON with its headers.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

impl BrowseArgs {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let mut connection = self.target.connect()?;
        connection
            .frame(Command::Subscribe)
            .header("id", "1")
            .header("destination", &self.queue)
            .header("ack", "auto")
            .header("browser", "true")
            .end();
        connection.flush()?;
        connection.set_patience(Some(PATIENCE))?;
        let mut shown = 0;
        while self.limit.is_none_or(|limit| shown < limit) {
            let frame = connection.read()?.context("the broker did not answer in time")?;
            if frame.get("browser") == Some("end") {
                break;
            }
            if frame.command() == Command::Message {
                print(&frame, self.json)?;
                shown += 1;
            }
        }
        let messages = if shown == 1 { "message" } else { "messages" };
        say::fault(&format!("{shown} {messages} in {}", self.queue));
        connection.close()?;
        Ok(ExitCode::SUCCESS)
    }
}
