//! How a journal is set up.

use std::fmt;
use std::time::Duration;

use super::seal::MasterKey;

/// The smallest segment that is of any use.
const LEAST_SEGMENT: u64 = 32 * 1024;
/// Places in a segment are kept in 32 bits.
const MOST_SEGMENT: u64 = 1 << 30;
const LEAST_FRAME: usize = 1024;
const MOST_FRAME: usize = 16 << 20;
/// At least so many segments have to fit under the limit, or it would always be full.
const LEAST_SEGMENTS: u64 = 8;

/// How a journal is set up. Sizes are in bytes.
pub struct Options {
    /// Everything on disk is sealed under it; `None` keeps everything in plain, which is for tests and benchmarks only.
    pub master_key: Option<MasterKey>,
    /// The store says [`Admission::Full`](crate::Admission::Full) before it takes more of the disk than this. Two
    /// segments below it are kept free for releases and for what is under way.
    pub max_bytes: u64,
    /// The log is cut into files of this length. Brought down to an eighth of `max_bytes` when larger.
    pub segment_bytes: u64,
    /// A checkpoint is written each time that the log has grown by so much, or by the length of a checkpoint if that
    /// is more.
    pub checkpoint_bytes: u64,
    /// Records are sealed together up to about this length. Reading one record means opening all that were sealed with
    /// it; sealing few at a time costs the writer.
    pub frame_bytes: usize,
    /// Memory for what is known of records in older segments.
    pub table_cache_bytes: usize,
    /// Memory for payloads that were read lately.
    pub frame_cache_bytes: usize,
    /// How long a batch that nobody waits for may wait for company.
    pub lazy_delay: Duration,
}

impl Options {
    /// The defaults, sealed under a key.
    pub fn sealed(master_key: MasterKey) -> Self {
        Self { master_key: Some(master_key), ..Self::plain() }
    }

    /// The defaults without encryption: for tests and benchmarks.
    pub fn plain() -> Self {
        Self {
            master_key: None,
            max_bytes: 64 << 30,
            segment_bytes: 64 << 20,
            checkpoint_bytes: 128 << 20,
            frame_bytes: 512 << 10,
            table_cache_bytes: 64 << 20,
            frame_cache_bytes: 16 << 20,
            lazy_delay: Duration::from_millis(100),
        }
    }

    /// The length of frames that really is used.
    pub(crate) fn frame_len(&self) -> usize {
        self.frame_bytes.clamp(LEAST_FRAME, MOST_FRAME)
    }

    /// The length of segments that really is used.
    pub(crate) fn segment_len(&self) -> u64 {
        let fits = self.segment_bytes.min(self.max_bytes / LEAST_SEGMENTS);
        fits.clamp(LEAST_SEGMENT, MOST_SEGMENT).next_multiple_of(4096)
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Options")
            .field("sealed", &self.master_key.is_some())
            .field("max_bytes", &self.max_bytes)
            .field("segment_bytes", &self.segment_bytes)
            .field("checkpoint_bytes", &self.checkpoint_bytes)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_always_fit_under_the_limit_several_times() {
        let options = |segment_bytes, max_bytes| Options { max_bytes, segment_bytes, ..Options::plain() };
        assert_eq!(Options::plain().segment_len(), 64 << 20);
        assert_eq!(options(64 << 20, 80 << 20).segment_len(), 10 << 20);
        assert_eq!(options(1, 1 << 30).segment_len(), LEAST_SEGMENT);
        assert_eq!(options(u64::MAX, u64::MAX).segment_len(), MOST_SEGMENT);
    }

    #[test]
    fn a_key_is_never_shown() {
        let text = format!("{:?}", Options::sealed(MasterKey::new([0x5a; 32])));
        assert!(text.contains("sealed: true") && !text.contains("90") && !text.contains("5a"), "{text}");
    }
}
