use bytes::Bytes;
use proptest::prelude::*;

use super::*;

/// A change with its own bytes, to be written and compared with what is read.
#[derive(Clone, Debug)]
enum Change {
    Put(Vec<(u64, u64, u64)>, Vec<u8>, Vec<u8>, bool),
    Release(u64, u64),
    Truncate(u64, u64, u64),
    Set(Vec<u8>, Vec<u8>),
    Unset(Vec<u8>),
    Opening(u64, u32, u32),
}

fn change() -> impl Strategy<Value = Change> {
    let bytes = || proptest::collection::vec(any::<u8>(), 0..40);
    let target = (0..5_u64, any::<u64>(), 0..1000_u64);
    prop_oneof![
        (proptest::collection::vec(target, 1..6), bytes(), bytes(), any::<bool>())
            .prop_map(|(targets, head, body, moved)| Change::Put(targets, head, body, moved)),
        any::<(u64, u64)>().prop_map(|(stream, seq)| Change::Release(stream, seq)),
        any::<(u64, u64, u64)>().prop_map(|(stream, from, through)| Change::Truncate(stream, from, through)),
        (bytes(), bytes()).prop_map(|(key, value)| Change::Set(key, value)),
        bytes().prop_map(Change::Unset),
        any::<(u64, u32, u32)>().prop_map(|(id, frames, end)| Change::Opening(id, frames, end)),
    ]
}

fn at(stream: u64, seq: u64) -> Locator {
    Locator { stream: StreamId(stream), seq }
}

fn targets(list: &[(u64, u64, u64)]) -> Targets {
    list.iter().map(|(stream, seq, meta)| Target { at: at(*stream, *seq), meta: *meta }).collect()
}

fn write(changes: &[Change]) -> Vec<u8> {
    let (mut out, mut encoder) = (Vec::new(), Encoder::default());
    for change in changes {
        match change {
            Change::Put(list, head, body, moved) => {
                let payload = Payload { head: Bytes::from(head.clone()), body: Bytes::from(body.clone()) };
                let lies = encoder.put(&mut out, &targets(list), &payload, *moved);
                assert_eq!(lies + payload.len(), out.len());
            }
            Change::Release(stream, seq) => encoder.release(&mut out, at(*stream, *seq)),
            Change::Truncate(stream, from, through) => {
                encoder.truncate(&mut out, StreamId(*stream), *from, *through);
            }
            Change::Set(key, value) => put_set(&mut out, key, value),
            Change::Unset(key) => put_unset(&mut out, key),
            Change::Opening(segment, frames, end) => {
                put_opening(&mut out, Opening { segment: *segment, frames: *frames, end: *end });
            }
        }
    }
    out
}

fn same(change: &Change, record: &Record<'_>, frame: &[u8]) -> bool {
    match (change, record) {
        (Change::Put(list, head, body, moved), Record::Put { targets: read, payload, moved: was }) => {
            let from = payload.offset as usize;
            let bytes = &frame[from..from + payload.len as usize];
            targets(list) == *read && [&head[..], &body[..]].concat() == bytes && moved == was
        }
        (Change::Release(stream, seq), Record::Release(read)) => at(*stream, *seq) == *read,
        (Change::Truncate(stream, first, last), Record::Truncate { stream: read, from, through }) => {
            (*stream, *first, *last) == (read.0, *from, *through)
        }
        (Change::Set(key, value), Record::Set { key: read, value: also }) => key == read && value == also,
        (Change::Unset(key), Record::Unset { key: read }) => key == read,
        (Change::Opening(segment, frames, end), Record::Opening(read)) => {
            *read == Opening { segment: *segment, frames: *frames, end: *end }
        }
        _ => false,
    }
}

proptest! {
    #[test]
    fn records_are_read_as_written(changes in proptest::collection::vec(change(), 0..20)) {
        let frame = write(&changes);
        let records: Vec<_> = Records::new(&frame).collect::<Result<_, _>>().unwrap();
        prop_assert_eq!(records.len(), changes.len());
        for (change, record) in changes.iter().zip(&records) {
            prop_assert!(same(change, record, &frame), "{:?} was read as {:?}", change, record);
        }
    }

    #[test]
    fn a_changed_frame_is_read_or_refused_without_panic(
        changes in proptest::collection::vec(change(), 1..10),
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut: prop::sample::Index,
    ) {
        let mut frame = write(&changes);
        for (at, byte) in edits {
            let at = at.index(frame.len());
            frame[at] = byte;
        }
        frame.truncate(cut.index(frame.len() + 1));
        bounded(&frame);
    }

    #[test]
    fn garbage_is_read_or_refused_without_panic(frame: Vec<u8>) {
        bounded(&frame);
    }
}

/// Reads everything and checks that nothing points outside and no list is longer than the bytes allow.
fn bounded(frame: &[u8]) {
    for record in Records::new(frame).flatten() {
        if let Record::Put { targets, payload, .. } = record {
            assert!(payload.offset as usize + payload.len as usize <= frame.len());
            assert!(targets.len() <= frame.len());
        }
    }
}

#[test]
fn a_neighbour_in_the_same_stream_costs_a_few_bytes() {
    let (mut out, mut encoder) = (Vec::new(), Encoder::default());
    encoder.release(&mut out, at(u64::MAX, 1 << 40));
    let first = out.len();
    encoder.release(&mut out, at(u64::MAX, (1 << 40) + 1));
    assert_eq!(out.len() - first, 3);
}

#[test]
fn ten_thousand_subscribers_cost_a_few_bytes_each() {
    let list: Vec<_> = (0..10_000).map(|stream| (stream, 700 + stream % 50, 1_700_000_000_000)).collect();
    let frame = write(&[Change::Put(list, vec![], vec![0; 256], false)]);
    assert!(frame.len() < 256 + 10_000 * 4, "{} bytes", frame.len());
}

#[test]
fn an_unknown_kind_of_record_is_named() {
    let fault = Records::new(&[99]).next().unwrap().unwrap_err();
    assert_eq!(fault.what, "a record of an unknown kind");
}
