//! What people get to see, whole. When a text is changed on purpose, the file beside this one is changed with it.

use std::path::Path;

use keepmq_config::template::{Quickstart, quickstart};
use keepmq_config::{Protocol, judge};

const BROKEN: &str = include_str!("golden/broken.toml");

/// Shows where two texts part, which is easier on the eyes than both of them.
fn same(is: &str, wanted: &str) {
    for (number, (is, wanted)) in is.lines().zip(wanted.lines()).enumerate() {
        assert_eq!(is, wanted, "line {}", number + 1);
    }
    assert_eq!(is.lines().count(), wanted.lines().count(), "{is}");
}

#[test]
fn a_report_tells_all_faults_in_the_order_of_the_file() {
    let report = judge(BROKEN, Path::new("/srv/mq")).unwrap_err();
    same(&report.to_string(), include_str!("golden/broken.txt"));
}

#[test]
fn the_first_configuration_of_a_folder_explains_itself() {
    let plan = Quickstart { port_offset: 0, protocols: &[Protocol::Stomp, Protocol::Mqtt], plain: true };
    same(&quickstart(&plan).unwrap(), include_str!("golden/quickstart.toml"));
}

#[test]
fn a_report_in_json_has_the_same_faults() {
    let report = judge(BROKEN, Path::new("/srv/mq")).unwrap_err();
    let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
    let faults = json["faults"].as_array().unwrap();
    assert_eq!(faults.len(), report.faults.len());
    for (json, fault) in faults.iter().zip(&report.faults) {
        let place = fault.place.as_ref().unwrap();
        assert_eq!((json["file"].as_str(), json["key"].as_str()), (Some("keepmq.toml"), Some(&*fault.key)));
        assert_eq!(
            (json["line"].as_u64(), json["column"].as_u64()),
            (u64::try_from(place.line).ok(), u64::try_from(place.column).ok())
        );
        assert_eq!(
            (json["what"].as_str(), json["remedy"].as_str()),
            (Some(&*fault.what), Some(&*fault.remedy))
        );
    }
}
