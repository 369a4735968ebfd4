//! What can be changed while the broker runs: users as soon as their file changes; map, ingress and certificate on
//! SIGHUP. What is not sound changes nothing.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use keepmq_config::{Change, Config};
use keepmq_core::Gate;
use keepmq_identity::Authenticator;
use keepmq_identity::users_file::Stamp;
use keepmq_policy::{Audit, AuditEvent};
use parking_lot::Mutex;
use tokio::signal::unix::{SignalKind, signal};

use super::broker::Broker;
use super::doors::Served;
use crate::check::{self, Sound};

/// How often the users' file is looked at. It is read when it looks the same twice: who writes it in place empties it first,
/// and everybody would be shut out.
const LOOK: Duration = Duration::from_millis(400);

/// Takes over changes.
pub(super) struct Reloads {
    folder: PathBuf,
    config: Mutex<Config>,
    users: Mutex<Option<Stamp>>,
    /// What the users' file looked like the last time.
    seen: Mutex<Option<Stamp>>,
    gate: Arc<Gate>,
    authenticator: Arc<Authenticator>,
    audit: Audit,
    served: Served,
}

impl Reloads {
    pub(super) fn new(folder: &Path, sound: Sound, broker: &Broker, served: Served) -> Self {
        let config = sound.loaded.config;
        Self {
            folder: folder.to_owned(),
            users: Mutex::new(Stamp::of(&config.users)),
            seen: Mutex::default(),
            config: Mutex::new(config),
            gate: Arc::clone(&broker.gate),
            authenticator: Arc::clone(&broker.authenticator),
            audit: broker.audit.clone(),
            served,
        }
    }

    /// Looks for changes, as long as the broker runs.
    pub(super) async fn run(self) {
        let Ok(mut hangup) = signal(SignalKind::hangup()) else { return std::future::pending().await };
        let mut look = tokio::time::interval(LOOK);
        loop {
            tokio::select! {
                _ = hangup.recv() => self.reload(),
                _ = look.tick() => self.look_at_users(),
            }
        }
    }

    fn look_at_users(&self) {
        let path = self.config.lock().users.clone();
        let now = Stamp::of(&path);
        let is_steady = std::mem::replace(&mut *self.seen.lock(), now) == now;
        if !is_steady || now == *self.users.lock() {
            return;
        }
        *self.users.lock() = now;
        match self.authenticator.reload(&path) {
            Ok(()) => self.users_changed(),
            Err(fault) => {
                let what = format!("the users were not read again, those before are still in force: {fault}");
                tracing::error!("{what}");
                self.record(what);
            }
        }
    }

    /// Connections of users who are gone or have other groups end: they may log in again, as what they are now.
    fn users_changed(&self) {
        let ended = self.gate.end_changed(|name| self.authenticator.principal(name));
        let what = format!("the users were read again; {ended} connections of changed users end");
        tracing::info!("{what}");
        self.record(what);
    }

    fn reload(&self) {
        let sound = match check::read(&self.folder) {
            Ok(sound) => sound,
            Err(report) => {
                let what = format!("nothing was changed, the configuration has faults:\n{report}");
                tracing::error!("{}", what.trim_end());
                self.record(format!(
                    "nothing was changed: {} faults in the configuration",
                    report.faults.len()
                ));
                return;
            }
        };
        self.take_over(sound);
    }

    fn take_over(&self, sound: Sound) {
        let after = sound.loaded.config;
        let differences = self.config.lock().differences(&after);
        let (live, later): (Vec<_>, Vec<_>) = differences.iter().partition(|d| d.change == Change::Live);
        for difference in &later {
            tracing::warn!(key = difference.key, "this change takes effect at the next start");
        }
        let mut changed: Vec<String> = live.iter().map(|difference| difference.key.clone()).collect();
        let (_, lost) = self.gate.set_map(after.map.clone());
        for listener in &after.listeners {
            self.served.set_rules(&listener.name, &listener.ingress);
        }
        if let (Some(identity), Some(chain)) = (&self.served.identity, sound.chain) {
            match identity.replace(chain.certificates, chain.key) {
                Ok(()) => changed.push(format!("certificate (good for {} days)", chain.facts.days_left)),
                Err(error) => tracing::error!("the certificate before is still shown: {error}"),
            }
        }
        self.authenticator.replace(&sound.users);
        *self.config.lock() = after;
        self.users_changed();
        let what = format!("read again: {}; {lost} subscriptions lost their right", changed.join(", "));
        tracing::info!("{what}");
        self.record(what);
    }

    fn record(&self, what: String) {
        self.audit.record(AuditEvent::Reloaded { epoch: self.gate.policy_epoch(), what: what.into() });
    }
}
