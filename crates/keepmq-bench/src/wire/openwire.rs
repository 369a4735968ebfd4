//! OpenWire 12 as a client speaks it, in the loose encoding and without a cache: numbers then stand at fixed places of a
//! prepared frame, and what comes can be passed over without being remembered.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{AckMode, Fault, Login, Manner, Reply, Sink};

/// What a client says in the course of a run.
#[derive(Debug)]
pub(crate) struct OpenWire {
    /// The connection's id, which those of its producer and consumer begin with.
    connection: String,
    /// Queue or topic, and its name, as an object.
    destination: Vec<u8>,
    ack: AckMode,
    prefetch: u32,
    /// A message up to its body, and behind it.
    head: Vec<u8>,
    tail: Vec<u8>,
    /// Where the number of the message stands in the head.
    sequence_at: usize,
    sequence: Cell<u64>,
}

const VERSION: i32 = 12;
const STANDARD: u8 = 2;
const INDIVIDUAL: u8 = 4;

const WIRE_FORMAT_INFO: u8 = 1;
const CONNECTION_INFO: u8 = 3;
const SESSION_INFO: u8 = 4;
const CONSUMER_INFO: u8 = 5;
const PRODUCER_INFO: u8 = 6;
const SHUTDOWN_INFO: u8 = 11;
const REMOVE_INFO: u8 = 12;
const CONNECTION_ERROR: u8 = 16;
const MESSAGE_DISPATCH: u8 = 21;
const MESSAGE_ACK: u8 = 22;
const BYTES_MESSAGE: u8 = 24;
const RESPONSE: u8 = 30;
const EXCEPTION_RESPONSE: u8 = 31;
const QUEUE: u8 = 100;
const TOPIC: u8 = 101;
const MESSAGE_ID: u8 = 110;
const CONNECTION_ID: u8 = 120;
const SESSION_ID: u8 = 121;
const CONSUMER_ID: u8 = 122;
const PRODUCER_ID: u8 = 123;

/// Numbers of commands that are answered; those of publishes follow.
const WELCOME: u32 = 1;
const SUBSCRIBED: u32 = 2;
const SETTLED: u32 = 3;
const FIRST_PLACE: u32 = 16;

/// Tells connections of one process apart.
static CONNECTIONS: AtomicU64 = AtomicU64::new(1);

impl OpenWire {
    pub(crate) fn new(manner: &Manner, destination: &str, size: usize) -> Self {
        let (kind, name) = match destination.split_once("://") {
            Some(("topic", name)) => (TOPIC, name),
            Some((_, name)) => (QUEUE, name),
            None => (QUEUE, destination),
        };
        let number = CONNECTIONS.fetch_add(1, Ordering::Relaxed);
        let connection = format!("ID:bench-{}-{number}:1", std::process::id());
        let destination = written(|w| {
            w.u8(kind);
            w.text(Some(name));
        });
        let mut head = vec![0; 4];
        let mut w = Writer(&mut head);
        w.command(BYTES_MESSAGE, 0, manner.receipts);
        w.some(|w| w.id(PRODUCER_ID, &connection));
        w.some(|w| w.0.extend_from_slice(&destination));
        w.nothing(2);
        w.u8(1);
        w.u8(MESSAGE_ID);
        w.text(None);
        w.some(|w| w.id(PRODUCER_ID, &connection));
        let sequence_at = w.0.len();
        w.i64(0);
        w.i64(0);
        w.nothing(2);
        w.i32(0);
        w.text(None);
        w.u8(manner.persistent.into());
        w.i64(0);
        w.u8(4);
        w.nothing(1);
        w.i64(1);
        w.text(None);
        w.u8(1);
        w.i32(i32::try_from(size).unwrap_or(i32::MAX));
        let tail = written(|w| {
            w.nothing(4);
            w.i32(0);
            w.nothing(1);
            w.i64(0);
            w.nothing(4);
            w.i64(0);
            w.i64(0);
            w.u8(0);
        });
        let length = u32::try_from(head.len() - 4 + size + tail.len()).unwrap_or(u32::MAX);
        head[..4].copy_from_slice(&length.to_be_bytes());
        let prefetch = manner.prefetch.unwrap_or(1000);
        let sequence = Cell::new(1);
        Self { connection, destination, ack: manner.ack, prefetch, head, tail, sequence_at, sequence }
    }

    /// Everything that the wire format offers is declined but its version and long frames.
    pub(crate) fn connect(&self, out: &mut Vec<u8>, client_id: &str, login: Option<&Login>) {
        frame(out, |w| {
            w.u8(WIRE_FORMAT_INFO);
            w.0.extend_from_slice(b"ActiveMQ");
            w.i32(VERSION);
            let properties = written(|w| {
                w.i32(1);
                w.short("MaxFrameSize");
                w.u8(6);
                w.i64(i64::MAX);
            });
            w.bytes(&properties);
        });
        frame(out, |w| {
            w.command(CONNECTION_INFO, WELCOME, true);
            w.some(|w| w.connection(&self.connection));
            w.text(Some(client_id));
            w.text(login.map(|login| &*login.password));
            w.text(login.map(|login| &*login.user));
            w.nothing(6);
            w.text(None);
        });
        frame(out, |w| {
            w.command(SESSION_INFO, 0, false);
            w.some(|w| w.session(&self.connection, 1));
        });
        frame(out, |w| {
            w.command(PRODUCER_INFO, 0, false);
            w.some(|w| w.id(PRODUCER_ID, &self.connection));
            w.nothing(3);
            w.i32(0);
        });
    }

