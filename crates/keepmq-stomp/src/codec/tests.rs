//! Frames in every version, whole, byte by byte and cut at every place.

mod hostile;
mod vectors;

use bytes::BytesMut;

use super::{Command, Decoder, Fault, Frame, Side, Version};
use crate::limits::FrameLimits;

/// What a frame says, in comparable form.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    command: Command,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    sized: bool,
}

fn said(command: Command, headers: &[(&str, &str)], body: &[u8], sized: bool) -> Said {
    let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    Said { command, headers, body: body.to_vec(), sized }
}

impl From<&Frame> for Said {
    fn from(frame: &Frame) -> Self {
        let headers: Vec<(&str, &str)> = frame.headers().collect();
        said(frame.command(), &headers, frame.body(), frame.is_sized())
    }
}

/// Reads everything from pieces; what is left unread must be nothing but the start of a frame.
fn read(
    pieces: &[&[u8]],
    side: Side,
    version: Version,
    limits: &FrameLimits,
) -> Result<(Vec<Said>, usize), Fault> {
    let mut decoder = Decoder::new(side, version);
    let mut input = BytesMut::new();
    let mut frames = Vec::new();
    for piece in pieces {
        input.extend_from_slice(piece);
        while let Some(frame) = decoder.next(&mut input, limits)? {
            frames.push(Said::from(&frame));
            decoder.recycle(frame);
        }
    }
    Ok((frames, input.len()))
}

/// Reads bytes whole, byte by byte and cut in two at every place: all must agree.
fn read_all_ways(
    bytes: &[u8],
    side: Side,
    version: Version,
    limits: &FrameLimits,
) -> Result<Vec<Said>, Fault> {
    let whole = read(&[bytes], side, version, limits);
    let single: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_eq!(read(&single, side, version, limits), whole, "byte by byte");
    for cut in 0..=bytes.len() {
        let (front, back) = bytes.split_at(cut);
        assert_eq!(read(&[front, back], side, version, limits), whole, "cut at {cut}");
    }
    whole.map(|(frames, left)| {
        assert_eq!(left, 0, "bytes left over");
        frames
    })
}

/// Reads frames of a client that is logged in.
fn client(bytes: &[u8], version: Version) -> Result<Vec<Said>, Fault> {
    read_all_ways(bytes, Side::Client, version, &FrameLimits::OPEN)
}

fn login(bytes: &[u8]) -> Result<Vec<Said>, Fault> {
    read_all_ways(bytes, Side::Login, Version::V1_0, &FrameLimits::LOGIN)
}
