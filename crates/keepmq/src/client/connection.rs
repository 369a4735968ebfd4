//! One STOMP connection of a client, which waits for what it wants.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::BytesMut;
use keepmq_stomp::FrameLimits;
use keepmq_stomp::codec::{Command, Decoder, Frame, Side, Version, put_end, put_head, put_header, put_sized};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use crate::credentials::Credentials;

/// How long a broker may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);
const VERSION: Version = Version::V1_2;

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

/// A connection to a broker.
pub(crate) struct Connection {
    stream: Box<dyn Stream>,
    socket: TcpStream,
    input: BytesMut,
    decoder: Decoder,
    out: BytesMut,
}

/// A frame on its way out.
pub(crate) struct Outgoing<'a>(&'a mut BytesMut);

impl Outgoing<'_> {
    /// Adds a header.
    pub(crate) fn header(&mut self, name: &str, value: &str) -> &mut Self {
        put_header(self.0, name, value, VERSION);
        self
    }

    /// Ends the frame with a body.
    pub(crate) fn body(&mut self, body: &[u8]) {
        put_sized(self.0, body.len());
        self.0.extend_from_slice(body);
        put_end(self.0);
    }

    /// Ends a frame that has no body.
    pub(crate) fn end(&mut self) {
        self.0.extend_from_slice(b"\n");
        put_end(self.0);
    }
}

impl Connection {
    pub(super) fn open(
        host: &str,
        port: u16,
        tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
    ) -> anyhow::Result<Self> {
        let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
        let mut socket = None;
        for address in (host, port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, PATIENCE) {
                Ok(connected) => {
                    socket = Some(connected);
                    break;
                }
                Err(error) => last = error,
            }
        }
        let Some(socket) = socket else { return Err(last.into()) };
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.set_write_timeout(Some(PATIENCE))?;
        let clone = socket.try_clone()?;
        let stream: Box<dyn Stream> = match tls {
            Some((config, name)) => Box::new(StreamOwned::new(ClientConnection::new(config, name)?, clone)),
            None => Box::new(clone),
        };
        let decoder = Decoder::new(Side::Server, VERSION);
        Ok(Self { stream, socket, input: BytesMut::new(), decoder, out: BytesMut::new() })
    }

    pub(super) fn login(mut self, host: &str, credentials: &Credentials) -> anyhow::Result<Self> {
        let password =
            std::str::from_utf8(credentials.password.expose()).context("the password is not text")?;
        // A login is not escaped (STOMP 1.2, "Value Encoding"), so what would need it is no login.
        if credentials.user.contains(['\n', ':']) || password.contains('\n') {
            bail!("the user name or password holds a character that STOMP can't carry");
        }
        put_head(&mut self.out, Command::Connect);
        for (name, value) in
            [("accept-version", "1.2"), ("host", host), ("login", &credentials.user), ("passcode", password)]
        {
            self.out.extend_from_slice(format!("{name}:{value}\n").as_bytes());
        }
        Outgoing(&mut self.out).end();
        self.flush()?;
        let answer = self.read()?.context("the broker closed the connection")?;
        match answer.command() {
            Command::Connected => Ok(self),
            _ => Err(refused(&answer)),
        }
    }

    /// Begins a frame, which leaves with the next [`Self::flush`].
    pub(crate) fn frame(&mut self, command: Command) -> Outgoing<'_> {
        put_head(&mut self.out, command);
        Outgoing(&mut self.out)
    }

    /// Bytes that wait to be sent.
    pub(crate) fn unsent(&self) -> usize {
        self.out.len()
    }

    /// Sends what waits.
    pub(crate) fn flush(&mut self) -> anyhow::Result<()> {
        self.stream.write_all(&self.out).context("the connection broke")?;
        self.stream.flush().context("the connection broke")?;
        self.out.clear();
        Ok(())
    }

    /// How long [`Self::read`] waits; for ever when absent.
    pub(crate) fn set_patience(&self, patience: Option<Duration>) -> anyhow::Result<()> {
        Ok(self.socket.set_read_timeout(patience)?)
    }

    /// The next frame; `None` when none came in time.
    pub(crate) fn read(&mut self) -> anyhow::Result<Option<Frame>> {
        loop {
            let next = self.decoder.next(&mut self.input, &FrameLimits::OPEN);
            match next {
                Ok(Some(frame)) if frame.command() == Command::Error => return Err(refused(&frame)),
                Ok(Some(frame)) => return Ok(Some(frame)),
                Ok(None) => {}
                Err(fault) => bail!("the broker does not speak STOMP: {}", fault.text()),
            }
            let mut chunk = [0; 16 * 1024];
            match self.stream.read(&mut chunk) {
                Ok(0) => bail!("the broker closed the connection"),
                Ok(count) => self.input.extend_from_slice(chunk.get(..count).unwrap_or_default()),
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                    return Ok(None);
                }
                Err(error) => return Err(error).context("the connection broke"),
            }
        }
    }

    /// Says good-bye, and waits until everything before it is done.
    pub(crate) fn close(mut self) -> anyhow::Result<()> {
        self.frame(Command::Disconnect).header("receipt", "bye").end();
        self.flush()?;
        self.set_patience(Some(PATIENCE))?;
        while let Some(frame) = self.read()? {
            if frame.command() == Command::Receipt && frame.get("receipt-id") == Some("bye") {
                return Ok(());
            }
        }
        bail!("the broker did not answer in time")
    }
}

/// What the broker said no to, in its own words.
fn refused(frame: &Frame) -> anyhow::Error {
    let message = frame.get("message").unwrap_or("refused");
    let body = String::from_utf8_lossy(frame.body());
    // A broker may begin the body with what the header says.
    let detail = body.trim();
    let detail = detail.strip_prefix(message).unwrap_or(detail).trim_start();
    if detail.is_empty() {
        anyhow::anyhow!("the broker says: {message}")
    } else {
        anyhow::anyhow!("the broker says: {message}\n{detail}")
    }
}
