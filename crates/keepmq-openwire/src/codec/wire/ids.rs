//! Names of things. Made by `cargo xtask openwire` from `openwire.json`: change that.

use super::super::cache::Cached;
use super::super::fault::Fault;
use super::super::reader::Reader;
use super::super::structure::{Structure, WRONG_TYPE};
use super::super::writer::Writer;
use super::*;

/// `BrokerId`, wire type 124.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct BrokerId {
    /// `value`.
    pub value: Option<JavaText>,
}

impl BrokerId {
    /// Its number as a wire type.
    pub const CODE: u8 = 124;

    fn read_fields(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        self.value = reader.string()?;
        Ok(())
    }
}

impl Structure for BrokerId {
    fn read(reader: &mut Reader<'_>, code: u8) -> Result<Self, Fault> {
        if code != Self::CODE {
            return Err(reader.fault(WRONG_TYPE));
        }
        let mut value = Self::default();
        value.read_fields(reader)?;
        Ok(value)
    }

    fn code(&self) -> u8 {
        Self::CODE
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.string(self.value.as_ref());
    }

    fn to_cached(&self) -> Option<Cached> {
        Some(Cached::Broker(self.clone()))
    }

    fn of_command(command: Command) -> Option<Self> {
        match command {
            Command::BrokerId(value) => Some(value),
            _ => None,
        }
    }
}

/// `ConnectionId`, wire type 120.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ConnectionId {
    /// `value`.
    pub value: Option<JavaText>,
}

impl ConnectionId {
    /// Its number as a wire type.
    pub const CODE: u8 = 120;

    fn read_fields(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        self.value = reader.string()?;
        Ok(())
    }
}

impl Structure for ConnectionId {
    fn read(reader: &mut Reader<'_>, code: u8) -> Result<Self, Fault> {
        if code != Self::CODE {
            return Err(reader.fault(WRONG_TYPE));
        }
        let mut value = Self::default();
        value.read_fields(reader)?;
        Ok(value)
    }

    fn code(&self) -> u8 {
        Self::CODE
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.string(self.value.as_ref());
    }

    fn to_cached(&self) -> Option<Cached> {
        Some(Cached::Connection(self.clone()))
    }

    fn of_command(command: Command) -> Option<Self> {
        match command {
            Command::ConnectionId(value) => Some(value),
            _ => None,
        }
    }
}

/// `ConsumerId`, wire type 122.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ConsumerId {
    /// `connectionId`.
    pub connection_id: Option<JavaText>,
    /// `sessionId`.
    pub session_id: i64,
    /// `value`.
    pub value: i64,
}

impl ConsumerId {
    /// Its number as a wire type.
    pub const CODE: u8 = 122;

    fn read_fields(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        self.connection_id = reader.string()?;
        self.session_id = reader.long()?;
        self.value = reader.long()?;
        Ok(())
    }
}

impl Structure for ConsumerId {
    fn read(reader: &mut Reader<'_>, code: u8) -> Result<Self, Fault> {
        if code != Self::CODE {
            return Err(reader.fault(WRONG_TYPE));
        }
        let mut value = Self::default();
        value.read_fields(reader)?;
        Ok(value)
    }

    fn code(&self) -> u8 {
        Self::CODE
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.string(self.connection_id.as_ref());
        writer.long(self.session_id);
        writer.long(self.value);
    }

    fn to_cached(&self) -> Option<Cached> {
        Some(Cached::Consumer(self.clone()))
    }

    fn of_command(command: Command) -> Option<Self> {
        match command {
            Command::ConsumerId(value) => Some(value),
            _ => None,
        }
    }
}

/// `LocalTransactionId`, wire type 111.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct LocalTransactionId {
    /// `value`.
    pub value: i64,
    /// `connectionId`.
    pub connection_id: Option<ConnectionId>,
}

impl LocalTransactionId {
    /// Its number as a wire type.
    pub const CODE: u8 = 111;

    fn read_fields(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        self.value = reader.long()?;
        self.connection_id = reader.cached()?;
        Ok(())
    }
}

impl Structure for LocalTransactionId {
    fn read(reader: &mut Reader<'_>, code: u8) -> Result<Self, Fault> {
        if code != Self::CODE {
            return Err(reader.fault(WRONG_TYPE));
        }
        let mut value = Self::default();
        value.read_fields(reader)?;
        Ok(value)
    }

    fn code(&self) -> u8 {
        Self::CODE
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.long(self.value);
        writer.cached(self.connection_id.as_ref());
    }

    fn to_cached(&self) -> Option<Cached> {
        Some(Cached::Local(self.clone()))
    }

    fn of_command(command: Command) -> Option<Self> {
        match command {
            Command::LocalTransactionId(value) => Some(value),
            _ => None,
        }
    }
}

/// `MessageId`, wire type 110.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct MessageId {
    /// `textView`.
    pub text_view: Option<JavaText>,
    /// `producerId`.
    pub producer_id: Option<ProducerId>,
    /// `producerSequenceId`.
    pub producer_sequence_id: i64,
    /// `brokerSequenceId`.
    pub broker_sequence_id: i64,
}

