//! Frames of the specifications and of clients in the wild.

use super::*;

#[test]
fn the_specifications_own_example_is_read() {
    let bytes = b"SEND\ndestination:/queue/a\ncontent-type:text/plain\n\nhello queue a\n\0";
    let headers = [("destination", "/queue/a"), ("content-type", "text/plain")];
    let wanted = vec![said(Command::Send, &headers, b"hello queue a\n", false)];
    for version in Version::ALL {
        assert_eq!(client(bytes, version).as_ref(), Ok(&wanted));
    }
}

#[test]
fn every_command_of_each_side_is_read() {
    for (side, version) in [(Side::Client, Version::V1_2), (Side::Server, Version::V1_1)] {
        let commands = Command::ALL.into_iter().filter(|c| c.is_of(side));
        for command in commands {
            let bytes = format!("{}\nid:1\n\n\0\n", command.text());
            let frames = read_all_ways(bytes.as_bytes(), side, version, &FrameLimits::OPEN).unwrap();
            assert_eq!(frames, [said(command, &[("id", "1")], b"", false)]);
        }
    }
}

#[test]
fn frames_may_follow_each_other_with_line_ends_between_them() {
    let bytes = b"\n\r\n\nBEGIN\ntransaction:1\n\n\0\n\n\r\nCOMMIT\ntransaction:1\n\n\0ABORT\n\n\0\n";
    let frames = client(bytes, Version::V1_2).unwrap();
    let commands: Vec<Command> = frames.iter().map(|f| f.command).collect();
    assert_eq!(commands, [Command::Begin, Command::Commit, Command::Abort]);
}

#[test]
fn line_ends_alone_are_taken_and_are_no_frame() {
    assert_eq!(client(b"\n\r\n\n\n", Version::V1_2), Ok(vec![]));
}

#[test]
fn lines_end_with_cr_lf_since_1_2() {
    let bytes = b"SEND\r\na:b\r\n\r\nbody\r\n\0";
    for version in [Version::V1_0, Version::V1_2] {
        let frames = client(bytes, version).unwrap();
        assert_eq!(frames, [said(Command::Send, &[("a", "b")], b"body\r\n", false)]);
    }
    assert_eq!(client(bytes, Version::V1_1), Err(Fault::Command));
    let in_value = client(b"SEND\na:b\r\n\nx\0", Version::V1_1).unwrap();
    assert_eq!(in_value, [said(Command::Send, &[("a", "b\r")], b"x", false)]);
}

#[test]
fn only_one_cr_belongs_to_the_line_end() {
    let frames = client(b"SEND\na:b\r\r\n\n\0", Version::V1_2).unwrap();
    assert_eq!(frames[0].headers, [("a".to_owned(), "b\r".to_owned())]);
}

#[test]
fn escapes_are_undone_in_names_and_values() {
    let bytes = b"SEND\na\\cb:c\\nd\\\\e\n\n\0";
    let plain = [("a:b", "c\nd\\e")];
    for version in [Version::V1_1, Version::V1_2] {
        assert_eq!(client(bytes, version), Ok(vec![said(Command::Send, &plain, b"", false)]));
    }
    let as_is = [("a\\cb", "c\\nd\\\\e")];
    assert_eq!(client(bytes, Version::V1_0), Ok(vec![said(Command::Send, &as_is, b"", false)]));
    let cr = client(b"SEND\na:\\r\n\n\0", Version::V1_2).unwrap();
    assert_eq!(cr[0].headers[0].1, "\r");
}

#[test]
fn undefined_escapes_end_the_stream_since_1_1() {
    assert_eq!(client(b"SEND\na:\\r\n\n\0", Version::V1_1), Err(Fault::Escape));
    for bytes in [&b"SEND\na:\\t\n\n\0"[..], b"SEND\na:b\\\n\n\0", b"SEND\n\\x:b\n\n\0"] {
        assert_eq!(client(bytes, Version::V1_2), Err(Fault::Escape));
        assert!(client(bytes, Version::V1_0).is_ok());
    }
}

