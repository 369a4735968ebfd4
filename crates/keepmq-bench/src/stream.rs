//! A connection's bytes, plain or in TLS, over a socket that waits or does not.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd};

use tokio_rustls::rustls::ClientConnection;

/// A connection to the broker.
#[derive(Debug)]
pub(crate) enum Stream {
    Plain(TcpStream),
    Tls(Box<(ClientConnection, TcpStream)>),
}

impl Stream {
    /// The socket below.
    pub(crate) fn socket(&self) -> &TcpStream {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(tls) => &tls.1,
        }
    }

    /// Reads what is there, at most a buffer full; 0 is the end.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => retried(|| socket.read(buffer)),
            Self::Tls(tls) => read_tls(&mut tls.0, &mut tls.1, buffer),
        }
    }

    /// Writes as much as goes out at once, and tells how much of it was taken.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => retried(|| socket.write(bytes)),
            Self::Tls(tls) => {
                let taken = tls.0.writer().write(bytes)?;
                match write_tls(&mut tls.0, &mut tls.1) {
                    // What was taken waits inside and goes with the next bytes.
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock && taken > 0 => Ok(taken),
                    result => result.map(|()| taken),
                }
            }
        }
    }

    /// Whether bytes that were taken still wait inside.
    pub(crate) fn holds_output(&self) -> bool {
        match self {
            Self::Plain(_) => false,
            Self::Tls(tls) => tls.0.wants_write(),
        }
    }

    /// Writes what waits inside.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(_) => Ok(()),
            Self::Tls(tls) => write_tls(&mut tls.0, &mut tls.1),
        }
    }

    /// Whether there was no word from the broker, not even the end. Only for a socket that does not wait.
    pub(crate) fn is_quiet(&mut self) -> bool {
        let result = self.read(&mut [0; 256]);
        matches!(result, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket().as_fd()
    }
}

fn read_tls(tls: &mut ClientConnection, socket: &mut TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    loop {
        // Take everything that is unpacked already before more is read.
        match tls.reader().read(&mut buffer[filled..]) {
            Ok(0) => return Ok(filled),
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if filled > 0 {
                    return Ok(filled);
                }
                if retried(|| tls.read_tls(socket))? == 0 {
                    return Ok(0);
                }
                tls.process_new_packets().map_err(io::Error::other)?;
            }
            Err(error) => return Err(error),
        }
    }
}

fn write_tls(tls: &mut ClientConnection, socket: &mut TcpStream) -> io::Result<()> {
    while tls.wants_write() {
        retried(|| tls.write_tls(socket))?;
    }
    Ok(())
}

fn retried<T>(mut attempt: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match attempt() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
