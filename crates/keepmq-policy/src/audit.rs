//! What is recorded of security. A closed catalogue, small enough to be reviewed; never a secret, never a body.

use std::fmt;
use std::sync::Arc;

use keepmq_model::DecisionId;

use crate::decide::Denial;

/// A denial as it is recorded.
#[derive(Clone, Debug)]
pub struct DecisionRecord {
    /// By which the client and `explain` name it.
    pub id: DecisionId,
    /// The connection's number.
    pub connection: u64,
    /// From where.
    pub peer: Arc<str>,
    /// By which listener.
    pub listener: Arc<str>,
    /// Who, what, where and why.
    pub denial: Denial,
}

/// One thing to record.
#[derive(Clone, Debug)]
pub enum AuditEvent {
    /// The map did not grant something.
    Denied(DecisionRecord),
    /// Somebody logged in.
    LoggedIn {
        /// The connection's number.
        connection: u64,
        /// From where.
        peer: Arc<str>,
        /// By which listener.
        listener: Arc<str>,
        /// Who.
        user: Arc<str>,
        /// What vouched for it: `users`, later `ldap` and so on.
        by: &'static str,
    },
    /// Somebody failed to log in.
    LoginRefused {
        /// By which the client and `explain` name it.
        id: DecisionId,
        /// The connection's number.
        connection: u64,
        /// From where.
        peer: Arc<str>,
        /// By which listener.
        listener: Arc<str>,
        /// The name that was given; it may not exist.
        user: Arc<str>,
        /// Why, in more detail than the peer is told.
        why: &'static str,
    },
    /// A connection was turned away before it could say anything.
    Rejected {
        /// From where.
        peer: Arc<str>,
        /// By which listener.
        listener: Arc<str>,
        /// Why.
        why: Arc<str>,
    },
    /// The broker serves, with this policy epoch.
    Started {
        /// Of the policy.
        epoch: u64,
    },
    /// Users, map or certificates were read again.
    Reloaded {
        /// Of the policy from now on.
        epoch: u64,
        /// What changed, or why nothing did.
        what: Arc<str>,
    },
    /// The broker ended in order.
    Stopped,
}

/// Where audit events go.
#[derive(Clone)]
pub struct Audit(Arc<dyn Fn(AuditEvent) + Send + Sync>);

impl Audit {
    /// To this function. It must not block for long: the path of a denial goes through it.
    pub fn new(outlet: impl Fn(AuditEvent) + Send + Sync + 'static) -> Self {
        Self(Arc::new(outlet))
    }

    /// Records an event.
    pub fn record(&self, event: AuditEvent) {
        (self.0)(event);
    }
}

impl fmt::Debug for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Audit")
    }
}
