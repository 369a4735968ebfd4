use super::*;
use crate::reading::{faults, judged, warnings};

const TLS: &str = "[tls]\ncertificate = \"a\"\nkey = \"b\"\n";
const MAP: &str = "[[authorization.entry]]\nqueue = \">\"\nread = [\"*\"]\nwrite = [\"*\"]\nadmin = [\"*\"]\n\
    [[authorization.entry]]\ntopic = \">\"\nread = [\"*\"]\nwrite = [\"*\"]\nadmin = [\"*\"]\n";

/// A file with a map, a certificate and one MQTT listener with these lines.
fn with(lines: &str) -> String {
    format!("{TLS}[[listener]]\nname = \"m\"\nprotocol = \"mqtt\"\n{lines}\n{MAP}")
}

fn listener(lines: &str) -> Listener {
    let loaded = crate::judge(&with(lines), std::path::Path::new("/srv/mq"));
    loaded.map_err(|report| report.to_string()).unwrap().config.listeners.remove(0)
}

#[test]
fn a_listener_is_closed_where_nothing_is_written() {
    let listener = listener("");
    assert_eq!(listener.address, "127.0.0.1:8883".parse().unwrap());
    assert!(listener.tls);
    assert_eq!(listener.posture, Posture::Loopback);
    assert!(listener.ingress.admits("127.0.0.1".parse().unwrap()));
    assert!(!listener.ingress.admits("10.0.0.1".parse().unwrap()));
    assert_eq!(listener.login_within, Duration::from_secs(10));
    assert_eq!(listener.refused_publish, RefusedPublish::Close);
    assert!(listener.max_connections_per_address < listener.max_connections);
}

#[test]
fn a_broker_without_a_listener_is_refused() {
    assert_eq!(faults(""), ["no-listener"]);
}

#[test]
fn name_and_protocol_have_to_be_written() {
    let report = judged(&format!("{TLS}{MAP}[[listener]]\nport = 5\n"));
    let codes: Vec<_> = report.faults.iter().map(|fault| fault.code).collect();
    assert_eq!(codes, ["missing-key", "missing-key"]);
    assert_eq!(report.faults[0].key, "listener[1]");
    assert!(report.faults.iter().all(|fault| fault.place.as_ref().unwrap().text == "[[listener]]"));
}

#[test]
fn one_slip_is_one_fault() {
    let text = with("").replace("\"mqtt\"", "\"mqt\"");
    assert_eq!(faults(&text), ["choice"]);
    assert_eq!(faults(&with("").replace("\"m\"", "\"m m\"")), ["name"]);
}

#[test]
fn a_public_address_has_to_be_declared() {
    for address in ["8.8.8.8", "2606:4700::1111", "0.0.0.0", "::", "::ffff:8.8.8.8"] {
        assert_eq!(faults(&with(&format!("address = \"{address}\""))), ["public-undeclared"], "{address}");
    }
    for address in ["10.0.0.1", "192.168.0.1", "fd00::1", "fe80::1", "127.0.0.2", "::1"] {
        assert_eq!(faults(&with(&format!("address = \"{address}\""))), [""; 0], "{address}");
    }
}

#[test]
fn every_address_of_the_machine_is_a_public_one() {
    let report = judged(&with("address = \"0.0.0.0\""));
    assert!(report.faults[0].what.contains("every address of the machine"));
    let place = report.faults[0].place.as_ref().unwrap();
    assert_eq!((place.line, &*place.text), (7, "address = \"0.0.0.0\""));
}

#[test]
fn a_public_listener_needs_tls_a_map_and_written_ingress() {
    let public = "address = \"8.8.8.8\"\npublic = true\n";
    assert_eq!(faults(&with(public)), ["public-without-ingress"]);
    let open = format!("{public}ingress = {{ allow = [\"0.0.0.0/0\"] }}\n");
    assert_eq!(faults(&with(&open)), [""; 0]);
    assert_eq!(faults(&with(&format!("{open}tls = false"))), ["plain-text"]);
    assert_eq!(faults(&with(&open).replace(MAP, "")), ["public-without-map"]);
    assert_eq!(faults(&with(&open).replace(TLS, "")), ["no-certificate"]);
    let all = with(&format!("{public}tls = false")).replace(MAP, "").replace(TLS, "");
    let mut found = faults(&all);
    found.sort_unstable();
    assert_eq!(found, ["plain-text", "public-without-ingress", "public-without-map"], "all at once");
}

