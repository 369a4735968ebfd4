//! Names of destinations (openwire.md, section 12).

use keepmq_model::{Destination, Kind, Pattern, Refusal, RefusalKind};

use crate::codec::{self, DestinationKind};
use crate::refusal::malformed;

/// One of the destinations of a name that a consumer takes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) kind: Kind,
    /// One destination, or several by wildcards.
    pub(crate) pattern: Pattern,
}

/// What a name may begin with, and what that makes of it.
const SCHEMES: [(&str, Kind); 4] = [
    ("queue://", Kind::Queue),
    ("topic://", Kind::Topic),
    ("temp-queue://", Kind::TempQueue),
    ("temp-topic://", Kind::TempTopic),
];

fn kind(kind: DestinationKind) -> Kind {
    match kind {
        DestinationKind::Queue => Kind::Queue,
        DestinationKind::Topic => Kind::Topic,
        DestinationKind::TempQueue => Kind::TempQueue,
        DestinationKind::TempTopic => Kind::TempTopic,
    }
}

/// The names of a composite one, each with its kind; at most so many.
fn names(destination: &codec::Destination, most: usize) -> Result<Vec<(Kind, String)>, Refusal> {
    let text = destination.physical_name.as_ref().ok_or(malformed("a destination has no name"))?.to_str();
    // Options are the client's own business; what is left of them does not belong to the name.
    let name = text.split_once('?').map_or(&*text, |(name, _)| name);
    let mut names = Vec::new();
    for part in name.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let scheme = SCHEMES.iter().find_map(|(scheme, kind)| Some((*kind, part.strip_prefix(scheme)?)));
        let (kind, name) = scheme.unwrap_or((kind(destination.kind), part));
        let one = (kind, name.trim().to_owned());
        if names.contains(&one) {
            continue;
        }
        if names.len() == most {
            let text = format!("a name holds over {most} destinations");
            return Err(Refusal::new(RefusalKind::TooLarge, text));
        }
        names.push(one);
    }
    if names.is_empty() {
        return Err(malformed("a destination has no name"));
    }
    Ok(names)
}

/// The destinations that something is sent to: none by wildcards.
pub(crate) fn targets(destination: &codec::Destination, most: usize) -> Result<Vec<Destination>, Refusal> {
    let target = |(kind, name): (Kind, String)| {
        Destination::new(kind, &name).map_err(|fault| malformed(format!("{fault}: {}{name}", kind.scheme())))
    };
    names(destination, most)?.into_iter().map(target).collect()
}

/// The destinations that a consumer takes from.
pub(crate) fn parts(destination: &codec::Destination, most: usize) -> Result<Vec<Part>, Refusal> {
    let part = |(kind, name): (Kind, String)| match Pattern::new(&name) {
        Ok(pattern) => Ok(Part { kind, pattern }),
        Err(fault) => Err(malformed(format!("{fault}: {}{name}", kind.scheme()))),
    };
    names(destination, most)?.into_iter().map(part).collect()
}

/// As it is on the wire.
pub(crate) fn wire_destination(destination: &Destination) -> codec::Destination {
    let kind = match destination.kind() {
        Kind::Queue => DestinationKind::Queue,
        Kind::Topic => DestinationKind::Topic,
        Kind::TempQueue => DestinationKind::TempQueue,
        Kind::TempTopic => DestinationKind::TempTopic,
    };
    codec::Destination { kind, physical_name: Some(destination.name().into()) }
}

/// Whether this is what a destination is on the wire. Mostly the bytes tell; some characters are written in others.
pub(crate) fn is_wire(one: &codec::Destination, destination: &Destination) -> bool {
    let name = one.physical_name.as_ref().map(|name| &name.bytes()[..]);
    let is_same = kind(one.kind) == destination.kind() && name == Some(destination.name().as_bytes());
    is_same || *one == wire_destination(destination)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_is_known_on_the_wire_by_its_kind_and_name() {
        for name in ["a.b", "grün", "🙂"] {
            let (here, there) = (Destination::queue(name).unwrap(), Destination::topic(name).unwrap());
            assert!(is_wire(&wire_destination(&here), &here), "{name}");
            assert!(!is_wire(&wire_destination(&there), &here), "{name}");
        }
        assert!(!is_wire(&queue("a"), &Destination::queue("b").unwrap()));
    }

    fn queue(name: &str) -> codec::Destination {
        codec::Destination { kind: DestinationKind::Queue, physical_name: Some(name.into()) }
    }

    fn shown(name: &str) -> Vec<String> {
        targets(&queue(name), 4).unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_composite_name_is_several_each_once() {
        assert_eq!(shown("a, b,,topic://c,a"), ["queue://a", "queue://b", "topic://c"]);
        assert_eq!(shown("a?consumer.prefetchSize=1"), ["queue://a"]);
        assert_eq!(targets(&queue("a,b,c,d,e"), 4).unwrap_err().kind, RefusalKind::TooLarge);
        for empty in ["", " , ", "?x=1"] {
            assert_eq!(targets(&queue(empty), 4).unwrap_err().kind, RefusalKind::Malformed, "{empty:?}");
        }
    }

    #[test]
    fn wildcards_are_for_consumers() {
        assert!(targets(&queue("a.>"), 4).is_err());
        let parts = parts(&queue("a.>,b"), 4).unwrap();
        assert!(parts[0].pattern.is_wild() && !parts[1].pattern.is_wild());
    }

    #[test]
    fn a_destination_is_the_same_on_the_wire() {
        for (_, kind) in SCHEMES {
            let destination = Destination::new(kind, "ID:host-1:1").unwrap();
            assert_eq!(targets(&wire_destination(&destination), 1).unwrap(), [destination]);
        }
    }
}
