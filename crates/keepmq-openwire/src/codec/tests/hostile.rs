//! Bytes of nobody: whatever comes is read or refused, and costs no more than it is long.

use bytes::BytesMut;
use keepmq_model::Outgoing;
use proptest::prelude::*;

use super::super::negotiation::{Negotiated, Offer};
use super::super::wire_format::WireFormat;
use super::vectors::{lines, unhex};

fn format(version: u8, tight: bool, cache: bool) -> WireFormat {
    let mut format = WireFormat::new(1 << 20);
    format.negotiated(&Negotiated {
        version,
        tight,
        cache: cache.then_some(1024),
        stack_traces: version.is_multiple_of(2),
        max_inactivity_ms: 0,
        initial_delay_ms: 0,
    });
    format
}

/// Reads until nothing more can be read; what was read can be written.
fn read_all(bytes: &[u8], mut format: WireFormat) {
    let mut input = BytesMut::from(bytes);
    let mut out = Outgoing::default();
    while let Ok(Some(command)) = format.decode(&mut input) {
        format.encode(&command, &mut out);
    }
}

fn frame(body: &[u8]) -> Vec<u8> {
    let mut frame = u32::try_from(body.len()).unwrap().to_be_bytes().to_vec();
    frame.extend_from_slice(body);
    frame
}

#[test]
fn a_length_is_judged_before_anything_is_kept() {
    for claim in [u32::MAX, 1 << 31, (1 << 20) + 1, i32::MAX.unsigned_abs()] {
        let mut input = BytesMut::from(&claim.to_be_bytes()[..]);
        let before = input.capacity();
        assert!(WireFormat::new(1 << 20).decode(&mut input).is_err(), "{claim}");
        assert!(input.capacity() <= before);
    }
}

#[test]
fn objects_in_objects_end_somewhere() {
    // DataResponse (32) of DataResponse of … in the loose encoding: id, flag, correlation, then "not null".
    let one = [32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    let body: Vec<u8> = one.iter().copied().cycle().take(one.len() * 10_000).collect();
    let fault = format(12, false, false).decode(&mut BytesMut::from(&frame(&body)[..])).unwrap_err();
    assert!(fault.text().contains("too deep"), "{fault}");
}

#[test]
fn a_cache_may_not_be_filled_without_end() {
    // ConnectionId (120) in ConnectionInfo (3): the rest of each frame is absent.
    let mut format = format(12, false, true);
    let mut refused = false;
    for index in 0..1024u16 {
        let name = vec![b'x'; 60_000];
        let mut body = vec![3, 0, 0, 0, 0, 0, 1];
        body.extend_from_slice(&index.to_be_bytes());
        body.extend_from_slice(&[1, 120, 1]);
        body.extend_from_slice(&u16::try_from(name.len()).unwrap().to_be_bytes());
        body.extend_from_slice(&name);
        body.extend_from_slice(&[0; 10]);
        refused |= format.decode(&mut BytesMut::from(&frame(&body)[..])).is_err();
    }
    assert!(refused);
}

#[test]
fn mutated_frames_are_read_or_refused() {
    for version in [1u8, 5, 9, 12] {
        for (place, vector) in lines(&format!("commands-v{version:02}.jsonl")).iter().enumerate() {
            let bytes = unhex(vector["hex"].as_str().unwrap());
            let tight = vector["tight"].as_bool().unwrap();
            for step in 0..bytes.len() {
                let mut changed = bytes.clone();
                changed[step] = changed[step].wrapping_add(u8::try_from(1 + (place + step) % 255).unwrap());
                read_all(&changed, format(version, tight, place % 2 == 0));
            }
        }
    }
}

#[test]
fn any_bytes() {
    bolero::check!().for_each(|bytes: &[u8]| {
        let Some((first, rest)) = bytes.split_first() else { return };
        let manner = format(1 + first % 12, first & 16 != 0, first & 32 != 0);
        read_all(&frame(rest), manner);
        read_all(rest, format(12, true, true));
    });
}

proptest! {
    #[test]
    fn an_offer_is_read_or_refused(bytes in any::<Vec<u8>>(), version in any::<i32>()) {
        let mut info = Offer::default().info("1");
        info.version = version;
        info.marshalled_properties = Some(bytes.into());
        if let Ok(offer) = Offer::read(&info) {
            let _ = Offer::default().negotiate(&offer);
        }
    }
}

#[test]
fn an_offer_is_read_as_it_was_made() {
    let offer = Offer::default();
    assert_eq!(Offer::read(&offer.info("1.0")).unwrap(), offer);
    let agreed =
        offer.negotiate(&Offer { version: 9, cache_size: 0, max_inactivity_ms: 0, ..offer.clone() }).unwrap();
    assert_eq!((agreed.version, agreed.cache, agreed.max_inactivity_ms), (9, Some(1024), 0));
    for bad in [Offer { version: 0, ..offer.clone() }, Offer { cache_size: 50, ..offer.clone() }] {
        assert!(offer.negotiate(&bad).is_err(), "{bad:?}");
    }
}
