//! What brokers say to each other, to their stores and over datagrams. Made by `cargo xtask openwire` from `openwire.json`: change that.

use super::super::fault::Fault;
use super::super::reader::Reader;
use super::super::structure::{Structure, WRONG_TYPE};
use super::super::writer::Writer;
use super::*;

/// `BrokerSubscriptionInfo`, wire type 92.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BrokerSubscriptionInfo {
    /// `commandId`: sequence number set by the sender; a Response carries it back as correlationId.
    pub command_id: i32,
    /// `responseRequired`: true: the receiver answers with a Response (or sub-type) whose correlationId is this commandId.
    pub response_required: bool,
    /// `brokerId`.
    pub broker_id: Option<BrokerId>,
    /// `brokerName`.
    pub broker_name: Option<JavaText>,
    /// `subscriptionInfos`.
    pub subscription_infos: Option<Vec<ConsumerInfo>>,
}

impl BrokerSubscriptionInfo {
    /// Its number as a wire type.
    pub const CODE: u8 = 92;

    fn read_fields(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        self.command_id = reader.int()?;
        self.response_required = reader.bool()?;
        self.broker_id = reader.nested()?;
        self.broker_name = reader.string()?;
        self.subscription_infos = reader.array()?;
        Ok(())
    }
}

impl Structure for BrokerSubscriptionInfo {
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
        writer.nested(self.broker_id.as_ref());
        writer.string(self.broker_name.as_ref());
        writer.array(self.subscription_infos.as_ref());
    }
}

/// `DiscoveryEvent`, wire type 40.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DiscoveryEvent {
    /// `serviceName`.
    pub service_name: Option<JavaText>,
    /// `brokerName`.
    pub broker_name: Option<JavaText>,
}

impl DiscoveryEvent {
    /// Its number as a wire type.
    pub const CODE: u8 = 40;

    fn read_fields(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        self.service_name = reader.string()?;
        self.broker_name = reader.string()?;
        Ok(())
    }
}

impl Structure for DiscoveryEvent {
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
        writer.string(self.service_name.as_ref());
        writer.string(self.broker_name.as_ref());
    }
}

/// `JournalQueueAck`, wire type 52.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JournalQueueAck {
    /// `destination`.
    pub destination: Option<Destination>,
    /// `messageAck`.
    pub message_ack: Option<MessageAck>,
}

impl JournalQueueAck {
    /// Its number as a wire type.
    pub const CODE: u8 = 52;

    fn read_fields(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        self.destination = reader.nested()?;
        self.message_ack = reader.nested()?;
        Ok(())
    }
}

impl Structure for JournalQueueAck {
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
        writer.nested(self.destination.as_ref());
        writer.nested(self.message_ack.as_ref());
    }
}

/// `JournalTopicAck`, wire type 50.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JournalTopicAck {
    /// `destination`.
    pub destination: Option<Destination>,
    /// `messageId`.
    pub message_id: Option<MessageId>,
    /// `messageSequenceId`.
    pub message_sequence_id: i64,
    /// `subscriptionName`.
    pub subscription_name: Option<JavaText>,
    /// `clientId`.
    pub client_id: Option<JavaText>,
    /// `transactionId`.
    pub transaction_id: Option<TransactionId>,
}

impl JournalTopicAck {
    /// Its number as a wire type.
    pub const CODE: u8 = 50;

    fn read_fields(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        self.destination = reader.nested()?;
        self.message_id = reader.nested()?;
        self.message_sequence_id = reader.long()?;
        self.subscription_name = reader.string()?;
        self.client_id = reader.string()?;
        self.transaction_id = reader.nested()?;
        Ok(())
    }
}

impl Structure for JournalTopicAck {
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
        writer.nested(self.destination.as_ref());
        writer.nested(self.message_id.as_ref());
        writer.long(self.message_sequence_id);
        writer.string(self.subscription_name.as_ref());
        writer.string(self.client_id.as_ref());
        writer.nested(self.transaction_id.as_ref());
    }
}

/// `JournalTrace`, wire type 53.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JournalTrace {
    /// `message`.
    pub message: Option<JavaText>,
}

impl JournalTrace {
    /// Its number as a wire type.
    pub const CODE: u8 = 53;

    fn read_fields(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        self.message = reader.string()?;
        Ok(())
    }
}

impl Structure for JournalTrace {
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
        writer.string(self.message.as_ref());
    }
}

/// `JournalTransaction`, wire type 54.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JournalTransaction {
    /// `transactionId`.
    pub transaction_id: Option<TransactionId>,
    /// `type`.
    pub operation: i8,
    /// `wasPrepared`.
    pub was_prepared: bool,
}

impl JournalTransaction {
    /// Its number as a wire type.
    pub const CODE: u8 = 54;

    fn read_fields(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        self.transaction_id = reader.nested()?;
        self.operation = reader.byte()?;
        self.was_prepared = reader.bool()?;
        Ok(())
    }
}

