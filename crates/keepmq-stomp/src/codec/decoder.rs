//! Cuts frames out of a stream of bytes, whatever pieces it comes in.

use std::ops::Range;

use bytes::{Buf, Bytes, BytesMut};
use keepmq_model::Text;
use zeroize::Zeroize;

use super::command::{Command, Side};
use super::escape::unescape;
use super::fault::Fault;
use super::frame::{Frame, Line};
use super::version::Version;
use crate::limits::FrameLimits;

/// Shorter bodies get bytes of their own, so that a small message never keeps a whole read buffer alive.
const COPY_BELOW: usize = 4 * 1024;
/// Places for header lines that are kept from frame to frame.
const KEEP_LINES: usize = 32;

/// Reads frames of one connection. It remembers how far it has looked at an incomplete frame, so each byte is looked at
/// once, and it believes no length: nothing is set aside for bytes that have not come.
#[derive(Debug)]
pub struct Decoder {
    side: Side,
    version: Version,
    command: Option<Command>,
    lines: Vec<Line>,
    /// Bytes of the incomplete frame that need not be looked at again.
    scanned: usize,
    /// Where the line begins that is being looked for.
    line: usize,
    length: Option<usize>,
    /// Bytes of the head, its empty line included, once that is known.
    head: Option<usize>,
}

impl Decoder {
    /// Reads what this side says in this version. (Before login the version is not known, and not used.)
    pub fn new(side: Side, version: Version) -> Self {
        Self {
            side,
            version,
            command: None,
            lines: Vec::new(),
            scanned: 0,
            line: 0,
            length: None,
            head: None,
        }
    }

    /// Takes the next whole frame from the front of `input`; `None` leaves an incomplete one there for the next call,
    /// when more has been appended. Line ends between frames are heart-beats and are taken.
    pub fn next(&mut self, input: &mut BytesMut, limits: &FrameLimits) -> Result<Option<Frame>, Fault> {
        if self.scanned == 0 && !skip_beats(input) {
            return Ok(None);
        }
        let Some((command, head)) = self.read_head(input, limits)? else {
            return Ok(None);
        };
        let Some(body) = self.find_body(command, head, input, limits)? else {
            return Ok(None);
        };
        self.take(command, head, body, input).map(Some)
    }

    /// Gives back a frame that is dealt with, so that the next one needs no new memory.
    pub fn recycle(&mut self, frame: Frame) {
        let mut lines = frame.lines;
        if self.lines.capacity() == 0 && lines.capacity() <= KEEP_LINES {
            lines.clear();
            self.lines = lines;
        }
    }

    /// Whether lines may end with CR LF: since 1.2, as long as no version is agreed on, and in 1.0, where spaces at the
    /// end mean nothing. In 1.1 a CR is a byte like others.
    fn strips_cr(&self) -> bool {
        self.side == Side::Login || self.version != Version::V1_1
    }

    fn read_head(
        &mut self,
        input: &mut BytesMut,
        limits: &FrameLimits,
    ) -> Result<Option<(Command, usize)>, Fault> {
        if let (Some(command), Some(head)) = (self.command, self.head) {
            return Ok(Some((command, head)));
        }
        while let Some(line) = self.next_line(input, limits)? {
            let Some(command) = self.command else {
                self.command = Some(self.read_command(input, line)?);
                continue;
            };
            if line.is_empty() {
                self.head = Some(self.scanned);
                return Ok(Some((command, self.scanned)));
            }
            self.add_line(command, input, line, limits)?;
        }
        Ok(None)
    }

