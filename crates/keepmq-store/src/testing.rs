//! What tests of this crate and of those that drive it need: a disk that misbehaves on demand and the suite that
//! every engine passes.

mod chance;
pub mod conformance;
mod faulty;

pub use chance::Chance;
pub use faulty::FaultyDisk;
