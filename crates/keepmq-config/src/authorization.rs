//! The authorization map, as ActiveMQ reads it.

use keepmq_model::Kind;
use keepmq_policy::{Entry, Grants, Map, Right};

use crate::findings::{Findings, Span};
use crate::list::{ANY_GROUP, Groups};
use crate::option::At;
use crate::raw::{Raw, numbered};
use crate::sections::EntryOptions;

/// The group that the web console acts with.
pub const CONSOLE_GROUP: &str = "activemq-webconsole";

/// Makes the map and tells of what is probably not meant with it.
pub(crate) fn judge(raw: &Raw, findings: &mut Findings<'_>) -> Map {
    let mut entries = Vec::new();
    for (index, entry) in raw.entries.iter().enumerate() {
        findings.within(numbered("authorization.entry", index), |f| read_entry(entry, &mut entries, f));
    }
    let grants = |read: &Groups, write: &Groups, admin: &Groups| Grants {
        read: read.0.clone(),
        write: write.0.clone(),
        admin: admin.0.clone(),
    };
    let default = raw.default.as_ref().map(|of| grants(&of.read, &of.write, &of.admin));
    let temporary = raw.temporary.as_ref().map(|of| grants(&of.read, &of.write, &of.admin));
    let map = Map::new(entries, default, temporary);
    findings.within("authorization", |findings| {
        if grants_anything(&map) {
            warn_of_console(&map, findings);
        } else {
            let remedy =
                "add [[authorization.entry]] tables; `keepmq quickstart` writes some into a new folder";
            findings.warn(
                "empty-map",
                None,
                "the authorization map is empty: nobody may do anything",
                remedy,
            );
        }
    });
    warn_of_uncreatable(raw, &map, findings);
    map
}

/// Whether the map gives anybody anything.
pub(crate) fn grants_anything(map: &Map) -> bool {
    let any = |grants: &Grants| Right::ALL.into_iter().any(|right| !grants.groups(right).is_empty());
    map.entries().iter().any(|entry| any(&entry.grants)) || map.default_grants().is_some_and(any)
}

/// An entry of the file is filed under each of its patterns.
fn read_entry(entry: &At<EntryOptions>, entries: &mut Vec<Entry>, findings: &mut Findings<'_>) {
    let options = &entry.value;
    let (kind, patterns) = match (&options.queue, &options.topic) {
        (Some(queue), None) => (Kind::Queue, queue),
        (None, Some(topic)) => (Kind::Topic, topic),
        (None, None) => {
            let remedy = "add queue = \"…\" or topic = \"…\"; \">\" is all of them";
            findings.absence("missing-key", entry.span.as_ref(), "the entry is about no destination", remedy);
            return;
        }
        (Some(_), Some(topic)) => {
            let what = "the entry is about queues and topics";
            findings.fault("queue-and-topic", topic.span.as_ref(), what, "write an entry for each of them");
            return;
        }
    };
    let grants = Grants {
        read: options.read.0.clone(),
        write: options.write.0.clone(),
        admin: options.admin.0.clone(),
    };
    if Right::ALL.into_iter().all(|right| grants.groups(right).is_empty()) {
        let what = "the entry gives nobody anything; it takes nothing away either, for entries only add up";
        findings.warn("empty-entry", entry.span.as_ref(), what, "add read, write or admin, or take it out");
    }
    let place = findings.line_name(entry.span.as_ref().map_or(0, |span: &Span| span.start));
    entries.extend(patterns.value.0.iter().map(|pattern| Entry {
        kind,
        pattern: pattern.clone(),
        grants: grants.clone(),
        place: place.as_str().into(),
    }));
}

/// The console acts with a group of its own. A map without it locks the console out, which its users see as broken
/// pages.
fn warn_of_console(map: &Map, findings: &mut Findings<'_>) {
    let mut lacking = Vec::new();
    for (kind, word) in [(Kind::Queue, "queue"), (Kind::Topic, "topic")] {
        let rights: Vec<&str> =
            Right::ALL.into_iter().filter(|right| !covers_all(map, kind, *right)).map(Right::name).collect();
        if !rights.is_empty() {
            lacking.push((word, rights));
        }
    }
    if lacking.is_empty() {
        return;
    }
    let entry = |(word, rights): &(&str, Vec<&str>)| {
        let grants: Vec<String> =
            rights.iter().map(|right| format!("{right} = [\"{CONSOLE_GROUP}\"]")).collect();
        format!("[[authorization.entry]]\n{word} = \">\"\n{}", grants.join("\n"))
    };
    let what = format!(
        "the web console works with the rights of the group `{CONSOLE_GROUP}`, and the map leaves it out"
    );
    let remedy = format!("add\n{}", lacking.iter().map(entry).collect::<Vec<_>>().join("\n"));
    findings.warn("console-left-out", None, what, remedy);
}

fn covers_all(map: &Map, kind: Kind, right: Right) -> bool {
    let named = |grants: &Grants| {
        grants.groups(right).iter().any(|group| matches!(&**group, CONSOLE_GROUP | ANY_GROUP))
    };
    let whole = |entry: &&Entry| entry.kind == kind && entry.pattern.as_str() == ">";
    map.entries().iter().filter(whole).any(|entry| named(&entry.grants))
        || map.default_grants().is_some_and(named)
}

/// The first to use a destination creates it, which needs the admin right besides. MQTT and STOMP have no other way to
/// create one.
fn warn_of_uncreatable(raw: &Raw, map: &Map, findings: &mut Findings<'_>) {
    if map.default_grants().is_some_and(|grants| !grants.admin.is_empty()) {
        return;
    }
    for (index, entry) in raw.entries.iter().enumerate() {
        let options = &entry.value;
        let of_kind = [(Kind::Queue, &options.queue), (Kind::Topic, &options.topic)];
        let uses = !options.read.0.is_empty() || !options.write.0.is_empty();
        let lost = of_kind.into_iter().flat_map(|(kind, patterns)| {
            patterns
                .iter()
                .flat_map(move |at| &at.value.0)
                .filter(move |pattern| !is_creatable(map, kind, pattern.as_str()))
        });
        let lost: Vec<&str> = lost.map(keepmq_model::Pattern::as_str).collect();
        if uses && !lost.is_empty() {
            let what = format!("nobody may create {}: whoever uses it first is refused", lost.join(", "));
            let remedy =
                "add admin = […] with the groups that use it first, here or in an entry that covers it";
            findings.within(numbered("authorization.entry", index), |f| {
                f.warn("nobody-creates", entry.span.as_ref(), what, remedy);
            });
        }
    }
}

/// Whether some group may create what this pattern names: an entry that covers it gives the right.
fn is_creatable(map: &Map, kind: Kind, pattern: &str) -> bool {
    let mut found = false;
    map.applying(kind, pattern, |entry| found |= !entry.grants.admin.is_empty());
    found
}

#[cfg(test)]
mod tests;
