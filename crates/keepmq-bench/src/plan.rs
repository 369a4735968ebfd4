//! What a run under load is to do, checked.

use std::ops::Range;

use crate::error::Error;
use crate::wire::{AckMode, Manner, Protocol};

/// Kinds of destinations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// every message to one of the consumers
    Queue,
    /// every message to each of the consumers
    Topic,
}

/// What to send, by whom, to whom, how fast and for how long.
#[derive(Clone, Debug, clap::Args)]
pub struct PlanArgs {
    /// The protocol to speak
    #[arg(long, value_enum)]
    pub protocol: Protocol,
    /// What the destination is [default: topic for MQTT, which has nothing else, and queue for the others]
    #[arg(long, value_enum)]
    pub kind: Option<Kind>,
    /// Name of the destination, without `/queue/` or `/topic/`
    #[arg(long, value_name = "NAME", default_value = "keepmq-bench")]
    pub destination: String,
    /// Spreads producers and consumers over so many destinations, whose names end in a number
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub destinations: u32,
    /// Connections that publish
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u32).range(0..=50_000))]
    pub producers: u32,
    /// Connections that receive; those of a queue compete, those of a topic each get everything
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u32).range(0..=50_000))]
    pub consumers: u32,
    /// Bytes of a message's body, which do not compress
    #[arg(long, value_name = "BYTES", default_value_t = 256, value_parser = clap::value_parser!(u32).range(32..=64 * 1024 * 1024))]
    pub size: u32,
    /// Ends after so many messages of all producers together
    #[arg(long, value_name = "MESSAGES", conflicts_with = "duration")]
    pub count: Option<u64>,
    /// Ends after so long
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0)]
    pub duration: f64,
    /// Sends for so long before anything is measured
    #[arg(long, value_name = "SECONDS", default_value_t = 0.0)]
    pub warm_up: f64,
    /// Messages a second of all producers together, by a timetable that does not wait for the broker: latency counts from
    /// the moment for which a message was meant [default: as fast as the window allows]
    #[arg(long, value_name = "MESSAGES")]
    pub rate: Option<u64>,
    /// Publishes of one producer that may wait for their acknowledgement (MQTT QoS 1 and 2; STOMP and OpenWire, with an answer for each);
    /// 1 waits for each, 0 asks for none
    #[arg(long, value_name = "MESSAGES", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(0..=65_535))]
    pub window: u32,
    /// Messages of all producers together that may be on their way to their consumers, 0 for any number [default: 1000 for
    /// topics, whose brokers drop what a slow consumer leaves behind, and 0 for queues]
    #[arg(long, value_name = "MESSAGES")]
    pub outstanding: Option<u64>,
    /// MQTT: quality of service of publishes and subscriptions
    #[arg(long, value_name = "QOS", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=2))]
    pub qos: u8,
    /// STOMP and OpenWire: marks the messages persistent
    #[arg(long)]
    pub persistent: bool,
    /// STOMP and OpenWire: how consumers acknowledge
    #[arg(long, value_enum, default_value = "auto")]
    pub ack: AckMode,
    /// STOMP and OpenWire: messages that the broker may send to a consumer ahead of their acknowledgement [default: the
    /// broker's with STOMP, 1000 with OpenWire]
    #[arg(long, value_name = "MESSAGES")]
    pub prefetch: Option<u32>,
    /// Threads of the generator, over which the connections are spread
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=256))]
    pub threads: u32,
    /// Fails also for a loss or a duplicate that the protocol allows
    #[arg(long)]
    pub strict: bool,
}

/// When the measured part of a run is over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum End {
    /// After so many messages.
    Messages(u64),
    /// After so many seconds.
    Seconds(f64),
}

/// A checked plan.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) manner: Manner,
    pub(crate) kind: Kind,
    pub(crate) destinations: Vec<String>,
    pub(crate) producers: usize,
    pub(crate) consumers: usize,
    pub(crate) size: usize,
    pub(crate) end: End,
    pub(crate) warm_up: f64,
    pub(crate) rate: Option<u64>,
    /// Places in each producer's window, if publishes are acknowledged.
    pub(crate) window: Option<u32>,
    /// For one producer.
    pub(crate) outstanding: Option<u64>,
    pub(crate) threads: usize,
    pub(crate) is_strict: bool,
}

