//! TLS at a listener.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use keepmq_net::{Bounds, Identity};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::server::{Server, Wanted};

type Pair = (CertificateDer<'static>, PrivateKeyDer<'static>);

fn certificate() -> Pair {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    (made.cert.der().clone(), key)
}

fn client(
    server: &Server,
    trusted: &CertificateDer<'static>,
    version: &'static rustls::SupportedProtocolVersion,
) -> std::io::Result<StreamOwned<ClientConnection, TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let socket = TcpStream::connect(server.address)?;
    socket.set_read_timeout(Some(Duration::from_secs(20)))?;
    let mut stream = StreamOwned::new(connection, socket);
    stream.write_all(b"LOGIN u\n")?;
    let mut answer = [0; 10];
    stream.read_exact(&mut answer)?;
    assert_eq!(&answer, b"WELCOME u\n");
    Ok(stream)
}

fn start(pair: Pair) -> (Server, Arc<Identity>) {
    let identity = Identity::new(vec![pair.0], pair.1).unwrap();
    let tls = Some(Arc::clone(&identity));
    (Server::start(Wanted { tls, ..Wanted::default() }), identity)
}

#[test]
fn both_versions_of_tls_are_spoken() {
    let pair = certificate();
    let trusted = pair.0.clone();
    let (server, _) = start(pair);
    client(&server, &trusted, &rustls::version::TLS12).unwrap();
    client(&server, &trusted, &rustls::version::TLS13).unwrap();
}

#[test]
fn a_new_certificate_is_used_for_the_next_connection_and_open_ones_go_on() {
    let pair = certificate();
    let old = pair.0.clone();
    let (server, identity) = start(pair);
    let mut open = client(&server, &old, &rustls::version::TLS13).unwrap();
    let (new, key) = certificate();
    identity.replace(vec![new.clone()], key).unwrap();
    client(&server, &new, &rustls::version::TLS13).unwrap();
    assert!(client(&server, &old, &rustls::version::TLS13).is_err());
    open.write_all(b"QUIT\n").unwrap();
    let mut answer = [0; 4];
    open.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"BYE\n");
}

#[test]
fn a_pair_that_does_not_fit_keeps_the_old_certificate() {
    let pair = certificate();
    let old = pair.0.clone();
    let (server, identity) = start(pair);
    let (certificate_of_another, _) = certificate();
    let (_, key) = certificate();
    assert!(identity.replace(vec![certificate_of_another], key).is_err());
    client(&server, &old, &rustls::version::TLS13).unwrap();
}

#[test]
fn a_stranger_who_stops_in_the_handshake_is_closed() {
    let pair = certificate();
    let identity = Identity::new(vec![pair.0], pair.1).unwrap();
    let bounds = Bounds { login_ms: 50, ..Bounds::default() };
    let server = Server::start(Wanted { tls: Some(identity), bounds, ..Wanted::default() });
    let mut stream = TcpStream::connect(server.address).unwrap();
    // The first bytes of a handshake record, and then nothing.
    stream.write_all(&[22, 3, 1, 2, 0, 1, 0]).unwrap();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
}

#[test]
fn plain_bytes_at_a_tls_listener_reach_no_session() {
    let (server, _) = start(certificate());
    let mut plain = server.connect();
    plain.say("LOGIN u");
    let heard = plain.hear().unwrap_or_default();
    assert!(!heard.contains("WELCOME"));
}
