//! A broker of a few lines: a thread for each connection, everything in memory, and mistakes on demand.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use clap::Parser;
use keepmq_bench::{Args, Error, Login, Protocol, Verdict};
use serde_json::Value;
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

/// What to do wrong, by the number of the message in the order in which the broker got them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults {
    /// Never delivered.
    pub(crate) lose: Vec<u64>,
    /// Delivered twice.
    pub(crate) duplicate: Vec<u64>,
    /// Delivered after the next one.
    pub(crate) delay: Vec<u64>,
    /// Delivered with another byte in it.
    pub(crate) damage: Vec<u64>,
    /// Not acknowledged.
    pub(crate) forget: Vec<u64>,
    /// The connection ends instead.
    pub(crate) hang_up: Option<u64>,
    /// Nobody is let in who is not `bench` with the password `secret`.
    pub(crate) asks_for_login: bool,
}

/// What the broker knows.
#[derive(Debug, Default)]
pub(crate) struct Hub {
    pub(crate) faults: Faults,
    subscribers: HashMap<String, Vec<SyncSender<Vec<u8>>>>,
    turns: HashMap<String, usize>,
    delayed: Option<(String, Vec<u8>)>,
    count: u64,
    /// Acknowledgements by consumers.
    pub(crate) acks: u64,
    /// Connections that said goodbye.
    pub(crate) farewells: u64,
}

/// Messages that may wait for one consumer.
const BACKLOG: usize = 100_000;

impl Hub {
    pub(crate) fn subscribe(&mut self, destination: &str, outbox: &SyncSender<Vec<u8>>) {
        self.subscribers.entry(destination.to_owned()).or_default().push(outbox.clone());
    }

