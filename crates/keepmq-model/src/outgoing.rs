//! Bytes on their way to a peer: small ones gathered, large bodies shared.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::{Buf, Bytes, BytesMut};

/// From this length on a body is passed on by reference; copying a shorter one is cheaper.
const SHARE_FROM: usize = 8 * 1024;

/// Bytes to be written, in order.
#[derive(Debug, Default)]
pub struct Outgoing {
    chunks: VecDeque<Bytes>,
    chunked: usize,
    tail: BytesMut,
}

impl Outgoing {
    /// Where the next bytes are written.
    pub fn buf(&mut self) -> &mut BytesMut {
        &mut self.tail
    }

    /// Adds a body without copying it when it is large.
    pub fn share(&mut self, body: &Bytes) {
        if body.len() < SHARE_FROM {
            self.tail.extend_from_slice(body);
            return;
        }
        if !self.tail.is_empty() {
            let gathered = self.tail.split().freeze();
            self.push(gathered);
        }
        self.push(body.clone());
    }

    fn push(&mut self, chunk: Bytes) {
        self.chunked += chunk.len();
        self.chunks.push_back(chunk);
    }

    /// Bytes not yet written.
    pub fn len(&self) -> usize {
        self.chunked + self.tail.len()
    }

    /// Whether everything is written.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fills in what to write next; says how many slices were filled.
    pub fn slices<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let parts = self.chunks.iter().map(|chunk| &chunk[..]).chain(Some(&self.tail[..]));
        let mut filled = 0;
        for (slice, part) in slices.iter_mut().zip(parts.filter(|part| !part.is_empty())) {
            *slice = IoSlice::new(part);
            filled += 1;
        }
        filled
    }

    /// The first bytes were written.
    pub fn advance(&mut self, mut written: usize) {
        while let Some(front) = self.chunks.front_mut() {
            if written < front.len() {
                front.advance(written);
                self.chunked -= written;
                return;
            }
            written -= front.len();
            self.chunked -= front.len();
            self.chunks.pop_front();
        }
        let rest = written.min(self.tail.len());
        self.tail.advance(rest);
    }

    /// Gives memory back while there is nothing to write.
    pub fn shrink(&mut self) {
        if self.is_empty() {
            *self = Self::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn drain(out: &mut Outgoing, mut step: usize) -> Vec<u8> {
        let mut all = Vec::new();
        while !out.is_empty() {
            let mut slices = [IoSlice::new(&[]); 4];
            let filled = out.slices(&mut slices);
            let next: Vec<u8> = slices[..filled].iter().flat_map(|s| s.iter().copied()).take(step).collect();
            out.advance(next.len());
            all.extend_from_slice(&next);
            step = step * 2 + 1;
        }
        all
    }

    #[test]
    fn a_large_body_is_not_copied() {
        let body = Bytes::from(vec![7; SHARE_FROM]);
        let mut out = Outgoing::default();
        out.share(&body);
        let mut slices = [IoSlice::new(&[])];
        assert_eq!(out.slices(&mut slices), 1);
        assert_eq!(slices[0].as_ptr(), body.as_ptr());
    }

    proptest! {
        #[test]
        fn bytes_leave_in_the_order_they_came(
            parts in proptest::collection::vec((any::<bool>(), 0usize..3 * SHARE_FROM), 0..8), step in 1usize..9999,
        ) {
            let mut out = Outgoing::default();
            let mut wanted = Vec::new();
            for (i, (shared, length)) in parts.into_iter().enumerate() {
                let bytes = Bytes::from(vec![u8::try_from(i).unwrap(); length]);
                wanted.extend_from_slice(&bytes);
                if shared { out.share(&bytes) } else { out.buf().extend_from_slice(&bytes) }
            }
            prop_assert_eq!(out.len(), wanted.len());
            prop_assert_eq!(drain(&mut out, step), wanted);
        }
    }
}
