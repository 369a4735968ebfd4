//! Certificates of a CA of one's own, for the first start and for tests of clients. Keys are ECDSA on P-256.

use std::net::IpAddr;

use keepmq_model::Now;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use thiserror::Error;
use time::{Duration, OffsetDateTime};
use zeroize::Zeroizing;

/// How long a CA is good, in days.
pub const CA_DAYS: i64 = 3_650;
/// How long a server's certificate is good, in days: what browsers take, and not a day more.
pub const SERVER_DAYS: i64 = 397;
/// What a machine calls itself.
pub const LOCAL_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// A certificate and its private key, as PEM.
pub struct Identity {
    /// The certificate.
    pub certificate: String,
    /// The private key, in PKCS #8.
    pub key: Zeroizing<String>,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

/// Why a certificate was not made.
#[derive(Debug, Error)]
pub enum CertificateFault {
    /// A certificate is for somebody.
    #[error("a certificate needs at least one name")]
    NoName,
    /// Not a host name and not an address.
    #[error("{0} is not a host name and not an address")]
    Name(String),
    /// The time is out of what certificates can say.
    #[error("the clock is wrong")]
    Clock,
    /// Making or reading it failed.
    #[error("the certificate cannot be made: {0}")]
    Failed(#[from] rcgen::Error),
}

/// Makes a CA of this name.
pub fn make_ca(name: &str, now: Now) -> Result<Identity, CertificateFault> {
    let mut params = params(name, CA_DAYS, now)?;
    // It signs servers and nothing that could sign further.
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    Ok(Identity { certificate: certificate.pem(), key: Zeroizing::new(key.serialize_pem()) })
}

/// Makes a server's certificate for these host names and addresses, signed by a CA. The first name is its subject.
pub fn issue_server(ca: &Identity, names: &[&str], now: Now) -> Result<Identity, CertificateFault> {
    let first = names.first().ok_or(CertificateFault::NoName)?;
    let mut params = params(first, SERVER_DAYS, now)?;
    params.subject_alt_names = names.iter().map(|name| alternative(name)).collect::<Result<_, _>>()?;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let issuer = Issuer::from_ca_cert_pem(&ca.certificate, KeyPair::from_pem(&ca.key)?)?;
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, &issuer)?;
    Ok(Identity { certificate: certificate.pem(), key: Zeroizing::new(key.serialize_pem()) })
}

fn params(name: &str, days: i64, now: Now) -> Result<CertificateParams, CertificateFault> {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "KeepMQ");
    params.distinguished_name.push(DnType::CommonName, name);
    let seconds = i64::try_from(now.unix_ms / 1_000).map_err(|_| CertificateFault::Clock)?;
    let now = OffsetDateTime::from_unix_timestamp(seconds).map_err(|_| CertificateFault::Clock)?;
    // Clocks of clients may be behind.
    params.not_before = now.checked_sub(Duration::HOUR).ok_or(CertificateFault::Clock)?;
    params.not_after = now.checked_add(Duration::days(days)).ok_or(CertificateFault::Clock)?;
    Ok(params)
}

fn alternative(name: &str) -> Result<SanType, CertificateFault> {
    if let Ok(address) = name.parse::<IpAddr>() {
        return Ok(SanType::IpAddress(address));
    }
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let wrong = || CertificateFault::Name(name.escape_default().take(100).collect());
    // A wildcard may stand for the first label of several.
    let rest = name.strip_prefix("*.").filter(|rest| rest.contains('.')).unwrap_or(name);
    if name.len() > 253 || !rest.split('.').all(label) {
        return Err(wrong());
    }
    Ok(SanType::DnsName(name.try_into().map_err(|_| wrong())?))
}

#[cfg(test)]
mod tests;
