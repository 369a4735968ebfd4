//! The parts of a broker, put together.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use keepmq_admin::AuditLog;
use keepmq_config::Config;
use keepmq_core::{DurableNews, Gate, Parts};
use keepmq_identity::{Authenticator, HashingBounds, Verdict, master_key};
use keepmq_model::Login;
use keepmq_net::{Clock, Proof, Tasks, Verifier};
use keepmq_policy::{Audit, AuditEvent, Policy};
use keepmq_store::disk::FsDisk;
use keepmq_store::{Journal, MasterKey, Options, Recovery, Store};
use tokio::sync::watch;

use super::pages::Pages;
use crate::check::Sound;

/// Shards at most: beyond that more of them do not help one machine.
const MOST_SHARDS: usize = 8;

/// What tells that the store failed.
pub(super) type Failed = watch::Sender<Option<String>>;

/// A running broker without its doors.
pub(super) struct Broker {
    pub(super) gate: Arc<Gate>,
    pub(super) audit: Audit,
    pub(super) tasks: Tasks,
    pub(super) authenticator: Arc<Authenticator>,
    log: AuditLog,
    store: Arc<Journal>,
    pages: Pages,
}

impl Broker {
    pub(super) fn start(sound: &Sound, failed: Failed) -> anyhow::Result<Self> {
        let config = &sound.loaded.config;
        let log = AuditLog::open(&config.audit, Clock.now().unix_ms)?;
        let audit = log.outlet(|| Clock.now().unix_ms);
        let authenticator = Arc::new(Authenticator::new(&sound.users, HashingBounds::default())?);
        let news = DurableNews::default();
        let (store, recovery) = open_store(config, &news, failed)?;
        let store = Arc::new(store);
        let pages = Pages::start().context("the thread for pages can't be started")?;
        let parts = parts(config, Arc::clone(&store), recovery, pages.clone(), audit.clone());
        let (gate, faults) = Gate::open(parts, &news);
        for fault in faults {
            tracing::error!("the store is damaged: {fault}");
        }
        audit.record(AuditEvent::Started { epoch: 1 });
        let tasks = Tasks::new(tokio::runtime::Handle::current());
        Ok(Self { gate, audit, tasks, authenticator, log, store, pages })
    }

    /// Who checks logins.
    pub(super) fn verifier(&self) -> Verifier {
        let authenticator = Arc::clone(&self.authenticator);
        Verifier::new(move |login: &Login, source, now| {
            let (Some(user), Some(password)) = (&login.user, &login.password) else {
                return Err("no user name and password");
            };
            match authenticator.verify(user, password, source, now) {
                Verdict::Verified { principal, by } => Ok(Proof { principal, by }),
                Verdict::Refused { why } => Err(why),
            }
        })
    }

    /// Ends in order: connections are told, the store writes what it has.
    pub(super) async fn stop(self, patience: Duration) {
        if !self.tasks.end(patience).await {
            tracing::warn!("some connections did not end in time");
        }
        self.pages.close();
        if let Err(error) = self.store.close() {
            tracing::error!("the store did not close in order: {error}");
        }
        self.audit.record(AuditEvent::Stopped);
        self.log.close();
    }
}

fn open_store(config: &Config, news: &DurableNews, failed: Failed) -> anyhow::Result<(Journal, Recovery)> {
    let plan = &config.store;
    let key = master_key::load(&plan.master_key).with_context(|| plan.master_key.display().to_string())?;
    let disk = FsDisk::open(&plan.directory).with_context(|| plan.directory.display().to_string())?;
    let options = Options {
        max_bytes: plan.max_bytes.bytes(),
        segment_bytes: plan.segment_bytes.bytes(),
        checkpoint_bytes: plan.checkpoint_bytes.bytes(),
        table_cache_bytes: plan.table_cache_bytes.as_usize(),
        frame_cache_bytes: plan.frame_cache_bytes.as_usize(),
        lazy_delay: plan.lazy_delay,
        ..Options::sealed(MasterKey::new(*key))
    };
    let hook = news.hook(move |error| {
        failed.send_replace(Some(error.to_string()));
    });
    Ok(Journal::open(Arc::new(disk), options, hook)?)
}

fn parts(config: &Config, store: Arc<Journal>, recovery: Recovery, pages: Pages, audit: Audit) -> Parts {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Parts {
        policy: Policy { epoch: 1, map: config.map.clone() },
        store,
        recovery,
        limits: limits(config),
        shards: u16::try_from(cores.min(MOST_SHARDS)).unwrap_or(1),
        spawn: Box::new(move |job| pages.push(job)),
        clock: Box::new(|| Clock.now()),
        entropy: Box::new(random),
        audit,
        formats: super::doors::formats(),
    }
}

/// Bits that nobody can guess. A machine without randomness could not have made its keys.
fn random() -> u128 {
    let mut bytes = [0; 16];
    if aws_lc_rs::rand::fill(&mut bytes).is_err() {
        tracing::error!("the machine gives no randomness: names of temporary destinations could be guessed");
        std::process::abort();
    }
    u128::from_ne_bytes(bytes)
}

fn limits(config: &Config) -> keepmq_core::Limits {
    let (limits, dead) = (&config.limits, &config.dead_letter);
    let milliseconds =
        |period: keepmq_config::Period| u64::try_from(period.as_duration().as_millis()).unwrap_or(u64::MAX);
    keepmq_core::Limits {
        memory_bytes: limits.memory_bytes.bytes(),
        line_bytes: limits.line_bytes.bytes(),
        line_window: limits.line_window.as_usize(),
        subscriber_backlog: limits.subscriber_backlog.as_usize(),
        slow_patience_ms: milliseconds(limits.slow_patience),
        sender_patience_ms: milliseconds(limits.sender_patience),
        outbox_bytes: limits.outbox_bytes.as_usize(),
        store_pending_bytes: limits.store_pending_bytes.bytes(),
        destinations: limits.destinations.as_usize(),
        temporaries_per_connection: limits.temporaries_per_connection.as_usize(),
        links_per_connection: limits.links_per_connection.as_usize(),
        filters_per_subscription: limits.filters_per_subscription.as_usize(),
        durable_subscriptions: limits.durable_subscriptions.as_usize(),
        notes_per_subscription: limits.notes_per_subscription.as_usize(),
        transactions_per_connection: limits.transactions_per_connection.as_usize(),
        changes_per_transaction: limits.changes_per_transaction.as_usize(),
        bytes_per_transaction: limits.bytes_per_transaction.bytes(),
        prepared_transactions: limits.prepared_transactions.as_usize(),
        prepared_bytes: limits.prepared_bytes.bytes(),
        remembered_senders: limits.remembered_senders.as_usize(),
        groups_per_queue: limits.groups_per_queue.as_usize(),
        retained_messages: limits.retained_messages.as_usize(),
        retained_bytes: limits.retained_bytes.bytes(),
        max_redeliveries: dead.max_redeliveries.get(),
        max_returns: dead.max_returns.get(),
        dead_letter_queue: dead.queue.as_str().to_owned(),
    }
}
