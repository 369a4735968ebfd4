//! Frames that break the rules or the limits.

use super::*;
use proptest::prelude::*;

const SMALL: FrameLimits = FrameLimits { headers: 4, line: 40, head: 100, body: 50 };

fn small(bytes: &[u8]) -> Result<Vec<Said>, Fault> {
    read_all_ways(bytes, Side::Client, Version::V1_2, &SMALL)
}

#[test]
fn a_length_is_digits_and_nothing_else() {
    for wrong in ["-1", "+5", "0x10", "", " 5", "5 ", "5.0", "1e3", "\u{0665}", "5,5"] {
        let bytes = format!("SEND\ncontent-length:{wrong}\n\nhello\0");
        assert_eq!(client(bytes.as_bytes(), Version::V1_2), Err(Fault::ContentLength), "{wrong}");
    }
    assert!(client(b"SEND\ncontent-length:005\n\nhello\0", Version::V1_2).is_ok());
}

#[test]
fn lengths_over_the_limit_are_refused_before_the_body_comes() {
    for wrong in ["99999999999999", "18446744073709551616", "51"] {
        let bytes = format!("SEND\ncontent-length:{wrong}\n");
        let mut input = BytesMut::from(bytes.as_bytes());
        let mut decoder = Decoder::new(Side::Client, Version::V1_2);
        assert!(matches!(decoder.next(&mut input, &SMALL), Err(Fault::LongBody)), "{wrong}");
    }
    let nines = "9".repeat(5000);
    let bytes = format!("SEND\ncontent-length:{nines}\n");
    let mut input = BytesMut::from(bytes.as_bytes());
    let mut decoder = Decoder::new(Side::Client, Version::V1_2);
    assert!(matches!(decoder.next(&mut input, &FrameLimits::OPEN), Err(Fault::LongBody)));
}

#[test]
fn two_lengths_must_agree() {
    let differ = b"SEND\ncontent-length:5\ncontent-length:6\n\nhello\0";
    assert_eq!(client(differ, Version::V1_2), Err(Fault::ContentLength));
    let agree = b"SEND\ncontent-length:5\ncontent-length:5\n\nhello\0";
    assert_eq!(client(agree, Version::V1_2).unwrap()[0].body, b"hello");
}

#[test]
fn a_body_ends_with_a_nul_where_its_length_says() {
    assert_eq!(client(b"SEND\ncontent-length:2\n\nhello\0", Version::V1_2), Err(Fault::NoNul));
    let (frames, left) =
        read(&[b"SEND\ncontent-length:9\n\nhello\0"], Side::Client, Version::V1_2, &SMALL).unwrap();
    assert!(frames.is_empty() && left > 0);
}

#[test]
fn only_send_frames_of_a_client_carry_a_body() {
    assert_eq!(client(b"ACK\nid:1\n\nx\0", Version::V1_2), Err(Fault::Body));
    assert_eq!(client(b"ACK\ncontent-length:1\n\nx\0", Version::V1_2), Err(Fault::Body));
    assert_eq!(login(b"CONNECT\n\nx\0"), Err(Fault::Body));
    assert_eq!(login(b"CONNECT\ncontent-length:1\n\nx\0"), Err(Fault::Body));
}

#[test]
fn header_lines_have_a_name_and_a_colon() {
    assert_eq!(client(b"SEND\nab\n\n\0", Version::V1_2), Err(Fault::NoColon));
    assert_eq!(client(b"SEND\n:b\n\n\0", Version::V1_2), Err(Fault::NoName));
    assert_eq!(client(b"SEND\n  : b\n\n\0", Version::V1_0), Err(Fault::NoName));
    assert!(client(b"SEND\na:\n\n\0", Version::V1_2).is_ok());
}

#[test]
fn a_nul_never_stands_among_the_headers() {
    assert_eq!(client(b"SEND\na:b\0c\n\n\0", Version::V1_2), Err(Fault::NulInHead));
    assert_eq!(client(b"SEND\na:b\n\0", Version::V1_2), Err(Fault::NulInHead));
    assert_eq!(client(b"SE\0ND\n\n\0", Version::V1_2), Err(Fault::Command));
}

#[test]
fn headers_are_utf_8() {
    assert_eq!(client(b"SEND\na:\xff\n\n\0", Version::V1_2), Err(Fault::Utf8));
    assert!(client(b"SEND\n\n\xff\0", Version::V1_2).is_ok());
}

#[test]
fn other_protocols_are_turned_away_at_once() {
    for bytes in [
        &b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"[..],
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00",
        b"AMQP\0\x01\0\0",
        b"\x10\x10\0\x04MQTT",
        b"SEND\ndestination:/queue/a\n\n\0",
        b"MESSAGE\n\n\0",
    ] {
        assert_eq!(login(bytes), Err(Fault::BeforeLogin), "{bytes:?}");
    }
    assert_eq!(client(b"MESSAGE\n\n\0", Version::V1_2), Err(Fault::Command));
    assert_eq!(client(b"\rSEND\n\n\0", Version::V1_2), Err(Fault::Command));
}

