//! The topic filters of a session and the `QoS` that they grant.

use keepmq_model::{Destination, Filter, Kind, Pattern};

use crate::codec::Qos;
use crate::recent::Recent;
use crate::topic;

/// A filter that the client has asked for.
#[derive(Debug)]
struct Bound {
    pattern: Pattern,
    /// What was asked for last. It counts from the moment of asking: retained messages may come before the answer.
    qos: Qos,
    /// What the broker said yes to; comes back when a change is refused.
    confirmed: Option<Qos>,
}

/// The filters, sorted by pattern.
#[derive(Debug, Default)]
pub(super) struct Filters {
    list: Vec<Bound>,
    /// What the filters grant to destinations used of late; only kept where there are several filters.
    granted: Option<Box<Recent<Destination, Qos>>>,
}

impl Filters {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    fn find(&self, pattern: &Pattern) -> Result<usize, usize> {
        self.list.binary_search_by(|bound| bound.pattern.cmp(pattern))
    }

    /// Whether the filter is there.
    pub(super) fn contains(&self, pattern: &Pattern) -> bool {
        self.find(pattern).is_ok()
    }

    fn entry(&mut self, pattern: &Pattern, qos: Qos) -> Option<&mut Bound> {
        let at = self.find(pattern).unwrap_or_else(|at| {
            let pattern = pattern.clone();
            let confirmed = None;
            self.list.insert(at, Bound { pattern, qos, confirmed });
            at
        });
        self.granted = None;
        self.list.get_mut(at)
    }

    /// The broker was asked for this filter.
    pub(super) fn ask(&mut self, pattern: &Pattern, qos: Qos) {
        if let Some(bound) = self.entry(pattern, qos) {
            bound.qos = qos;
        }
    }

    /// The broker said yes.
    pub(super) fn confirm(&mut self, pattern: &Pattern, qos: Qos) {
        if let Some(bound) = self.entry(pattern, qos) {
            bound.qos = qos;
            bound.confirmed = Some(qos);
        }
    }

    /// The broker said no: what it said yes to before stays.
    pub(super) fn refuse(&mut self, pattern: &Pattern) {
        let Ok(at) = self.find(pattern) else { return };
        self.granted = None;
        match self.list.get_mut(at) {
            Some(bound) if bound.confirmed.is_some() => bound.qos = bound.confirmed.unwrap_or_default(),
            _ => drop(self.list.remove(at)),
        }
    }

    /// The filter is gone. Says whether it was there.
    pub(super) fn remove(&mut self, pattern: &Pattern) -> bool {
        let found = self.find(pattern);
        if let Ok(at) = found {
            self.granted = None;
            self.list.remove(at);
        }
        found.is_ok()
    }

    /// Takes over what a named subscription remembers.
    pub(super) fn restore(&mut self, filters: &[Filter]) {
        for filter in filters.iter().filter(|filter| filter.kind == Kind::Topic) {
            let qos = u8::try_from(filter.option).ok().map(Qos::from_number);
            let qos = qos.and_then(Result::ok).unwrap_or(Qos::AtLeastOnce);
            self.confirm(&filter.pattern, qos);
        }
    }

    /// The highest `QoS` granted to messages of the destination: the client gets one copy, however many filters match
    /// [MQTT-3.3.5-1]. `None` when there is no filter at all any more.
    #[inline]
    pub(super) fn granted(&mut self, destination: &Destination) -> Option<Qos> {
        match self.list.as_slice() {
            [] => None,
            [only] => Some(only.qos),
            list => {
                let known = self.granted.get_or_insert_default();
                if let Some(qos) = known.get(destination) {
                    return Some(*qos);
                }
                let qos = highest(list, destination.name());
                if destination.name().len() <= topic::REMEMBERED {
                    known.insert(destination.clone(), qos);
                }
                Some(qos)
            }
        }
    }
}

