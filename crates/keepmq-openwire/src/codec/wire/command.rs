//! Everything that can be a frame, or an object within one. Made by `cargo xtask openwire` from `openwire.json`: change that.

use super::super::fault::Fault;
use super::super::reader::Reader;
use super::super::structure::Structure;
use super::super::writer::Writer;
use super::*;

/// Any object of the wire.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// A message of any kind.
    Message(Box<Message>),
    /// A destination of any kind.
    Destination(Destination),
    /// `BrokerId`.
    BrokerId(BrokerId),
    /// `BrokerInfo`.
    BrokerInfo(Box<BrokerInfo>),
    /// `BrokerSubscriptionInfo`.
    BrokerSubscriptionInfo(Box<BrokerSubscriptionInfo>),
    /// `ConnectionControl`.
    ConnectionControl(Box<ConnectionControl>),
    /// `ConnectionError`.
    ConnectionError(Box<ConnectionError>),
    /// `ConnectionId`.
    ConnectionId(ConnectionId),
    /// `ConnectionInfo`.
    ConnectionInfo(Box<ConnectionInfo>),
    /// `ConsumerControl`.
    ConsumerControl(Box<ConsumerControl>),
    /// `ConsumerId`.
    ConsumerId(ConsumerId),
    /// `ConsumerInfo`.
    ConsumerInfo(Box<ConsumerInfo>),
    /// `ControlCommand`.
    ControlCommand(Box<ControlCommand>),
    /// `DataArrayResponse`.
    DataArrayResponse(Box<DataArrayResponse>),
    /// `DataResponse`.
    DataResponse(Box<DataResponse>),
    /// `DestinationInfo`.
    DestinationInfo(Box<DestinationInfo>),
    /// `DiscoveryEvent`.
    DiscoveryEvent(DiscoveryEvent),
    /// `ExceptionResponse`.
    ExceptionResponse(Box<ExceptionResponse>),
    /// `FlushCommand`.
    FlushCommand(FlushCommand),
    /// `IntegerResponse`.
    IntegerResponse(Box<IntegerResponse>),
    /// `JournalQueueAck`.
    JournalQueueAck(JournalQueueAck),
    /// `JournalTopicAck`.
    JournalTopicAck(Box<JournalTopicAck>),
    /// `JournalTrace`.
    JournalTrace(JournalTrace),
    /// `JournalTransaction`.
    JournalTransaction(Box<JournalTransaction>),
    /// `KeepAliveInfo`.
    KeepAliveInfo(KeepAliveInfo),
    /// `LastPartialCommand`.
    LastPartialCommand(LastPartialCommand),
    /// `LocalTransactionId`.
    LocalTransactionId(LocalTransactionId),
    /// `MessageAck`.
    MessageAck(Box<MessageAck>),
    /// `MessageDispatch`.
    MessageDispatch(Box<MessageDispatch>),
    /// `MessageDispatchNotification`.
    MessageDispatchNotification(Box<MessageDispatchNotification>),
    /// `MessageId`.
    MessageId(Box<MessageId>),
    /// `MessagePull`.
    MessagePull(Box<MessagePull>),
    /// `NetworkBridgeFilter`.
    NetworkBridgeFilter(Box<NetworkBridgeFilter>),
    /// `PartialCommand`.
    PartialCommand(PartialCommand),
    /// `ProducerAck`.
    ProducerAck(Box<ProducerAck>),
    /// `ProducerId`.
    ProducerId(ProducerId),
    /// `ProducerInfo`.
    ProducerInfo(Box<ProducerInfo>),
    /// `RemoveInfo`.
    RemoveInfo(Box<RemoveInfo>),
    /// `RemoveSubscriptionInfo`.
    RemoveSubscriptionInfo(Box<RemoveSubscriptionInfo>),
    /// `ReplayCommand`.
    ReplayCommand(Box<ReplayCommand>),
    /// `Response`.
    Response(Box<Response>),
    /// `SessionId`.
    SessionId(SessionId),
    /// `SessionInfo`.
    SessionInfo(Box<SessionInfo>),
    /// `ShutdownInfo`.
    ShutdownInfo(ShutdownInfo),
    /// `SubscriptionInfo`.
    SubscriptionInfo(Box<SubscriptionInfo>),
    /// `TransactionInfo`.
    TransactionInfo(Box<TransactionInfo>),
    /// `WireFormatInfo`.
    WireFormatInfo(Box<WireFormatInfo>),
    /// `XATransactionId`.
    XaTransactionId(XaTransactionId),
}

