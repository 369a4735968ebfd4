//! Every option there is. What stands here is what is read, what holds when nothing is written, and what the reference
//! says.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;

use crate::choice::{Protocol, RefusedPublish};
use crate::list::{Groups, Patterns};
use crate::needed::Needed;
use crate::option::{At, OptionDef, Section, section};
use crate::quantity::{Count, Period, Size};
use crate::value::{FilePath, Label, QueueName};

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const TIB: u64 = 1 << 40;

section! {
    /// The broker as a whole.
    pub struct Broker in "broker" {
        /// What it is called in logs, metrics and the console.
        "name" name: Label = Label::known("keepmq"), restart;
    }
}

section! {
    /// The certificate that listeners show.
    pub(crate) struct TlsOptions in "tls" {
        /// PEM file with the server's certificate and those between it and the root, the server's first.
        "certificate" certificate: Needed<FilePath> = Needed::Missing, live;
        /// PEM file with the private key. Nobody but its owner may read it.
        "key" key: Needed<FilePath> = Needed::Missing, live;
    }
}

section! {
    /// A door: one protocol on one port.
    pub(crate) struct ListenerOptions in "listener" {
        /// What it is called in logs, metrics and the console; each listener has its own.
        "name" name: Needed<Label> = Needed::Missing, restart;
        /// What it speaks. Nothing else is understood on its port.
        "protocol" protocol: Needed<Protocol> = Needed::Missing, restart;
        /// Where it listens.
        "address" address: At<IpAddr> = At::unwritten(Ipv4Addr::LOCALHOST.into()), restart;
        /// On which port; the protocol's usual one when it is not written.
        "port" port: Option<At<u16>> = None, restart;
        /// Whether connections are encrypted. Without, it may only listen on loopback.
        "tls" tls: At<bool> = At::unwritten(true), restart,
            opens "passwords and messages can be read by everybody who can listen on the machine";
        /// Says that a public address is meant. Such a listener needs TLS, an authorization map and written ingress.
        "public" public: At<bool> = At::unwritten(false), restart,
            opens "everybody whom ingress admits can try to log in";
        /// From which networks it takes connections. Not written: from loopback on loopback, and from private networks
        /// on a private address.
        "ingress" ingress: Option<At<IngressOptions>> = None, live,
            opens "whoever is in these networks can try to log in, and not all of them are private";
        /// Most connections at a time.
        "max-connections" max_connections: Count = Count::of(10_000), restart, within 1 => 1_000_000;
        /// Most connections at a time from one address, so that one host can't keep out the others.
        "max-connections-per-address" max_connections_per_address: Count = Count::of(2_500), restart,
            within 1 => 1_000_000, opens "one host can take more of the connections from the others";
        /// Largest frame that a logged-in client may send, headers and body together.
        "max-frame-bytes" max_frame_bytes: Size = Size::mib(16), restart, within 1024 => GIB,
            opens "a logged-in client can make the broker hold larger frames";
        /// How many seconds a connection has, from its first packet to the end of its login.
        "login-seconds" login_seconds: Count = Count::of(10), restart, within 1 => 60,
            opens "silent connections hold their place longer";
        /// What an MQTT 3.1.1 client gets for publishing what it may not: "close", as when it is not written, ends the
        /// connection; "acknowledge" says yes, drops the message and counts it, as in ActiveMQ.
        "refused-publish" refused_publish: Option<At<RefusedPublish>> = None, restart,
            opens "clients are told that messages were delivered which were dropped";
    }
}

section! {
    /// From which networks a listener takes connections.
    pub(crate) struct IngressOptions in "listener.ingress" {
        /// From these.
        "allow" allow: Vec<IpNet> = Vec::new(), live;
        /// But not from these.
        "deny" deny: Vec<IpNet> = Vec::new(), live;
    }
}

section! {
    /// Where messages are kept. They are always encrypted on disk.
    pub(crate) struct StoreOptions in "store" {
        /// The folder of the journal; it is made when it is not there.
        "directory" directory: At<FilePath> = At::unwritten(FilePath::known("store")), restart;
        /// The file with the key under which everything is encrypted. Without it the messages are lost: keep a copy
        /// elsewhere.
        "master-key" master_key: At<FilePath> = At::unwritten(FilePath::known("keys/master.key")), restart;
        /// Most bytes of disk. Before it is full, senders are slowed and then refused.
        "max-bytes" max_bytes: At<Size> = At::unwritten(Size::gib(64)), restart, within 16 * MIB => 1024 * TIB;
        /// Length of the files that the journal is cut into; at most an eighth of `max-bytes` is used.
        "segment-bytes" segment_bytes: Size = Size::mib(64), restart, within MIB => GIB;
        /// A checkpoint is written when the journal has grown by so much. More means a longer start after a crash.
        "checkpoint-bytes" checkpoint_bytes: Size = Size::mib(128), restart, within MIB => TIB;
        /// Memory for what is known of records in older files.
        "table-cache-bytes" table_cache_bytes: Size = Size::mib(64), restart, within MIB => TIB;
        /// Memory for messages that were read lately.
        "frame-cache-bytes" frame_cache_bytes: Size = Size::mib(16), restart, within MIB => TIB;
        /// How long what nobody waits for may wait to be written together with other things.
        "lazy-delay" lazy_delay: Period = Period::millis(100), restart, within 0 => 10_000;
    }
}