impl Plan {
    /// Checks the arguments; `host` is where the broker is.
    pub(crate) fn new(args: &PlanArgs, host: &str, virtual_host: Option<&str>) -> Result<Self, Error> {
        check(args)?;
        let kind = args.kind.unwrap_or(match args.protocol {
            Protocol::Mqtt => Kind::Topic,
            Protocol::Stomp | Protocol::Openwire => Kind::Queue,
        });
        let is_acknowledged = args.window > 0 && (args.protocol != Protocol::Mqtt || args.qos > 0);
        let default = if kind == Kind::Topic { 1000 } else { 0 };
        let outstanding = Some(args.outstanding.unwrap_or(default)).filter(|most| *most > 0);
        let share = |most: u64| (most / u64::from(args.producers.max(1))).max(1);
        Ok(Self {
            manner: Manner {
                protocol: args.protocol,
                qos: args.qos,
                persistent: args.persistent,
                receipts: is_acknowledged,
                ack: args.ack,
                prefetch: args.prefetch,
                virtual_host: virtual_host.unwrap_or(host).to_owned(),
            },
            kind,
            destinations: destinations(args.protocol, kind, &args.destination, args.destinations),
            producers: usize::try_from(args.producers).unwrap_or_default(),
            consumers: usize::try_from(args.consumers).unwrap_or_default(),
            size: usize::try_from(args.size).unwrap_or_default(),
            end: args.count.map_or(End::Seconds(args.duration), End::Messages),
            warm_up: args.warm_up,
            rate: args.rate,
            window: is_acknowledged.then_some(args.window),
            outstanding: outstanding.map(share),
            threads: usize::try_from(args.threads).unwrap_or(1),
            is_strict: args.strict,
        })
    }

    /// The destination of a producer or a consumer.
    pub(crate) fn destination_of(&self, number: usize) -> &str {
        &self.destinations[number % self.destinations.len()]
    }

    /// Whether what this producer sends comes to this consumer.
    pub(crate) fn reaches(&self, producer: usize, consumer: usize) -> bool {
        producer % self.destinations.len() == consumer % self.destinations.len()
    }

    /// The consumers that this producer's messages come to.
    pub(crate) fn consumers_of(&self, producer: usize) -> std::iter::StepBy<Range<usize>> {
        let count = self.destinations.len();
        (producer % count..self.consumers).step_by(count)
    }

    /// Deliveries of each of this producer's messages.
    pub(crate) fn copies(&self, producer: usize) -> u64 {
        let consumers = u64::try_from(self.consumers_of(producer).len()).unwrap_or_default();
        if self.kind == Kind::Queue { consumers.min(1) } else { consumers }
    }

    /// The measured messages of one producer, if they are counted.
    pub(crate) fn share_of(&self, producer: usize) -> Option<u64> {
        let End::Messages(count) = self.end else { return None };
        let (producer, producers) = (u64::try_from(producer).ok()?, u64::try_from(self.producers).ok()?);
        Some(count / producers + u64::from(producer < count % producers))
    }
}

fn check(args: &PlanArgs) -> Result<(), Error> {
    let is_mqtt = args.protocol == Protocol::Mqtt;
    let refuse = |wrong: &str, remedy: &str| Err(Error::arguments(wrong, remedy));
    if is_mqtt && args.kind == Some(Kind::Queue) {
        return refuse("MQTT has no queues", "take --kind topic or --protocol stomp");
    }
    if is_mqtt && (args.persistent || args.ack != AckMode::Auto || args.prefetch.is_some()) {
        return refuse("--persistent, --ack and --prefetch are not MQTT's", "take --qos with MQTT");
    }
    if !is_mqtt && args.qos > 0 {
        return refuse("--qos is MQTT's", "take --persistent and --window with the others");
    }
    if is_mqtt && args.destination.contains(['+', '#']) || args.destination.is_empty() {
        return refuse(
            "the destination is published to, so it can't be empty or a pattern",
            "name one: --destination NAME",
        );
    }
    if is_mqtt && args.qos > 0 && args.window == 0 {
        return refuse(
            "MQTT acknowledges every publish of QoS 1 and 2",
            "take --window 1 or more, or --qos 0",
        );
    }
    if args.rate == Some(0) || args.count == Some(0) || args.producers == 0 {
        return refuse("nothing would be sent", "take 1 or more of --producers, --rate and --count");
    }
    let is_time = |seconds: f64| (0.0..=86_400.0).contains(&seconds);
    if !is_time(args.duration) || !is_time(args.warm_up) || args.duration == 0.0 {
        return refuse(
            "a run lasts more than no time and at most a day",
            "give --duration and --warm-up in seconds",
        );
    }
    Ok(())
}

