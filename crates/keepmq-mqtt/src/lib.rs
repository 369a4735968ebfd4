//! MQTT 3.1 and 3.1.1: what a client says in verbs of the broker, and what the broker says in packets of the client.
//!
//! [`MqttSession`] is the [`keepmq_model::Session`] of one connection and [`MqttFormat`] the [`keepmq_model::Format`] of its
//! messages; [`codec`] reads and writes packets. There is no socket, clock or chance in here.
//!
//! What the session counts on, beside the words of the contract:
//!
//! * after [`keepmq_model::Flow::Pause`] reading goes on with the next event that answers
//!   [`keepmq_model::Flow::Continue`], also where no new bytes have come: a whole packet may wait in the input;
//! * while much is written and not sent, no further events are taken: of a clean session the credit for a message comes
//!   back when it is written;
//! * the broker does what a session says of one link in the order in which it is said: the note of an unfinished message
//!   before its settlement, its settlement before the end of the note.
//!
//! # Where MQTT leaves a choice
//!
//! | question | answer |
//! | --- | --- |
//! | a client without user name | is refused by the broker like any other login |
//! | a client without id | is named `auto-` and its connection's number; in 3.1, and for a session that stays, it is rejected |
//! | longer ids than 23 | up to 256 bytes, without control characters and wildcards |
//! | names | ActiveMQ's: `/` and `.`, `+` and `*`, `#` and `>` change places |
//! | a filter that the broker can't hold (over 4 KiB or 128 levels, control characters) | 0x80 for it alone |
//! | a refused filter in 3.1, which knows no 0x80 | 0x80 |
//! | a refused message | the connection is closed; see [`RefusedPublish`] |
//! | overlapping filters | one copy with the highest `QoS` |
//! | messages of other protocols | `QoS` 1 at most |
//! | keep alive | also bytes of a packet under way are a sign of life |
#![forbid(unsafe_code)]

pub mod codec;
mod fault;
mod format;
mod json;
mod limits;
mod recent;
mod refusal;
mod session;
mod topic;

pub use format::MqttFormat;
pub use limits::{Limits, Options, RefusedPublish};
pub use session::MqttSession;
