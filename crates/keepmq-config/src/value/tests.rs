use proptest::prelude::*;

use super::*;
use crate::reading::{fault_of, read_one};

#[test]
fn yes_and_no_are_not_texts() {
    assert_eq!(read_one::<bool>("true"), Some(true));
    for written in ["\"true\"", "1", "[true]"] {
        assert_eq!(fault_of::<bool>(written).0, "type", "{written}");
    }
}

#[test]
fn a_port_is_one_to_65535() {
    assert_eq!(read_one::<u16>("8883"), Some(8883));
    for written in ["0", "65536", "-1"] {
        assert_eq!(fault_of::<u16>(written).0, "range", "{written}");
    }
    assert_eq!(fault_of::<u16>("\"8883\"").0, "type");
}

#[test]
fn an_address_is_not_a_name() {
    assert_eq!(read_one::<IpAddr>("\"::1\"").unwrap().to_string(), "::1");
    for written in ["\"localhost\"", "\"127.0.0.1:8883\"", "\"127.1\"", "\"[::1]\"", "\"\"", "\"*\""] {
        let (code, _, remedy) = fault_of::<IpAddr>(written);
        assert_eq!(code, "address", "{written}");
        assert!(remedy.contains("not a name and not a port"));
    }
}

#[test]
fn labels_have_letters_digits_dash_and_underscore() {
    assert_eq!(read_one::<Label>("\"Mqtt_1-a\"").unwrap().as_str(), "Mqtt_1-a");
    let long = format!("\"{}\"", "x".repeat(51));
    for written in ["\"\"", "\"a b\"", "\"a.b\"", "\"ä\"", &long] {
        assert_eq!(fault_of::<Label>(written).0, "name", "{written}");
    }
}

#[test]
fn a_path_does_not_climb_out() {
    assert_eq!(read_one::<FilePath>("\"tls/a.pem\"").unwrap().as_path(), Path::new("tls/a.pem"));
    for written in ["\"../a.pem\"", "\"tls/../../a\"", "\"/etc/../root\"", "\"\"", "\"a\\nb\""] {
        assert_eq!(fault_of::<FilePath>(written).0, "path", "{written}");
    }
    let path = read_one::<FilePath>("\"a\"").unwrap();
    assert_eq!(path.in_folder(Path::new("/srv/mq")), Path::new("/srv/mq/a"));
    let path = read_one::<FilePath>("\"/etc/a\"").unwrap();
    assert_eq!(path.in_folder(Path::new("/srv/mq")), Path::new("/etc/a"));
}

#[test]
fn the_queue_for_dead_letters_is_one_queue() {
    assert_eq!(read_one::<QueueName>("\"DLQ.all\"").unwrap().as_str(), "DLQ.all");
    for written in ["\"DLQ.>\"", "\"\"", "\"a\\tb\""] {
        assert_eq!(fault_of::<QueueName>(written).0, "queue", "{written}");
    }
}

#[test]
fn a_quoted_text_is_safe_and_not_endless() {
    assert_eq!(quoted("a\"b\\c"), "\"a\\\"b\\\\c\"");
    assert_eq!(quoted("\u{1b}[0m"), "\"\u{fffd}[0m\"");
    assert!(quoted(&"x".repeat(10_000)).len() < 300);
}

proptest! {
    #[test]
    fn paths_show_as_they_read(text in "[a-z /\"\\\\.-]{1,20}") {
        let written = quoted(&text);
        if let (Some(path), _) = crate::reading::read::<FilePath>(&written) {
            prop_assert_eq!(path.show().unwrap(), written);
        }
    }
}
