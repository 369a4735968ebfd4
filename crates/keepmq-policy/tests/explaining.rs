//! What a decision says of itself: to the client, to the audit log and to `explain`.
#![allow(clippy::unwrap_used)]

use std::sync::{Arc, Mutex};

use keepmq_model::{DecisionId, Destination, Kind, Pattern, Principal};
use keepmq_policy::{
    Admin, Audit, AuditEvent, DecisionRecord, Denial, Entry, Grants, Map, Policy, Read, Reader, Right, Rule,
    Write, decide, decide_pattern, judge,
};

fn to(group: &str) -> Grants {
    Grants { read: vec![group.into()], ..Grants::default() }
}

fn entry(pattern: &str, grants: Grants, line: u32) -> Entry {
    let place = format!("keepmq.toml:{line}").into();
    Entry { kind: Kind::Queue, pattern: Pattern::new(pattern).unwrap(), grants, place }
}

fn who() -> Arc<Principal> {
    Arc::new(Principal::new("alice", ["staff"]))
}

fn policy(entries: Vec<Entry>, default: Option<Grants>, temporary: Option<Grants>) -> Arc<Policy> {
    Arc::new(Policy { epoch: 3, map: Map::new(entries, default, temporary) })
}

fn rule(policy: &Policy, kind: Kind, name: &str) -> String {
    judge(policy, &who(), Right::Read, kind, name).rule.to_string()
}

#[test]
fn each_rule_says_what_decided_and_where_it_is_written() {
    let entries =
        || vec![entry("A.>", to("staff"), 11), entry("B", to("others"), 12), entry("*", to("x"), 13)];
    let plain = policy(entries(), None, None);
    assert_eq!(rule(&plain, Kind::Queue, "A.B"), "granted by the entry at keepmq.toml:11");
    assert_eq!(rule(&plain, Kind::Queue, "C.D"), "no entry of the map applies");
    let denied = rule(&plain, Kind::Queue, "B");
    assert!(denied.starts_with("not granted by the entries that apply: "), "{denied}");
    assert!(denied.contains("keepmq.toml:12") && denied.contains("keepmq.toml:13"), "{denied}");
    assert_eq!(
        rule(&plain, Kind::TempTopic, "t"),
        "granted: the map has no entry for temporary destinations"
    );
    let full = policy(entries(), Some(to("staff")), Some(to("staff")));
    assert_eq!(rule(&full, Kind::Queue, "B"), "granted by the map's default entry");
    assert_eq!(rule(&full, Kind::TempQueue, "t"), "ruled by the map's entry for temporary destinations");
}

#[test]
fn a_denial_speaks_as_activemq_does() {
    let (policy, who) = (policy(Vec::new(), None, Some(to("nobody"))), who());
    let text = |denial: Denial| denial.to_string();
    let queue = Destination::queue("A.B").unwrap();
    let topic = Destination::topic("A").unwrap();
    let temporary = Destination::new(Kind::TempQueue, "t:1").unwrap();
    assert_eq!(
        text(decide::<Read>(&policy, &who, &queue).unwrap_err()),
        "User alice is not authorized to read from: queue://A.B"
    );
    assert_eq!(
        text(decide::<Write>(&policy, &who, &topic).unwrap_err()),
        "User alice is not authorized to write to: topic://A"
    );
    assert_eq!(
        text(decide::<Admin>(&policy, &who, &temporary).unwrap_err()),
        "User alice is not authorized to create: temp-queue://t:1"
    );
}

#[test]
fn a_denied_pattern_is_named_as_it_was_asked_for() {
    let policy = policy(vec![entry("A", to("staff"), 1)], None, None);
    let denial = decide_pattern(&policy, &who(), Kind::Queue, &Pattern::new("A.>").unwrap()).unwrap_err();
    assert_eq!((&*denial.name, denial.right, denial.epoch), ("A.>", Right::Read, 3));
    assert_eq!(denial.rule, Rule::NoEntry);
}

#[test]
fn permits_and_readers_know_their_epoch() {
    let policy = policy(vec![entry(">", to("staff"), 1)], None, None);
    let queue = Destination::queue("A").unwrap();
    let permit = decide::<Read>(&policy, &who(), &queue).unwrap();
    assert_eq!((permit.epoch(), permit.destination()), (3, &queue));
    assert_eq!(format!("{permit:?}"), "Permit(read queue://A @3)");
    let reader = Reader::new(Arc::clone(&policy), who());
    assert_eq!((reader.epoch(), &*reader.who().name), (3, "alice"));
}

#[test]
fn a_right_on_one_destination_says_nothing_of_another_right_or_destination() {
    let policy = policy(vec![entry("A", to("staff"), 1)], None, None);
    for (name, right, allowed) in [
        ("A", Right::Read, true),
        ("A", Right::Write, false),
        ("A", Right::Admin, false),
        ("a", Right::Read, false),
        ("A.B", Right::Read, false),
        ("A.", Right::Read, false),
        (".A", Right::Read, false),
    ] {
        assert_eq!(judge(&policy, &who(), right, Kind::Queue, name).allowed, allowed, "{right:?} {name}");
    }
}

#[test]
fn an_audit_passes_each_event_on_as_it_is() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&seen);
    let audit = Audit::new(move |event| kept.lock().unwrap().push(event));
    let denial = decide::<Read>(&policy(Vec::new(), None, None), &who(), &Destination::queue("A").unwrap());
    let id = DecisionId { epoch: 1, number: 2 };
    let record = DecisionRecord {
        id,
        connection: 5,
        peer: "192.0.2.1:9".into(),
        listener: "stomp".into(),
        denial: denial.unwrap_err(),
    };
    audit.record(AuditEvent::Denied(record));
    audit.clone().record(AuditEvent::Stopped);
    let seen = seen.lock().unwrap();
    let [AuditEvent::Denied(record), AuditEvent::Stopped] = &seen[..] else { panic!("{seen:?}") };
    assert_eq!((record.id, record.connection, &*record.denial.name), (id, 5, "A"));
}
