use super::{AckMode, Fault, Login, Manner, Protocol, Reply, Sink, Wire};

fn manner(protocol: Protocol) -> Manner {
    Manner {
        protocol,
        qos: 1,
        persistent: true,
        receipts: true,
        ack: AckMode::Auto,
        prefetch: None,
        virtual_host: "localhost".to_owned(),
    }
}

fn mqtt(qos: u8) -> Wire {
    Wire::new(&Manner { qos, ..manner(Protocol::Mqtt) }, "a/b", 3)
}

fn stomp(ack: AckMode) -> Wire {
    Wire::new(&Manner { ack, ..manner(Protocol::Stomp) }, "/queue/a", 3)
}

fn written(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out);
    out
}

fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
    String::from_utf8(written(write)).unwrap()
}

fn publish(wire: &Wire, place: u32) -> Vec<u8> {
    written(|out| {
        wire.begin_publish(out, place);
        out.extend_from_slice(b"xyz");
        wire.end_publish(out);
    })
}

/// What came out of a conversation.
#[derive(Debug, Default, PartialEq, Eq)]
struct Heard {
    messages: Vec<Vec<u8>>,
    accepted: Vec<u32>,
    settled: u32,
}

impl Sink for Heard {
    fn message(&mut self, body: &[u8]) {
        self.messages.push(body.to_vec());
    }

    fn accepted(&mut self, place: u32) -> Result<(), Fault> {
        self.accepted.push(place);
        Ok(())
    }

    fn settled(&mut self) {
        self.settled += 1;
    }
}

/// Takes the input in two parts, cut at every place, and expects the same each time.
fn heard(wire: &Wire, input: &[u8]) -> Result<(Heard, Vec<u8>), Fault> {
    let (mut whole, mut answers) = (Heard::default(), Vec::new());
    assert_eq!(wire.take(input, &mut answers, &mut whole)?, input.len(), "{input:?}");
    for cut in 0..input.len() {
        let (mut parts, mut out) = (Heard::default(), Vec::new());
        let taken = wire.take(&input[..cut], &mut out, &mut parts)?;
        assert!(taken <= cut);
        wire.take(&input[taken..], &mut out, &mut parts)?;
        assert_eq!(parts, whole, "cut at {cut}");
    }
    Ok((whole, answers))
}

fn malformed(wire: &Wire, input: &[u8]) {
    let result = wire.take(input, &mut Vec::new(), &mut Heard::default());
    assert!(matches!(result, Err(Fault::Malformed(_))), "{input:?}: {result:?}");
}

#[test]
fn mqtt_says_what_the_standard_shows() {
    let login = Login { user: "u".to_owned(), password: "pw".to_owned() };
    let connect = written(|out| mqtt(0).connect(out, "id", Some(&login)));
    assert_eq!(connect, b"\x10\x15\x00\x04MQTT\x04\xc2\x0e\x10\x00\x02id\x00\x01u\x00\x02pw");
    let connect = written(|out| mqtt(0).connect(out, "id", None));
    assert_eq!(connect, b"\x10\x0e\x00\x04MQTT\x04\x02\x0e\x10\x00\x02id");
    assert_eq!(written(|out| mqtt(2).subscribe(out)), b"\x82\x08\x00\x01\x00\x03a/b\x02");
    assert_eq!(publish(&mqtt(0), 7), b"\x30\x08\x00\x03a/bxyz");
    assert_eq!(publish(&mqtt(1), 0), b"\x32\x0a\x00\x03a/b\x00\x01xyz");
    assert_eq!(publish(&mqtt(2), 65_534), b"\x34\x0a\x00\x03a/b\xff\xffxyz");
    assert_eq!(written(|out| mqtt(0).settle(out)), [0xc0, 0]);
    assert_eq!(written(|out| mqtt(0).leave(out)), [0xe0, 0]);
}

#[test]
fn mqtt_lengths_have_up_to_four_digits() {
    for (size, digits) in [
        (122, &[127][..]),
        (123, &[0x80, 1]),
        (16_379, &[0x80, 0x80, 1]),
        (2_097_147, &[0x80, 0x80, 0x80, 1]),
    ] {
        let wire = Wire::new(&Manner { qos: 0, ..manner(Protocol::Mqtt) }, "a/b", size);
        let head = written(|out| wire.begin_publish(out, 0));
        assert_eq!(&head[1..=digits.len()], digits, "{size}");
        let packet = [head, vec![b'x'; size]].concat();
        let mut heard = Heard::default();
        assert_eq!(wire.take(&packet, &mut Vec::new(), &mut heard), Ok(packet.len()));
        assert_eq!(heard.messages[0].len(), size);
    }
}

