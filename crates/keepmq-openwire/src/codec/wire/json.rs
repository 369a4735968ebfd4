//! What was read, by the names of the wire, for tests. Made by `cargo xtask openwire` from `openwire.json`: change that.

use serde_json::{Map, Value};

use super::super::tests::json::{Json, put};
use super::*;

impl Json for Command {
    fn json(&self, version: u8) -> Value {
        match self {
            Self::Message(value) => value.json(version),
            Self::Destination(value) => value.json(version),
            Self::BrokerId(value) => value.json(version),
            Self::BrokerInfo(value) => value.json(version),
            Self::BrokerSubscriptionInfo(value) => value.json(version),
            Self::ConnectionControl(value) => value.json(version),
            Self::ConnectionError(value) => value.json(version),
            Self::ConnectionId(value) => value.json(version),
            Self::ConnectionInfo(value) => value.json(version),
            Self::ConsumerControl(value) => value.json(version),
            Self::ConsumerId(value) => value.json(version),
            Self::ConsumerInfo(value) => value.json(version),
            Self::ControlCommand(value) => value.json(version),
            Self::DataArrayResponse(value) => value.json(version),
            Self::DataResponse(value) => value.json(version),
            Self::DestinationInfo(value) => value.json(version),
            Self::DiscoveryEvent(value) => value.json(version),
            Self::ExceptionResponse(value) => value.json(version),
            Self::FlushCommand(value) => value.json(version),
            Self::IntegerResponse(value) => value.json(version),
            Self::JournalQueueAck(value) => value.json(version),
            Self::JournalTopicAck(value) => value.json(version),
            Self::JournalTrace(value) => value.json(version),
            Self::JournalTransaction(value) => value.json(version),
            Self::KeepAliveInfo(value) => value.json(version),
            Self::LastPartialCommand(value) => value.json(version),
            Self::LocalTransactionId(value) => value.json(version),
            Self::MessageAck(value) => value.json(version),
            Self::MessageDispatch(value) => value.json(version),
            Self::MessageDispatchNotification(value) => value.json(version),
            Self::MessageId(value) => value.json(version),
            Self::MessagePull(value) => value.json(version),
            Self::NetworkBridgeFilter(value) => value.json(version),
            Self::PartialCommand(value) => value.json(version),
            Self::ProducerAck(value) => value.json(version),
            Self::ProducerId(value) => value.json(version),
            Self::ProducerInfo(value) => value.json(version),
            Self::RemoveInfo(value) => value.json(version),
            Self::RemoveSubscriptionInfo(value) => value.json(version),
            Self::ReplayCommand(value) => value.json(version),
            Self::Response(value) => value.json(version),
            Self::SessionId(value) => value.json(version),
            Self::SessionInfo(value) => value.json(version),
            Self::ShutdownInfo(value) => value.json(version),
            Self::SubscriptionInfo(value) => value.json(version),
            Self::TransactionInfo(value) => value.json(version),
            Self::WireFormatInfo(value) => value.json(version),
            Self::XaTransactionId(value) => value.json(version),
        }
    }
}

impl Json for BrokerId {
    fn json(&self, version: u8) -> Value {
        let mut map = Map::new();
        put(&mut map, "@type", &"BrokerId", version);
        put(&mut map, "value", &self.value, version);
        map.into()
    }
}

impl Json for BrokerInfo {
    fn json(&self, version: u8) -> Value {
        let mut map = Map::new();
        put(&mut map, "@type", &"BrokerInfo", version);
        put(&mut map, "commandId", &self.command_id, version);
        put(&mut map, "responseRequired", &self.response_required, version);
        put(&mut map, "brokerId", &self.broker_id, version);
        put(&mut map, "brokerURL", &self.broker_url, version);
        put(&mut map, "peerBrokerInfos", &self.peer_broker_infos, version);
        put(&mut map, "brokerName", &self.broker_name, version);
        put(&mut map, "slaveBroker", &self.slave_broker, version);
        put(&mut map, "masterBroker", &self.master_broker, version);
        put(&mut map, "faultTolerantConfiguration", &self.fault_tolerant_configuration, version);
        if (2..=12).contains(&version) {
            put(&mut map, "duplexConnection", &self.duplex_connection, version);
        }
        if (2..=12).contains(&version) {
            put(&mut map, "networkConnection", &self.network_connection, version);
        }
        if (2..=12).contains(&version) {
            put(&mut map, "connectionId", &self.connection_id, version);
        }
        if (3..=12).contains(&version) {
            put(&mut map, "brokerUploadUrl", &self.broker_upload_url, version);
        }
        if (3..=12).contains(&version) {
            put(&mut map, "networkProperties", &self.network_properties, version);
        }
        map.into()
    }
}

