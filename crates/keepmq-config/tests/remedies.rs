//! Faults and warnings of the text have a remedy, and it heals: for each there is the smallest file that has it, and
//! the change that was advised.

use std::path::Path;

use keepmq_config::{Report, judge};

const SOUND: &str = r#"
[tls]
certificate = "tls/server.pem"
key = "tls/server.key"

[[listener]]
name = "mqtt"
protocol = "mqtt"

[[authorization.entry]]
queue = ">"
read = ["*"]
write = ["*"]
admin = ["*"]

[[authorization.entry]]
topic = ">"
read = ["*"]
write = ["*"]
admin = ["*"]
"#;

fn look(text: &str) -> Report {
    match judge(text, Path::new("/srv/mq")) {
        Ok(loaded) => loaded.report,
        Err(report) => report,
    }
}

/// Changes the sound file, looks whether that has the one fault or warning, takes the advice and looks again.
fn heals(code: &str, at: &str, before: &str, advised: &str, after: &str) {
    assert!(SOUND.contains(at), "{at}");
    let sick = look(&SOUND.replacen(at, before, 1));
    let found: Vec<_> = sick.faults.iter().chain(&sick.warnings).collect();
    assert_eq!(found.len(), 1, "{code}: {sick}");
    assert_eq!(found[0].code, code, "{sick}");
    assert!(found[0].remedy.contains(advised), "{code} advises: {}", found[0].remedy);
    let healed = look(&SOUND.replacen(at, after, 1));
    assert_eq!(healed, Report::default(), "{code}: {healed}");
}

#[test]
fn the_sound_file_is_sound() {
    assert_eq!(look(SOUND), Report::default());
}

#[test]
fn remedies_of_how_it_is_written() {
    let protocol = "protocol = \"mqtt\"";
    heals("unknown-key", protocol, "protocol = \"mqtt\"\nprt = 5", "`port`", "protocol = \"mqtt\"\nport = 5");
    heals("type", protocol, "protocol = 5", "\"mqtt\"", protocol);
    heals("choice", protocol, "protocol = \"mqttt\"", "\"mqtt\"", protocol);
    heals("not-available", protocol, "protocol = \"amqp\"", "\"mqtt\"", protocol);
    heals("syntax", protocol, "protocol = mqtt", "https://toml.io", protocol);
    heals("missing-key", protocol, "", "add protocol = …: \"openwire\", \"stomp\" or \"mqtt\"", protocol);
    heals("missing-key", "name = \"mqtt\"", "", "add name = …", "name = \"mqtt\"");
    heals("name", "name = \"mqtt\"", "name = \"m q\"", "letters, digits, - or _", "name = \"m-q\"");
}

#[test]
fn remedies_of_values() {
    let with = |line: &str| format!("protocol = \"mqtt\"\n{line}");
    let at = "protocol = \"mqtt\"";
    let value = |code: &str, before: &str, advised: &str, after: &str| {
        heals(code, at, &with(before), advised, &with(after));
    };
    value("range", "port = 0", "1 to 65535", "port = 1");
    value("range", "login-seconds = 61", "1 to 60", "login-seconds = 60");
    value("range", "max-frame-bytes = 10", "\"1KiB\" to \"1GiB\"", "max-frame-bytes = \"1KiB\"");
    value("size", "max-frame-bytes = \"1MB\"", "MiB", "max-frame-bytes = \"1MiB\"");
    value("address", "address = \"localhost\"", "\"127.0.0.1\"", "address = \"127.0.0.1\"");
    value(
        "network",
        "ingress = { allow = [\"127.0.0.1/8\"] }",
        "\"127.0.0.0/8\"",
        "ingress = { allow = [\"127.0.0.0/8\"] }",
    );
    value("time", "[store]\nlazy-delay = \"1 second\"", "\"5s\"", "[store]\nlazy-delay = \"1s\"");
    value("path", "[users]\nfile = \"../users\"", "within the folder", "[users]\nfile = \"users\"");
    value("queue", "[dead-letter]\nqueue = \"DLQ.>\"", "one queue", "[dead-letter]\nqueue = \"DLQ\"");
    value(
        "same-file",
        "[audit]\nfile = \"users.toml\"",
        "a file of its own",
        "[audit]\nfile = \"audit.log\"",
    );
}

