//! The key under which the store encrypts everything: 32 random bytes, in a file as 64 hexadecimal digits.

use std::io;
use std::path::Path;

use keepmq_config::private::{self, Exposure, Readers};
use thiserror::Error;
use zeroize::Zeroizing;

/// Length of the key in bytes.
pub const LENGTH: usize = 32;
/// Digits and the end of the line, with room for a foreign one.
const MOST_BYTES: usize = 2 * LENGTH + 2;

/// The key; wiped when dropped.
pub type MasterKey = Zeroizing<[u8; LENGTH]>;

/// Why there is no key.
#[derive(Debug, Error)]
pub enum MasterKeyFault {
    /// The file.
    #[error("the file {0}")]
    File(Exposure),
    /// It is none of ours.
    #[error("the file does not hold a key of 64 hexadecimal digits")]
    Content,
    /// It is all the same digit: somebody's placeholder.
    #[error("the file holds no random key")]
    NotRandom,
    /// It could not be written.
    #[error("the file cannot be written: {0}")]
    Write(#[from] io::Error),
    /// The machine gives no randomness.
    #[error("the machine gives no randomness")]
    Machine,
}

/// Makes a new key and writes it to a new file.
pub fn make(path: &Path) -> Result<MasterKey, MasterKeyFault> {
    let mut key = MasterKey::default();
    aws_lc_rs::rand::fill(&mut *key).map_err(|_| MasterKeyFault::Machine)?;
    let mut text = Zeroizing::new(Vec::with_capacity(2 * LENGTH + 1));
    for byte in key.iter() {
        text.extend([digit(byte >> 4), digit(byte & 15)]);
    }
    text.push(b'\n');
    private::write_new(path, &text)?;
    Ok(key)
}

/// Reads the key. Refused when others can read the file too.
pub fn load(path: &Path) -> Result<MasterKey, MasterKeyFault> {
    let text = private::read(path, Readers::Owner, MOST_BYTES).map_err(MasterKeyFault::File)?;
    let digits = text.trim_ascii_end();
    if digits.len() != 2 * LENGTH {
        return Err(MasterKeyFault::Content);
    }
    let mut key = MasterKey::default();
    for (byte, pair) in key.iter_mut().zip(digits.as_chunks::<2>().0) {
        let [high, low] = pair.map(value);
        *byte = high.zip(low).map(|(high, low)| high << 4 | low).ok_or(MasterKeyFault::Content)?;
    }
    if key.iter().all(|byte| *byte == key[0]) {
        return Err(MasterKeyFault::NotRandom);
    }
    Ok(key)
}

fn digit(value: u8) -> u8 {
    if value < 10 { b'0' + value } else { b'a' + value - 10 }
}

fn value(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn written(text: &[u8]) -> Result<MasterKey, MasterKeyFault> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        private::write_new(&path, text).unwrap();
        load(&path)
    }

    #[test]
    fn a_key_that_is_made_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        let key = make(&path).unwrap();
        assert_eq!(load(&path).unwrap(), key);
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.len() == 65 && text.ends_with('\n'));
    }

    #[test]
    fn a_key_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        let key = make(&path).unwrap();
        assert!(matches!(make(&path), Err(MasterKeyFault::Write(_))));
        assert_eq!(load(&path).unwrap(), key);
    }

    #[test]
    fn two_keys_differ() {
        let folder = tempfile::tempdir().unwrap();
        assert_ne!(make(&folder.path().join("a")).unwrap(), make(&folder.path().join("b")).unwrap());
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        make(&path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(load(&path), Err(MasterKeyFault::File(Exposure::Open(0o640)))));
        assert!(matches!(load(&folder.path().join("none")), Err(MasterKeyFault::File(Exposure::Missing))));
    }

    #[test]
    fn only_64_digits_are_a_key() {
        let good = b"00112233445566778899aabbccddeeffFFEEDDCCBBAA99887766554433221100";
        let key = written(good).unwrap();
        assert_eq!((key[1], key[15], key[16]), (0x11, 0xff, 0xff));
        assert_eq!(written(&[&good[..], b"\r\n"].concat()).unwrap(), key);
        for bad in [&good[..63], &[&good[..63], b"g"].concat(), b"", b"\n", &[&good[..62], b"+1"].concat()] {
            assert!(matches!(written(bad), Err(MasterKeyFault::Content)), "{bad:?}");
        }
        assert!(matches!(
            written(&[&good[..], b"0011"].concat()),
            Err(MasterKeyFault::File(Exposure::TooLarge))
        ));
    }

    #[test]
    fn a_placeholder_is_not_a_key() {
        for digit in [b'0', b'f'] {
            assert!(matches!(written(&[digit; 64]), Err(MasterKeyFault::NotRandom)));
        }
    }
}
