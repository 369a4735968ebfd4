//! STOMP 1.0, 1.1 and 1.2, as ActiveMQ's users use it: codec, session, stored form, and the table of refusals.
//!
//! A [`StompSession`] is one connection. It is given bytes and events and gives verbs and bytes; it knows no socket, no
//! clock and nobody's rights. [`StompFormat`] reads what it stores into the common view of all protocols, and [`codec`]
//! reads and writes frames for either side.
//!
//! # Destinations
//!
//! `/queue/NAME`, `/topic/NAME`, `/temp-queue/ALIAS`, `/temp-topic/ALIAS` (made at first use, the alias is this
//! connection's own), `/remote-temp-queue/NAME`, `/remote-temp-topic/NAME`, and the same as `queue://NAME` and so on.
//! SEND takes several with commas between (`/queue/a,/topic/b`, `/queue/a,b`); SUBSCRIBE takes wildcards (`*`, `>`) and
//! no lists. A MESSAGE frame names the destination that was subscribed to; with wildcards, the one that it was sent to.
//!
//! # Headers beyond the specification
//!
//! | frame | header | meaning |
//! | --- | --- | --- |
//! | CONNECT | `client-id` | held while connected; durable subscriptions need it |
//! | CONNECT | `request-id` | comes back as `response-id` and `receipt-id`, as from ActiveMQ |
//! | SEND | `persistent` | `true`: the message survives a crash; the default is `false`, as in ActiveMQ |
//! | SEND | `priority`, `expires`, `timestamp` | 0 to 9; milliseconds since 1970 |
//! | SEND | `reply-to`, `correlation-id`, `type` | as in JMS |
//! | SEND | `amq-msg-type` | `text` or `bytes`; else the body is bytes when `content-length` was given |
//! | SEND | `JMSXGroupID`, `JMSXGroupSeq` | message group; the second alone means nothing |
//! | SEND | `AMQ_SCHEDULED_DELAY`, `_PERIOD`, `_REPEAT`, `_CRON` | delivery later |
//! | SUBSCRIBE | `selector` | only messages for which it is true; headers of STOMP are texts in it, never numbers |
//! | SUBSCRIBE | `activemq.prefetchSize` | deliveries under way at most |
//! | SUBSCRIBE | `activemq.exclusive`, `activemq.priority` | among the queue's consumers |
//! | SUBSCRIBE | `activemq.noLocal`, `no-local` | not this connection's own messages |
//! | SUBSCRIBE | `activemq.retroactive` | `false`: no retained messages; they come to new subscriptions otherwise |
//! | SUBSCRIBE, UNSUBSCRIBE | `activemq.subscriptionName`, `activemq.subcriptionName`, `durable-subscription-name` | a subscription that stays; on UNSUBSCRIBE it is removed, whether or not it is open here |
//! | SUBSCRIBE | `browser` | `true`: looks at a queue; a MESSAGE with `browser:end` is the end |
//! | NACK | `requeue` | `false`: the message is put aside at once; else it is a failed try |
//! | MESSAGE | `redelivered`, `redelivery-count` | `true` and how often it was handed out before |
//! | MESSAGE | `timestamp`, `expires`, `priority`, `persistent` | of the message |
//! | MESSAGE | `JMSXUserID` | who sent it, by the broker's word |
//! | MESSAGE | `original-destination`, `dlqDeliveryFailureCause`, `originalExpiration` | of a dead letter |
//! | MESSAGE | `transformation` | `jms-map-json`: the body is a map's or a stream's JSON |
//!
//! Every other header of a SEND frame is the user's and comes out unchanged. None can stand in for one of the broker's.
//!
//! # Acknowledgements
//!
//! `ack:client` covers a message and all before it of its subscription, NACK too; `client-individual` covers one. What
//! was acknowledged in a transaction is unacknowledged again after ABORT. An acknowledgement of what is not outstanding is
//! refused. With `ack:auto` a message counts as taken when its frame is written.
//!
//! # Receipts
//!
//! A RECEIPT comes when the broker has done what the frame asked for: of a persistent message, when it is on disk. They
//! come in the order of the answers. The receipt of DISCONNECT comes when everything before it is answered, persistent
//! messages without receipts among it.
//!
//! # Errors
//!
//! ERROR says what was wrong in `message`, and what to do in its body. Since 1.1 the connection ends with it, as the
//! specification demands; in 1.0 it ends when the protocol was broken, the login failed or the broker has a fault.
//!
//! # Heart-beats
//!
//! Each direction takes the larger of the two sides' wishes, and a second at least. The broker says its sign a tenth of
//! the interval early, and waits for the client's for twice the interval. While the broker does not read a connection, its
//! silence is not held against it.
//!
//! # What is lost
//!
//! From STOMP to the view, and so to other protocols ([`StompFormat`] has the whole table):
//!
//! | of a STOMP message | becomes |
//! | --- | --- |
//! | any header of the user's | a text property; STOMP has no other types |
//! | repeated headers | the first one |
//! | a body without `content-length` that is not UTF-8 | bytes |
//! | `reply-to` that names no destination | a text property |
//!
//! From the view to STOMP:
//!
//! | of another protocol's message | becomes |
//! | --- | --- |
//! | numbers, truth values, characters, UUIDs, instants | text, printed as Java prints them |
//! | bytes in a property or a correlation id | base64 |
//! | nothing, lists and maps in a property | left out |
//! | a property of the name of a field that is there, or of a header of the broker's | left out |
//! | a property whose name is spaces | left out |
//! | a map or stream body | JSON with `transformation:jms-map-json`; NaN and infinities in it are `null`, bytes base64, depth over 32 `null` |
//! | a serialised object | its bytes |
//! | the sender's own message id | left out; `message-id` is the broker's |
//! | no body | an empty one |
//! | LF, CR, NUL in a header, and `:` in its name | what the version can't escape becomes a space in values, `_` in names: all four in 1.0 (`:` in names only), CR and NUL in 1.1, NUL in 1.2 |
#![forbid(unsafe_code)]

pub mod codec;
mod destination;
mod format;
mod head;
mod limits;
mod names;
mod refusal;
mod render;
mod session;

pub use format::StompFormat;
pub use limits::{FrameLimits, HeartBeat, Limits};
pub use session::{Options, StompSession};
