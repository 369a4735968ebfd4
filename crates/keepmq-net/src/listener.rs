//! Listeners: who may come in, and how.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use keepmq_config::Ingress;
use keepmq_core::{Audit, AuditEvent, Gate};
use keepmq_model::Session;
use parking_lot::Mutex;
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::clock::Clock;
use crate::connection::{Connection, Shared};
use crate::login::Verifier;
use crate::slots::{Slot, Slots};
use crate::tasks::Tasks;
use crate::tls::Identity;

/// Connections that the operating system holds for us until we take them.
const BACKLOG: i32 = 1024;
/// How often the same reason for turning connections away is recorded.
const REJECTIONS_EVERY_MS: u64 = 10_000;
/// Idle time after which the operating system asks whether the peer is still there.
const KEEPALIVE: Duration = Duration::from_mins(2);

/// Makes the session for a new connection, which has this number.
pub type Sessions = Arc<dyn Fn(u64) -> Box<dyn Session> + Send + Sync>;

/// Bounds on each connection of a listener.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// From the first byte to the end of the login, TLS included, in milliseconds.
    pub login_ms: u64,
    /// How long a peer may take nothing of what is sent to it, in milliseconds.
    pub stall_ms: u64,
    /// A login is refused no sooner than so long after it came, in milliseconds.
    pub refuse_after_ms: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { login_ms: 10_000, stall_ms: 60_000, refuse_after_ms: 500 }
    }
}

/// Why a listener can't be opened.
#[derive(Debug, thiserror::Error)]
#[error("listener {name}: {address} can't be opened: {cause}")]
pub struct ListenerError {
    /// The listener.
    pub name: String,
    /// Where it should listen.
    pub address: SocketAddr,
    /// What the operating system said.
    pub cause: io::Error,
}

/// Who may connect to a listener, exchangeable while it listens.
#[derive(Clone, Debug)]
pub struct Rules(Arc<ArcSwap<Ingress>>);

impl Rules {
    /// These rules.
    pub fn new(ingress: Ingress) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(ingress)))
    }

    /// Puts others in force, for the next connection.
    pub fn set(&self, ingress: Ingress) {
        self.0.store(Arc::new(ingress));
    }

    fn admit(&self, source: IpAddr) -> bool {
        self.0.load().admits(source)
    }
}

/// One address at which one protocol is spoken.
pub struct Listener {
    /// Its name, as configured.
    pub name: Arc<str>,
    /// Who may connect.
    pub ingress: Rules,
    /// TLS from the first byte; plain when absent.
    pub tls: Option<Arc<Identity>>,
    /// Its places.
    pub slots: Arc<Slots>,
    /// Bounds on each connection.
    pub bounds: Bounds,
    /// What is spoken.
    pub sessions: Sessions,
    /// The broker.
    pub gate: Arc<Gate>,
    /// Who checks logins.
    pub verifier: Verifier,
    /// Where refusals are recorded.
    pub audit: Audit,
    /// The broker's tasks.
    pub tasks: Tasks,
}

impl Listener {
    /// Opens a listening socket. Nothing is taken from it before [`Self::serve`].
    pub fn open(name: &str, address: SocketAddr) -> Result<std::net::TcpListener, ListenerError> {
        let open = || -> io::Result<std::net::TcpListener> {
            let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
            socket.set_reuse_address(true)?;
            if address.is_ipv6() {
                socket.set_only_v6(true)?;
            }
            socket.set_nonblocking(true)?;
            socket.bind(&address.into())?;
            socket.listen(BACKLOG)?;
            Ok(socket.into())
        };
        open().map_err(|cause| ListenerError { name: name.to_owned(), address, cause })
    }

    /// Takes connections from a socket until everything ends.
    pub fn serve(self, socket: std::net::TcpListener) -> io::Result<()> {
        let socket = TcpListener::from_std(socket)?;
        let tasks = self.tasks.clone();
        let waiting = tasks.clone();
        tasks.start(async move {
            tokio::select! {
                () = waiting.ending() => {}
                () = self.take(socket) => {}
            }
        });
        Ok(())
    }

    async fn take(self, socket: TcpListener) {
        let shared = Arc::new(Shared {
            name: self.name,
            gate: self.gate,
            verifier: self.verifier,
            audit: self.audit,
            tasks: self.tasks,
            bounds: self.bounds,
            clock: Clock,
            bells: Mutex::default(),
        });
        shared.ring_all_at_the_end();
        let mut rejections = Rejections::default();
        loop {
            let (stream, peer) = match socket.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Mostly for want of file descriptors: trying again at once would only burn a core.
                    tracing::warn!(listener = &*shared.name, %error, "a connection could not be taken");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            };
            let slot = if self.ingress.admit(peer.ip()) {
                self.slots.take(peer.ip())
            } else {
                Err("the source address is not among those that may connect")
            };
            match slot {
                Ok(slot) => start(&shared, stream, peer, slot, self.tls.as_ref(), &self.sessions),
                Err(why) => rejections.note(&shared, peer.ip(), why),
            }
        }
    }
}

/// Starts the task of a connection.
fn start(
    shared: &Arc<Shared>,
    stream: TcpStream,
    peer: SocketAddr,
    slot: Slot,
    tls: Option<&Arc<Identity>>,
    sessions: &Sessions,
) {
    // Without these a connection works as well, only slower or longer.
    let _ = stream.set_nodelay(true);
    let _ = SockRef::from(&stream).set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE));
    let deadline = shared.clock.now().mono_ms + shared.bounds.login_ms;
    let tasks = shared.tasks.clone();
    let (shared, sessions) = (Arc::clone(shared), Arc::clone(sessions));
    let Some(identity) = tls else {
        tasks.start(Connection::new(shared, peer, slot, &sessions, deadline).drive(stream));
        return;
    };
    let acceptor = TlsAcceptor::from(identity.config());
    let patience = Duration::from_millis(shared.bounds.login_ms);
    tasks.clone().start(async move {
        match tokio::time::timeout(patience, acceptor.accept(stream)).await {
            // A task of its own: this one has room for the handshake, which nobody needs again.
            Ok(Ok(stream)) => {
                tasks.start(Connection::new(shared, peer, slot, &sessions, deadline).drive(stream));
            }
            Ok(Err(error)) => {
                tracing::debug!(listener = &*shared.name, %peer, %error, "no TLS connection");
            }
            Err(_) => tracing::debug!(listener = &*shared.name, %peer, "the TLS handshake took too long"),
        }
    });
}

/// Connections that were turned away. A flood of them is recorded as a number, not as a flood.
#[derive(Default)]
struct Rejections {
    recent: Vec<(&'static str, u64, u64)>,
}

impl Rejections {
    fn note(&mut self, shared: &Shared, source: IpAddr, why: &'static str) {
        let now = shared.clock.now().mono_ms;
        let place = self.recent.iter().position(|(known, ..)| *known == why);
        let place = place.unwrap_or_else(|| {
            self.recent.push((why, 0, 0));
            self.recent.len() - 1
        });
        let Some((_, count, until)) = self.recent.get_mut(place) else { return };
        *count += 1;
        if now < *until {
            return;
        }
        let text = if *count == 1 { why.into() } else { format!("{why} ({count} connections)").into() };
        (*count, *until) = (0, now + REJECTIONS_EVERY_MS);
        shared.audit.record(AuditEvent::Rejected {
            peer: source.to_string().into(),
            listener: Arc::clone(&shared.name),
            why: text,
        });
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Listener({})", self.name)
    }
}
