//! `keepmq send`.

use std::io::{BufRead as _, Read as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use keepmq_net::Clock;
use keepmq_stomp::codec::Command;

use super::connection::Connection;
use super::target::Target;
use crate::say;

/// Messages that are sent before the broker's answer is waited for.
const WINDOW: u64 = 500;
/// Bytes that are gathered before they are sent.
const GATHERED: usize = 64 * 1024;
/// Largest body that is read from a file or standard input, in bytes.
const MOST_BYTES: u64 = 100 * 1024 * 1024;
/// From so many messages on, progress is shown.
const LONG: u64 = 1000;

/// What to send, and where.
#[derive(Debug, Args)]
pub(crate) struct SendArgs {
    /// Where: /queue/NAME or /topic/NAME.
    destination: String,
    /// The body. Without --body and --file it is read from standard input.
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["file", "lines"])]
    body: Option<String>,
    /// A file with the body.
    #[arg(long, value_name = "FILE", conflicts_with = "lines")]
    file: Option<PathBuf>,
    /// Each line of standard input is a message.
    #[arg(long)]
    lines: bool,
    /// How often it is sent.
    #[arg(long, value_name = "N", default_value_t = 1)]
    count: u64,
    /// A header NAME=VALUE; may be given several times.
    #[arg(long = "header", value_name = "NAME=VALUE", value_parser = header)]
    headers: Vec<(String, String)>,
    /// 0 to 9; 9 goes first.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=9))]
    priority: Option<u8>,
    /// Nobody wants it after so many seconds.
    #[arg(long, value_name = "SECONDS")]
    expires_in: Option<u64>,
    /// It need not survive a crash of the broker.
    #[arg(long)]
    non_persistent: bool,
    #[command(flatten)]
    target: Target,
}

fn header(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once('=').ok_or("a header is NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Sends and counts what is not answered yet.
struct Sender<'a> {
    args: &'a SendArgs,
    connection: Connection,
    sent: u64,
    answered: u64,
    bar: ProgressBar,
}

impl SendArgs {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let connection = self.target.connect()?;
        let bar = if self.count >= LONG { ProgressBar::new(self.count) } else { ProgressBar::hidden() };
        if let Ok(style) =
            ProgressStyle::with_template("{bar:40} {pos}/{len} messages, {per_sec}, {eta} left")
        {
            bar.set_style(style);
        }
        let mut sender = Sender { args: &self, connection, sent: 0, answered: 0, bar };
        if self.lines {
            sender.send_lines()?;
        } else {
            let body = self.read_body()?;
            for _ in 0..self.count {
                sender.send(&body)?;
            }
        }
        let (sent, connection) = sender.finish()?;
        connection.close()?;
        say::line(&format!("sent {sent} to {}", self.destination));
        Ok(ExitCode::SUCCESS)
    }

    fn read_body(&self) -> anyhow::Result<Vec<u8>> {
        if let Some(body) = &self.body {
            return Ok(body.clone().into_bytes());
        }
        let mut body = Vec::new();
        let read = match &self.file {
            Some(path) => {
                let file = std::fs::File::open(path).with_context(|| path.display().to_string())?;
                std::io::copy(&mut file.take(MOST_BYTES + 1), &mut body)
            }
            None => std::io::copy(&mut std::io::stdin().lock().take(MOST_BYTES + 1), &mut body),
        };
        if read.context("the body can't be read")? > MOST_BYTES {
            bail!("the body is over {MOST_BYTES} bytes");
        }
        Ok(body)
    }
}

impl Sender<'_> {
    fn send_lines(&mut self) -> anyhow::Result<()> {
        let mut input = std::io::stdin().lock();
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = input.by_ref().take(MOST_BYTES).read_until(b'\n', &mut line)?;
            if read == 0 {
                return Ok(());
            }
            let end = line.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r')).map_or(0, |last| last + 1);
            self.send(line.get(..end).unwrap_or_default())?;
        }
    }

    fn send(&mut self, body: &[u8]) -> anyhow::Result<()> {
        let args = self.args;
        let receipt = self.sent.to_string();
        let mut frame = self.connection.frame(Command::Send);
        frame.header("destination", &args.destination).header("receipt", &receipt);
        frame.header("persistent", if args.non_persistent { "false" } else { "true" });
        if let Some(priority) = args.priority {
            frame.header("priority", &priority.to_string());
        }
        if let Some(seconds) = args.expires_in {
            let at = Clock.now().unix_ms + seconds * 1000;
            frame.header("expires", &at.to_string());
        }
        for (name, value) in &args.headers {
            frame.header(name, value);
        }
        frame.body(body);
        self.sent += 1;
        if self.connection.unsent() >= GATHERED || self.sent - self.answered >= WINDOW {
            self.connection.flush()?;
        }
        while self.sent - self.answered >= WINDOW {
            self.wait()?;
        }
        Ok(())
    }

    /// Waits for one answer.
    fn wait(&mut self) -> anyhow::Result<()> {
        let frame = self.connection.read()?.context("the broker did not answer in time")?;
        if frame.command() == Command::Receipt {
            self.answered += 1;
            self.bar.inc(1);
        }
        Ok(())
    }

    fn finish(mut self) -> anyhow::Result<(u64, Connection)> {
        self.connection.flush()?;
        self.connection.set_patience(Some(Duration::from_mins(1)))?;
        while self.answered < self.sent {
            self.wait()?;
        }
        self.bar.finish_and_clear();
        Ok((self.sent, self.connection))
    }
}
