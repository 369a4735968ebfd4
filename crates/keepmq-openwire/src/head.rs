//! How a message is stored.
//!
//! # Layout 1
//!
//! `head`: one byte, 1 when there is a content; then the message's type and fields in the loose encoding of version 12, without
//! what belongs to the connection that it came by and without its content. `body` is the content as it came.

use bytes::{BufMut, Bytes, BytesMut};
use keepmq_model::{Native, Protocol};

use crate::codec::{Message, decode_stored, encode_stored};

/// The layout that is written.
const LAYOUT: u8 = 1;

/// A content below this is copied: it is a part of the buffer that its connection is read into, all of which it would keep.
const OWN_BELOW: usize = 8 * 1024;

/// A message in the form that is stored.
pub(crate) fn store(mut message: Message) -> Native {
    let content = message.content.take();
    // The consumer's connection has its own of these; what a transaction was called is nobody's business any more.
    message.command_id = 0;
    message.response_required = false;
    message.transaction_id = None;
    message.target_consumer_id = None;
    message.broker_path = None;
    message.cluster = None;
    let fields = encode_stored(&message);
    let mut head = BytesMut::with_capacity(1 + fields.len());
    head.put_u8(content.is_some().into());
    head.put_slice(&fields);
    let own = |content: Bytes| {
        if content.len() < OWN_BELOW { Bytes::copy_from_slice(&content) } else { content }
    };
    Native {
        protocol: Protocol::OpenWire,
        layout: LAYOUT,
        head: head.freeze(),
        body: content.map(own).unwrap_or_default(),
    }
}

/// Reads a stored message back; `None` when it is not of this protocol, or of a layout that is not known.
pub(crate) fn load(native: &Native) -> Option<Message> {
    if native.protocol != Protocol::OpenWire || native.layout != LAYOUT {
        return None;
    }
    let has_content = *native.head.first()? != 0;
    let mut message = decode_stored(&native.head.slice(1..))?;
    message.content = has_content.then(|| native.body.clone());
    Some(message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::MessageKind;
    use proptest::prelude::*;

    fn message(content: Option<Bytes>) -> Message {
        Message {
            kind: MessageKind::Text,
            command_id: 7,
            response_required: true,
            correlation_id: Some("c".into()),
            priority: 9,
            content,
            ..Message::default()
        }
    }

    #[test]
    fn a_message_is_read_back_as_it_was_sent_but_for_its_connection() {
        for content in [None, Some(Bytes::new()), Some(Bytes::from(vec![1; 9000]))] {
            let sent = message(content);
            let stored = store(sent.clone());
            assert_eq!(load(&stored), Some(Message { command_id: 0, response_required: false, ..sent }));
        }
    }

    #[test]
    fn long_properties_are_kept() {
        let properties = Some(Bytes::from(vec![1; 100_000]));
        let sent = Message { command_id: 0, response_required: false, ..message(None) };
        let sent = Message { marshalled_properties: properties, user_id: Some("u".into()), ..sent };
        assert_eq!(load(&store(sent.clone())), Some(sent));
    }

    #[test]
    fn a_short_content_does_not_keep_the_buffer_that_it_came_in() {
        let buffer = Bytes::from(vec![5; 64 * 1024]);
        let part = buffer.slice(10..20);
        assert_ne!(store(message(Some(part.clone()))).body.as_ptr(), part.as_ptr());
        let large = buffer.slice(10..10 + OWN_BELOW);
        assert_eq!(store(message(Some(large.clone()))).body.as_ptr(), large.as_ptr());
    }

    proptest! {
        #[test]
        fn any_head_is_read_or_not(head in any::<Vec<u8>>(), layout in 0u8..3) {
            let native = Native { protocol: Protocol::OpenWire, layout, head: head.into(), body: Bytes::new() };
            let _ = load(&native);
        }
    }
}
