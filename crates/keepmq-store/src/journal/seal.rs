//! Encryption at rest: AES-256-GCM under a random key for each file, which is kept in the file's header, itself
//! sealed under the master key. So no two files ever share a key, and a nonce needs to be unique in its file only.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, Tag, UnboundKey};
use aws_lc_rs::error::Unspecified;
use zeroize::Zeroizing;

/// Length of a key in bytes.
pub(crate) const KEY_LEN: usize = 32;

/// Length of what proves that sealed bytes were not changed.
pub(crate) const TAG_LEN: usize = 16;

/// Length of a file's key as it lies in the file: nonce, sealed key, tag.
pub(crate) const WRAPPED_LEN: usize = NONCE_LEN + KEY_LEN + TAG_LEN;

/// The key that opens the keys of the files. It is wiped when dropped and never shown.
pub struct MasterKey(Zeroizing<[u8; KEY_LEN]>);

impl MasterKey {
    /// Takes the bytes of a key. The caller wipes its own copy.
    pub fn new(bytes: [u8; KEY_LEN]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// A new random key; `None` when the machine gives no randomness.
    pub fn random() -> Option<Self> {
        let mut bytes = Zeroizing::new([0; KEY_LEN]);
        aws_lc_rs::rand::fill(&mut *bytes).ok()?;
        Some(Self(bytes))
    }

    /// The bytes, to be kept in a safe place.
    pub fn expose(&self) -> &[u8; KEY_LEN] {
        &self.0
    }
}

/// Makes and opens the keys of files.
pub(crate) struct Keyring {
    /// `None` stores everything in plain.
    master: Option<LessSafeKey>,
}

/// Seals and opens the pieces of one file.
pub(crate) struct Seal(Option<LessSafeKey>);

/// Something went wrong inside the cryptographic library: no randomness, or a message beyond its limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SealFailed;

impl From<Unspecified> for SealFailed {
    fn from(_: Unspecified) -> Self {
        Self
    }
}

impl Keyring {
    pub(crate) fn new(master: Option<&MasterKey>) -> Result<Self, SealFailed> {
        let master = master.map(|key| gcm(key.expose())).transpose()?;
        Ok(Self { master })
    }

    /// Whether files are sealed at all.
    pub(crate) fn seals(&self) -> bool {
        self.master.is_some()
    }

    /// A new key for a file, and the form in which it is kept there. `context` ties it to that file.
    pub(crate) fn fresh(&self, context: &[u8]) -> Result<(Seal, [u8; WRAPPED_LEN]), SealFailed> {
        let mut wrapped = [0; WRAPPED_LEN];
        let Some(master) = &self.master else {
            return Ok((Seal(None), wrapped));
        };
        let mut key = Zeroizing::new([0; KEY_LEN]);
        aws_lc_rs::rand::fill(&mut *key)?;
        let seal = Seal(Some(gcm(&*key)?));
        let mut nonce = [0; NONCE_LEN];
        aws_lc_rs::rand::fill(&mut nonce)?;
        let unique = Nonce::assume_unique_for_key(nonce);
        let tag = master.seal_in_place_separate_tag(unique, Aad::from(context), &mut *key)?;
        wrapped[..NONCE_LEN].copy_from_slice(&nonce);
        wrapped[NONCE_LEN..NONCE_LEN + KEY_LEN].copy_from_slice(&*key);
        wrapped[NONCE_LEN + KEY_LEN..].copy_from_slice(tag.as_ref());
        Ok((seal, wrapped))
    }

    /// The key of a file; `None` when this is not the master key that it was kept under, or it was changed.
    pub(crate) fn open(&self, context: &[u8], wrapped: &[u8; WRAPPED_LEN]) -> Option<Seal> {
        let Some(master) = &self.master else {
            return Some(Seal(None));
        };
        let (nonce, sealed) = wrapped.split_first_chunk::<NONCE_LEN>()?;
        let mut sealed = Zeroizing::new(<[u8; KEY_LEN + TAG_LEN]>::try_from(sealed).ok()?);
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let key = master.open_in_place(nonce, Aad::from(context), &mut *sealed).ok()?;
        gcm(key).ok().map(|key| Seal(Some(key)))
    }
}

impl Seal {
    /// What sealing adds to a piece.
    pub(crate) fn overhead(&self) -> usize {
        if self.0.is_some() { TAG_LEN } else { 0 }
    }