impl Json for BrokerSubscriptionInfo {
    fn json(&self, version: u8) -> Value {
        let mut map = Map::new();
        put(&mut map, "@type", &"BrokerSubscriptionInfo", version);
        put(&mut map, "commandId", &self.command_id, version);
        put(&mut map, "responseRequired", &self.response_required, version);
        put(&mut map, "brokerId", &self.broker_id, version);
        put(&mut map, "brokerName", &self.broker_name, version);
        put(&mut map, "subscriptionInfos", &self.subscription_infos, version);
        map.into()
    }
}

impl Json for ConnectionControl {
    fn json(&self, version: u8) -> Value {
        let mut map = Map::new();
        put(&mut map, "@type", &"ConnectionControl", version);
        put(&mut map, "commandId", &self.command_id, version);
        put(&mut map, "responseRequired", &self.response_required, version);
        put(&mut map, "close", &self.close, version);
        put(&mut map, "exit", &self.exit, version);
        put(&mut map, "faultTolerant", &self.fault_tolerant, version);
        put(&mut map, "resume", &self.resume, version);
        put(&mut map, "suspend", &self.suspend, version);
        if (6..=12).contains(&version) {
            put(&mut map, "connectedBrokers", &self.connected_brokers, version);
        }
        if (6..=12).contains(&version) {
            put(&mut map, "reconnectTo", &self.reconnect_to, version);
        }
        if (6..=12).contains(&version) {
            put(&mut map, "rebalanceConnection", &self.rebalance_connection, version);
        }
        if (8..=12).contains(&version) {
            put(&mut map, "token", &self.token, version);
        }
        map.into()
    }
}

impl Json for ConnectionError {
    fn json(&self, version: u8) -> Value {
        let mut map = Map::new();
        put(&mut map, "@type", &"ConnectionError", version);
        put(&mut map, "commandId", &self.command_id, version);
        put(&mut map, "responseRequired", &self.response_required, version);
        put(&mut map, "exception", &self.exception, version);
        put(&mut map, "connectionId", &self.connection_id, version);
        map.into()
    }
}

impl Json for ConnectionId {
    fn json(&self, version: u8) -> Value {
        let mut map = Map::new();
        put(&mut map, "@type", &"ConnectionId", version);
        put(&mut map, "value", &self.value, version);
        map.into()
    }
}

impl Json for ConnectionInfo {
    fn json(&self, version: u8) -> Value {
        let mut map = Map::new();
        put(&mut map, "@type", &"ConnectionInfo", version);
        put(&mut map, "commandId", &self.command_id, version);
        put(&mut map, "responseRequired", &self.response_required, version);
        put(&mut map, "connectionId", &self.connection_id, version);
        put(&mut map, "clientId", &self.client_id, version);
        put(&mut map, "password", &self.password, version);
        put(&mut map, "userName", &self.user_name, version);
        put(&mut map, "brokerPath", &self.broker_path, version);
        put(&mut map, "brokerMasterConnector", &self.broker_master_connector, version);
        put(&mut map, "manageable", &self.manageable, version);
        if (2..=12).contains(&version) {
            put(&mut map, "clientMaster", &self.client_master, version);
        }
        if (6..=12).contains(&version) {
            put(&mut map, "faultTolerant", &self.fault_tolerant, version);
        }
        if (6..=12).contains(&version) {
            put(&mut map, "failoverReconnect", &self.failover_reconnect, version);
        }
        if (8..=12).contains(&version) {
            put(&mut map, "clientIp", &self.client_ip, version);
        }
        map.into()
    }
}

impl Json for ConsumerControl {
    fn json(&self, version: u8) -> Value {
        let mut map = Map::new();
        put(&mut map, "@type", &"ConsumerControl", version);
        put(&mut map, "commandId", &self.command_id, version);
        put(&mut map, "responseRequired", &self.response_required, version);
        if (6..=12).contains(&version) {
            put(&mut map, "destination", &self.destination, version);
        }
        put(&mut map, "close", &self.close, version);
        put(&mut map, "consumerId", &self.consumer_id, version);
        put(&mut map, "prefetch", &self.prefetch, version);
        if (2..=12).contains(&version) {
            put(&mut map, "flush", &self.flush, version);
        }
        if (2..=12).contains(&version) {
            put(&mut map, "start", &self.start, version);
        }
        if (2..=12).contains(&version) {
            put(&mut map, "stop", &self.stop, version);
        }
        map.into()
    }
}

