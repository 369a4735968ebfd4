//! TLS: 1.2 and 1.3 only, with a certificate that can be exchanged while connections are open.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{CipherSuite, ServerConfig};

/// Why an identity can't be used.
#[derive(Debug, thiserror::Error)]
#[error("the certificate and its key can't be used: {0}")]
pub struct TlsError(#[from] rustls::Error);

/// The broker's certificate. New handshakes get the newest one; open connections keep theirs.
pub struct Identity {
    current: ArcSwap<CertifiedKey>,
    config: Arc<ServerConfig>,
}

/// Hands out whatever certificate is current.
struct Current(std::sync::OnceLock<std::sync::Weak<Identity>>);

impl Identity {
    /// An identity of a certificate chain and its key.
    pub fn new(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Result<Arc<Self>, TlsError> {
        let provider = Arc::new(provider());
        let key = CertifiedKey::from_der(chain, key, &provider)?;
        let resolver = Arc::new(Current(std::sync::OnceLock::new()));
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&resolver) as _);
        // A stolen early message could be replayed; no protocol here is safe against that.
        config.max_early_data_size = 0;
        config.ticketer = rustls::crypto::aws_lc_rs::Ticketer::new()?;
        let identity = Arc::new(Self { current: ArcSwap::from_pointee(key), config: Arc::new(config) });
        // It was made a line above and nobody else has seen it.
        let _ = resolver.0.set(Arc::downgrade(&identity));
        Ok(identity)
    }

    /// Puts another certificate in the place of the present one, which stays if this one can't be used.
    pub fn replace(
        &self,
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Result<(), TlsError> {
        self.current.store(Arc::new(CertifiedKey::from_der(chain, key, &provider())?));
        Ok(())
    }

    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity")
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.get()?.upgrade()?.current.load_full())
    }
}

impl fmt::Debug for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Current")
    }
}

/// Forward secret AEAD suites only; the provider has no others, and this keeps it so.
fn provider() -> CryptoProvider {
    let mut provider = rustls::crypto::aws_lc_rs::default_provider();
    provider.cipher_suites.retain(|suite| {
        matches!(
            suite.suite(),
            CipherSuite::TLS13_AES_256_GCM_SHA384
                | CipherSuite::TLS13_AES_128_GCM_SHA256
                | CipherSuite::TLS13_CHACHA20_POLY1305_SHA256
                | CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384
                | CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
                | CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
                | CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384
                | CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
                | CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256
        )
    });
    provider
}
