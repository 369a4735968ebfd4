//! A load generator for STOMP, MQTT and OpenWire brokers.
//!
//! It is a client of any broker and a stranger to this one: it shares no code with the sessions that it measures. Its
//! messages carry who sent them, which one it is and when it was meant to be sent, so it tells exactly what was lost, came
//! twice or out of order, and how long it took. The broker's CPU and memory are read from `/proc` by its process number.
//!
//! The modules from the wire up: `payload`, `wire`, `stream`, `target` and `link` make one connection; `pace`, `window`,
//! `producer`, `consumer` and `ledger` say what it is for; `worker` drives many; `scenario` runs them and `report` tells.
#![forbid(unsafe_code)]

mod board;
mod clock;
mod consumer;
mod error;
mod latency;
mod ledger;
mod link;
mod pace;
mod payload;
mod plan;
mod producer;
mod report;
mod scenario;
mod stream;
mod target;
mod tls;
mod usage;
mod window;
mod wire;
mod worker;

use std::io::Write;

pub use error::Error;
pub use latency::Percentiles;
pub use ledger::Account;
pub use plan::{Kind, PlanArgs};
pub use scenario::{
    BrokerCost, DiskArgs, DiskReport, Flow, IdleArgs, IdleReport, LoadArgs, LoadReport, PerMessage,
    StormArgs, StormReport, Switch, WatchArgs,
};
pub use target::TargetArgs;
pub use wire::{AckMode, Login, Protocol};

use report::Report;

/// Arguments of `bench`.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// What to measure.
    #[command(subcommand)]
    pub scenario: Scenario,
}

/// What can be measured.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Scenario {
    /// Sends messages through a broker and counts exactly what arrives, how fast and at what cost
    Load(LoadArgs),
    /// Opens connections that do nothing and tells what memory each costs the broker
    Idle(IdleArgs),
    /// Connects and leaves over and over, as after an outage, and tells how many connections a second there are
    Storm(StormArgs),
    /// Tells how often a second the disk makes a small write safe
    Disk(DiskArgs),
}

/// How a run that could be carried out ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Everything arrived as the protocol promises.
    Clean,
    /// Something did not; the report says what.
    Faulty,
}

/// Runs a scenario and writes its report. `login` is what the environment says; a credentials file goes before it.
pub fn run(args: &Args, login: Option<Login>, out: &mut impl Write) -> Result<Verdict, Error> {
    match &args.scenario {
        Scenario::Load(args) => show(&scenario::run_load(args, login)?, args.watch.json, out),
        Scenario::Idle(args) => show(&scenario::run_idle(args, login)?, args.watch.json, out),
        Scenario::Storm(args) => show(&scenario::run_storm(args, login)?, args.watch.json, out),
        Scenario::Disk(args) => show(&scenario::run_disk(args)?, args.json, out),
    }
}

fn show(report: &impl Report, as_json: bool, out: &mut impl Write) -> Result<Verdict, Error> {
    let text = if as_json {
        let json = serde_json::to_string_pretty(report);
        json.map_err(|error| Error::system("the report can't be written")(error.into()))? + "\n"
    } else {
        report.table()
    };
    out.write_all(text.as_bytes()).map_err(Error::system("the report can't be written"))?;
    Ok(if report.faults().is_empty() { Verdict::Clean } else { Verdict::Faulty })
}