impl Json for ConsumerId {
    fn json(&self, version: u8) -> Value {
        let mut map = Map::new();
        put(&mut map, "@type", &"ConsumerId", version);
        put(&mut map, "connectionId", &self.connection_id, version);
        put(&mut map, "sessionId", &self.session_id, version);
        put(&mut map, "value", &self.value, version);
        map.into()
    }
}

impl Json for ConsumerInfo {
    fn json(&self, version: u8) -> Value {
        let mut map = Map::new();
        put(&mut map, "@type", &"ConsumerInfo", version);
        put(&mut map, "commandId", &self.command_id, version);
        put(&mut map, "responseRequired", &self.response_required, version);
        put(&mut map, "consumerId", &self.consumer_id, version);
        put(&mut map, "browser", &self.browser, version);
        put(&mut map, "destination", &self.destination, version);
        put(&mut map, "prefetchSize", &self.prefetch_size, version);
        put(&mut map, "maximumPendingMessageLimit", &self.maximum_pending_message_limit, version);
        put(&mut map, "dispatchAsync", &self.dispatch_async, version);
        put(&mut map, "selector", &self.selector, version);
        if (10..=12).contains(&version) {
            put(&mut map, "clientId", &self.client_id, version);
        }
        put(&mut map, "subscriptionName", &self.subscription_name, version);
        put(&mut map, "noLocal", &self.no_local, version);
        put(&mut map, "exclusive", &self.exclusive, version);
        put(&mut map, "retroactive", &self.retroactive, version);
        put(&mut map, "priority", &self.priority, version);
        put(&mut map, "brokerPath", &self.broker_path, version);
        put(&mut map, "additionalPredicate", &self.additional_predicate, version);
        put(&mut map, "networkSubscription", &self.network_subscription, version);
        put(&mut map, "optimizedAcknowledge", &self.optimized_acknowledge, version);
        put(&mut map, "noRangeAcks", &self.no_range_acks, version);
        if (4..=12).contains(&version) {
            put(&mut map, "networkConsumerPath", &self.network_consumer_path, version);
        }
        map.into()
    }
}

impl Json for ControlCommand {
    fn json(&self, version: u8) -> Value {
        let mut map = Map::new();
        put(&mut map, "@type", &"ControlCommand", version);
        put(&mut map, "commandId", &self.command_id, version);
        put(&mut map, "responseRequired", &self.response_required, version);
        put(&mut map, "command", &self.command, version);
        map.into()
    }
}

impl Json for DataArrayResponse {
    fn json(&self, version: u8) -> Value {
        let mut map = Map::new();
        put(&mut map, "@type", &"DataArrayResponse", version);
        put(&mut map, "commandId", &self.command_id, version);
        put(&mut map, "responseRequired", &self.response_required, version);
        put(&mut map, "correlationId", &self.correlation_id, version);
        put(&mut map, "data", &self.data, version);
        map.into()
    }
}

impl Json for DataResponse {
    fn json(&self, version: u8) -> Value {
        let mut map = Map::new();
        put(&mut map, "@type", &"DataResponse", version);
        put(&mut map, "commandId", &self.command_id, version);
        put(&mut map, "responseRequired", &self.response_required, version);
        put(&mut map, "correlationId", &self.correlation_id, version);
        put(&mut map, "data", &self.data, version);
        map.into()
    }
}

impl Json for DestinationInfo {
    fn json(&self, version: u8) -> Value {
        let mut map = Map::new();
        put(&mut map, "@type", &"DestinationInfo", version);
        put(&mut map, "commandId", &self.command_id, version);
        put(&mut map, "responseRequired", &self.response_required, version);
        put(&mut map, "connectionId", &self.connection_id, version);
        put(&mut map, "destination", &self.destination, version);
        put(&mut map, "operationType", &self.operation_type, version);
        put(&mut map, "timeout", &self.timeout, version);
        put(&mut map, "brokerPath", &self.broker_path, version);
        map.into()
    }
}