impl Structure for Command {
    fn read(reader: &mut Reader<'_>, code: u8) -> Result<Self, Fault> {
        Ok(match code {
            23..=29 => Self::Message(Structure::read(reader, code)?),
            100..=103 => Self::Destination(Structure::read(reader, code)?),
            BrokerId::CODE => Self::BrokerId(Structure::read(reader, code)?),
            BrokerInfo::CODE => Self::BrokerInfo(Structure::read(reader, code)?),
            BrokerSubscriptionInfo::CODE => Self::BrokerSubscriptionInfo(Structure::read(reader, code)?),
            ConnectionControl::CODE => Self::ConnectionControl(Structure::read(reader, code)?),
            ConnectionError::CODE => Self::ConnectionError(Structure::read(reader, code)?),
            ConnectionId::CODE => Self::ConnectionId(Structure::read(reader, code)?),
            ConnectionInfo::CODE => Self::ConnectionInfo(Structure::read(reader, code)?),
            ConsumerControl::CODE => Self::ConsumerControl(Structure::read(reader, code)?),
            ConsumerId::CODE => Self::ConsumerId(Structure::read(reader, code)?),
            ConsumerInfo::CODE => Self::ConsumerInfo(Structure::read(reader, code)?),
            ControlCommand::CODE => Self::ControlCommand(Structure::read(reader, code)?),
            DataArrayResponse::CODE => Self::DataArrayResponse(Structure::read(reader, code)?),
            DataResponse::CODE => Self::DataResponse(Structure::read(reader, code)?),
            DestinationInfo::CODE => Self::DestinationInfo(Structure::read(reader, code)?),
            DiscoveryEvent::CODE => Self::DiscoveryEvent(Structure::read(reader, code)?),
            ExceptionResponse::CODE => Self::ExceptionResponse(Structure::read(reader, code)?),
            FlushCommand::CODE => Self::FlushCommand(Structure::read(reader, code)?),
            IntegerResponse::CODE => Self::IntegerResponse(Structure::read(reader, code)?),
            JournalQueueAck::CODE => Self::JournalQueueAck(Structure::read(reader, code)?),
            JournalTopicAck::CODE => Self::JournalTopicAck(Structure::read(reader, code)?),
            JournalTrace::CODE => Self::JournalTrace(Structure::read(reader, code)?),
            JournalTransaction::CODE => Self::JournalTransaction(Structure::read(reader, code)?),
            KeepAliveInfo::CODE => Self::KeepAliveInfo(Structure::read(reader, code)?),
            LastPartialCommand::CODE => Self::LastPartialCommand(Structure::read(reader, code)?),
            LocalTransactionId::CODE => Self::LocalTransactionId(Structure::read(reader, code)?),
            MessageAck::CODE => Self::MessageAck(Structure::read(reader, code)?),
            MessageDispatch::CODE => Self::MessageDispatch(Structure::read(reader, code)?),
            MessageDispatchNotification::CODE => {
                Self::MessageDispatchNotification(Structure::read(reader, code)?)
            }
            MessageId::CODE => Self::MessageId(Structure::read(reader, code)?),
            MessagePull::CODE => Self::MessagePull(Structure::read(reader, code)?),
            NetworkBridgeFilter::CODE => Self::NetworkBridgeFilter(Structure::read(reader, code)?),
            PartialCommand::CODE => Self::PartialCommand(Structure::read(reader, code)?),
            ProducerAck::CODE => Self::ProducerAck(Structure::read(reader, code)?),
            ProducerId::CODE => Self::ProducerId(Structure::read(reader, code)?),
            ProducerInfo::CODE => Self::ProducerInfo(Structure::read(reader, code)?),
            RemoveInfo::CODE => Self::RemoveInfo(Structure::read(reader, code)?),
            RemoveSubscriptionInfo::CODE => Self::RemoveSubscriptionInfo(Structure::read(reader, code)?),
            ReplayCommand::CODE => Self::ReplayCommand(Structure::read(reader, code)?),
            Response::CODE => Self::Response(Structure::read(reader, code)?),
            SessionId::CODE => Self::SessionId(Structure::read(reader, code)?),
            SessionInfo::CODE => Self::SessionInfo(Structure::read(reader, code)?),
            ShutdownInfo::CODE => Self::ShutdownInfo(Structure::read(reader, code)?),
            SubscriptionInfo::CODE => Self::SubscriptionInfo(Structure::read(reader, code)?),
            TransactionInfo::CODE => Self::TransactionInfo(Structure::read(reader, code)?),
            WireFormatInfo::CODE => Self::WireFormatInfo(Structure::read(reader, code)?),
            XaTransactionId::CODE => Self::XaTransactionId(Structure::read(reader, code)?),
            _ => return Err(reader.fault("there is no such type")),
        })
    }

