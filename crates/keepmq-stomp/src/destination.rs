//! How STOMP clients name destinations, as ActiveMQ has taught them.
//!
//! | written | means |
//! | --- | --- |
//! | `/queue/NAME`, `queue://NAME` | a queue |
//! | `/topic/NAME`, `topic://NAME` | a topic |
//! | `/temp-queue/ALIAS`, `/temp-topic/ALIAS` | this connection's own word for a temporary destination, made at first use |
//! | `/remote-temp-queue/NAME`, `temp-queue://NAME` | a temporary queue by its real name, whoever made it |
//! | `/remote-temp-topic/NAME`, `temp-topic://NAME` | a temporary topic by its real name |
//! | `/queue/A,/topic/B`, `/queue/A,B` | several; a part without a kind has the first one's |

use bytes::{BufMut, BytesMut};
use hashbrown::HashMap;
use keepmq_model::{Destination, Kind, NameFault, Pattern, Refusal};
use smallvec::SmallVec;

use crate::codec::{Version, put_value};
use crate::limits::Limits;
use crate::refusal::{malformed, shown, too_large, unsupported};

/// Longest name whose meaning is remembered.
const REMEMBER_UP_TO: usize = 256;

/// One part of what a client writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place<'a> {
    Named(Kind, &'a str),
    Alias(Kind, &'a str),
}

impl<'a> Place<'a> {
    /// Reads a part that states its kind.
    fn read(text: &'a str) -> Option<Self> {
        const NAMED: [(&str, Kind); 8] = [
            ("/queue/", Kind::Queue),
            ("/topic/", Kind::Topic),
            ("/remote-temp-queue/", Kind::TempQueue),
            ("/remote-temp-topic/", Kind::TempTopic),
            ("queue://", Kind::Queue),
            ("topic://", Kind::Topic),
            ("temp-queue://", Kind::TempQueue),
            ("temp-topic://", Kind::TempTopic),
        ];
        const ALIAS: [(&str, Kind); 2] =
            [("/temp-queue/", Kind::TempQueue), ("/temp-topic/", Kind::TempTopic)];
        let find = |table: &[(&str, Kind)]| {
            table.iter().find_map(|(prefix, kind)| Some((*kind, text.strip_prefix(prefix)?)))
        };
        find(&NAMED)
            .map(|(kind, name)| Self::Named(kind, name))
            .or_else(|| find(&ALIAS).map(|(kind, name)| Self::Alias(kind, name)))
    }

    /// Gives this part's kind to another name.
    fn with_name(self, name: &'a str) -> Self {
        match self {
            Self::Named(kind, _) => Self::Named(kind, name),
            Self::Alias(kind, _) => Self::Alias(kind, name),
        }
    }
}

/// Why a name means nothing yet.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unnamed {
    /// It never will.
    Refused(Refusal),
    /// It will when the temporary destination is made.
    Needs {
        /// Of the destination to make.
        kind: Kind,
        /// This connection's word for it.
        alias: Box<str>,
    },
}

impl From<Refusal> for Unnamed {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

struct Alias {
    word: Box<str>,
    destination: Destination,
}

/// What names mean in one connection.
#[derive(Default)]
pub(crate) struct Names {
    remembered: HashMap<Box<str>, Destination>,
    aliases: Vec<Alias>,
}

/// The other destinations of a composite name.
pub(crate) type Also = SmallVec<[Destination; 0]>;

impl Names {
    /// The one destination that a name without wildcards means.
    pub(crate) fn one(&mut self, text: &str, limits: &Limits) -> Result<Destination, Unnamed> {
        if let Some(known) = self.remembered.get(text) {
            return Ok(known.clone());
        }
        let destination = self.concrete(stated(text)?)?;
        let is_alias = matches!(Place::read(text.trim()), Some(Place::Alias(..)));
        if !is_alias && text.len() <= REMEMBER_UP_TO {
            if self.remembered.len() >= limits.remembered {
                self.remembered.clear();
            }
            self.remembered.insert(text.into(), destination.clone());
        }
        Ok(destination)
    }

    /// All destinations that a message is sent to.
    pub(crate) fn all(&mut self, text: &str, limits: &Limits) -> Result<(Destination, Also), Unnamed> {
        if !text.contains(',') {
            return Ok((self.one(text, limits)?, Also::new()));
        }
        let (mut first, mut also, mut kind) = (None, Also::new(), None);
        for part in text.split(',').map(str::trim) {
            let place = match (Place::read(part), kind) {
                (Some(place), _) => place,
                (None, Some(kind)) => Place::with_name(kind, part),
                (None, None) => return Err(unknown(part).into()),
            };
            kind.get_or_insert(place);
            let destination = self.concrete(place)?;
            match &first {
                None => first = Some(destination),
                Some(first) if *first == destination || also.contains(&destination) => {}
                Some(_) => also.push(destination),
            }
            if also.len() >= limits.parts {
                return Err(too_large(format!("a composite name has over {} parts", limits.parts)).into());
            }
        }
        let first = first.ok_or_else(|| unknown(text))?;
        Ok((first, also))
    }