#[test]
fn remedies_of_addresses() {
    let at = "protocol = \"mqtt\"";
    let with = |line: &str| format!("{at}\n{line}");
    let value = |code: &str, before: &str, advised: &str, after: &str| {
        heals(code, at, &with(before), advised, &with(after));
    };
    let open = "address = \"0.0.0.0\"\npublic = true\ningress = { allow = [\"0.0.0.0/0\"] }";
    value("public-undeclared", &open.replace("public = true\n", ""), "`public = true`", open);
    value("public-undeclared", "address = \"8.8.8.8\"", "127.0.0.1", "address = \"127.0.0.1\"");
    value("public-without-ingress", "address = \"::\"\npublic = true", "\"0.0.0.0/0\"", open);
    value(
        "plain-text",
        "address = \"10.0.0.1\"\ntls = false",
        "take out `tls = false`",
        "address = \"10.0.0.1\"",
    );
    value("plain-text", "address = \"fd00::1\"\ntls = false", "::1", "address = \"::1\"\ntls = false");
    value("not-public", "public = true", "take out `public = true`", "");
    value("ingress-empty", "ingress = { deny = [\"::1\"] }", "add allow", "ingress = { allow = [\"::1\"] }");
}

#[test]
fn remedies_of_listeners_among_each_other() {
    let at = "[[authorization.entry]]";
    let second = |lines: &str| format!("[[listener]]\n{lines}\n\n{at}");
    let good = second("name = \"other\"\nprotocol = \"stomp\"");
    heals("duplicate-name", at, &second("name = \"mqtt\"\nprotocol = \"stomp\""), "a name of its own", &good);
    heals("duplicate-port", at, &second("name = \"other\"\nprotocol = \"mqtt\""), "a port of its own", &good);
    let choice = second("name = \"other\"\nprotocol = \"stomp\"\nrefused-publish = \"close\"");
    heals("not-for-protocol", at, &choice, "take out refused-publish", &good);
}

#[test]
fn remedies_of_certificates() {
    let tls = "[tls]\ncertificate = \"tls/server.pem\"\nkey = \"tls/server.key\"\n";
    heals("no-certificate", tls, "", "add [tls] with certificate and key", tls);
    heals("missing-key", "key = \"tls/server.key\"\n", "", "add key", "key = \"tls/server.key\"\n");
    heals(
        "missing-key",
        "certificate = \"tls/server.pem\"\n",
        "",
        "add certificate",
        "certificate = \"x\"\n",
    );
}

#[test]
fn remedies_of_the_map() {
    let at = "queue = \">\"";
    heals("pattern", at, "queue = \"A.>.B,>\"", "`>` at the end", "queue = \"A.B.>,>\"");
    heals("group", "read = [\"*\"]", "read = [\"*\", \"a,b\"]", "the name", "read = [\"*\", \"aa\", \"bb\"]");
    heals("queue-and-topic", at, "queue = \">\"\ntopic = \">\"", "an entry for each", at);
    let entry = "[[authorization.entry]]\n";
    let with = |lines: &str| format!("{entry}{lines}\n{entry}");
    heals(
        "missing-key",
        entry,
        &with("read = [\"aa\"]"),
        "queue = \"…\"",
        &with("queue = \"A\"\nread = [\"aa\"]"),
    );
    heals("empty-entry", entry, &with("queue = \"A\""), "take it out", entry);
}

#[test]
fn a_map_that_is_missing_or_too_narrow_is_told_of() {
    let (before, map) = SOUND.split_once("[[authorization").unwrap();
    let empty = look(before);
    assert_eq!((empty.faults.len(), empty.warnings[0].code), (0, "empty-map"));
    assert!(empty.warnings[0].remedy.contains("[[authorization.entry]]"));
    let narrow = look(&format!("{before}[[authorization{}", map.replace('*', "admins")));
    assert_eq!((narrow.faults.len(), narrow.warnings[0].code), (0, "console-left-out"));
    let (_, advice) = narrow.warnings[0].remedy.split_once('\n').unwrap();
    let healed = look(&format!("{before}[[authorization{}\n{advice}\n", map.replace('*', "admins")));
    assert_eq!(healed, Report::default());
    let nobody =
        look(&SOUND.replacen("queue = \">\"", "queue = \"A\"", 1).replacen("admin = [\"*\"]", "", 1));
    assert!(nobody.warnings.iter().any(|warning| warning.code == "nobody-creates"));
}
