//! Reads the fields of a frame, in either encoding.
//!
//! In the tight encoding all bits of a frame stand before all its bytes (openwire.md, section 4). Both are read side by
//! side, so that one walk over the fields does for both encodings.

use bytes::Bytes;

use super::cache::{Cached, ReadCache};
use super::fault::Fault;
use super::structure::Structure;
use super::text::JavaText;
use super::throwable::Throwable;
use super::wire::Command;

/// Objects in objects, at most.
const DEEPEST: u8 = 32;

/// How a frame is to be read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    pub(crate) version: u8,
    pub(crate) tight: bool,
    pub(crate) stack_traces: bool,
}

pub(crate) struct Reader<'a> {
    /// Without its size.
    frame: &'a Bytes,
    /// Where the next bytes are.
    at: usize,
    manner: Manner,
    cache: Option<&'a mut ReadCache>,
    /// Where the next bit is, counted from the frame's first; and where the bits end.
    bit: usize,
    bits_end: usize,
    depth: u8,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(frame: &'a Bytes, manner: Manner, cache: Option<&'a mut ReadCache>) -> Self {
        Self { frame, at: 0, manner, cache, bit: 0, bits_end: 0, depth: 0 }
    }

    pub(crate) fn version(&self) -> u8 {
        self.manner.version
    }

    pub(crate) fn has_stack_traces(&self) -> bool {
        self.manner.stack_traces
    }

    pub(crate) fn fault(&self, text: &'static str) -> Fault {
        Fault::new(text, self.at)
    }

    /// The whole frame: a type, in the tight encoding the bits, and the fields.
    pub(crate) fn command(&mut self) -> Result<Option<Command>, Fault> {
        let code = self.u8()?;
        if code == 0 {
            return Ok(None);
        }
        if self.manner.tight {
            self.bit_stream()?;
        }
        let command = Command::read(self, code)?;
        if self.at != self.frame.len() {
            return Err(self.fault("something stands behind the last field"));
        }
        Ok(Some(command))
    }

    /// The head of the bits: their count in bytes (openwire.md, section 4).
    fn bit_stream(&mut self) -> Result<(), Fault> {
        let count = match self.u8()? {
            0xc0 => usize::from(self.u8()?),
            0x80 => usize::try_from(self.short()?).map_err(|_| self.fault("a negative count of bits"))?,
            count => usize::from(count),
        };
        self.bit = self.at * 8;
        self.take(count)?;
        self.bits_end = self.at * 8;
        Ok(())
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], Fault> {
        let frame = self.frame;
        let part = frame.get(self.at..).and_then(|rest| rest.get(..count));
        let part = part.ok_or(Fault::new("the frame ends within a field", self.at))?;
        self.at += count;
        Ok(part)
    }

    fn take_shared(&mut self, count: usize) -> Result<Bytes, Fault> {
        let from = self.at;
        self.take(count)?;
        Ok(self.frame.slice(from..from + count))
    }

    fn array_of<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let part = self.take(N)?;
        part.try_into().map_err(|_| self.fault("the frame ends within a field"))
    }

    fn one_bit(&mut self) -> Result<bool, Fault> {
        if self.bit >= self.bits_end {
            return Err(self.fault("there are fewer bits than fields"));
        }
        let byte = self.frame.get(self.bit / 8).copied().unwrap_or_default();
        let set = byte >> (self.bit % 8) & 1 != 0;
        self.bit += 1;
        Ok(set)
    }

    pub(crate) fn bool(&mut self) -> Result<bool, Fault> {
        if self.manner.tight { self.one_bit() } else { Ok(self.u8()? != 0) }
    }

    fn u8(&mut self) -> Result<u8, Fault> {
        Ok(self.array_of::<1>()?[0])
    }

    pub(crate) fn byte(&mut self) -> Result<i8, Fault> {
        Ok(i8::from_be_bytes(self.array_of()?))
    }

    pub(crate) fn short(&mut self) -> Result<i16, Fault> {
        Ok(i16::from_be_bytes(self.array_of()?))
    }

    pub(crate) fn int(&mut self) -> Result<i32, Fault> {
        Ok(i32::from_be_bytes(self.array_of()?))
    }

    pub(crate) fn long(&mut self) -> Result<i64, Fault> {
        if !self.manner.tight {
            return Ok(i64::from_be_bytes(self.array_of()?));
        }
        Ok(match (self.one_bit()?, self.one_bit()?) {
            (false, false) => 0,
            (false, true) => u16::from_be_bytes(self.array_of()?).into(),
            (true, false) => u32::from_be_bytes(self.array_of()?).into(),
            (true, true) => i64::from_be_bytes(self.array_of()?),
        })
    }

    /// A count of things of at least one byte each.
    fn count(&mut self, count: i32) -> Result<usize, Fault> {
        let left = self.frame.len() - self.at;
        usize::try_from(count)
            .ok()
            .filter(|count| *count <= left)
            .ok_or(self.fault("a length is longer than the frame"))
    }

    pub(crate) fn string(&mut self) -> Result<Option<JavaText>, Fault> {
        if !self.bool()? {
            return Ok(None);
        }
        let single = self.manner.tight && self.one_bit()?;
        let len = usize::from(u16::from_be_bytes(self.array_of()?));
        let bytes = self.take_shared(len)?;
        if single {
            return Ok(Some(JavaText::from_latin1(bytes)));
        }
        let text = JavaText::checked(bytes).ok_or(self.fault("a text is not modified UTF-8"))?;
        Ok(Some(text))
    }

    pub(crate) fn bytes(&mut self) -> Result<Option<Bytes>, Fault> {
        if !self.bool()? {
            return Ok(None);
        }
        let len = self.int()?;
        let len = self.count(len)?;
        self.take_shared(len).map(Some)
    }

    pub(crate) fn fixed<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        self.array_of()
    }

    pub(crate) fn nested<T: Structure>(&mut self) -> Result<Option<T>, Fault> {
        if !self.bool()? {
            return Ok(None);
        }
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.fault("objects are nested too deep"));
        }
        let code = self.u8()?;
        if self.manner.tight && is_marshal_aware(code) && self.one_bit()? {
            return Err(self.fault("an object claims to bring its own encoding"));
        }
        let value = T::read(self, code)?;
        self.depth -= 1;
        Ok(Some(value))
    }

    pub(crate) fn cached<T: Structure>(&mut self) -> Result<Option<T>, Fault> {
        if self.cache.is_none() {
            return self.nested();
        }
        if !self.bool()? {
            let index = self.short()?;
            let cache = self.cache.as_deref().filter(|cache| cache.has(index));
            let value = cache.ok_or(self.fault("a cached value has no number of the table"))?.get(index);
            let Some(value) = value.into_command() else { return Ok(None) };
            return T::of_command(value).map(Some).ok_or(self.fault("a cached value is of another type"));
        }
        let index = self.short()?;
        if index != -1 && !self.cache.as_deref().is_some_and(|cache| cache.has(index)) {
            return Err(self.fault("a cached value has no number of the table"));
        }
        let value = self.nested::<T>()?;
        // Only names are kept. Who sends anything else by number gets nothing for it.
        let kept = value.as_ref().and_then(Structure::to_cached).unwrap_or(Cached::Null);
        let has_room = self.cache.as_deref_mut().is_none_or(|cache| cache.put(index, kept));
        if has_room { Ok(value) } else { Err(self.fault("the cache holds too much")) }
    }

    pub(crate) fn array<T: Structure>(&mut self) -> Result<Option<Vec<T>>, Fault> {
        if !self.bool()? {
            return Ok(None);
        }
        let count = i32::from(self.short()?);
        // In the tight encoding an absent element is one bit; a count of such is bounded by its two bytes.
        let count = usize::try_from(count).map_err(|_| self.fault("a negative count"))?;
        let mut values = Vec::new();
        for _ in 0..count {
            let value = self.nested()?.ok_or(self.fault("an element of an array is absent"))?;
            values.push(value);
        }
        Ok(Some(values))
    }

    pub(crate) fn throwable(&mut self) -> Result<Option<Box<Throwable>>, Fault> {
        Throwable::read(self)
    }
}

/// Whether an object of this type is followed by one more bit in the tight encoding (openwire.md, section 4).
pub(crate) fn is_marshal_aware(code: u8) -> bool {
    matches!(code, 1 | 23..=29)
}
