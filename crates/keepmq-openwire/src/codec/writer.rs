//! Writes the fields of a frame, in either encoding.

use bytes::{BufMut, Bytes, BytesMut};
use keepmq_model::Outgoing;

use super::cache::{Cached, WriteCache};
use super::reader::{Manner, is_marshal_aware};
use super::structure::Structure;
use super::text::JavaText;
use super::throwable::Throwable;

/// Longest text of the tight encoding (openwire.md, section 4.2).
const LONGEST_TIGHT: usize = 32766;

/// From this length on the content of a message is passed on by reference.
const SHARE_FROM: usize = 8 * 1024;

/// Buffers that are used again for the next frame.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    bits: Vec<u8>,
    data: BytesMut,
}

impl Scratch {
    /// Gives memory back.
    pub(crate) fn shrink(&mut self) {
        *self = Self::default();
    }
}

pub(crate) struct Writer<'a> {
    scratch: &'a mut Scratch,
    /// How many bits there are.
    count: usize,
    manner: Manner,
    cache: Option<&'a mut WriteCache>,
    /// Long bytes that belong at this place of the data.
    shared: Option<(usize, Bytes)>,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(scratch: &'a mut Scratch, manner: Manner, cache: Option<&'a mut WriteCache>) -> Self {
        scratch.bits.clear();
        scratch.data.clear();
        Self { scratch, count: 0, manner, cache, shared: None }
    }

    pub(crate) fn version(&self) -> u8 {
        self.manner.version
    }

    pub(crate) fn has_stack_traces(&self) -> bool {
        self.manner.stack_traces
    }

    /// Puts the frame out: its size, type, bits and bytes.
    pub(crate) fn finish(self, code: u8, out: &mut Outgoing) {
        let Scratch { bits, data } = self.scratch;
        let mut head = [0; 4];
        let head = if self.manner.tight { bit_head(bits.len(), &mut head) } else { &head[..0] };
        let shared = self.shared.as_ref().map_or(0, |(_, bytes)| bytes.len());
        let size = 1 + head.len() + bits.len() + data.len() + shared;
        let buf = out.buf();
        buf.reserve(4 + size - shared);
        buf.put_i32(i32::try_from(size).unwrap_or(i32::MAX));
        buf.put_u8(code);
        buf.put_slice(head);
        buf.put_slice(bits);
        match self.shared {
            None => buf.put_slice(data),
            Some((at, bytes)) => {
                let (before, behind) = data.split_at(at.min(data.len()));
                buf.put_slice(before);
                out.share(&bytes);
                out.buf().put_slice(behind);
            }
        }
    }

    /// The type and the fields in the loose encoding, by themselves.
    pub(crate) fn into_bytes(self, code: u8) -> Bytes {
        let data = &self.scratch.data;
        let (at, shared) = self.shared.unwrap_or((data.len(), Bytes::new()));
        let (before, behind) = data.split_at(at.min(data.len()));
        let mut bytes = BytesMut::with_capacity(1 + data.len() + shared.len());
        bytes.put_u8(code);
        [before, &shared, behind].into_iter().for_each(|part| bytes.put_slice(part));
        bytes.freeze()
    }

    fn bit(&mut self, set: bool) {
        if self.count.is_multiple_of(8) {
            self.scratch.bits.push(0);
        }
        if let Some(last) = self.scratch.bits.last_mut() {
            *last |= u8::from(set) << (self.count % 8);
        }
        self.count += 1;
    }

    pub(crate) fn bool(&mut self, value: bool) {
        if self.manner.tight { self.bit(value) } else { self.scratch.data.put_u8(value.into()) }
    }

    pub(crate) fn byte(&mut self, value: i8) {
        self.scratch.data.put_i8(value);
    }

    pub(crate) fn short(&mut self, value: i16) {
        self.scratch.data.put_i16(value);
    }

    pub(crate) fn int(&mut self, value: i32) {
        self.scratch.data.put_i32(value);
    }

    pub(crate) fn long(&mut self, value: i64) {
        if !self.manner.tight {
            return self.scratch.data.put_i64(value);
        }
        let (bits, data) = match (u16::try_from(value), u32::try_from(value)) {
            (Ok(0), _) => ([false, false], &[][..]),
            (Ok(short), _) => ([false, true], &short.to_be_bytes()[..]),
            (_, Ok(int)) => ([true, false], &int.to_be_bytes()[..]),
            _ => ([true, true], &value.to_be_bytes()[..]),
        };
        bits.into_iter().for_each(|bit| self.bit(bit));
        self.scratch.data.put_slice(data);
    }

    pub(crate) fn string(&mut self, text: Option<&JavaText>) {
        self.bool(text.is_some());
        let Some(text) = text else { return };
        let most = if self.manner.tight { LONGEST_TIGHT } else { usize::from(u16::MAX) };
        let bytes = text.upto(most);
        if self.manner.tight {
            self.bit(text.is_ascii());
        }
        self.scratch.data.put_u16(u16::try_from(bytes.len()).unwrap_or_default());
        self.scratch.data.put_slice(bytes);
    }

    pub(crate) fn bytes(&mut self, bytes: Option<&Bytes>) {
        self.bool(bytes.is_some());
        let Some(bytes) = bytes else { return };
        self.scratch.data.put_i32(i32::try_from(bytes.len()).unwrap_or(i32::MAX));
        if bytes.len() >= SHARE_FROM && self.shared.is_none() {
            self.shared = Some((self.scratch.data.len(), bytes.clone()));
        } else {
            self.scratch.data.put_slice(bytes);
        }
    }

    pub(crate) fn fixed<const N: usize>(&mut self, bytes: &[u8; N]) {
        self.scratch.data.put_slice(bytes);
    }

    pub(crate) fn nested<T: Structure>(&mut self, value: Option<&T>) {
        self.bool(value.is_some());
        let Some(value) = value else { return };
        let code = value.code();
        self.scratch.data.put_u8(code);
        if self.manner.tight && is_marshal_aware(code) {
            self.bit(false);
        }
        value.write(self);
    }

    pub(crate) fn cached<T: Structure>(&mut self, value: Option<&T>) {
        if self.cache.is_none() {
            return self.nested(value);
        }
        let Some(key) = value.map_or(Some(Cached::Null), Structure::to_cached) else {
            // Only names are kept.
            self.bool(true);
            self.short(-1);
            return self.nested(value);
        };
        let known = self.cache.as_deref().and_then(|cache| cache.number(&key));
        self.bool(known.is_none());
        if let Some(number) = known {
            return self.short(number);
        }
        // The loose encoding numbers a value before those within it, the tight one after them.
        if !self.manner.tight {
            let number = self.number(key);
            self.short(number);
            return self.nested(value);
        }
        let at = self.scratch.data.len();
        self.short(0);
        self.nested(value);
        let number = self.number(key);
        if let Some(place) = self.scratch.data.get_mut(at..at + 2) {
            place.copy_from_slice(&number.to_be_bytes());
        }
    }

    fn number(&mut self, key: Cached) -> i16 {
        self.cache.as_deref_mut().map_or(-1, |cache| cache.add(key))
    }

    pub(crate) fn array<T: Structure>(&mut self, values: Option<&Vec<T>>) {
        self.bool(values.is_some());
        let Some(values) = values else { return };
        let count = i16::try_from(values.len()).unwrap_or(i16::MAX);
        self.short(count);
        let count = usize::from(count.unsigned_abs());
        values.iter().take(count).for_each(|value| self.nested(Some(value)));
    }

    pub(crate) fn throwable(&mut self, value: Option<&Throwable>) {
        Throwable::write(value, self);
    }
}

/// How the count of bytes of the bits is written (openwire.md, section 4).
fn bit_head(count: usize, head: &mut [u8; 4]) -> &[u8] {
    match (u8::try_from(count), count) {
        (Ok(count), 0..64) => {
            head[0] = count;
            &head[..1]
        }
        (Ok(count), _) => {
            head[..2].copy_from_slice(&[0xc0, count]);
            &head[..2]
        }
        _ => {
            head[0] = 0x80;
            head[1..3].copy_from_slice(&u16::try_from(count).unwrap_or(u16::MAX).to_be_bytes());
            &head[..3]
        }
    }
}
