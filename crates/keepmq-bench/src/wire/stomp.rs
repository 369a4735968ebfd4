//! STOMP 1.2 as a client speaks it.

use super::{AckMode, Fault, Login, Manner, Reply, Sink};

/// What a client says in the course of a run.
#[derive(Debug)]
pub(crate) struct Stomp {
    destination: String,
    ack: AckMode,
    prefetch: Option<u32>,
    virtual_host: String,
    /// A SEND up to its body.
    head: Vec<u8>,
    /// Where the digits of the receipt stand in it, if one is asked for.
    receipt_at: Option<usize>,
}

/// Receipts are numbers of so many digits, so that they can be patched into a prepared frame.
const DIGITS: usize = 6;
const SUBSCRIBED: &[u8] = b"subscribed";
const FAREWELL: &[u8] = b"farewell";
/// A frame whose headers are longer than this is none.
const MOST_HEADERS: usize = 64 * 1024;

impl Stomp {
    pub(crate) fn new(manner: &Manner, destination: &str, size: usize) -> Self {
        let destination = escaped(destination);
        let persistent = if manner.persistent { "persistent:true\n" } else { "" };
        let mut head =
            format!("SEND\ndestination:{destination}\n{persistent}content-length:{size}\n").into_bytes();
        let receipt_at = manner.receipts.then(|| {
            head.extend_from_slice(b"receipt:");
            let at = head.len();
            head.extend_from_slice(&[b'0'; DIGITS]);
            head.push(b'\n');
            at
        });
        head.push(b'\n');
        let (ack, prefetch) = (manner.ack, manner.prefetch);
        Self { destination, ack, prefetch, virtual_host: manner.virtual_host.clone(), head, receipt_at }
    }

    /// The first frame is not escaped. Heart-beats are declined, so silence is no reason to hang up.
    pub(crate) fn connect(&self, out: &mut Vec<u8>, login: Option<&Login>) {
        let host = &self.virtual_host;
        let login =
            login.map_or_else(String::new, |l| format!("login:{}\npasscode:{}\n", l.user, l.password));
        let frame = format!("CONNECT\naccept-version:1.2\nhost:{host}\n{login}heart-beat:0,0\n\n\0");
        out.extend_from_slice(frame.as_bytes());
    }

    /// The prefetch is said in ActiveMQ's words and in RabbitMQ's; either ignores the other's.
    pub(crate) fn subscribe(&self, out: &mut Vec<u8>) {
        let ack = match self.ack {
            AckMode::Auto => "auto",
            AckMode::Client => "client",
            AckMode::ClientIndividual => "client-individual",
        };
        let prefetch = self.prefetch.map_or_else(String::new, |count| {
            format!("activemq.prefetchSize:{count}\nprefetch-count:{count}\n")
        });
        let destination = &self.destination;
        let frame = format!(
            "SUBSCRIBE\nid:0\ndestination:{destination}\nack:{ack}\n{prefetch}receipt:subscribed\n\n\0"
        );
        out.extend_from_slice(frame.as_bytes());
    }

    pub(crate) fn begin_publish(&self, out: &mut Vec<u8>, place: u32) {
        let start = out.len();
        out.extend_from_slice(&self.head);
        if let Some(at) = self.receipt_at {
            let mut left = place;
            for digit in out[start + at..start + at + DIGITS].iter_mut().rev() {
                *digit = b'0' + u8::try_from(left % 10).unwrap_or_default();
                left /= 10;
            }
        }
    }

    pub(crate) fn take(&self, input: &[u8], out: &mut Vec<u8>, sink: &mut impl Sink) -> Result<usize, Fault> {
        let mut at = 0;
        let mut last = None;
        while let Some(frame) = split(&input[at..])? {
            at += frame.length;
            match frame.command {
                b"MESSAGE" => {
                    sink.message(frame.body);
                    self.acknowledge(&frame, out, &mut last)?;
                }
                b"RECEIPT" if frame.receipt == Some(FAREWELL) => sink.settled(),
                b"RECEIPT" => sink.accepted(place(&frame)?)?,
                b"ERROR" => return Err(Fault::Refused(frame.words())),
                b"" => {}
                other => return Err(unexpected(other)),
            }
        }
        if let Some(id) = last {
            write_ack(out, id);
        }
        Ok(at)
    }

    fn acknowledge<'a>(
        &self,
        frame: &Frame<'a>,
        out: &mut Vec<u8>,
        last: &mut Option<&'a [u8]>,
    ) -> Result<(), Fault> {
        if self.ack == AckMode::Auto {
            return Ok(());
        }
        let none = || Fault::Malformed("a MESSAGE without the header `ack`".to_owned());
        let id = frame.ack.ok_or_else(none)?;
        if self.ack == AckMode::ClientIndividual {
            write_ack(out, id);
        } else {
            *last = Some(id);
        }
        Ok(())
    }
}

/// DISCONNECT with a receipt, which comes when everything sent before was seen.
pub(crate) fn farewell(out: &mut Vec<u8>) {
    out.extend_from_slice(b"DISCONNECT\nreceipt:farewell\n\n\0");
}

