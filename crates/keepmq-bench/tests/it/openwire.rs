//! OpenWire from the broker's side, by the codec of this workspace's broker: it was written apart from the generator's, so
//! that the two check each other.

use std::io::{self, IoSlice};
use std::sync::mpsc::SyncSender;

use bytes::{Bytes, BytesMut};
use keepmq_model::Outgoing;
use keepmq_openwire::Offer;
use keepmq_openwire::codec::{
    Command, ConsumerId, Destination, ExceptionResponse, JavaText, Message, MessageId, MessageKind, Response,
    Throwable, WireFormat,
};

use crate::broker::{Hub, Session};

pub(crate) struct OpenWire {
    outbox: SyncSender<Vec<u8>>,
    format: WireFormat,
    consumer: ConsumerId,
    destination: Option<Destination>,
    next_id: i64,
}

impl OpenWire {
    pub(crate) fn new(outbox: SyncSender<Vec<u8>>) -> Self {
        let format = WireFormat::new(100 * 1024 * 1024);
        Self { outbox, format, consumer: ConsumerId::default(), destination: None, next_id: 0 }
    }

    fn put(&mut self, command: &Command, out: &mut Vec<u8>) {
        let mut frame = Outgoing::default();
        self.format.encode(command, &mut frame);
        append(&frame, out);
    }

    fn answer(&mut self, id: i32, out: &mut Vec<u8>) {
        let response = Response { correlation_id: id, ..Response::default() };
        self.put(&Command::Response(Box::new(response)), out);
    }

    fn command(&mut self, command: Command, out: &mut Vec<u8>, hub: &mut Hub) -> io::Result<()> {
        let answered = match command {
            Command::WireFormatInfo(info) => {
                let agreed = Offer::default().negotiate(&Offer::read(&info).unwrap()).unwrap();
                assert_eq!((agreed.version, agreed.tight, agreed.cache), (12, false, None));
                self.format.negotiated(&agreed);
                self.put(&Command::WireFormatInfo(Box::new(Offer::default().info("1"))), out);
                None
            }
            Command::ConnectionInfo(info) => {
                let text =
                    |text: &Option<JavaText>| text.as_ref().map(ToString::to_string).unwrap_or_default();
                let login = format!("{} {}", text(&info.user_name), text(&info.password));
                if hub.faults.asks_for_login && login != "bench secret" {
                    let exception =
                        Some(Box::new(Throwable::new("java.lang.SecurityException", "who is it?")));
                    let correlation_id = info.command_id;
                    let refusal =
                        ExceptionResponse { correlation_id, exception, ..ExceptionResponse::default() };
                    self.put(&Command::ExceptionResponse(Box::new(refusal)), out);
                    return Ok(());
                }
                Some((info.command_id, info.response_required))
            }
            Command::SessionInfo(info) => Some((info.command_id, info.response_required)),
            Command::ProducerInfo(info) => Some((info.command_id, info.response_required)),
            Command::ConsumerInfo(info) => {
                self.consumer = info.consumer_id.unwrap();
                hub.subscribe(&name(info.destination.as_ref().unwrap()), &self.outbox);
                self.destination = info.destination;
                Some((info.command_id, info.response_required))
            }
            Command::Message(message) => {
                assert_eq!(message.message_id.unwrap().producer_sequence_id, self.next_id + 1);
                self.next_id += 1;
                let is_safe = hub.publish(&name(&message.destination.unwrap()), &message.content.unwrap())?;
                Some((message.command_id, message.response_required && is_safe))
            }
            Command::MessageAck(ack) => {
                assert_eq!(ack.consumer_id, Some(self.consumer.clone()));
                hub.acks += u64::try_from(ack.message_count).unwrap();
                None
            }
            Command::RemoveInfo(_) => None,
            Command::ShutdownInfo(_) => {
                hub.farewells += 1;
                None
            }
            other => panic!("{other:?}"),
        };
        if let Some((id, true)) = answered {
            self.answer(id, out);
        }
        Ok(())
    }
}

/// As the broker of these tests tells queues from topics.
fn name(destination: &Destination) -> String {
    let name = destination.physical_name.as_ref().unwrap();
    format!("/{:?}/{name}", destination.kind).to_lowercase()
}

fn append(frame: &Outgoing, out: &mut Vec<u8>) {
    let mut slices = [IoSlice::new(&[]); 8];
    let count = frame.slices(&mut slices);
    slices[..count].iter().for_each(|slice| out.extend_from_slice(slice));
}

impl Session for OpenWire {
    fn take(&mut self, input: &mut Vec<u8>, out: &mut Vec<u8>, hub: &mut Hub) -> io::Result<()> {
        let mut bytes = BytesMut::from(&input[..]);
        while let Some(command) = self.format.decode(&mut bytes).unwrap() {
            self.command(command, out, hub)?;
        }
        input.drain(..input.len() - bytes.len());
        Ok(())
    }

    fn deliver(&mut self, body: &[u8], out: &mut Vec<u8>) {
        self.next_id += 1;
        let message = Message {
            kind: MessageKind::Bytes,
            message_id: Some(MessageId { producer_sequence_id: self.next_id, ..MessageId::default() }),
            destination: self.destination.clone(),
            group_id: Some("g".into()),
            jms_type: Some("t".into()),
            content: Some(Bytes::copy_from_slice(body)),
            ..Message::default()
        };
        let mut frame = Outgoing::default();
        let (consumer, destination) = (&self.consumer, self.destination.as_ref());
        self.format.encode_dispatch(consumer, destination, Some(&message), 0, &mut frame);
        append(&frame, out);
    }
}
