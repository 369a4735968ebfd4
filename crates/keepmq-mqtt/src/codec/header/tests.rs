//! Fixed headers, right and wrong.

use super::*;
use proptest::prelude::*;

fn read(bytes: &[u8]) -> Result<Option<Header>, Fault> {
    Header::read(Version::V311, bytes, usize::MAX)
}

/// The table of section 2.2.3.
#[test]
fn lengths_are_those_of_the_specification() {
    let table: [(usize, &[u8]); 8] = [
        (0, &[0]),
        (127, &[0x7f]),
        (128, &[0x80, 0x01]),
        (16_383, &[0xff, 0x7f]),
        (16_384, &[0x80, 0x80, 0x01]),
        (2_097_151, &[0xff, 0xff, 0x7f]),
        (2_097_152, &[0x80, 0x80, 0x80, 0x01]),
        (MAX_LENGTH, &[0xff, 0xff, 0xff, 0x7f]),
    ];
    for (length, bytes) in table {
        assert_eq!(read_length(bytes), Ok(Some((length, bytes.len()))));
        let mut out = BytesMut::new();
        put_header(&mut out, PacketType::Publish, 0, length);
        assert_eq!(out[1..], *bytes);
        for cut in 0..bytes.len() {
            assert_eq!(read_length(&bytes[..cut]), Ok(None), "{length} cut at {cut}");
        }
    }
}

#[test]
fn a_length_of_five_bytes_is_refused_at_its_fourth() {
    assert_eq!(read(&[0x30, 0xff, 0xff, 0xff, 0xff]), Err(Fault::LongLength));
    assert_eq!(read(&[0x30, 0xff, 0xff, 0xff]), Ok(None));
    assert_eq!(read(&[0x30, 0xff, 0xff, 0xff, 0xff, 0x01]), Err(Fault::LongLength));
}

#[test]
fn a_length_not_in_its_shortest_form_is_refused() {
    for padded in [&[0x80u8, 0x00][..], &[0xff, 0x80, 0x00], &[0x80, 0x80, 0x80, 0x00]] {
        assert_eq!(read_length(padded), Err(Fault::PaddedLength));
    }
}

#[test]
fn the_limit_counts_the_whole_packet_and_is_known_from_the_header() {
    let huge = [0x30, 0xff, 0xff, 0xff, 0x7f];
    let length = MAX_LENGTH + 5;
    assert_eq!(Header::read(Version::V311, &huge, 1000), Err(Fault::TooLarge { length, limit: 1000 }));
    assert!(Header::read(Version::V311, &[0x30, 98], 100).unwrap().is_some());
    assert!(Header::read(Version::V311, &[0x30, 99], 100).is_err());
}

#[test]
fn reserved_types_are_refused_by_their_first_byte() {
    assert_eq!(read(&[0x00]), Err(Fault::ReservedType(0)));
    assert_eq!(read(&[0xf0]), Err(Fault::ReservedType(15)));
    assert_eq!(read(&[]), Ok(None));
}

/// [MQTT-2.2.2-1], [MQTT-2.2.2-2], [MQTT-3.6.1-1], [MQTT-3.8.1-1], [MQTT-3.10.1-1], [MQTT-3.14.1-1]
#[test]
fn wrong_flags_are_refused_by_the_first_byte() {
    for packet in PacketType::ALL {
        for flags in 0..16u8 {
            let right = match packet {
                PacketType::Publish => flags >> 1 & 3 != 3 && (flags & DUP == 0 || flags >> 1 & 3 != 0),
                PacketType::PubRel | PacketType::Subscribe | PacketType::Unsubscribe => flags == 2,
                _ => flags == 0,
            };
            let read = read(&[packet.first_byte(flags), 0]);
            assert_eq!(read.is_ok(), right, "{} with {flags:04b}", packet.name());
        }
    }
}

#[test]
fn a_repeated_request_of_version_3_1_carries_dup() {
    for packet in [PacketType::PubRel, PacketType::Subscribe, PacketType::Unsubscribe] {
        let bytes = [packet.first_byte(0b1010), 0];
        assert!(Header::read(Version::V31, &bytes, 9).is_ok());
        assert!(Header::read(Version::V311, &bytes, 9).is_err());
    }
    assert!(Header::read(Version::V31, &[PacketType::PubAck.first_byte(DUP), 0], 9).is_err());
    assert!(Header::read(Version::V31, &[PacketType::Publish.first_byte(DUP), 0], 9).is_ok());
}

proptest! {
    #[test]
    fn headers_are_read_back(length in 0..=MAX_LENGTH, dup in any::<bool>(), trailing in any::<[u8; 3]>()) {
        let flags = 0b0010 | if dup { DUP } else { 0 };
        let mut out = BytesMut::new();
        put_header(&mut out, PacketType::Publish, flags, length);
        let start = out.len();
        out.extend_from_slice(&trailing);
        let wanted = Header { packet: PacketType::Publish, flags, start, length };
        prop_assert_eq!(read(&out), Ok(Some(wanted)));
    }
}