impl MessageId {
    /// Its number as a wire type.
    pub const CODE: u8 = 110;

    fn read_fields(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        if reader.version() >= 10 {
            self.text_view = reader.string()?;
        }
        self.producer_id = reader.cached()?;
        self.producer_sequence_id = reader.long()?;
        self.broker_sequence_id = reader.long()?;
        Ok(())
    }
}

impl Structure for MessageId {
    fn read(reader: &mut Reader<'_>, code: u8) -> Result<Self, Fault> {
        if code != Self::CODE {
            return Err(reader.fault(WRONG_TYPE));
        }
        let mut value = Self::default();
        value.read_fields(reader)?;
        Ok(value)
    }

    fn code(&self) -> u8 {
        Self::CODE
    }

    fn write(&self, writer: &mut Writer<'_>) {
        if writer.version() >= 10 {
            writer.string(self.text_view.as_ref());
        }
        writer.cached(self.producer_id.as_ref());
        writer.long(self.producer_sequence_id);
        writer.long(self.broker_sequence_id);
    }
}

/// `ProducerId`, wire type 123.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ProducerId {
    /// `connectionId`.
    pub connection_id: Option<JavaText>,
    /// `value`.
    pub value: i64,
    /// `sessionId`.
    pub session_id: i64,
}

impl ProducerId {
    /// Its number as a wire type.
    pub const CODE: u8 = 123;

    fn read_fields(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        self.connection_id = reader.string()?;
        self.value = reader.long()?;
        self.session_id = reader.long()?;
        Ok(())
    }
}

impl Structure for ProducerId {
    fn read(reader: &mut Reader<'_>, code: u8) -> Result<Self, Fault> {
        if code != Self::CODE {
            return Err(reader.fault(WRONG_TYPE));
        }
        let mut value = Self::default();
        value.read_fields(reader)?;
        Ok(value)
    }

    fn code(&self) -> u8 {
        Self::CODE
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.string(self.connection_id.as_ref());
        writer.long(self.value);
        writer.long(self.session_id);
    }

    fn to_cached(&self) -> Option<Cached> {
        Some(Cached::Producer(self.clone()))
    }

    fn of_command(command: Command) -> Option<Self> {
        match command {
            Command::ProducerId(value) => Some(value),
            _ => None,
        }
    }
}

/// `SessionId`, wire type 121.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct SessionId {
    /// `connectionId`.
    pub connection_id: Option<JavaText>,
    /// `value`.
    pub value: i64,
}

impl SessionId {
    /// Its number as a wire type.
    pub const CODE: u8 = 121;

    fn read_fields(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        self.connection_id = reader.string()?;
        self.value = reader.long()?;
        Ok(())
    }
}

impl Structure for SessionId {
    fn read(reader: &mut Reader<'_>, code: u8) -> Result<Self, Fault> {
        if code != Self::CODE {
            return Err(reader.fault(WRONG_TYPE));
        }
        let mut value = Self::default();
        value.read_fields(reader)?;
        Ok(value)
    }

    fn code(&self) -> u8 {
        Self::CODE
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.string(self.connection_id.as_ref());
        writer.long(self.value);
    }

    fn to_cached(&self) -> Option<Cached> {
        Some(Cached::Session(self.clone()))
    }

    fn of_command(command: Command) -> Option<Self> {
        match command {
            Command::SessionId(value) => Some(value),
            _ => None,
        }
    }
}

/// `XATransactionId`, wire type 112.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct XaTransactionId {
    /// `formatId`.
    pub format_id: i32,
    /// `globalTransactionId`.
    pub global_transaction_id: Option<Bytes>,
    /// `branchQualifier`.
    pub branch_qualifier: Option<Bytes>,
}

impl XaTransactionId {
    /// Its number as a wire type.
    pub const CODE: u8 = 112;

    fn read_fields(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        self.format_id = reader.int()?;
        self.global_transaction_id = reader.bytes()?;
        self.branch_qualifier = reader.bytes()?;
        Ok(())
    }
}

impl Structure for XaTransactionId {
    fn read(reader: &mut Reader<'_>, code: u8) -> Result<Self, Fault> {
        if code != Self::CODE {
            return Err(reader.fault(WRONG_TYPE));
        }
        let mut value = Self::default();
        value.read_fields(reader)?;
        Ok(value)
    }

    fn code(&self) -> u8 {
        Self::CODE
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.int(self.format_id);
        writer.bytes(self.global_transaction_id.as_ref());
        writer.bytes(self.branch_qualifier.as_ref());
    }

    fn to_cached(&self) -> Option<Cached> {
        Some(Cached::Xa(self.clone()))
    }

    fn of_command(command: Command) -> Option<Self> {
        match command {
            Command::XaTransactionId(value) => Some(value),
            _ => None,
        }
    }
}
