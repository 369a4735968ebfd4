//! Things that come and go. Made by `cargo xtask openwire` from `openwire.json`: change that.

use super::super::fault::Fault;
use super::super::reader::Reader;
use super::super::structure::{Structure, WRONG_TYPE};
use super::super::writer::Writer;
use super::*;

/// `BrokerInfo`, wire type 2.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BrokerInfo {
    /// `commandId`: sequence number set by the sender; a Response carries it back as correlationId.
    pub command_id: i32,
    /// `responseRequired`: true: the receiver answers with a Response (or sub-type) whose correlationId is this commandId.
    pub response_required: bool,
    /// `brokerId`.
    pub broker_id: Option<BrokerId>,
    /// `brokerURL`.
    pub broker_url: Option<JavaText>,
    /// `peerBrokerInfos`.
    pub peer_broker_infos: Option<Vec<BrokerInfo>>,
    /// `brokerName`.
    pub broker_name: Option<JavaText>,
    /// `slaveBroker`.
    pub slave_broker: bool,
    /// `masterBroker`.
    pub master_broker: bool,
    /// `faultTolerantConfiguration`.
    pub fault_tolerant_configuration: bool,
    /// `duplexConnection`.
    pub duplex_connection: bool,
    /// `networkConnection`.
    pub network_connection: bool,
    /// `connectionId`.
    pub connection_id: i64,
    /// `brokerUploadUrl`.
    pub broker_upload_url: Option<JavaText>,
    /// `networkProperties`.
    pub network_properties: Option<JavaText>,
}

impl BrokerInfo {
    /// Its number as a wire type.
    pub const CODE: u8 = 2;

    fn read_fields(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        self.command_id = reader.int()?;
        self.response_required = reader.bool()?;
        self.broker_id = reader.cached()?;
        self.broker_url = reader.string()?;
        self.peer_broker_infos = reader.array()?;
        self.broker_name = reader.string()?;
        self.slave_broker = reader.bool()?;
        self.master_broker = reader.bool()?;
        self.fault_tolerant_configuration = reader.bool()?;
        if reader.version() >= 2 {
            self.duplex_connection = reader.bool()?;
            self.network_connection = reader.bool()?;
            self.connection_id = reader.long()?;
        }
        if reader.version() >= 3 {
            self.broker_upload_url = reader.string()?;
            self.network_properties = reader.string()?;
        }
        Ok(())
    }
}

impl Structure for BrokerInfo {
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
        writer.cached(self.broker_id.as_ref());
        writer.string(self.broker_url.as_ref());
        writer.array(self.peer_broker_infos.as_ref());
        writer.string(self.broker_name.as_ref());
        writer.bool(self.slave_broker);
        writer.bool(self.master_broker);
        writer.bool(self.fault_tolerant_configuration);
        if writer.version() >= 2 {
            writer.bool(self.duplex_connection);
            writer.bool(self.network_connection);
            writer.long(self.connection_id);
        }
        if writer.version() >= 3 {
            writer.string(self.broker_upload_url.as_ref());
            writer.string(self.network_properties.as_ref());
        }
    }
}

/// `ConnectionInfo`, wire type 3.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConnectionInfo {
    /// `commandId`: sequence number set by the sender; a Response carries it back as correlationId.
    pub command_id: i32,
    /// `responseRequired`: true: the receiver answers with a Response (or sub-type) whose correlationId is this commandId.
    pub response_required: bool,
    /// `connectionId`.
    pub connection_id: Option<ConnectionId>,
    /// `clientId`.
    pub client_id: Option<JavaText>,
    /// `password`.
    pub password: Option<JavaText>,
    /// `userName`.
    pub user_name: Option<JavaText>,
    /// `brokerPath`.
    pub broker_path: Option<Vec<BrokerId>>,
    /// `brokerMasterConnector`.
    pub broker_master_connector: bool,
    /// `manageable`.
    pub manageable: bool,
    /// `clientMaster`.
    pub client_master: bool,
    /// `faultTolerant`.
    pub fault_tolerant: bool,
    /// `failoverReconnect`.
    pub failover_reconnect: bool,
    /// `clientIp`.
    pub client_ip: Option<JavaText>,
}

impl ConnectionInfo {
    /// Its number as a wire type.
    pub const CODE: u8 = 3;

