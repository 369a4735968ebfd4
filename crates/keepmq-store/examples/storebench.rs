//! Measures the journal: `storebench DIR [steady|single|load|reopen|drain|stall] [--plain] [--messages N]`.
//!
//! * `steady`: 64 puts of 256 bytes and 64 releases per durable commit, one release in ten late.
//! * `single`: one waiting producer, against what the same directory does in syncs alone.
//! * `load`: puts messages and leaves them there, without closing the store.
//! * `reopen`: opens what `load` left, reads it all, closes it and opens it again.
//! * `drain`: opens what `load` left, reads it in order, and releases it as it is read.
//! * `stall`: as `steady`, but one release in twenty is very late and there are many keyed values; shows what moving
//!   records and writing checkpoints costs the longest commit.
#![allow(clippy::disallowed_methods, clippy::print_stdout)] // It measures time and prints.
#![allow(clippy::unwrap_used, clippy::cast_precision_loss)] // It may stop at the first error, and rounds.

use std::collections::VecDeque;
use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, mpsc};
use std::time::{Duration, Instant};

use bytes::Bytes;
use keepmq_store::disk::FsDisk;
use keepmq_store::testing::Chance;
use keepmq_store::{
    Batch, Journal, Locator, MasterKey, OnDurable, Op, Options, Payload, Recovery, Scan, Store, StreamId,
    Target, Ticket, Urgency,
};

const BODY: usize = 256;
const BATCH: u64 = 64;
const QUEUES: u64 = 8;

fn main() {
    let arguments = Arguments::parse();
    match arguments.workload.as_str() {
        "steady" => steady(&arguments, Late { one_in: 10, by: 20_000 }, 0),
        "single" => single(&arguments),
        "load" => load(&arguments),
        "reopen" => reopen(&arguments),
        "drain" => drain(&arguments),
        "stall" => steady(&arguments, Late { one_in: 3, by: 1_000_000 }, 50_000),
        other => println!("no such workload: {other}"),
    }
}

struct Arguments {
    directory: PathBuf,
    workload: String,
    plain: bool,
    messages: u64,
}

impl Arguments {
    fn parse() -> Self {
        let mut words = std::env::args().skip(1);
        let directory = words.next().unwrap_or_else(|| "storebench-data".into()).into();
        let mut arguments = Self { directory, workload: "steady".into(), plain: false, messages: 400_000 };
        while let Some(word) = words.next() {
            match word.as_str() {
                "--plain" => arguments.plain = true,
                "--messages" => arguments.messages = words.next().unwrap().parse().unwrap(),
                other => other.clone_into(&mut arguments.workload),
            }
        }
        arguments
    }

    fn open(&self) -> (Journal, Recovery, Arc<Durable>) {
        let options = if self.plain { Options::plain() } else { Options::sealed(MasterKey::new([7; 32])) };
        let disk = Arc::new(FsDisk::open(&self.directory).unwrap());
        let durable = Arc::new(Durable::default());
        let (journal, recovery) = Journal::open(disk, options, durable.callback()).unwrap();
        (journal, recovery, durable)
    }

    fn fresh(&self) -> (Journal, Recovery, Arc<Durable>) {
        let _ = std::fs::remove_dir_all(&self.directory);
        self.open()
    }
}

/// Waits for tickets.
#[derive(Default)]
struct Durable {
    ticket: AtomicU64,
    waiting: Mutex<()>,
    changed: Condvar,
}

impl Durable {
    fn callback(self: &Arc<Self>) -> OnDurable {
        let durable = Arc::clone(self);
        Box::new(move |result| {
            durable.ticket.store(result.unwrap().0, Ordering::Release);
            drop(durable.waiting.lock().unwrap());
            durable.changed.notify_all();
        })
    }

    fn wait(&self, ticket: Ticket) {
        // Some turns first: waking up costs about as much as a quick disk.
        for _ in 0..3000 {
            if self.reached(ticket) {
                return;
            }
            std::hint::spin_loop();
        }
        self.sleep(ticket);
    }

    fn reached(&self, ticket: Ticket) -> bool {
        self.ticket.load(Ordering::Acquire) >= ticket.0
    }

