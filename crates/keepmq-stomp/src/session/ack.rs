//! What became of messages ("ACK" and "NACK" in each version).
//!
//! 1.2 names a delivery by the `ack` header of its MESSAGE frame, which is the subscription's number and the delivery's
//! place in its order. 1.1 and 1.0 name it by the message's id, which is looked for among what the subscription, or in
//! 1.0 any of them, has not acknowledged.

use keepmq_model::{Io, LinkId, MessageId, Outcome, Refusal, Settle, TxId, Verb};

use super::answers::Awaited;
use super::heartbeat::digits;
use super::link::{Link, Mode};
use super::outstanding::{Place, Reach, Run};
use super::{Halt, StompSession};
use crate::codec::{Command, Frame, Version};
use crate::refusal::{malformed, not_found, shown, unsupported};

/// What a frame speaks of.
enum Target {
    /// A delivery that nothing was said about.
    Held(LinkId, Place),
    /// A message that was only looked at: there is nothing to settle.
    Looked,
}

/// How the runs of one frame are settled.
struct Settling {
    link: LinkId,
    outcome: Outcome,
    tx: Option<TxId>,
}

impl StompSession {
    pub(super) fn acknowledge(&mut self, frame: &Frame, io: &mut Io<'_>) -> Result<(), Halt> {
        let outcome = self.outcome(frame)?;
        let receipt = self.receipt(frame)?;
        let tx = self.transactions.find(frame.get("transaction"))?;
        let Target::Held(link, place) = self.target(frame)? else {
            self.confirm(receipt.as_deref(), io);
            return Ok(());
        };
        if let Some(tx) = tx {
            self.transactions.touch(tx, link);
        }
        let Some(held) = self.links.get_mut(link) else {
            return Ok(());
        };
        let reach = match held.mode {
            Mode::Client => Reach::Cumulative,
            _ => Reach::Single,
        };
        let runs = held.outstanding.settle(place, reach, tx).take();
        self.settle(&Settling { link, outcome, tx }, &runs, receipt, io);
        Ok(())
    }

    /// NACK counts as a failed try, and puts the message aside at once when the client says `requeue:false`.
    fn outcome(&self, frame: &Frame) -> Result<Outcome, Refusal> {
        if frame.command() == Command::Ack {
            return Ok(Outcome::Accepted);
        }
        if self.version == Version::V1_0 {
            return Err(unsupported("NACK in STOMP 1.0; accept version 1.1 or 1.2 when connecting"));
        }
        Ok(match frame.get("requeue") {
            Some("false") => Outcome::Rejected,
            _ => Outcome::Failed,
        })
    }

    /// One verb for each run; the receipt is given when the broker has done all of them.
    fn settle(&mut self, how: &Settling, runs: &[Run], receipt: Option<Box<str>>, io: &mut Io<'_>) {
        let group = receipt.map(|receipt| self.answers.group(runs.len(), Some(receipt)));
        for run in runs {
            let tag = group.map(|group| self.answers.expect(Awaited::Group(group)));
            io.say.push(Verb::Settle(Settle {
                link: how.link,
                leg: run.leg,
                from: run.from,
                through: run.through,
                outcome: how.outcome,
                tx: how.tx,
                tag,
                reason: None,
            }));
        }
    }

    fn target(&self, frame: &Frame) -> Result<Target, Refusal> {
        match self.version {
            Version::V1_2 => self.by_ack(wanted(frame, "id")?),
            Version::V1_1 => {
                let name = wanted(frame, "subscription")?;
                self.by_message(wanted(frame, "message-id")?, Some(name))
            }
            Version::V1_0 => self.by_message(wanted(frame, "message-id")?, frame.get("subscription")),
        }
    }

    /// By what the MESSAGE frame's `ack` header said.
    fn by_ack(&self, ack: &str) -> Result<Target, Refusal> {
        read_ack(ack)
            .and_then(|(link, sequence)| {
                let link = self.links.get(link)?;
                of_link(link, |link| link.outstanding.find(sequence))
            })
            .ok_or_else(|| not_outstanding(ack))
    }

    fn by_message(&self, id: &str, subscription: Option<&str>) -> Result<Target, Refusal> {
        let missing = || not_outstanding(id);
        let message = read_message_id(id).ok_or_else(missing)?;
        let find = |link: &Link| link.outstanding.find_message(message);
        let link = match subscription {
            Some(name) => self.links.named(name),
            None => self.links.find(|link| find(link).is_some()),
        };
        link.and_then(|link| self.links.get(link)).and_then(|link| of_link(link, find)).ok_or_else(missing)
    }
}

fn of_link(link: &Link, find: impl Fn(&Link) -> Option<Place>) -> Option<Target> {
    match link.mode {
        Mode::Browse { ack: true } => Some(Target::Looked),
        _ => find(link).map(|place| Target::Held(link.id, place)),
    }
}

fn wanted<'f>(frame: &'f Frame, name: &str) -> Result<&'f str, Refusal> {
    frame.get(name).ok_or_else(|| malformed(format!("{} needs the header {name}", frame.command().text())))
}

fn not_outstanding(id: &str) -> Refusal {
    not_found(format!("no message of this connection waits for an acknowledgement as {}", shown(id)))
}

/// Reads what [`super::deliver`] writes: the link and the place in its order.
fn read_ack(ack: &str) -> Option<(LinkId, u64)> {
    let (link, sequence) = ack.split_once('-')?;
    let link = u32::try_from(digits(link)?).ok()?;
    Some((LinkId(link), digits(sequence)?))
}

/// Reads what [`MessageId`] prints.
fn read_message_id(text: &str) -> Option<MessageId> {
    let (epoch, number) = text.strip_prefix("ID:keepmq-")?.split_once('-')?;
    if epoch.starts_with('+') {
        return None;
    }
    Some(MessageId { epoch: u64::from_str_radix(epoch, 16).ok()?, number: digits(number)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_whole_ids_are_read() {
        assert_eq!(read_ack("3-17"), Some((LinkId(3), 17)));
        for wrong in ["", "-", "3", "3-", "-3", "3-1-2", "+3-1", "3-+1", "4294967296-1", " 3-1"] {
            assert_eq!(read_ack(wrong), None, "{wrong}");
        }
        for wrong in [
            "",
            "ID:keepmq-",
            "ID:keepmq-1",
            "ID:keepmq-+1-1",
            "ID:keepmq-1-+1",
            "ID:keepmq-g-1",
            "keepmq-1-1",
        ] {
            assert_eq!(read_message_id(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn a_message_id_is_read_as_it_is_printed(epoch in any::<u64>(), number in any::<u64>()) {
            let id = MessageId { epoch, number };
            prop_assert_eq!(read_message_id(&id.to_string()), Some(id));
        }
    }
}