    pub(crate) fn subscribe(&self, out: &mut Vec<u8>) {
        frame(out, |w| {
            w.command(CONSUMER_INFO, SUBSCRIBED, true);
            w.some(|w| w.id(CONSUMER_ID, &self.connection));
            w.u8(0);
            w.some(|w| w.0.extend_from_slice(&self.destination));
            w.i32(i32::try_from(self.prefetch).unwrap_or(i32::MAX));
            w.i32(0);
            w.u8(1);
            w.nothing(6);
            w.u8(0);
            w.nothing(6);
        });
    }

    pub(crate) fn begin_publish(&self, out: &mut Vec<u8>, place: u32) {
        let start = out.len();
        out.extend_from_slice(&self.head);
        out[start + 5..start + 9].copy_from_slice(&(FIRST_PLACE + place).to_be_bytes());
        let at = start + self.sequence_at;
        out[at..at + 8].copy_from_slice(&self.sequence.get().to_be_bytes());
        self.sequence.set(self.sequence.get() + 1);
    }

    pub(crate) fn end_publish(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.tail);
    }

    pub(crate) fn take(&self, input: &[u8], out: &mut Vec<u8>, sink: &mut impl Sink) -> Result<usize, Fault> {
        let mut at = 0;
        let mut last = None;
        let mut count = 0;
        while let Some((body, length)) = split(&input[at..])? {
            at += length;
            match body.first() {
                Some(&MESSAGE_DISPATCH) => {
                    let message = Dispatch::read(body).ok_or_else(|| strange(body))?;
                    sink.message(message.body);
                    match self.ack {
                        AckMode::Client => (last, count) = (Some(message.id), count + 1),
                        AckMode::Auto => self.acknowledge(out, STANDARD, message.id, 1),
                        AckMode::ClientIndividual => self.acknowledge(out, INDIVIDUAL, message.id, 1),
                    }
                }
                Some(&RESPONSE) => match correlation(body)? {
                    SETTLED => sink.settled(),
                    number => sink.accepted(number.saturating_sub(FIRST_PLACE))?,
                },
                Some(&(EXCEPTION_RESPONSE | CONNECTION_ERROR)) => return Err(Fault::Refused(words(body))),
                _ => {}
            }
        }
        if let Some(id) = last {
            self.acknowledge(out, STANDARD, id, count);
        }
        Ok(at)
    }

    fn acknowledge(&self, out: &mut Vec<u8>, kind: u8, id: &[u8], count: i32) {
        frame(out, |w| {
            w.command(MESSAGE_ACK, 0, false);
            w.some(|w| w.0.extend_from_slice(&self.destination));
            w.u8(0);
            w.some(|w| w.id(CONSUMER_ID, &self.connection));
            w.u8(kind);
            w.u8(0);
            w.some(|w| w.0.extend_from_slice(id));
            w.i32(count);
            w.u8(0);
        });
    }

    /// Asks for an answer that comes when everything sent before was seen: a further session is registered.
    pub(crate) fn question(&self, out: &mut Vec<u8>) {
        frame(out, |w| {
            w.command(SESSION_INFO, SETTLED, true);
            w.some(|w| w.session(&self.connection, 2));
        });
    }

    /// Says goodbye.
    pub(crate) fn leave(&self, out: &mut Vec<u8>) {
        frame(out, |w| {
            w.command(REMOVE_INFO, 0, false);
            w.some(|w| w.connection(&self.connection));
            w.i64(-1);
        });
        frame(out, |w| w.command(SHUTDOWN_INFO, 0, false));
    }
}

pub(crate) fn reply(input: &[u8]) -> Result<Option<(Reply, usize)>, Fault> {
    let Some((body, length)) = split(input)? else { return Ok(None) };
    let reply = match body.first() {
        Some(&RESPONSE) => match correlation(body)? {
            WELCOME => Reply::Welcome,
            SUBSCRIBED => Reply::Subscribed,
            SETTLED => Reply::Settled,
            _ => Reply::Other,
        },
        Some(&(EXCEPTION_RESPONSE | CONNECTION_ERROR)) => Reply::Refused(words(body)),
        _ => Reply::Other,
    };
    Ok(Some((reply, length)))
}

/// Cuts off the first frame, if it is there whole: its body, and its length with its size.
#[inline]
fn split(input: &[u8]) -> Result<Option<(&[u8], usize)>, Fault> {
    const LONGEST: u32 = 100 * 1024 * 1024;
    let Some(size) = input.first_chunk::<4>() else { return Ok(None) };
    let size = u32::from_be_bytes(*size);
    if size == 0 || size > LONGEST {
        return Err(Fault::Malformed(format!("a frame of {size} bytes")));
    }
    let length = 4 + usize::try_from(size).unwrap_or(usize::MAX);
    Ok(input.get(4..length).map(|body| (body, length)))
}

