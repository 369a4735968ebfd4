//! One definition for each option; `keepmq.toml` into one validated [`Config`].
//!
//! [`load`] reads a folder's configuration and tells all its faults at once, each with its place and a remedy. Nothing
//! that is open is open by being left out: what is not written is closed, and what weakens a default is listed by
//! [`Config::open_doors`]. [`sections`] is the reference of all options. [`private`] is the one place where files are
//! written and read that only their owner may see.
#![forbid(unsafe_code)]

mod address;
mod authorization;
mod choice;
mod config;
mod files;
mod findings;
mod list;
mod listener;
pub mod name;
mod nearest;
mod needed;
mod option;
pub mod private;
mod quantity;
mod raw;
#[cfg(test)]
mod reading;
mod report;
mod sections;
pub mod template;
mod value;

pub use address::{Ingress, Posture};
pub use authorization::CONSOLE_GROUP;
pub use choice::{Protocol, RefusedPublish};
pub use config::{
    Config, Difference, FILE, Loaded, MOST_BYTES, OpenDoor, StorePlan, TlsFiles, judge, load,
    readable_listeners,
};
pub use listener::Listener;
pub use option::{Change, OptionDef, Stated};
pub use quantity::{Count, Period, Size};
pub use report::{Fault, Place, Report};
pub use sections::{Broker, DeadLetter, Limits, SectionDoc, sections};
pub use value::{FilePath, Label, QueueName};