impl Structure for JournalTransaction {
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
        writer.nested(self.transaction_id.as_ref());
        writer.byte(self.operation);
        writer.bool(self.was_prepared);
    }
}

/// `LastPartialCommand`, wire type 61.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LastPartialCommand {
    /// `commandId`.
    pub command_id: i32,
    /// `data`.
    pub data: Option<Bytes>,
}

impl LastPartialCommand {
    /// Its number as a wire type.
    pub const CODE: u8 = 61;

    fn read_fields(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        self.command_id = reader.int()?;
        self.data = reader.bytes()?;
        Ok(())
    }
}

impl Structure for LastPartialCommand {
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
        writer.bytes(self.data.as_ref());
    }
}

/// `NetworkBridgeFilter`, wire type 91.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NetworkBridgeFilter {
    /// `networkBrokerId`.
    pub network_broker_id: Option<BrokerId>,
    /// `messageTTL`.
    pub message_ttl: i32,
    /// `consumerTTL`.
    pub consumer_ttl: i32,
    /// `networkTTL`.
    pub network_ttl: i32,
}

impl NetworkBridgeFilter {
    /// Its number as a wire type.
    pub const CODE: u8 = 91;

    fn read_fields(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        match reader.version() {
            ..=9 => {
                self.network_ttl = reader.int()?;
                self.network_broker_id = reader.cached()?;
            }
            _ => {
                self.network_broker_id = reader.cached()?;
                self.message_ttl = reader.int()?;
                self.consumer_ttl = reader.int()?;
            }
        }
        Ok(())
    }
}

impl Structure for NetworkBridgeFilter {
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
        match writer.version() {
            ..=9 => {
                writer.int(self.network_ttl);
                writer.cached(self.network_broker_id.as_ref());
            }
            _ => {
                writer.cached(self.network_broker_id.as_ref());
                writer.int(self.message_ttl);
                writer.int(self.consumer_ttl);
            }
        }
    }
}

/// `PartialCommand`, wire type 60.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PartialCommand {
    /// `commandId`.
    pub command_id: i32,
    /// `data`.
    pub data: Option<Bytes>,
}

impl PartialCommand {
    /// Its number as a wire type.
    pub const CODE: u8 = 60;

    fn read_fields(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        self.command_id = reader.int()?;
        self.data = reader.bytes()?;
        Ok(())
    }
}

impl Structure for PartialCommand {
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
        writer.bytes(self.data.as_ref());
    }
}

/// `ReplayCommand`, wire type 65.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReplayCommand {
    /// `commandId`: sequence number set by the sender; a Response carries it back as correlationId.
    pub command_id: i32,
    /// `responseRequired`: true: the receiver answers with a Response (or sub-type) whose correlationId is this commandId.
    pub response_required: bool,
    /// `firstNakNumber`.
    pub first_nak_number: i32,
    /// `lastNakNumber`.
    pub last_nak_number: i32,
}

impl ReplayCommand {
    /// Its number as a wire type.
    pub const CODE: u8 = 65;

    fn read_fields(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        self.command_id = reader.int()?;
        self.response_required = reader.bool()?;
        self.first_nak_number = reader.int()?;
        self.last_nak_number = reader.int()?;
        Ok(())
    }
}

impl Structure for ReplayCommand {
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
        writer.int(self.first_nak_number);
        writer.int(self.last_nak_number);
    }
}

/// `SubscriptionInfo`, wire type 55.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SubscriptionInfo {
    /// `clientId`.
    pub client_id: Option<JavaText>,
    /// `destination`.
    pub destination: Option<Destination>,
    /// `selector`.
    pub selector: Option<JavaText>,
    /// `subscriptionName`.
    pub subscription_name: Option<JavaText>,
    /// `subscribedDestination`.
    pub subscribed_destination: Option<Destination>,
    /// `noLocal`.
    pub no_local: bool,
}

impl SubscriptionInfo {
    /// Its number as a wire type.
    pub const CODE: u8 = 55;

    fn read_fields(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        self.client_id = reader.string()?;
        self.destination = reader.cached()?;
        self.selector = reader.string()?;
        self.subscription_name = reader.string()?;
        if reader.version() >= 3 {
            self.subscribed_destination = reader.nested()?;
        }
        if reader.version() >= 11 {
            self.no_local = reader.bool()?;
        }
        Ok(())
    }
}

impl Structure for SubscriptionInfo {
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
        writer.string(self.client_id.as_ref());
        writer.cached(self.destination.as_ref());
        writer.string(self.selector.as_ref());
        writer.string(self.subscription_name.as_ref());
        if writer.version() >= 3 {
            writer.nested(self.subscribed_destination.as_ref());
        }
        if writer.version() >= 11 {
            writer.bool(self.no_local);
        }
    }
}