    fn code(&self) -> u8 {
        match self {
            Self::Message(value) => value.code(),
            Self::Destination(value) => value.code(),
            Self::BrokerId(_) => BrokerId::CODE,
            Self::BrokerInfo(_) => BrokerInfo::CODE,
            Self::BrokerSubscriptionInfo(_) => BrokerSubscriptionInfo::CODE,
            Self::ConnectionControl(_) => ConnectionControl::CODE,
            Self::ConnectionError(_) => ConnectionError::CODE,
            Self::ConnectionId(_) => ConnectionId::CODE,
            Self::ConnectionInfo(_) => ConnectionInfo::CODE,
            Self::ConsumerControl(_) => ConsumerControl::CODE,
            Self::ConsumerId(_) => ConsumerId::CODE,
            Self::ConsumerInfo(_) => ConsumerInfo::CODE,
            Self::ControlCommand(_) => ControlCommand::CODE,
            Self::DataArrayResponse(_) => DataArrayResponse::CODE,
            Self::DataResponse(_) => DataResponse::CODE,
            Self::DestinationInfo(_) => DestinationInfo::CODE,
            Self::DiscoveryEvent(_) => DiscoveryEvent::CODE,
            Self::ExceptionResponse(_) => ExceptionResponse::CODE,
            Self::FlushCommand(_) => FlushCommand::CODE,
            Self::IntegerResponse(_) => IntegerResponse::CODE,
            Self::JournalQueueAck(_) => JournalQueueAck::CODE,
            Self::JournalTopicAck(_) => JournalTopicAck::CODE,
            Self::JournalTrace(_) => JournalTrace::CODE,
            Self::JournalTransaction(_) => JournalTransaction::CODE,
            Self::KeepAliveInfo(_) => KeepAliveInfo::CODE,
            Self::LastPartialCommand(_) => LastPartialCommand::CODE,
            Self::LocalTransactionId(_) => LocalTransactionId::CODE,
            Self::MessageAck(_) => MessageAck::CODE,
            Self::MessageDispatch(_) => MessageDispatch::CODE,
            Self::MessageDispatchNotification(_) => MessageDispatchNotification::CODE,
            Self::MessageId(_) => MessageId::CODE,
            Self::MessagePull(_) => MessagePull::CODE,
            Self::NetworkBridgeFilter(_) => NetworkBridgeFilter::CODE,
            Self::PartialCommand(_) => PartialCommand::CODE,
            Self::ProducerAck(_) => ProducerAck::CODE,
            Self::ProducerId(_) => ProducerId::CODE,
            Self::ProducerInfo(_) => ProducerInfo::CODE,
            Self::RemoveInfo(_) => RemoveInfo::CODE,
            Self::RemoveSubscriptionInfo(_) => RemoveSubscriptionInfo::CODE,
            Self::ReplayCommand(_) => ReplayCommand::CODE,
            Self::Response(_) => Response::CODE,
            Self::SessionId(_) => SessionId::CODE,
            Self::SessionInfo(_) => SessionInfo::CODE,
            Self::ShutdownInfo(_) => ShutdownInfo::CODE,
            Self::SubscriptionInfo(_) => SubscriptionInfo::CODE,
            Self::TransactionInfo(_) => TransactionInfo::CODE,
            Self::WireFormatInfo(_) => WireFormatInfo::CODE,
            Self::XaTransactionId(_) => XaTransactionId::CODE,
        }
    }

