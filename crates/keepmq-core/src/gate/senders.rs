//! What senders have sent, by their own numbers: a client whose connection broke sends again what was not answered, and
//! that must not come twice.
//!
//! Numbers of one sender rise. The highest is stored with the messages; a lower or equal one is a copy. Senders belong to
//! their user: nobody can make another's messages look like copies.

use std::collections::VecDeque;

use bytes::Bytes;
use hashbrown::{HashMap, HashSet};
use keepmq_model::Tag;
use parking_lot::Mutex;

use super::Gate;
use super::client::{Ask, Client};
use crate::record::{set_sender, unset_sender};
use crate::shard::Input;

/// The longest name that is remembered; the store takes no longer key.
const LONGEST: usize = 1000;

/// What senders have sent.
#[derive(Debug, Default)]
pub(super) struct Senders(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    highest: HashMap<Bytes, u64>,
    /// Names, those that came first in front; some of them may be gone.
    order: VecDeque<Bytes>,
}

/// Whether a message was sent before.
#[derive(Debug, PartialEq, Eq)]
enum Sent {
    /// It was not; the sender that is forgotten in its place, if there are too many.
    New(Option<Bytes>),
    /// It was, and the highest number of its sender is this.
    Before(u64),
}

impl Known {
    fn send(&mut self, sender: &Bytes, number: u64, most: usize) -> Sent {
        if let Some(highest) = self.highest.get_mut(sender) {
            if number <= *highest {
                return Sent::Before(*highest);
            }
            *highest = number;
            return Sent::New(None);
        }
        self.highest.insert(sender.clone(), number);
        self.order.push_back(sender.clone());
        if self.order.len() > 2 * self.highest.len() + 64 {
            let (highest, mut seen) = (&self.highest, HashSet::new());
            self.order.retain(|sender| highest.contains_key(sender) && seen.insert(sender.clone()));
        }
        while self.highest.len() > most {
            let Some(oldest) = self.order.pop_front() else { break };
            if self.highest.remove(&oldest).is_some() {
                return Sent::New(Some(oldest));
            }
        }
        Sent::New(None)
    }
}

impl Senders {
    /// Brings back what the store holds.
    pub(super) fn recover(&self, sender: Bytes, number: u64) {
        let mut known = self.0.lock();
        known.order.push_back(sender.clone());
        known.highest.insert(sender, number);
    }
}

/// A sender's name in the store.
fn name(user: &str, sender: &str) -> Option<Bytes> {
    let name = [user.as_bytes(), b"\0", sender.as_bytes()].concat();
    (name.len() <= LONGEST).then(|| name.into())
}

impl Client {
    /// Notes that a sender sends the message of this number. Says whether it did so before: then that is answered, once
    /// the first one is safe.
    pub(super) fn is_copy(&mut self, user: &str, sender: &str, number: u64, tag: Option<Tag>) -> bool {
        let Some(name) = name(user, sender) else { return false };
        let most = self.gate.shell.limits.remembered_senders;
        let sent = self.gate.senders.0.lock().send(&name, number, most);
        match sent {
            Sent::New(forgotten) => {
                if let Some(forgotten) = forgotten {
                    self.define_later(unset_sender(&forgotten));
                }
                match self.numbers.last_mut().filter(|(last, _)| *last == name) {
                    Some((_, highest)) => *highest = number,
                    None => self.numbers.push((name, number)),
                }
                false
            }
            Sent::Before(highest) => {
                let ask = self.ask(tag, 1);
                let op = set_sender(&name, highest);
                self.push(0, Input::Define { op, waits: true }, ask);
                true
            }
        }
    }

    /// Has the store forget or keep something with whatever comes next.
    fn define_later(&mut self, op: keepmq_store::Op) {
        self.push(0, Input::Define { op, waits: false }, Ask::Nothing);
    }

    /// Stores what senders have sent, behind their messages: what is stored of the log is always its beginning.
    pub(super) fn store_numbers(&mut self, last_shard: u16) {
        for (name, number) in std::mem::take(&mut self.numbers) {
            let define = Input::Define { op: set_sender(&name, number), waits: false };
            self.push(last_shard, define, Ask::Nothing);
        }
    }

    /// A sender is over: it will send nothing again.
    pub(super) fn end_sender(&mut self, user: &str, sender: &str) {
        let Some(name) = name(user, sender) else { return };
        if self.gate.senders.0.lock().highest.remove(&name).is_some() {
            self.numbers.retain(|(other, _)| *other != name);
            self.define_later(unset_sender(&name));
        }
    }
}

impl Gate {
    pub(super) fn recover_sender(&self, name: Bytes, value: &[u8]) -> Option<()> {
        self.senders.recover(name, u64::from_be_bytes(value.try_into().ok()?));
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_rise_and_the_oldest_sender_is_forgotten() {
        let mut known = Known::default();
        let sender = |n: u8| Bytes::copy_from_slice(&[n]);
        assert_eq!(known.send(&sender(1), 5, 2), Sent::New(None));
        assert_eq!(known.send(&sender(1), 5, 2), Sent::Before(5));
        assert_eq!(known.send(&sender(1), 3, 2), Sent::Before(5));
        assert_eq!(known.send(&sender(1), 6, 2), Sent::New(None));
        assert_eq!(known.send(&sender(2), 1, 2), Sent::New(None));
        assert_eq!(known.send(&sender(3), 1, 2), Sent::New(Some(sender(1))));
        for round in 0..1000 {
            known.highest.remove(&sender(2));
            known.send(&sender(2), round, 2);
        }
        assert!(known.order.len() < 100, "{}", known.order.len());
    }
}