section! {
    /// Who may log in.
    pub(crate) struct UsersOptions in "users" {
        /// The file with the users, their groups and the hashes of their passwords, kept by `keepmq user`.
        "file" file: At<FilePath> = At::unwritten(FilePath::known("users.toml")), restart;
    }
}

section! {
    /// Who did what.
    pub(crate) struct AuditOptions in "audit" {
        /// The file that every decision is written to. It is only ever added to.
        "file" file: At<FilePath> = At::unwritten(FilePath::known("audit.log")), restart;
    }
}

section! {
    /// Who may do what where. All entries that match add up; what none grants is refused.
    pub(crate) struct EntryOptions in "authorization.entry" {
        /// The queues that it is about; an entry is about queues or about topics.
        "queue" queue: Option<At<Patterns>> = None, live;
        /// The topics that it is about.
        "topic" topic: Option<At<Patterns>> = None, live;
        /// Groups that may consume, browse and subscribe.
        "read" read: Groups = Groups::default(), live;
        /// Groups that may send.
        "write" write: Groups = Groups::default(), live;
        /// Groups that may create, delete and purge.
        "admin" admin: Groups = Groups::default(), live;
    }
}

section! {
    /// What is added to every entry that matches, and holds when none does. For queues and topics.
    pub(crate) struct DefaultOptions in "authorization.default" {
        /// Groups that may consume, browse and subscribe.
        "read" read: Groups = Groups::default(), live,
            opens "these groups read every queue and topic, whatever the entries say";
        /// Groups that may send.
        "write" write: Groups = Groups::default(), live,
            opens "these groups send to every queue and topic, whatever the entries say";
        /// Groups that may create, delete and purge.
        "admin" admin: Groups = Groups::default(), live,
            opens "these groups create and delete every queue and topic, whatever the entries say";
    }
}

section! {
    /// Who may use temporary destinations. When this table is not written, every user who is logged in may, as in
    /// ActiveMQ; they are read by the connection that made them only.
    pub(crate) struct TemporaryOptions in "authorization.temporary" {
        /// Groups that may read from their own.
        "read" read: Groups = Groups::default(), live;
        /// Groups that may send to one whose name they know.
        "write" write: Groups = Groups::default(), live;
        /// Groups that may make them.
        "admin" admin: Groups = Groups::default(), live;
    }
}

