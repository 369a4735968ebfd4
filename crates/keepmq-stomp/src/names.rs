//! Names of headers that belong to the broker or to the connection, and never to the user.

/// Whether a header of a SEND frame is for the broker, and not one of the message's own. Those of them that matter are
/// read into the envelope; none of them is stored.
pub(crate) fn is_brokers(name: &str) -> bool {
    matches!(
        name.as_bytes().trim_ascii(),
        b"destination"
            | b"content-length"
            | b"receipt"
            | b"transaction"
            | b"persistent"
            | b"priority"
            | b"expires"
            | b"timestamp"
            | b"subscription"
            | b"ack"
            | b"redelivered"
            | b"redelivery-count"
            | b"JMSXUserID"
            | b"JMSXGroupID"
            | b"JMSXGroupSeq"
            | b"original-destination"
            | b"dlqDeliveryFailureCause"
            | b"originalExpiration"
            | b"browser"
            | b"receipt-id"
            | b"login"
            | b"passcode"
            | b"AMQ_SCHEDULED_DELAY"
            | b"AMQ_SCHEDULED_PERIOD"
            | b"AMQ_SCHEDULED_REPEAT"
            | b"AMQ_SCHEDULED_CRON"
    )
}

/// Whether a stored header must not stand on a MESSAGE frame. `message-id` is the sender's own and is kept for other
/// protocols; on the frame it is the broker's.
pub(crate) fn is_hidden(name: &str) -> bool {
    is_brokers(name) || name.trim_ascii() == "message-id"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_do_not_make_a_name_the_users() {
        assert!(is_hidden("message-id") && is_hidden(" message-id ") && !is_brokers("message-id"));
        assert!(is_hidden("\tdestination") && is_hidden("ack\r"));
        assert!(!is_hidden("Destination") && !is_hidden("reply-to") && !is_hidden(""));
    }
}
