//! Vectors: each packet as the specification spells it, read whole, cut at every offset, and written back.

use bytes::BytesMut;

use super::*;

const V31: Version = Version::V31;
const V311: Version = Version::V311;

fn id(number: u16) -> PacketId {
    PacketId::new(number).unwrap()
}

fn decode(version: Version, bytes: &[u8]) -> Result<Option<Packet<'_>>, Fault> {
    let Some(header) = Header::read(version, bytes, MAX_LENGTH)? else {
        return Ok(None);
    };
    match bytes.get(header.start..header.total()) {
        Some(body) => Packet::decode(&header, body).map(Some),
        None => Ok(None),
    }
}

fn encode(packet: &Packet<'_>) -> BytesMut {
    let mut out = BytesMut::new();
    packet.encode(&mut out);
    out
}

/// The bytes are this packet; every beginning of them is incomplete; the packet is these bytes.
#[track_caller]
fn is(version: Version, bytes: &[u8], packet: &Packet<'_>) {
    assert_eq!(decode(version, bytes).unwrap().as_ref(), Some(packet));
    for cut in 0..bytes.len() {
        assert_eq!(decode(version, &bytes[..cut]), Ok(None), "cut at {cut}");
    }
    assert_eq!(encode(packet)[..], *bytes);
}

/// The same body, but the fixed header announces what is left after a cut: a fault at every offset, but for the listed ones,
/// where the packet may end.
#[track_caller]
fn cannot_end_within(version: Version, bytes: &[u8], may_end: &[usize]) {
    let header = Header::read(version, bytes, MAX_LENGTH).unwrap().unwrap();
    let body = &bytes[header.start..];
    for cut in 0..body.len() {
        let header = Header { length: cut, ..header };
        let decoded = Packet::decode(&header, &body[..cut]);
        assert_eq!(decoded.is_ok(), may_end.contains(&cut), "cut at {cut}: {decoded:?}");
    }
}

#[track_caller]
fn refused(version: Version, bytes: &[u8], fault: Fault) {
    assert_eq!(decode(version, bytes), Err(fault));
}

const FULL_CONNECT: &[u8] =
    b"\x10\x22\0\x04MQTT\x04\xf6\0\x0a\0\x03cid\0\x03w/t\0\x03\0\x01\x02\0\x04user\0\x01\xff";

fn full_connect() -> Connect<'static> {
    Connect {
        version: V311,
        clean_session: true,
        keep_alive: 10,
        client_id: "cid",
        will: Some(Will { topic: "w/t", payload: &[0, 1, 2], qos: Qos::ExactlyOnce, retain: true }),
        user: Some("user"),
        password: Some(Password(&[0xff])),
    }
}

/// [MQTT-3.1.3-1], [MQTT-3.1.3-3], [MQTT-3.1.2-19], [MQTT-3.1.2-21]
#[test]
fn connect_with_everything() {
    is(V311, FULL_CONNECT, &Packet::Connect(full_connect()));
    cannot_end_within(V311, FULL_CONNECT, &[]);
}

/// [MQTT-3.1.2-11], [MQTT-3.1.2-18], [MQTT-3.1.2-20]
#[test]
fn connect_with_nothing_in_both_versions() {
    let mut connect =
        Connect { clean_session: false, will: None, user: None, password: None, ..full_connect() };
    let bytes = [0x10, 15, 0, 4, b'M', b'Q', b'T', b'T', 4, 0, 0, 10, 0, 3, b'c', b'i', b'd'];
    is(V311, &bytes, &Packet::Connect(connect.clone()));
    connect.version = V31;
    let bytes = [0x10, 17, 0, 6, b'M', b'Q', b'I', b's', b'd', b'p', 3, 0, 0, 10, 0, 3, b'c', b'i', b'd'];
    is(V31, &bytes, &Packet::Connect(connect));
    cannot_end_within(V31, &bytes, &[]);
}

/// [MQTT-3.1.2-1], [MQTT-3.1.2-2]: found before anything behind the level is read.
#[test]
fn connect_of_another_protocol_or_level_is_refused() {
    for (name, level) in [("MQTT", 5), ("MQTT", 3), ("MQIsdp", 4), ("MQIsdp", 0x83), ("mqtt", 4), ("", 4)] {
        let mut body = vec![0, u8::try_from(name.len()).unwrap()];
        body.extend_from_slice(name.as_bytes());
        body.extend_from_slice(&[level, 0xff, 0xff]);
        assert_eq!(Connect::decode(&body), Err(Fault::Version(level)), "{name} {level}");
        assert_eq!(Fault::Version(level).connect_code(), Some(ConnectCode::UnacceptableVersion));
    }
}