    fn read_fields(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        self.command_id = reader.int()?;
        self.response_required = reader.bool()?;
        self.connection_id = reader.cached()?;
        self.client_id = reader.string()?;
        self.password = reader.string()?;
        self.user_name = reader.string()?;
        self.broker_path = reader.array()?;
        self.broker_master_connector = reader.bool()?;
        self.manageable = reader.bool()?;
        if reader.version() >= 2 {
            self.client_master = reader.bool()?;
        }
        if reader.version() >= 6 {
            self.fault_tolerant = reader.bool()?;
            self.failover_reconnect = reader.bool()?;
        }
        if reader.version() >= 8 {
            self.client_ip = reader.string()?;
        }
        Ok(())
    }
}

impl Structure for ConnectionInfo {
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
        writer.cached(self.connection_id.as_ref());
        writer.string(self.client_id.as_ref());
        writer.string(self.password.as_ref());
        writer.string(self.user_name.as_ref());
        writer.array(self.broker_path.as_ref());
        writer.bool(self.broker_master_connector);
        writer.bool(self.manageable);
        if writer.version() >= 2 {
            writer.bool(self.client_master);
        }
        if writer.version() >= 6 {
            writer.bool(self.fault_tolerant);
            writer.bool(self.failover_reconnect);
        }
        if writer.version() >= 8 {
            writer.string(self.client_ip.as_ref());
        }
    }
}

/// `ConsumerInfo`, wire type 5.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConsumerInfo {
    /// `commandId`: sequence number set by the sender; a Response carries it back as correlationId.
    pub command_id: i32,
    /// `responseRequired`: true: the receiver answers with a Response (or sub-type) whose correlationId is this commandId.
    pub response_required: bool,
    /// `consumerId`.
    pub consumer_id: Option<ConsumerId>,
    /// `browser`.
    pub browser: bool,
    /// `destination`.
    pub destination: Option<Destination>,
    /// `prefetchSize`.
    pub prefetch_size: i32,
    /// `maximumPendingMessageLimit`.
    pub maximum_pending_message_limit: i32,
    /// `dispatchAsync`.
    pub dispatch_async: bool,
    /// `selector`.
    pub selector: Option<JavaText>,
    /// `clientId`.
    pub client_id: Option<JavaText>,
    /// `subscriptionName`.
    pub subscription_name: Option<JavaText>,
    /// `noLocal`.
    pub no_local: bool,
    /// `exclusive`.
    pub exclusive: bool,
    /// `retroactive`.
    pub retroactive: bool,
    /// `priority`.
    pub priority: i8,
    /// `brokerPath`.
    pub broker_path: Option<Vec<BrokerId>>,
    /// `additionalPredicate`: only NetworkBridgeFilter (91) occurs in practice.
    pub additional_predicate: Option<Box<NetworkBridgeFilter>>,
    /// `networkSubscription`.
    pub network_subscription: bool,
    /// `optimizedAcknowledge`.
    pub optimized_acknowledge: bool,
    /// `noRangeAcks`.
    pub no_range_acks: bool,
    /// `networkConsumerPath`.
    pub network_consumer_path: Option<Vec<ConsumerId>>,
}

impl ConsumerInfo {
    /// Its number as a wire type.
    pub const CODE: u8 = 5;

    fn read_fields(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        self.command_id = reader.int()?;
        self.response_required = reader.bool()?;
        self.consumer_id = reader.cached()?;
        self.browser = reader.bool()?;
        self.destination = reader.cached()?;
        self.prefetch_size = reader.int()?;
        self.maximum_pending_message_limit = reader.int()?;
        self.dispatch_async = reader.bool()?;
        self.selector = reader.string()?;
        if reader.version() >= 10 {
            self.client_id = reader.string()?;
        }
        self.subscription_name = reader.string()?;
        self.no_local = reader.bool()?;
        self.exclusive = reader.bool()?;
        self.retroactive = reader.bool()?;
        self.priority = reader.byte()?;
        self.broker_path = reader.array()?;
        self.additional_predicate = reader.nested()?;
        self.network_subscription = reader.bool()?;
        self.optimized_acknowledge = reader.bool()?;
        self.no_range_acks = reader.bool()?;
        if reader.version() >= 4 {
            self.network_consumer_path = reader.array()?;
        }
        Ok(())
    }
}

