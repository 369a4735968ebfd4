//! Whatever stands in the file: no panic, no endless work, and every fault has a place that can be shown.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use keepmq_config::template::{Quickstart, quickstart};
use keepmq_config::{Protocol, Report, judge};
use proptest::collection::vec;
use proptest::prelude::*;

fn valid() -> String {
    let plan = Quickstart { port_offset: 7, protocols: &[Protocol::Stomp, Protocol::Mqtt], plain: true };
    quickstart(&plan).unwrap()
}

/// Judges and renders in both forms.
fn look(text: &str) -> Report {
    let report = match judge(text, Path::new("/srv/mq")) {
        Ok(loaded) => {
            let _ = loaded.config.open_doors();
            assert!(loaded.config.differences(&loaded.config).is_empty());
            loaded.report
        }
        Err(report) => {
            assert!(!report.is_sound(), "refused without a fault: {text}");
            report
        }
    };
    let shown = report.to_string();
    assert!(!shown.chars().any(|c| c.is_control() && c != '\n'), "{shown:?}");
    let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
    assert_eq!(json["faults"].as_array().unwrap().len(), report.faults.len());
    report
}

/// Pieces out of which a broken file can be made that is near enough to a whole one to get far.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("[[listener]]\n".to_owned()),
        Just("[listener]\n".to_owned()),
        Just("[[authorization.entry]]\n".to_owned()),
        Just("[authorization.default]\n".to_owned()),
        Just("[limits]\n".to_owned()),
        Just("[tls]\n".to_owned()),
        Just("[store]\n".to_owned()),
        (
            prop_oneof![
                Just("name"),
                Just("protocol"),
                Just("address"),
                Just("port"),
                Just("tls"),
                Just("public"),
                Just("ingress"),
                Just("queue"),
                Just("read"),
                Just("memory-bytes"),
                Just("key"),
                Just("a.b"),
            ],
            prop_oneof![
                Just("\"mqtt\"".to_owned()),
                Just("\"0.0.0.0\"".to_owned()),
                Just("true".to_owned()),
                Just("[\"10.0.0.0/8\", 5]".to_owned()),
                Just("{ allow = [\"::/0\"] }".to_owned()),
                Just("-9999999999999999999".to_owned()),
                Just("1e400".to_owned()),
                Just("nan".to_owned()),
                Just("1979-05-27T07:32:00Z".to_owned()),
                Just("'''\n\n'''".to_owned()),
                "\"\\PC{0,12}\"",
                "[0-9]{1,25}",
                any::<u16>().prop_map(|n| n.to_string()),
            ],
        )
            .prop_map(|(key, value)| format!("{key} = {value}\n")),
        "\\PC{0,20}\n",
    ]
}

#[test]
fn the_valid_file_is_valid() {
    assert_eq!(look(&valid()), Report::default());
}

#[test]
fn a_file_cut_anywhere_never_panics() {
    let text = valid();
    for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
        look(&text[..end]);
    }
}

#[test]
fn a_file_without_one_of_its_lines_never_panics() {
    let text = valid();
    let lines: Vec<&str> = text.lines().collect();
    for gone in 0..lines.len() {
        let kept: Vec<&str> =
            lines.iter().enumerate().filter(|(index, _)| *index != gone).map(|(_, line)| *line).collect();
        look(&kept.join("\n"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in vec(any::<u8>(), 0..400)) {
        look(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn arbitrary_text_never_panics(text in "\\PC{0,300}") {
        look(&text);
    }

    #[test]
    fn a_mutated_file_never_panics(changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..20)) {
        let mut bytes = valid().into_bytes();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            match byte {
                0..=50 => { bytes.remove(at); }
                51..=100 => bytes.insert(at, byte),
                _ => bytes[at] = byte,
            }
        }
        look(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn a_shuffled_file_never_panics(picks in vec(any::<prop::sample::Index>(), 0..60)) {
        let text = valid();
        let lines: Vec<&str> = text.lines().collect();
        let shuffled: Vec<&str> = picks.iter().map(|pick| *pick.get(&lines)).collect();
        look(&shuffled.join("\n"));
    }

    #[test]
    fn files_of_known_words_in_wrong_places_never_panic(pieces in vec(piece(), 0..40)) {
        look(&pieces.concat());
    }
}
