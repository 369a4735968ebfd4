//! How long things took.

use hdrhistogram::Histogram;

/// Latencies longer than this are counted as this long.
const LONGEST_NANOSECONDS: u64 = 3_600_000_000_000;

/// Collects latencies; three digits of each are kept.
#[derive(Clone, Debug)]
pub(crate) struct Latencies(Option<Histogram<u64>>);

impl Latencies {
    pub(crate) fn new() -> Self {
        // It fails for bounds that make no sense, which these are not.
        Self(Histogram::new_with_bounds(1, LONGEST_NANOSECONDS, 3).ok())
    }

    #[inline]
    pub(crate) fn record(&mut self, nanoseconds: u64) {
        if let Some(histogram) = &mut self.0 {
            histogram.saturating_record(nanoseconds.max(1));
        }
    }

    /// Takes over what another has collected.
    pub(crate) fn add(&mut self, other: &Self) {
        if let (Some(mine), Some(theirs)) = (&mut self.0, &other.0) {
            // The bounds are the same, so everything fits.
            let _ = mine.add(theirs);
        }
    }

    /// What it comes to; `None` if nothing was collected.
    pub(crate) fn summary(&self) -> Option<Percentiles> {
        let histogram = self.0.as_ref().filter(|histogram| !histogram.is_empty())?;
        let milliseconds = |quantile| to_milliseconds(histogram.value_at_quantile(quantile));
        Some(Percentiles {
            count: histogram.len(),
            p50: milliseconds(0.5),
            p90: milliseconds(0.9),
            p99: milliseconds(0.99),
            p99_9: milliseconds(0.999),
            max: to_milliseconds(histogram.max()),
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "three digits are kept")]
fn to_milliseconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e6
}

/// Percentiles in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Percentiles {
    /// How many were measured.
    pub count: u64,
    /// Half of them took no longer.
    pub p50: f64,
    /// 90 in 100 took no longer.
    pub p90: f64,
    /// 99 in 100 took no longer.
    pub p99: f64,
    /// 999 in 1,000 took no longer.
    pub p99_9: f64,
    /// The longest.
    pub max: f64,
}

#[cfg(test)]
mod tests {
    use super::Latencies;

    #[test]
    fn nothing_collected_is_nothing_to_tell() {
        assert_eq!(Latencies::new().summary(), None);
    }

    #[test]
    fn percentiles_are_in_milliseconds() {
        let mut latencies = Latencies::new();
        (1..=1000).for_each(|count| latencies.record(count * 1_000_000));
        let found = latencies.summary().unwrap();
        let is_near = |found: f64, wanted: f64| (found - wanted).abs() < wanted / 500.0;
        assert!(
            is_near(found.p50, 500.0) && is_near(found.p99, 990.0) && is_near(found.max, 1000.0),
            "{found:?}"
        );
        assert_eq!(found.count, 1000);
    }

    #[test]
    fn collections_are_put_together_and_nothing_is_too_long() {
        let (mut a, mut b) = (Latencies::new(), Latencies::new());
        a.record(0);
        b.record(u64::MAX);
        a.add(&b);
        let found = a.summary().unwrap();
        assert_eq!(found.count, 2);
        assert!(found.max >= 3_600_000.0);
    }
}