    fn spin(&self, ticket: Ticket) {
        while !self.reached(ticket) {
            std::hint::spin_loop();
        }
    }

    fn sleep(&self, ticket: Ticket) {
        let mut guard = self.waiting.lock().unwrap();
        while !self.reached(ticket) {
            guard = self.changed.wait(guard).unwrap();
        }
    }
}

/// How many records are released late, and by how many messages.
#[derive(Clone, Copy)]
struct Late {
    one_in: u64,
    by: usize,
}

/// Puts and releases like a broker whose consumers keep up.
struct Traffic {
    random: Bytes,
    chance: Chance,
    next: u64,
    pending: VecDeque<Locator>,
    late: VecDeque<Locator>,
    rule: Late,
}

impl Traffic {
    fn new(rule: Late) -> Self {
        let mut chance = Chance::new(1);
        let random = chance.bytes(1 << 20).into();
        Self { random, chance, next: 0, pending: VecDeque::new(), late: VecDeque::new(), rule }
    }

    fn put(&mut self) -> Op {
        let at = Locator { stream: StreamId(self.next % QUEUES), seq: self.next / QUEUES };
        self.next += 1;
        self.pending.push_back(at);
        let from = self.chance.index(self.random.len() - BODY);
        let body = self.random.slice(from..from + BODY);
        Op::Put { targets: [Target { at, meta: 0 }].into(), payload: Payload { head: Bytes::new(), body } }
    }

    fn release(&mut self) -> Option<Op> {
        if self.late.len() > self.rule.by {
            return self.late.pop_front().map(Op::Release);
        }
        while self.pending.len() > 2000 {
            let at = self.pending.pop_front()?;
            if !self.chance.one_in(self.rule.one_in) {
                return Some(Op::Release(at));
            }
            self.late.push_back(at);
        }
        None
    }

    fn batch(&mut self) -> Batch {
        let mut ops: Vec<Op> = (0..BATCH).map(|_| self.put()).collect();
        ops.extend((0..BATCH).filter_map(|_| self.release()));
        Batch { ops }
    }
}

fn steady(arguments: &Arguments, late: Late, values: u64) {
    let (journal, _, durable) = arguments.fresh();
    for value in 0..values {
        let op = Op::Set { key: format!("key {value}").into(), value: vec![1; 100].into() };
        journal.commit(Batch { ops: vec![op] }, Urgency::Now);
    }
    let mut traffic = Traffic::new(late);
    settle(&journal);
    let (started, cpu) = (Instant::now(), cpu_time());
    let mut times = Vec::new();
    for _ in 0..arguments.messages / BATCH {
        let batch = traffic.batch();
        let before = Instant::now();
        durable.wait(journal.commit(batch, Urgency::Now));
        times.push(before.elapsed());
    }
    let (took, cpu) = (started.elapsed(), cpu_time().saturating_sub(cpu));
    let messages = times.len() as u64 * BATCH;
    let activity = journal.activity();
    println!(
        "{}: {:.0} msg/s, CPU {:.2} us/msg, commit p50 {:?} p99 {:?} max {:?}, log {:.0} B/msg, {} records moved, \
         {} segments reclaimed, {} checkpoints, disk {} MiB, RSS {} MiB",
        arguments.workload,
        messages as f64 / took.as_secs_f64(),
        cpu.as_secs_f64() * 1e6 / messages as f64,
        part(&mut times, 0.5),
        part(&mut times, 0.99),
        part(&mut times, 1.0),
        activity.log_bytes as f64 / messages as f64,
        activity.moved_records,
        activity.reclaimed_segments,
        activity.checkpoints,
        journal.usage().disk_bytes >> 20,
        resident() >> 20,
    );
    journal.close().unwrap();
}

/// How a lone producer learns that its commit is durable.
#[derive(Clone, Copy, Debug)]
enum Waits {
    /// It commits the next from the callback: what the store itself costs.
    Callback,
    /// It looks at the ticket all the time.
    Spinning,
    /// It sleeps, so the time to wake a thread is in it.
    Sleeping,
}

