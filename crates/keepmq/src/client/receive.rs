//! `keepmq receive`.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use keepmq_stomp::codec::{Command, Frame};

use super::connection::Connection;
use super::print::print;
use super::target::Target;
use crate::say;

/// From where, and how much.
#[derive(Debug, Args)]
pub(crate) struct ReceiveArgs {
    /// From where: /queue/NAME or /topic/NAME, with wildcards * and > if wanted.
    source: String,
    /// How many messages.
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "all")]
    count: u64,
    /// All that come, until none came for the time of --wait.
    #[arg(long)]
    all: bool,
    /// How long to wait for the next message, in seconds; 0 is for ever.
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    wait: u64,
    /// Each message as a line of JSON with its headers.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

impl ReceiveArgs {
    /// Each message is acknowledged after it was printed. Fewer than wanted is exit code 1.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let mut connection = self.target.connect()?;
        let wanted = if self.all { u64::MAX } else { self.count };
        // No more than wanted: the rest is for others.
        let window = wanted.clamp(1, 100).to_string();
        connection
            .frame(Command::Subscribe)
            .header("id", "1")
            .header("destination", &self.source)
            .header("ack", "client-individual")
            .header("activemq.prefetchSize", &window)
            .end();
        connection.flush()?;
        connection.set_patience((self.wait > 0).then(|| Duration::from_secs(self.wait)))?;
        let mut received = 0;
        while received < wanted {
            let Some(frame) = connection.read()? else { break };
            if frame.command() == Command::Message {
                print(&frame, self.json)?;
                acknowledge(&mut connection, &frame)?;
                received += 1;
            }
        }
        connection.close()?;
        if received == 0 || (!self.all && received < wanted) {
            say::fault(&format!("keepmq: {received} messages came in time"));
            return Ok(if self.all { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn acknowledge(connection: &mut Connection, frame: &Frame) -> anyhow::Result<()> {
    let id = frame.get("ack").context("the broker sent a message that can't be acknowledged")?.to_owned();
    connection.frame(Command::Ack).header("id", &id).end();
    connection.flush()
}
