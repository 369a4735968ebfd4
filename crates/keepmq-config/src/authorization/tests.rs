use keepmq_model::{Kind, Principal};
use keepmq_policy::{Policy, Rule, judge as decide};

use super::*;
use crate::reading::{faults, judged, warnings};

const LISTENER: &str = "[[listener]]\nname = \"s\"\nprotocol = \"stomp\"\ntls = false\n";
const CONSOLE: &str = "[[authorization.entry]]\nqueue = \">\"\nread = [\"activemq-webconsole\"]\nwrite = [\"activemq-webconsole\"]\nadmin = [\"activemq-webconsole\"]\n\
    [[authorization.entry]]\ntopic = \">\"\nread = [\"activemq-webconsole\"]\nwrite = [\"activemq-webconsole\"]\nadmin = [\"activemq-webconsole\"]\n";

fn policy(map: &str) -> Policy {
    let text = format!("{LISTENER}{map}");
    let loaded = crate::judge(&text, std::path::Path::new("/")).map_err(|report| report.to_string()).unwrap();
    Policy { epoch: 1, map: loaded.config.map }
}

#[test]
fn no_map_lets_nobody_do_anything_and_says_so() {
    assert_eq!(warnings(LISTENER), ["empty-map"]);
    let nobody = decide(&policy(""), &Principal::new("u", ["admins"]), Right::Read, Kind::Queue, "A");
    assert!(!nobody.allowed && nobody.rule == Rule::NoEntry);
}

#[test]
fn an_entry_is_filed_under_each_of_its_patterns_with_its_line() {
    let policy =
        policy(&format!("[[authorization.entry]]\nqueue = \"A.>, B\"\nread = [\"readers\"]\n{CONSOLE}"));
    let reader = Principal::new("u", ["readers"]);
    for (name, allowed) in [("A.x", true), ("A", true), ("B", true), ("B.x", false), ("C", false)] {
        assert_eq!(decide(&policy, &reader, Right::Read, Kind::Queue, name).allowed, allowed, "{name}");
        assert!(!decide(&policy, &reader, Right::Write, Kind::Queue, name).allowed);
        assert!(!decide(&policy, &reader, Right::Read, Kind::Topic, name).allowed);
    }
    let verdict = decide(&policy, &reader, Right::Read, Kind::Queue, "B");
    assert_eq!(verdict.rule, Rule::Entry("keepmq.toml:5".into()));
}

#[test]
fn default_and_temporary_grants_are_taken_over() {
    let map = "[authorization.default]\nread = [\"all\"]\n[authorization.temporary]\nadmin = [\"rpc\"]\n";
    let policy = policy(map);
    let (all, rpc) = (Principal::new("u", ["all"]), Principal::new("u", ["rpc"]));
    assert!(decide(&policy, &all, Right::Read, Kind::Topic, "X").allowed);
    assert!(!decide(&policy, &all, Right::Admin, Kind::TempQueue, "X").allowed);
    assert!(decide(&policy, &rpc, Right::Admin, Kind::TempQueue, "X").allowed);
}

#[test]
fn an_entry_is_about_queues_or_topics() {
    let entry = |lines: &str| {
        faults(&format!("{LISTENER}{CONSOLE}[[authorization.entry]]\n{lines}\nread = [\"aa\"]\n"))
    };
    assert_eq!(entry(""), ["missing-key"]);
    assert_eq!(entry("queue = \"A\"\ntopic = \"A\""), ["queue-and-topic"]);
    assert_eq!(entry("queue = \"A.>.B\""), ["pattern"]);
    assert_eq!(entry("queue = \"A\""), [""; 0]);
}

#[test]
fn an_entry_that_gives_nothing_takes_nothing_away() {
    let text = format!("{LISTENER}{CONSOLE}[[authorization.entry]]\nqueue = \"SECRET.>\"\n");
    let report = judged(&text);
    assert_eq!(report.warnings.len(), 1);
    assert!(report.warnings[0].what.contains("takes nothing away"));
}

#[test]
fn a_map_that_leaves_the_console_out_says_which_entry_to_add() {
    let text = format!(
        "{LISTENER}[[authorization.entry]]\nqueue = \">\"\nread = [\"activemq-webconsole\"]\nwrite = [\"*\"]\nadmin = [\"admins\"]\n"
    );
    let report = judged(&text);
    assert_eq!(report.warnings.iter().map(|w| w.code).collect::<Vec<_>>(), ["console-left-out"]);
    // What it says to add is what heals it.
    let (_, advice) = report.warnings[0].remedy.split_once('\n').unwrap();
    assert!(advice.contains("topic = \">\"") && !advice.contains("read = [\"activemq-webconsole\"]\nwrite = [\"activemq-webconsole\"]\nadmin = [\"activemq-webconsole\"]\n[["));
    assert_eq!(warnings(&format!("{text}{advice}\n")), [""; 0]);
}

#[test]
fn the_console_is_let_in_by_its_group_or_by_any() {
    assert_eq!(warnings(&format!("{LISTENER}{CONSOLE}")), [""; 0]);
    assert_eq!(warnings(&format!("{LISTENER}{}", CONSOLE.replace("activemq-webconsole", "*"))), [""; 0]);
    let default =
        "[authorization.default]\nread = [\"*\"]\nwrite = [\"*\"]\nadmin = [\"activemq-webconsole\"]\n";
    assert_eq!(warnings(&format!("{LISTENER}{default}")), [""; 0]);
    assert_eq!(warnings(&format!("{LISTENER}{}", CONSOLE.replace('>', "A.>"))), ["console-left-out"]);
}

#[test]
fn what_nobody_may_create_is_told_of() {
    let text = format!("{LISTENER}{}", CONSOLE.replace("admin = ", "#admin = "));
    let report = judged(&text);
    let codes: Vec<_> = report.warnings.iter().map(|warning| warning.code).collect();
    assert_eq!(codes, ["console-left-out", "nobody-creates", "nobody-creates"]);
    assert!(report.warnings[1].what.contains('>'));
    // Another entry that covers it may give the right.
    let covered = format!("{text}[[authorization.entry]]\nqueue = \">\"\nadmin = [\"admins\"]\n");
    assert_eq!(warnings(&covered).iter().filter(|code| **code == "nobody-creates").count(), 1);
    let narrower = format!("{text}[[authorization.entry]]\nqueue = \"A.>\"\nadmin = [\"admins\"]\n");
    assert_eq!(warnings(&narrower).iter().filter(|code| **code == "nobody-creates").count(), 2);
}
