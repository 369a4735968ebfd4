use proptest::prelude::*;

use super::*;
use crate::{Change, Config, judge, sections};

fn config(plan: &Quickstart<'_>) -> Config {
    let text = quickstart(plan).unwrap();
    let loaded = judge(&text, std::path::Path::new("/srv/mq")).map_err(|report| report.to_string()).unwrap();
    assert_eq!(loaded.report.to_string(), "no faults, no warnings\n");
    loaded.config
}

const BOTH: [Protocol; 2] = [Protocol::Stomp, Protocol::Mqtt];

#[test]
fn it_listens_with_tls_on_loopback_only() {
    let config = config(&Quickstart { port_offset: 0, protocols: &BOTH, plain: false });
    let addresses: Vec<_> = config.listeners.iter().map(|one| (one.tls, one.address.to_string())).collect();
    assert_eq!(addresses, [(true, "127.0.0.1:61614".to_owned()), (true, "127.0.0.1:8883".to_owned())]);
    assert_eq!(config.open_doors(), []);
}

#[test]
fn plain_listeners_come_on_demand_and_are_open_doors() {
    let config = config(&Quickstart { port_offset: 100, protocols: &BOTH, plain: true });
    let plain: Vec<_> =
        config.listeners.iter().filter(|one| !one.tls).map(|one| one.address.to_string()).collect();
    assert_eq!(plain, ["127.0.0.1:61713", "127.0.0.1:1983"]);
    assert_eq!(config.open_doors().len(), 2);
}

#[test]
fn the_map_gives_everything_to_admins_and_the_console_and_nothing_to_others() {
    let config = config(&Quickstart { port_offset: 0, protocols: &[Protocol::Mqtt], plain: false });
    let policy = keepmq_policy::Policy { epoch: 1, map: config.map };
    for (group, allowed) in [("admins", true), (CONSOLE_GROUP, true), ("users", false)] {
        let who = keepmq_model::Principal::new("u", [group]);
        for right in keepmq_policy::Right::ALL {
            for kind in [keepmq_model::Kind::Queue, keepmq_model::Kind::Topic, keepmq_model::Kind::TempQueue]
            {
                let verdict = keepmq_policy::judge(&policy, &who, right, kind, "A.B");
                assert_eq!(verdict.allowed, allowed, "{group} {right:?} {kind:?}");
            }
        }
    }
}

#[test]
fn what_cannot_be_is_refused() {
    let plan = |port_offset, protocols| quickstart(&Quickstart { port_offset, protocols, plain: false });
    assert_eq!(plan(0, &[]), Err(TemplateFault::Nothing));
    assert_eq!(plan(0, &[Protocol::Amqp]), Err(TemplateFault::NotAvailable(Protocol::Amqp)));
    assert_eq!(plan(10_000, &[Protocol::Stomp]), Err(TemplateFault::Port(Protocol::Stomp)));
    assert!(TemplateFault::Port(Protocol::Stomp).to_string().contains("65535"));
}

#[test]
fn its_lines_fit_on_a_screen_and_its_example_is_right() {
    let text = quickstart(&Quickstart { port_offset: 0, protocols: &BOTH, plain: true }).unwrap();
    assert!(text.lines().all(|line| line.chars().count() <= 120));
    let shown: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("#   "))
        .filter(|line| line.contains('=') || line.starts_with('['))
        .collect();
    let shown = shown.join("\n");
    assert!(shown.contains("[[authorization.entry]]\nqueue = \"ORDERS.>\""), "{shown}");
    let (_, example) = shown.split_once("[[").unwrap();
    let report = judge(&format!("{text}\n[[{example}"), std::path::Path::new("/")).unwrap().report;
    assert_eq!(report.to_string(), "no faults, no warnings\n");
}

#[test]
fn what_it_says_can_be_changed_while_running_is_so() {
    let live: Vec<String> = sections()
        .iter()
        .flat_map(|section| section.options.iter().map(move |(option, _)| (section.path, option)))
        .filter(|(_, option)| option.change == Change::Live)
        .map(|(path, option)| format!("{path}.{}", option.key))
        .collect();
    assert!(
        live.iter().all(|key| key.starts_with("authorization.")
            || key.starts_with("tls.")
            || key.starts_with("listener.ingress")),
        "{live:?}"
    );
}

proptest! {
    #[test]
    fn every_offset_makes_a_sound_file_or_is_refused(port_offset: u16, plain: bool, one: bool) {
        let protocols = if one { &BOTH[..1] } else { &BOTH[..] };
        let plan = Quickstart { port_offset, protocols, plain };
        match quickstart(&plan) {
            Ok(text) => prop_assert!(judge(&text, std::path::Path::new("/")).is_ok()),
            Err(fault) => prop_assert!(matches!(fault, TemplateFault::Port(_))),
        }
    }
}
