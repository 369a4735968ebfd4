//! Every way to say no, as the exceptions that Java clients make again by the names of their classes
//! (openwire-broker-behaviour.md, section 2).

use keepmq_model::{Refusal, RefusalKind};

use crate::codec::Throwable;

/// A client makes this one a `JMSSecurityException`.
const SECURITY: &str = "java.lang.SecurityException";
const JMS: &str = "javax.jms.JMSException";
const CLIENT_ID: &str = "javax.jms.InvalidClientIDException";
const DESTINATION: &str = "javax.jms.InvalidDestinationException";
const SELECTOR: &str = "javax.jms.InvalidSelectorException";
const LIMIT: &str = "javax.jms.ResourceAllocationException";
const GONE: &str = "org.apache.activemq.DestinationDoesNotExistException";
const STATE: &str = "java.lang.IllegalStateException";
const ROLLED_BACK: &str = "javax.jms.TransactionRolledBackException";
const XA: &str = "javax.transaction.xa.XAException";

/// What a refusal is about, where that decides what it is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// The login, by this client id.
    Login(Box<str>),
    /// The removal of a durable subscription: of which client, and its name.
    Subscription(Box<str>, Box<str>),
    /// A transaction by its name.
    Transaction(Box<str>),
    /// A message.
    Message,
    /// Anything else.
    Other,
}

/// The exception that tells of a refusal.
pub(crate) fn throwable(refusal: &Refusal, subject: &Subject) -> Throwable {
    use RefusalKind as Kind;
    let text = refusal.to_string();
    match (refusal.kind, subject) {
        (Kind::Unauthenticated | Kind::Forbidden, _) => Throwable::new(SECURITY, &text),
        (Kind::Conflict, Subject::Login(id)) => {
            Throwable::new(CLIENT_ID, &format!("Broker: keepmq - Client: {id} already connected: {text}"))
        }
        (Kind::Malformed, Subject::Login(_)) => Throwable::new(CLIENT_ID, &text),
        (Kind::NotFound, Subject::Subscription(client, name)) => {
            let text = format!(
                "No durable subscription exists for clientID: {client} and subscriptionName: {name} ({text})"
            );
            Throwable::new(DESTINATION, &text)
        }
        (Kind::NotFound, Subject::Transaction(name)) => {
            Throwable::new(JMS, &format!("Transaction '{name}' has not been started."))
        }
        (Kind::RolledBack, _) => Throwable::new(ROLLED_BACK, &text),
        (Kind::NotFound, Subject::Message) => Throwable::new(GONE, &text),
        (Kind::NotFound, _) => Throwable::new(STATE, &text),
        (Kind::InvalidSelector, _) => Throwable::new(SELECTOR, &text),
        (Kind::TooLarge | Kind::Busy | Kind::Unavailable, _) => Throwable::new(LIMIT, &text),
        (Kind::Malformed | Kind::Conflict | Kind::Unsupported | Kind::Internal, _) => {
            Throwable::new(JMS, &text)
        }
    }
}

/// The exception of a transaction manager's request; its client finds the number in the text.
pub(crate) fn xa(text: &str, code: i32) -> Throwable {
    Throwable::new(XA, &format!("{text} xaErrorCode:{code}"))
}

/// A reference to something that was never registered.
pub(crate) fn unknown(text: impl Into<String>) -> Refusal {
    Refusal::new(RefusalKind::NotFound, text.into())
}

/// A request that breaks the protocol.
pub(crate) fn malformed(text: impl Into<String>) -> Refusal {
    Refusal::new(RefusalKind::Malformed, text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(kind: RefusalKind, subject: &Subject) -> String {
        throwable(&Refusal::new(kind, "why"), subject).class.unwrap().to_string()
    }

    #[test]
    fn each_kind_has_a_class_that_clients_know() {
        for kind in RefusalKind::ALL {
            let found = class(kind, &Subject::Other);
            assert!(found.starts_with("java.lang.") || found.starts_with("javax.jms."), "{kind:?}: {found}");
        }
        assert_eq!(class(RefusalKind::Forbidden, &Subject::Message), SECURITY);
        assert_eq!(class(RefusalKind::Conflict, &Subject::Login("id".into())), CLIENT_ID);
        assert_eq!(class(RefusalKind::NotFound, &Subject::Subscription("c".into(), "s".into())), DESTINATION);
        assert_eq!(class(RefusalKind::NotFound, &Subject::Message), GONE);
    }

    #[test]
    fn the_text_names_the_decision() {
        let mut refusal =
            Refusal::new(RefusalKind::Forbidden, "User u is not authorized to write to: queue://q");
        refusal.decision = Some(keepmq_model::DecisionId { epoch: 1, number: 2 });
        let text = throwable(&refusal, &Subject::Message).message.unwrap().to_string();
        assert!(text.ends_with("(decision D-1-2)"), "{text}");
    }

    #[test]
    fn the_number_of_a_transaction_managers_error_is_in_the_text() {
        assert_eq!(xa("no", -4).message.unwrap().to_string(), "no xaErrorCode:-4");
    }
}