    /// The place of the next line without its end.
    fn next_line(&mut self, input: &[u8], limits: &FrameLimits) -> Result<Option<Range<usize>>, Fault> {
        let fresh = input.get(self.scanned..).unwrap_or_default();
        let Some(at) = memchr::memchr2(b'\n', 0, fresh) else {
            self.scanned = input.len();
            self.check_size(input.len(), limits)?;
            return Ok(None);
        };
        let mut end = self.scanned + at;
        self.check_size(end, limits)?;
        if input.get(end) == Some(&0) {
            return Err(if self.command.is_some() { Fault::NulInHead } else { self.not_a_command() });
        }
        let start = std::mem::replace(&mut self.line, end + 1);
        self.scanned = end + 1;
        if self.strips_cr() && end > start && input.get(end - 1) == Some(&b'\r') {
            end -= 1;
        }
        Ok(Some(start..end))
    }

    /// Whether the line that ends here, or goes on from here, keeps to the limits.
    fn check_size(&self, end: usize, limits: &FrameLimits) -> Result<(), Fault> {
        let line = end - self.line.min(end);
        if self.command.is_none() && line > Command::LONGEST + 1 {
            return Err(self.not_a_command());
        }
        if line > limits.line() {
            return Err(Fault::LongLine);
        }
        if end > limits.head {
            return Err(Fault::LongHead);
        }
        Ok(())
    }

    fn read_command(&self, input: &[u8], line: Range<usize>) -> Result<Command, Fault> {
        let line = input.get(line).unwrap_or_default();
        Command::read(line).filter(|command| command.is_of(self.side)).ok_or_else(|| self.not_a_command())
    }

    fn not_a_command(&self) -> Fault {
        match self.side {
            Side::Login => Fault::BeforeLogin,
            Side::Client | Side::Server => Fault::Command,
        }
    }

    fn add_line(
        &mut self,
        command: Command,
        input: &mut [u8],
        line: Range<usize>,
        limits: &FrameLimits,
    ) -> Result<(), Fault> {
        if self.lines.len() >= limits.headers {
            return Err(Fault::TooManyHeaders);
        }
        let bytes = input.get_mut(line.clone()).unwrap_or_default();
        let colon = memchr::memchr(b':', bytes).ok_or(Fault::NoColon)?;
        let mut name = line.start..line.start + colon;
        let mut value = name.end + 1..line.end;
        if self.version == Version::V1_0 && self.side != Side::Login {
            name = trimmed(input, name);
            value = trimmed(input, value);
        } else if command.is_escaped() && memchr::memchr(b'\\', bytes).is_some() {
            name = self.unescaped(input, name)?;
            value = self.unescaped(input, value)?;
        }
        if name.is_empty() {
            return Err(Fault::NoName);
        }
        if input.get(name.clone()) == Some(b"content-length") {
            self.add_length(command, input.get(value.clone()).unwrap_or_default(), limits)?;
        }
        self.lines.push(Line { name, value });
        Ok(())
    }

    fn unescaped(&self, input: &mut [u8], part: Range<usize>) -> Result<Range<usize>, Fault> {
        let bytes = input.get_mut(part.clone()).unwrap_or_default();
        let left = unescape(bytes, self.version).ok_or(Fault::Escape)?;
        // What is left over behind the plain text may be half a character.
        bytes.get_mut(left..).unwrap_or_default().fill(b' ');
        Ok(part.start..part.start + left)
    }

