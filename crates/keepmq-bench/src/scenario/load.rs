//! Messages from producers to consumers through the broker, counted exactly.

use std::sync::Arc;
use std::thread::JoinHandle;

use super::{BrokerCost, Meter, WatchArgs, a_second, allow_connections, per, run_number, sleep};
use crate::board::{Board, Phase, Totals};
use crate::clock::{Clock, nanoseconds, seconds};
use crate::consumer::{Consumer, Received};
use crate::error::Error;
use crate::latency::{Latencies, Percentiles};
use crate::ledger::{Account, Group};
use crate::link::Link;
use crate::pace::Pace;
use crate::payload::Bodies;
use crate::plan::{End, Kind, Plan, PlanArgs};
use crate::producer::{Producer, Run, Sent};
use crate::target::{Target, TargetArgs};
use crate::wire::{Login, Protocol, Wire};
use crate::worker::{Member, Role, Tallies, Worker};

/// Arguments of `load`.
#[derive(Clone, Debug, clap::Args)]
pub struct LoadArgs {
    /// The broker.
    #[command(flatten)]
    pub target: TargetArgs,
    /// The messages.
    #[command(flatten)]
    pub plan: PlanArgs,
    /// What to watch.
    #[command(flatten)]
    pub watch: WatchArgs,
}

/// Messages and how long they took.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct Flow {
    /// Messages in the measured part.
    pub count: u64,
    /// From the beginning of measuring to the last of them.
    pub seconds: f64,
    /// Messages a second.
    pub per_second: f64,
}

/// CPU time by message in microseconds.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct PerMessage {
    /// By message that was published.
    pub published: Option<f64>,
    /// By message that was delivered.
    pub delivered: Option<f64>,
}

/// What came of a run under load.
#[derive(Clone, Debug, serde::Serialize)]
pub struct LoadReport {
    /// What was run, in words.
    pub title: String,
    /// Messages that were published.
    pub published: Flow,
    /// Messages that were delivered, each copy for itself.
    pub delivered: Flow,
    /// Publishes that were never acknowledged although they asked for it.
    pub unacknowledged: u64,
    /// What arrived of everything that was sent, the warm-up too.
    pub account: Account,
    /// From the moment that a message was meant for to its arrival, in milliseconds.
    pub latency: Option<Percentiles>,
    /// From the moment that a message was meant for to its acknowledgement to the producer, in milliseconds.
    pub ack_latency: Option<Percentiles>,
    /// What the broker spent.
    pub broker: Option<BrokerCost>,
    /// The broker's CPU by message in microseconds.
    pub broker_cpu: Option<PerMessage>,
    /// The generator's CPU by message in microseconds.
    pub generator_cpu: PerMessage,
    /// What is wrong with the result.
    pub faults: Vec<String>,
    /// What is worth knowing of it.
    pub notes: Vec<String>,
}

/// How often the main thread looks.
const GLANCE: f64 = 0.01;

/// Runs it.
pub(crate) fn run(args: &LoadArgs, login: Option<Login>) -> Result<LoadReport, Error> {
    let target = Target::new(&args.target, login, true)?;
    let plan = Plan::new(&args.plan, &target.host, args.target.virtual_host.as_deref())?;
    let mut meter = Meter::of(args.watch)?;
    let crew = Crew::assemble(plan, target)?;
    let outcome = crew.work(&mut meter);
    crew.dismiss(outcome)
}

/// Everybody who takes part.
struct Crew {
    target: Arc<Target>,
    run: Run,
    clock: Clock,
    threads: Vec<JoinHandle<Result<Tallies, Error>>>,
}

/// What the main thread has measured.
struct Outcome {
    broker: Option<BrokerCost>,
    own_seconds: f64,
    from: u64,
    is_stalled: bool,
}

