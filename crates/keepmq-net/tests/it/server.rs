//! A broker with one listener of the line protocol, and clients for it.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use keepmq_config::Ingress;
use keepmq_core::{DurableNews, Gate, Limits, Parts};
use keepmq_model::{Kind, Pattern, Principal};
use keepmq_net::{Bounds, Clock, Identity, Listener, Proof, Rules, Slots, Tasks, Verifier};
use keepmq_policy::{Audit, AuditEvent, Entry, Grants, Map, Policy};
use keepmq_store::Memory;
use tokio::runtime::Runtime;

use crate::lines::Lines;

/// What a test may want otherwise.
pub(crate) struct Wanted {
    pub(crate) ingress: Ingress,
    pub(crate) slots: Slots,
    pub(crate) bounds: Bounds,
    pub(crate) tls: Option<Arc<Identity>>,
    pub(crate) limits: Limits,
}

impl Default for Wanted {
    fn default() -> Self {
        Self {
            ingress: Ingress { allow: vec!["127.0.0.0/8".parse().unwrap()], deny: Vec::new() },
            slots: Slots::new(100, 100, 100),
            bounds: Bounds { refuse_after_ms: 20, ..Bounds::default() },
            tls: None,
            limits: Limits::default(),
        }
    }
}

/// A broker with one listener.
pub(crate) struct Server {
    pub(crate) gate: Arc<Gate>,
    pub(crate) address: SocketAddr,
    pub(crate) tasks: Tasks,
    pub(crate) runtime: Runtime,
    audited: Arc<Mutex<Vec<AuditEvent>>>,
}

fn map() -> Map {
    let all = Grants { read: vec!["*".into()], write: vec!["*".into()], admin: vec!["*".into()] };
    let pattern = Pattern::new(">").unwrap();
    Map::new(vec![Entry { kind: Kind::Topic, pattern, grants: all, place: "test".into() }], None, None)
}

impl Server {
    pub(crate) fn start(wanted: Wanted) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let tasks = Tasks::new(runtime.handle().clone());
        let audited = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&audited);
        let audit = Audit::new(move |event| log.lock().unwrap().push(event));
        let news = DurableNews::default();
        let (store, recovery) = Memory::open(news.hook(|_| {}));
        let blocking = runtime.handle().clone();
        let parts = Parts {
            policy: Policy { epoch: 1, map: map() },
            store: Arc::new(store),
            recovery,
            limits: wanted.limits,
            shards: 2,
            spawn: Box::new(move |job| drop(blocking.spawn_blocking(job))),
            clock: Box::new(|| Clock.now()),
            entropy: Box::new(|| 7),
            audit: audit.clone(),
            formats: keepmq_model::Formats::default(),
        };
        let (gate, _) = Gate::open(parts, &news);
        let socket = Listener::open("lines", "127.0.0.1:0".parse().unwrap()).unwrap();
        let address = socket.local_addr().unwrap();
        let listener = Listener {
            name: "lines".into(),
            ingress: Rules::new(wanted.ingress),
            tls: wanted.tls,
            slots: Arc::new(wanted.slots),
            bounds: wanted.bounds,
            sessions: Arc::new(|_| Box::new(Lines::default())),
            gate: Arc::clone(&gate),
            verifier: Verifier::new(|login, _, _| match login.user.as_deref() {
                Some("nobody") | None => Err("unknown"),
                Some(name) => Ok(Proof { principal: Arc::new(Principal::new(name, ["users"])), by: "test" }),
            }),
            audit,
            tasks: tasks.clone(),
        };
        let inside = runtime.enter();
        listener.serve(socket).unwrap();
        drop(inside);
        Self { gate, address, tasks, runtime, audited }
    }

    pub(crate) fn connect(&self) -> Client {
        Client::new(TcpStream::connect(self.address).unwrap())
    }

    pub(crate) fn login(&self) -> Client {
        let mut client = self.connect();
        client.say("LOGIN u");
        assert_eq!(client.hear().as_deref(), Some("WELCOME u"));
        client
    }

    pub(crate) fn end(&self) -> bool {
        self.runtime.block_on(self.tasks.end(Duration::from_secs(10)))
    }

    /// How many events were recorded.
    pub(crate) fn audited(&self) -> usize {
        self.audited.lock().unwrap().len()
    }

    /// Waits until something recorded is found.
    pub(crate) fn wait_for<T>(&self, found: impl Fn(&AuditEvent) -> Option<T>) -> T {
        loop {
            if let Some(found) = self.audited.lock().unwrap().iter().find_map(&found) {
                return found;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// A client of the line protocol.
pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    reader: BufReader<TcpStream>,
}

impl Client {
    fn new(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let reader = BufReader::new(stream.try_clone().unwrap());
        Self { stream, reader }
    }

    pub(crate) fn say(&mut self, line: &str) {
        self.stream.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    /// The next line; `None` when the broker closed.
    pub(crate) fn hear(&mut self) -> Option<String> {
        let mut line = String::new();
        match self.reader.read_line(&mut line) {
            Ok(0) => None,
            Ok(_) => Some(line.trim_end().to_owned()),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => None,
            Err(error) => panic!("{error}"),
        }
    }
}
