//! The certificates that are made hold in real TLS handshakes, done in memory: no socket, no clock.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use keepmq_identity::certificate::{Identity, LOCAL_NAMES, issue_server, make_ca};
use keepmq_identity::chain::{Chain, parse};
use keepmq_model::Now;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::version::{TLS12, TLS13};
use rustls::{
    ClientConfig, ClientConnection, Error, ProtocolVersion, RootCertStore, ServerConfig, ServerConnection,
    SupportedProtocolVersion,
};

/// A day in November 2025.
const DAY: Now = Now { mono_ms: 0, unix_ms: 1_764_000_000_000 };

/// A clock that stands still.
#[derive(Debug)]
struct Still(u64);

impl TimeProvider for Still {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(std::time::Duration::from_millis(self.0)))
    }
}

fn chain(identity: &Identity) -> Chain {
    parse(identity.certificate.as_bytes(), identity.key.as_bytes(), DAY).unwrap()
}

fn server(chain: Chain) -> ServerConnection {
    let config =
        ServerConfig::builder_with_details(Arc::new(default_provider()), Arc::new(Still(DAY.unix_ms)))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain.certificates, chain.key)
            .unwrap();
    ServerConnection::new(Arc::new(config)).unwrap()
}

fn client(
    ca: &Identity,
    name: &'static str,
    at: Now,
    versions: &[&'static SupportedProtocolVersion],
) -> ClientConnection {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca.certificate.as_bytes()).unwrap()).unwrap();
    let config =
        ClientConfig::builder_with_details(Arc::new(default_provider()), Arc::new(Still(at.unix_ms)))
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
    ClientConnection::new(Arc::new(config), ServerName::try_from(name).unwrap()).unwrap()
}

/// Carries the bytes to and fro until both are content or one is not.
fn shake(client: &mut ClientConnection, server: &mut ServerConnection) -> Result<ProtocolVersion, Error> {
    while client.is_handshaking() || server.is_handshaking() {
        let mut wire = Vec::new();
        client.write_tls(&mut wire).unwrap();
        server.read_tls(&mut wire.as_slice()).unwrap();
        server.process_new_packets()?;
        let mut wire = Vec::new();
        server.write_tls(&mut wire).unwrap();
        client.read_tls(&mut wire.as_slice()).unwrap();
        client.process_new_packets()?;
    }
    Ok(client.protocol_version().unwrap())
}

fn both() -> (Identity, Identity) {
    let ca = make_ca("Test CA", DAY).unwrap();
    let server = issue_server(&ca, &LOCAL_NAMES, DAY).unwrap();
    (ca, server)
}

#[test]
fn a_client_that_trusts_the_ca_connects_under_every_name() {
    let (ca, identity) = both();
    for name in LOCAL_NAMES {
        for (version, wanted) in [(&TLS12, ProtocolVersion::TLSv1_2), (&TLS13, ProtocolVersion::TLSv1_3)] {
            let (mut client, mut server) = (client(&ca, name, DAY, &[version]), server(chain(&identity)));
            assert_eq!(shake(&mut client, &mut server), Ok(wanted), "{name}");
        }
    }
}

#[test]
fn a_client_that_trusts_another_ca_does_not_connect() {
    let ((_, identity), (other, _)) = (both(), both());
    let (mut client, mut server) = (client(&other, "localhost", DAY, &[&TLS13]), server(chain(&identity)));
    assert!(matches!(shake(&mut client, &mut server), Err(Error::InvalidCertificate(_))));
}

#[test]
fn a_client_that_looks_for_another_name_does_not_connect() {
    let (ca, identity) = both();
    for name in ["example.org", "127.0.0.2", "::2", "localhost.localdomain"] {
        let (mut client, mut server) = (client(&ca, name, DAY, &[&TLS13]), server(chain(&identity)));
        assert!(matches!(shake(&mut client, &mut server), Err(Error::InvalidCertificate(_))), "{name}");
    }
}

#[test]
fn a_client_of_a_later_year_does_not_connect() {
    let (ca, identity) = both();
    let later = Now { unix_ms: DAY.unix_ms + 398 * 86_400_000, ..DAY };
    let (mut client, mut server) = (client(&ca, "localhost", later, &[&TLS13]), server(chain(&identity)));
    assert!(matches!(shake(&mut client, &mut server), Err(Error::InvalidCertificate(_))));
}

#[test]
fn a_client_whose_clock_is_half_an_hour_behind_connects() {
    let (ca, identity) = both();
    let behind = Now { unix_ms: DAY.unix_ms - 30 * 60_000, ..DAY };
    let (mut client, mut server) = (client(&ca, "localhost", behind, &[&TLS13]), server(chain(&identity)));
    assert!(shake(&mut client, &mut server).is_ok());
}

#[test]
fn a_servers_certificate_signs_no_others() {
    let (ca, identity) = both();
    // Whoever stole a server's key would do this.
    let forged = issue_server(&identity, &["example.org"], DAY).unwrap();
    let with_issuer = format!("{}{}", forged.certificate, identity.certificate);
    let chain = parse(with_issuer.as_bytes(), forged.key.as_bytes(), DAY).unwrap();
    let (mut client, mut server) = (client(&ca, "example.org", DAY, &[&TLS13]), server(chain));
    assert!(matches!(shake(&mut client, &mut server), Err(Error::InvalidCertificate(_))));
}

#[test]
fn a_renewed_certificate_is_trusted_by_who_trusts_the_ca() {
    let (ca, _) = both();
    let later = Now { unix_ms: DAY.unix_ms + 390 * 86_400_000, ..DAY };
    let renewed = issue_server(&ca, &["broker.example.org"], later).unwrap();
    let chain = parse(renewed.certificate.as_bytes(), renewed.key.as_bytes(), later).unwrap();
    let (mut client, mut server) = (client(&ca, "broker.example.org", later, &[&TLS13]), server(chain));
    assert!(shake(&mut client, &mut server).is_ok());
}
