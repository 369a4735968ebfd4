//! STOMP 1.2 from the broker's side, written apart from the generator's so that the two check each other.

use std::collections::HashMap;
use std::io;
use std::sync::mpsc::SyncSender;

use crate::broker::{Hub, Session};

pub(crate) struct Stomp {
    outbox: SyncSender<Vec<u8>>,
    destination: String,
    ack: String,
    next_id: u64,
}

type Headers = HashMap<String, String>;

impl Stomp {
    pub(crate) fn new(outbox: SyncSender<Vec<u8>>) -> Self {
        Self { outbox, destination: String::new(), ack: String::new(), next_id: 0 }
    }

    fn frame(
        &mut self,
        command: &str,
        headers: &Headers,
        body: &[u8],
        out: &mut Vec<u8>,
        hub: &mut Hub,
    ) -> io::Result<()> {
        let header = |name: &str| headers.get(name).cloned().unwrap_or_default();
        let mut is_acknowledged = true;
        match command {
            "CONNECT" => {
                let login = header("login") + " " + &header("passcode");
                let is_let_in = !hub.faults.asks_for_login || login == "bench secret";
                let answer = if is_let_in {
                    "CONNECTED\nversion:1.2\n\n\0"
                } else {
                    "ERROR\nmessage:who is it?\n\n\0"
                };
                out.extend_from_slice(answer.as_bytes());
            }
            "SUBSCRIBE" => {
                self.destination = header("destination");
                self.ack = header("ack");
                hub.subscribe(&self.destination, &self.outbox);
            }
            "SEND" => is_acknowledged = hub.publish(&header("destination"), body)?,
            "ACK" => {
                let id: u64 = header("id").parse().unwrap();
                // One of client mode stands for all before it.
                hub.acks = if self.ack == "client" { id } else { hub.acks + 1 };
            }
            "DISCONNECT" => hub.farewells += 1,
            other => panic!("a frame {other:?}"),
        }
        if let Some(receipt) = headers.get("receipt").filter(|_| is_acknowledged) {
            out.extend_from_slice(format!("RECEIPT\nreceipt-id:{receipt}\n\n\0\n").as_bytes());
        }
        Ok(())
    }
}

impl Session for Stomp {
    fn take(&mut self, input: &mut Vec<u8>, out: &mut Vec<u8>, hub: &mut Hub) -> io::Result<()> {
        while let Some(head_end) = input.windows(2).position(|pair| pair == b"\n\n") {
            let head = String::from_utf8(input[..head_end].to_vec()).unwrap();
            let mut lines = head.lines();
            let command = lines.next().unwrap().to_owned();
            let pairs = lines.map(|line| line.split_once(':').unwrap());
            let headers: Headers = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            let start = head_end + 2;
            let length = match headers.get("content-length") {
                Some(length) => length.parse().unwrap(),
                None => input[start..].iter().position(|byte| *byte == 0).unwrap_or(input.len()),
            };
            if input.len() <= start + length {
                break;
            }
            assert_eq!(input[start + length], 0);
            let frame: Vec<u8> = input.drain(..=start + length).collect();
            self.frame(&command, &headers, &frame[start..start + length], out, hub)?;
        }
        Ok(())
    }

    fn deliver(&mut self, body: &[u8], out: &mut Vec<u8>) {
        self.next_id += 1;
        let (destination, id, length) = (&self.destination, self.next_id, body.len());
        let ack = if self.ack == "auto" { String::new() } else { format!("ack:{id}\n") };
        let head = format!(
            "MESSAGE\nsubscription:0\nmessage-id:{id}\n{ack}destination:{destination}\ncontent-length:{length}\n\n"
        );
        out.extend_from_slice(head.as_bytes());
        out.extend_from_slice(body);
        out.push(0);
    }
}