impl Crew {
    /// Opens all connections and starts the threads.
    fn assemble(plan: Plan, target: Target) -> Result<Self, Error> {
        allow_connections(u64::try_from(plan.producers + plan.consumers).unwrap_or(u64::MAX))?;
        let number = run_number();
        let (bodies, clock) = (Bodies::new(number, plan.size), Clock::start());
        let board = Board::new(plan.producers, plan.consumers, plan.threads)?;
        let run = Run { plan: Arc::new(plan), board: Arc::new(board), bodies: Arc::new(bodies) };
        let target = Arc::new(target);
        let mut members: Vec<Vec<Member>> = (0..run.plan.threads).map(|_| Vec::new()).collect();
        // Consumers first: a topic forgets what is published before.
        for consumer in 0..run.plan.consumers {
            let thread = consumer % run.plan.threads;
            members[thread].push(open_consumer(&run, &target, consumer, thread, number)?);
        }
        // With two threads, a producer and its consumer are on different ones.
        for producer in 0..run.plan.producers {
            let thread = (producer + run.plan.consumers) % run.plan.threads;
            members[thread].push(open_producer(&run, &target, producer, thread, number)?);
        }
        let start = |(thread, members)| start(thread, members, &target, &run, clock);
        let threads = members.into_iter().enumerate().map(start).collect::<Result<_, _>>();
        Ok(Self { threads: threads?, target, run, clock })
    }

    /// Follows the run from the warm-up to the last delivery.
    fn work(&self, meter: &mut Meter) -> Result<Outcome, Error> {
        let plan = &self.run.plan;
        let mut watch = Watch::new(self);
        if plan.warm_up > 0.0 {
            let warm = self.clock.now() + to_nanoseconds(plan.warm_up);
            self.run.board.begin(self.clock.now());
            self.run.board.advance(Phase::WarmUp);
            watch.until(meter, |_, now| now >= warm);
        }
        meter.restart()?;
        let from = self.clock.now();
        if plan.warm_up > 0.0 {
            self.run.board.measure_from(from);
        } else {
            // Every message: a thread that looked at the clock just before is not early.
            self.run.board.measure_from(0);
            self.run.board.begin(from);
        }
        self.run.board.advance(Phase::Measure);
        let producers = u64::try_from(plan.producers).unwrap_or_default();
        watch.until(meter, |totals, now| match plan.end {
            End::Messages(_) => totals.done == producers,
            End::Seconds(length) => now >= from + to_nanoseconds(length),
        });
        self.run.board.advance(Phase::Drain);
        watch.until(meter, |totals, _| totals.done == producers && self.is_drained(totals));
        let (broker, own_seconds) = (meter.broker()?, meter.own());
        Ok(Outcome { broker, own_seconds, from, is_stalled: watch.is_stalled })
    }

    fn is_drained(&self, totals: Totals) -> bool {
        let is_acknowledged = self.run.plan.window.is_none() || totals.accepted == totals.published;
        let deliveries =
            (0..).zip(self.run.board.published()).map(|(p, count)| count * self.run.plan.copies(p));
        // More than there should be are duplicates, and what they hide comes before the farewell is answered.
        is_acknowledged && totals.received >= deliveries.sum::<u64>()
    }

    /// Ends the run and makes the report of it.
    fn dismiss(self, outcome: Result<Outcome, Error>) -> Result<LoadReport, Error> {
        self.run.board.advance(Phase::End);
        let mut all = Tallies::default();
        for thread in self.threads {
            // A panic is a mistake in the generator; its message is on standard error already.
            let Ok(tallies) = thread.join() else {
                return Err(Error::arguments("a thread panicked", "report it"));
            };
            let tallies = tallies?;
            all.sent.extend(tallies.sent);
            all.received.extend(tallies.received);
            all.torn += tallies.torn;
        }
        all.received.sort_by_key(|(number, _)| *number);
        let published = self.run.board.published();
        Ok(report(&self.run.plan, self.target.tls.is_some(), &published, &all, &outcome?))
    }
}

/// Looks after a run for the main thread.
struct Watch<'a> {
    crew: &'a Crew,
    totals: Totals,
    moved: u64,
    is_stalled: bool,
}

impl<'a> Watch<'a> {
    fn new(crew: &'a Crew) -> Self {
        Self { crew, totals: Totals::default(), moved: crew.clock.now(), is_stalled: false }
    }

