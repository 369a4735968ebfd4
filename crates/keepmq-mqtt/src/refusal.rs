//! How MQTT 3.1 and 3.1.1 say no.
//!
//! These versions know a no to CONNECT and, since 3.1.1, to a topic filter. To a message there is none: the connection is
//! closed, so that the client sends again what was not acknowledged, or learns at last that it may not [MQTT-3.3.5-2].

use keepmq_model::RefusalKind;

use crate::codec::ConnectCode;
use crate::limits::RefusedPublish;

/// What follows a refused request on a connection that is logged in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Consequence {
    /// The connection is closed.
    Close,
    /// The request is answered with a no: 0x80 for a topic filter.
    Answer,
    /// Nothing is said.
    Drop,
    /// What the request wanted gone is gone.
    Done,
}

/// What a kind of refusal is to each request.
pub(crate) struct Row {
    /// To a CONNECT.
    pub(crate) connect: ConnectCode,
    /// To a PUBLISH.
    pub(crate) publish: Consequence,
    /// To a filter of a SUBSCRIBE. A version 3.1 client is told 0x80 too: better a code that it doesn't know than a yes
    /// that isn't true.
    pub(crate) subscribe: Consequence,
    /// To an UNSUBSCRIBE or the removal of a session. A client that believes itself rid of something that goes on is worse
    /// off than one without a connection.
    pub(crate) remove: Consequence,
}

/// The table.
#[expect(clippy::match_same_arms, reason = "a row for each kind, so that each is thought of")]
pub(crate) fn row(kind: RefusalKind, refused_publish: RefusedPublish) -> Row {
    use Consequence::{Answer, Close, Done, Drop};
    let forbidden = match refused_publish {
        RefusedPublish::Close => Close,
        RefusedPublish::AcknowledgeAndDrop => Drop,
    };
    let (connect, publish, subscribe, remove) = match kind {
        RefusalKind::Malformed => (ConnectCode::IdentifierRejected, Close, Close, Close),
        RefusalKind::TooLarge => (ConnectCode::IdentifierRejected, Close, Answer, Close),
        RefusalKind::Unauthenticated => (ConnectCode::BadUserOrPassword, Close, Close, Close),
        RefusalKind::Forbidden => (ConnectCode::Forbidden, forbidden, Answer, Close),
        RefusalKind::NotFound => (ConnectCode::Forbidden, Close, Answer, Done),
        RefusalKind::Conflict => (ConnectCode::IdentifierRejected, Close, Answer, Close),
        RefusalKind::Busy => (ConnectCode::ServerUnavailable, Close, Answer, Close),
        RefusalKind::Unavailable => (ConnectCode::ServerUnavailable, Close, Answer, Close),
        RefusalKind::Unsupported => (ConnectCode::Forbidden, Close, Answer, Close),
        // No request of MQTT has a selector.
        RefusalKind::InvalidSelector => (ConnectCode::Forbidden, Close, Answer, Close),
        // It has no transactions either.
        RefusalKind::RolledBack => (ConnectCode::Forbidden, Close, Answer, Close),
        RefusalKind::Internal => (ConnectCode::ServerUnavailable, Close, Close, Close),
    };
    Row { connect, publish, subscribe, remove }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_login_is_never_accepted() {
        for kind in RefusalKind::ALL {
            assert_ne!(row(kind, RefusedPublish::Close).connect, ConnectCode::Accepted);
        }
    }

    #[test]
    fn wrong_password_and_missing_right_are_told_apart() {
        let code = |kind| row(kind, RefusedPublish::Close).connect;
        assert_eq!(code(RefusalKind::Unauthenticated), ConnectCode::BadUserOrPassword);
        assert_eq!(code(RefusalKind::Forbidden), ConnectCode::Forbidden);
        assert_eq!(code(RefusalKind::Conflict), ConnectCode::IdentifierRejected);
        assert_eq!(code(RefusalKind::Busy), ConnectCode::ServerUnavailable);
    }

    /// A message that was thrown away is never acknowledged by surprise, and only a missing right may be made silent.
    #[test]
    fn a_refused_message_closes_the_connection() {
        for kind in RefusalKind::ALL {
            assert_eq!(row(kind, RefusedPublish::Close).publish, Consequence::Close);
            let silent = row(kind, RefusedPublish::AcknowledgeAndDrop).publish;
            assert_eq!(silent == Consequence::Drop, kind == RefusalKind::Forbidden, "{kind:?}");
        }
    }

    #[test]
    fn what_is_fatal_everywhere_is_fatal_here() {
        for kind in RefusalKind::ALL.into_iter().filter(|kind| kind.is_fatal()) {
            let row = row(kind, RefusedPublish::AcknowledgeAndDrop);
            assert_eq!([row.publish, row.subscribe, row.remove], [Consequence::Close; 3], "{kind:?}");
        }
    }

    #[test]
    fn removing_what_is_not_there_is_done() {
        let done = |kind| row(kind, RefusedPublish::Close).remove == Consequence::Done;
        assert!(RefusalKind::ALL.into_iter().all(|kind| done(kind) == (kind == RefusalKind::NotFound)));
    }
}
