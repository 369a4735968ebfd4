//! MQTT's names of topics and the broker's.
//!
//! The two are swapped character by character, as `ActiveMQ` does, so that no name is lost and each has one other name:
//! `/` and `.`, `+` and `*`, `#` and `>`. The MQTT topic `a.b/c` is the broker's topic `a/b.c`.

use keepmq_model::{Destination, Pattern};

use crate::codec::{Fault, check_text};
use crate::recent::Recent;

/// Longest topic that is remembered.
pub(crate) const REMEMBERED: usize = 256;

/// The other world's character; bytes above ASCII stay. Written without branches, so that a whole name is swapped a vector at a time: `*+./` (2A,
/// 2B, 2E, 2F) differ from their partners in the last bit, `#>` (23, 3E) in 1D.
fn swap(byte: u8) -> u8 {
    let near = u8::from(byte & 0xfa == 0x2a);
    let far = u8::from(byte == b'#' || byte == b'>') * (b'#' ^ b'>');
    byte ^ near ^ far
}

fn swapped(name: &str) -> String {
    name.chars().map(|c| u8::try_from(c).map_or(c, |byte| char::from(swap(byte)))).collect()
}

/// The destination of a message for this topic: UTF-8 without NUL, not empty [MQTT-4.7.3-1], without wildcards
/// [MQTT-3.3.2-2].
pub(crate) fn destination(topic: &[u8]) -> Result<Destination, Fault> {
    let topic = check_text(topic)?; // [MQTT-3.3.2-1]
    if topic.is_empty() {
        return Err(Fault::EmptyTopic);
    }
    if topic.contains(['+', '#']) {
        return Err(Fault::WildcardInTopic);
    }
    Ok(Destination::topic(&swapped(topic))?)
}

/// The pattern of a topic filter. `None` when MQTT allows the filter but the broker can't hold it (too long, too deep,
/// control characters): such a filter is answered with a no.
pub(crate) fn pattern(filter: &str) -> Result<Option<Pattern>, Fault> {
    if filter.is_empty() {
        return Err(Fault::EmptyTopic); // [MQTT-4.7.3-1]
    }
    let mut levels = filter.split('/').peekable();
    while let Some(level) = levels.next() {
        let plus = level.contains('+') && level != "+"; // [MQTT-4.7.1-3]
        let hash = level.contains('#') && (level != "#" || levels.peek().is_some()); // [MQTT-4.7.1-2]
        if plus || hash {
            return Err(Fault::MisplacedWildcard);
        }
    }
    Ok(Pattern::new(&swapped(filter)).ok())
}

/// Whether a client may see the name as a topic: a name of another protocol may hold what becomes a wildcard, which no
/// PUBLISH may carry [MQTT-3.3.2-2].
#[inline]
pub(crate) fn is_sendable(name: &str) -> bool {
    // Without an early end, so that the loop goes over a vector at a time.
    let wild = |byte| u8::from(byte == b'*') | u8::from(byte == b'>');
    name.bytes().fold(0, |found, byte| found | wild(byte)) == 0
}

/// Makes a topic of a destination's name, or the other way round, where it is written.
#[inline]
pub(crate) fn swap_in_place(name: &mut [u8]) {
    for byte in name {
        *byte = swap(*byte);
    }
}

/// The topics that a client published to of late, so that a busy one costs no name.
#[derive(Debug, Default)]
pub(crate) struct Topics(Option<Box<Recent<Box<[u8]>, Destination>>>);

impl Topics {
    /// The destination of a topic.
    #[inline]
    pub(crate) fn destination(&mut self, topic: &[u8]) -> Result<Destination, Fault> {
        let recent = self.0.get_or_insert_default();
        if let Some(known) = recent.get(topic) {
            return Ok(known.clone());
        }
        let destination = destination(topic)?;
        if topic.len() <= REMEMBERED {
            recent.insert(topic.into(), destination.clone());
        }
        Ok(destination)
    }
}

#[cfg(test)]
mod tests;
