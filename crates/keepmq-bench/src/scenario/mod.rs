//! What can be measured.

mod disk;
mod idle;
mod load;
mod storm;

use std::time::Duration;

pub use disk::{DiskArgs, DiskReport};
pub use idle::{IdleArgs, IdleReport};
pub use load::{Flow, LoadArgs, LoadReport, PerMessage};
pub use storm::{StormArgs, StormReport, Switch};

pub(crate) use disk::run as run_disk;
pub(crate) use idle::run as run_idle;
pub(crate) use load::run as run_load;
pub(crate) use storm::run as run_storm;

use crate::clock::seconds;
use crate::error::Error;
use crate::usage::{Usage, Watcher, own_cpu_nanoseconds, tick_nanoseconds};

/// What to watch during a run.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct WatchArgs {
    /// Process number of the broker: tells what it and its children spend
    #[arg(long, value_name = "PID")]
    pub pid: Option<u32>,
    /// Prints one JSON object instead of a table
    #[arg(long)]
    pub json: bool,
}

/// What the broker's processes spent in the measured part.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct BrokerCost {
    /// Seconds of CPU in the program.
    pub user_seconds: f64,
    /// Seconds of CPU in the kernel on its behalf.
    pub system_seconds: f64,
    /// Times that its threads were switched.
    pub context_switches: u64,
    /// Resident memory when measuring began.
    pub memory_before: u64,
    /// The most that was seen.
    pub memory_peak: u64,
    /// Resident memory at the end.
    pub memory_after: u64,
    /// Processes that were counted.
    pub processes: u64,
}

impl BrokerCost {
    /// All seconds of CPU.
    pub fn cpu_seconds(&self) -> f64 {
        self.user_seconds + self.system_seconds
    }
}

/// Measures what the broker and this process spend between two moments.
#[derive(Debug)]
struct Meter {
    watcher: Option<Watcher>,
    before: Usage,
    own_before: u64,
}

impl Meter {
    fn start(watcher: Option<Watcher>) -> Result<Self, Error> {
        let mut meter = Self { watcher, before: Usage::default(), own_before: 0 };
        meter.restart()?;
        Ok(meter)
    }

    fn of(watch: WatchArgs) -> Result<Self, Error> {
        Self::start(watch.pid.map(Watcher::new).transpose()?)
    }

    /// Forgets what was spent so far.
    fn restart(&mut self) -> Result<(), Error> {
        self.before = self.watcher.as_mut().map(Watcher::look).transpose()?.unwrap_or_default();
        self.own_before = own_cpu_nanoseconds();
        Ok(())
    }

    fn sample(&mut self) {
        if let Some(watcher) = &mut self.watcher {
            watcher.sample();
        }
    }

    fn broker(&mut self) -> Result<Option<BrokerCost>, Error> {
        let Some(watcher) = &mut self.watcher else { return Ok(None) };
        let (before, after) = (self.before, watcher.look()?);
        let spent = |before: u64, after: u64| seconds(tick_nanoseconds(after.saturating_sub(before)));
        Ok(Some(BrokerCost {
            user_seconds: spent(before.user_ticks, after.user_ticks),
            system_seconds: spent(before.system_ticks, after.system_ticks),
            context_switches: after.switches.saturating_sub(before.switches),
            memory_before: before.resident_bytes,
            memory_peak: watcher.peak_bytes(),
            memory_after: after.resident_bytes,
            processes: after.processes,
        }))
    }

    /// Seconds of CPU of this process.
    fn own(&self) -> f64 {
        seconds(own_cpu_nanoseconds().saturating_sub(self.own_before))
    }
}

/// A number that tells this run's messages and clients from those of others.
fn run_number() -> u32 {
    use std::hash::{BuildHasher as _, Hasher as _};

    // The only randomness of the standard library; nothing secret depends on it.
    let random = std::hash::RandomState::new().build_hasher().finish();
    u32::try_from(random >> 32).unwrap_or_default()
}

/// Raises the number of files that this process may have open, or tells that it can't be raised so far.
fn allow_connections(wanted: u64) -> Result<(), Error> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    /// Files that are open besides.
    const BESIDES: u64 = 100;
    let limits = getrlimit(Resource::Nofile);
    if limits.current.is_none_or(|limit| limit >= wanted + BESIDES) {
        return Ok(());
    }
    let most = limits.maximum.unwrap_or(u64::MAX);
    if most < wanted + BESIDES {
        return Err(Error::Files { wanted, limit: most });
    }
    setrlimit(Resource::Nofile, Rlimit { current: Some(wanted + BESIDES), maximum: limits.maximum })
        .map_err(|errno| Error::system("the number of open files can't be raised")(errno.into()))
}

#[expect(clippy::cast_precision_loss, reason = "for people; counts of messages are far below 53 bits")]
fn per(amount: f64, count: u64) -> Option<f64> {
    (count > 0).then(|| amount / count as f64)
}

#[expect(clippy::cast_precision_loss, reason = "for people; counts of messages are far below 53 bits")]
fn a_second(count: u64, seconds: f64) -> f64 {
    if seconds > 0.0 { count as f64 / seconds } else { 0.0 }
}

fn sleep(seconds: f64) {
    std::thread::sleep(Duration::try_from_secs_f64(seconds).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::{Meter, WatchArgs, a_second, allow_connections, per};

    #[test]
    fn nothing_divided_by_nothing_is_nothing() {
        assert_eq!((per(1.0, 0), per(3.0, 2)), (None, Some(1.5)));
        assert!(a_second(5, 0.0) < f64::EPSILON && a_second(5, 2.0) > 2.4);
    }

    #[test]
    fn this_process_can_be_metered() {
        let mut meter = Meter::of(WatchArgs { pid: Some(std::process::id()), json: false }).unwrap();
        let cost = meter.broker().unwrap().unwrap();
        assert!(cost.memory_peak >= cost.memory_before && cost.processes >= 1, "{cost:?}");
        assert!(meter.own() >= 0.0 && cost.cpu_seconds() >= 0.0);
        meter.sample();
        assert!(Meter::of(WatchArgs { pid: None, json: false }).unwrap().broker().unwrap().is_none());
    }

    #[test]
    fn more_connections_than_files_are_refused() {
        allow_connections(10).unwrap();
        assert!(allow_connections(u64::MAX / 2).unwrap_err().to_string().contains("ulimit -n"));
    }
}
