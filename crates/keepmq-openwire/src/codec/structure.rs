//! What can stand in a field that holds an object.

use super::cache::Cached;
use super::fault::Fault;
use super::reader::Reader;
use super::wire::{Command, Destination, LocalTransactionId, Message, MessageKind, XaTransactionId};
use super::writer::Writer;

/// An object of one or several wire types.
pub(crate) trait Structure: Sized {
    /// Reads the fields of an object of this wire type; a fault when it must not stand here.
    fn read(reader: &mut Reader<'_>, code: u8) -> Result<Self, Fault>;

    /// Its wire type.
    fn code(&self) -> u8;

    /// Writes its fields.
    fn write(&self, writer: &mut Writer<'_>);

    /// What the cache keeps of it.
    fn to_cached(&self) -> Option<Cached> {
        None
    }

    /// From what the cache kept; `None` when that is of another type.
    fn of_command(_: Command) -> Option<Self> {
        None
    }
}

impl<T: Structure> Structure for Box<T> {
    fn read(reader: &mut Reader<'_>, code: u8) -> Result<Self, Fault> {
        T::read(reader, code).map(Self::new)
    }

    fn code(&self) -> u8 {
        (**self).code()
    }

    fn write(&self, writer: &mut Writer<'_>) {
        (**self).write(writer);
    }

    fn to_cached(&self) -> Option<Cached> {
        (**self).to_cached()
    }

    fn of_command(command: Command) -> Option<Self> {
        T::of_command(command).map(Self::new)
    }
}

pub(crate) const WRONG_TYPE: &str = "an object of this type must not stand here";

/// A transaction's name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TransactionId {
    /// Of one connection.
    Local(LocalTransactionId),
    /// Of a transaction manager.
    Xa(XaTransactionId),
}

impl Structure for TransactionId {
    fn read(reader: &mut Reader<'_>, code: u8) -> Result<Self, Fault> {
        match code {
            LocalTransactionId::CODE => LocalTransactionId::read(reader, code).map(Self::Local),
            XaTransactionId::CODE => XaTransactionId::read(reader, code).map(Self::Xa),
            _ => Err(reader.fault(WRONG_TYPE)),
        }
    }

    fn code(&self) -> u8 {
        match self {
            Self::Local(_) => LocalTransactionId::CODE,
            Self::Xa(_) => XaTransactionId::CODE,
        }
    }

    fn write(&self, writer: &mut Writer<'_>) {
        match self {
            Self::Local(id) => id.write(writer),
            Self::Xa(id) => id.write(writer),
        }
    }

    fn to_cached(&self) -> Option<Cached> {
        Some(match self {
            Self::Local(id) => Cached::Local(id.clone()),
            Self::Xa(id) => Cached::Xa(id.clone()),
        })
    }

    fn of_command(command: Command) -> Option<Self> {
        match command {
            Command::LocalTransactionId(id) => Some(Self::Local(id)),
            Command::XaTransactionId(id) => Some(Self::Xa(id)),
            _ => None,
        }
    }
}

/// What a destination is (openwire.md, section 12).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DestinationKind {
    /// A queue.
    Queue,
    /// A topic.
    Topic,
    /// A temporary queue.
    TempQueue,
    /// A temporary topic.
    TempTopic,
}

impl DestinationKind {
    fn of(code: u8) -> Option<Self> {
        Some(match code {
            100 => Self::Queue,
            101 => Self::Topic,
            102 => Self::TempQueue,
            103 => Self::TempTopic,
            _ => return None,
        })
    }

    fn code(self) -> u8 {
        match self {
            Self::Queue => 100,
            Self::Topic => 101,
            Self::TempQueue => 102,
            Self::TempTopic => 103,
        }
    }
}

impl Structure for Destination {
    fn read(reader: &mut Reader<'_>, code: u8) -> Result<Self, Fault> {
        let kind = DestinationKind::of(code).ok_or(reader.fault(WRONG_TYPE))?;
        Ok(Self { kind, physical_name: reader.string()? })
    }

    fn code(&self) -> u8 {
        self.kind.code()
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.string(self.physical_name.as_ref());
    }

    fn to_cached(&self) -> Option<Cached> {
        Some(Cached::Destination(self.clone()))
    }

    fn of_command(command: Command) -> Option<Self> {
        match command {
            Command::Destination(destination) => Some(destination),
            _ => None,
        }
    }
}

impl MessageKind {
    pub(crate) fn of(code: u8) -> Option<Self> {
        Some(match code {
            23 => Self::Plain,
            24 => Self::Bytes,
            25 => Self::Map,
            26 => Self::Object,
            27 => Self::Stream,
            28 => Self::Text,
            29 => Self::Blob,
            _ => return None,
        })
    }

    /// Its number as a wire type.
    pub fn code(self) -> u8 {
        match self {
            Self::Plain => 23,
            Self::Bytes => 24,
            Self::Map => 25,
            Self::Object => 26,
            Self::Stream => 27,
            Self::Text => 28,
            Self::Blob => 29,
        }
    }
}

impl Structure for Message {
    fn read(reader: &mut Reader<'_>, code: u8) -> Result<Self, Fault> {
        let kind = MessageKind::of(code).ok_or(reader.fault(WRONG_TYPE))?;
        let mut message = Self { kind, ..Self::default() };
        message.read_fields(reader)?;
        if kind == MessageKind::Blob {
            message.remote_blob_url = reader.string()?;
            message.mime_type = reader.string()?;
            message.deleted_by_broker = reader.bool()?;
        }
        Ok(message)
    }

    fn code(&self) -> u8 {
        self.kind.code()
    }

    fn write(&self, writer: &mut Writer<'_>) {
        self.write_fields(writer);
        if self.kind == MessageKind::Blob {
            writer.string(self.remote_blob_url.as_ref());
            writer.string(self.mime_type.as_ref());
            writer.bool(self.deleted_by_broker);
        }
    }
}
