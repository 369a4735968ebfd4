//! Packets are read back as they were written, whole or in pieces.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "these are tests")]

use bytes::BytesMut;
use keepmq_mqtt::codec::{
    Ack, ConnAck, Connect, ConnectCode, Fault, Header, MAX_LENGTH, Packet, PacketId, Password, Publish, Qos,
    SubAck, SubCode, Subscribe, Unsubscribe, Version, Wanted, Will,
};
use proptest::prelude::*;

fn any_qos() -> impl Strategy<Value = Qos> {
    prop_oneof![Just(Qos::AtMostOnce), Just(Qos::AtLeastOnce), Just(Qos::ExactlyOnce)]
}

fn any_version() -> impl Strategy<Value = Version> {
    prop_oneof![Just(Version::V31), Just(Version::V311)]
}

fn any_id() -> impl Strategy<Value = PacketId> {
    (1..=u16::MAX).prop_map(|id| PacketId::new(id).unwrap())
}

/// Any text that MQTT allows.
fn text() -> impl Strategy<Value = String> {
    "[^\\x00]{0,40}"
}

fn payload() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..300)
}

fn decode(version: Version, bytes: &[u8]) -> Result<Option<Packet<'_>>, Fault> {
    let Some(header) = Header::read(version, bytes, MAX_LENGTH + 5)? else {
        return Ok(None);
    };
    let body = bytes.get(header.start..header.total());
    body.map(|body| Packet::decode(&header, body)).transpose()
}

/// The packet is read back, and no beginning of it is a packet or a fault.
fn round(version: Version, packet: &Packet<'_>) -> Result<(), TestCaseError> {
    let mut out = BytesMut::new();
    packet.encode(&mut out);
    prop_assert_eq!(decode(version, &out), Ok(Some(packet.clone())));
    for cut in 0..out.len() {
        prop_assert_eq!(decode(version, &out[..cut]), Ok(None));
    }
    Ok(())
}

proptest! {
    #[test]
    fn connect(
        version in any_version(),
        clean_session in any::<bool>(),
        keep_alive in any::<u16>(),
        client_id in text(),
        will in proptest::option::of((text(), payload(), any_qos(), any::<bool>())),
        login in proptest::option::of((text(), proptest::option::of(payload()))),
    ) {
        let will = will.as_ref().map(|(topic, payload, qos, retain)| Will { topic, payload, qos: *qos, retain: *retain });
        let user = login.as_ref().map(|(user, _)| user.as_str());
        let password = login.as_ref().and_then(|(_, password)| password.as_deref()).map(Password);
        let client_id = client_id.as_str();
        let connect = Connect { version, clean_session, keep_alive, client_id, will, user, password };
        round(version, &Packet::Connect(connect))?;
    }

    #[test]
    fn publish(
        dup in any::<bool>(),
        qos in any_qos(),
        retain in any::<bool>(),
        topic in proptest::collection::vec(any::<u8>(), 0..300),
        id in any_id(),
        payload in payload(),
    ) {
        let id = qos.is_answered().then_some(id);
        let dup = dup && qos.is_answered();
        round(Version::V311, &Packet::Publish(Publish { dup, qos, retain, topic: &topic, id, payload: &payload }))?;
    }

    #[test]
    fn acknowledgements(id in any_id(), present in any::<bool>(), code in 0usize..6) {
        let code = ConnectCode::ALL[code];
        let session_present = present && code == ConnectCode::Accepted;
        for packet in [
            Packet::ConnAck(ConnAck { session_present, code }),
            Packet::PubAck(Ack { id }),
            Packet::PubRec(Ack { id }),
            Packet::PubRel(Ack { id }),
            Packet::PubComp(Ack { id }),
            Packet::UnsubAck(Ack { id }),
        ] {
            round(Version::V311, &packet)?;
        }
    }

    #[test]
    fn requests(id in any_id(), list in proptest::collection::vec((text(), any_qos(), any::<bool>()), 1..6)) {
        let wanted: Vec<_> = list.iter().map(|(filter, qos, _)| Wanted { filter, qos: *qos }).collect();
        let mut out = BytesMut::new();
        Subscribe::write(&mut out, id, &wanted);
        let Some(Packet::Subscribe(packet)) = decode(Version::V311, &out).unwrap() else { panic!() };
        prop_assert_eq!(packet.wanted().collect::<Vec<_>>(), wanted);
        round(Version::V311, &Packet::Subscribe(packet))?;

        let filters: Vec<&str> = list.iter().map(|(filter, ..)| filter.as_str()).collect();
        let mut out = BytesMut::new();
        Unsubscribe::write(&mut out, id, &filters);
        let Some(Packet::Unsubscribe(packet)) = decode(Version::V311, &out).unwrap() else { panic!() };
        prop_assert_eq!(packet.filters().collect::<Vec<_>>(), filters);
        round(Version::V311, &Packet::Unsubscribe(packet))?;

        let codes: Vec<_> = list
            .iter()
            .map(|(_, qos, granted)| if *granted { SubCode::Granted(*qos) } else { SubCode::Failure })
            .collect();
        let mut out = BytesMut::new();
        SubAck::write(&mut out, id, codes.iter().copied());
        let Some(Packet::SubAck(packet)) = decode(Version::V311, &out).unwrap() else { panic!() };
        prop_assert_eq!(packet.codes().collect::<Vec<_>>(), codes);
        round(Version::V311, &Packet::SubAck(packet))?;
    }
}
