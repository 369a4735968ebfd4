//! MQTT 3.1.1 from the broker's side, written apart from the generator's so that the two check each other.

use std::io;
use std::sync::mpsc::SyncSender;

use crate::broker::{Hub, Session};

pub(crate) struct Mqtt {
    outbox: SyncSender<Vec<u8>>,
    topic: String,
    qos: u8,
    next_id: u16,
}

impl Mqtt {
    pub(crate) fn new(outbox: SyncSender<Vec<u8>>) -> Self {
        Self { outbox, topic: String::new(), qos: 0, next_id: 1 }
    }

    fn packet(&mut self, first: u8, mut body: &[u8], out: &mut Vec<u8>, hub: &mut Hub) -> io::Result<()> {
        match first {
            0x10 => out.extend_from_slice(&[0x20, 2, 0, if is_let_in(body, hub) { 0 } else { 5 }]),
            0x82 => {
                let id = cut(&mut body, 2).to_vec();
                self.topic = text(&mut body);
                self.qos = body[0];
                assert_eq!(body.len(), 1);
                hub.subscribe(&self.topic, &self.outbox);
                let code = if self.topic == "forbidden" { 0x80 } else { self.qos };
                out.extend_from_slice(&[0x90, 3, id[0], id[1], code]);
            }
            0x30 | 0x32 | 0x34 => {
                let topic = text(&mut body);
                let id = if first == 0x30 { Vec::new() } else { cut(&mut body, 2).to_vec() };
                if hub.publish(&topic, body)? && !id.is_empty() {
                    out.extend_from_slice(&[if first == 0x32 { 0x40 } else { 0x50 }, 2, id[0], id[1]]);
                }
            }
            // PUBACK and PUBCOMP.
            0x40 | 0x70 => hub.acks += 1,
            // PUBREC to PUBREL, PUBREL to PUBCOMP.
            0x50 => out.extend_from_slice(&[0x62, 2, body[0], body[1]]),
            0x62 => out.extend_from_slice(&[0x70, 2, body[0], body[1]]),
            0xc0 => out.extend_from_slice(&[0xd0, 0]),
            0xe0 => {
                hub.farewells += 1;
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            other => panic!("a packet {other:#x}"),
        }
        Ok(())
    }
}

impl Session for Mqtt {
    fn take(&mut self, input: &mut Vec<u8>, out: &mut Vec<u8>, hub: &mut Hub) -> io::Result<()> {
        while let Some((at, length)) = size(input) {
            if input.len() < at + length {
                break;
            }
            let packet: Vec<u8> = input.drain(..at + length).collect();
            self.packet(packet[0], &packet[at..], out, hub)?;
        }
        Ok(())
    }

    fn deliver(&mut self, body: &[u8], out: &mut Vec<u8>) {
        let mut packet = u16::try_from(self.topic.len()).unwrap().to_be_bytes().to_vec();
        packet.extend_from_slice(self.topic.as_bytes());
        if self.qos > 0 {
            packet.extend_from_slice(&self.next_id.to_be_bytes());
            self.next_id = self.next_id.checked_add(1).unwrap_or(1);
        }
        packet.extend_from_slice(body);
        out.push(0x30 | self.qos << 1);
        let mut left = packet.len();
        while left > 127 {
            out.push(u8::try_from(left & 127).unwrap() | 128);
            left >>= 7;
        }
        out.push(u8::try_from(left).unwrap());
        out.extend_from_slice(&packet);
    }
}

/// Where the body of the first packet begins and how long it is.
fn size(input: &[u8]) -> Option<(usize, usize)> {
    let end = input.iter().skip(1).position(|digit| digit & 128 == 0)? + 1;
    let digits = input[1..=end].iter().rev();
    Some((end + 1, digits.fold(0, |sum, digit| sum << 7 | usize::from(digit & 127))))
}

fn cut<'a>(body: &mut &'a [u8], length: usize) -> &'a [u8] {
    let (cut, rest) = body.split_at(length);
    *body = rest;
    cut
}

fn text(body: &mut &[u8]) -> String {
    let length = cut(body, 2);
    let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
    String::from_utf8(cut(body, length).to_vec()).unwrap()
}

fn is_let_in(mut body: &[u8], hub: &Hub) -> bool {
    assert_eq!(text(&mut body), "MQTT");
    assert_eq!(cut(&mut body, 1), [4]);
    let flags = cut(&mut body, 1)[0];
    cut(&mut body, 2);
    assert!(text(&mut body).starts_with("bench-"));
    let login = if flags & 0xc0 == 0xc0 { text(&mut body) + " " + &text(&mut body) } else { String::new() };
    assert!(body.is_empty());
    !hub.faults.asks_for_login || login == "bench secret"
}