#[test]
fn mqtt_answers_each_quality_of_service_in_its_way() {
    let input =
        [publish(&mqtt(0), 0), publish(&mqtt(1), 4), publish(&mqtt(2), 5), vec![0x62, 2, 0, 6]].concat();
    let (heard, answers) = heard(&mqtt(0), &input).unwrap();
    assert_eq!(heard.messages, vec![b"xyz".to_vec(); 3]);
    assert_eq!(answers, [0x40, 2, 0, 5, 0x50, 2, 0, 6, 0x70, 2, 0, 6]);
}

#[test]
fn mqtt_publishes_are_accepted_by_puback_or_pubcomp() {
    let input = [0x40, 2, 0, 1, 0x50, 2, 0, 2, 0x70, 2, 0, 2, 0xd0, 0];
    let (heard, answers) = heard(&mqtt(1), &input).unwrap();
    assert_eq!((heard.accepted, heard.settled), (vec![0, 1], 1));
    assert_eq!(answers, [0x62, 2, 0, 2]);
}

#[test]
fn mqtt_that_is_none_is_told() {
    for input in [
        &b"\x30\xff\xff\xff\xff\x01"[..],
        b"\x30\x01\x00",
        b"\x30\x03\x00\x05a",
        b"\x32\x05\x00\x03a/b",
        b"\x40\x01\x00",
        b"\x10\x00",
    ] {
        malformed(&mqtt(1), input);
    }
}

#[test]
fn mqtt_replies_are_told_apart() {
    for (input, expected) in [
        (&b"\x20\x02\x00\x00"[..], Reply::Welcome),
        (b"\x20\x02\x00\x05", Reply::Refused("not authorized (code 5 in CONNACK)".to_owned())),
        (b"\x90\x03\x00\x01\x01", Reply::Subscribed),
        (b"\x90\x03\x00\x01\x80", Reply::Refused("code 0x80 in SUBACK".to_owned())),
        (b"\xd0\x00", Reply::Settled),
        (b"\x30\x03\x00\x01a", Reply::Other),
    ] {
        assert_eq!(mqtt(0).reply(input), Ok(Some((expected, input.len()))));
        assert_eq!(mqtt(0).reply(&input[..input.len() - 1]), Ok(None));
    }
    assert!(mqtt(0).reply(b"\x20\x01\x00").is_err());
}

#[test]
fn stomp_says_what_the_standard_shows() {
    let wire = stomp(AckMode::Client);
    let login = Login { user: "u".to_owned(), password: "p:w".to_owned() };
    assert_eq!(
        text(|out| wire.connect(out, "", Some(&login))),
        "CONNECT\naccept-version:1.2\nhost:localhost\nlogin:u\npasscode:p:w\nheart-beat:0,0\n\n\0"
    );
    assert_eq!(
        text(|out| wire.subscribe(out)),
        "SUBSCRIBE\nid:0\ndestination:/queue/a\nack:client\nreceipt:subscribed\n\n\0"
    );
    assert_eq!(
        String::from_utf8(publish(&wire, 65_000)).unwrap(),
        "SEND\ndestination:/queue/a\npersistent:true\ncontent-length:3\nreceipt:065000\n\nxyz\0"
    );
    assert_eq!(text(|out| wire.settle(out)), "DISCONNECT\nreceipt:farewell\n\n\0");
    assert_eq!(text(|out| wire.leave(out)), "");
}

#[test]
fn stomp_leaves_out_what_was_not_asked_for() {
    let plain = Manner { persistent: false, receipts: false, ..manner(Protocol::Stomp) };
    let wire = Wire::new(&plain, "/topic/a:b\\c", 3);
    assert_eq!(publish(&wire, 9), b"SEND\ndestination:/topic/a\\cb\\\\c\ncontent-length:3\n\nxyz\0");
    let eager = Wire::new(&Manner { prefetch: Some(5), ..plain }, "/topic/a", 3);
    let frame = text(|out| eager.subscribe(out));
    assert!(frame.contains("\nactivemq.prefetchSize:5\nprefetch-count:5\n"), "{frame}");
}