fn correlation(body: &[u8]) -> Result<u32, Fault> {
    let number = body.get(6..).and_then(|rest| rest.first_chunk::<4>()).ok_or_else(|| strange(body))?;
    Ok(u32::from_be_bytes(*number))
}

fn strange(body: &[u8]) -> Fault {
    Fault::Malformed(format!("a command of type {}", body.first().copied().unwrap_or_default()))
}

/// What an exception says: its class and its message are the texts in it.
fn words(body: &[u8]) -> String {
    let printable =
        |byte: &u8| if byte.is_ascii_graphic() || *byte == b' ' { char::from(*byte) } else { ' ' };
    let text: String = body.get(10..).unwrap_or_default().iter().take(400).map(printable).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A message as it lies in the buffer.
struct Dispatch<'a> {
    /// Its id, as an object.
    id: &'a [u8],
    body: &'a [u8],
}

impl<'a> Dispatch<'a> {
    #[inline]
    fn read(frame: &'a [u8]) -> Option<Self> {
        let mut r = Reader(frame);
        r.skip(6)?;
        r.object()?;
        r.object()?;
        // The message, and its command's number.
        r.skip(1 + 1 + 5)?;
        for _ in 0..4 {
            r.object()?;
        }
        let id = r.object()?;
        r.object()?;
        r.text()?;
        r.skip(4)?;
        r.text()?;
        r.skip(1 + 8 + 1)?;
        r.object()?;
        r.skip(8)?;
        r.text()?;
        let is_there = r.u8()? != 0;
        let length = if is_there { usize::try_from(r.u32()?).ok()? } else { 0 };
        Some(Self { id, body: r.take(length)? })
    }
}

/// Reads what is passed over.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn skip(&mut self, count: usize) -> Option<()> {
        self.take(count).map(drop)
    }

    fn u8(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(*self.take(4)?.first_chunk()?))
    }

    fn text(&mut self) -> Option<()> {
        if self.u8()? == 0 {
            return Some(());
        }
        let length = u16::from_be_bytes(*self.take(2)?.first_chunk()?);
        self.skip(length.into())
    }

    /// An object of those that dispatched messages hold, without the sign that it is there.
    fn object(&mut self) -> Option<&'a [u8]> {
        if self.u8()? == 0 {
            return Some(&[]);
        }
        let start = self.0;
        match self.u8()? {
            QUEUE..=103 | CONNECTION_ID => self.text()?,
            CONSUMER_ID | PRODUCER_ID => {
                self.text()?;
                self.skip(16)?;
            }
            MESSAGE_ID => {
                self.text()?;
                self.object()?;
                self.skip(16)?;
            }
            _ => return None,
        }
        start.get(..start.len() - self.0.len())
    }
}

fn written(write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut Writer(&mut out));
    out
}

/// Writes a frame with its size.
fn frame(out: &mut Vec<u8>, write: impl FnOnce(&mut Writer<'_>)) {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    write(&mut Writer(out));
    let size = u32::try_from(out.len() - start - 4).unwrap_or(u32::MAX);
    out[start..start + 4].copy_from_slice(&size.to_be_bytes());
}

/// Writes the loose encoding.
struct Writer<'a>(&'a mut Vec<u8>);

impl Writer<'_> {
    fn u8(&mut self, value: u8) {
        self.0.push(value);
    }

    fn i32(&mut self, value: i32) {
        self.0.extend_from_slice(&value.to_be_bytes());
    }

    fn i64(&mut self, value: i64) {
        self.0.extend_from_slice(&value.to_be_bytes());
    }

    fn short(&mut self, text: &str) {
        self.0.extend_from_slice(&u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes());
        self.0.extend_from_slice(text.as_bytes());
    }

    fn text(&mut self, text: Option<&str>) {
        self.u8(text.is_some().into());
        if let Some(text) = text {
            self.short(text);
        }
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.u8(1);
        self.i32(i32::try_from(bytes.len()).unwrap_or(i32::MAX));
        self.0.extend_from_slice(bytes);
    }

    /// So many fields that are absent or false.
    fn nothing(&mut self, count: usize) {
        self.0.resize(self.0.len() + count, 0);
    }

    /// An object that is there.
    fn some(&mut self, write: impl FnOnce(&mut Self)) {
        self.u8(1);
        write(self);
    }

    fn command(&mut self, code: u8, number: u32, is_answered: bool) {
        self.u8(code);
        self.0.extend_from_slice(&number.to_be_bytes());
        self.u8(is_answered.into());
    }

    fn connection(&mut self, id: &str) {
        self.u8(CONNECTION_ID);
        self.text(Some(id));
    }

    fn session(&mut self, connection: &str, number: i64) {
        self.u8(SESSION_ID);
        self.text(Some(connection));
        self.i64(number);
    }

    /// A producer's or consumer's: the first of the first session.
    fn id(&mut self, code: u8, connection: &str) {
        self.u8(code);
        self.text(Some(connection));
        self.i64(1);
        self.i64(1);
    }
}
