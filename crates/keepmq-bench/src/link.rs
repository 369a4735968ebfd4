//! A connection with its conversation: opened on a socket that waits, then driven on one that does not.

use std::io;

use crate::error::Error;
use crate::stream::Stream;
use crate::target::Target;
use crate::wire::{Fault, Manner, Protocol, Reply, Sink, Wire};

/// Bytes that are read at once while a connection is opened.
const FIRST_READ: usize = 4096;
/// What a broker may send before it answers; a queue may be full of what others left behind.
const MOST_HELD: usize = 64 * 1024 * 1024;

/// A connection that is logged in.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) stream: Stream,
    pub(crate) wire: Wire,
    /// What was read and not yet understood: the beginning of a frame.
    inbox: Vec<u8>,
    outbox: Vec<u8>,
    /// Bytes of the outbox that have gone.
    gone: usize,
    who: String,
    protocol: Protocol,
}

/// Room to read into, shared by the connections of a thread so that it stays in the cache.
pub(crate) type Scratch = Vec<u8>;

impl Link {
    /// Connects and logs in.
    pub(crate) fn open(
        target: &Target,
        manner: &Manner,
        wire: Wire,
        who: &str,
        run: u32,
    ) -> Result<Self, Error> {
        let stream = target.connect()?;
        let (inbox, outbox) = (Vec::new(), Vec::new());
        let mut link =
            Self { stream, wire, inbox, outbox, gone: 0, who: who.to_owned(), protocol: manner.protocol };
        let client_id = format!("bench-{run:08x}-{}", who.replace(' ', "-"));
        link.wire.connect(&mut link.outbox, &client_id, target.login.as_ref());
        link.ask(target, &Reply::Welcome, "to answer the login", Some("the login"))?;
        Ok(link)
    }

    /// Subscribes, and returns when the broker has agreed.
    pub(crate) fn subscribe(&mut self, target: &Target) -> Result<(), Error> {
        self.wire.subscribe(&mut self.outbox);
        self.ask(target, &Reply::Subscribed, "to answer the subscription", Some("the subscription"))
    }

    /// Waits, on a socket that waits again, until the broker has seen everything. What comes meanwhile is held.
    pub(crate) fn settle(&mut self, target: &Target) -> Result<(), Error> {
        self.stream
            .socket()
            .set_nonblocking(false)
            .map_err(Error::system("a socket can't be made blocking"))?;
        self.wire.settle(&mut self.outbox);
        self.ask(target, &Reply::Settled, "to answer the farewell", None)
    }

    /// Says goodbye, after everything was settled and what was held is taken.
    pub(crate) fn leave(&mut self, target: &Target) -> Result<(), Error> {
        self.wire.leave(&mut self.outbox);
        self.send_all(target)
    }

    fn ask(
        &mut self,
        target: &Target,
        wanted: &Reply,
        to: &'static str,
        request: Option<&'static str>,
    ) -> Result<(), Error> {
        self.send_all(target)?;
        let mut read = 0;
        loop {
            match self.next_reply(&mut read)? {
                Some(reply) if reply == *wanted => return Ok(()),
                Some(Reply::Refused(why)) => return Err(self.refused(request.unwrap_or("the request"), why)),
                Some(_) => {}
                None => self.read_more(target, to)?,
            }
        }
    }

    /// The next answer after the first `read` bytes, which stay for later; an answer is cut out.
    fn next_reply(&mut self, read: &mut usize) -> Result<Option<Reply>, Error> {
        let found = self.wire.reply(&self.inbox[*read..]).map_err(|fault| self.fault(fault))?;
        let Some((reply, length)) = found else { return Ok(None) };
        if reply == Reply::Other {
            *read += length;
        } else {
            self.inbox.drain(*read..*read + length);
        }
        Ok(Some(reply))
    }

    fn read_more(&mut self, target: &Target, to: &'static str) -> Result<(), Error> {
        let start = self.inbox.len();
        if start > MOST_HELD {
            let why = "messages without end; empty the destination first".to_owned();
            return Err(self.fault(Fault::Malformed(why)));
        }
        self.inbox.resize(start + FIRST_READ, 0);
        let result = self.stream.read(&mut self.inbox[start..]);
        self.inbox.truncate(start + *result.as_ref().unwrap_or(&0));
        match result {
            Ok(0) => Err(self.closed(" before it answered", None)),
            Ok(_) => Ok(()),
            Err(error) => Err(self.waited(target, to, &error)),
        }
    }

