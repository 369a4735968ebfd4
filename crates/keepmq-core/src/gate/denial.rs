//! How a no of the policy becomes a refusal, an audit record and a number that leads from one to the other.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use keepmq_model::{DecisionId, Refusal, RefusalKind};
use keepmq_policy::{AuditEvent, DecisionRecord, Denial};

use super::Gate;
use super::client::Peer;

impl Gate {
    /// A number by which the decision that comes next is found again.
    pub fn next_decision(&self) -> DecisionId {
        DecisionId { epoch: self.run, number: self.next_decision.fetch_add(1, Ordering::Relaxed) }
    }

    /// Records a denial and makes the refusal that the peer gets.
    pub(super) fn deny(&self, peer: &Peer, denial: Denial) -> Refusal {
        let id = self.next_decision();
        let mut refusal = Refusal::new(RefusalKind::Forbidden, denial.to_string());
        refusal.decision = Some(id);
        self.denials.fetch_add(1, Ordering::Relaxed);
        self.audit.record(AuditEvent::Denied(DecisionRecord {
            id,
            connection: peer.connection,
            peer: Arc::clone(&peer.address),
            listener: Arc::clone(&peer.listener),
            denial,
        }));
        refusal
    }
}
