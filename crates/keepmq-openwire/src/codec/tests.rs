//! The codec against bytes of the original, and against bytes of nobody.

mod hostile;
pub(super) mod json;
mod vectors;
