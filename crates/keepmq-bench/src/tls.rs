//! TLS as a client: the certificate is always verified, against the CA that was named and for the host that was named.

use std::path::Path;
use std::sync::Arc;

// The one way to TLS in this workspace, although nothing here is asynchronous.
use tokio_rustls::rustls;

use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, HandshakeKind, RootCertStore};

use crate::error::Error;

/// Sessions that are kept for resumption.
const KEPT_SESSIONS: usize = 1024;
/// A file with more certificates holds something else than the CA of a broker.
const MOST_CERTIFICATES: usize = 256;

/// How to open TLS connections to one host.
#[derive(Clone, Debug)]
pub(crate) struct Tls {
    config: Arc<ClientConfig>,
    server: ServerName<'static>,
}

impl Tls {
    /// Trusts the certificates in a PEM file and nobody else.
    pub(crate) fn new(ca: &Path, host: &str, resumes: bool) -> Result<Self, Error> {
        let server = ServerName::try_from(host.to_owned()).map_err(|error| tls_error(host, &error))?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| tls_error(host, &error))?
            .with_root_certificates(roots(ca)?)
            .with_no_client_auth();
        config.resumption =
            if resumes { Resumption::in_memory_sessions(KEPT_SESSIONS) } else { Resumption::disabled() };
        Ok(Self { config: Arc::new(config), server })
    }

    /// A connection that has not said anything yet.
    pub(crate) fn connection(&self) -> Result<ClientConnection, Error> {
        ClientConnection::new(Arc::clone(&self.config), self.server.clone())
            .map_err(|error| tls_error(&self.server.to_str(), &error))
    }

    /// The host that the certificate must name.
    pub(crate) fn host(&self) -> String {
        self.server.to_str().into_owned()
    }
}

/// For an error in setting up or in a handshake.
pub(crate) fn tls_error(host: &str, error: &dyn std::fmt::Display) -> Error {
    Error::Tls { server: host.to_owned(), why: error.to_string() }
}

/// Whether a handshake went the short way.
pub(crate) fn was_resumed(connection: &ClientConnection) -> bool {
    connection.handshake_kind() == Some(HandshakeKind::Resumed)
}

fn roots(ca: &Path) -> Result<RootCertStore, Error> {
    let bad = |why: String| Error::File {
        what: "the CA",
        path: ca.to_owned(),
        why,
        remedy: "it must hold certificates in PEM, and after `keepmq quickstart` it is DIR/tls/ca.pem",
    };
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(ca).map_err(|error| bad(error.to_string()))?;
    for certificate in certificates.take(MOST_CERTIFICATES) {
        let certificate = certificate.map_err(|error| bad(error.to_string()))?;
        roots.add(certificate).map_err(|error| bad(error.to_string()))?;
    }
    if roots.is_empty() { Err(bad("there is no certificate in it".to_owned())) } else { Ok(roots) }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Tls;

    fn error(text: Option<&str>) -> String {
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("ca.pem");
        if let Some(text) = text {
            std::fs::write(&file, text).unwrap();
        }
        Tls::new(&file, "localhost", true).unwrap_err().to_string()
    }

    #[test]
    fn a_file_without_certificates_is_refused_with_the_remedy() {
        for (text, why) in
            [(Some(""), "no certificate"), (Some("hello\n"), "no certificate"), (None, "o such file")]
        {
            let error = error(text);
            assert!(error.contains(why) && error.contains("DIR/tls/ca.pem"), "{error}");
        }
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(error(Some(broken)).contains("can't be used"));
    }

    #[test]
    fn a_host_that_is_no_name_is_refused() {
        let error = Tls::new(Path::new("ca.pem"), "not a name", true).unwrap_err().to_string();
        assert!(error.contains("not a name"), "{error}");
    }
}
