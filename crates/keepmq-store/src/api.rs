//! The contract between the broker core and a storage engine.

use bytes::Bytes;
use smallvec::SmallVec;

/// Names one ordered run of records. The caller chooses the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub u64);

/// A record's place in its stream. The caller chooses it; within a stream a number is never used twice, and new
/// records are put in rising order.
pub type Seq = u64;

/// A few facts about a record that can be listed without reading its payload (the core keeps the expiry there).
pub type Meta = u64;

/// Where a record is found. Stable: a record that is moved inside the store keeps its locator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Locator {
    /// The run that the record belongs to.
    pub stream: StreamId,
    /// Its number in that run.
    pub seq: Seq,
}

/// One of the places that a payload is put in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// Where the record will be found.
    pub at: Locator,
    /// What [`Store::scan`] lists beside it.
    pub meta: Meta,
}

/// A record's bytes in two pieces, so that a message body that is shared with consumers need not be copied to be
/// stored. The store joins them: they are read back as one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Payload {
    /// Comes first.
    pub head: Bytes,
    /// Comes after the head.
    pub body: Bytes,
}

impl Payload {
    /// Bytes of head and body together.
    pub fn len(&self) -> usize {
        self.head.len() + self.body.len()
    }

    /// Whether both are empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// Keeps one payload for all its targets, until each of them is released.
    Put {
        /// Where it is found; at least one.
        targets: SmallVec<[Target; 1]>,
        /// What is kept.
        payload: Payload,
    },
    /// Gives up one record. A locator under which nothing lives is passed over.
    Release(Locator),
    /// Gives up every record of the stream between two numbers, both included.
    Truncate {
        /// The run to shorten.
        stream: StreamId,
        /// The first number to give up.
        from: Seq,
        /// The last number to give up.
        through: Seq,
    },
    /// Keeps a value under a key, in place of what was there.
    Set {
        /// At most 1 KiB.
        key: Bytes,
        /// At most 1 MiB.
        value: Bytes,
    },
    /// Forgets a key and its value.
    Unset {
        /// The key.
        key: Bytes,
    },
}

/// Changes that become durable together or not at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// Carried out in this order.
    pub ops: Vec<Op>,
}

impl Batch {
    /// What the batch counts for in [`Store::pending_bytes`]: the bytes handed over, and a little for each change.
    pub fn size(&self) -> u64 {
        const CHANGE: usize = 32;
        const TARGET: usize = 24;
        let size = |op: &Op| match op {
            Op::Put { targets, payload } => payload.len() + targets.len() * TARGET,
            Op::Set { key, value } => key.len() + value.len(),
            Op::Unset { key } => key.len(),
            Op::Release(_) | Op::Truncate { .. } => 0,
        };
        self.ops.iter().map(|op| (size(op) + CHANGE) as u64).sum()
    }
}

/// Whether somebody waits for a batch to be on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// Nobody waits: it may ride with the next sync, at the latest after a short delay (a tenth of a second).
    Lazy,
    /// Somebody waits: sync as soon as the disk is free.
    Now,
}

/// The number of a committed batch, rising by one. Batches become durable in this order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// Called on the store's own thread each time that more is durable: everything up to and including the ticket.
/// After an error it is called once with it, and never again. It must not block.
pub type OnDurable = Box<dyn Fn(Result<Ticket, StoreError>) + Send + Sync>;

/// Whether new records are taken at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// They are.
    Open,
    /// The limit is near or the disk is full. Releases are still taken; puts should not be sent.
    Full,
    /// A write or sync failed: nothing is taken until a restart.
    Failed,
}

/// How much of a stream to read at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scan {
    /// The run to read.
    pub stream: StreamId,
    /// The first number of interest.
    pub from: Seq,
    /// At most so many records.
    pub records: usize,
    /// Stop after the record that makes the payloads at least this long in all.
    pub bytes: usize,
}

/// A record as read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its number.
    pub seq: Seq,
    /// What was put beside it.
    pub meta: Meta,
    /// Head and body, joined.
    pub payload: Bytes,
}