    fn write(&self, writer: &mut Writer<'_>) {
        match self {
            Self::Message(value) => value.write(writer),
            Self::Destination(value) => value.write(writer),
            Self::BrokerId(value) => value.write(writer),
            Self::BrokerInfo(value) => value.write(writer),
            Self::BrokerSubscriptionInfo(value) => value.write(writer),
            Self::ConnectionControl(value) => value.write(writer),
            Self::ConnectionError(value) => value.write(writer),
            Self::ConnectionId(value) => value.write(writer),
            Self::ConnectionInfo(value) => value.write(writer),
            Self::ConsumerControl(value) => value.write(writer),
            Self::ConsumerId(value) => value.write(writer),
            Self::ConsumerInfo(value) => value.write(writer),
            Self::ControlCommand(value) => value.write(writer),
            Self::DataArrayResponse(value) => value.write(writer),
            Self::DataResponse(value) => value.write(writer),
            Self::DestinationInfo(value) => value.write(writer),
            Self::DiscoveryEvent(value) => value.write(writer),
            Self::ExceptionResponse(value) => value.write(writer),
            Self::FlushCommand(value) => value.write(writer),
            Self::IntegerResponse(value) => value.write(writer),
            Self::JournalQueueAck(value) => value.write(writer),
            Self::JournalTopicAck(value) => value.write(writer),
            Self::JournalTrace(value) => value.write(writer),
            Self::JournalTransaction(value) => value.write(writer),
            Self::KeepAliveInfo(value) => value.write(writer),
            Self::LastPartialCommand(value) => value.write(writer),
            Self::LocalTransactionId(value) => value.write(writer),
            Self::MessageAck(value) => value.write(writer),
            Self::MessageDispatch(value) => value.write(writer),
            Self::MessageDispatchNotification(value) => value.write(writer),
            Self::MessageId(value) => value.write(writer),
            Self::MessagePull(value) => value.write(writer),
            Self::NetworkBridgeFilter(value) => value.write(writer),
            Self::PartialCommand(value) => value.write(writer),
            Self::ProducerAck(value) => value.write(writer),
            Self::ProducerId(value) => value.write(writer),
            Self::ProducerInfo(value) => value.write(writer),
            Self::RemoveInfo(value) => value.write(writer),
            Self::RemoveSubscriptionInfo(value) => value.write(writer),
            Self::ReplayCommand(value) => value.write(writer),
            Self::Response(value) => value.write(writer),
            Self::SessionId(value) => value.write(writer),
            Self::SessionInfo(value) => value.write(writer),
            Self::ShutdownInfo(value) => value.write(writer),
            Self::SubscriptionInfo(value) => value.write(writer),
            Self::TransactionInfo(value) => value.write(writer),
            Self::WireFormatInfo(value) => value.write(writer),
            Self::XaTransactionId(value) => value.write(writer),
        }
    }

    fn to_cached(&self) -> Option<super::super::cache::Cached> {
        super::super::cache::Cached::of(self)
    }

    fn of_command(command: Self) -> Option<Self> {
        Some(command)
    }
}