    /// What a subscription's name means; wildcards are allowed in queues and topics.
    pub(crate) fn pattern(&self, text: &str) -> Result<(Kind, Pattern), Unnamed> {
        if text.contains(',') {
            let text =
                "a subscription to several destinations at once; subscribe to each with an id of its own";
            return Err(unsupported(text).into());
        }
        let (kind, name) = match stated(text)? {
            Place::Named(kind, name) => (kind, name),
            Place::Alias(..) => {
                let destination = self.concrete(stated(text)?)?;
                return Ok((destination.kind(), Pattern::from(&destination)));
            }
        };
        let pattern = Pattern::new(name).map_err(|fault| faulty(name, fault))?;
        if pattern.is_wild() && kind.is_temporary() {
            return Err(faulty(name, NameFault::Wildcard).into());
        }
        Ok((kind, pattern))
    }

    fn concrete(&self, place: Place<'_>) -> Result<Destination, Unnamed> {
        match place {
            Place::Named(kind, name) => {
                Destination::new(kind, name).map_err(|fault| faulty(name, fault).into())
            }
            Place::Alias(kind, word) => match self.aliased(kind, word) {
                Some(destination) => Ok(destination.clone()),
                None if word.is_empty() => Err(faulty(word, NameFault::Empty).into()),
                None => Err(Unnamed::Needs { kind, alias: word.into() }),
            },
        }
    }

    fn aliased(&self, kind: Kind, word: &str) -> Option<&Destination> {
        self.aliases
            .iter()
            .find(|alias| alias.destination.kind() == kind && *alias.word == *word)
            .map(|alias| &alias.destination)
    }

    /// The destination that a text names by an alias; `None` when it is no alias.
    pub(crate) fn alias_in(&self, text: &str) -> Result<Option<Destination>, Unnamed> {
        match Place::read(text.trim()) {
            Some(place @ Place::Alias(..)) => self.concrete(place).map(Some),
            _ => Ok(None),
        }
    }

    /// Whether there is room for one more alias.
    pub(crate) fn has_room(&self, limits: &Limits) -> bool {
        self.aliases.len() < limits.temporaries
    }

    /// Remembers what a temporary destination is called here.
    pub(crate) fn alias(&mut self, word: Box<str>, destination: Destination) {
        self.aliases.push(Alias { word, destination });
    }

    /// Writes a destination as a header's value: by its alias when it is this connection's own, else by its real name.
    pub(crate) fn put(&self, out: &mut BytesMut, destination: &Destination, version: Version) {
        let kind = destination.kind();
        let aliases = if kind.is_temporary() { &self.aliases[..] } else { &[] };
        let alias = aliases.iter().find(|alias| alias.destination == *destination);
        let (prefix, name) = match alias {
            Some(alias) if kind == Kind::TempQueue => ("/temp-queue/", &*alias.word),
            Some(alias) => ("/temp-topic/", &*alias.word),
            None => (prefix(kind), destination.name()),
        };
        out.put_slice(prefix.as_bytes());
        put_value(out, name, version);
    }
}

/// What stands before a destination's real name.
pub(crate) fn prefix(kind: Kind) -> &'static str {
    match kind {
        Kind::Queue => "/queue/",
        Kind::Topic => "/topic/",
        Kind::TempQueue => "/remote-temp-queue/",
        Kind::TempTopic => "/remote-temp-topic/",
    }
}

/// The destination that a stored `reply-to` names: never by an alias, which would be somebody else's.
pub(crate) fn stored(text: &str) -> Option<Destination> {
    match Place::read(text.trim())? {
        Place::Named(kind, name) => Destination::new(kind, name).ok(),
        Place::Alias(..) => None,
    }
}

fn stated(text: &str) -> Result<Place<'_>, Refusal> {
    Place::read(text.trim()).ok_or_else(|| unknown(text))
}

fn unknown(text: &str) -> Refusal {
    unsupported(format!(
        "the destination {} is of no known kind; it must begin with /queue/, /topic/, /temp-queue/, /temp-topic/, \
         /remote-temp-queue/ or /remote-temp-topic/ (or queue://, topic://, temp-queue://, temp-topic://)",
        shown(text)
    ))
}

fn faulty(name: &str, fault: NameFault) -> Refusal {
    let text = format!("{fault}: {}", shown(name));
    match fault {
        NameFault::Empty | NameFault::Control => malformed(text),
        NameFault::TooLong | NameFault::TooDeep => too_large(text),
        NameFault::Wildcard | NameFault::OpenEnd => unsupported(text),
    }
}

#[cfg(test)]
mod tests;
