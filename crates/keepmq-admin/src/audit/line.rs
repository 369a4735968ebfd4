//! How an event looks in the log.

use std::time::{Duration, UNIX_EPOCH};

use aws_lc_rs::digest::{SHA256, digest};
use keepmq_policy::{AuditEvent, DecisionRecord};
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
