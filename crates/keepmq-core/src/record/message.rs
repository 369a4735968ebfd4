//! A stored message: envelope, marks and native head in front, the body as it came behind.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use keepmq_model::{
    DeadCause, DeadLetter, Destination, Envelope, Extras, Group, Kind, Marks, Message, MessageId, Native,
    Protocol, Schedule,
};
use keepmq_store::Payload;

use super::wire::{Reader, Writer};

const VERSION: u8 = 1;

const DURABLE: u8 = 1;
const RETAINED: u8 = 2;
const HAS_EXTRAS: u8 = 4;
const HAS_DEAD: u8 = 8;
const HAS_EXPIRED: u8 = 16;

pub(super) fn kind_number(kind: Kind) -> u8 {
    match kind {
        Kind::Queue => 0,
        Kind::Topic => 1,
        Kind::TempQueue => 2,
        Kind::TempTopic => 3,
    }
}

pub(super) fn kind_of(number: u8) -> Option<Kind> {
    [Kind::Queue, Kind::Topic, Kind::TempQueue, Kind::TempTopic]
        .into_iter()
        .find(|k| kind_number(*k) == number)
}

/// Lays a message out for the store. The body is shared, not copied.
pub(crate) fn encode_message(message: &Message, marks: &Marks, scratch: &mut BytesMut) -> Payload {
    let (envelope, native) = (&message.envelope, &message.native);
    scratch.reserve(64 + envelope.destination.name().len() + native.head.len());
    let mut w = Writer(scratch);
    w.u8(VERSION);
    w.u8(flags(envelope, marks));
    w.u8(native.protocol as u8);
    w.u8(native.layout);
    w.u8(envelope.priority);
    for number in [envelope.id.epoch, envelope.id.number, envelope.expires_ms, envelope.timestamp_ms] {
        w.u64(number);
    }
    w.u64(marks.redeliveries.into());
    write_destination(&mut w, &envelope.destination);
    w.optional_text(envelope.user.as_deref());
    if let Some(extras) = &envelope.extras {
        write_extras(&mut w, extras);
    }
    if let Some(dead) = &marks.dead {
        w.u8(dead.cause as u8);
        write_destination(&mut w, &dead.from);
        w.text(&dead.detail);
        if dead.expired_ms != 0 {
            w.u64(dead.expired_ms);
        }
    }
    w.bytes(&native.head);
    Payload { head: scratch.split().freeze(), body: native.body.clone() }
}

fn flags(envelope: &Envelope, marks: &Marks) -> u8 {
    let flag = |set: bool, bit: u8| if set { bit } else { 0 };
    flag(envelope.durable, DURABLE)
        | flag(marks.retained, RETAINED)
        | flag(envelope.extras.is_some(), HAS_EXTRAS)
        | flag(marks.dead.is_some(), HAS_DEAD)
        | flag(marks.dead.as_ref().is_some_and(|dead| dead.expired_ms != 0), HAS_EXPIRED)
}

fn write_destination(w: &mut Writer<'_>, destination: &Destination) {
    w.u8(kind_number(destination.kind()));
    w.text(destination.name());
}

fn write_extras(w: &mut Writer<'_>, extras: &Extras) {
    w.optional_text(extras.group.as_ref().map(|group| &*group.id));
    if let Some(group) = &extras.group {
        w.u64(u32::from_ne_bytes(group.sequence.to_ne_bytes()).into());
    }
    w.optional_text(extras.schedule.as_ref().map(|schedule| &*schedule.cron));
    if let Some(schedule) = &extras.schedule {
        w.u64(schedule.delay_ms);
        w.u64(schedule.period_ms);
        w.u64(schedule.repeat.into());
    }
    w.optional_text(extras.duplicate.as_ref().map(|(sender, _)| &**sender));
    if let Some((_, number)) = &extras.duplicate {
        w.u64(*number);
    }
}

/// Reads a message back; `None` when the bytes are not what was written.
pub(crate) fn decode_message(payload: &[u8]) -> Option<(Message, Marks)> {
    let mut r = Reader(payload);
    if r.u8()? != VERSION {
        return None;
    }
    let flags = r.u8()?;
    let protocol = Protocol::from_u8(r.u8()?)?;
    let layout = r.u8()?;
    let priority = r.u8()?;
    let id = MessageId { epoch: r.u64()?, number: r.u64()? };
    let (expires_ms, timestamp_ms, redeliveries) = (r.u64()?, r.u64()?, r.u32()?);
    let destination = read_destination(&mut r)?;
    let user = r.optional_text().ok()?;
    let extras = if flags & HAS_EXTRAS == 0 { None } else { Some(Box::new(read_extras(&mut r)?)) };
    let dead = if flags & HAS_DEAD == 0 { None } else { Some(Box::new(read_dead(&mut r, flags)?)) };
    let head = r.bytes()?.len();
    let durable = flags & DURABLE != 0;
    let envelope = Envelope { id, destination, durable, priority, expires_ms, timestamp_ms, user, extras };
    // One copy of head and body together: a part of the page that was read would keep the whole page in memory.
    let start = payload.len() - r.0.len() - head;
    let mut head_and_body = Bytes::copy_from_slice(payload.get(start..)?);
    let native = Native { protocol, layout, head: head_and_body.split_to(head), body: head_and_body };
    let retained = flags & RETAINED != 0;
    Some((Message::new(envelope, native), Marks { redeliveries, retained, dead, first_of_group: false }))
}