impl Json for DiscoveryEvent {
    fn json(&self, version: u8) -> Value {
        let mut map = Map::new();
        put(&mut map, "@type", &"DiscoveryEvent", version);
        put(&mut map, "serviceName", &self.service_name, version);
        put(&mut map, "brokerName", &self.broker_name, version);
        map.into()
    }
}

impl Json for ExceptionResponse {
    fn json(&self, version: u8) -> Value {
        let mut map = Map::new();
        put(&mut map, "@type", &"ExceptionResponse", version);
        put(&mut map, "commandId", &self.command_id, version);
        put(&mut map, "responseRequired", &self.response_required, version);
        put(&mut map, "correlationId", &self.correlation_id, version);
        put(&mut map, "exception", &self.exception, version);
        map.into()
    }
}

impl Json for FlushCommand {
    fn json(&self, version: u8) -> Value {
        let mut map = Map::new();
        put(&mut map, "@type", &"FlushCommand", version);
        put(&mut map, "commandId", &self.command_id, version);
        put(&mut map, "responseRequired", &self.response_required, version);
        map.into()
    }
}

impl Json for IntegerResponse {
    fn json(&self, version: u8) -> Value {
        let mut map = Map::new();
        put(&mut map, "@type", &"IntegerResponse", version);
        put(&mut map, "commandId", &self.command_id, version);
        put(&mut map, "responseRequired", &self.response_required, version);
        put(&mut map, "correlationId", &self.correlation_id, version);
        put(&mut map, "result", &self.result, version);
        map.into()
    }
}

impl Json for JournalQueueAck {
    fn json(&self, version: u8) -> Value {
        let mut map = Map::new();
        put(&mut map, "@type", &"JournalQueueAck", version);
        put(&mut map, "destination", &self.destination, version);
        put(&mut map, "messageAck", &self.message_ack, version);
        map.into()
    }
}

impl Json for JournalTopicAck {
    fn json(&self, version: u8) -> Value {
        let mut map = Map::new();
        put(&mut map, "@type", &"JournalTopicAck", version);
        put(&mut map, "destination", &self.destination, version);
        put(&mut map, "messageId", &self.message_id, version);
        put(&mut map, "messageSequenceId", &self.message_sequence_id, version);
        put(&mut map, "subscriptionName", &self.subscription_name, version);
        put(&mut map, "clientId", &self.client_id, version);
        put(&mut map, "transactionId", &self.transaction_id, version);
        map.into()
    }
}

impl Json for JournalTrace {
    fn json(&self, version: u8) -> Value {
        let mut map = Map::new();
        put(&mut map, "@type", &"JournalTrace", version);
        put(&mut map, "message", &self.message, version);
        map.into()
    }
}

impl Json for JournalTransaction {
    fn json(&self, version: u8) -> Value {
        let mut map = Map::new();
        put(&mut map, "@type", &"JournalTransaction", version);
        put(&mut map, "transactionId", &self.transaction_id, version);
        put(&mut map, "type", &self.operation, version);
        put(&mut map, "wasPrepared", &self.was_prepared, version);
        map.into()
    }
}

impl Json for KeepAliveInfo {
    fn json(&self, version: u8) -> Value {
        let mut map = Map::new();
        put(&mut map, "@type", &"KeepAliveInfo", version);
        put(&mut map, "commandId", &self.command_id, version);
        put(&mut map, "responseRequired", &self.response_required, version);
        map.into()
    }
}

impl Json for LastPartialCommand {
    fn json(&self, version: u8) -> Value {
        let mut map = Map::new();
        put(&mut map, "@type", &"LastPartialCommand", version);
        put(&mut map, "commandId", &self.command_id, version);
        put(&mut map, "data", &self.data, version);
        map.into()
    }
}

impl Json for LocalTransactionId {
    fn json(&self, version: u8) -> Value {
        let mut map = Map::new();
        put(&mut map, "@type", &"LocalTransactionId", version);
        put(&mut map, "value", &self.value, version);
        put(&mut map, "connectionId", &self.connection_id, version);
        map.into()
    }
}

