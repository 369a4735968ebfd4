//! Messages on their way to consumers, and answers. Made by `cargo xtask openwire` from `openwire.json`: change that.

use super::super::fault::Fault;
use super::super::reader::Reader;
use super::super::structure::{Structure, WRONG_TYPE};
use super::super::writer::Writer;
use super::*;

/// `MessageAck`, wire type 22.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MessageAck {
    /// `commandId`: sequence number set by the sender; a Response carries it back as correlationId.
    pub command_id: i32,
    /// `responseRequired`: true: the receiver answers with a Response (or sub-type) whose correlationId is this commandId.
    pub response_required: bool,
    /// `destination`.
    pub destination: Option<Destination>,
    /// `transactionId`.
    pub transaction_id: Option<TransactionId>,
    /// `consumerId`.
    pub consumer_id: Option<ConsumerId>,
    /// `ackType`: see enums.ackType.
    pub ack_type: i8,
    /// `firstMessageId`.
    pub first_message_id: Option<MessageId>,
    /// `lastMessageId`.
    pub last_message_id: Option<MessageId>,
    /// `messageCount`.
    pub message_count: i32,
    /// `poisonCause`.
    pub poison_cause: Option<Box<Throwable>>,
}

impl MessageAck {
    /// Its number as a wire type.
    pub const CODE: u8 = 22;

    fn read_fields(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        self.command_id = reader.int()?;
        self.response_required = reader.bool()?;
        self.destination = reader.cached()?;
        self.transaction_id = reader.cached()?;
        self.consumer_id = reader.cached()?;
        self.ack_type = reader.byte()?;
        self.first_message_id = reader.nested()?;
        self.last_message_id = reader.nested()?;
        self.message_count = reader.int()?;
        if reader.version() >= 7 {
            self.poison_cause = reader.throwable()?;
        }
        Ok(())
    }
}

impl Structure for MessageAck {
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
        writer.cached(self.destination.as_ref());
        writer.cached(self.transaction_id.as_ref());
        writer.cached(self.consumer_id.as_ref());
        writer.byte(self.ack_type);
        writer.nested(self.first_message_id.as_ref());
        writer.nested(self.last_message_id.as_ref());
        writer.int(self.message_count);
        if writer.version() >= 7 {
            writer.throwable(self.poison_cause.as_deref());
        }
    }
}

/// `MessageDispatch`, wire type 21.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MessageDispatch {
    /// `commandId`: sequence number set by the sender; a Response carries it back as correlationId.
    pub command_id: i32,
    /// `responseRequired`: true: the receiver answers with a Response (or sub-type) whose correlationId is this commandId.
    pub response_required: bool,
    /// `consumerId`.
    pub consumer_id: Option<ConsumerId>,
    /// `destination`.
    pub destination: Option<Destination>,
    /// `message`: null marks end of a queue browse, or an expired pull.
    pub message: Option<Box<Message>>,
    /// `redeliveryCounter`.
    pub redelivery_counter: i32,
}

impl MessageDispatch {
    /// Its number as a wire type.
    pub const CODE: u8 = 21;

    fn read_fields(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        self.command_id = reader.int()?;
        self.response_required = reader.bool()?;
        self.consumer_id = reader.cached()?;
        self.destination = reader.cached()?;
        self.message = reader.nested()?;
        self.redelivery_counter = reader.int()?;
        Ok(())
    }
}

impl Structure for MessageDispatch {
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
        writer.cached(self.consumer_id.as_ref());
        writer.cached(self.destination.as_ref());
        writer.nested(self.message.as_ref());
        writer.int(self.redelivery_counter);
    }
}

/// `MessageDispatchNotification`, wire type 90.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MessageDispatchNotification {
    /// `commandId`: sequence number set by the sender; a Response carries it back as correlationId.
    pub command_id: i32,
    /// `responseRequired`: true: the receiver answers with a Response (or sub-type) whose correlationId is this commandId.
    pub response_required: bool,
    /// `consumerId`.
    pub consumer_id: Option<ConsumerId>,
    /// `destination`.
    pub destination: Option<Destination>,
    /// `deliverySequenceId`.
    pub delivery_sequence_id: i64,
    /// `messageId`.
    pub message_id: Option<MessageId>,
}

impl MessageDispatchNotification {
    /// Its number as a wire type.
    pub const CODE: u8 = 90;

    fn read_fields(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        self.command_id = reader.int()?;
        self.response_required = reader.bool()?;
        self.consumer_id = reader.cached()?;
        self.destination = reader.cached()?;
        self.delivery_sequence_id = reader.long()?;
        self.message_id = reader.nested()?;
        Ok(())
    }
}

impl Structure for MessageDispatchNotification {
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
        writer.cached(self.consumer_id.as_ref());
        writer.cached(self.destination.as_ref());
        writer.long(self.delivery_sequence_id);
        writer.nested(self.message_id.as_ref());
    }
}

/// `MessagePull`, wire type 20.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MessagePull {
    /// `commandId`: sequence number set by the sender; a Response carries it back as correlationId.
    pub command_id: i32,
    /// `responseRequired`: true: the receiver answers with a Response (or sub-type) whose correlationId is this commandId.
    pub response_required: bool,
    /// `consumerId`.
    pub consumer_id: Option<ConsumerId>,
    /// `destination`.
    pub destination: Option<Destination>,
    /// `timeout`.
    pub timeout: i64,
    /// `correlationId`.
    pub correlation_id: Option<JavaText>,
    /// `messageId`.
    pub message_id: Option<MessageId>,
}

