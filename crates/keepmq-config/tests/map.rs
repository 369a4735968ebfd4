//! The map of a file decides as ActiveMQ's would: an oracle that knows nothing of trees and spans reads the same entries.

use std::fmt::Write as _;
use std::path::Path;

use keepmq_config::judge;
use keepmq_model::{Kind, Principal};
use keepmq_policy::{Policy, Right, judge as decide};
use proptest::collection::vec;
use proptest::prelude::*;

const GROUPS: [&str; 4] = ["shop", "billing", "audit", "*"];

/// An entry as it is made up.
#[derive(Clone, Debug)]
struct Entry {
    is_queue: bool,
    patterns: Vec<String>,
    /// Which of the groups have read, write and admin.
    rights: [Vec<usize>; 3],
}

fn entry() -> impl Strategy<Value = Entry> {
    let pattern = "(A|B|\\*)(\\.(A|B|\\*)){0,2}(\\.>)?|>";
    let groups = || vec(0..GROUPS.len(), 0..3);
    (any::<bool>(), vec(pattern, 1..4), groups(), groups(), groups()).prop_map(
        |(is_queue, patterns, read, write, admin)| Entry { is_queue, patterns, rights: [read, write, admin] },
    )
}

fn list(groups: &[usize]) -> String {
    let names: Vec<String> = groups.iter().map(|group| format!("\"{}\"", GROUPS[*group])).collect();
    format!("[{}]", names.join(", "))
}

fn write(entries: &[Entry], default: Option<&[usize]>) -> String {
    let mut text = "[[listener]]\nname = \"m\"\nprotocol = \"mqtt\"\ntls = false\n".to_owned();
    for entry in entries {
        let kind = if entry.is_queue { "queue" } else { "topic" };
        let _ = write!(text, "[[authorization.entry]]\n{kind} = \"{}\"\n", entry.patterns.join(", "));
        for (right, groups) in Right::ALL.iter().zip(&entry.rights) {
            let _ = writeln!(text, "{} = {}", right.name(), list(groups));
        }
    }
    if let Some(groups) = default {
        let _ = write!(text, "[authorization.default]\nread = {}\n", list(groups));
    }
    text
}

/// Whether a pattern covers a name, by the words of ActiveMQ's documentation.
fn covers(pattern: &[&str], name: &[&str]) -> bool {
    match (pattern, name) {
        ([">"], _) | ([], []) => true,
        (["*", pattern @ ..], [_, name @ ..]) => covers(pattern, name),
        ([wanted, pattern @ ..], [found, name @ ..]) => wanted == found && covers(pattern, name),
        _ => false,
    }
}

fn split(text: &str) -> Vec<&str> {
    text.split('.').collect()
}

/// Who may, by adding up.
fn allowed(
    entries: &[Entry],
    default: Option<&[usize]>,
    who: &Principal,
    right: Right,
    is_queue: bool,
    name: &str,
) -> bool {
    let index = Right::ALL.iter().position(|one| *one == right).unwrap_or_default();
    let has = |groups: &[usize]| {
        groups.iter().any(|group| {
            let name = GROUPS[*group];
            who.groups.iter().any(|one| **one == *name) || (name == "*" && !who.groups.is_empty())
        })
    };
    let by_entry = entries
        .iter()
        .filter(|entry| entry.is_queue == is_queue)
        .filter(|entry| entry.patterns.iter().any(|pattern| covers(&split(pattern), &split(name))))
        .any(|entry| has(&entry.rights[index]));
    by_entry || (right == Right::Read && default.is_some_and(has))
}

proptest! {
    #[test]
    fn every_decision_is_the_one_that_adding_up_gives(
        entries in vec(entry(), 0..6),
        default in prop::option::of(vec(0..GROUPS.len(), 0..3)),
        groups in vec(0..3usize, 0..3),
        name in "(A|B|C)(\\.(A|B|C)){0,3}",
        is_queue: bool,
    ) {
        let text = write(&entries, default.as_deref());
        let loaded = judge(&text, Path::new("/srv/mq"));
        let loaded = loaded.map_err(|report| TestCaseError::fail(report.to_string()))?;
        let policy = Policy { epoch: 1, map: loaded.config.map };
        let who = Principal::new("u", groups.iter().map(|group| GROUPS[*group]));
        let kind = if is_queue { Kind::Queue } else { Kind::Topic };
        for right in Right::ALL {
            let wanted = allowed(&entries, default.as_deref(), &who, right, is_queue, &name);
            let verdict = decide(&policy, &who, right, kind, &name);
            prop_assert_eq!(verdict.allowed, wanted, "{:?} {:?} {}", right, verdict.rule, text);
        }
    }

    #[test]
    fn every_entry_knows_the_line_that_it_stands_in(entries in vec(entry(), 1..6)) {
        let text = write(&entries, None);
        let loaded = judge(&text, Path::new("/srv/mq"));
        let loaded = loaded.map_err(|report| TestCaseError::fail(report.to_string()))?;
        let heads: Vec<usize> =
            text.lines().enumerate().filter(|(_, line)| line.starts_with("[[auth")).map(|(at, _)| at + 1).collect();
        let wanted = entries.iter().zip(heads).flat_map(|(entry, line)| {
            entry.patterns.iter().map(move |pattern| (pattern.clone(), format!("keepmq.toml:{line}")))
        });
        let map = loaded.config.map;
        let found = map.entries().iter().map(|entry| (entry.pattern.to_string(), entry.place.to_string()));
        prop_assert_eq!(found.collect::<Vec<_>>(), wanted.collect::<Vec<_>>());
    }

    #[test]
    fn whoever_is_in_no_group_may_do_nothing(entries in vec(entry(), 0..6), name in "(A|B)(\\.(A|B)){0,2}") {
        let loaded = judge(&write(&entries, Some(&[0, 1, 2, 3])), Path::new("/srv/mq"));
        let loaded = loaded.map_err(|report| TestCaseError::fail(report.to_string()))?;
        let policy = Policy { epoch: 1, map: loaded.config.map };
        let nobody = Principal::new("u", []);
        for right in Right::ALL {
            prop_assert!(!decide(&policy, &nobody, right, Kind::Queue, &name).allowed);
            prop_assert!(!decide(&policy, &nobody, right, Kind::Topic, &name).allowed);
        }
    }
}