impl Json for MessageAck {
    fn json(&self, version: u8) -> Value {
        let mut map = Map::new();
        put(&mut map, "@type", &"MessageAck", version);
        put(&mut map, "commandId", &self.command_id, version);
        put(&mut map, "responseRequired", &self.response_required, version);
        put(&mut map, "destination", &self.destination, version);
        put(&mut map, "transactionId", &self.transaction_id, version);
        put(&mut map, "consumerId", &self.consumer_id, version);
        put(&mut map, "ackType", &self.ack_type, version);
        put(&mut map, "firstMessageId", &self.first_message_id, version);
        put(&mut map, "lastMessageId", &self.last_message_id, version);
        put(&mut map, "messageCount", &self.message_count, version);
        if (7..=12).contains(&version) {
            put(&mut map, "poisonCause", &self.poison_cause, version);
        }
        map.into()
    }
}

impl Json for MessageDispatch {
    fn json(&self, version: u8) -> Value {
        let mut map = Map::new();
        put(&mut map, "@type", &"MessageDispatch", version);
        put(&mut map, "commandId", &self.command_id, version);
        put(&mut map, "responseRequired", &self.response_required, version);
        put(&mut map, "consumerId", &self.consumer_id, version);
        put(&mut map, "destination", &self.destination, version);
        put(&mut map, "message", &self.message, version);
        put(&mut map, "redeliveryCounter", &self.redelivery_counter, version);
        map.into()
    }
}

impl Json for MessageDispatchNotification {
    fn json(&self, version: u8) -> Value {
        let mut map = Map::new();
        put(&mut map, "@type", &"MessageDispatchNotification", version);
        put(&mut map, "commandId", &self.command_id, version);
        put(&mut map, "responseRequired", &self.response_required, version);
        put(&mut map, "consumerId", &self.consumer_id, version);
        put(&mut map, "destination", &self.destination, version);
        put(&mut map, "deliverySequenceId", &self.delivery_sequence_id, version);
        put(&mut map, "messageId", &self.message_id, version);
        map.into()
    }
}

impl Json for MessageId {
    fn json(&self, version: u8) -> Value {
        let mut map = Map::new();
        put(&mut map, "@type", &"MessageId", version);
        if (10..=12).contains(&version) {
            put(&mut map, "textView", &self.text_view, version);
        }
        put(&mut map, "producerId", &self.producer_id, version);
        put(&mut map, "producerSequenceId", &self.producer_sequence_id, version);
        put(&mut map, "brokerSequenceId", &self.broker_sequence_id, version);
        map.into()
    }
}

impl Json for MessagePull {
    fn json(&self, version: u8) -> Value {
        let mut map = Map::new();
        put(&mut map, "@type", &"MessagePull", version);
        put(&mut map, "commandId", &self.command_id, version);
        put(&mut map, "responseRequired", &self.response_required, version);
        put(&mut map, "consumerId", &self.consumer_id, version);
        put(&mut map, "destination", &self.destination, version);
        put(&mut map, "timeout", &self.timeout, version);
        if (3..=12).contains(&version) {
            put(&mut map, "correlationId", &self.correlation_id, version);
        }
        if (3..=12).contains(&version) {
            put(&mut map, "messageId", &self.message_id, version);
        }
        map.into()
    }
}

impl Json for NetworkBridgeFilter {
    fn json(&self, version: u8) -> Value {
        let mut map = Map::new();
        put(&mut map, "@type", &"NetworkBridgeFilter", version);
        put(&mut map, "networkBrokerId", &self.network_broker_id, version);
        if (10..=12).contains(&version) {
            put(&mut map, "messageTTL", &self.message_ttl, version);
        }
        if (10..=12).contains(&version) {
            put(&mut map, "consumerTTL", &self.consumer_ttl, version);
        }
        if (1..=9).contains(&version) {
            put(&mut map, "networkTTL", &self.network_ttl, version);
        }
        map.into()
    }
}

impl Json for PartialCommand {
    fn json(&self, version: u8) -> Value {
        let mut map = Map::new();
        put(&mut map, "@type", &"PartialCommand", version);
        put(&mut map, "commandId", &self.command_id, version);
        put(&mut map, "data", &self.data, version);
        map.into()
    }
}

impl Json for ProducerAck {
    fn json(&self, version: u8) -> Value {
        let mut map = Map::new();
        put(&mut map, "@type", &"ProducerAck", version);
        put(&mut map, "commandId", &self.command_id, version);
        put(&mut map, "responseRequired", &self.response_required, version);
        put(&mut map, "producerId", &self.producer_id, version);
        put(&mut map, "size", &self.size, version);
        map.into()
    }
}