impl MessagePull {
    /// Its number as a wire type.
    pub const CODE: u8 = 20;

    fn read_fields(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        self.command_id = reader.int()?;
        self.response_required = reader.bool()?;
        self.consumer_id = reader.cached()?;
        self.destination = reader.cached()?;
        self.timeout = reader.long()?;
        if reader.version() >= 3 {
            self.correlation_id = reader.string()?;
            self.message_id = reader.nested()?;
        }
        Ok(())
    }
}

impl Structure for MessagePull {
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
        writer.cached(self.consumer_id.as_ref());
        writer.cached(self.destination.as_ref());
        writer.long(self.timeout);
        if writer.version() >= 3 {
            writer.string(self.correlation_id.as_ref());
            writer.nested(self.message_id.as_ref());
        }
    }
}

/// `Response`, wire type 30.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Response {
    /// `commandId`: sequence number set by the sender; a Response carries it back as correlationId.
    pub command_id: i32,
    /// `responseRequired`: true: the receiver answers with a Response (or sub-type) whose correlationId is this commandId.
    pub response_required: bool,
    /// `correlationId`: commandId of the request answered.
    pub correlation_id: i32,
}

impl Response {
    /// Its number as a wire type.
    pub const CODE: u8 = 30;

    fn read_fields(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        self.command_id = reader.int()?;
        self.response_required = reader.bool()?;
        self.correlation_id = reader.int()?;
        Ok(())
    }
}

impl Structure for Response {
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
        writer.int(self.correlation_id);
    }
}

/// `ExceptionResponse`, wire type 31.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExceptionResponse {
    /// `commandId`: sequence number set by the sender; a Response carries it back as correlationId.
    pub command_id: i32,
    /// `responseRequired`: true: the receiver answers with a Response (or sub-type) whose correlationId is this commandId.
    pub response_required: bool,
    /// `correlationId`: commandId of the request answered.
    pub correlation_id: i32,
    /// `exception`.
    pub exception: Option<Box<Throwable>>,
}

impl ExceptionResponse {
    /// Its number as a wire type.
    pub const CODE: u8 = 31;

    fn read_fields(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        self.command_id = reader.int()?;
        self.response_required = reader.bool()?;
        self.correlation_id = reader.int()?;
        self.exception = reader.throwable()?;
        Ok(())
    }
}

impl Structure for ExceptionResponse {
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
        writer.int(self.correlation_id);
        writer.throwable(self.exception.as_deref());
    }
}

/// `DataResponse`, wire type 32.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DataResponse {
    /// `commandId`: sequence number set by the sender; a Response carries it back as correlationId.
    pub command_id: i32,
    /// `responseRequired`: true: the receiver answers with a Response (or sub-type) whose correlationId is this commandId.
    pub response_required: bool,
    /// `correlationId`: commandId of the request answered.
    pub correlation_id: i32,
    /// `data`.
    pub data: Option<Box<Command>>,
}

impl DataResponse {
    /// Its number as a wire type.
    pub const CODE: u8 = 32;

    fn read_fields(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        self.command_id = reader.int()?;
        self.response_required = reader.bool()?;
        self.correlation_id = reader.int()?;
        self.data = reader.nested()?;
        Ok(())
    }
}

impl Structure for DataResponse {
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
        writer.int(self.correlation_id);
        writer.nested(self.data.as_ref());
    }
}

/// `DataArrayResponse`, wire type 33.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DataArrayResponse {
    /// `commandId`: sequence number set by the sender; a Response carries it back as correlationId.
    pub command_id: i32,
    /// `responseRequired`: true: the receiver answers with a Response (or sub-type) whose correlationId is this commandId.
    pub response_required: bool,
    /// `correlationId`: commandId of the request answered.
    pub correlation_id: i32,
    /// `data`.
    pub data: Option<Vec<Box<Command>>>,
}

impl DataArrayResponse {
    /// Its number as a wire type.
    pub const CODE: u8 = 33;

    fn read_fields(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        self.command_id = reader.int()?;
        self.response_required = reader.bool()?;
        self.correlation_id = reader.int()?;
        self.data = reader.array()?;
        Ok(())
    }
}

impl Structure for DataArrayResponse {
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
        writer.int(self.correlation_id);
        writer.array(self.data.as_ref());
    }
}

/// `IntegerResponse`, wire type 34.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IntegerResponse {
    /// `commandId`: sequence number set by the sender; a Response carries it back as correlationId.
    pub command_id: i32,
    /// `responseRequired`: true: the receiver answers with a Response (or sub-type) whose correlationId is this commandId.
    pub response_required: bool,
    /// `correlationId`: commandId of the request answered.
    pub correlation_id: i32,
    /// `result`.
    pub result: i32,
}

impl IntegerResponse {
    /// Its number as a wire type.
    pub const CODE: u8 = 34;

    fn read_fields(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        self.command_id = reader.int()?;
        self.response_required = reader.bool()?;
        self.correlation_id = reader.int()?;
        self.result = reader.int()?;
        Ok(())
    }
}

impl Structure for IntegerResponse {
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
        writer.int(self.correlation_id);
        writer.int(self.result);
    }
}