    fn send_all(&mut self, target: &Target) -> Result<(), Error> {
        while !self.flush_once().map_err(|error| self.waited(target, "to read", &error))? {}
        Ok(())
    }

    /// Gives back the room that opening needed, for one of many that will hear nothing.
    pub(crate) fn give_back(&mut self) {
        self.inbox.shrink_to_fit();
        self.outbox = Vec::new();
    }

    /// From here on nothing waits.
    pub(crate) fn stop_waiting(&mut self) -> Result<(), Error> {
        self.stream
            .socket()
            .set_nonblocking(true)
            .map_err(Error::system("a socket can't be made non-blocking"))
    }

    /// Where to write what is to be sent.
    pub(crate) fn outbox(&mut self) -> (&mut Vec<u8>, &Wire) {
        (&mut self.outbox, &self.wire)
    }

    /// Whether everything has gone.
    pub(crate) fn is_flushed(&self) -> bool {
        self.outbox.is_empty() && !self.stream.holds_output()
    }

    /// Sends what goes; what does not stays.
    pub(crate) fn flush(&mut self) -> Result<(), Error> {
        while !self.is_flushed() {
            match self.flush_once() {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(self.closed("", Some(&error))),
            }
        }
        Ok(())
    }

    /// One write; tells whether it was the last.
    fn flush_once(&mut self) -> io::Result<bool> {
        if self.gone < self.outbox.len() {
            self.gone += self.stream.write(&self.outbox[self.gone..])?;
        } else {
            self.stream.flush()?;
        }
        if self.gone == self.outbox.len() {
            self.outbox.clear();
            self.gone = 0;
        }
        Ok(self.is_flushed())
    }

    /// Reads once and takes what came; `arrived` is told before anything of it is taken. Tells whether there may be more,
    /// which nobody else would tell: TLS keeps it inside.
    pub(crate) fn take<S: Sink>(
        &mut self,
        scratch: &mut Scratch,
        sink: &mut S,
        arrived: impl FnOnce(&mut S),
    ) -> Result<bool, Error> {
        let held = self.inbox.len();
        if scratch.len() < 2 * held {
            scratch.resize(2 * held, 0);
        }
        scratch[..held].copy_from_slice(&self.inbox);
        let count = match self.stream.read(&mut scratch[held..]) {
            Ok(0) => return Err(self.closed("", None)),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(self.closed("", Some(&error))),
        };
        arrived(sink);
        self.understand(&scratch[..held + count], sink)?;
        Ok(held + count == scratch.len())
    }

    /// Takes what was read while the connection was opened.
    pub(crate) fn take_held(&mut self, sink: &mut impl Sink) -> Result<(), Error> {
        let held = std::mem::take(&mut self.inbox);
        self.understand(&held, sink)
    }

    fn understand(&mut self, input: &[u8], sink: &mut impl Sink) -> Result<(), Error> {
        let taken = self.wire.take(input, &mut self.outbox, sink).map_err(|fault| self.fault(fault))?;
        self.inbox.clear();
        self.inbox.extend_from_slice(&input[taken..]);
        Ok(())
    }

    fn waited(&self, target: &Target, to: &'static str, error: &io::Error) -> Error {
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                Error::Silent { who: self.who.clone(), seconds: target.patience.as_secs(), to }
            }
            _ => self.closed(" before it answered", Some(error)),
        }
    }

    pub(crate) fn closed(&self, when: &str, error: Option<&io::Error>) -> Error {
        let why = error.map_or_else(|| "end of the stream".to_owned(), ToString::to_string);
        Error::Closed { who: self.who.clone(), when: when.to_owned(), why }
    }

    fn fault(&self, fault: Fault) -> Error {
        match fault {
            Fault::Refused(why) => self.refused("a request", why),
            Fault::Malformed(why) => {
                Error::Malformed { who: self.who.clone(), protocol: self.protocol.name(), why }
            }
        }
    }

    fn refused(&self, what: &str, why: String) -> Error {
        let remedy = if what == "the login" {
            "give --credentials FILE, or KEEPMQ_USER and KEEPMQ_PASSWORD in the environment"
        } else {
            "does the user have the right, and is --destination what the broker expects?"
        };
        Error::Refused { what: format!("{what} of {}", self.who), why, remedy }
    }
}

#[cfg(test)]
mod tests;
