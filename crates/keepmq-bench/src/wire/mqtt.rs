//! MQTT 3.1.1 as a client speaks it.

use super::{Fault, Login, Reply, Sink};

/// What a client says in the course of a run.
#[derive(Debug)]
pub(crate) struct Mqtt {
    topic: String,
    qos: u8,
    /// A PUBLISH up to its body; a packet identifier stands at the end of it unless the QoS is 0.
    head: Vec<u8>,
}

/// The last two digits of a packet identifier are patched there, so places in the window are one less.
const FIRST_ID: u32 = 1;
const SUBSCRIPTION_ID: u16 = 1;
/// Connections with nothing to say must not be closed in the middle of a run.
const KEEP_ALIVE_SECONDS: u16 = 3600;

impl Mqtt {
    pub(crate) fn new(topic: &str, qos: u8, size: usize) -> Self {
        let mut head = vec![0x30 | qos << 1];
        let id = if qos == 0 { 0 } else { 2 };
        write_length(&mut head, 2 + topic.len() + id + size);
        write_text(&mut head, topic);
        head.resize(head.len() + id, 0);
        Self { topic: topic.to_owned(), qos, head }
    }

    #[expect(clippy::unused_self, reason = "the same form as in STOMP")]
    pub(crate) fn connect(&self, out: &mut Vec<u8>, client_id: &str, login: Option<&Login>) {
        let texts = [Some(client_id), login.map(|l| l.user.as_str()), login.map(|l| l.password.as_str())];
        let length: usize = texts.iter().flatten().map(|text| 2 + text.len()).sum();
        out.push(0x10);
        write_length(out, 10 + length);
        write_text(out, "MQTT");
        // Level 4 is version 3.1.1; the flags say: a new session, and whether a user and a password follow.
        out.extend_from_slice(&[4, if login.is_some() { 0xc2 } else { 0x02 }]);
        out.extend_from_slice(&KEEP_ALIVE_SECONDS.to_be_bytes());
        texts.iter().flatten().for_each(|text| write_text(out, text));
    }

    pub(crate) fn subscribe(&self, out: &mut Vec<u8>) {
        out.push(0x82);
        write_length(out, 2 + 2 + self.topic.len() + 1);
        out.extend_from_slice(&SUBSCRIPTION_ID.to_be_bytes());
        write_text(out, &self.topic);
        out.push(self.qos);
    }

    pub(crate) fn begin_publish(&self, out: &mut Vec<u8>, place: u32) {
        out.extend_from_slice(&self.head);
        if self.qos > 0 {
            let at = out.len() - 2;
            // A window has at most 65,535 places.
            let [_, _, high, low] = (place + FIRST_ID).to_be_bytes();
            out[at..].copy_from_slice(&[high, low]);
        }
    }
}

/// PINGREQ: its answer comes after everything that the broker had to say to what was sent before.
pub(crate) fn ping(out: &mut Vec<u8>) {
    out.extend_from_slice(&[0xc0, 0]);
}

pub(crate) fn disconnect(out: &mut Vec<u8>) {
    out.extend_from_slice(&[0xe0, 0]);
}

/// The longest text that MQTT can say.
fn write_text(out: &mut Vec<u8>, text: &str) {
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(&text.as_bytes()[..usize::from(length)]);
}

fn write_length(out: &mut Vec<u8>, mut length: usize) {
    loop {
        let digit = u8::try_from(length % 128).unwrap_or_default();
        length /= 128;
        out.push(if length > 0 { digit | 0x80 } else { digit });
        if length == 0 {
            return;
        }
    }
}

/// One packet as it lies in the buffer.
struct Packet<'a> {
    first: u8,
    body: &'a [u8],
    length: usize,
}

/// Cuts off the first packet, if it is there whole.
#[inline]
fn split(input: &[u8]) -> Result<Option<Packet<'_>>, Fault> {
    let Some((first, rest)) = input.split_first() else { return Ok(None) };
    let mut length = 0;
    for (at, digit) in rest.iter().take(4).enumerate() {
        length |= usize::from(digit & 0x7f) << (7 * at);
        if digit & 0x80 == 0 {
            let body = rest.get(at + 1..at + 1 + length);
            return Ok(body.map(|body| Packet { first: *first, body, length: 2 + at + length }));
        }
    }
    if rest.len() < 4 {
        Ok(None)
    } else {
        Err(Fault::Malformed("a length of more than four digits".to_owned()))
    }
}

pub(crate) fn reply(input: &[u8]) -> Result<Option<(Reply, usize)>, Fault> {
    let Some(packet) = split(input)? else { return Ok(None) };
    let reply = match (packet.first >> 4, packet.body) {
        (2, [_, 0]) => Reply::Welcome,
        (2, [_, code]) => Reply::Refused(connect_refusal(*code)),
        (9, [_, _, 0..=2]) => Reply::Subscribed,
        (9, [_, _, code]) => Reply::Refused(format!("code {code:#x} in SUBACK")),
        (13, _) => Reply::Settled,
        (2 | 9, _) => return Err(Fault::Malformed("an answer of the wrong length".to_owned())),
        _ => Reply::Other,
    };
    Ok(Some((reply, packet.length)))
}

fn connect_refusal(code: u8) -> String {
    let words = match code {
        1 => "unacceptable protocol version",
        2 => "client identifier rejected",
        3 => "server unavailable",
        4 => "bad user name or password",
        5 => "not authorized",
        _ => "reason unknown",
    };
    format!("{words} (code {code} in CONNACK)")
}

pub(crate) fn take(input: &[u8], out: &mut Vec<u8>, sink: &mut impl Sink) -> Result<usize, Fault> {
    let mut at = 0;
    while let Some(packet) = split(&input[at..])? {
        at += packet.length;
        match packet.first >> 4 {
            3 => take_publish(&packet, out, sink)?,
            4 | 7 => sink.accepted(u32::from(id(&packet)?).wrapping_sub(FIRST_ID))?,
            5 => answer(out, 0x62, id(&packet)?),
            6 => answer(out, 0x70, id(&packet)?),
            13 => sink.settled(),
            other => {
                return Err(Fault::Malformed(format!("a packet of type {other} in the course of the run")));
            }
        }
    }
    Ok(at)
}

#[inline]
fn take_publish(packet: &Packet<'_>, out: &mut Vec<u8>, sink: &mut impl Sink) -> Result<(), Fault> {
    let short = || Fault::Malformed("a PUBLISH that ends too early".to_owned());
    let (length, rest) = packet.body.split_first_chunk::<2>().ok_or_else(short)?;
    let rest = rest.get(usize::from(u16::from_be_bytes(*length))..).ok_or_else(short)?;
    let qos = packet.first >> 1 & 3;
    if qos == 0 {
        sink.message(rest);
        return Ok(());
    }
    let (id, body) = rest.split_first_chunk::<2>().ok_or_else(short)?;
    sink.message(body);
    // PUBACK or PUBREC.
    answer(out, if qos == 1 { 0x40 } else { 0x50 }, u16::from_be_bytes(*id));
    Ok(())
}

fn answer(out: &mut Vec<u8>, first: u8, id: u16) {
    let [high, low] = id.to_be_bytes();
    out.extend_from_slice(&[first, 2, high, low]);
}

fn id(packet: &Packet<'_>) -> Result<u16, Fault> {
    match packet.body {
        [high, low] => Ok(u16::from_be_bytes([*high, *low])),
        _ => Err(Fault::Malformed("an acknowledgement of the wrong length".to_owned())),
    }
}