#[test]
fn connect_with_flags_that_do_not_fit_is_refused() {
    let with = |flags: u8| {
        let mut bytes = FULL_CONNECT.to_vec();
        bytes[9] = flags;
        bytes
    };
    // [MQTT-3.1.2-3] reserved bit, [MQTT-3.1.2-22] password without user, [MQTT-3.1.2-13] QoS of no will,
    // [MQTT-3.1.2-15] retain of no will.
    for wrong in [0b1111_0111, 0b0100_0000, 0b0000_1000, 0b0010_0000] {
        refused(V311, &with(wrong), Fault::ConnectFlags(wrong));
    }
    refused(V311, &with(0b1111_1110), Fault::Qos(3)); // [MQTT-3.1.2-14]
    // Fewer fields announced than there are.
    refused(V311, &with(0b1000_0110), Fault::Trailing(PacketType::Connect));
}

#[test]
fn connect_of_version_3_1_may_end_before_user_and_password() {
    let mut bytes = b"\x10\0\0\x06MQIsdp\x03\xc2\0\x0a\0\x01c".to_vec();
    let with = |bytes: &mut Vec<u8>| bytes[1] = u8::try_from(bytes.len() - 2).unwrap();
    with(&mut bytes);
    let wanted =
        Connect { version: V31, client_id: "c", will: None, user: None, password: None, ..full_connect() };
    assert_eq!(decode(V31, &bytes), Ok(Some(Packet::Connect(wanted.clone()))));
    bytes.extend_from_slice(&[0, 1, b'u']);
    with(&mut bytes);
    let wanted = Connect { user: Some("u"), ..wanted };
    assert_eq!(decode(V31, &bytes), Ok(Some(Packet::Connect(wanted))));
    // 3.1.1 has no such leniency.
    let mut bytes = b"\x10\x0d\0\x04MQTT\x04\x82\0\x0a\0\x01c".to_vec();
    refused(V311, &bytes, Fault::CutShort(PacketType::Connect));
    bytes[9] = 0b0000_0010;
    assert!(decode(V311, &bytes).is_ok());
}

/// [MQTT-3.1.3-4], [MQTT-3.1.3-10], [MQTT-3.1.3-11], [MQTT-1.5.3-2]
#[test]
fn connect_with_ill_formed_text_is_refused() {
    for at in [14, 19, 29] {
        for (byte, fault) in [(0xff, Fault::NotUtf8), (0, Fault::Nul)] {
            let mut bytes = FULL_CONNECT.to_vec();
            bytes[at] = byte;
            refused(V311, &bytes, fault);
        }
    }
}

#[test]
fn a_password_is_never_printed() {
    let connect = Connect { password: Some(Password(b"hunter2")), ..full_connect() };
    let printed = format!("{:?}", Packet::Connect(connect));
    assert!(!printed.contains("hunter2") && !printed.contains("104") && printed.contains("***"));
}

#[test]
fn connack() {
    for code in ConnectCode::ALL {
        is(V311, &[0x20, 2, 0, code as u8], &Packet::ConnAck(ConnAck::refused(code)));
    }
    let resumed = ConnAck { session_present: true, code: ConnectCode::Accepted };
    is(V311, &[0x20, 2, 1, 0], &Packet::ConnAck(resumed));
    let packet = PacketType::ConnAck;
    refused(V311, &[0x20, 2, 0, 6], Fault::Code { packet, code: 6 });
    refused(V311, &[0x20, 2, 2, 0], Fault::Code { packet, code: 2 });
    refused(V311, &[0x20, 2, 1, 5], Fault::Code { packet, code: 1 }); // [MQTT-3.2.2-4]
    refused(V311, &[0x20, 3, 0, 0, 0], Fault::Trailing(packet));
    cannot_end_within(V311, &[0x20, 2, 0, 0], &[]);
}

fn publish() -> Publish<'static> {
    Publish {
        dup: true,
        qos: Qos::AtLeastOnce,
        retain: true,
        topic: b"a/b",
        id: Some(id(10)),
        payload: b"hi",
    }
}

/// The example of section 3.3.2.3.
#[test]
fn publish_of_every_qos() {
    let bytes = [0x3b, 9, 0, 3, b'a', b'/', b'b', 0, 10, b'h', b'i'];
    is(V311, &bytes, &Packet::Publish(publish()));
    cannot_end_within(V311, &bytes, &[7, 8]);
    let mut packet = Publish { dup: false, retain: false, qos: Qos::ExactlyOnce, ..publish() };
    is(V311, &[0x34, 9, 0, 3, b'a', b'/', b'b', 0, 10, b'h', b'i'], &Packet::Publish(packet.clone()));
    packet.qos = Qos::AtMostOnce;
    packet.id = None;
    let bytes = [0x30, 7, 0, 3, b'a', b'/', b'b', b'h', b'i'];
    is(V311, &bytes, &Packet::Publish(packet.clone()));
    cannot_end_within(V311, &bytes, &[5, 6]);
    packet.payload = b"";
    is(V311, &[0x30, 5, 0, 3, b'a', b'/', b'b'], &Packet::Publish(packet));
}

#[test]
fn publish_with_faults() {
    refused(V311, &[0x36, 0], Fault::Qos(3)); // [MQTT-3.3.1-4]
    refused(V311, &[0x38, 0], Fault::DupWithoutQos); // [MQTT-3.3.1-2]
    refused(V311, &[0x32, 5, 0, 1, b'a', 0, 0], Fault::ZeroId(PacketType::Publish)); // [MQTT-2.3.1-1]
    refused(V311, &[0x30, 3, 0xff, 0xff, b'a'], Fault::CutShort(PacketType::Publish));
}