    /// Waits for a condition, for the end of a thread or until nothing has moved for the length of the patience.
    fn until(&mut self, meter: &mut Meter, is_met: impl Fn(Totals, u64) -> bool) {
        while !self.is_stalled && !self.crew.threads.iter().any(JoinHandle::is_finished) {
            let (totals, now) = (self.crew.run.board.totals(), self.crew.clock.now());
            if totals != self.totals {
                (self.totals, self.moved) = (totals, now);
            }
            if is_met(totals, now) {
                return;
            }
            self.is_stalled = now > self.moved + self.patience();
            meter.sample();
            sleep(GLANCE);
        }
    }

    /// A slow timetable is no stall.
    fn patience(&self) -> u64 {
        let step = self.crew.run.plan.rate.map_or(0, |rate| 2_000_000_000 / rate.max(1));
        nanoseconds(self.crew.target.patience) + step
    }
}

fn open_consumer(run: &Run, target: &Target, number: usize, thread: usize, of: u32) -> Result<Member, Error> {
    let wire = Wire::new(&run.plan.manner, run.plan.destination_of(number), run.plan.size);
    let mut link = Link::open(target, &run.plan.manner, wire, &format!("consumer {number}"), of)?;
    link.subscribe(target)?;
    Ok(Member::new(link, Role::Consumer(Box::new(Consumer::new(number, thread, run.clone())))))
}

fn open_producer(run: &Run, target: &Target, number: usize, thread: usize, of: u32) -> Result<Member, Error> {
    let wire = Wire::new(&run.plan.manner, run.plan.destination_of(number), run.plan.size);
    let link = Link::open(target, &run.plan.manner, wire, &format!("producer {number}"), of)?;
    let count = |count: usize| u64::try_from(count).unwrap_or_default();
    let pace = run.plan.rate.map_or(Pace::Fast, |rate| Pace::Timetable {
        rate,
        producers: count(run.plan.producers),
        turn: count(number),
    });
    Ok(Member::new(link, Role::Producer(Box::new(Producer::new(number, thread, run.clone(), pace)))))
}

fn start(
    thread: usize,
    members: Vec<Member>,
    target: &Arc<Target>,
    run: &Run,
    clock: Clock,
) -> Result<JoinHandle<Result<Tallies, Error>>, Error> {
    let worker = Worker::new(thread, members, Arc::clone(target), Arc::clone(&run.board), clock)?;
    let builder = std::thread::Builder::new().name(format!("bench {thread}"));
    builder.spawn(|| worker.run()).map_err(Error::system("a thread can't be started"))
}

fn to_nanoseconds(seconds: f64) -> u64 {
    std::time::Duration::try_from_secs_f64(seconds).map_or(0, nanoseconds)
}

fn report(plan: &Plan, is_tls: bool, published: &[u64], all: &Tallies, outcome: &Outcome) -> LoadReport {
    let account = account(plan, published, all);
    let flow = |count: u64, last: u64| {
        let seconds = seconds(last.saturating_sub(outcome.from));
        Flow { count, seconds, per_second: a_second(count, seconds) }
    };
    let sent = |of: fn(&Sent) -> u64| all.sent.iter().map(of);
    let received = |of: fn(&Received) -> u64| all.received.iter().map(move |(_, tally)| of(tally));
    let published = flow(sent(|s| s.measured).sum(), sent(|s| s.last).max().unwrap_or_default());
    let delivered = flow(received(|r| r.measured).sum(), received(|r| r.last).max().unwrap_or_default());
    let by_message = |seconds: f64| PerMessage {
        published: per(seconds * 1e6, published.count),
        delivered: per(seconds * 1e6, delivered.count),
    };
    let unacknowledged = sent(|s| s.waiting).sum();
    let (faults, notes) = judge(plan, &account, unacknowledged, all.torn, outcome.is_stalled);
    LoadReport {
        title: title(plan, is_tls),
        published,
        delivered,
        unacknowledged,
        latency: summary(all.received.iter().map(|(_, tally)| &tally.latencies)),
        ack_latency: summary(all.sent.iter().map(|tally| &tally.latencies)),
        broker: outcome.broker,
        broker_cpu: outcome.broker.map(|cost| by_message(cost.cpu_seconds())),
        generator_cpu: by_message(outcome.own_seconds),
        account,
        faults,
        notes,
    }
}

