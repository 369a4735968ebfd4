use super::*;
use crate::reading::{faults, judged};

const SOUND: &str = "[tls]\ncertificate = \"tls/server.pem\"\nkey = \"tls/server.key\"\n\
    [[listener]]\nname = \"mqtt\"\nprotocol = \"mqtt\"\n\
    [authorization.default]\nread = [\"*\"]\nwrite = [\"*\"]\nadmin = [\"*\"]\n\
    [authorization.temporary]\nread = [\"*\"]\nwrite = [\"*\"]\nadmin = [\"*\"]\n";

fn config(text: &str) -> Config {
    let loaded = judge(text, Path::new("/srv/mq")).map_err(|report| report.to_string()).unwrap();
    assert_eq!(loaded.report.to_string(), "no faults, no warnings\n");
    loaded.config
}

#[test]
fn what_is_not_written_has_its_default() {
    let config = config(SOUND);
    assert_eq!(config.broker.name.as_str(), "keepmq");
    assert_eq!(config.limits, Limits::default());
    assert_eq!(config.dead_letter.queue.as_str(), "ActiveMQ.DLQ");
    assert_eq!((config.dead_letter.max_redeliveries.get(), config.dead_letter.max_returns.get()), (6, 100));
    assert_eq!(config.store.max_bytes, Size::gib(64));
    assert_eq!(config.limits.memory_bytes.as_usize(), 256 << 20);
}

#[test]
fn paths_are_within_the_folder() {
    let config = config(&format!("{SOUND}[users]\nfile = \"/etc/keepmq/users.toml\"\n"));
    assert_eq!(config.tls.unwrap().key, Path::new("/srv/mq/tls/server.key"));
    assert_eq!(config.store.directory, Path::new("/srv/mq/store"));
    assert_eq!(config.store.master_key, Path::new("/srv/mq/keys/master.key"));
    assert_eq!(config.users, Path::new("/etc/keepmq/users.toml"));
    assert_eq!(config.audit, Path::new("/srv/mq/audit.log"));
}

#[test]
fn a_certificate_needs_its_key() {
    assert_eq!(faults(&SOUND.replace("key = \"tls/server.key\"\n", "")), ["missing-key"]);
    assert_eq!(faults(&SOUND.replace("certificate = \"tls/server.pem\"\n", "")), ["missing-key"]);
}

#[test]
fn no_two_options_name_one_file() {
    let report = judged(&format!("{SOUND}[audit]\nfile = \"users.toml\"\n"));
    assert_eq!((report.faults[0].code, &*report.faults[0].key), ("same-file", "audit.file"));
    assert_eq!(faults(&format!("{SOUND}[users]\nfile = \"./tls/server.key\"\n")), ["same-file"]);
}

#[test]
fn every_weak_option_is_an_open_door_and_nothing_else_is() {
    assert_eq!(
        config(SOUND).open_doors().iter().map(|door| &*door.key).collect::<Vec<_>>(),
        ["authorization.default.read", "authorization.default.write", "authorization.default.admin"]
    );
    let text = SOUND.replace(
        "protocol = \"mqtt\"\n",
        "protocol = \"mqtt\"\ntls = false\nrefused-publish = \"acknowledge\"\nlogin-seconds = 20\n\
         max-connections-per-address = 9\nmax-frame-bytes = \"32MiB\"\n",
    );
    let doors = config(&text).open_doors();
    let keys: Vec<&str> = doors.iter().map(|door| &*door.key).collect();
    for key in [
        "listener.mqtt.tls",
        "listener.mqtt.refused-publish",
        "listener.mqtt.login-seconds",
        "listener.mqtt.max-frame-bytes",
    ] {
        assert!(keys.contains(&key), "{key}: {keys:?}");
    }
    assert!(!keys.contains(&"listener.mqtt.max-connections-per-address"), "less is not weaker");
    assert!(doors[0].to_string().starts_with("listener.mqtt.tls = false: passwords"));
}

