//! What the broker's processes spend, read from `/proc`: the one that was named and all that came of it.
//!
//! Memory is the resident set, which counts pages of the program file and, for several processes, shared pages more than
//! once; buffers in the kernel are in nobody's. CPU is counted by the kernel in ticks, mostly of 10 ms.

use std::collections::BTreeMap;
use std::fs;

use crate::error::Error;

/// What processes have spent since they began, and what they hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) user_ticks: u64,
    pub(crate) system_ticks: u64,
    pub(crate) resident_bytes: u64,
    /// Context switches of the threads that still live.
    pub(crate) switches: u64,
    pub(crate) processes: u64,
}

/// The fields of `/proc/PID/stat` that matter here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stat {
    parent: u32,
    user_ticks: u64,
    system_ticks: u64,
    resident_pages: u64,
}

impl Stat {
    /// The name stands in parentheses and may hold any character, so fields are counted from the last parenthesis.
    fn parse(text: &str) -> Option<Self> {
        let (_, rest) = text.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        let number = |place: usize| fields.get(place - 3)?.parse::<u64>().ok();
        Some(Self {
            parent: u32::try_from(number(4)?).ok()?,
            user_ticks: number(14)?,
            system_ticks: number(15)?,
            resident_pages: number(24)?,
        })
    }

    fn of(pid: u32) -> Option<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }
}

/// The sum of both kinds of context switches in `/proc/PID/task/TID/status`.
fn switches_in(status: &str) -> u64 {
    let values =
        status.lines().filter_map(|line| line.split_once("ctxt_switches:")?.1.trim().parse::<u64>().ok());
    values.sum()
}

fn switches_of(pid: u32) -> u64 {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { return 0 };
    let statuses = tasks.flatten().filter_map(|task| fs::read_to_string(task.path().join("status")).ok());
    statuses.map(|status| switches_in(&status)).sum()
}

/// All processes with their parents.
fn parents() -> BTreeMap<u32, u32> {
    let Ok(entries) = fs::read_dir("/proc") else { return BTreeMap::new() };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid| Some((pid, Stat::of(pid)?.parent))).collect()
}

/// A process and everything below it.
fn family(root: u32, parents: &BTreeMap<u32, u32>) -> Vec<u32> {
    let mut family = vec![root];
    let mut at = 0;
    while let Some(parent) = family.get(at).copied() {
        family.extend(
            parents.iter().filter(|(pid, above)| **above == parent && **pid != root).map(|(pid, _)| *pid),
        );
        at += 1;
    }
    family
}

/// Watches the broker's processes.
#[derive(Debug)]
pub(crate) struct Watcher {
    root: u32,
    family: Vec<u32>,
    peak_bytes: u64,
}

impl Watcher {
    /// Watches this process and its children.
    pub(crate) fn new(pid: u32) -> Result<Self, Error> {
        let mut watcher = Self { root: pid, family: Vec::new(), peak_bytes: 0 };
        watcher.look()?;
        Ok(watcher)
    }

    /// What all of them have spent by now; children that came in the meantime are found.
    pub(crate) fn look(&mut self) -> Result<Usage, Error> {
        self.family = family(self.root, &parents());
        if Stat::of(self.root).is_none() {
            return Err(Error::Process { pid: self.root, why: "there is none with this number".to_owned() });
        }
        let mut sum = Usage::default();
        for pid in &self.family {
            let Some(stat) = Stat::of(*pid) else { continue };
            sum.user_ticks += stat.user_ticks;
            sum.system_ticks += stat.system_ticks;
            sum.switches += switches_of(*pid);
            sum.processes += 1;
        }
        sum.resident_bytes = self.resident_bytes();
        Ok(sum)
    }

    /// Notes the memory of the known processes; cheap enough to be done often.
    pub(crate) fn sample(&mut self) {
        self.resident_bytes();
    }

    /// The most that was seen by [`Self::look`] and [`Self::sample`].
    pub(crate) fn peak_bytes(&self) -> u64 {
        self.peak_bytes
    }

    fn resident_bytes(&mut self) -> u64 {
        let pages: u64 =
            self.family.iter().filter_map(|pid| Stat::of(*pid)).map(|stat| stat.resident_pages).sum();
        let bytes = pages * u64::try_from(rustix::param::page_size()).unwrap_or(4096);
        self.peak_bytes = self.peak_bytes.max(bytes);
        bytes
    }
}

/// Ticks as nanoseconds.
pub(crate) fn tick_nanoseconds(ticks: u64) -> u64 {
    ticks.saturating_mul(1_000_000_000 / rustix::param::clock_ticks_per_second().max(1))
}

/// CPU time of this process.
pub(crate) fn own_cpu_nanoseconds() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    seconds * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Stat, Watcher, family, own_cpu_nanoseconds, switches_in, tick_nanoseconds};

    const LINE: &str = "1234 (a) b (c)) S 77 1234 1234 0 -1 4194560 2900 0 12 0 345 67 8 9 20 0 5 0 8800 \
                        230000000 2500 18446744073709551615 1 1 0 0 0 0 0 4096 81920 0 0 0 17 1 0 0 0 0 0";

    #[test]
    fn a_line_of_stat_is_read_whatever_the_name() {
        let expected = Stat { parent: 77, user_ticks: 345, system_ticks: 67, resident_pages: 2500 };
        assert_eq!(Stat::parse(LINE), Some(expected));
        assert_eq!(Stat::parse("1234 (x) S 77"), None);
        assert_eq!(Stat::parse(""), None);
    }

    #[test]
    fn both_kinds_of_switches_are_added() {
        let status = "Name:\tx\nvoluntary_ctxt_switches:\t12\nnonvoluntary_ctxt_switches:\t30\n";
        assert_eq!((switches_in(status), switches_in("Name:\tx\n")), (42, 0));
    }

    #[test]
    fn a_family_is_found_over_generations() {
        let parents = BTreeMap::from([(1, 0), (10, 1), (11, 10), (12, 11), (20, 1), (21, 20)]);
        assert_eq!(family(10, &parents), [10, 11, 12]);
        assert_eq!(family(21, &parents), [21]);
        // A process cannot be its own ancestor, but a reading that mixes two moments can say so.
        assert_eq!(family(5, &BTreeMap::from([(5, 6), (6, 5)])), [5, 6]);
    }

    #[test]
    fn this_process_can_be_watched() {
        let mut watcher = Watcher::new(std::process::id()).unwrap();
        let usage = watcher.look().unwrap();
        assert!(usage.resident_bytes > 0 && usage.processes >= 1 && usage.switches > 0, "{usage:?}");
        watcher.sample();
        assert!(watcher.peak_bytes() > 0);
        assert!(own_cpu_nanoseconds() > 0);
        assert!(tick_nanoseconds(100) >= 1_000_000);
    }

    #[test]
    fn a_process_that_is_not_there_is_told() {
        let error = Watcher::new(u32::MAX).unwrap_err().to_string();
        assert!(error.contains("--pid PID"), "{error}");
    }
}
