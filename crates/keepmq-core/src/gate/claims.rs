//! Client ids: one connection holds one at a time.

use std::sync::Arc;

use hashbrown::HashMap;
use keepmq_model::{Event, Principal, Refusal, RefusalKind};
use parking_lot::Mutex;

use crate::outbox::Outbox;

#[derive(Debug)]
struct Claim {
    user: Arc<str>,
    outbox: Arc<Outbox>,
}

/// Who holds which client id.
#[derive(Debug, Default)]
pub(super) struct Claims(Mutex<HashMap<Arc<str>, Claim>>);

impl Claims {
    /// Claims a client id. An older connection of the same user is told to end if `take_over` says so.
    pub(super) fn claim(
        &self,
        client_id: &Arc<str>,
        who: &Principal,
        take_over: bool,
        outbox: &Arc<Outbox>,
    ) -> Result<(), Refusal> {
        let mut claims = self.0.lock();
        if let Some(older) = claims.get(client_id) {
            // Whoever could take over another user's client id could end their connection and read their backlog.
            if !take_over || older.user != who.name {
                let text = format!("client id {client_id} is in use by another connection");
                return Err(Refusal::new(RefusalKind::Conflict, text));
            }
            let text = "another connection of the same user took over the client id";
            let refusal = Refusal::new(RefusalKind::Conflict, text);
            older.outbox.put(std::iter::once(Event::Ending { refusal }));
            older.outbox.ring();
        }
        let claim = Claim { user: Arc::clone(&who.name), outbox: Arc::clone(outbox) };
        claims.insert(Arc::clone(client_id), claim);
        Ok(())
    }

    /// Lets a client id go, if this connection still holds it.
    pub(super) fn release(&self, client_id: &Arc<str>, outbox: &Arc<Outbox>) {
        let mut claims = self.0.lock();
        if claims.get(client_id).is_some_and(|claim| Arc::ptr_eq(&claim.outbox, outbox)) {
            claims.remove(client_id);
        }
    }

    /// Whether this connection still holds it.
    pub(super) fn holds(&self, client_id: &Arc<str>, outbox: &Arc<Outbox>) -> bool {
        self.0.lock().get(client_id).is_some_and(|claim| Arc::ptr_eq(&claim.outbox, outbox))
    }
}
