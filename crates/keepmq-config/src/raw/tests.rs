use std::fmt::Write as _;

use super::*;
use crate::option::OptionDef;
use crate::reading::judged;
use crate::sections::sections;

fn read(text: &str) -> (Raw, crate::report::Report) {
    let mut findings = Findings::new("keepmq.toml", text);
    let raw = Raw::read(text, &mut findings);
    (raw, findings.into_report())
}

/// A file in which every option stands with its default, or with a sample where it has none.
fn whole_file() -> String {
    let mut text = String::new();
    for section in sections() {
        let head =
            if section.repeated { format!("[[{}]]", section.path) } else { format!("[{}]", section.path) };
        let _ = writeln!(text, "{head}");
        for (option, default) in section.options {
            let value = default.unwrap_or_else(|| sample(option).to_owned());
            let _ = writeln!(text, "{} = {value}", option.key);
        }
    }
    // Ingress is a table of its own in that list; within a listener it may stand once only.
    text.replace("ingress = {}\n", "")
}

fn sample(option: &OptionDef) -> &'static str {
    match option.key {
        "certificate" | "key" => "\"tls/x.pem\"",
        "name" => "\"door\"",
        "protocol" => "\"mqtt\"",
        "port" => "8883",
        "ingress" => "{}",
        "refused-publish" => "\"close\"",
        "queue" | "topic" => "\">\"",
        other => panic!("no sample for {other}"),
    }
}

#[test]
fn every_option_of_the_reference_is_read() {
    let text = whole_file();
    let (raw, report) = read(&text);
    assert_eq!(report.to_string(), "no faults, no warnings\n", "{text}");
    // And none is read that is not in the reference.
    let documented =
        sections().into_iter().filter(|section| section.path != "listener.ingress").flat_map(|section| {
            section.options.into_iter().map(move |(option, _)| format!("{}.{}", section.path, option.key))
        });
    let read =
        raw.stated().into_iter().map(|one| one.key.replace("listener.door", "listener").replace("[1]", ""));
    assert_eq!(read.collect::<Vec<_>>(), documented.collect::<Vec<_>>());
}

#[test]
fn every_option_is_documented_and_named_as_its_neighbours() {
    for section in sections() {
        assert!(section.about.ends_with('.'), "{}", section.path);
        for (option, default) in &section.options {
            let at = format!("{}.{}", section.path, option.key);
            assert!(option.about.ends_with('.') && !option.about.contains("  "), "{at}: {}", option.about);
            assert!(option.key.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{at}");
            assert!(!option.form.is_empty(), "{at}");
            if let (Some((least, most)), Some(default)) = (option.range, default) {
                assert!(least < most, "{at} {default}");
            }
        }
        let mut keys: Vec<_> = section.options.iter().map(|(option, _)| option.key).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), section.options.len(), "{}", section.path);
    }
}

#[test]
fn every_default_is_within_its_range() {
    // Reading the defaults judges them.
    for section in sections() {
        for (option, default) in section.options {
            let Some(default) = default else { continue };
            let head = if section.repeated { "[[" } else { "[" };
            let tail = if section.repeated { "]]" } else { "]" };
            let (_, report) = read(&format!("{head}{}{tail}\n{} = {default}\n", section.path, option.key));
            let range = report.faults.iter().find(|fault| fault.code == "range");
            assert!(range.is_none(), "{}.{}: {range:?}", section.path, option.key);
        }
    }
}

#[test]
fn every_number_is_judged_by_its_range() {
    for section in sections() {
        for (option, default) in section.options {
            let (Some((least, most)), Some(default)) = (option.range, default) else { continue };
            let head = if section.repeated {
                format!("[[{}]]", section.path)
            } else {
                format!("[{}]", section.path)
            };
            let write = |number: u64| {
                if default.ends_with("s\"") { format!("\"{number}ms\"") } else { number.to_string() }
            };
            let outside = [least.checked_sub(1), most.checked_add(1)];
            for number in outside.into_iter().flatten() {
                let (_, report) = read(&format!("{head}\n{} = {}\n", option.key, write(number)));
                assert_eq!(report.faults[0].code, "range", "{}.{}", section.path, option.key);
            }
            for number in [least, most] {
                let (_, report) = read(&format!("{head}\n{} = {}\n", option.key, write(number)));
                assert!(report.is_sound(), "{}.{}: {report}", section.path, option.key);
            }
        }
    }
}

#[test]
fn all_unknown_keys_are_told_of_with_what_was_meant() {
    let (_, report) =
        read("[brocker]\nname = \"x\"\n[limits]\nmemory-byte = 5\nline_window = 5\nzzzzzz = 1\n");
    let told: Vec<(usize, &str, &str)> = report
        .faults
        .iter()
        .map(|fault| {
            (fault.place.as_ref().unwrap().line, fault.code, fault.remedy.split('?').next().unwrap())
        })
        .collect();
    assert_eq!(told[0], (1, "unknown-key", "did you mean `broker`"));
    assert_eq!(told[1], (4, "unknown-key", "did you mean `memory-bytes`"));
    assert_eq!(told[2], (5, "unknown-key", "did you mean `line-window`"));
    assert_eq!(told[3].1, "unknown-key");
    assert!(told[3].2.starts_with("take it out"), "{}", told[3].2);
    assert_eq!(report.faults[1].key, "limits");
}

