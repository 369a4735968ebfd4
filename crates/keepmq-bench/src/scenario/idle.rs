//! Connections that log in, subscribe to a topic and stay, and the memory that the broker spends for each.

use super::{Meter, WatchArgs, a_second, allow_connections, run_number, sleep};
use crate::clock::{Clock, seconds};
use crate::error::Error;
use crate::link::Link;
use crate::plan::Kind;
use crate::target::{Target, TargetArgs};
use crate::wire::{AckMode, Login, Manner, Protocol, Wire};

/// Arguments of `idle`.
#[derive(Clone, Debug, clap::Args)]
pub struct IdleArgs {
    /// The broker.
    #[command(flatten)]
    pub target: TargetArgs,
    /// The protocol to speak
    #[arg(long, value_enum)]
    pub protocol: Protocol,
    /// How many connections
    #[arg(long, value_name = "COUNT", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub connections: u32,
    /// The topic that all of them subscribe to
    #[arg(long, value_name = "NAME", default_value = "keepmq-bench-idle")]
    pub destination: String,
    /// How long they stay after the last has come, before memory is read
    #[arg(long, value_name = "SECONDS", default_value_t = 3.0)]
    pub hold: f64,
    /// What to watch.
    #[command(flatten)]
    pub watch: WatchArgs,
}

/// What idle connections cost.
#[derive(Clone, Debug, serde::Serialize)]
pub struct IdleReport {
    /// What was run, in words.
    pub title: String,
    /// Connections that were opened.
    pub connections: u64,
    /// Of these, how many were still open at the end and had heard nothing.
    pub alive: u64,
    /// How many were opened in a second, one after the other.
    pub opened_per_second: f64,
    /// The broker's resident memory before the first came.
    pub memory_before: Option<u64>,
    /// The broker's resident memory with all of them.
    pub memory_with: Option<u64>,
    /// What one costs, in bytes; buffers in the kernel are not in it.
    pub memory_each: Option<f64>,
    /// The broker's seconds of CPU while nothing happened.
    pub idle_cpu_seconds: Option<f64>,
    /// What is wrong with the result.
    pub faults: Vec<String>,
}

/// Runs it.
pub(crate) fn run(args: &IdleArgs, login: Option<Login>) -> Result<IdleReport, Error> {
    let connections = u64::from(args.connections);
    let target = Target::new(&args.target, login, true)?;
    allow_connections(connections)?;
    let mut meter = Meter::of(args.watch)?;
    // What only the first connection costs, such as checking a password that is remembered then, is not what each costs.
    let opener = Opener::new(args, &target);
    let mut first = opener.open("idle first")?;
    first.settle(&target)?;
    first.leave(&target)?;
    drop(first);
    sleep(args.hold);
    let memory_before = meter.broker()?.map(|cost| cost.memory_after);
    let clock = Clock::start();
    let open = |which| opener.open(&format!("idle {which}"));
    let mut links = (0..connections).map(open).collect::<Result<Vec<Link>, Error>>()?;
    let opened = seconds(clock.now());
    // What a handshake needed for a moment is given back by most brokers only after a while.
    sleep(args.hold / 2.0);
    meter.restart()?;
    sleep(args.hold / 2.0);
    let cost = meter.broker()?;
    links.iter_mut().try_for_each(Link::stop_waiting)?;
    let alive = links.iter_mut().map(|link| u64::from(link.stream.is_quiet())).sum();
    let memory_with = cost.map(|cost| cost.memory_after);
    let each = memory_before
        .zip(memory_with)
        .and_then(|(before, with)| super::per(difference(before, with), connections));
    let gone = connections - alive;
    Ok(IdleReport {
        title: title(args),
        connections,
        alive,
        opened_per_second: a_second(connections, opened),
        memory_before,
        memory_with,
        memory_each: each,
        idle_cpu_seconds: cost.map(|cost| cost.cpu_seconds()),
        faults: if gone > 0 {
            vec![format!("{gone} connections did not stay or were sent something")]
        } else {
            Vec::new()
        },
    })
}

/// Opens connections that subscribe to the topic.
struct Opener<'a> {
    target: &'a Target,
    manner: Manner,
    topic: String,
    number: u32,
}

impl<'a> Opener<'a> {
    fn new(args: &IdleArgs, target: &'a Target) -> Self {
        let manner = Manner {
            protocol: args.protocol,
            qos: 0,
            persistent: false,
            receipts: false,
            ack: AckMode::Auto,
            prefetch: None,
            virtual_host: args.target.virtual_host.clone().unwrap_or_else(|| target.host.clone()),
        };
        let topic = crate::plan::destination(args.protocol, Kind::Topic, &args.destination);
        Self { target, manner, topic, number: run_number() }
    }

    fn open(&self, name: &str) -> Result<Link, Error> {
        let wire = Wire::new(&self.manner, &self.topic, 0);
        let mut link = Link::open(self.target, &self.manner, wire, name, self.number)?;
        link.subscribe(self.target)?;
        link.give_back();
        Ok(link)
    }
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn difference(before: u64, after: u64) -> f64 {
    after as f64 - before as f64
}

fn title(args: &IdleArgs) -> String {
    let tls = if args.target.ca.is_some() { "TLS" } else { "plain" };
    format!("{}, {} idle connections subscribed to a topic, {tls}", args.protocol.name(), args.connections)
}