fn single(arguments: &Arguments) {
    const ROUNDS: u32 = 4000;
    let _ = std::fs::create_dir_all(&arguments.directory);
    for waits in [Waits::Callback, Waits::Spinning, Waits::Sleeping].into_iter().cycle().take(9) {
        let append = raw_syncs(&arguments.directory, ROUNDS, false);
        let overwrite = raw_syncs(&arguments.directory, ROUNDS, true);
        let cpu = cpu_time();
        let mut times = match waits {
            Waits::Callback => from_callback(arguments, ROUNDS),
            _ => from_thread(arguments, ROUNDS, waits),
        };
        let cpu = cpu_time().saturating_sub(cpu);
        let took = times.iter().sum::<Duration>() / ROUNDS;
        println!(
            "single, {waits:?}: mean {took:?} p50 {:?} p99 {:?} max {:?}, CPU {:.1} us/commit; raw append+fdatasync \
             {append:?} (ratio {:.2}), raw overwrite+fdatasync {overwrite:?} (ratio {:.2})",
            part(&mut times, 0.5),
            part(&mut times, 0.99),
            part(&mut times, 1.0),
            cpu.as_secs_f64() * 1e6 / f64::from(ROUNDS),
            append.as_secs_f64() / took.as_secs_f64(),
            overwrite.as_secs_f64() / took.as_secs_f64(),
        );
    }
}

fn from_thread(arguments: &Arguments, rounds: u32, waits: Waits) -> Vec<Duration> {
    let (journal, _, durable) = arguments.fresh();
    let mut traffic = Traffic::new(Late { one_in: u64::MAX, by: 0 });
    settle(&journal);
    let commit = |traffic: &mut Traffic| {
        let before = Instant::now();
        let ticket = journal.commit(Batch { ops: vec![traffic.put()] }, Urgency::Now);
        match waits {
            Waits::Sleeping => durable.sleep(ticket),
            _ => durable.spin(ticket),
        }
        before.elapsed()
    };
    let times = (0..rounds).map(|_| commit(&mut traffic)).collect();
    journal.close().unwrap();
    times
}

