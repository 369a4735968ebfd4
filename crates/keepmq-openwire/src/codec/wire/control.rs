//! The state of a connection and of what is open on it. Made by `cargo xtask openwire` from `openwire.json`: change that.

use super::super::fault::Fault;
use super::super::reader::Reader;
use super::super::structure::{Structure, WRONG_TYPE};
use super::super::writer::Writer;
use super::*;

/// `ConnectionControl`, wire type 18.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConnectionControl {
    /// `commandId`: sequence number set by the sender; a Response carries it back as correlationId.
    pub command_id: i32,
    /// `responseRequired`: true: the receiver answers with a Response (or sub-type) whose correlationId is this commandId.
    pub response_required: bool,
    /// `close`.
    pub close: bool,
    /// `exit`.
    pub exit: bool,
    /// `faultTolerant`.
    pub fault_tolerant: bool,
    /// `resume`.
    pub resume: bool,
    /// `suspend`.
    pub suspend: bool,
    /// `connectedBrokers`.
    pub connected_brokers: Option<JavaText>,
    /// `reconnectTo`.
    pub reconnect_to: Option<JavaText>,
    /// `rebalanceConnection`.
    pub rebalance_connection: bool,
    /// `token`.
    pub token: Option<Bytes>,
}

impl ConnectionControl {
    /// Its number as a wire type.
    pub const CODE: u8 = 18;

    fn read_fields(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        self.command_id = reader.int()?;
        self.response_required = reader.bool()?;
        self.close = reader.bool()?;
        self.exit = reader.bool()?;
        self.fault_tolerant = reader.bool()?;
        self.resume = reader.bool()?;
        self.suspend = reader.bool()?;
        if reader.version() >= 6 {
            self.connected_brokers = reader.string()?;
            self.reconnect_to = reader.string()?;
            self.rebalance_connection = reader.bool()?;
        }
        if reader.version() >= 8 {
            self.token = reader.bytes()?;
        }
        Ok(())
    }
}

impl Structure for ConnectionControl {
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
        writer.int(self.command_id);
        writer.bool(self.response_required);
        writer.bool(self.close);
        writer.bool(self.exit);
        writer.bool(self.fault_tolerant);
        writer.bool(self.resume);
        writer.bool(self.suspend);
        if writer.version() >= 6 {
            writer.string(self.connected_brokers.as_ref());
            writer.string(self.reconnect_to.as_ref());
            writer.bool(self.rebalance_connection);
        }
        if writer.version() >= 8 {
            writer.bytes(self.token.as_ref());
        }
    }
}

/// `ConnectionError`, wire type 16.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConnectionError {
    /// `commandId`: sequence number set by the sender; a Response carries it back as correlationId.
    pub command_id: i32,
    /// `responseRequired`: true: the receiver answers with a Response (or sub-type) whose correlationId is this commandId.
    pub response_required: bool,
    /// `exception`.
    pub exception: Option<Box<Throwable>>,
    /// `connectionId`.
    pub connection_id: Option<ConnectionId>,
}

impl ConnectionError {
    /// Its number as a wire type.
    pub const CODE: u8 = 16;

    fn read_fields(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        self.command_id = reader.int()?;
        self.response_required = reader.bool()?;
        self.exception = reader.throwable()?;
        self.connection_id = reader.nested()?;
        Ok(())
    }
}

impl Structure for ConnectionError {
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
        writer.int(self.command_id);
        writer.bool(self.response_required);
        writer.throwable(self.exception.as_deref());
        writer.nested(self.connection_id.as_ref());
    }
}

/// `ConsumerControl`, wire type 17.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConsumerControl {
    /// `commandId`: sequence number set by the sender; a Response carries it back as correlationId.
    pub command_id: i32,
    /// `responseRequired`: true: the receiver answers with a Response (or sub-type) whose correlationId is this commandId.
    pub response_required: bool,
    /// `destination`.
    pub destination: Option<Destination>,
    /// `close`.
    pub close: bool,
    /// `consumerId`.
    pub consumer_id: Option<ConsumerId>,
    /// `prefetch`.
    pub prefetch: i32,
    /// `flush`.
    pub flush: bool,
    /// `start`.
    pub start: bool,
    /// `stop`.
    pub stop: bool,
}

impl ConsumerControl {
    /// Its number as a wire type.
    pub const CODE: u8 = 17;