#[test]
fn a_map_that_gives_nothing_is_no_map() {
    let text = with("address = \"8.8.8.8\"\npublic = true\ningress = { allow = [\"::/0\"] }");
    let empty = text.replace(MAP, "[[authorization.entry]]\nqueue = \">\"\n");
    assert_eq!(faults(&empty), ["public-without-map"]);
}

#[test]
fn plain_text_is_for_loopback_only() {
    for (address, wanted) in [
        ("127.0.0.1", vec![]),
        ("127.8.8.8", vec![]),
        ("::1", vec![]),
        ("::ffff:127.0.0.1", vec![]),
        ("10.0.0.1", vec!["plain-text"]),
        ("fd00::1", vec!["plain-text"]),
        ("fe80::1", vec!["plain-text"]),
    ] {
        assert_eq!(faults(&with(&format!("address = \"{address}\"\ntls = false"))), wanted, "{address}");
    }
}

#[test]
fn a_plain_listener_has_the_plain_port_and_needs_no_certificate() {
    let loaded = crate::judge(&with("tls = false").replace(TLS, ""), std::path::Path::new("/")).unwrap();
    assert_eq!(loaded.config.listeners[0].address.port(), 1883);
    assert_eq!(loaded.config.tls, None);
}

#[test]
fn public_on_a_private_address_is_probably_not_meant() {
    assert_eq!(warnings(&with("public = true")), ["not-public"]);
}

#[test]
fn ingress_that_admits_nobody_is_probably_not_meant() {
    assert_eq!(warnings(&with("ingress = { deny = [\"10.0.0.0/8\"] }")), ["ingress-empty"]);
}

#[test]
fn written_ingress_takes_the_place_of_what_holds_by_itself() {
    let listener =
        listener("address = \"10.0.0.1\"\ningress = { allow = [\"10.1.0.0/16\"], deny = [\"10.1.9.9\"] }");
    let admits = |source: &str| listener.ingress.admits(source.parse().unwrap());
    assert!(admits("10.1.0.1") && !admits("10.2.0.1") && !admits("10.1.9.9") && !admits("127.0.0.1"));
}

#[test]
fn a_refused_publish_is_a_matter_of_mqtt() {
    assert_eq!(listener("refused-publish = \"acknowledge\"").refused_publish, RefusedPublish::Acknowledge);
    let stomp = with("refused-publish = \"close\"").replace("\"mqtt\"", "\"stomp\"");
    assert_eq!(faults(&stomp), ["not-for-protocol"]);
}

#[test]
fn names_are_given_once() {
    let text = format!("{}[[listener]]\nname = \"m\"\nprotocol = \"stomp\"\n", with(""));
    let report = judged(&text);
    assert_eq!((report.faults.len(), report.faults[0].code), (1, "duplicate-name"));
    assert!(report.faults[0].what.contains("line 5"), "{report}");
}

#[test]
fn ports_are_given_once() {
    for (first, second, clash) in [
        ("127.0.0.1", "127.0.0.1", true),
        ("127.0.0.1", "127.0.0.2", false),
        ("0.0.0.0", "127.0.0.1", true),
        ("127.0.0.1", "::", true),
        ("0.0.0.0", "::", true),
        ("::", "::1", true),
        ("fd00::1", "::", true),
        ("0.0.0.0", "::1", false),
        ("::ffff:127.0.0.1", "127.0.0.1", true),
        ("::1", "127.0.0.1", false),
    ] {
        let one = with(&format!("address = \"{first}\"\nport = 9000"));
        let text = format!(
            "{one}[[listener]]\nname = \"s\"\nprotocol = \"stomp\"\naddress = \"{second}\"\nport = 9000\n"
        );
        assert_eq!(faults(&text).contains(&"duplicate-port"), clash, "{first} {second}");
    }
}

#[test]
fn usual_ports_clash_too() {
    let text = format!("{}[[listener]]\nname = \"s\"\nprotocol = \"stomp\"\nport = 8883\n", with(""));
    let report = judged(&text);
    assert_eq!(report.faults[0].code, "duplicate-port");
    assert_eq!(report.faults[0].place.as_ref().unwrap().text, "port = 8883");
}
