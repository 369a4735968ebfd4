//! Reads a server's certificate with its key, and looks whether they can be used.

use std::path::{Path, PathBuf};

use keepmq_config::private::{self, Exposure, Readers};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use thiserror::Error;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use keepmq_model::Now;

/// Largest file that is read.
const MOST_BYTES: usize = 1 << 20;
/// Most certificates of a chain.
const MOST_CERTIFICATES: usize = 10;
/// A certificate that ends so soon is worth a warning.
pub const SOON_DAYS: i64 = 30;

/// A chain of certificates with the key of its first, ready to be shown.
#[derive(Debug)]
pub struct Chain {
    /// The server's certificate, and those between it and the root.
    pub certificates: Vec<CertificateDer<'static>>,
    /// The private key of the first.
    pub key: PrivateKeyDer<'static>,
    /// What people want to know of it.
    pub facts: Facts,
}

/// What people want to know of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Whom it is about.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// The host names and addresses that it is good for.
    pub names: Vec<String>,
    /// Whole days that the one of the chain that ends first is still good.
    pub days_left: i64,
    /// The SHA-256 fingerprint of the server's certificate.
    pub fingerprint: String,
}

impl Facts {
    /// Whether it has to be renewed soon.
    pub fn ends_soon(&self) -> bool {
        self.days_left < SOON_DAYS
    }
}

/// Why a certificate cannot be used.
#[derive(Debug, Error)]
pub enum ChainFault {
    /// A file.
    #[error("{path} {exposure}", path = .0.display(), exposure = .1)]
    File(PathBuf, Exposure),
    /// No certificate in PEM.
    #[error("there is no certificate in PEM in it, or a broken one")]
    NoCertificate,
    /// Too many certificates.
    #[error("there are more than {MOST_CERTIFICATES} certificates in it")]
    TooMany,
    /// No private key in PEM.
    #[error("there is no private key in PEM in it, or a broken one, or one with a password")]
    NoKey,
    /// The key is another one's.
    #[error("the private key does not belong to the first certificate of the chain")]
    OtherKey,
    /// The key is of a kind that is not used.
    #[error("the private key is of a kind that is not used here; use ECDSA, Ed25519 or RSA")]
    KindOfKey,
    /// It is over.
    #[error("the certificate of {0} has expired")]
    Expired(String),
    /// It has not begun.
    #[error("the certificate of {0} is not valid yet")]
    NotYet(String),
    /// One of the chain was not signed by the next.
    #[error("the chain is broken: {0} was signed by another than the one that follows it")]
    Order(String),
    /// The first is a CA's.
    #[error("the first certificate is a CA's; the server's own comes first")]
    CaFirst,
    /// No name that a client could compare with.
    #[error("the certificate names no host and no address")]
    NoNames,
}

/// Reads a certificate and its key out of their files.
pub fn read(certificate: &Path, key: &Path, now: Now) -> Result<Chain, ChainFault> {
    let of = |path: &Path, readers| {
        private::read(path, readers, MOST_BYTES)
            .map_err(|exposure| ChainFault::File(path.to_owned(), exposure))
    };
    parse(&of(certificate, Readers::Anybody)?, &of(key, Readers::Owner)?, now)
}

/// Reads a certificate and its key out of PEM.
pub fn parse(certificate: &[u8], key: &[u8], now: Now) -> Result<Chain, ChainFault> {
    let mut certificates = Vec::new();
    for one in CertificateDer::pem_slice_iter(certificate) {
        certificates.push(one.map_err(|_| ChainFault::NoCertificate)?);
        if certificates.len() > MOST_CERTIFICATES {
            return Err(ChainFault::TooMany);
        }
    }
    let facts = judge(&certificates, now)?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| ChainFault::NoKey)?;
    check_key(&certificates, &key)?;
    Ok(Chain { certificates, key, facts })
}

/// The SHA-256 fingerprint of the first certificate of a PEM, as browsers show it; `None` when there is none.
pub fn fingerprint(pem: &str) -> Option<String> {
    CertificateDer::from_pem_slice(pem.as_bytes()).ok().map(|certificate| fingerprint_of(&certificate))
}

fn fingerprint_of(certificate: &CertificateDer<'_>) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, certificate);
    digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
}

fn judge(certificates: &[CertificateDer<'_>], now: Now) -> Result<Facts, ChainFault> {
    let parse = |der| match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Ok(certificate),
        _ => Err(ChainFault::NoCertificate),
    };
    let parsed = certificates.iter().map(|der| parse(der)).collect::<Result<Vec<_>, _>>()?;
    let (first, der) = parsed.first().zip(certificates.first()).ok_or(ChainFault::NoCertificate)?;
    if first.is_ca() {
        return Err(ChainFault::CaFirst);
    }
    for pair in parsed.windows(2) {
        if let [one, next] = pair
            && one.issuer() != next.subject()
        {
            return Err(ChainFault::Order(one.subject().to_string()));
        }
    }
    let mut days_left = i64::MAX;
    for certificate in &parsed {
        days_left = days_left.min(days_of(certificate, now)?);
    }
    let names = names(first);
    if names.is_empty() {
        return Err(ChainFault::NoNames);
    }
    let (subject, issuer) = (first.subject().to_string(), first.issuer().to_string());
    Ok(Facts { subject, issuer, names, days_left, fingerprint: fingerprint_of(der) })
}

fn days_of(certificate: &X509Certificate<'_>, now: Now) -> Result<i64, ChainFault> {
    let now = i64::try_from(now.unix_ms / 1_000).unwrap_or(i64::MAX);
    let (from, to) =
        (certificate.validity().not_before.timestamp(), certificate.validity().not_after.timestamp());
    if now < from {
        return Err(ChainFault::NotYet(certificate.subject().to_string()));
    }
    if now > to {
        return Err(ChainFault::Expired(certificate.subject().to_string()));
    }
    Ok((to - now) / 86_400)
}

fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(extension)) = certificate.subject_alternative_name() else { return Vec::new() };
    let name = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(host) => Some((*host).to_owned()),
        GeneralName::IPAddress(bytes) => address(bytes),
        _ => None,
    };
    extension.value.general_names.iter().filter_map(name).collect()
}

fn address(bytes: &[u8]) -> Option<String> {
    let v4 = <[u8; 4]>::try_from(bytes).map(std::net::IpAddr::from);
    let v6 = || <[u8; 16]>::try_from(bytes).map(std::net::IpAddr::from);
    v4.or_else(|_| v6()).ok().map(|address| address.to_string())
}

fn check_key(
    certificates: &[CertificateDer<'static>],
    key: &PrivateKeyDer<'static>,
) -> Result<(), ChainFault> {
    let signer =
        rustls::crypto::aws_lc_rs::sign::any_supported_type(key).map_err(|_| ChainFault::KindOfKey)?;
    match CertifiedKey::new(certificates.to_vec(), signer).keys_match() {
        Ok(()) => Ok(()),
        Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::KeyMismatch)) => {
            Err(ChainFault::OtherKey)
        }
        Err(_) => Err(ChainFault::KindOfKey),
    }
}

#[cfg(test)]
mod tests;