fn summary<'a>(parts: impl Iterator<Item = &'a Latencies>) -> Option<Percentiles> {
    let mut sum = Latencies::new();
    parts.for_each(|part| sum.add(part));
    sum.summary()
}

/// Groups the consumers that share messages, and asks what they got.
fn account(plan: &Plan, published: &[u64], all: &Tallies) -> Account {
    let group = |members: Vec<usize>| {
        let first = members.first().copied().unwrap_or_default();
        let sent = |(producer, sent): (usize, &u64)| plan.reaches(producer, first).then_some(*sent);
        let ledgers =
            members.iter().filter_map(|member| Some(&all.received.get(*member)?.1.ledger)).collect();
        Group { ledgers, sent: published.iter().enumerate().map(sent).collect() }
    };
    let groups: Vec<Group<'_>> = match plan.kind {
        Kind::Topic => (0..plan.consumers).map(|one| group(vec![one])).collect(),
        Kind::Queue => {
            let places = 0..plan.destinations.len().min(plan.consumers);
            places.map(|first| group(plan.consumers_of(first).collect())).collect()
        }
    };
    Account::of(&groups)
}

/// What breaks the protocol's promises, and what only is worth knowing.
fn judge(
    plan: &Plan,
    account: &Account,
    unacknowledged: u64,
    torn: u64,
    is_stalled: bool,
) -> (Vec<String>, Vec<String>) {
    let (mut faults, mut notes) = (Vec::new(), Vec::new());
    let mut tell = |count: u64, is_allowed: bool, what: String| match (count, is_allowed && !plan.is_strict) {
        (0, _) => {}
        (_, true) => notes.push(what),
        (_, false) => faults.push(what),
    };
    let qos = (plan.manner.protocol == Protocol::Mqtt).then_some(plan.manner.qos);
    let first = account
        .first_lost
        .map_or_else(String::new, |(p, number)| format!(", first number {number} of producer {p}"));
    tell(
        account.lost,
        qos == Some(0),
        format!("{} of {} messages were lost{first}", account.lost, account.expected),
    );
    tell(account.duplicated, qos == Some(1), format!("{} messages came more than once", account.duplicated));
    // Competing consumers are served in turns, and each gets what it gets in order.
    tell(
        account.reordered,
        false,
        format!("{} messages came after later ones of their producer", account.reordered),
    );
    tell(
        account.damaged,
        false,
        format!("{} messages came with other bytes than they were sent with", account.damaged),
    );
    tell(unacknowledged, false, format!("{unacknowledged} publishes were never acknowledged"));
    tell(
        u64::from(is_stalled),
        false,
        "nothing moved for the length of --patience before the run was complete".to_owned(),
    );
    tell(
        account.foreign,
        true,
        format!("{} messages were from elsewhere; another --destination avoids them", account.foreign),
    );
    tell(torn, true, format!("{torn} connections ended without the broker's answer to the farewell"));
    (faults, notes)
}

fn title(plan: &Plan, is_tls: bool) -> String {
    let manner = &plan.manner;
    let mut words = vec![manner.protocol.name().to_owned()];
    match manner.protocol {
        Protocol::Mqtt => words.push(format!("QoS {}", manner.qos)),
        Protocol::Stomp | Protocol::Openwire => {
            words.push(if manner.persistent { "persistent" } else { "not persistent" }.to_owned());
            words.push(format!("ack {:?}", manner.ack).to_lowercase());
        }
    }
    let kind = if plan.kind == Kind::Queue { "queue" } else { "topic" };
    words.push(format!("{} {kind}, {} to {}", plan.destinations.len(), plan.producers, plan.consumers));
    words.push(format!("{} B", plan.size));
    words.push(
        plan.window.map_or_else(|| "no acknowledgements".to_owned(), |window| format!("window {window}")),
    );
    words.push(plan.rate.map_or_else(|| "as fast as it goes".to_owned(), |rate| format!("{rate} a second")));
    words.push(if is_tls { "TLS" } else { "plain" }.to_owned());
    words.join(", ")
}

#[cfg(test)]
mod tests;