fn read_destination(r: &mut Reader<'_>) -> Option<Destination> {
    let kind = kind_of(r.u8()?)?;
    Destination::new(kind, r.text()?).ok()
}

fn read_dead(r: &mut Reader<'_>, flags: u8) -> Option<DeadLetter> {
    Some(DeadLetter {
        cause: DeadCause::from_u8(r.u8()?)?,
        from: read_destination(r)?,
        detail: r.shared_text()?,
        expired_ms: if flags & HAS_EXPIRED == 0 { 0 } else { r.u64()? },
    })
}

fn read_extras(r: &mut Reader<'_>) -> Option<Extras> {
    let text = |text: Arc<str>| (&*text).into();
    let mut extras = Extras::default();
    if let Some(id) = r.optional_text().ok()? {
        extras.group = Some(Group { id: text(id), sequence: i32::from_ne_bytes(r.u32()?.to_ne_bytes()) });
    }
    if let Some(cron) = r.optional_text().ok()? {
        let (delay_ms, period_ms, repeat) = (r.u64()?, r.u64()?, r.u32()?);
        extras.schedule = Some(Schedule { delay_ms, period_ms, repeat, cron: text(cron) });
    }
    if let Some(sender) = r.optional_text().ok()? {
        extras.duplicate = Some((text(sender), r.u64()?));
    }
    Some(extras)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn some_message() -> impl Strategy<Value = (Envelope, Native, Marks)> {
        let text = || "[a-zäß.]{1,20}";
        let group = (text(), any::<i32>()).prop_map(|(id, sequence)| Group { id: id.into(), sequence });
        let schedule =
            (any::<u64>(), any::<u64>(), any::<u32>(), "[*0-9 ]{0,9}").prop_map(|(d, p, repeat, cron)| {
                Schedule { delay_ms: d, period_ms: p, repeat, cron: cron.into() }
            });
        let extras = (proptest::option::of(group), proptest::option::of(schedule), any::<Option<u64>>());
        let extras = extras.prop_map(|(group, schedule, duplicate)| {
            Box::new(Extras { group, schedule, duplicate: duplicate.map(|n| ("producer".into(), n)) })
        });
        let numbers = (any::<u64>(), any::<u64>(), any::<u64>(), any::<u64>(), any::<u32>());
        let bytes = || proptest::collection::vec(any::<u8>(), 0..200).prop_map(Bytes::from);
        let rest = (any::<bool>(), 0u8..10, proptest::option::of(extras), any::<bool>(), any::<bool>());
        (numbers, text(), bytes(), bytes(), rest).prop_map(|(numbers, name, head, body, rest)| {
            let mut envelope = Envelope::new(Destination::queue(&name).unwrap());
            envelope.id = MessageId { epoch: numbers.0, number: numbers.1 };
            (envelope.expires_ms, envelope.timestamp_ms) = (numbers.2, numbers.3);
            (envelope.durable, envelope.priority, envelope.extras) = (rest.0, rest.1, rest.2);
            envelope.user = rest.3.then(|| name.clone().into());
            let dead = rest.4.then(|| {
                let from = Destination::topic(&name).unwrap();
                let expired_ms = numbers.2 % 2;
                Box::new(DeadLetter { cause: DeadCause::Rejected, from, detail: "why".into(), expired_ms })
            });
            let native = Native { protocol: Protocol::Stomp, layout: 3, head, body };
            (
                envelope,
                native,
                Marks { redeliveries: numbers.4, retained: rest.3, dead, first_of_group: false },
            )
        })
    }

    fn encoded(envelope: Envelope, native: Native, marks: &Marks) -> Vec<u8> {
        let payload = encode_message(&Message::new(envelope, native), marks, &mut BytesMut::new());
        [&payload.head[..], &payload.body[..]].concat()
    }

    proptest! {
        #[test]
        fn a_message_comes_back_as_it_was((envelope, native, marks) in some_message()) {
            let bytes = encoded(envelope.clone(), native.clone(), &marks);
            let (message, found) = decode_message(&bytes).unwrap();
            prop_assert_eq!(&message.envelope, &envelope);
            prop_assert_eq!(&message.native, &native);
            prop_assert_eq!(found, marks);
        }

        #[test]
        fn damaged_records_are_refused_or_read_but_never_panic(
            (envelope, native, marks) in some_message(), changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut bytes = encoded(envelope, native, &marks);
            for (place, value) in changes {
                let place = place.index(bytes.len());
                bytes[place] = value;
            }
            let _ = decode_message(&bytes);
            let _ = decode_message(&bytes[..cut.index(bytes.len())]);
        }
    }
}