impl Structure for ConsumerInfo {
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
        writer.bool(self.browser);
        writer.cached(self.destination.as_ref());
        writer.int(self.prefetch_size);
        writer.int(self.maximum_pending_message_limit);
        writer.bool(self.dispatch_async);
        writer.string(self.selector.as_ref());
        if writer.version() >= 10 {
            writer.string(self.client_id.as_ref());
        }
        writer.string(self.subscription_name.as_ref());
        writer.bool(self.no_local);
        writer.bool(self.exclusive);
        writer.bool(self.retroactive);
        writer.byte(self.priority);
        writer.array(self.broker_path.as_ref());
        writer.nested(self.additional_predicate.as_ref());
        writer.bool(self.network_subscription);
        writer.bool(self.optimized_acknowledge);
        writer.bool(self.no_range_acks);
        if writer.version() >= 4 {
            writer.array(self.network_consumer_path.as_ref());
        }
    }
}

/// `DestinationInfo`, wire type 8.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DestinationInfo {
    /// `commandId`: sequence number set by the sender; a Response carries it back as correlationId.
    pub command_id: i32,
    /// `responseRequired`: true: the receiver answers with a Response (or sub-type) whose correlationId is this commandId.
    pub response_required: bool,
    /// `connectionId`.
    pub connection_id: Option<ConnectionId>,
    /// `destination`.
    pub destination: Option<Destination>,
    /// `operationType`: 0 add, 1 remove.
    pub operation_type: i8,
    /// `timeout`.
    pub timeout: i64,
    /// `brokerPath`.
    pub broker_path: Option<Vec<BrokerId>>,
}

impl DestinationInfo {
    /// Its number as a wire type.
    pub const CODE: u8 = 8;

    fn read_fields(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        self.command_id = reader.int()?;
        self.response_required = reader.bool()?;
        self.connection_id = reader.cached()?;
        self.destination = reader.cached()?;
        self.operation_type = reader.byte()?;
        self.timeout = reader.long()?;
        self.broker_path = reader.array()?;
        Ok(())
    }
}

impl Structure for DestinationInfo {
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
        writer.cached(self.connection_id.as_ref());
        writer.cached(self.destination.as_ref());
        writer.byte(self.operation_type);
        writer.long(self.timeout);
        writer.array(self.broker_path.as_ref());
    }
}

/// `ProducerInfo`, wire type 6.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProducerInfo {
    /// `commandId`: sequence number set by the sender; a Response carries it back as correlationId.
    pub command_id: i32,
    /// `responseRequired`: true: the receiver answers with a Response (or sub-type) whose correlationId is this commandId.
    pub response_required: bool,
    /// `producerId`.
    pub producer_id: Option<ProducerId>,
    /// `destination`.
    pub destination: Option<Destination>,
    /// `brokerPath`.
    pub broker_path: Option<Vec<BrokerId>>,
    /// `dispatchAsync`.
    pub dispatch_async: bool,
    /// `windowSize`.
    pub window_size: i32,
}

impl ProducerInfo {
    /// Its number as a wire type.
    pub const CODE: u8 = 6;

    fn read_fields(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        self.command_id = reader.int()?;
        self.response_required = reader.bool()?;
        self.producer_id = reader.cached()?;
        self.destination = reader.cached()?;
        self.broker_path = reader.array()?;
        if reader.version() >= 2 {
            self.dispatch_async = reader.bool()?;
        }
        if reader.version() >= 3 {
            self.window_size = reader.int()?;
        }
        Ok(())
    }
}

impl Structure for ProducerInfo {
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
        writer.cached(self.producer_id.as_ref());
        writer.cached(self.destination.as_ref());
        writer.array(self.broker_path.as_ref());
        if writer.version() >= 2 {
            writer.bool(self.dispatch_async);
        }
        if writer.version() >= 3 {
            writer.int(self.window_size);
        }
    }
}

/// `RemoveInfo`, wire type 12.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RemoveInfo {
    /// `commandId`: sequence number set by the sender; a Response carries it back as correlationId.
    pub command_id: i32,
    /// `responseRequired`: true: the receiver answers with a Response (or sub-type) whose correlationId is this commandId.
    pub response_required: bool,
    /// `objectId`.
    pub object_id: Option<Box<Command>>,
    /// `lastDeliveredSequenceId`: broker sequence of the last message the consumer saw: -2 unset/unknown, -1 none delivered, 0 unknown.
    pub last_delivered_sequence_id: i64,
}

impl RemoveInfo {
    /// Its number as a wire type.
    pub const CODE: u8 = 12;

