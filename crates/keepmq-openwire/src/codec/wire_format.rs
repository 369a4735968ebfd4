//! Cuts frames from what came and makes frames of what goes.

use bytes::{Bytes, BytesMut};
use keepmq_model::Outgoing;
use zeroize::Zeroize;

use super::cache::{ReadCache, WriteCache};
use super::fault::Fault;
use super::negotiation::Negotiated;
use super::reader::{Manner, Reader};
use super::structure::Structure;
use super::wire::{Command, ConsumerId, Destination, Message, MessageDispatch};
use super::writer::{Scratch, Writer};

/// The state of one connection's encoding.
#[derive(Debug)]
pub struct WireFormat {
    manner: Manner,
    read: Option<ReadCache>,
    write: Option<WriteCache>,
    /// The longest frame that is taken, in bytes without its size.
    max_frame: usize,
    /// Frames may hold passwords: each is read from a copy of its own, and wiped where it came.
    private: bool,
    scratch: Scratch,
}

impl WireFormat {
    /// Before login: loose, nothing cached, no frame longer than this, and none left behind in the input.
    pub fn new(max_frame: usize) -> Self {
        let manner = Manner { version: 1, tight: false, stack_traces: false };
        Self { manner, read: None, write: None, max_frame, private: true, scratch: Scratch::default() }
    }

    /// Both sides know now how they talk. The caches begin empty.
    pub fn negotiated(&mut self, agreed: &Negotiated) {
        let Negotiated { version, tight, stack_traces, .. } = *agreed;
        self.manner = Manner { version, tight, stack_traces };
        self.read = agreed.cache.map(ReadCache::new);
        self.write = agreed.cache.map(WriteCache::new);
    }

    /// The version that is spoken.
    pub fn version(&self) -> u8 {
        self.manner.version
    }

    /// The login is over: no frame longer than this is taken, and each shares the input's memory.
    pub fn logged_in(&mut self, max_frame: usize) {
        self.max_frame = max_frame;
        self.private = false;
    }

    /// Takes a frame from the front; `None` when it has not come whole. Its claim of a length costs nothing.
    pub fn decode(&mut self, input: &mut BytesMut) -> Result<Option<Command>, Fault> {
        while let Some(size) = input.first_chunk::<4>() {
            let size = usize::try_from(i32::from_be_bytes(*size));
            let size = size.map_err(|_| Fault::new("the frame has a negative length", 0))?;
            if size > self.max_frame {
                return Err(Fault::new("the frame is longer than the limit", 0));
            }
            if input.len() - 4 < size {
                return Ok(None);
            }
            let frame = self.frame_of(input.split_to(4 + size));
            // A null command is one byte, or nothing at all: it means nothing.
            if frame.is_empty() {
                continue;
            }
            let command = Reader::new(&frame, self.manner, self.read.as_mut()).command()?;
            if command.is_some() {
                return Ok(command);
            }
        }
        Ok(None)
    }

    /// A frame without its size.
    fn frame_of(&self, mut bytes: BytesMut) -> Bytes {
        if !self.private {
            return bytes.freeze().slice(4..);
        }
        let frame = Bytes::copy_from_slice(bytes.get(4..).unwrap_or_default());
        bytes.as_mut().zeroize();
        frame
    }

    /// Writes a frame.
    pub fn encode(&mut self, command: &Command, out: &mut Outgoing) {
        self.frame(command.code(), out, |writer| command.write(writer));
    }

    /// Writes a `MessageDispatch` of a message that stays where it is; of `None` when a browser has seen everything.
    pub fn encode_dispatch(
        &mut self,
        consumer: &ConsumerId,
        destination: Option<&Destination>,
        message: Option<&Message>,
        redeliveries: i32,
        out: &mut Outgoing,
    ) {
        self.frame(MessageDispatch::CODE, out, |writer| {
            writer.int(0);
            writer.bool(false);
            writer.cached(Some(consumer));
            writer.cached(destination);
            writer.nested(message);
            writer.int(redeliveries);
        });
    }

    fn frame(&mut self, code: u8, out: &mut Outgoing, write: impl FnOnce(&mut Writer<'_>)) {
        if let Some(cache) = &mut self.write {
            cache.sweep();
        }
        let mut writer = Writer::new(&mut self.scratch, self.manner, self.write.as_mut());
        write(&mut writer);
        writer.finish(code, out);
    }

    /// Gives memory back while the connection is idle.
    pub fn shrink(&mut self) {
        self.scratch.shrink();
    }
}

/// How stored messages are encoded, whatever their connection has agreed on: their layout's number stands for it.
const STORED: Manner = Manner { version: 12, tight: false, stack_traces: false };

/// A message in the form that is stored.
pub(crate) fn encode_stored(message: &Message) -> Bytes {
    let mut scratch = Scratch::default();
    let mut writer = Writer::new(&mut scratch, STORED, None);
    message.write(&mut writer);
    writer.into_bytes(message.code())
}

/// Reads a stored message back; `None` when it can't be.
pub(crate) fn decode_stored(bytes: &Bytes) -> Option<Message> {
    match Reader::new(bytes, STORED, None).command() {
        Ok(Some(Command::Message(message))) => Some(*message),
        _ => None,
    }
}