/// A part of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The live records, in rising order.
    pub records: Vec<Stored>,
    /// Live records that can no longer be read (their bytes are damaged); they are reported here once and released.
    pub lost: Vec<Seq>,
    /// What is wrong with them: each damaged place once.
    pub damage: Vec<StoreError>,
    /// Nothing lives behind the last record of this page.
    pub end: bool,
}

/// What is known of a stream without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamInfo {
    /// Which.
    pub id: StreamId,
    /// How many live records.
    pub records: u64,
    /// Length of their payloads in bytes.
    pub bytes: u64,
    /// The lowest live number.
    pub first: Seq,
    /// The highest live number.
    pub last: Seq,
}

/// What was found when the store was opened.
#[derive(Clone, Debug, Default)]
pub struct Recovery {
    /// The live keyed values, sorted by key.
    pub state: Vec<(Bytes, Bytes)>,
    /// The streams with live records, sorted by id.
    pub streams: Vec<StreamInfo>,
    /// Counts the times that this store was opened, beginning with 1: a number that no earlier owner had.
    pub epoch: u64,
    /// What could not be recovered, in words an operator can act on: file, place, what is missing.
    pub damage: Vec<String>,
}

/// How much is held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Live records.
    pub records: u64,
    /// Bytes of live payloads; one that is kept for several targets counts for each of them.
    pub live_bytes: u64,
    /// Bytes on disk.
    pub disk_bytes: u64,
    /// Bytes committed and not yet durable.
    pub pending_bytes: u64,
    /// The limit on `disk_bytes`.
    pub limit_bytes: u64,
}

/// Why the store could not do something.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The operating system refused; after a failed write or sync the store stays failed.
    #[error("{path}: {action}: {cause}")]
    Io {
        /// The file or directory.
        path: String,
        /// What was tried: `open`, `write`, `sync` and so on.
        action: &'static str,
        /// What the operating system said.
        cause: String,
    },
    /// No room for a record that must be written.
    #[error("the store is full: {used} of {limit} bytes are used")]
    Full {
        /// Bytes on disk.
        used: u64,
        /// The limit.
        limit: u64,
    },
    /// Bytes on disk are not what was written.
    #[error("{path} at byte {offset}: {what}")]
    Corrupt {
        /// The file.
        path: String,
        /// Where in it.
        offset: u64,
        /// What is wrong.
        what: String,
    },
    /// The store belongs to another process or a newer owner.
    #[error("{path} is in use by another process")]
    Fenced {
        /// The lock file.
        path: String,
    },
    /// The key given does not open this store.
    #[error("{path}: the master key does not open this store; give the key that it was made with")]
    WrongKey {
        /// The file that names the key.
        path: String,
    },
    /// Written by a version that this one cannot read.
    #[error("{path}: format version {found} is not known here (newest known: {known})")]
    Version {
        /// The file.
        path: String,
        /// Its version.
        found: u32,
        /// The newest version that can be read.
        known: u32,
    },
}

/// A storage engine. All methods may be called from any thread.
pub trait Store: Send + Sync {
    /// Hands over a batch and returns at once; [`OnDurable`] tells when it is on disk. Batches from one thread keep
    /// their order. What is committed is seen by [`Store::scan`] and [`Store::read`] only once it is durable.
    fn commit(&self, batch: Batch, urgency: Urgency) -> Ticket;

    /// The newest ticket that is durable.
    fn durable(&self) -> Ticket;

    /// Whether new records are taken. Cheap: asked for each batch.
    fn admission(&self) -> Admission;

    /// Bytes committed and not yet durable. Cheap.
    fn pending_bytes(&self) -> u64;

    /// Reads single records; `None` for one that is not alive (or is damaged: then `lost` of a scan names it).
    /// Blocks on the disk.
    fn read(&self, at: &[Locator]) -> Result<Vec<Option<Stored>>, StoreError>;

    /// Reads a part of a stream in order. Blocks on the disk.
    fn scan(&self, scan: Scan) -> Result<Page, StoreError>;

    /// What is known of a stream; `None` when nothing lives in it.
    fn stream(&self, id: StreamId) -> Option<StreamInfo>;

    /// How much is held.
    fn usage(&self) -> Usage;

    /// Makes everything durable, writes a checkpoint and lets go. Later commits are ignored.
    fn close(&self) -> Result<(), StoreError>;
}