    fn read_fields(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        self.command_id = reader.int()?;
        self.response_required = reader.bool()?;
        self.object_id = reader.cached()?;
        if reader.version() >= 5 {
            self.last_delivered_sequence_id = reader.long()?;
        }
        Ok(())
    }
}

impl Structure for RemoveInfo {
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
        writer.cached(self.object_id.as_ref());
        if writer.version() >= 5 {
            writer.long(self.last_delivered_sequence_id);
        }
    }
}

/// `RemoveSubscriptionInfo`, wire type 9.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RemoveSubscriptionInfo {
    /// `commandId`: sequence number set by the sender; a Response carries it back as correlationId.
    pub command_id: i32,
    /// `responseRequired`: true: the receiver answers with a Response (or sub-type) whose correlationId is this commandId.
    pub response_required: bool,
    /// `connectionId`.
    pub connection_id: Option<ConnectionId>,
    /// `subscriptionName`.
    pub subscription_name: Option<JavaText>,
    /// `clientId`.
    pub client_id: Option<JavaText>,
}

impl RemoveSubscriptionInfo {
    /// Its number as a wire type.
    pub const CODE: u8 = 9;

    fn read_fields(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        self.command_id = reader.int()?;
        self.response_required = reader.bool()?;
        self.connection_id = reader.cached()?;
        self.subscription_name = reader.string()?;
        self.client_id = reader.string()?;
        Ok(())
    }
}

impl Structure for RemoveSubscriptionInfo {
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
        writer.cached(self.connection_id.as_ref());
        writer.string(self.subscription_name.as_ref());
        writer.string(self.client_id.as_ref());
    }
}

/// `SessionInfo`, wire type 4.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SessionInfo {
    /// `commandId`: sequence number set by the sender; a Response carries it back as correlationId.
    pub command_id: i32,
    /// `responseRequired`: true: the receiver answers with a Response (or sub-type) whose correlationId is this commandId.
    pub response_required: bool,
    /// `sessionId`.
    pub session_id: Option<SessionId>,
}

impl SessionInfo {
    /// Its number as a wire type.
    pub const CODE: u8 = 4;

    fn read_fields(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        self.command_id = reader.int()?;
        self.response_required = reader.bool()?;
        self.session_id = reader.cached()?;
        Ok(())
    }
}

impl Structure for SessionInfo {
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
        writer.cached(self.session_id.as_ref());
    }
}

/// `TransactionInfo`, wire type 7.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TransactionInfo {
    /// `commandId`: sequence number set by the sender; a Response carries it back as correlationId.
    pub command_id: i32,
    /// `responseRequired`: true: the receiver answers with a Response (or sub-type) whose correlationId is this commandId.
    pub response_required: bool,
    /// `connectionId`.
    pub connection_id: Option<ConnectionId>,
    /// `transactionId`.
    pub transaction_id: Option<TransactionId>,
    /// `type`: see enums.transactionType.
    pub operation: i8,
}

impl TransactionInfo {
    /// Its number as a wire type.
    pub const CODE: u8 = 7;

    fn read_fields(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        self.command_id = reader.int()?;
        self.response_required = reader.bool()?;
        self.connection_id = reader.cached()?;
        self.transaction_id = reader.cached()?;
        self.operation = reader.byte()?;
        Ok(())
    }
}

impl Structure for TransactionInfo {
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
        writer.cached(self.connection_id.as_ref());
        writer.cached(self.transaction_id.as_ref());
        writer.byte(self.operation);
    }
}

/// `WireFormatInfo`, wire type 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WireFormatInfo {
    /// `magic`: the eight ASCII bytes ActiveMQ.
    pub magic: [u8; 8],
    /// `version`: highest protocol version the sender speaks.
    pub version: i32,
    /// `marshalledProperties`: primitive map, see openwire.md section 8.
    pub marshalled_properties: Option<Bytes>,
}

impl WireFormatInfo {
    /// Its number as a wire type.
    pub const CODE: u8 = 1;

    fn read_fields(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        self.magic = reader.fixed()?;
        self.version = reader.int()?;
        self.marshalled_properties = reader.bytes()?;
        Ok(())
    }
}

impl Structure for WireFormatInfo {
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
        writer.fixed(&self.magic);
        writer.int(self.version);
        writer.bytes(self.marshalled_properties.as_ref());
    }
}
