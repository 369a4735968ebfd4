//! Messages. Made by `cargo xtask openwire` from `openwire.json`: change that.

use super::super::fault::Fault;
use super::super::reader::Reader;
use super::super::writer::Writer;
use super::*;

/// A message of any kind.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Message {
    /// What its content is.
    pub kind: MessageKind,
    /// `commandId`: sequence number set by the sender; a Response carries it back as correlationId.
    pub command_id: i32,
    /// `responseRequired`: true: the receiver answers with a Response (or sub-type) whose correlationId is this commandId.
    pub response_required: bool,
    /// `producerId`.
    pub producer_id: Option<ProducerId>,
    /// `destination`.
    pub destination: Option<Destination>,
    /// `transactionId`.
    pub transaction_id: Option<TransactionId>,
    /// `originalDestination`.
    pub original_destination: Option<Destination>,
    /// `messageId`.
    pub message_id: Option<MessageId>,
    /// `originalTransactionId`.
    pub original_transaction_id: Option<TransactionId>,
    /// `groupID`.
    pub group_id: Option<JavaText>,
    /// `groupSequence`.
    pub group_sequence: i32,
    /// `correlationId`.
    pub correlation_id: Option<JavaText>,
    /// `persistent`.
    pub persistent: bool,
    /// `expiration`.
    pub expiration: i64,
    /// `priority`.
    pub priority: i8,
    /// `replyTo`.
    pub reply_to: Option<Destination>,
    /// `timestamp`.
    pub timestamp: i64,
    /// `type`.
    pub jms_type: Option<JavaText>,
    /// `content`: body bytes; layout depends on the concrete message type; deflated when compressed is true.
    pub content: Option<Bytes>,
    /// `marshalledProperties`: primitive map of the application properties, or null when there are none.
    pub marshalled_properties: Option<Bytes>,
    /// `dataStructure`.
    pub data_structure: Option<Box<Command>>,
    /// `targetConsumerId`.
    pub target_consumer_id: Option<ConsumerId>,
    /// `compressed`.
    pub compressed: bool,
    /// `redeliveryCounter`.
    pub redelivery_counter: i32,
    /// `brokerPath`.
    pub broker_path: Option<Vec<BrokerId>>,
    /// `arrival`.
    pub arrival: i64,
    /// `userID`.
    pub user_id: Option<JavaText>,
    /// `recievedByDFBridge`.
    pub received_by_df_bridge: bool,
    /// `droppable`.
    pub droppable: bool,
    /// `cluster`.
    pub cluster: Option<Vec<BrokerId>>,
    /// `brokerInTime`.
    pub broker_in_time: i64,
    /// `brokerOutTime`.
    pub broker_out_time: i64,
    /// `jmsxGroupFirstForConsumer`.
    pub jmsx_group_first_for_consumer: bool,
    /// `remoteBlobUrl`.
    pub remote_blob_url: Option<JavaText>,
    /// `mimeType`.
    pub mime_type: Option<JavaText>,
    /// `deletedByBroker`.
    pub deleted_by_broker: bool,
}

impl Message {
    pub(crate) fn read_fields(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        self.command_id = reader.int()?;
        self.response_required = reader.bool()?;
        self.producer_id = reader.cached()?;
        self.destination = reader.cached()?;
        self.transaction_id = reader.cached()?;
        self.original_destination = reader.cached()?;
        self.message_id = reader.nested()?;
        self.original_transaction_id = reader.cached()?;
        self.group_id = reader.string()?;
        self.group_sequence = reader.int()?;
        self.correlation_id = reader.string()?;
        self.persistent = reader.bool()?;
        self.expiration = reader.long()?;
        self.priority = reader.byte()?;
        self.reply_to = reader.nested()?;
        self.timestamp = reader.long()?;
        self.jms_type = reader.string()?;
        self.content = reader.bytes()?;
        self.marshalled_properties = reader.bytes()?;
        self.data_structure = reader.nested()?;
        self.target_consumer_id = reader.cached()?;
        self.compressed = reader.bool()?;
        self.redelivery_counter = reader.int()?;
        self.broker_path = reader.array()?;
        self.arrival = reader.long()?;
        self.user_id = reader.string()?;
        self.received_by_df_bridge = reader.bool()?;
        if reader.version() >= 2 {
            self.droppable = reader.bool()?;
        }
        if reader.version() >= 3 {
            self.cluster = reader.array()?;
            self.broker_in_time = reader.long()?;
            self.broker_out_time = reader.long()?;
        }
        if reader.version() >= 10 {
            self.jmsx_group_first_for_consumer = reader.bool()?;
        }
        Ok(())
    }

    pub(crate) fn write_fields(&self, writer: &mut Writer<'_>) {
        writer.int(self.command_id);
        writer.bool(self.response_required);
        writer.cached(self.producer_id.as_ref());
        writer.cached(self.destination.as_ref());
        writer.cached(self.transaction_id.as_ref());
        writer.cached(self.original_destination.as_ref());
        writer.nested(self.message_id.as_ref());
        writer.cached(self.original_transaction_id.as_ref());
        writer.string(self.group_id.as_ref());
        writer.int(self.group_sequence);
        writer.string(self.correlation_id.as_ref());
        writer.bool(self.persistent);
        writer.long(self.expiration);
        writer.byte(self.priority);
        writer.nested(self.reply_to.as_ref());
        writer.long(self.timestamp);
        writer.string(self.jms_type.as_ref());
        writer.bytes(self.content.as_ref());
        writer.bytes(self.marshalled_properties.as_ref());
        writer.nested(self.data_structure.as_ref());
        writer.cached(self.target_consumer_id.as_ref());
        writer.bool(self.compressed);
        writer.int(self.redelivery_counter);
        writer.array(self.broker_path.as_ref());
        writer.long(self.arrival);
        writer.string(self.user_id.as_ref());
        writer.bool(self.received_by_df_bridge);
        if writer.version() >= 2 {
            writer.bool(self.droppable);
        }
        if writer.version() >= 3 {
            writer.array(self.cluster.as_ref());
            writer.long(self.broker_in_time);
            writer.long(self.broker_out_time);
        }
        if writer.version() >= 10 {
            writer.bool(self.jmsx_group_first_for_consumer);
        }
    }
}
