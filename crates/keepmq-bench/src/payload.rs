//! What is in a message: a stamp that tells which one it is and when it was meant to be sent, and filling that does not
//! compress and whose every byte the receiver knows.

/// Bytes of a stamp, and the smallest message.
pub(crate) const STAMP: usize = 32;

const MAGIC: [u8; 4] = *b"KmqB";
/// Numbers are counted in a bit map on the other side; no honest run comes near this.
const MOST_MESSAGES: u64 = 1 << 36;
/// Messages take their filling from so many different places.
const PLACES: u64 = 4096;

/// Which message it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// Random, so that what an earlier run left behind is recognized.
    pub(crate) run: u32,
    /// Who sent it.
    pub(crate) producer: u32,
    /// Counted by its producer from 0.
    pub(crate) sequence: u64,
    /// When it was meant to be sent, by the clock of the run.
    pub(crate) time: u64,
}

/// Why a body is not one of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strange {
    /// From another run or another program.
    Foreign,
    /// One of ours whose bytes have changed.
    Damaged,
}

impl Stamp {
    fn encode(&self) -> [u8; STAMP] {
        let mut bytes = [0; STAMP];
        let (head, numbers) = bytes.split_at_mut(16);
        let words = [self.run, self.producer, self.check()];
        head[..4].copy_from_slice(&MAGIC);
        for (place, word) in head[4..].chunks_exact_mut(4).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        numbers[..8].copy_from_slice(&self.sequence.to_le_bytes());
        numbers[8..].copy_from_slice(&self.time.to_le_bytes());
        bytes
    }

    fn decode(bytes: &[u8; STAMP]) -> (Self, u32) {
        let word = |at: usize| u32::from_le_bytes(std::array::from_fn(|i| bytes[at + i]));
        let long = |at: usize| u64::from_le_bytes(std::array::from_fn(|i| bytes[at + i]));
        (Self { run: word(4), producer: word(8), sequence: long(16), time: long(24) }, word(12))
    }

    /// Changes with every bit of the stamp.
    fn check(&self) -> u32 {
        let names = u64::from(self.run) << 32 | u64::from(self.producer);
        let mixed = scramble(scramble(names ^ self.sequence).wrapping_add(self.time));
        (mixed >> 32) as u32
    }
}

/// The last step of `SplitMix64`.
fn scramble(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// Makes the bodies of a run and knows them again.
#[derive(Debug)]
pub(crate) struct Bodies {
    run: u32,
    size: usize,
    filling: Vec<u8>,
}

impl Bodies {
    /// Bodies of `size` bytes, at least [`STAMP`], for the run of this number.
    pub(crate) fn new(run: u32, size: usize) -> Self {
        let size = size.max(STAMP);
        let words = (size - STAMP) / 8 + usize::try_from(PLACES / 8).unwrap_or_default() + 2;
        let mut state = u64::from(run);
        let next = || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            scramble(state).to_le_bytes()
        };
        Self { run, size, filling: std::iter::repeat_with(next).take(words).flatten().collect() }
    }

    /// Appends a body.
    pub(crate) fn write(&self, out: &mut Vec<u8>, producer: u32, sequence: u64, time: u64) {
        out.extend_from_slice(&Stamp { run: self.run, producer, sequence, time }.encode());
        out.extend_from_slice(self.filling_of(sequence));
    }

    /// Reads a body, every byte of it.
    pub(crate) fn read(&self, body: &[u8]) -> Result<Stamp, Strange> {
        let (head, filling) = body.split_first_chunk::<STAMP>().ok_or(Strange::Foreign)?;
        if head[..4] != MAGIC {
            return Err(Strange::Foreign);
        }
        let (stamp, check) = Stamp::decode(head);
        if stamp.run != self.run && stamp.check() == check {
            return Err(Strange::Foreign);
        }
        let is_whole = stamp.check() == check && stamp.sequence < MOST_MESSAGES;
        if is_whole && filling == self.filling_of(stamp.sequence) { Ok(stamp) } else { Err(Strange::Damaged) }
    }

    /// Neighbours differ, so that no broker gains by compressing several at once.
    fn filling_of(&self, sequence: u64) -> &[u8] {
        let place = usize::try_from(sequence.wrapping_mul(257) % PLACES).unwrap_or_default();
        &self.filling[place..place + self.size - STAMP]
    }
}

#[cfg(test)]
mod tests {
    use super::{Bodies, STAMP, Stamp, Strange};

    fn body(bodies: &Bodies, sequence: u64) -> Vec<u8> {
        let mut body = Vec::new();
        bodies.write(&mut body, 3, sequence, 99);
        body
    }

    #[test]
    fn bodies_are_known_again() {
        for size in [STAMP, STAMP + 1, 256, 70_000] {
            let bodies = Bodies::new(7, size);
            for sequence in [0, 1, 4095, 4096, 1 << 35] {
                let body = body(&bodies, sequence);
                assert_eq!(body.len(), size);
                assert_eq!(bodies.read(&body), Ok(Stamp { run: 7, producer: 3, sequence, time: 99 }));
            }
        }
    }

    #[test]
    fn a_body_is_never_smaller_than_its_stamp() {
        assert_eq!(body(&Bodies::new(1, 0), 0).len(), STAMP);
    }

    #[test]
    fn every_flipped_bit_is_seen() {
        let bodies = Bodies::new(7, 64);
        let whole = body(&bodies, 5);
        for bit in 0..whole.len() * 8 {
            let mut bad = whole.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(bodies.read(&bad).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn cut_and_extended_bodies_are_damaged() {
        let bodies = Bodies::new(7, 64);
        let mut long = body(&bodies, 5);
        assert_eq!(bodies.read(&long[..63]), Err(Strange::Damaged));
        long.push(0);
        assert_eq!(bodies.read(&long), Err(Strange::Damaged));
    }

    #[test]
    fn what_others_sent_is_foreign() {
        let (ours, others) = (Bodies::new(7, 64), Bodies::new(8, 64));
        assert_eq!(ours.read(&body(&others, 5)), Err(Strange::Foreign));
        assert_eq!(ours.read(b"hello"), Err(Strange::Foreign));
        assert_eq!(ours.read(&[b'x'; 64]), Err(Strange::Foreign));
    }

    #[test]
    fn a_number_out_of_all_reason_is_damage() {
        let bodies = Bodies::new(7, STAMP);
        assert_eq!(bodies.read(&body(&bodies, 1 << 36)), Err(Strange::Damaged));
    }

    #[test]
    fn filling_does_not_repeat_in_neighbours() {
        let bodies = Bodies::new(7, 256);
        assert_ne!(body(&bodies, 1)[STAMP..], body(&bodies, 2)[STAMP..]);
    }
}
