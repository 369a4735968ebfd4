//! Exceptions on the wire: their class names are words of the protocol, and nothing else is made of them
//! (openwire.md, section 7).

use super::fault::Fault;
use super::reader::Reader;
use super::text::JavaText;
use super::writer::Writer;

/// Causes of causes, at most.
const DEEPEST: usize = 32;

/// An exception.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Throwable {
    /// The name of its class.
    pub class: Option<JavaText>,
    /// What it says.
    pub message: Option<JavaText>,
    /// Where it came from; sent only where stack traces were negotiated.
    pub frames: Vec<Frame>,
    /// What caused it; sent only where stack traces were negotiated.
    pub cause: Option<Box<Throwable>>,
}

/// A line of a stack trace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// The name of a class.
    pub class: Option<JavaText>,
    /// The name of a method.
    pub method: Option<JavaText>,
    /// The name of a file.
    pub file: Option<JavaText>,
    /// The number of a line in it.
    pub line: i32,
}

impl Throwable {
    /// An exception of this class.
    pub fn new(class: &'static str, message: &str) -> Self {
        Self { class: Some(class.into()), message: Some(message.into()), ..Self::default() }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Option<Box<Self>>, Fault> {
        let mut chain = Vec::new();
        while reader.bool()? {
            if chain.len() == DEEPEST {
                return Err(reader.fault("the causes of an exception are nested too deep"));
            }
            let mut one = Self { class: reader.string()?, message: reader.string()?, ..Self::default() };
            if !reader.has_stack_traces() {
                chain.push(one);
                break;
            }
            let count = usize::try_from(reader.short()?).map_err(|_| reader.fault("a negative count"))?;
            for _ in 0..count {
                let (class, method, file) = (reader.string()?, reader.string()?, reader.string()?);
                one.frames.push(Frame { class, method, file, line: reader.int()? });
            }
            chain.push(one);
        }
        let link = |cause, one: Self| Some(Box::new(Self { cause, ..one }));
        Ok(chain.into_iter().rev().fold(None, link))
    }

    pub(crate) fn write(this: Option<&Self>, writer: &mut Writer<'_>) {
        let mut next = this;
        while let Some(one) = next {
            writer.bool(true);
            writer.string(one.class.as_ref());
            writer.string(one.message.as_ref());
            if !writer.has_stack_traces() {
                return;
            }
            let count = one.frames.len().min(i16::MAX.unsigned_abs().into());
            writer.short(i16::try_from(count).unwrap_or(i16::MAX));
            for frame in one.frames.iter().take(count) {
                writer.string(frame.class.as_ref());
                writer.string(frame.method.as_ref());
                writer.string(frame.file.as_ref());
                writer.int(frame.line);
            }
            next = one.cause.as_deref();
        }
        writer.bool(false);
    }
}