    /// Seals the bytes in place. The tag has to be kept behind them; there is none when nothing is sealed. A number
    /// must never be used twice.
    pub(crate) fn close(
        &self,
        number: u64,
        context: &[u8],
        bytes: &mut [u8],
    ) -> Result<Option<Tag>, SealFailed> {
        let Some(key) = &self.0 else { return Ok(None) };
        let tag = key.seal_in_place_separate_tag(nonce(number), Aad::from(context), bytes)?;
        Ok(Some(tag))
    }

    /// Opens in place what was sealed, tag included; `None` when a single bit is not as it was.
    pub(crate) fn open<'a>(&self, number: u64, context: &[u8], bytes: &'a mut [u8]) -> Option<&'a mut [u8]> {
        match &self.0 {
            None => Some(bytes),
            Some(key) => key.open_in_place(nonce(number), Aad::from(context), bytes).ok(),
        }
    }
}

fn gcm(key: &[u8]) -> Result<LessSafeKey, SealFailed> {
    Ok(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key)?))
}

fn nonce(number: u64) -> Nonce {
    let mut bytes = [0; NONCE_LEN];
    bytes[NONCE_LEN - 8..].copy_from_slice(&number.to_be_bytes());
    Nonce::assume_unique_for_key(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keyring(byte: u8) -> Keyring {
        Keyring::new(Some(&MasterKey::new([byte; KEY_LEN]))).unwrap()
    }

    fn sealed(seal: &Seal, number: u64, text: &[u8]) -> Vec<u8> {
        let mut bytes = text.to_vec();
        let tag = seal.close(number, b"place", &mut bytes).unwrap();
        bytes.extend_from_slice(tag.as_ref().map_or(&[], AsRef::as_ref));
        assert_eq!(bytes.len(), text.len() + seal.overhead());
        bytes
    }

    #[test]
    fn what_was_sealed_opens_with_the_unwrapped_key() {
        let (seal, wrapped) = keyring(1).fresh(b"file").unwrap();
        let mut bytes = sealed(&seal, 5, b"secret");
        assert!(!bytes.windows(6).any(|window| window == b"secret"));
        let opened = keyring(1).open(b"file", &wrapped).unwrap();
        assert_eq!(opened.open(5, b"place", &mut bytes).unwrap(), b"secret");
    }

    #[test]
    fn another_master_key_or_another_file_does_not_open_a_key() {
        let (_, wrapped) = keyring(1).fresh(b"file").unwrap();
        assert!(keyring(2).open(b"file", &wrapped).is_none());
        assert!(keyring(1).open(b"other", &wrapped).is_none());
    }

    #[test]
    fn another_number_place_or_bit_does_not_open_a_piece() {
        let (seal, _) = keyring(1).fresh(b"file").unwrap();
        let bytes = sealed(&seal, 5, b"secret");
        assert!(seal.open(6, b"place", &mut bytes.clone()).is_none());
        assert!(seal.open(5, b"other", &mut bytes.clone()).is_none());
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(seal.open(5, b"place", &mut changed).is_none());
        }
    }

    #[test]
    fn two_files_never_share_a_key() {
        let keyring = keyring(1);
        let (one, two) = (keyring.fresh(b"file").unwrap().0, keyring.fresh(b"file").unwrap().0);
        assert_ne!(sealed(&one, 1, b"same"), sealed(&two, 1, b"same"));
    }

    #[test]
    fn without_a_master_key_everything_stays_plain() {
        let keyring = Keyring::new(None).unwrap();
        let (seal, wrapped) = keyring.fresh(b"file").unwrap();
        assert!(!keyring.seals());
        assert_eq!(sealed(&seal, 1, b"plain"), b"plain");
        assert!(keyring.open(b"file", &wrapped).is_some());
    }

    #[test]
    fn random_keys_differ() {
        assert_ne!(MasterKey::random().unwrap().expose(), MasterKey::random().unwrap().expose());
    }
}
