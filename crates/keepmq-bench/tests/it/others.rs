//! Logins, TLS, idle connections and storms.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use keepmq_bench::{Login, Protocol, Verdict};
use tempfile::TempDir;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::broker::{Broker, Faults, bench};

fn guarded() -> Faults {
    Faults { asks_for_login: true, ..Faults::default() }
}

fn login(password: &str) -> Login {
    Login { user: "bench".to_owned(), password: password.to_owned() }
}

/// A server's certificate and the file with which clients trust it.
fn certificate(name: &str, folder: &TempDir) -> (Arc<ServerConfig>, PathBuf) {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
    let file = folder.path().join("ca.pem");
    fs::write(&file, made.cert.pem()).unwrap();
    (Arc::new(config), file)
}

const ALL: [(Protocol, &str); 3] =
    [(Protocol::Mqtt, "mqtt"), (Protocol::Stomp, "stomp"), (Protocol::Openwire, "openwire")];

#[test]
fn a_login_comes_from_the_environment_or_a_file() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("credentials");
    fs::write(&file, "KEEPMQ_USER=bench\nKEEPMQ_PASSWORD=secret\n").unwrap();
    for (protocol, name) in ALL {
        let words = format!("load HERE --protocol {name} --count 10");
        let broker = Broker::start(protocol, guarded());
        assert_eq!(broker.bench_as(&words, Some(login("secret"))).unwrap().0, Verdict::Clean);
        // The file goes before the environment.
        let words = format!("{words} --credentials {}", file.display());
        let broker = Broker::start(protocol, guarded());
        assert_eq!(broker.bench_as(&words, Some(login("wrong"))).unwrap().0, Verdict::Clean);
    }
}

#[test]
fn a_refused_login_says_what_to_do() {
    for ((protocol, name), why) in ALL.into_iter().zip(["not authorized", "who is it?", "who is it?"]) {
        let broker = Broker::start(protocol, guarded());
        let error = broker.bench(&format!("load HERE --protocol {name} --count 10")).unwrap_err().to_string();
        assert!(error.contains(why) && error.contains("--credentials FILE"), "{error}");
    }
}

#[test]
fn a_refused_subscription_says_whose() {
    let broker = Broker::start(Protocol::Mqtt, Faults::default());
    let words = "load HERE --protocol mqtt --destination forbidden --count 10";
    let error = broker.bench(words).unwrap_err().to_string();
    assert!(error.contains("subscription of consumer 0") && error.contains("0x80"), "{error}");
}

#[test]
fn a_silent_broker_is_waited_for_no_longer_than_told() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let words = format!("load --protocol mqtt --patience 1 --address {}", listener.local_addr().unwrap());
    let error = bench(&words, None).unwrap_err().to_string();
    assert!(error.contains("--patience"), "{error}");
}

#[test]
fn tls_carries_everything() {
    let folder = TempDir::new().unwrap();
    for (protocol, name) in
        [(Protocol::Mqtt, "mqtt --qos 1"), (Protocol::Stomp, "stomp"), (Protocol::Openwire, "openwire")]
    {
        for size in [256, 300_000] {
            let (config, ca) = certificate("localhost", &folder);
            let broker = Broker::start_with(protocol, Faults::default(), Some(config));
            let words = format!("load HERE --ca {} --protocol {name} --count 50 --size {size}", ca.display());
            let (verdict, report) = broker.bench(&words).unwrap();
            assert_eq!(verdict, Verdict::Clean, "{report:#}");
        }
    }
}

#[test]
fn a_certificate_of_another_host_or_another_ca_is_refused() {
    let (folder, other) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (config, ca) = certificate("elsewhere.example", &folder);
    let broker = Broker::start_with(Protocol::Mqtt, Faults::default(), Some(config));
    let words = format!("load HERE --ca {} --protocol mqtt --count 10", ca.display());
    let error = broker.bench(&words).unwrap_err().to_string();
    assert!(error.contains("TLS with localhost") && error.contains("name this host"), "{error}");
    let (_, wrong) = certificate("elsewhere.example", &other);
    let words = format!("load HERE --ca {} --protocol mqtt --count 10", wrong.display());
    assert!(broker.bench(&words).is_err());
}

#[test]
fn idle_connections_stay() {
    for (protocol, name) in ALL {
        let broker = Broker::start(protocol, Faults::default());
        let words =
            format!("idle HERE --protocol {name} --connections 20 --hold 0.1 --pid {}", std::process::id());
        let (verdict, report) = broker.bench(&words).unwrap();
        assert_eq!((verdict, &report["alive"]), (Verdict::Clean, &20.into()), "{report:#}");
        assert!(report["memory_each"].is_number(), "{report:#}");
    }
}

#[test]
fn idle_connections_stay_in_tls() {
    let folder = TempDir::new().unwrap();
    let (config, ca) = certificate("localhost", &folder);
    let broker = Broker::start_with(Protocol::Mqtt, Faults::default(), Some(config));
    let words = format!("idle HERE --ca {} --protocol mqtt --connections 10 --hold 0.1", ca.display());
    let (verdict, report) = broker.bench(&words).unwrap();
    assert_eq!(verdict, Verdict::Clean, "{report:#}");
}

#[test]
fn a_storm_resumes_sessions_only_if_it_should() {
    let folder = TempDir::new().unwrap();
    let (config, ca) = certificate("localhost", &folder);
    let broker = Broker::start_with(Protocol::Mqtt, Faults::default(), Some(config));
    for (resume, expected) in [("on", 10..30), ("off", 0..1)] {
        let words = format!(
            "storm HERE --ca {} --protocol mqtt --connections 30 --at-once 2 --resume {resume}",
            ca.display()
        );
        let (verdict, report) = broker.bench(&words).unwrap();
        assert_eq!((verdict, &report["latency"]["count"]), (Verdict::Clean, &30.into()), "{report:#}");
        assert!(expected.contains(&report["resumed"].as_u64().unwrap()), "{report:#}");
    }
    broker.expect_farewells(60);
}

#[test]
fn a_storm_that_is_refused_ends() {
    let broker = Broker::start(Protocol::Stomp, guarded());
    assert!(broker.bench("storm HERE --protocol stomp --connections 30").is_err());
    assert!(bench("storm --address 127.0.0.1:1 --protocol mqtt --connections 0", None).is_err());
}
