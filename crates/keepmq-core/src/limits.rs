//! Bounds on what the core holds. Each has a default that suits a small machine.

/// Bounds of one broker.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of all messages in memory. At this mark, sending is slowed; durable messages to queues still go to disk.
    pub memory_bytes: u64,
    /// Bytes of messages that one queue or subscription keeps in memory. Durable ones beyond it stay on disk;
    /// senders of others are slowed, and refused at twice the mark.
    pub line_bytes: u64,
    /// Messages that one queue or subscription keeps in memory for each priority. The rest is paged in from disk.
    pub line_window: usize,
    /// Messages that wait for a slow subscriber whose subscription is not durable.
    pub subscriber_backlog: usize,
    /// How long a slow subscriber may hold up the senders before its oldest messages are dropped, in milliseconds.
    pub slow_patience_ms: u64,
    /// How long a sender is held up before it is refused, in milliseconds.
    pub sender_patience_ms: u64,
    /// Bytes handed to one connection that it has not yet taken.
    pub outbox_bytes: usize,
    /// Bytes committed to the store and not yet on disk at which senders are held up.
    pub store_pending_bytes: u64,
    /// Queues and topics, temporary ones included.
    pub destinations: usize,
    /// Temporary destinations of one connection.
    pub temporaries_per_connection: usize,
    /// Links of one connection.
    pub links_per_connection: usize,
    /// Filters of one subscription.
    pub filters_per_subscription: usize,
    /// Subscriptions that stay.
    pub durable_subscriptions: usize,
    /// Notes of one subscription.
    pub notes_per_subscription: usize,
    /// Open transactions of one connection.
    pub transactions_per_connection: usize,
    /// Changes within one transaction.
    pub changes_per_transaction: usize,
    /// Bytes of the messages within one transaction.
    pub bytes_per_transaction: u64,
    /// Prepared transactions of transaction managers.
    pub prepared_transactions: usize,
    /// Bytes of the messages of all prepared transactions.
    pub prepared_bytes: u64,
    /// Messages that topics keep for later subscribers.
    pub retained_messages: usize,
    /// Bytes of the messages that topics keep for later subscribers.
    pub retained_bytes: u64,
    /// Senders of which the last message is remembered, to know copies that they send after their connection broke.
    pub remembered_senders: usize,
    /// Message groups of one queue that are remembered though nothing of them is with their consumer.
    pub groups_per_queue: usize,
    /// How often a message is given back as failed before it is put aside.
    pub max_redeliveries: u32,
    /// How often a message is given back in whatever way (lost connections included) before it is put aside.
    pub max_returns: u32,
    /// Name of the queue for dead letters.
    pub dead_letter_queue: String,
}

impl Default for Limits {
    fn default() -> Self {
        const MIB: u64 = 1024 * 1024;
        Self {
            memory_bytes: 256 * MIB,
            line_bytes: 32 * MIB,
            line_window: 4096,
            subscriber_backlog: 10_000,
            slow_patience_ms: 5_000,
            sender_patience_ms: 30_000,
            outbox_bytes: 1024 * 1024,
            store_pending_bytes: 32 * MIB,
            destinations: 200_000,
            temporaries_per_connection: 1_000,
            links_per_connection: 10_000,
            filters_per_subscription: 10_000,
            durable_subscriptions: 200_000,
            notes_per_subscription: 4_096,
            transactions_per_connection: 100,
            changes_per_transaction: 10_000,
            bytes_per_transaction: 32 * MIB,
            prepared_transactions: 1_000,
            prepared_bytes: 64 * MIB,
            retained_messages: 200_000,
            retained_bytes: 256 * MIB,
            remembered_senders: 10_000,
            groups_per_queue: 100_000,
            max_redeliveries: 6,
            max_returns: 100,
            dead_letter_queue: "ActiveMQ.DLQ".to_owned(),
        }
    }
}