/// The name of a destination as the protocol says it.
pub(crate) fn destination(protocol: Protocol, kind: Kind, name: &str) -> String {
    match (protocol, kind) {
        (Protocol::Mqtt, _) => name.to_owned(),
        (Protocol::Stomp, Kind::Queue) => format!("/queue/{name}"),
        (Protocol::Stomp, Kind::Topic) => format!("/topic/{name}"),
        (Protocol::Openwire, Kind::Queue) => format!("queue://{name}"),
        (Protocol::Openwire, Kind::Topic) => format!("topic://{name}"),
    }
}

fn destinations(protocol: Protocol, kind: Kind, name: &str, count: u32) -> Vec<String> {
    let name = destination(protocol, kind, name);
    if count == 1 {
        return vec![name];
    }
    let between = if protocol == Protocol::Mqtt { '/' } else { '.' };
    (0..count).map(|number| format!("{name}{between}{number}")).collect()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::{End, Kind, Plan, PlanArgs};

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        plan: PlanArgs,
    }

    fn plan(line: &str) -> Result<Plan, String> {
        let words = std::iter::once("bench").chain(line.split_whitespace());
        let args = Line::try_parse_from(words).map_err(|error| error.to_string())?;
        Plan::new(&args.plan, "localhost", None).map_err(|error| error.to_string())
    }

    #[test]
    fn protocols_have_their_own_defaults() {
        let mqtt = plan("--protocol mqtt").unwrap();
        assert_eq!((mqtt.kind, mqtt.window, mqtt.outstanding), (Kind::Topic, None, Some(1000)));
        assert_eq!(mqtt.destinations, ["keepmq-bench"]);
        let stomp = plan("--protocol stomp").unwrap();
        assert_eq!((stomp.kind, stomp.window, stomp.outstanding), (Kind::Queue, Some(1000), None));
        assert_eq!((stomp.destination_of(5), stomp.end), ("/queue/keepmq-bench", End::Seconds(5.0)));
    }

    #[test]
    fn fire_and_forget_asks_for_no_receipts() {
        assert!(plan("--protocol stomp").unwrap().manner.receipts);
        let forget = plan("--protocol stomp --window 0").unwrap();
        assert!(!forget.manner.receipts && forget.window.is_none());
    }

    #[test]
    fn contradictions_are_refused_with_a_remedy() {
        for (line, remedy) in [
            ("--protocol mqtt --kind queue", "--protocol stomp"),
            ("--protocol mqtt --persistent", "--qos"),
            ("--protocol stomp --qos 1", "--persistent"),
            ("--protocol mqtt --destination a/#", "--destination NAME"),
            ("--protocol mqtt --qos 1 --window 0", "--qos 0"),
            ("--protocol mqtt --producers 0", "--producers"),
            ("--protocol mqtt --duration 0", "--duration"),
            ("--protocol mqtt --duration NaN", "--duration"),
            ("--protocol mqtt --count 5 --duration 5", "cannot be used with"),
            ("--protocol mqtt --size 10", "32.."),
        ] {
            let error = plan(line).unwrap_err();
            assert!(error.contains(remedy), "{line}: {error}");
        }
    }

    #[test]
    fn connections_are_spread_over_destinations() {
        let plan =
            plan("--protocol stomp --destinations 2 --producers 3 --consumers 5 --kind topic").unwrap();
        assert_eq!(plan.destinations, ["/topic/keepmq-bench.0", "/topic/keepmq-bench.1"]);
        assert_eq!(plan.consumers_of(2).collect::<Vec<_>>(), [0, 2, 4]);
        assert_eq!((plan.copies(0), plan.copies(1)), (3, 2));
        assert!(plan.reaches(1, 3) && !plan.reaches(1, 2));
    }

    #[test]
    fn a_queue_delivers_once_and_nobody_to_nobody() {
        let queue = plan("--protocol stomp --consumers 5").unwrap();
        assert_eq!(queue.copies(0), 1);
        let alone = plan("--protocol stomp --consumers 0").unwrap();
        assert_eq!(alone.copies(0), 0);
    }

    #[test]
    fn counted_messages_are_shared_out_whole() {
        let plan = plan("--protocol mqtt --producers 3 --count 10").unwrap();
        assert_eq!([0, 1, 2].map(|number| plan.share_of(number)), [Some(4), Some(3), Some(3)]);
        assert_eq!(plan.outstanding, Some(333));
    }
}
