//! `keepmq serve`: a broker out of a folder.

mod broker;
mod doors;
mod pages;
mod reload;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use keepmq_admin::StatusTopics;
use keepmq_config::Report;
use keepmq_net::Clock;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::check;
use crate::say;
use broker::Broker;
use doors::Doors;

/// Threads that check logins and do other things that take long.
const BLOCKING_THREADS: usize = 64;
/// How long connections have to say good-bye.
const GOODBYE: Duration = Duration::from_secs(10);
/// How often expired messages are looked for.
const SWEEP: Duration = Duration::from_secs(30);
/// How often memory is given back to the system.
const GIVE_BACK: Duration = Duration::from_secs(2);
/// Large for the allocator; never touched, so it costs no memory.
const LARGE: usize = 32 * 1024 * 1024;
/// How often the status topics are written.
const STATUS: Duration = Duration::from_secs(10);

/// Serves until it is told to end.
pub(crate) fn serve(folder: &Path) -> anyhow::Result<ExitCode> {
    let sound = match check::read(folder) {
        Ok(sound) => sound,
        Err(mut report) => {
            report.merge(taken_ports(folder, &report));
            return Ok(refuse(&report));
        }
    };
    // Before anything listens: a port that is taken is one more fault, and all are told together.
    let doors = match Doors::open(&sound.loaded.config.listeners) {
        Ok(doors) => doors,
        Err(faults) => {
            let mut report = sound.loaded.report;
            report.merge(faults);
            return Ok(refuse(&report));
        }
    };
    for warning in &sound.loaded.report.warnings {
        tracing::warn!(key = warning.key, "{}: {}", warning.what, warning.remedy);
    }
    for door in sound.loaded.config.open_doors() {
        tracing::info!("open: {door}");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS)
        .thread_name("keepmq")
        .build()
        .context("the runtime can't be started")?;
    runtime.block_on(run(folder, sound, doors))
}

/// The ports that are taken, of those listeners that are not faulty themselves.
fn taken_ports(folder: &Path, known: &Report) -> Report {
    let listeners = keepmq_config::readable_listeners(folder);
    let is_sound = |key: &str| !known.faults.iter().any(|fault| fault.concerns(key));
    let sound = listeners.iter().filter(|listener| is_sound(&format!("listener.{}", listener.name)));
    Doors::open(sound).err().unwrap_or_default()
}

fn refuse(report: &Report) -> ExitCode {
    say::fault(report.to_string().trim_end());
    say::fault("keepmq: nothing was started");
    ExitCode::FAILURE
}

async fn run(folder: &Path, sound: check::Sound, doors: Doors) -> anyhow::Result<ExitCode> {
    let mut ending = signals()?;
    let (failed, mut failure) = watch::channel(None);
    let broker = Broker::start(&sound, failed)?;
    let served = doors.serve(&sound, &broker)?;
    for line in &served.lines {
        say::line(line);
    }
    say::line("ready");
    let reloads = reload::Reloads::new(folder, sound, &broker, served);
    let outcome = tokio::select! {
        () = ending.recv() => None,
        () = turn(&broker) => None,
        () = reloads.run() => None,
        changed = failure.changed() => changed.ok().and_then(|()| failure.borrow().clone()),
    };
    if let Some(error) = &outcome {
        tracing::error!("the store failed, and nothing durable can be promised any more: {error}");
    }
    broker.stop(GOODBYE).await;
    Ok(if outcome.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The signals that end the broker in order.
struct Ending {
    term: tokio::signal::unix::Signal,
    int: tokio::signal::unix::Signal,
}

fn signals() -> anyhow::Result<Ending> {
    Ok(Ending { term: signal(SignalKind::terminate())?, int: signal(SignalKind::interrupt())? })
}

impl Ending {
    async fn recv(&mut self) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.int.recv() => {}
        }
    }
}

/// The allocator gives back to the system what was freed a while ago when something large is freed. A broker that has
/// become quiet frees nothing, and would keep the memory of its busiest moment: so it frees something that nobody used.
fn give_memory_back() {
    drop(std::hint::black_box(Vec::<u8>::with_capacity(LARGE)));
}

/// What is due from time to time.
async fn turn(broker: &Broker) {
    let status = StatusTopics::new(Arc::clone(&broker.gate), Clock.now().mono_ms);
    let (mut sweep, mut write) = (tokio::time::interval(SWEEP), tokio::time::interval(STATUS));
    let mut settle = tokio::time::interval(GIVE_BACK);
    loop {
        tokio::select! {
            _ = sweep.tick() => broker.gate.sweep(),
            _ = write.tick() => status.write(Clock.now().mono_ms),
            _ = settle.tick() => give_memory_back(),
        }
    }
}
