//! The first bytes of every file of the journal: what it is, and the sealed key to the rest.

use super::seal::{Keyring, Seal, SealFailed, WRAPPED_LEN};
use crate::wire::Cursor;

/// Length of a header in bytes.
pub(crate) const HEADER_LEN: usize = 128;

/// The newest format that this code reads and the one that it writes.
pub(crate) const VERSION: u32 = 1;

const MAGIC: [u8; 8] = *b"KeepMQ\r\n";
/// What ties a key to its file: everything before the key.
const CONTEXT_LEN: usize = 48;
const CRC_AT: usize = HEADER_LEN - 4;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    Segment = 1,
    Table = 2,
    Checkpoint = 3,
}

/// A file's description of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) kind: Kind,
    /// The number in the file's name.
    pub(crate) id: u64,
    /// The opening of the store that wrote the file.
    pub(crate) epoch: u64,
    /// The same random number in all files of a store.
    pub(crate) store: [u8; 16],
}

/// Why a header cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unusable {
    /// It is not as it was written.
    Damaged,
    /// It is of a later version.
    Version(u32),
    /// It is whole, but the master key does not open its key; or it is plain though there is a master key, or sealed
    /// though there is none.
    WrongKey,
}

impl Header {
    /// The bytes of a header with a new key in it, and that key.
    pub(crate) fn write(&self, keyring: &Keyring) -> Result<([u8; HEADER_LEN], Seal), SealFailed> {
        let mut bytes = [0; HEADER_LEN];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        bytes[12] = self.kind as u8;
        bytes[13] = u8::from(keyring.seals());
        bytes[16..24].copy_from_slice(&self.id.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.epoch.to_le_bytes());
        bytes[32..48].copy_from_slice(&self.store);
        let (seal, wrapped) = keyring.fresh(&bytes[..CONTEXT_LEN])?;
        bytes[CONTEXT_LEN..CONTEXT_LEN + WRAPPED_LEN].copy_from_slice(&wrapped);
        let crc = crc32fast::hash(&bytes[..CRC_AT]);
        bytes[CRC_AT..].copy_from_slice(&crc.to_le_bytes());
        Ok((bytes, seal))
    }

    /// Reads a header and opens its key.
    pub(crate) fn read(bytes: &[u8], keyring: &Keyring) -> Result<(Self, Seal), Unusable> {
        let bytes = bytes.first_chunk::<HEADER_LEN>().ok_or(Unusable::Damaged)?;
        let (header, sealed, wrapped) = Self::parse(bytes)?;
        if sealed != keyring.seals() {
            return Err(Unusable::WrongKey);
        }
        let context = bytes.first_chunk::<CONTEXT_LEN>().ok_or(Unusable::Damaged)?;
        let seal = keyring.open(context, &wrapped).ok_or(Unusable::WrongKey)?;
        Ok((header, seal))
    }

    fn parse(bytes: &[u8; HEADER_LEN]) -> Result<(Self, bool, [u8; WRAPPED_LEN]), Unusable> {
        let (covered, crc) = bytes.split_last_chunk::<4>().ok_or(Unusable::Damaged)?;
        if !covered.starts_with(&MAGIC) || crc32fast::hash(covered) != u32::from_le_bytes(*crc) {
            return Err(Unusable::Damaged);
        }
        Self::fields(&mut Cursor::new(&covered[MAGIC.len()..]))
    }

    fn fields(cursor: &mut Cursor<'_>) -> Result<(Self, bool, [u8; WRAPPED_LEN]), Unusable> {
        let damaged = |_| Unusable::Damaged;
        let version = cursor.u32().map_err(damaged)?;
        if version != VERSION {
            return Err(Unusable::Version(version));
        }
        let kind = match cursor.u8().map_err(damaged)? {
            1 => Kind::Segment,
            2 => Kind::Table,
            3 => Kind::Checkpoint,
            _ => return Err(Unusable::Damaged),
        };
        let [sealed, _, _] = cursor.bytes().map_err(damaged)?;
        let id = cursor.u64().map_err(damaged)?;
        let epoch = cursor.u64().map_err(damaged)?;
        let store = cursor.bytes().map_err(damaged)?;
        let wrapped = cursor.bytes().map_err(damaged)?;
        Ok((Self { kind, id, epoch, store }, sealed != 0, wrapped))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::seal::MasterKey;
    use super::*;

    const HEADER: Header = Header { kind: Kind::Table, id: 9, epoch: 4, store: [7; 16] };

    fn keyring(byte: u8) -> Keyring {
        Keyring::new(Some(&MasterKey::new([byte; 32]))).unwrap()
    }

    fn refusal(bytes: &[u8], keyring: &Keyring) -> Option<Unusable> {
        Header::read(bytes, keyring).err()
    }

    #[test]
    fn a_header_is_read_as_written() {
        let (bytes, _) = HEADER.write(&keyring(1)).unwrap();
        assert_eq!(Header::read(&bytes, &keyring(1)).ok().unwrap().0, HEADER);
    }

    #[test]
    fn a_wrong_key_is_told_from_damage() {
        let (mut bytes, _) = HEADER.write(&keyring(1)).unwrap();
        assert_eq!(refusal(&bytes, &keyring(2)), Some(Unusable::WrongKey));
        bytes[60] ^= 1;
        assert_eq!(refusal(&bytes, &keyring(1)), Some(Unusable::Damaged));
    }

    #[test]
    fn plain_files_are_refused_where_sealed_ones_are_expected_and_the_reverse() {
        let plain = Keyring::new(None).unwrap();
        let (bytes, _) = HEADER.write(&plain).unwrap();
        assert_eq!(refusal(&bytes, &keyring(1)), Some(Unusable::WrongKey));
        assert_eq!(refusal(&bytes, &plain), None);
        let (bytes, _) = HEADER.write(&keyring(1)).unwrap();
        assert_eq!(refusal(&bytes, &plain), Some(Unusable::WrongKey));
    }

    #[test]
    fn a_later_version_is_named() {
        let (mut bytes, _) = HEADER.write(&keyring(1)).unwrap();
        bytes[8] = 77;
        let crc = crc32fast::hash(&bytes[..CRC_AT]);
        bytes[CRC_AT..].copy_from_slice(&crc.to_le_bytes());
        assert_eq!(refusal(&bytes, &keyring(1)), Some(Unusable::Version(77)));
    }

    proptest! {
        #[test]
        fn any_changed_byte_is_noticed(at in 0..HEADER_LEN, bit in 0..8_u8) {
            let (mut bytes, _) = HEADER.write(&keyring(1)).unwrap();
            bytes[at] ^= 1 << bit;
            prop_assert_eq!(refusal(&bytes, &keyring(1)), Some(Unusable::Damaged));
        }

        #[test]
        fn garbage_is_refused_without_panic(bytes: Vec<u8>) {
            prop_assert!(refusal(&bytes, &keyring(1)).is_some());
        }
    }
}
