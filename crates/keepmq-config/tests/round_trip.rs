//! What is written is what holds: files are made up, loaded and compared with what they were made of; and what a loaded
//! configuration states of itself can be written down again as a file that says the same.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::time::Duration;

use keepmq_config::{Change, Config, Protocol, RefusedPublish, Report, Size, judge, sections};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

/// A listener as it is made up.
#[derive(Clone, Debug)]
struct Door {
    protocol: Protocol,
    address: IpAddr,
    port: Option<u16>,
    tls: bool,
    most: u32,
    seconds: u32,
    frame: u64,
    acknowledge: bool,
}

fn door() -> impl Strategy<Value = Door> {
    let address = prop_oneof![
        Just(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        Just(IpAddr::V6(Ipv6Addr::LOCALHOST)),
        any::<[u8; 3]>().prop_map(|[a, b, c]| IpAddr::from([10, a, b, c])),
        any::<[u16; 7]>().prop_map(|[a, b, c, d, e, f, g]| IpAddr::from([0xfd00, a, b, c, d, e, f, g])),
    ];
    let protocol = prop::sample::select(&Protocol::AVAILABLE[..]);
    (
        protocol,
        address,
        prop::option::of(1u16..),
        any::<bool>(),
        1u32..1_000_000,
        1u32..61,
        1024u64..1 << 30,
        any::<bool>(),
    )
        .prop_map(|(protocol, address, port, tls, most, seconds, frame, acknowledge)| Door {
            protocol,
            address,
            port,
            tls: tls || !address.is_loopback(),
            most,
            seconds,
            frame,
            acknowledge: acknowledge && protocol == Protocol::Mqtt,
        })
}

impl Door {
    fn write(&self, name: &str, text: &mut String) {
        let (protocol, address) = (self.protocol.name(), self.address);
        let _ = write!(
            text,
            "[[listener]]\nname = \"{name}\"\nprotocol = \"{protocol}\"\naddress = \"{address}\"\n"
        );
        if let Some(port) = self.port {
            let _ = writeln!(text, "port = {port}");
        }
        let _ = write!(text, "tls = {}\nmax-connections = {}\n", self.tls, self.most);
        let _ = write!(text, "login-seconds = {}\nmax-frame-bytes = {}\n", self.seconds, self.frame);
        if self.acknowledge {
            text.push_str("refused-publish = \"acknowledge\"\n");
        }
    }
}

const REST: &str = "[tls]\ncertificate = \"a\"\nkey = \"b\"\n[authorization.default]\nread = [\"*\"]\nwrite = [\"*\"]\nadmin = [\"*\"]\n";

fn load(text: &str) -> Result<Config, Report> {
    judge(text, Path::new("/srv/mq")).map(|loaded| loaded.config)
}

fn sound(text: &str) -> Config {
    match load(text) {
        Ok(config) => config,
        Err(report) => panic!("{text}\n{report}"),
    }
}

/// The file that says what a configuration states of itself.
fn written_down(config: &Config) -> String {
    let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for setting in config.settings() {
        // Names of listeners have no dot in them, so the last one is before the option.
        let (table, option) = setting.key.rsplit_once('.').unwrap_or_default();
        tables.entry(table.to_owned()).or_default().push(format!("{option} = {}", setting.value));
    }
    let mut text = String::new();
    for (table, lines) in tables {
        let head = match table.split(['.', '[']).next() {
            Some("listener") => "[[listener]]".to_owned(),
            _ if table.starts_with("authorization.entry") => "[[authorization.entry]]".to_owned(),
            _ => format!("[{table}]"),
        };
        let _ = write!(text, "{head}\n{}\n", lines.join("\n"));
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn listeners_are_as_they_are_written(doors in btree_map("[a-z][a-z0-9-]{0,9}", door(), 1..6)) {
        let mut text = REST.to_owned();
        for (name, door) in &doors {
            door.write(name, &mut text);
        }
        let config = match load(&text) {
            Ok(config) => config,
            Err(report) => {
                // Made-up ports may meet; nothing else may be wrong.
                prop_assert!(report.faults.iter().all(|fault| fault.code == "duplicate-port"), "{}", report);
                return Ok(());
            }
        };
        prop_assert_eq!(config.listeners.len(), doors.len());
        for (listener, (name, door)) in config.listeners.iter().zip(&doors) {
            prop_assert_eq!(&*listener.name, name);
            prop_assert_eq!((listener.protocol, listener.tls), (door.protocol, door.tls));
            prop_assert_eq!(listener.address.ip(), door.address);
            let port = door.port.unwrap_or_else(|| door.protocol.port(door.tls));
            prop_assert_eq!(listener.address.port(), port);
            prop_assert_eq!(u32::try_from(listener.max_connections), Ok(door.most));
            prop_assert_eq!(u64::try_from(listener.max_frame_bytes), Ok(door.frame));
            prop_assert_eq!(listener.login_within, Duration::from_secs(door.seconds.into()));
            prop_assert_eq!(listener.refused_publish == RefusedPublish::Acknowledge, door.acknowledge);
        }
    }

    #[test]
    fn what_a_configuration_states_says_the_same_again(
        doors in btree_map("[a-z][a-z0-9-]{0,9}", door(), 1..6),
        line_window in 16u32..1_000_000,
        patience in 0u64..600_000,
        max_mib in 16u64..1 << 20,
        entries in vec(("[A-Z]{1,3}(\\.[A-Z*]){0,2}", "[a-z]{2,5}", any::<bool>()), 0..5),
    ) {
        let mut text = format!("{REST}[limits]\nline-window = {line_window}\nslow-patience = \"{patience}ms\"\n");
        let _ = write!(text, "[store]\nmax-bytes = \"{max_mib}MiB\"\n");
        for (pattern, group, is_queue) in &entries {
            let kind = if *is_queue { "queue" } else { "topic" };
            let _ = write!(text, "[[authorization.entry]]\n{kind} = \"{pattern}\"\nread = [\"{group}\"]\n");
        }
        for (name, door) in &doors {
            door.write(name, &mut text);
        }
        let Ok(one) = load(&text) else { return Ok(()) };
        let two = sound(&written_down(&one));
        prop_assert_eq!(one.differences(&two), []);
        prop_assert_eq!(&one.limits, &two.limits);
        prop_assert_eq!(&one.store, &two.store);
        prop_assert_eq!(one.map.entries().len(), two.map.entries().len());
        prop_assert_eq!(one.open_doors(), two.open_doors());
        prop_assert_eq!(two.store.max_bytes, Size::mib(max_mib));
        let mut names: Vec<_> = one.listeners.iter().map(|listener| &listener.name).collect();
        names.sort_unstable();
        let again: Vec<_> = two.listeners.iter().map(|listener| &listener.name).collect();
        prop_assert_eq!(names, again);
    }
}

#[test]
fn a_difference_is_told_of_for_every_option_of_the_limits() {
    let listener = "[[listener]]\nname = \"m\"\nprotocol = \"mqtt\"\n";
    let before = sound(&format!("{listener}{REST}"));
    let limits: Vec<_> = sections().into_iter().filter(|section| section.path == "limits").collect();
    assert_eq!(limits.len(), 1);
    for (option, _) in &limits[0].options {
        let Some((least, _)) = option.range else { panic!("{} has no range", option.key) };
        let value = if option.form.contains("time") { format!("\"{least}ms\"") } else { least.to_string() };
        let after = sound(&format!("{listener}{REST}[limits]\n{} = {value}\n", option.key));
        let told = before.differences(&after);
        assert_eq!(told.len(), 1, "{}", option.key);
        assert_eq!(told[0].key, format!("limits.{}", option.key));
        assert_ne!(told[0].before, told[0].after);
    }
}

#[test]
fn only_what_changes_live_is_said_to() {
    let listener = "[[listener]]\nname = \"m\"\nprotocol = \"mqtt\"\n";
    let before = sound(&format!("{listener}{REST}"));
    let change = |from: &str, to: &str| {
        let after = sound(&format!("{listener}{REST}").replacen(from, to, 1));
        let told = before.differences(&after);
        assert_eq!(told.len(), 1, "{to}: {told:?}");
        told[0].change
    };
    assert_eq!(change("certificate = \"a\"", "certificate = \"c\""), Change::Live);
    assert_eq!(change("read = [\"*\"]", "read = [\"aa\", \"activemq-webconsole\"]"), Change::Live);
    let with = |line: &str| format!("protocol = \"mqtt\"\n{line}");
    assert_eq!(change("protocol = \"mqtt\"", &with("ingress = { allow = [\"::1\"] }")), Change::Live);
    assert_eq!(change("protocol = \"mqtt\"", &with("port = 99")), Change::Restart);
    assert_eq!(change("protocol = \"mqtt\"", &with("max-connections = 99")), Change::Restart);
}