impl Json for ProducerId {
    fn json(&self, version: u8) -> Value {
        let mut map = Map::new();
        put(&mut map, "@type", &"ProducerId", version);
        put(&mut map, "connectionId", &self.connection_id, version);
        put(&mut map, "value", &self.value, version);
        put(&mut map, "sessionId", &self.session_id, version);
        map.into()
    }
}

impl Json for ProducerInfo {
    fn json(&self, version: u8) -> Value {
        let mut map = Map::new();
        put(&mut map, "@type", &"ProducerInfo", version);
        put(&mut map, "commandId", &self.command_id, version);
        put(&mut map, "responseRequired", &self.response_required, version);
        put(&mut map, "producerId", &self.producer_id, version);
        put(&mut map, "destination", &self.destination, version);
        put(&mut map, "brokerPath", &self.broker_path, version);
        if (2..=12).contains(&version) {
            put(&mut map, "dispatchAsync", &self.dispatch_async, version);
        }
        if (3..=12).contains(&version) {
            put(&mut map, "windowSize", &self.window_size, version);
        }
        map.into()
    }
}

impl Json for RemoveInfo {
    fn json(&self, version: u8) -> Value {
        let mut map = Map::new();
        put(&mut map, "@type", &"RemoveInfo", version);
        put(&mut map, "commandId", &self.command_id, version);
        put(&mut map, "responseRequired", &self.response_required, version);
        put(&mut map, "objectId", &self.object_id, version);
        if (5..=12).contains(&version) {
            put(&mut map, "lastDeliveredSequenceId", &self.last_delivered_sequence_id, version);
        }
        map.into()
    }
}

impl Json for RemoveSubscriptionInfo {
    fn json(&self, version: u8) -> Value {
        let mut map = Map::new();
        put(&mut map, "@type", &"RemoveSubscriptionInfo", version);
        put(&mut map, "commandId", &self.command_id, version);
        put(&mut map, "responseRequired", &self.response_required, version);
        put(&mut map, "connectionId", &self.connection_id, version);
        put(&mut map, "subscriptionName", &self.subscription_name, version);
        put(&mut map, "clientId", &self.client_id, version);
        map.into()
    }
}

impl Json for ReplayCommand {
    fn json(&self, version: u8) -> Value {
        let mut map = Map::new();
        put(&mut map, "@type", &"ReplayCommand", version);
        put(&mut map, "commandId", &self.command_id, version);
        put(&mut map, "responseRequired", &self.response_required, version);
        put(&mut map, "firstNakNumber", &self.first_nak_number, version);
        put(&mut map, "lastNakNumber", &self.last_nak_number, version);
        map.into()
    }
}

impl Json for Response {
    fn json(&self, version: u8) -> Value {
        let mut map = Map::new();
        put(&mut map, "@type", &"Response", version);
        put(&mut map, "commandId", &self.command_id, version);
        put(&mut map, "responseRequired", &self.response_required, version);
        put(&mut map, "correlationId", &self.correlation_id, version);
        map.into()
    }
}

impl Json for SessionId {
    fn json(&self, version: u8) -> Value {
        let mut map = Map::new();
        put(&mut map, "@type", &"SessionId", version);
        put(&mut map, "connectionId", &self.connection_id, version);
        put(&mut map, "value", &self.value, version);
        map.into()
    }
}

impl Json for SessionInfo {
    fn json(&self, version: u8) -> Value {
        let mut map = Map::new();
        put(&mut map, "@type", &"SessionInfo", version);
        put(&mut map, "commandId", &self.command_id, version);
        put(&mut map, "responseRequired", &self.response_required, version);
        put(&mut map, "sessionId", &self.session_id, version);
        map.into()
    }
}

impl Json for ShutdownInfo {
    fn json(&self, version: u8) -> Value {
        let mut map = Map::new();
        put(&mut map, "@type", &"ShutdownInfo", version);
        put(&mut map, "commandId", &self.command_id, version);
        put(&mut map, "responseRequired", &self.response_required, version);
        map.into()
    }
}

impl Json for SubscriptionInfo {
    fn json(&self, version: u8) -> Value {
        let mut map = Map::new();
        put(&mut map, "@type", &"SubscriptionInfo", version);
        put(&mut map, "clientId", &self.client_id, version);
        put(&mut map, "destination", &self.destination, version);
        put(&mut map, "selector", &self.selector, version);
        put(&mut map, "subscriptionName", &self.subscription_name, version);
        if (3..=12).contains(&version) {
            put(&mut map, "subscribedDestination", &self.subscribed_destination, version);
        }
        if (11..=12).contains(&version) {
            put(&mut map, "noLocal", &self.no_local, version);
        }
        map.into()
    }
}

