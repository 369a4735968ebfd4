//! How a message is stored.
use crate::codec::{Message, decode_stored, encode_stored};
use keepmq_model::{Native, Protocol};
pub(crate) fn store(mut message: Message) -> Native {
    let body = message.content.take();
    message.command_id = 0;
    message.response_required = false;
    let mut head = bytes::BytesMut::new();
    bytes::BufMut::put_u8(&mut head, u8::from(body.is_some()));
    bytes::BufMut::put_slice(&mut head, &encode_stored(&message));
    Native {
        protocol: Protocol::OpenWire,
        layout: 1,
        head: head.freeze(),
        body: body.map(|b| bytes::Bytes::copy_from_slice(&b)).unwrap_or_default(),
    }
}
pub(crate) fn load(native: &Native) -> Option<Message> {
    let first = *native.head.first()?;
    let mut message = decode_stored(&native.head.slice(1..))?;
    if first != 0 {
        message.content = Some(native.body.clone());
    }
    Some(message)
}
