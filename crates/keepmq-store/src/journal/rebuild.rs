//! Makes what is known of a segment again from its frames.

use super::place::Place;
use super::reader::Reader;
use super::record::{Opening, Record, Records, Span, Targets};
use super::segment::Segment;
use super::walk::{Gap, Step, Walk};
use super::young::YoungTable;
use crate::api::StoreError;

/// What the frames of a segment say.
#[derive(Default)]
pub(crate) struct Rebuilt {
    pub(crate) young: YoungTable,
    pub(crate) gaps: Vec<Gap>,
}

/// Reads all frames that count.
pub(crate) fn rebuild(reader: &Reader, segment: &Segment, known: Opening) -> Result<Rebuilt, StoreError> {
    let mut walk = Walk::new(&reader.files, segment, Some(known))?;
    let mut rebuilt = Rebuilt::default();
    loop {
        match walk.next()? {
            Step::Frame { at, records, .. } => {
                for record in Records::new(records).flatten() {
                    if let Record::Put { targets, payload, moved } = record {
                        add(&mut rebuilt.young, &targets, at, payload, moved);
                    }
                }
            }
            Step::Damage(gap) => rebuilt.gaps.push(gap),
            Step::End(_) => return Ok(rebuilt),
        }
    }
}

fn add(young: &mut YoungTable, targets: &Targets, frame: u32, payload: Span, moved: bool) {
    let place = place_of(targets, frame, payload);
    for target in targets {
        young.add(*target, place, moved);
    }
}

/// Where the records of a put lie.
pub(crate) fn place_of(targets: &Targets, frame: u32, payload: Span) -> Place {
    let fan = u32::try_from(targets.len()).unwrap_or(u32::MAX);
    Place { frame, offset: payload.offset, len: payload.len, fan }
}