#[test]
fn ingress_is_an_open_door_when_it_admits_more_than_private_networks() {
    let doors = |ingress: &str| {
        let text = SOUND
            .replace("name = \"mqtt\"", &format!("name = \"mqtt\"\ningress = {{ allow = [{ingress}] }}"));
        config(&text).open_doors().iter().any(|door| door.key == "listener.mqtt.ingress")
    };
    assert!(doors("\"0.0.0.0/0\"") && doors("\"::/0\"") && doors("\"10.0.0.0/8\", \"203.0.113.0/24\""));
    assert!(doors("\"10.0.0.0/7\""), "it reaches into 11.0.0.0");
    assert!(!doors("\"10.0.0.0/8\", \"fd00::/8\", \"127.0.0.1\""));
}

#[test]
fn writing_a_default_opens_nothing() {
    let text = SOUND.replace(
        "name = \"mqtt\"",
        "name = \"mqtt\"\ntls = true\nrefused-publish = \"close\"\npublic = false",
    );
    assert_eq!(config(&text).open_doors(), config(SOUND).open_doors());
}

#[test]
fn a_map_silent_on_temporary_destinations_is_an_open_door() {
    let (before, _) = SOUND.split_once("[authorization.temporary]").unwrap();
    let doors = config(before).open_doors();
    assert!(doors.iter().any(|door| door.key == "authorization.temporary"));
}

#[test]
fn what_changes_between_two_configurations_is_told_with_when_it_holds() {
    let before = config(SOUND);
    let after = config(&SOUND.replace("name = \"mqtt\"", "name = \"mqtt\"\nport = 9000").replace(
        "[authorization.default]\nread = [\"*\"]",
        "[limits]\nline-window = 99\n[authorization.default]\nread = [\"users\", \"activemq-webconsole\"]",
    ));
    let mut told: Vec<_> =
        before.differences(&after).into_iter().map(|d| (d.key, d.before, d.after, d.change)).collect();
    told.sort_by(|a, b| a.0.cmp(&b.0));
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        told[0],
        (
            "authorization.default.read".to_owned(),
            text("[\"*\"]"),
            text("[\"users\", \"activemq-webconsole\"]"),
            Change::Live
        )
    );
    assert_eq!(told[1], ("limits.line-window".to_owned(), text("4096"), text("99"), Change::Restart));
    assert_eq!(told[2], ("listener.mqtt.port".to_owned(), None, text("9000"), Change::Restart));
    assert_eq!(told.len(), 3);
    assert_eq!(before.differences(&before), []);
}

#[test]
fn a_text_over_its_bound_is_refused_unread() {
    let text = format!("{SOUND}# {}", "x".repeat(MOST_BYTES));
    let report = judge(&text, Path::new("/")).unwrap_err();
    assert_eq!(report.faults[0].code, "too-large");
}

#[test]
fn faults_of_all_stages_come_in_one_report() {
    let text = "[broker]\nnam = \"x\"\n[tls]\nkey = \"../k\"\n[[listener]]\nname = \"a\"\nprotocol = \"amqp\"\n\
        address = \"0.0.0.0\"\nport = 70000\ningress = { allow = [\"10.0.0.1/8\"] }\n[[listener]]\nname = \"a\"\n\
        protocol = \"mqtt\"\naddress = \"10.0.0.1\"\ntls = false\n[limits]\nmemory-bytes = \"1MB\"\n\
        [[authorization.entry]]\nqueue = \"A.>.B\"\nread = [\"a,b\"]\n";
    let report = judged(text);
    let codes: Vec<_> = report.faults.iter().map(|fault| fault.code).collect();
    for code in [
        "unknown-key",
        "path",
        "not-available",
        "public-undeclared",
        "range",
        "network",
        "duplicate-name",
        "plain-text",
        "size",
        "pattern",
        "group",
    ] {
        assert!(codes.contains(&code), "{code}: {report}");
    }
    let lines: Vec<_> = report.faults.iter().map(|fault| fault.place.as_ref().map(|p| p.line)).collect();
    assert!(lines.is_sorted(), "{lines:?}");
}
