//! Everybody comes at once: connect, handshake, log in, leave, over and over.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::{BrokerCost, Meter, WatchArgs, a_second, per, run_number};
use crate::clock::{Clock, seconds};
use crate::error::Error;
use crate::latency::{Latencies, Percentiles};
use crate::link::Link;
use crate::target::{Target, TargetArgs, is_resumed};
use crate::wire::{AckMode, Login, Manner, Protocol, Wire};

/// Arguments of `storm`.
#[derive(Clone, Debug, clap::Args)]
pub struct StormArgs {
    /// The broker.
    #[command(flatten)]
    pub target: TargetArgs,
    /// The protocol to speak
    #[arg(long, value_enum)]
    pub protocol: Protocol,
    /// How many connections, one after the other in each thread
    #[arg(long, value_name = "COUNT", default_value_t = 1000)]
    pub connections: u64,
    /// How many at a time, a thread for each
    #[arg(long, value_name = "COUNT", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub at_once: u32,
    /// Whether TLS sessions are resumed, which spares the broker its signature
    #[arg(long, value_enum, default_value = "on")]
    pub resume: Switch,
    /// What to watch.
    #[command(flatten)]
    pub watch: WatchArgs,
}

/// Yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Switch {
    /// yes
    On,
    /// no
    Off,
}

/// What came of a storm.
#[derive(Clone, Debug, serde::Serialize)]
pub struct StormReport {
    /// What was run, in words.
    pub title: String,
    /// Connections that were opened and closed.
    pub connections: u64,
    /// Of these, how many resumed a TLS session.
    pub resumed: u64,
    /// How long all took.
    pub seconds: f64,
    /// Connections a second.
    pub per_second: f64,
    /// From connecting to the answer to the login, in milliseconds.
    pub latency: Option<Percentiles>,
    /// What the broker spent.
    pub broker: Option<BrokerCost>,
    /// The broker's CPU by connection in microseconds.
    pub broker_cpu: Option<f64>,
    /// The generator's CPU by connection in microseconds.
    pub generator_cpu: Option<f64>,
    /// What is wrong with the result.
    pub faults: Vec<String>,
}

/// What all threads share.
struct Storm<'a> {
    target: &'a Target,
    manner: Manner,
    clock: Clock,
    number: u32,
    left: AtomicU64,
    is_over: AtomicBool,
}

/// What one thread has measured.
struct Gust {
    latencies: Latencies,
    resumed: u64,
}

/// Runs it.
pub(crate) fn run(args: &StormArgs, login: Option<Login>) -> Result<StormReport, Error> {
    if args.connections == 0 {
        return Err(Error::arguments("no connection would be made", "take 1 or more of --connections"));
    }
    let target = Target::new(&args.target, login, args.resume == Switch::On)?;
    let mut meter = Meter::of(args.watch)?;
    let storm = Storm {
        manner: manner(args, &target),
        target: &target,
        clock: Clock::start(),
        number: run_number(),
        left: AtomicU64::new(args.connections),
        is_over: AtomicBool::new(false),
    };
    let gusts = blow(&storm, args.at_once)?;
    let (seconds, own) = (seconds(storm.clock.now()), meter.own());
    let broker = meter.broker()?;
    let mut latencies = Latencies::new();
    gusts.iter().for_each(|gust| latencies.add(&gust.latencies));
    Ok(StormReport {
        title: title(args),
        connections: args.connections,
        resumed: gusts.iter().map(|gust| gust.resumed).sum(),
        seconds,
        per_second: a_second(args.connections, seconds),
        latency: latencies.summary(),
        broker,
        broker_cpu: broker.and_then(|cost| per(cost.cpu_seconds() * 1e6, args.connections)),
        generator_cpu: per(own * 1e6, args.connections),
        faults: Vec::new(),
    })
}

/// Starts the threads and waits for them.
fn blow(storm: &Storm<'_>, at_once: u32) -> Result<Vec<Gust>, Error> {
    std::thread::scope(|scope| {
        let start = |thread: u32| {
            let builder = std::thread::Builder::new().name(format!("storm {thread}"));
            builder
                .spawn_scoped(scope, move || storm.gust(thread))
                .map_err(Error::system("a thread can't be started"))
        };
        let threads = (0..at_once).map(start).collect::<Result<Vec<_>, _>>()?;
        let panicked = |_| Err(Error::arguments("a thread panicked", "report it"));
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(panicked)).collect()
    })
}

impl Storm<'_> {
    /// Connections one after the other, until there are enough or one fails.
    fn gust(&self, thread: u32) -> Result<Gust, Error> {
        let mut gust = Gust { latencies: Latencies::new(), resumed: 0 };
        while !self.is_over.load(Ordering::Relaxed) && self.takes_one() {
            if let Err(error) = self.visit(thread, &mut gust) {
                self.is_over.store(true, Ordering::Relaxed);
                return Err(error);
            }
        }
        Ok(gust)
    }

    fn takes_one(&self) -> bool {
        let take = |left: u64| left.checked_sub(1);
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }

    fn visit(&self, thread: u32, gust: &mut Gust) -> Result<(), Error> {
        let begin = self.clock.now();
        let wire = Wire::new(&self.manner, "", 0);
        let mut link =
            Link::open(self.target, &self.manner, wire, &format!("visitor {thread}"), self.number)?;
        gust.latencies.record(self.clock.now() - begin);
        gust.resumed += u64::from(is_resumed(&link.stream));
        link.settle(self.target)?;
        link.leave(self.target)
    }
}

fn manner(args: &StormArgs, target: &Target) -> Manner {
    Manner {
        protocol: args.protocol,
        qos: 0,
        persistent: false,
        receipts: false,
        ack: AckMode::Auto,
        prefetch: None,
        virtual_host: args.target.virtual_host.clone().unwrap_or_else(|| target.host.clone()),
    }
}

fn title(args: &StormArgs) -> String {
    let tls = match (&args.target.ca, args.resume) {
        (None, _) => "plain",
        (Some(_), Switch::On) => "TLS, resuming",
        (Some(_), Switch::Off) => "TLS, full handshakes",
    };
    format!("{}, {} connections, {} at once, {tls}", args.protocol.name(), args.connections, args.at_once)
}