fn from_callback(arguments: &Arguments, rounds: u32) -> Vec<Duration> {
    let _ = std::fs::remove_dir_all(&arguments.directory);
    let journal: Arc<OnceLock<Journal>> = Arc::default();
    let (inside, traffic) =
        (Arc::clone(&journal), Mutex::new(Traffic::new(Late { one_in: u64::MAX, by: 0 })));
    let (sender, receiver) = mpsc::channel();
    let on_durable: OnDurable = Box::new(move |result| {
        let ticket = result.unwrap();
        sender.send(Instant::now()).unwrap();
        if ticket.0 <= u64::from(rounds) {
            let ops = vec![traffic.lock().unwrap().put()];
            inside.get().unwrap().commit(Batch { ops }, Urgency::Now);
        }
    });
    let options = if arguments.plain { Options::plain() } else { Options::sealed(MasterKey::new([7; 32])) };
    let disk = Arc::new(FsDisk::open(&arguments.directory).unwrap());
    journal.set(Journal::open(disk, options, on_durable).unwrap().0).ok().unwrap();
    let journal = journal.get().unwrap();
    settle(journal);
    journal.commit(Batch::default(), Urgency::Now);
    let moments: Vec<Instant> = receiver.iter().take(rounds as usize + 1).collect();
    journal.close().unwrap();
    moments.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

/// Waits until the store has made its files.
fn settle(journal: &Journal) {
    let mut before = 0;
    while before != journal.usage().disk_bytes {
        before = journal.usage().disk_bytes;
        std::thread::sleep(Duration::from_millis(1500));
    }
}

/// How long a write and a sync of it take in a directory.
fn raw_syncs(directory: &Path, rounds: u32, overwrite: bool) -> Duration {
    let path = directory.join("raw");
    let file = OpenOptions::new().create(true).truncate(true).write(true).open(&path).unwrap();
    let bytes = [1; BODY + 72];
    if overwrite {
        file.write_all_at(&vec![0; bytes.len() * rounds as usize], 0).unwrap();
        file.sync_all().unwrap();
    }
    let started = Instant::now();
    for round in 0..u64::from(rounds) {
        file.write_all_at(&bytes, round * bytes.len() as u64).unwrap();
        file.sync_data().unwrap();
    }
    let took = started.elapsed() / rounds;
    std::fs::remove_file(path).unwrap();
    took
}

fn load(arguments: &Arguments) {
    let (journal, _, durable) = arguments.fresh();
    let mut traffic = Traffic::new(Late { one_in: u64::MAX, by: 0 });
    let (started, cpu) = (Instant::now(), cpu_time());
    let mut last = Ticket(0);
    for _ in 0..arguments.messages / BATCH {
        let ops = (0..BATCH).map(|_| traffic.put()).collect();
        traffic.pending.clear();
        last = journal.commit(Batch { ops }, Urgency::Now);
        while journal.pending_bytes() > 4 << 20 {
            std::thread::sleep(Duration::from_micros(50));
        }
    }
    durable.wait(last);
    let took = started.elapsed();
    println!(
        "load: {:.0} msg/s, CPU {:.2} us/msg, {} records, log {} MiB, disk {} MiB, RSS {} MiB",
        arguments.messages as f64 / took.as_secs_f64(),
        cpu_time().saturating_sub(cpu).as_secs_f64() * 1e6 / arguments.messages as f64,
        journal.usage().records,
        journal.activity().log_bytes >> 20,
        journal.usage().disk_bytes >> 20,
        resident() >> 20,
    );
    // As after a crash: the next start has to read the log.
    std::process::exit(0);
}

fn reopen(arguments: &Arguments) {
    for round in ["after a crash", "after closing"] {
        let started = Instant::now();
        let (journal, recovery, _) = arguments.open();
        let took = started.elapsed();
        let found: u64 = recovery.streams.iter().map(|stream| stream.records).sum();
        println!(
            "reopen {round}: usable in {took:?}, {found} records in {} streams, RSS {} MiB, damage {:?}",
            recovery.streams.len(),
            resident() >> 20,
            recovery.damage,
        );
        let started = Instant::now();
        let mut read = 0;
        for stream in 0..QUEUES {
            let mut from = 0;
            loop {
                let scan = Scan { stream: StreamId(stream), from, records: 1000, bytes: 1 << 20 };
                let page = journal.scan(scan).unwrap();
                read += page.records.len();
                from = page.records.last().map_or(from, |record| record.seq + 1);
                if page.end || read as u64 > 2_000_000 {
                    break;
                }
            }
        }
        println!(
            "scan: {read} records, {:.2} M/s, RSS {} MiB",
            read as f64 / started.elapsed().as_secs_f64() / 1e6,
            resident() >> 20
        );
        let started = Instant::now();
        journal.close().unwrap();
        println!("close: {:?}", started.elapsed());
    }
}

fn drain(arguments: &Arguments) {
    let (journal, recovery, durable) = arguments.open();
    let records: u64 = recovery.streams.iter().map(|stream| stream.records).sum();
    let (started, cpu) = (Instant::now(), cpu_time());
    let mut times = Vec::new();
    for stream in (0..QUEUES).map(StreamId) {
        loop {
            let page = journal.scan(Scan { stream, from: 0, records: 640, bytes: 1 << 20 }).unwrap();
            for records in page.records.chunks(64) {
                let release = |seq| Op::Release(Locator { stream, seq });
                let ops = records.iter().map(|record| release(record.seq)).collect();
                let before = Instant::now();
                durable.wait(journal.commit(Batch { ops }, Urgency::Now));
                times.push(before.elapsed());
            }
            if page.end {
                break;
            }
        }
    }
    let took = started.elapsed();
    println!(
        "drain: {:.0} msg/s, CPU {:.2} us/msg, commit p50 {:?} p99 {:?} max {:?}, disk {} MiB, RSS {} MiB",
        records as f64 / took.as_secs_f64(),
        cpu_time().saturating_sub(cpu).as_secs_f64() * 1e6 / records as f64,
        part(&mut times, 0.5),
        part(&mut times, 0.99),
        part(&mut times, 1.0),
        journal.usage().disk_bytes >> 20,
        resident() >> 20,
    );
    journal.close().unwrap();
}

fn part(times: &mut [Duration], part: f64) -> Duration {
    times.sort_unstable();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // It is a place in the list.
    let at = ((times.len() - 1) as f64 * part) as usize;
    times[at]
}

/// What this process has used of the processors.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}

fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 4096
}
