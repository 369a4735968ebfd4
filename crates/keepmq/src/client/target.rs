//! Which broker, and as whom.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use clap::Args;
use keepmq_config::{Config, Listener, Protocol};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};

use super::connection::Connection;
use crate::credentials::Credentials;

/// Which broker, and as whom.
#[derive(Clone, Debug, Args)]
pub(crate) struct Target {
    /// The folder of a broker on this machine: its STOMP listener, CA and first user are used.
    #[arg(long, value_name = "DIR", default_value = "keepmq-data")]
    dir: PathBuf,
    /// A broker elsewhere: stomp+ssl://HOST:PORT, or stomp://HOST:PORT on this machine.
    #[arg(long, value_name = "URL", requires = "credentials")]
    url: Option<String>,
    /// PEM file with the CA that signed the broker's certificate.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// File with the lines KEEPMQ_USER=... and KEEPMQ_PASSWORD=..., for its owner only.
    #[arg(long, value_name = "FILE")]
    credentials: Option<PathBuf>,
}

impl Target {
    /// Connects and logs in.
    pub(crate) fn connect(&self) -> anyhow::Result<Connection> {
        let credentials = self.credentials.clone().unwrap_or_else(|| self.dir.join("credentials"));
        let credentials = Credentials::read(&credentials)?;
        let (host, port, tls) = match &self.url {
            Some(url) => split(url)?,
            None => self.local()?,
        };
        let secured = tls.then(|| self.tls(&host)).transpose()?;
        let connection = Connection::open(&host, port, secured)
            .with_context(|| format!("{host}:{port} can't be reached"))?;
        connection.login(&host, &credentials)
    }

    /// The STOMP listener of the folder's configuration; one with TLS if there are several.
    fn local(&self) -> anyhow::Result<(String, u16, bool)> {
        let config = match keepmq_config::load(&self.dir) {
            Ok(loaded) => loaded.config,
            Err(report) => bail!("{}", report.to_string().trim_end()),
        };
        let Some(listener) = stomp_listener(&config) else {
            bail!("{} has no STOMP listener; name a broker with --url", self.dir.display());
        };
        Ok((listener.address.ip().to_string(), listener.address.port(), listener.tls))
    }

    fn tls(&self, host: &str) -> anyhow::Result<(Arc<ClientConfig>, ServerName<'static>)> {
        let ca = self.ca.clone().unwrap_or_else(|| self.dir.join("tls/ca.pem"));
        let name =
            ServerName::try_from(host.to_owned()).with_context(|| format!("{host} is no host name"))?;
        Ok((Arc::new(client_config(&ca)?), name))
    }
}

fn stomp_listener(config: &Config) -> Option<&Listener> {
    let mut spoken = config.listeners.iter().filter(|listener| listener.protocol == Protocol::Stomp);
    let first = spoken.clone().next();
    spoken.find(|listener| listener.tls).or(first)
}

/// Trusts this CA and nobody else.
fn client_config(ca: &Path) -> anyhow::Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(ca).with_context(|| ca.display().to_string())?;
    for certificate in certificates {
        roots.add(certificate.with_context(|| ca.display().to_string())?)?;
    }
    if roots.is_empty() {
        bail!("{} holds no certificate", ca.display());
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

fn split(url: &str) -> anyhow::Result<(String, u16, bool)> {
    let (rest, tls) = match (url.strip_prefix("stomp+ssl://"), url.strip_prefix("stomp://")) {
        (Some(rest), _) => (rest, true),
        (None, Some(rest)) => (rest, false),
        (None, None) => bail!("{url} is no broker: write stomp+ssl://HOST:PORT"),
    };
    let (host, port) = rest.trim_end_matches('/').rsplit_once(':').context("the port is missing")?;
    let port = port.parse().with_context(|| format!("{port} is no port"))?;
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    if !tls && !is_loopback(&host) {
        bail!("without TLS the password could be read on the way; write stomp+ssl://");
    }
    Ok((host, port, tls))
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_whether_it_is_encrypted() {
        assert_eq!(split("stomp+ssl://broker:61614").unwrap(), ("broker".to_owned(), 61614, true));
        assert_eq!(split("stomp://127.0.0.1:61613/").unwrap(), ("127.0.0.1".to_owned(), 61613, false));
        assert_eq!(split("stomp+ssl://[::1]:1").unwrap(), ("::1".to_owned(), 1, true));
        for wrong in ["broker:61614", "http://a:1", "stomp+ssl://broker", "stomp+ssl://broker:x"] {
            assert!(split(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn no_password_leaves_the_machine_in_plain() {
        assert!(split("stomp://broker.example:61613").unwrap_err().to_string().contains("stomp+ssl"));
    }
}