#[test]
fn unknown_keys_are_told_of_in_each_table_of_a_list() {
    let text = "[[listener]]\nname = \"a\"\nprot = 1\n[[listener]]\nprotcol = \"mqtt\"\n[[authorization.entry]]\nqeue = \">\"\n[authorization.tmp]\n";
    let (_, report) = read(text);
    let keys: Vec<_> = report.faults.iter().map(|fault| (fault.code, &*fault.key)).collect();
    assert_eq!(
        keys,
        [
            ("unknown-key", "listener.a"),
            ("unknown-key", "listener[2]"),
            ("unknown-key", "authorization.entry[1]"),
            ("unknown-key", "authorization"),
        ]
    );
}

#[test]
fn wrong_types_are_told_of_at_every_level() {
    for (text, key) in [
        ("broker = 5\n", "broker"),
        ("[listener]\nname = \"a\"\n", "listener"),
        ("listener = [5]\n", "listener[1]"),
        ("[[broker]]\n", "broker"),
        ("authorization = true\n", ""),
        ("[authorization]\nentry = {}\n", "authorization.entry"),
        ("[limits]\nmemory-bytes = true\n", "limits.memory-bytes"),
        ("[users]\nfile = 5\n", "users.file"),
    ] {
        let (_, report) = read(text);
        assert_eq!((report.faults[0].code, &*report.faults[0].key), ("type", key), "{text}");
    }
}

#[test]
fn all_breaches_of_the_syntax_are_told_of() {
    let (raw, report) =
        read("[broker]\nname = \n[limits]\nline-window = 99\nline-window = 100\nslow-patience = 5\n");
    let told: Vec<_> = report.faults.iter().map(|f| (f.code, f.place.as_ref().unwrap().line)).collect();
    assert_eq!(told, [("syntax", 2), ("syntax", 5), ("type", 6)], "{report}");
    assert_eq!(raw.limits.line_window.get(), 99, "the rest is read all the same");
}

#[test]
fn of_a_broken_file_nothing_is_said_to_be_missing() {
    let report = judged("[broker\nname = \"x\"\n");
    assert!(report.faults.iter().all(|fault| fault.code == "syntax"), "{report}");
    assert_eq!(report.warnings, []);
}

#[test]
fn a_list_has_a_bound() {
    let text = "[[authorization.entry]]\n".repeat(MOST + 1);
    let (raw, report) = read(&text);
    assert_eq!((raw.entries.len(), report.faults[0].code), (0, "too-many"));
}

#[test]
fn settings_are_stated_under_the_names_of_their_listeners() {
    let (raw, _) =
        read("[[listener]]\nname = \"iot\"\nprotocol = \"mqtt\"\nport = 1\n[[listener]]\nport = 2\n");
    let stated = raw.stated();
    let value = |key: &str| stated.iter().find(|one| one.key == key).map(|one| &*one.value);
    assert_eq!(value("listener.iot.port"), Some("1"));
    assert_eq!(value("listener[2].port"), Some("2"));
    assert_eq!(value("listener.iot.tls"), Some("true"));
    assert_eq!(value("listener.iot.ingress"), None);
    assert_eq!(value("limits.memory-bytes"), Some("\"256MiB\""));
}

#[test]
fn deep_nesting_is_a_fault_and_not_a_crash() {
    let text = format!("x = {}{}", "[".repeat(50_000), "]".repeat(50_000));
    assert!(!judged(&text).is_sound());
    let text = format!("[{}a]\n", "a.".repeat(50_000));
    assert!(!judged(&text).is_sound());
    let text = format!("x = {}1{}", "{a=".repeat(50_000), "}".repeat(50_000));
    assert!(!judged(&text).is_sound());
}

/// The core has the same bounds and defaults, and this crate may not know it: a change there has to be made here too.
#[test]
fn every_bound_of_the_core_can_be_set_and_has_its_default() {
    let bounds = [
        ("limits.memory-bytes", "\"256MiB\""),
        ("limits.line-bytes", "\"32MiB\""),
        ("limits.line-window", "4096"),
        ("limits.subscriber-backlog", "10000"),
        ("limits.slow-patience", "\"5s\""),
        ("limits.sender-patience", "\"30s\""),
        ("limits.outbox-bytes", "\"1MiB\""),
        ("limits.store-pending-bytes", "\"32MiB\""),
        ("limits.destinations", "200000"),
        ("limits.temporaries-per-connection", "1000"),
        ("limits.links-per-connection", "10000"),
        ("limits.filters-per-subscription", "10000"),
        ("limits.durable-subscriptions", "200000"),
        ("limits.notes-per-subscription", "4096"),
        ("limits.transactions-per-connection", "100"),
        ("limits.changes-per-transaction", "10000"),
        ("limits.bytes-per-transaction", "\"32MiB\""),
        ("limits.prepared-transactions", "1000"),
        ("limits.prepared-bytes", "\"64MiB\""),
        ("limits.remembered-senders", "10000"),
        ("limits.groups-per-queue", "100000"),
        ("limits.retained-messages", "200000"),
        ("limits.retained-bytes", "\"256MiB\""),
        ("dead-letter.queue", "\"ActiveMQ.DLQ\""),
        ("dead-letter.max-redeliveries", "6"),
        ("dead-letter.max-returns", "100"),
    ];
    let stated = Raw::default().stated();
    let own =
        stated.iter().filter(|one| one.key.starts_with("limits.") || one.key.starts_with("dead-letter."));
    let own: Vec<(&str, &str)> = own.map(|one| (&*one.key, &*one.value)).collect();
    assert_eq!(own, bounds);
}