/// A message that no filter seems to match was sent to several topics at once and reached us by another of its names, or its
/// filter was just taken back; it gets the most that any filter grants.
fn highest(list: &[Bound], name: &str) -> Qos {
    let exact =
        list.binary_search_by(|bound| bound.pattern.as_str().cmp(name)).ok().and_then(|at| list.get(at));
    let wild = list.iter().filter(|bound| bound.pattern.is_wild() && bound.pattern.subscribes_to(name));
    let matching = wild.chain(exact).map(|bound| bound.qos).max();
    let any = || list.iter().map(|bound| bound.qos).max();
    matching.or_else(any).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use keepmq_model::Replay;

    fn pattern(text: &str) -> Pattern {
        Pattern::new(text).unwrap()
    }

    fn filters(list: &[(&str, Qos)]) -> Filters {
        let mut filters = Filters::default();
        for (text, qos) in list {
            filters.confirm(&pattern(text), *qos);
        }
        filters
    }

    fn granted(filters: &mut Filters, name: &str) -> Option<Qos> {
        filters.granted(&Destination::topic(name).unwrap())
    }

    /// [MQTT-3.3.5-1]
    #[test]
    fn the_highest_of_overlapping_filters_counts() {
        let mut filters = filters(&[
            ("a.b", Qos::AtMostOnce),
            ("a.*", Qos::ExactlyOnce),
            ("a.>", Qos::AtLeastOnce),
            ("x", Qos::AtMostOnce),
        ]);
        for _ in 0..2 {
            assert_eq!(granted(&mut filters, "a.b"), Some(Qos::ExactlyOnce));
            assert_eq!(granted(&mut filters, "a.b.c"), Some(Qos::AtLeastOnce));
            assert_eq!(granted(&mut filters, "x"), Some(Qos::AtMostOnce));
        }
    }

    #[test]
    fn one_filter_counts_whatever_the_topic() {
        let mut filters = filters(&[("a", Qos::AtLeastOnce)]);
        assert_eq!(granted(&mut filters, "elsewhere"), Some(Qos::AtLeastOnce));
        filters.remove(&pattern("a"));
        assert_eq!(granted(&mut filters, "a"), None);
    }

    #[test]
    fn a_message_by_another_name_gets_the_most() {
        let mut filters = filters(&[("a", Qos::AtLeastOnce), ("b", Qos::AtMostOnce)]);
        assert_eq!(granted(&mut filters, "composite"), Some(Qos::AtLeastOnce));
    }

    #[test]
    fn what_was_granted_changes_with_the_filters() {
        let mut filters = filters(&[("a", Qos::AtMostOnce), ("b", Qos::AtMostOnce)]);
        assert_eq!(granted(&mut filters, "a"), Some(Qos::AtMostOnce));
        filters.ask(&pattern(">"), Qos::AtLeastOnce);
        assert_eq!(granted(&mut filters, "a"), Some(Qos::AtLeastOnce));
        filters.refuse(&pattern(">"));
        assert_eq!(granted(&mut filters, "a"), Some(Qos::AtMostOnce));
        filters.ask(&pattern("a"), Qos::ExactlyOnce);
        assert_eq!(granted(&mut filters, "a"), Some(Qos::ExactlyOnce));
        filters.refuse(&pattern("a"));
        assert_eq!(granted(&mut filters, "a"), Some(Qos::AtMostOnce));
        filters.refuse(&pattern("unknown"));
        assert_eq!(filters.len(), 2);
    }

    #[test]
    fn a_resumed_session_knows_its_filters() {
        let filter = |text, option, kind| Filter {
            kind,
            pattern: pattern(text),
            option,
            keep: true,
            no_local: false,
            replay: Replay::Always,
            selector: None,
        };
        let mut filters = Filters::default();
        filters.restore(&[
            filter("a", 2, Kind::Topic),
            filter("b", 77, Kind::Topic),
            filter("c", 0, Kind::TempTopic),
        ]);
        assert_eq!(filters.len(), 2);
        assert_eq!(granted(&mut filters, "a"), Some(Qos::ExactlyOnce));
        assert_eq!(granted(&mut filters, "b"), Some(Qos::AtLeastOnce));
        assert!(filters.contains(&pattern("a")) && !filters.contains(&pattern("c")));
    }
}