    fn read_fields(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        self.command_id = reader.int()?;
        self.response_required = reader.bool()?;
        if reader.version() >= 6 {
            self.destination = reader.nested()?;
        }
        self.close = reader.bool()?;
        self.consumer_id = reader.nested()?;
        self.prefetch = reader.int()?;
        if reader.version() >= 2 {
            self.flush = reader.bool()?;
            self.start = reader.bool()?;
            self.stop = reader.bool()?;
        }
        Ok(())
    }
}

impl Structure for ConsumerControl {
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
        writer.int(self.command_id);
        writer.bool(self.response_required);
        if writer.version() >= 6 {
            writer.nested(self.destination.as_ref());
        }
        writer.bool(self.close);
        writer.nested(self.consumer_id.as_ref());
        writer.int(self.prefetch);
        if writer.version() >= 2 {
            writer.bool(self.flush);
            writer.bool(self.start);
            writer.bool(self.stop);
        }
    }
}

/// `ControlCommand`, wire type 14.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ControlCommand {
    /// `commandId`: sequence number set by the sender; a Response carries it back as correlationId.
    pub command_id: i32,
    /// `responseRequired`: true: the receiver answers with a Response (or sub-type) whose correlationId is this commandId.
    pub response_required: bool,
    /// `command`.
    pub command: Option<JavaText>,
}

impl ControlCommand {
    /// Its number as a wire type.
    pub const CODE: u8 = 14;

    fn read_fields(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        self.command_id = reader.int()?;
        self.response_required = reader.bool()?;
        self.command = reader.string()?;
        Ok(())
    }
}

impl Structure for ControlCommand {
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
        writer.int(self.command_id);
        writer.bool(self.response_required);
        writer.string(self.command.as_ref());
    }
}

/// `FlushCommand`, wire type 15.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FlushCommand {
    /// `commandId`: sequence number set by the sender; a Response carries it back as correlationId.
    pub command_id: i32,
    /// `responseRequired`: true: the receiver answers with a Response (or sub-type) whose correlationId is this commandId.
    pub response_required: bool,
}

impl FlushCommand {
    /// Its number as a wire type.
    pub const CODE: u8 = 15;

    fn read_fields(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        self.command_id = reader.int()?;
        self.response_required = reader.bool()?;
        Ok(())
    }
}

impl Structure for FlushCommand {
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
        writer.int(self.command_id);
        writer.bool(self.response_required);
    }
}

/// `KeepAliveInfo`, wire type 10.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KeepAliveInfo {
    /// `commandId`: sequence number set by the sender; a Response carries it back as correlationId.
    pub command_id: i32,
    /// `responseRequired`: true: the receiver answers with a Response (or sub-type) whose correlationId is this commandId.
    pub response_required: bool,
}

impl KeepAliveInfo {
    /// Its number as a wire type.
    pub const CODE: u8 = 10;

    fn read_fields(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        self.command_id = reader.int()?;
        self.response_required = reader.bool()?;
        Ok(())
    }
}

impl Structure for KeepAliveInfo {
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
        writer.int(self.command_id);
        writer.bool(self.response_required);
    }
}

/// `ProducerAck`, wire type 19.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProducerAck {
    /// `commandId`: sequence number set by the sender; a Response carries it back as correlationId.
    pub command_id: i32,
    /// `responseRequired`: true: the receiver answers with a Response (or sub-type) whose correlationId is this commandId.
    pub response_required: bool,
    /// `producerId`.
    pub producer_id: Option<ProducerId>,
    /// `size`.
    pub size: i32,
}

impl ProducerAck {
    /// Its number as a wire type.
    pub const CODE: u8 = 19;

    fn read_fields(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        self.command_id = reader.int()?;
        self.response_required = reader.bool()?;
        self.producer_id = reader.nested()?;
        self.size = reader.int()?;
        Ok(())
    }
}

impl Structure for ProducerAck {
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
        writer.int(self.command_id);
        writer.bool(self.response_required);
        writer.nested(self.producer_id.as_ref());
        writer.int(self.size);
    }
}

/// `ShutdownInfo`, wire type 11.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ShutdownInfo {
    /// `commandId`: sequence number set by the sender; a Response carries it back as correlationId.
    pub command_id: i32,
    /// `responseRequired`: true: the receiver answers with a Response (or sub-type) whose correlationId is this commandId.
    pub response_required: bool,
}

impl ShutdownInfo {
    /// Its number as a wire type.
    pub const CODE: u8 = 11;

    fn read_fields(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        self.command_id = reader.int()?;
        self.response_required = reader.bool()?;
        Ok(())
    }
}

impl Structure for ShutdownInfo {
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
        writer.int(self.command_id);
        writer.bool(self.response_required);
    }
}