impl Json for TransactionInfo {
    fn json(&self, version: u8) -> Value {
        let mut map = Map::new();
        put(&mut map, "@type", &"TransactionInfo", version);
        put(&mut map, "commandId", &self.command_id, version);
        put(&mut map, "responseRequired", &self.response_required, version);
        put(&mut map, "connectionId", &self.connection_id, version);
        put(&mut map, "transactionId", &self.transaction_id, version);
        put(&mut map, "type", &self.operation, version);
        map.into()
    }
}

impl Json for WireFormatInfo {
    fn json(&self, version: u8) -> Value {
        let mut map = Map::new();
        put(&mut map, "@type", &"WireFormatInfo", version);
        put(&mut map, "magic", &self.magic, version);
        put(&mut map, "version", &self.version, version);
        put(&mut map, "marshalledProperties", &self.marshalled_properties, version);
        map.into()
    }
}

impl Json for XaTransactionId {
    fn json(&self, version: u8) -> Value {
        let mut map = Map::new();
        put(&mut map, "@type", &"XATransactionId", version);
        put(&mut map, "formatId", &self.format_id, version);
        put(&mut map, "globalTransactionId", &self.global_transaction_id, version);
        put(&mut map, "branchQualifier", &self.branch_qualifier, version);
        map.into()
    }
}

impl Json for Message {
    fn json(&self, version: u8) -> Value {
        let mut map = Map::new();
        put(&mut map, "@type", &super::super::tests::json::message_type(self.kind), version);
        put(&mut map, "commandId", &self.command_id, version);
        put(&mut map, "responseRequired", &self.response_required, version);
        put(&mut map, "producerId", &self.producer_id, version);
        put(&mut map, "destination", &self.destination, version);
        put(&mut map, "transactionId", &self.transaction_id, version);
        put(&mut map, "originalDestination", &self.original_destination, version);
        put(&mut map, "messageId", &self.message_id, version);
        put(&mut map, "originalTransactionId", &self.original_transaction_id, version);
        put(&mut map, "groupID", &self.group_id, version);
        put(&mut map, "groupSequence", &self.group_sequence, version);
        put(&mut map, "correlationId", &self.correlation_id, version);
        put(&mut map, "persistent", &self.persistent, version);
        put(&mut map, "expiration", &self.expiration, version);
        put(&mut map, "priority", &self.priority, version);
        put(&mut map, "replyTo", &self.reply_to, version);
        put(&mut map, "timestamp", &self.timestamp, version);
        put(&mut map, "type", &self.jms_type, version);
        put(&mut map, "content", &self.content, version);
        put(&mut map, "marshalledProperties", &self.marshalled_properties, version);
        put(&mut map, "dataStructure", &self.data_structure, version);
        put(&mut map, "targetConsumerId", &self.target_consumer_id, version);
        put(&mut map, "compressed", &self.compressed, version);
        put(&mut map, "redeliveryCounter", &self.redelivery_counter, version);
        put(&mut map, "brokerPath", &self.broker_path, version);
        put(&mut map, "arrival", &self.arrival, version);
        put(&mut map, "userID", &self.user_id, version);
        put(&mut map, "recievedByDFBridge", &self.received_by_df_bridge, version);
        if (2..=12).contains(&version) {
            put(&mut map, "droppable", &self.droppable, version);
        }
        if (3..=12).contains(&version) {
            put(&mut map, "cluster", &self.cluster, version);
        }
        if (3..=12).contains(&version) {
            put(&mut map, "brokerInTime", &self.broker_in_time, version);
        }
        if (3..=12).contains(&version) {
            put(&mut map, "brokerOutTime", &self.broker_out_time, version);
        }
        if (10..=12).contains(&version) {
            put(&mut map, "jmsxGroupFirstForConsumer", &self.jmsx_group_first_for_consumer, version);
        }
        put(&mut map, "remoteBlobUrl", &self.remote_blob_url, version);
        put(&mut map, "mimeType", &self.mime_type, version);
        put(&mut map, "deletedByBroker", &self.deleted_by_broker, version);
        super::super::tests::json::without_blob(&mut map, self.kind);
        map.into()
    }
}