#[test]
fn a_login_is_not_unescaped() {
    let frames = login(b"CONNECT\r\nlogin:a\\cb\\x\r\npasscode:\\\r\n\r\n\0").unwrap();
    let headers = [("login", "a\\cb\\x"), ("passcode", "\\")];
    assert_eq!(frames, [said(Command::Connect, &headers, b"", false)]);
    let connected = b"CONNECTED\nsession:a\\cb\n\n\0";
    let frames = read_all_ways(connected, Side::Server, Version::V1_2, &FrameLimits::OPEN).unwrap();
    assert_eq!(frames[0].headers[0].1, "a\\cb");
}

#[test]
fn spaces_around_names_and_values_mean_nothing_in_1_0_only() {
    let bytes = b"SEND\ndestination : /queue/a \n\n\0";
    let old = client(bytes, Version::V1_0).unwrap();
    assert_eq!(old[0].headers, [("destination".to_owned(), "/queue/a".to_owned())]);
    let new = client(bytes, Version::V1_1).unwrap();
    assert_eq!(new[0].headers, [("destination ".to_owned(), " /queue/a ".to_owned())]);
}

#[test]
fn further_colons_belong_to_the_value() {
    for version in Version::ALL {
        let frames = client(b"ACK\nid:ID:a:b\n\n\0", version).unwrap();
        assert_eq!(frames[0].headers, [("id".to_owned(), "ID:a:b".to_owned())]);
    }
}

#[test]
fn a_body_with_nuls_needs_its_length() {
    let sized = client(b"SEND\ncontent-length:5\n\na\0b\0c\0", Version::V1_2).unwrap();
    assert_eq!(sized, [said(Command::Send, &[("content-length", "5")], b"a\0b\0c", true)]);
    let plain = client(b"SEND\n\nab\0\nSEND\n\nc\0", Version::V1_2).unwrap();
    let bodies: Vec<&[u8]> = plain.iter().map(|f| &f.body[..]).collect();
    assert_eq!(bodies, [b"ab", &b"c"[..]]);
}

#[test]
fn an_empty_body_may_have_a_length() {
    let frames =
        client(b"SEND\ncontent-length:0\n\n\0ACK\ncontent-length:0\nid:1\n\n\0", Version::V1_1).unwrap();
    assert_eq!(frames.len(), 2);
    assert!(frames.iter().all(|f| f.sized && f.body.is_empty()));
}

#[test]
fn the_first_of_repeated_headers_counts() {
    let mut input = BytesMut::from(&b"SEND\na:1\nb:2\na:3\n\n\0"[..]);
    let mut decoder = Decoder::new(Side::Client, Version::V1_2);
    let frame = decoder.next(&mut input, &FrameLimits::OPEN).unwrap().expect("a frame");
    assert_eq!((frame.get("a"), frame.get("b"), frame.get("c")), (Some("1"), Some("2"), None));
    assert_eq!(frame.headers().count(), 3);
}

#[test]
fn large_bodies_are_not_copied_and_small_ones_are() {
    for (length, shared) in [(4096, true), (4095, false), (70_000, true)] {
        let mut input = BytesMut::from(format!("SEND\ncontent-length:{length}\n\n").as_bytes());
        let head = input.len();
        input.resize(head + length, b'x');
        input.extend_from_slice(b"\0rest");
        let place = input[head..].as_ptr();
        let mut decoder = Decoder::new(Side::Client, Version::V1_2);
        let mut frame = decoder.next(&mut input, &FrameLimits::OPEN).unwrap().expect("a frame");
        let body = frame.take_body();
        assert_eq!((body.len(), body.as_ptr() == place), (length, shared));
        assert_eq!(&input[..], b"rest");
        assert!(frame.body().is_empty());
    }
}

#[test]
fn non_ascii_text_is_kept() {
    let frames = client("SEND\nné:\u{1f600}\\c\n\n\u{e9}\0".as_bytes(), Version::V1_2).unwrap();
    let headers = [("né", "\u{1f600}:")];
    assert_eq!(frames, [said(Command::Send, &headers, "\u{e9}".as_bytes(), false)]);
}