section! {
    /// Bounds on what the broker holds.
    pub struct Limits in "limits" {
        /// Bytes of all messages in memory. At this mark, sending is slowed; durable messages to queues still go to disk.
        "memory-bytes" memory_bytes: Size = Size::mib(256), restart, within MIB => 16 * TIB;
        /// Bytes of messages that one queue or subscription keeps in memory. Durable ones beyond it stay on disk; senders
        /// of others are slowed, and refused at twice the mark.
        "line-bytes" line_bytes: Size = Size::mib(32), restart, within 64 * 1024 => TIB;
        /// Messages that one queue or subscription keeps in memory for each priority. The rest is read from disk.
        "line-window" line_window: Count = Count::of(4_096), restart, within 16 => 1_000_000;
        /// Messages that wait for a slow subscriber whose subscription is not durable.
        "subscriber-backlog" subscriber_backlog: Count = Count::of(10_000), restart, within 1 => 10_000_000;
        /// How long a slow subscriber may hold up the senders before its oldest messages are dropped.
        "slow-patience" slow_patience: Period = Period::seconds(5), restart, within 0 => 600_000;
        /// How long a sender is held up before it is refused.
        "sender-patience" sender_patience: Period = Period::seconds(30), restart, within 0 => 3_600_000;
        /// Bytes handed to one connection that it has not yet taken.
        "outbox-bytes" outbox_bytes: Size = Size::mib(1), restart, within 16 * 1024 => GIB;
        /// Bytes on their way to the disk at which senders are held up.
        "store-pending-bytes" store_pending_bytes: Size = Size::mib(32), restart, within MIB => GIB;
        /// Queues and topics, temporary ones included.
        "destinations" destinations: Count = Count::of(200_000), restart, within 1 => 100_000_000;
        /// Temporary destinations of one connection.
        "temporaries-per-connection" temporaries_per_connection: Count = Count::of(1_000), restart,
            within 0 => 1_000_000;
        /// Consumers and producers of one connection.
        "links-per-connection" links_per_connection: Count = Count::of(10_000), restart, within 1 => 1_000_000;
        /// Filters of one subscription.
        "filters-per-subscription" filters_per_subscription: Count = Count::of(10_000), restart,
            within 1 => 1_000_000;
        /// Subscriptions that stay when their client is gone.
        "durable-subscriptions" durable_subscriptions: Count = Count::of(200_000), restart,
            within 0 => 100_000_000;
        /// Notes that a session keeps with one subscription, such as MQTT's packet identifiers.
        "notes-per-subscription" notes_per_subscription: Count = Count::of(4_096), restart, within 16 => 1_000_000;
        /// Open transactions of one connection.
        "transactions-per-connection" transactions_per_connection: Count = Count::of(100), restart,
            within 0 => 100_000;
        /// Messages and acknowledgements within one transaction.
        "changes-per-transaction" changes_per_transaction: Count = Count::of(10_000), restart,
            within 1 => 10_000_000;
        /// Bytes of the messages within one transaction.
        "bytes-per-transaction" bytes_per_transaction: Size = Size::mib(32), restart, within 1024 => 16 * GIB;
        /// Transactions that a transaction manager has prepared and not ended.
        "prepared-transactions" prepared_transactions: Count = Count::of(1_000), restart, within 0 => 1_000_000;
        /// Bytes of the messages of all prepared transactions.
        "prepared-bytes" prepared_bytes: Size = Size::mib(64), restart, within 0 => 16 * GIB;
        /// Senders of which the last message is remembered, to know copies that they send after their connection broke.
        "remembered-senders" remembered_senders: Count = Count::of(10_000), restart, within 0 => 10_000_000;
        /// Message groups of one queue that are remembered though nothing of them is with their consumer.
        "groups-per-queue" groups_per_queue: Count = Count::of(100_000), restart, within 1 => 10_000_000;
        /// Messages that topics keep for later subscribers.
        "retained-messages" retained_messages: Count = Count::of(200_000), restart, within 0 => 100_000_000;
        /// Bytes of the messages that topics keep for later subscribers.
        "retained-bytes" retained_bytes: Size = Size::mib(256), restart, within 0 => 16 * TIB;
    }
}

section! {
    /// What becomes of messages that nobody could use.
    pub struct DeadLetter in "dead-letter" {
        /// The queue that they are put aside in.
        "queue" queue: QueueName = QueueName::known("ActiveMQ.DLQ"), restart;
        /// How often a message is given back as failed before it is put aside.
        "max-redeliveries" max_redeliveries: Count = Count::of(6), restart, within 0 => 1_000_000;
        /// How often a message is given back in whatever way, lost connections included, before it is put aside.
        "max-returns" max_returns: Count = Count::of(100), restart, within 1 => 1_000_000;
    }
}

/// A section and its options, for the reference.
#[derive(Clone, Debug)]
pub struct SectionDoc {
    /// Its name in the file.
    pub path: &'static str,
    /// What it is about.
    pub about: &'static str,
    /// Whether it can stand more than once, as `[[…]]`.
    pub repeated: bool,
    /// Its options with what holds when they are not written; `None` when nothing does.
    pub options: Vec<(&'static OptionDef, Option<String>)>,
}

/// All sections, in the order in which they are best explained.
pub fn sections() -> Vec<SectionDoc> {
    vec![
        describe::<Broker>(false),
        describe::<TlsOptions>(false),
        describe::<ListenerOptions>(true),
        describe::<IngressOptions>(false),
        describe::<StoreOptions>(false),
        describe::<UsersOptions>(false),
        describe::<AuditOptions>(false),
        describe::<EntryOptions>(true),
        describe::<DefaultOptions>(false),
        describe::<TemporaryOptions>(false),
        describe::<Limits>(false),
        describe::<DeadLetter>(false),
    ]
}

fn describe<S: Section>(repeated: bool) -> SectionDoc {
    let stated = S::default().stated(S::PATH);
    let default = |option: &OptionDef| {
        stated.iter().find(|one| one.option.key == option.key).map(|one| one.value.clone())
    };
    let options = S::OPTIONS.iter().map(|option| (option, default(option))).collect();
    SectionDoc { path: S::PATH, about: S::ABOUT, repeated, options }
}