fn message(ack: &str, body: &str) -> String {
    format!("MESSAGE\nsubscription:0\nmessage-id:1\nack:{ack}\ncontent-length:{}\n\n{body}\0", body.len())
}

#[test]
fn stomp_bodies_may_hold_anything() {
    let input = format!("{}\n\r\n{}", message("1", "a\0\n\nMESSAGE\n"), message("2", ""));
    let (heard, answers) = heard(&stomp(AckMode::Auto), input.as_bytes()).unwrap();
    assert_eq!(heard.messages, [&b"a\0\n\nMESSAGE\n"[..], b""]);
    assert!(answers.is_empty());
    let (heard, _) = self::heard(&stomp(AckMode::Auto), b"MESSAGE\r\na:b\r\n\r\nxyz\0\n").unwrap();
    assert_eq!(heard.messages, [b"xyz"]);
}

#[test]
fn stomp_acknowledges_as_it_was_told() {
    let input = [message("1", "x"), message("a\\c2", "y")].concat();
    let (_, answers) = heard(&stomp(AckMode::ClientIndividual), input.as_bytes()).unwrap();
    assert_eq!(answers, b"ACK\nid:1\n\n\0ACK\nid:a\\c2\n\n\0");
    let (_, answers) = heard(&stomp(AckMode::Client), input.as_bytes()).unwrap();
    assert_eq!(answers, b"ACK\nid:a\\c2\n\n\0");
    malformed(&stomp(AckMode::Client), b"MESSAGE\na:b\n\nx\0");
}

#[test]
fn stomp_receipts_are_places_in_the_window() {
    let input = b"RECEIPT\nreceipt-id:000007\n\n\0RECEIPT\nreceipt-id:farewell\n\n\0";
    let (heard, _) = heard(&stomp(AckMode::Auto), input).unwrap();
    assert_eq!((heard.accepted, heard.settled), (vec![7], 1));
    malformed(&stomp(AckMode::Auto), b"RECEIPT\nreceipt-id:x\n\n\0");
    malformed(&stomp(AckMode::Auto), b"RECEIPT\n\n\0");
}

#[test]
fn a_stomp_error_is_told_in_the_brokers_words() {
    let input = b"ERROR\nmessage:no\ncontent-length:4\n\nwhy?\0";
    let result = stomp(AckMode::Auto).take(input, &mut Vec::new(), &mut Heard::default());
    assert_eq!(result, Err(Fault::Refused("no: why?".to_owned())));
}

#[test]
fn stomp_that_is_none_is_told() {
    let endless = format!("MESSAGE\n{}", "a:b\n".repeat(20_000));
    for input in
        [&b"MESSAGE\ncontent-length:1\n\nxy\0"[..], b"MESSAGE\ncontent-length:-1\n\nx\0", b"HELLO\n\n\0"]
    {
        malformed(&stomp(AckMode::Auto), input);
    }
    malformed(&stomp(AckMode::Auto), endless.as_bytes());
    malformed(&stomp(AckMode::Auto), b"MESSAGE\ncontent-length:99999999999999999999\n\nx\0");
}

#[test]
fn stomp_replies_are_told_apart() {
    for (input, expected) in [
        (&b"CONNECTED\nversion:1.2\n\n\0"[..], Reply::Welcome),
        (b"ERROR\nmessage:bad login\n\n\0", Reply::Refused("bad login".to_owned())),
        (b"RECEIPT\nreceipt-id:subscribed\n\n\0", Reply::Subscribed),
        (b"RECEIPT\nreceipt-id:farewell\n\n\0", Reply::Settled),
        (b"RECEIPT\nreceipt-id:000001\n\n\0", Reply::Other),
        (b"MESSAGE\na:b\n\nx\0", Reply::Other),
        (b"\n", Reply::Other),
    ] {
        assert_eq!(stomp(AckMode::Auto).reply(input), Ok(Some((expected, input.len()))));
        assert_eq!(stomp(AckMode::Auto).reply(&input[..input.len() - 1]), Ok(None));
    }
    assert!(stomp(AckMode::Auto).reply(b"HTTP/1.1 400 Bad Request\r\n\r\n\0").is_err());
}
