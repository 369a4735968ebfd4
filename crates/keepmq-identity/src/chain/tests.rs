use std::os::unix::fs::PermissionsExt;

use proptest::prelude::*;

use super::*;
use crate::certificate::{Identity, LOCAL_NAMES, issue_server, make_ca};

fn now() -> Now {
    Now { mono_ms: 0, unix_ms: 1_764_000_000_000 }
}

fn later(days: u64) -> Now {
    Now { mono_ms: 0, unix_ms: now().unix_ms + days * 86_400_000 }
}

fn pair() -> (Identity, Identity) {
    let ca = make_ca("Test CA", now()).unwrap();
    let server = issue_server(&ca, &LOCAL_NAMES, now()).unwrap();
    (ca, server)
}

fn fault(certificate: &str, key: &str, now: Now) -> ChainFault {
    parse(certificate.as_bytes(), key.as_bytes(), now).unwrap_err()
}

#[test]
fn a_whole_chain_is_read() {
    let (ca, server) = pair();
    let both = format!("{}{}", server.certificate, ca.certificate);
    let chain = parse(both.as_bytes(), server.key.as_bytes(), now()).unwrap();
    assert_eq!(chain.certificates.len(), 2);
    assert_eq!(chain.facts.fingerprint, fingerprint(&server.certificate).unwrap());
    assert_eq!(chain.facts.fingerprint.len(), 32 * 3 - 1);
}

#[test]
fn a_key_of_another_certificate_is_refused() {
    let ((ca, server), (_, other)) = (pair(), pair());
    assert!(matches!(fault(&server.certificate, &other.key, now()), ChainFault::OtherKey));
    assert!(matches!(fault(&server.certificate, &ca.key, now()), ChainFault::OtherKey));
}

#[test]
fn a_certificate_is_good_in_its_time_only() {
    let (_, server) = pair();
    let at = |now| parse(server.certificate.as_bytes(), server.key.as_bytes(), now);
    assert!(matches!(at(later(398)), Err(ChainFault::Expired(who)) if who.contains("localhost")));
    let before = Now { mono_ms: 0, unix_ms: now().unix_ms - 2 * 3_600_000 };
    assert!(matches!(at(before), Err(ChainFault::NotYet(_))));
    for (days, left, soon) in
        [(0, 397, false), (300, 97, false), (367, 30, false), (368, 29, true), (397, 0, true)]
    {
        let facts = at(later(days)).unwrap().facts;
        assert_eq!((facts.days_left, facts.ends_soon()), (left, soon), "{days}");
    }
}

#[test]
fn the_first_of_a_chain_to_end_counts() {
    let ca = make_ca("Test CA", now()).unwrap();
    let server = issue_server(&ca, &LOCAL_NAMES, later(3_500)).unwrap();
    let both = format!("{}{}", server.certificate, ca.certificate);
    let chain = parse(both.as_bytes(), server.key.as_bytes(), later(3_500)).unwrap();
    assert_eq!(chain.facts.days_left, 150);
}

#[test]
fn a_chain_in_the_wrong_order_is_refused() {
    let ((ca, server), (other, _)) = (pair(), pair());
    let reversed = format!("{}{}", ca.certificate, server.certificate);
    assert!(matches!(fault(&reversed, &server.key, now()), ChainFault::CaFirst));
    let doubled = format!("{}{}", server.certificate, server.certificate);
    assert!(matches!(fault(&doubled, &server.key, now()), ChainFault::Order(_)));
    // A CA of the same name with another key can only be told by its signature, which clients check.
    let namesake = format!("{}{}", server.certificate, other.certificate);
    assert!(parse(namesake.as_bytes(), server.key.as_bytes(), now()).is_ok());
}

#[test]
fn what_is_not_there_or_not_pem_is_told_of() {
    let (_, server) = pair();
    assert!(matches!(fault("", &server.key, now()), ChainFault::NoCertificate));
    assert!(matches!(fault(&server.key, &server.key, now()), ChainFault::NoCertificate));
    assert!(matches!(fault(&server.certificate, "", now()), ChainFault::NoKey));
    assert!(matches!(fault(&server.certificate, &server.certificate, now()), ChainFault::NoKey));
    let locked = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    assert!(matches!(fault(&server.certificate, locked, now()), ChainFault::NoKey));
    let nonsense = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    assert!(matches!(fault(&server.certificate, nonsense, now()), ChainFault::KindOfKey));
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert!(matches!(fault(broken, &server.key, now()), ChainFault::NoCertificate));
}

#[test]
fn a_chain_has_a_bound() {
    let (_, server) = pair();
    assert!(matches!(fault(&server.certificate.repeat(11), &server.key, now()), ChainFault::TooMany));
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let (_, server) = pair();
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (folder.path().join("server.pem"), folder.path().join("server.key"));
    private::write_new_public(&certificate, server.certificate.as_bytes()).unwrap();
    private::write_new(&key, server.key.as_bytes()).unwrap();
    assert!(read(&certificate, &key, now()).is_ok());
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let fault = read(&certificate, &key, now()).unwrap_err();
    assert!(matches!(&fault, ChainFault::File(path, Exposure::Open(0o644)) if *path == key));
    assert!(fault.to_string().ends_with("server.key can be used by others than its owner (mode 0644)"));
}

#[test]
fn a_key_is_never_printed() {
    let (_, server) = pair();
    let chain = parse(server.certificate.as_bytes(), server.key.as_bytes(), now()).unwrap();
    assert!(format!("{:?}", chain.key).contains("secret key elided"));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>, changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let _ = parse(&bytes, &bytes, now());
        // A certificate whose inside is changed, not only its envelope.
        let ca = "MIIBpTCCAUugAwIBAgIUQ";
        let mut text = format!("-----BEGIN CERTIFICATE-----\n{ca}\n-----END CERTIFICATE-----\n").into_bytes();
        for (at, byte) in changes {
            let at = at.index(text.len());
            text[at] = byte;
        }
        let _ = parse(&text, &bytes, now());
    }

    #[test]
    fn a_changed_certificate_never_panics(at: prop::sample::Index, byte: u8) {
        use base64ct::{Base64, Encoding};
        use std::sync::LazyLock;
        static PAIR: LazyLock<(Identity, Identity)> = LazyLock::new(pair);
        let server = &PAIR.1;
        let mut der = CertificateDer::from_pem_slice(server.certificate.as_bytes()).unwrap().to_vec();
        let at = at.index(der.len());
        der[at] = byte;
        let pem = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", Base64::encode_string(&der));
        let _ = parse(pem.as_bytes(), server.key.as_bytes(), now());
    }
}