/// The value came escaped and goes back as it is.
fn write_ack(out: &mut Vec<u8>, id: &[u8]) {
    out.extend_from_slice(b"ACK\nid:");
    out.extend_from_slice(id);
    out.extend_from_slice(b"\n\n\0");
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\r', "\\r").replace('\n', "\\n").replace(':', "\\c")
}

/// One frame as it lies in the buffer. A heart-beat is a frame without a command.
#[derive(Default)]
struct Frame<'a> {
    command: &'a [u8],
    content_length: Option<usize>,
    ack: Option<&'a [u8]>,
    receipt: Option<&'a [u8]>,
    message: Option<&'a [u8]>,
    body: &'a [u8],
    length: usize,
}

impl<'a> Frame<'a> {
    /// Keeps the headers that matter here, the first of each kind.
    #[inline]
    fn keep(&mut self, header: &'a [u8]) -> Result<(), Fault> {
        let (place, name) = match header.first() {
            Some(b'c') if header.starts_with(b"content-length:") => return self.keep_length(&header[15..]),
            Some(b'a') => (&mut self.ack, &b"ack:"[..]),
            Some(b'r') => (&mut self.receipt, &b"receipt-id:"[..]),
            Some(b'm') => (&mut self.message, &b"message:"[..]),
            _ => return Ok(()),
        };
        if let Some(value) = header.strip_prefix(name) {
            place.get_or_insert(value);
        }
        Ok(())
    }

    fn keep_length(&mut self, digits: &[u8]) -> Result<(), Fault> {
        let bad = || Fault::Malformed(format!("the content-length {:?}", String::from_utf8_lossy(digits)));
        let length = number(digits).ok_or_else(bad)?;
        self.content_length.get_or_insert(usize::try_from(length).map_err(|_| bad())?);
        Ok(())
    }

    /// What an ERROR says, the headline and the beginning of the rest.
    fn words(&self) -> String {
        let rest = &self.body[..self.body.len().min(300)];
        let parts = [self.message.unwrap_or_default(), rest]
            .map(|part| String::from_utf8_lossy(part).trim().to_owned());
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": ")
    }
}

fn number(digits: &[u8]) -> Option<u32> {
    let add = |sum: u32, digit: &u8| {
        let digit = digit.is_ascii_digit().then(|| u32::from(digit - b'0'))?;
        sum.checked_mul(10)?.checked_add(digit)
    };
    if digits.is_empty() { None } else { digits.iter().try_fold(0, add) }
}

/// Cuts off the first frame, if it is there whole.
#[inline]
fn split(input: &[u8]) -> Result<Option<Frame<'_>>, Fault> {
    let mut frame = Frame::default();
    if let Some(b'\n' | b'\r') = input.first() {
        frame.length = 1;
        return Ok(Some(frame));
    }
    let Some(body_at) = split_head(input, &mut frame)? else {
        let is_endless = input.len() > MOST_HEADERS;
        return if is_endless {
            Err(Fault::Malformed("headers without an end".to_owned()))
        } else {
            Ok(None)
        };
    };
    let rest = &input[body_at..];
    let length = match frame.content_length {
        Some(length) if rest.len() <= length => return Ok(None),
        Some(length) if rest[length] != 0 => {
            return Err(Fault::Malformed("a frame that goes on after its content-length".to_owned()));
        }
        Some(length) => length,
        None => match memchr::memchr(0, rest) {
            Some(length) => length,
            None => return Ok(None),
        },
    };
    frame.body = &rest[..length];
    frame.length = body_at + length + 1;
    Ok(Some(frame))
}

/// Reads up to the empty line and tells where the body begins, if the empty line is there.
#[inline]
fn split_head<'a>(input: &'a [u8], frame: &mut Frame<'a>) -> Result<Option<usize>, Fault> {
    let mut at = 0;
    while let Some(length) = memchr::memchr(b'\n', &input[at..]) {
        let line = &input[at..at + length];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if at == 0 {
            frame.command = line;
        } else if line.is_empty() {
            return Ok(Some(at + length + 1));
        } else {
            frame.keep(line)?;
        }
        at += length + 1;
    }
    Ok(None)
}

fn place(frame: &Frame<'_>) -> Result<u32, Fault> {
    let id = frame.receipt.unwrap_or_default();
    let unknown =
        || Fault::Malformed(format!("a receipt {:?} that nobody asked for", String::from_utf8_lossy(id)));
    number(id).ok_or_else(unknown)
}

fn unexpected(command: &[u8]) -> Fault {
    let start = String::from_utf8_lossy(&command[..command.len().min(40)]).into_owned();
    Fault::Malformed(format!("a frame {start:?}"))
}

pub(crate) fn reply(input: &[u8]) -> Result<Option<(Reply, usize)>, Fault> {
    let Some(frame) = split(input)? else { return Ok(None) };
    let reply = match (frame.command, frame.receipt) {
        (b"CONNECTED", _) => Reply::Welcome,
        (b"RECEIPT", Some(SUBSCRIBED)) => Reply::Subscribed,
        (b"RECEIPT", Some(FAREWELL)) => Reply::Settled,
        (b"ERROR", _) => Reply::Refused(frame.words()),
        (b"MESSAGE" | b"RECEIPT" | b"", _) => Reply::Other,
        (other, _) => return Err(unexpected(other)),
    };
    Ok(Some((reply, frame.length)))
}