    /// Notes what `content-length` says. Two that differ are an attempt to have two readers see different frames.
    fn add_length(&mut self, command: Command, value: &[u8], limits: &FrameLimits) -> Result<(), Fault> {
        if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
            return Err(Fault::ContentLength);
        }
        let length = value
            .iter()
            .try_fold(0usize, |sum, digit| sum.checked_mul(10)?.checked_add(usize::from(digit - b'0')));
        let length = length.ok_or(Fault::LongBody)?;
        if self.length.is_some_and(|before| before != length) {
            return Err(Fault::ContentLength);
        }
        if length > 0 && !command.has_body() {
            return Err(Fault::Body);
        }
        if length > limits.body {
            return Err(Fault::LongBody);
        }
        self.length = Some(length);
        Ok(())
    }

    /// The body's length, once all of it and the NUL behind it are there.
    fn find_body(
        &mut self,
        command: Command,
        head: usize,
        input: &[u8],
        limits: &FrameLimits,
    ) -> Result<Option<usize>, Fault> {
        if let Some(length) = self.length {
            return match input.get(head.saturating_add(length)) {
                None => Ok(None),
                Some(0) => Ok(Some(length)),
                Some(_) => Err(Fault::NoNul),
            };
        }
        if !command.has_body() {
            return match input.get(head) {
                None => Ok(None),
                Some(0) => Ok(Some(0)),
                Some(_) => Err(Fault::Body),
            };
        }
        let fresh = input.get(self.scanned..).unwrap_or_default();
        let end = memchr::memchr(0, fresh).map(|at| self.scanned + at);
        self.scanned = end.unwrap_or(input.len());
        if self.scanned - head > limits.body {
            return Err(Fault::LongBody);
        }
        Ok(end.map(|end| end - head))
    }

    /// Takes the frame out of the input. Both lengths were found in it.
    fn take(
        &mut self,
        command: Command,
        head: usize,
        length: usize,
        input: &mut BytesMut,
    ) -> Result<Frame, Fault> {
        let sized = self.length.is_some();
        let lines = std::mem::take(&mut self.lines);
        *self = Self::new(self.side, self.version);
        let block = input.split_to(head.min(input.len()));
        let body = take_body(input, length);
        input.advance(input.len().min(1));
        let head = Text::try_from(self.take_head(block)).map_err(|_| Fault::Utf8)?;
        Ok(Frame { command, head, lines, body, sized })
    }

    /// Before login the head holds a passcode.
    fn take_head(&self, mut block: BytesMut) -> Bytes {
        match self.side {
            Side::Login => moved_out(&mut block),
            Side::Client | Side::Server => block.freeze(),
        }
    }
}

/// Takes a secret out of a read buffer, where nothing of it stays.
fn moved_out(block: &mut [u8]) -> Bytes {
    let copy = Bytes::copy_from_slice(block);
    block.zeroize();
    copy
}

fn take_body(input: &mut BytesMut, length: usize) -> Bytes {
    let length = length.min(input.len());
    if length >= COPY_BELOW {
        return input.split_to(length).freeze();
    }
    let body = input.get(..length).unwrap_or_default();
    let body = if body.is_empty() { Bytes::new() } else { Bytes::copy_from_slice(body) };
    input.advance(length);
    body
}

/// Takes line ends from the front; `false` when nothing else is there, or half of one.
fn skip_beats(input: &mut BytesMut) -> bool {
    let mut rest = &input[..];
    while let [b'\n', after @ ..] | [b'\r', b'\n', after @ ..] = rest {
        rest = after;
    }
    let more = !matches!(rest, [] | [b'\r']);
    let beats = input.len() - rest.len();
    input.advance(beats);
    more
}

fn trimmed(input: &[u8], part: Range<usize>) -> Range<usize> {
    let bytes = input.get(part.clone()).unwrap_or_default();
    let start = part.start + (bytes.len() - bytes.trim_ascii_start().len());
    start..start + bytes.trim_ascii().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_passcode_stays_in_the_read_buffer() {
        let mut block = *b"CONNECT\npasscode:hunter2hunter2\n\n";
        assert_eq!(&moved_out(&mut block)[8..16], b"passcode");
        assert!(block.iter().all(|byte| *byte == 0));
    }

    #[test]
    fn a_recycled_frame_gives_its_places_to_the_next() {
        let mut decoder = Decoder::new(Side::Client, Version::V1_2);
        let mut input = BytesMut::from(&b"ACK\nid:1\n\n\0ACK\nid:2\n\n\0"[..]);
        let first = decoder.next(&mut input, &FrameLimits::OPEN).unwrap().expect("a frame");
        let place = first.lines.as_ptr();
        decoder.recycle(first);
        let second = decoder.next(&mut input, &FrameLimits::OPEN).unwrap().expect("a frame");
        assert_eq!((second.lines.as_ptr(), second.get("id")), (place, Some("2")));
    }
}