#[test]
fn acknowledgements() {
    let ack = Ack { id: id(0x1234) };
    for (first, packet) in [
        (0x40, Packet::PubAck(ack)),
        (0x50, Packet::PubRec(ack)),
        (0x62, Packet::PubRel(ack)),
        (0x70, Packet::PubComp(ack)),
        (0xb0, Packet::UnsubAck(ack)),
    ] {
        let bytes = [first, 2, 0x12, 0x34];
        is(V311, &bytes, &packet);
        cannot_end_within(V311, &bytes, &[]);
        refused(V311, &[first, 2, 0, 0], Fault::ZeroId(packet.packet_type()));
        refused(V311, &[first, 3, 0, 1, 0], Fault::Trailing(packet.packet_type()));
    }
}

/// The example of section 3.8.3.1.
#[test]
fn subscribe() {
    let bytes = [0x82, 14, 0, 10, 0, 3, b'a', b'/', b'b', 1, 0, 3, b'c', b'/', b'd', 2];
    let decoded = decode(V311, &bytes).unwrap().unwrap();
    is(V311, &bytes, &decoded);
    cannot_end_within(V311, &bytes, &[8]);
    let Packet::Subscribe(packet) = decoded else { panic!() };
    let wanted =
        [Wanted { filter: "a/b", qos: Qos::AtLeastOnce }, Wanted { filter: "c/d", qos: Qos::ExactlyOnce }];
    assert_eq!(packet.wanted().collect::<Vec<_>>(), wanted);
    let mut out = BytesMut::new();
    Subscribe::write(&mut out, id(10), &wanted);
    assert_eq!(out[..], bytes);
}

#[test]
fn subscribe_with_faults() {
    refused(V311, &[0x82, 2, 0, 1], Fault::NoFilters(PacketType::Subscribe)); // [MQTT-3.8.3-3]
    refused(V311, &[0x82, 6, 0, 1, 0, 1, b'a', 3], Fault::Qos(3)); // [MQTT-3-8.3-4]
    refused(V311, &[0x82, 6, 0, 1, 0, 1, b'a', 0x41], Fault::Qos(0x41));
    refused(V311, &[0x82, 6, 0, 1, 0, 1, 0xff, 1], Fault::NotUtf8); // [MQTT-3.8.3-1]
    refused(V311, &[0x82, 6, 0, 0, 0, 1, b'a', 1], Fault::ZeroId(PacketType::Subscribe));
}

/// The example of section 3.9.3.
#[test]
fn suback() {
    let bytes = [0x90, 6, 0, 10, 0, 1, 2, 0x80];
    let decoded = decode(V311, &bytes).unwrap().unwrap();
    is(V311, &bytes, &decoded);
    cannot_end_within(V311, &bytes, &[3, 4, 5]);
    let Packet::SubAck(packet) = decoded else { panic!() };
    let codes = [
        SubCode::Granted(Qos::AtMostOnce),
        SubCode::Granted(Qos::AtLeastOnce),
        SubCode::Granted(Qos::ExactlyOnce),
        SubCode::Failure,
    ];
    assert_eq!(packet.codes().collect::<Vec<_>>(), codes);
    let mut out = BytesMut::new();
    SubAck::write(&mut out, id(10), codes.into_iter());
    assert_eq!(out[..], bytes);
    // [MQTT-3.9.3-2]
    let packet = PacketType::SubAck;
    refused(V311, &[0x90, 3, 0, 10, 3], Fault::Code { packet, code: 3 });
}

/// The example of section 3.10.3.
#[test]
fn unsubscribe() {
    let bytes = [0xa2, 12, 0, 10, 0, 3, b'a', b'/', b'b', 0, 3, b'c', b'/', b'd'];
    let decoded = decode(V311, &bytes).unwrap().unwrap();
    is(V311, &bytes, &decoded);
    cannot_end_within(V311, &bytes, &[7]);
    let Packet::Unsubscribe(packet) = decoded else { panic!() };
    assert_eq!(packet.filters().collect::<Vec<_>>(), ["a/b", "c/d"]);
    let mut out = BytesMut::new();
    Unsubscribe::write(&mut out, id(10), &["a/b", "c/d"]);
    assert_eq!(out[..], bytes);
    refused(V311, &[0xa2, 2, 0, 1], Fault::NoFilters(PacketType::Unsubscribe)); // [MQTT-3.10.3-2]
    refused(V311, &[0xa2, 5, 0, 1, 0, 1, 0], Fault::Nul); // [MQTT-3.10.3-1]
}

#[test]
fn packets_without_a_body() {
    for (bytes, packet) in
        [([0xc0, 0], Packet::PingReq), ([0xd0, 0], Packet::PingResp), ([0xe0, 0], Packet::Disconnect)]
    {
        is(V311, &bytes, &packet);
        refused(V311, &[bytes[0], 1, 0], Fault::Trailing(packet.packet_type()));
    }
}
