use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::JoinHandle;

use super::{Link, Scratch};
use crate::error::Error;
use crate::target::{Target, TargetArgs};
use crate::wire::{AckMode, Fault, Manner, Protocol, Sink, Wire};

/// Messages as they come.
#[derive(Debug, Default)]
struct Heard(Vec<Vec<u8>>);

impl Sink for Heard {
    fn message(&mut self, body: &[u8]) {
        self.0.push(body.to_vec());
    }

    fn accepted(&mut self, _: u32) -> Result<(), Fault> {
        Ok(())
    }

    fn settled(&mut self) {}
}

/// A broker that accepts one connection and does as it is told.
fn scripted(script: impl FnOnce(TcpStream) + Send + 'static) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let thread = std::thread::Builder::new().spawn(move || script(listener.accept().unwrap().0));
    (address, thread.unwrap())
}

/// Reads until this has come.
fn expect(stream: &mut TcpStream, end: &[u8]) {
    let mut read = Vec::new();
    while !read.ends_with(end) {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        read.extend_from_slice(&byte);
    }
}

fn target(address: SocketAddr) -> Target {
    let args = TargetArgs {
        address: address.to_string(),
        ca: None,
        credentials: None,
        patience: 5,
        virtual_host: None,
    };
    Target::new(&args, None, true).unwrap()
}

fn open(target: &Target) -> Result<Link, Error> {
    let manner = Manner {
        protocol: Protocol::Stomp,
        qos: 0,
        persistent: false,
        receipts: true,
        ack: AckMode::Auto,
        prefetch: None,
        virtual_host: "localhost".to_owned(),
    };
    let wire = Wire::new(&manner, "/queue/a", 3);
    let mut link = Link::open(target, &manner, wire, "consumer 0", 1)?;
    link.subscribe(target)?;
    link.stop_waiting()?;
    Ok(link)
}

const WELCOME: &[u8] = b"CONNECTED\nversion:1.2\n\n\0\n";
const SUBSCRIBED: &[u8] = b"RECEIPT\nreceipt-id:subscribed\n\n\0";

fn message(body: &[u8]) -> Vec<u8> {
    [format!("MESSAGE\ncontent-length:{}\n\n", body.len()).as_bytes(), body, b"\0"].concat()
}

/// Lets a broker answer the login and the subscription, and then do this.
fn opened(script: impl FnOnce(&mut TcpStream) + Send + 'static) -> (Target, Link, JoinHandle<()>) {
    let (address, thread) = scripted(|mut stream| {
        expect(&mut stream, b"\n\n\0");
        stream.write_all(WELCOME).unwrap();
        expect(&mut stream, b"\n\n\0");
        script(&mut stream);
    });
    let target = target(address);
    let link = open(&target).unwrap();
    (target, link, thread)
}

/// Takes until so many messages have come.
fn hear(link: &mut Link, count: usize) -> Result<Vec<Vec<u8>>, Error> {
    let (mut heard, mut scratch): (_, Scratch) = (Heard::default(), vec![0; 64]);
    link.take_held(&mut heard)?;
    while heard.0.len() < count {
        link.take(&mut scratch, &mut heard, |_| ())?;
    }
    Ok(heard.0)
}

#[test]
fn messages_before_the_answer_are_kept() {
    let (_, mut link, thread) = opened(|stream| {
        let answer = [&message(b"one")[..], SUBSCRIBED, &message(b"two")].concat();
        stream.write_all(&answer).unwrap();
    });
    thread.join().unwrap();
    assert_eq!(hear(&mut link, 2).unwrap(), [b"one", b"two"]);
}

#[test]
fn frames_larger_than_the_room_come_together() {
    let large: Vec<u8> = (0..=255).cycle().take(50_000).collect();
    let sent = large.clone();
    let (_, mut link, thread) = opened(move |stream| {
        stream.write_all(SUBSCRIBED).unwrap();
        stream.write_all(&[message(&sent), message(b"x")].concat()).unwrap();
    });
    assert_eq!(hear(&mut link, 2).unwrap(), [large, b"x".to_vec()]);
    thread.join().unwrap();
}

#[test]
fn the_end_is_told_with_who_saw_it() {
    let (_, mut link, thread) = opened(|stream| stream.write_all(SUBSCRIBED).unwrap());
    thread.join().unwrap();
    let error = hear(&mut link, 1).unwrap_err().to_string();
    assert!(error.contains("closed the connection of consumer 0"), "{error}");
}

#[test]
fn an_end_before_the_answer_is_told_as_such() {
    let (address, thread) = scripted(|mut stream| expect(&mut stream, b"\n\n\0"));
    let error = open(&target(address)).unwrap_err().to_string();
    assert!(error.contains("before it answered"), "{error}");
    thread.join().unwrap();
}

#[test]
fn another_protocol_is_told() {
    let (address, thread) = scripted(|mut stream| {
        expect(&mut stream, b"\n\n\0");
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n\0").unwrap();
    });
    let error = open(&target(address)).unwrap_err().to_string();
    assert!(error.contains("is not stomp") && error.contains("the right port"), "{error}");
    thread.join().unwrap();
}

#[test]
fn a_refusal_in_the_course_of_the_run_is_in_the_brokers_words() {
    let (_, mut link, thread) = opened(|stream| {
        stream.write_all(&[SUBSCRIBED, b"ERROR\nmessage:too slow\n\n\0"].concat()).unwrap();
    });
    let error = hear(&mut link, 1).unwrap_err().to_string();
    assert!(error.contains("too slow"), "{error}");
    thread.join().unwrap();
}

#[test]
fn what_does_not_go_at_once_waits_and_goes_later() {
    const LENGTH: usize = 32 * 1024 * 1024;
    let (to, from) = std::sync::mpsc::sync_channel(1);
    let (_, mut link, thread) = opened(move |stream| {
        stream.write_all(SUBSCRIBED).unwrap();
        from.recv().unwrap();
        let mut read = vec![0; LENGTH];
        stream.read_exact(&mut read).unwrap();
        assert!(read.iter().all(|byte| *byte == b'x'));
    });
    link.outbox().0.resize(LENGTH, b'x');
    link.flush().unwrap();
    assert!(!link.is_flushed());
    to.send(()).unwrap();
    while !link.is_flushed() {
        link.flush().unwrap();
    }
    thread.join().unwrap();
}

#[test]
fn a_farewell_is_waited_for_and_late_messages_are_held() {
    let (target, mut link, thread) = opened(|stream| {
        stream.write_all(SUBSCRIBED).unwrap();
        expect(stream, b"DISCONNECT\nreceipt:farewell\n\n\0");
        let answer = [&message(b"late")[..], b"RECEIPT\nreceipt-id:farewell\n\n\0"].concat();
        stream.write_all(&answer).unwrap();
    });
    link.settle(&target).unwrap();
    assert_eq!(hear(&mut link, 1).unwrap(), [b"late"]);
    link.leave(&target).unwrap();
    assert!(link.is_flushed());
    thread.join().unwrap();
}
