//! Seeded simulation of the broker core.
//!
//! One generator decides everything: who connects, what is sent, taken, settled and lost, when the disk is done, when a
//! page is read, when the broker dies. The broker is the real core, its clock, disk and threads belong to the run. Beside
//! it an oracle follows what was said and answered, and knows what each client may see and what must never be lost. A
//! seed that fails, fails again.
#![forbid(unsafe_code)]

mod oracle;
mod peer;
mod run;
mod world;

pub use run::{Summary, Violation, run};