    /// Delivers a message, and tells whether it may be acknowledged; an error ends the connection.
    pub(crate) fn publish(&mut self, destination: &str, body: &[u8]) -> io::Result<bool> {
        let number = self.count;
        self.count += 1;
        let is_in = |numbers: &[u64]| numbers.contains(&number);
        let mut body = body.to_vec();
        if self.faults.hang_up == Some(number) {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        if is_in(&self.faults.damage) {
            *body.last_mut().unwrap() ^= 1;
        }
        let is_acknowledged = !is_in(&self.faults.forget);
        if is_in(&self.faults.lose) {
            return Ok(is_acknowledged);
        }
        if is_in(&self.faults.delay) {
            self.delayed = Some((destination.to_owned(), body));
            return Ok(is_acknowledged);
        }
        self.deliver(destination, &body);
        if is_in(&self.faults.duplicate) {
            self.deliver(destination, &body);
        }
        if let Some((destination, body)) = self.delayed.take() {
            self.deliver(&destination, &body);
        }
        Ok(is_acknowledged)
    }

    fn deliver(&mut self, destination: &str, body: &[u8]) {
        let Some(subscribers) = self.subscribers.get(destination) else { return };
        if destination.starts_with("/queue/") {
            let turn = self.turns.entry(destination.to_owned()).or_default();
            *turn = (*turn + 1) % subscribers.len();
            let _ = subscribers[*turn].try_send(body.to_vec());
        } else {
            subscribers.iter().for_each(|subscriber| drop(subscriber.try_send(body.to_vec())));
        }
    }
}

/// The broker's end of a conversation.
pub(crate) trait Session: Send {
    /// Takes whole frames off the input, and writes answers.
    fn take(&mut self, input: &mut Vec<u8>, out: &mut Vec<u8>, hub: &mut Hub) -> io::Result<()>;
    /// Writes a message to a consumer.
    fn deliver(&mut self, body: &[u8], out: &mut Vec<u8>);
}

/// A running broker; it ends with the test.
pub(crate) struct Broker {
    pub(crate) address: SocketAddr,
    hub: Arc<Mutex<Hub>>,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Broker {
    pub(crate) fn start(protocol: Protocol, faults: Faults) -> Self {
        Self::start_with(protocol, faults, None)
    }

    pub(crate) fn start_with(protocol: Protocol, faults: Faults, tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let hub = Arc::new(Mutex::new(Hub { faults, ..Hub::default() }));
        let is_over = Arc::new(AtomicBool::new(false));
        let (to, over) = (Arc::clone(&hub), Arc::clone(&is_over));
        let thread = spawn(move || {
            let mut threads = Vec::new();
            while let Ok((socket, _)) = listener.accept() {
                if over.load(Ordering::SeqCst) {
                    break;
                }
                let (hub, over, tls) = (Arc::clone(&to), Arc::clone(&over), tls.clone());
                threads.push(spawn(move || serve(socket, protocol, tls, &hub, &over)));
            }
            threads.into_iter().for_each(|thread| thread.join().unwrap());
        });
        Self { address, hub, is_over, thread: Some(thread) }
    }

    pub(crate) fn hub(&self) -> MutexGuard<'_, Hub> {
        self.hub.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until so many connections have said goodbye, which nobody answers.
    pub(crate) fn expect_farewells(&self, count: u64) {
        while self.hub().farewells < count {
            std::thread::yield_now();
        }
        assert_eq!(self.hub().farewells, count);
    }

    /// Runs `bench` with these words against this broker and reads its report.
    pub(crate) fn bench(&self, words: &str) -> Result<(Verdict, Value), Error> {
        self.bench_as(words, None)
    }

    pub(crate) fn bench_as(&self, words: &str, login: Option<Login>) -> Result<(Verdict, Value), Error> {
        let words = words.replace("HERE", &format!("--address localhost:{} --json", self.address.port()));
        bench(&words, login)
    }
}

/// Runs `bench` with these words and reads its report.
pub(crate) fn bench(words: &str, login: Option<Login>) -> Result<(Verdict, Value), Error> {
    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    let line = Line::try_parse_from(std::iter::once("bench").chain(words.split_whitespace())).unwrap();
    let mut out = Vec::new();
    let verdict = keepmq_bench::run(&line.args, login, &mut out)?;
    Ok((verdict, serde_json::from_slice(&out).unwrap()))
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn spawn(work: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    std::thread::Builder::new().name("broker".to_owned()).spawn(work).unwrap()
}

fn serve(
    socket: TcpStream,
    protocol: Protocol,
    tls: Option<Arc<ServerConfig>>,
    hub: &Mutex<Hub>,
    over: &AtomicBool,
) {
    socket.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
    socket.set_nodelay(true).unwrap();
    let (outbox, inbox) = sync_channel(BACKLOG);
    let mut session: Box<dyn Session> = match protocol {
        Protocol::Mqtt => Box::new(crate::mqtt::Mqtt::new(outbox)),
        Protocol::Stomp => Box::new(crate::stomp::Stomp::new(outbox)),
        Protocol::Openwire => Box::new(crate::openwire::OpenWire::new(outbox)),
    };
    let mut talk = |mut stream: Box<dyn Stream>| {
        while !over.load(Ordering::SeqCst) && turn(&mut *stream, &mut *session, &inbox, hub).is_ok() {}
    };
    match tls {
        None => talk(Box::new(Buffered { stream: socket, input: Vec::new() })),
        Some(config) => {
            let stream = StreamOwned::new(ServerConnection::new(config).unwrap(), socket);
            talk(Box::new(Buffered { stream, input: Vec::new() }));
        }
    }
}

/// A stream and what was read from it and not yet taken.
struct Buffered<S> {
    stream: S,
    input: Vec<u8>,
}

trait Stream {
    /// Reads for a moment.
    fn read(&mut self) -> io::Result<&mut Vec<u8>>;
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;
}

impl<S: Read + Write> Stream for Buffered<S> {
    fn read(&mut self) -> io::Result<&mut Vec<u8>> {
        let mut buffer = [0; 16 * 1024];
        match self.stream.read(&mut buffer) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                self.input.extend_from_slice(&buffer[..count]);
                Ok(&mut self.input)
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                Ok(&mut self.input)
            }
            Err(error) => Err(error),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)?;
        self.stream.flush()
    }
}

/// Reads, answers, delivers.
fn turn(
    stream: &mut dyn Stream,
    session: &mut dyn Session,
    inbox: &Receiver<Vec<u8>>,
    hub: &Mutex<Hub>,
) -> io::Result<()> {
    let mut out = Vec::new();
    let input = stream.read()?;
    let result = session.take(input, &mut out, &mut hub.lock().unwrap_or_else(PoisonError::into_inner));
    inbox.try_iter().take(1000).for_each(|body| session.deliver(&body, &mut out));
    // In the middle of a handshake there is nothing to write, and flushing would wait for the other side.
    if !out.is_empty() {
        stream.write(&out)?;
    }
    result
}