#[test]
fn limits_hold_at_their_edges() {
    let line = |n: usize| format!("SEND\nabc:{}\n\n\0", "x".repeat(n - 4));
    assert!(small(line(40).as_bytes()).is_ok());
    assert_eq!(small(line(41).as_bytes()), Err(Fault::LongLine));
    let lines = |n: usize| format!("SEND\n{}\n\0", "a:b\n".repeat(n));
    assert!(small(lines(4).as_bytes()).is_ok());
    assert_eq!(small(lines(5).as_bytes()), Err(Fault::TooManyHeaders));
    let head = format!("SEND\n{}\n\0", format!("a:{}\n", "x".repeat(38)).repeat(3));
    assert_eq!(small(head.as_bytes()), Err(Fault::LongHead));
    let body = |n: usize| format!("SEND\n\n{}\0", "x".repeat(n));
    assert!(small(body(50).as_bytes()).is_ok());
    assert_eq!(small(body(51).as_bytes()), Err(Fault::LongBody));
}

#[test]
fn the_fault_does_not_depend_on_the_pieces() {
    let long = format!("SEND\na:{}\0", "x".repeat(60));
    assert_eq!(small(long.as_bytes()), Err(Fault::LongLine));
    let short = format!("SEND\na:{}\0", "x".repeat(30));
    assert_eq!(small(short.as_bytes()), Err(Fault::NulInHead));
}

/// A header, a head or a body that never ends costs its limit and no more.
#[test]
fn what_never_ends_is_cut_off_at_its_limit() {
    for (start, piece, fault) in [
        ("SEND\n", "x", Fault::LongLine),
        ("SEND\na:", "x", Fault::LongLine),
        ("SEND\n", "aaaaaaaaaaaaaaaaaaaaaaaaaaaa:b\n", Fault::LongHead),
        ("SEND\n", "a:b\n", Fault::TooManyHeaders),
        ("SEND\n\n", "x", Fault::LongBody),
        ("", "x", Fault::Command),
    ] {
        let mut decoder = Decoder::new(Side::Client, Version::V1_2);
        let mut input = BytesMut::from(start.as_bytes());
        let mut most = 0;
        let found = loop {
            match decoder.next(&mut input, &SMALL) {
                Ok(None) => input.extend_from_slice(piece.as_bytes()),
                Ok(Some(_)) => panic!("a frame"),
                Err(fault) => break fault,
            }
            most = most.max(input.len());
        };
        assert_eq!(found, fault, "{start:?} {piece:?}");
        assert!(most <= SMALL.head + piece.len() + 10, "{most} bytes for {start:?} {piece:?}");
    }
}

#[test]
fn an_incomplete_frame_is_not_looked_at_again() {
    let mut decoder = Decoder::new(Side::Client, Version::V1_2);
    let mut input = BytesMut::from(&b"SEND\n\n"[..]);
    // 32 MiB in single bytes is minutes of work for a decoder that begins anew each time.
    for _ in 0..2 * 1024 * 1024 {
        input.extend_from_slice(b"0123456789abcdef");
        assert!(decoder.next(&mut input, &FrameLimits::OPEN).unwrap().is_none());
    }
    input.extend_from_slice(b"\0");
    let frame = decoder.next(&mut input, &FrameLimits::OPEN).unwrap().expect("a frame");
    assert_eq!(frame.body().len(), 32 * 1024 * 1024);
}

fn any_version() -> impl Strategy<Value = Version> {
    proptest::sample::select(Version::ALL.to_vec())
}

proptest! {
    #[test]
    fn noise_never_panics_and_keeps_to_the_limits(
        noise in proptest::collection::vec(
            prop_oneof![Just(b'\n'), Just(b':'), Just(0u8), Just(b'\\'), Just(b'\r'), any::<u8>()], 0..300),
        start in proptest::sample::select(vec!["", "SEND\n", "SEND\n\n", "SEND\ncontent-length:30\n", "ACK\n"]),
        version in any_version(),
    ) {
        let bytes = [start.as_bytes(), &noise].concat();
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        let whole = read(&[&bytes], Side::Client, version, &SMALL);
        prop_assert_eq!(&read(&single, Side::Client, version, &SMALL), &whole);
        for frame in whole.map(|(frames, _)| frames).unwrap_or_default() {
            prop_assert!(frame.headers.len() <= SMALL.headers && frame.body.len() <= SMALL.body);
            prop_assert!(frame.headers.iter().all(|(n, v)| !n.is_empty() && n.len() + v.len() < SMALL.line));
        }
    }

    #[test]
    fn what_is_written_is_read_back(
        headers in proptest::collection::vec(("[a-z:\\\\\n\u{e9}]{1,10}", "[a-z :\\\\\n\u{1f600}]{0,20}"), 0..8),
        body in proptest::collection::vec(any::<u8>(), 0..200),
        version in proptest::sample::select(vec![Version::V1_1, Version::V1_2]),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut out = BytesMut::new();
        super::super::put_head(&mut out, Command::Message);
        for (name, value) in &headers {
            super::super::put_header(&mut out, name, value, version);
        }
        super::super::put_sized(&mut out, body.len());
        out.extend_from_slice(&body);
        super::super::put_end(&mut out);
        let mut wanted: Vec<(&str, &str)> = headers
            .iter()
            .filter(|(name, _)| !name.trim().is_empty())
            .map(|(name, value)| (&name[..], &value[..]))
            .collect();
        let length = body.len().to_string();
        wanted.push(("content-length", &length));
        let (front, back) = out.split_at(cut.index(out.len()));
        let (frames, left) = read(&[front, back], Side::Server, version, &FrameLimits::OPEN).unwrap();
        prop_assert_eq!(left, 0);
        prop_assert_eq!(frames, vec![said(Command::Message, &wanted, &body, true)]);
    }
}
