use x509_parser::prelude::{FromDer, X509Certificate};

use super::*;
use crate::chain::{fingerprint, parse};

fn now() -> Now {
    Now { mono_ms: 0, unix_ms: 1_764_000_000_000 }
}

fn later(days: u64) -> Now {
    Now { mono_ms: 0, unix_ms: now().unix_ms + days * 86_400_000 }
}

fn der(pem: &str) -> Vec<u8> {
    use rustls::pki_types::pem::PemObject;
    rustls::pki_types::CertificateDer::from_pem_slice(pem.as_bytes()).unwrap().to_vec()
}

#[test]
fn a_server_is_signed_by_its_ca_and_named_by_all_its_names() {
    let ca = make_ca("Test CA", now()).unwrap();
    let server = issue_server(&ca, &LOCAL_NAMES, now()).unwrap();
    let chain = parse(server.certificate.as_bytes(), server.key.as_bytes(), now()).unwrap();
    assert_eq!(chain.facts.names, ["localhost", "127.0.0.1", "::1"]);
    assert_eq!(chain.facts.subject, "O=KeepMQ, CN=localhost");
    assert_eq!(chain.facts.issuer, "O=KeepMQ, CN=Test CA");
    assert_eq!(chain.facts.days_left, SERVER_DAYS);
}

#[test]
fn a_ca_signs_servers_and_nothing_else() {
    let ca = make_ca("Test CA", now()).unwrap();
    let der = der(&ca.certificate);
    let (_, certificate) = X509Certificate::from_der(&der).unwrap();
    let constraints = certificate.basic_constraints().unwrap().unwrap().value;
    assert!(constraints.ca && constraints.path_len_constraint == Some(0));
    let usage = certificate.key_usage().unwrap().unwrap().value;
    assert!(usage.key_cert_sign() && !usage.digital_signature());
    let validity = certificate.validity();
    assert_eq!((validity.not_after.timestamp() - validity.not_before.timestamp() - 3_600) / 86_400, CA_DAYS);
}

#[test]
fn a_server_serves_and_signs_nothing() {
    let ca = make_ca("Test CA", now()).unwrap();
    let server = issue_server(&ca, &["broker.example.org"], now()).unwrap();
    let der = der(&server.certificate);
    let (_, certificate) = X509Certificate::from_der(&der).unwrap();
    assert!(!certificate.is_ca());
    let usage = certificate.extended_key_usage().unwrap().unwrap().value;
    assert!(usage.server_auth && !usage.client_auth);
    let validity = certificate.validity();
    assert!(validity.not_after.timestamp() - validity.not_before.timestamp() <= 398 * 86_400);
}

/// The same judgement that clients of rustls make.
#[test]
fn a_client_that_trusts_the_ca_accepts_the_server_under_its_names_only() {
    use rustls::client::danger::ServerCertVerifier as _;
    use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
    let ca = make_ca("Test CA", now()).unwrap();
    let server = issue_server(&ca, &LOCAL_NAMES, now()).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from(der(&ca.certificate))).unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier =
        rustls::client::WebPkiServerVerifier::builder_with_provider(roots.into(), provider).build().unwrap();
    let server = CertificateDer::from(der(&server.certificate));
    let accepts = |name: &str, at: Now| {
        let time = UnixTime::since_unix_epoch(std::time::Duration::from_millis(at.unix_ms));
        let name = ServerName::try_from(name.to_owned()).unwrap();
        verifier.verify_server_cert(&server, &[], &name, &[], time).is_ok()
    };
    for name in LOCAL_NAMES {
        assert!(accepts(name, now()), "{name}");
    }
    assert!(!accepts("example.org", now()) && !accepts("127.0.0.2", now()));
    assert!(accepts("localhost", later(396)) && !accepts("localhost", later(398)));
}

#[test]
fn a_ca_issues_again_after_it_was_written_and_read() {
    let ca = make_ca("Test CA", now()).unwrap();
    let read = Identity { certificate: ca.certificate.clone(), key: ca.key.clone() };
    let one = issue_server(&read, &LOCAL_NAMES, now()).unwrap();
    let two = issue_server(&read, &LOCAL_NAMES, later(300)).unwrap();
    assert_ne!(fingerprint(&one.certificate), fingerprint(&two.certificate));
    assert!(parse(two.certificate.as_bytes(), two.key.as_bytes(), later(500)).is_ok());
}

#[test]
fn names_are_host_names_or_addresses() {
    let ca = make_ca("Test CA", now()).unwrap();
    for good in ["broker", "a-b.example.org", "*.example.org", "10.0.0.1", "fd00::1", "xn--bcher-kva.example"]
    {
        assert!(issue_server(&ca, &[good], now()).is_ok(), "{good}");
    }
    let long = "a".repeat(64);
    for bad in [
        "",
        "a b",
        "a_b",
        "-a.org",
        "a..b",
        "*",
        "*.org",
        "a.*.org",
        "bücher.example",
        "10.0.0.1:8883",
        "a\0b",
        &long,
    ] {
        assert!(matches!(issue_server(&ca, &[bad], now()), Err(CertificateFault::Name(_))), "{bad}");
    }
    assert!(matches!(issue_server(&ca, &[], now()), Err(CertificateFault::NoName)));
}

#[test]
fn a_clock_beyond_all_calendars_is_told_of() {
    let never = Now { mono_ms: 0, unix_ms: u64::MAX };
    assert!(matches!(make_ca("Test CA", never), Err(CertificateFault::Clock)));
}

#[test]
fn a_key_is_never_printed() {
    let ca = make_ca("Test CA", now()).unwrap();
    assert!(!format!("{ca:?}").contains("PRIVATE KEY"));
    assert!(ca.key.contains("PRIVATE KEY"));
}
