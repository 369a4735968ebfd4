//! How an event looks in the log.

use std::time::{Duration, UNIX_EPOCH};

use aws_lc_rs::digest::{SHA256, digest};
use keepmq_core::{AuditEvent, DecisionRecord};
use serde_json::{Map, Value, json};

/// The hash that stands before the first line.
pub(super) const FIRST: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The hash of a line, in hexadecimal.
pub(super) fn hash(line: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(64);
    for byte in digest(&SHA256, line).as_ref() {
        // Writing to a string can't fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// An event as a line, without its end. JSON escapes whatever a peer put into a name.
pub(super) fn render(number: u64, unix_ms: u64, event: &AuditEvent, previous: &str) -> String {
    let mut fields = Map::new();
    fields.insert("n".into(), number.into());
    let time = humantime::format_rfc3339_millis(UNIX_EPOCH + Duration::from_millis(unix_ms));
    fields.insert("time".into(), time.to_string().into());
    if let Value::Object(of_event) = facts(event) {
        fields.extend(of_event);
    }
    fields.insert("previous".into(), previous.into());
    Value::Object(fields).to_string()
}

fn facts(event: &AuditEvent) -> Value {
    match event {
        AuditEvent::Denied(record) => denied(record),
        AuditEvent::LoggedIn { connection, peer, listener, user, by } => json!({
            "event": "logged-in", "connection": connection, "peer": &**peer, "listener": &**listener,
            "user": &**user, "by": by,
        }),
        AuditEvent::LoginRefused { id, connection, peer, listener, user, why } => json!({
            "event": "login-refused", "decision": id.to_string(), "connection": connection, "peer": &**peer,
            "listener": &**listener, "user": &**user, "why": why,
        }),
        AuditEvent::Rejected { peer, listener, why } => {
            json!({ "event": "rejected", "peer": &**peer, "listener": &**listener, "why": &**why })
        }
        AuditEvent::Started { epoch } => json!({ "event": "started", "epoch": epoch }),
        AuditEvent::Reloaded { epoch, what } => {
            json!({ "event": "reloaded", "epoch": epoch, "what": &**what })
        }
        AuditEvent::Stopped => json!({ "event": "stopped" }),
    }
}

fn denied(record: &DecisionRecord) -> Value {
    let denial = &record.denial;
    let groups: Vec<&str> = denial.who.groups.iter().map(|group| &**group).collect();
    json!({
        "event": "denied", "decision": record.id.to_string(), "connection": record.connection,
        "peer": &*record.peer, "listener": &*record.listener, "user": &*denial.who.name, "groups": groups,
        "right": denial.right.name(), "destination": format!("{}{}", denial.kind.scheme(), denial.name),
        "rule": denial.rule.to_string(), "epoch": denial.epoch,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use keepmq_model::DecisionId;

    fn rendered(event: &AuditEvent) -> Value {
        serde_json::from_str(&render(7, 1_700_000_000_000, event, FIRST)).unwrap()
    }

    #[test]
    fn each_event_names_what_happened_and_to_whom() {
        let (peer, listener, user) = ("10.1.2.3:4", "stomp", "alice");
        let logged_in = rendered(&AuditEvent::LoggedIn {
            connection: 5,
            peer: peer.into(),
            listener: listener.into(),
            user: user.into(),
            by: "users",
        });
        let refused = rendered(&AuditEvent::LoginRefused {
            id: DecisionId { epoch: 1, number: 2 },
            connection: 6,
            peer: peer.into(),
            listener: listener.into(),
            user: user.into(),
            why: "wrong password",
        });
        for (line, event) in [(&logged_in, "logged-in"), (&refused, "login-refused")] {
            assert_eq!(line["event"], event);
            assert_eq!((&line["peer"], &line["listener"]), (&json!(peer), &json!(listener)));
            assert_eq!((&line["user"], &line["n"]), (&json!(user), &json!(7)));
        }
        assert_eq!((&logged_in["by"], &logged_in["connection"]), (&json!("users"), &json!(5)));
        assert_eq!((&refused["decision"], &refused["why"]), (&json!("D-1-2"), &json!("wrong password")));
    }

    #[test]
    fn events_of_the_broker_itself_are_told_apart() {
        let rejected = AuditEvent::Rejected {
            peer: "203.0.113.9:1".into(),
            listener: "mqtt".into(),
            why: "no ingress rule allows it".into(),
        };
        assert_eq!(rendered(&rejected)["why"], "no ingress rule allows it");
        assert_eq!(rendered(&AuditEvent::Started { epoch: 4 })["epoch"], 4);
        let reloaded = rendered(&AuditEvent::Reloaded { epoch: 5, what: "users".into() });
        assert_eq!((&reloaded["event"], &reloaded["what"]), (&json!("reloaded"), &json!("users")));
        assert_eq!(rendered(&AuditEvent::Stopped)["event"], "stopped");
    }

    #[test]
    fn the_hash_is_sha_256() {
        // FIPS 180-2, appendix B.1.
        assert_eq!(hash(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
