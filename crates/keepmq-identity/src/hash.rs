//! Hashes of passwords: Argon2id with 19 MiB and two passes, in the PHC format.
//!
//! Only these parameters are taken. With others, the time that a login takes would tell whose hash it is, and so which
//! users there are.

use std::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64ct::{Base64Unpadded, Encoding};
use zeroize::Zeroizing;

const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const SALT: usize = 16;
const OUTPUT: usize = 32;
const HEAD: &str = "$argon2id$v=19$m=19456,t=2,p=1$";

/// What makes two hashes of one password differ.
pub(crate) type Salt = [u8; SALT];
/// What comes out of the hash function.
pub(crate) type Derived = Zeroizing<[u8; OUTPUT]>;
/// A hash function; tests have a faster one.
pub(crate) type Derive = fn(&[u8], &Salt) -> Option<Derived>;

/// The hash of a password. It is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Hash {
    salt: Salt,
    output: [u8; OUTPUT],
}

/// Argon2id; `None` when there is no memory for it.
pub(crate) fn derive(password: &[u8], salt: &Salt) -> Option<Derived> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(OUTPUT)).ok()?;
    let mut output = Zeroizing::new([0; OUTPUT]);
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon.hash_password_into(password, salt, &mut *output).ok()?;
    Some(output)
}

/// A new salt; `None` when the machine gives no randomness.
pub(crate) fn new_salt() -> Option<Salt> {
    let mut salt = [0; SALT];
    aws_lc_rs::rand::fill(&mut salt).ok()?;
    Some(salt)
}

impl Hash {
    /// Hashes a password under a salt.
    pub(crate) fn make(password: &[u8], salt: Salt) -> Option<Self> {
        Some(Self { salt, output: *derive(password, &salt)? })
    }

    /// One that no password has, but which takes as long as any other.
    pub(crate) fn of_nobody() -> Option<Self> {
        let mut output = [0; OUTPUT];
        aws_lc_rs::rand::fill(&mut output).ok()?;
        Some(Self { salt: new_salt()?, output })
    }

    /// Reads the PHC format; `None` for whatever is not exactly what [`Self::to_phc`] writes.
    pub(crate) fn parse(phc: &str) -> Option<Self> {
        let (salt, output) = phc.strip_prefix(HEAD)?.split_once('$')?;
        let mut hash = Self { salt: [0; SALT], output: [0; OUTPUT] };
        let whole = |text, into: &mut [u8]| {
            let length = into.len();
            Base64Unpadded::decode(text, into).is_ok_and(|decoded| decoded.len() == length)
        };
        (whole(salt, &mut hash.salt) && whole(output, &mut hash.output)).then_some(hash)
    }

    /// The PHC format.
    pub(crate) fn to_phc(&self) -> String {
        let (salt, output) =
            (Base64Unpadded::encode_string(&self.salt), Base64Unpadded::encode_string(&self.output));
        format!("{HEAD}{salt}${output}")
    }

    /// Its salt.
    pub(crate) fn salt(&self) -> &Salt {
        &self.salt
    }

    /// Whether this is what came out, in the same time for all answers.
    pub(crate) fn is(&self, derived: &Derived) -> bool {
        verify_slices_are_equal(&self.output, &**derived).is_ok()
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_hash_is_of_its_password_and_of_no_other() {
        let hash = Hash::make(b"vbcdefg12345", new_salt().unwrap()).unwrap();
        assert!(hash.is(&derive(b"vbcdefg12345", hash.salt()).unwrap()));
        assert!(!hash.is(&derive(b"vbcdefg12346", hash.salt()).unwrap()));
        assert!(!hash.is(&derive(b"", hash.salt()).unwrap()));
    }

    /// Made with the reference implementation of Argon2 (by way of argon2-cffi).
    #[test]
    fn a_hash_of_another_program_is_read() {
        let phc = KNOWN;
        let hash = Hash::parse(phc).unwrap();
        assert!(hash.is(&derive(b"correct horse battery", hash.salt()).unwrap()));
        assert_eq!(hash.to_phc(), phc);
    }

    const KNOWN: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$S2VlcE1RIHRlc3Qgc2FsdA$wPKCYGRZ3cwKo7MMYc1ldFWu58ARkd7dBPn3ebFsJCY";

    #[test]
    fn two_hashes_of_one_password_differ() {
        let (a, b) = (new_salt().unwrap(), new_salt().unwrap());
        assert_ne!(Hash::make(b"vbcdefg12345", a), Hash::make(b"vbcdefg12345", b));
    }

    #[test]
    fn a_hash_with_other_parameters_is_not_taken() {
        let good = Hash::of_nobody().unwrap().to_phc();
        assert!(Hash::parse(&good).is_some());
        for (from, to) in [
            ("argon2id", "argon2i"),
            ("argon2id", "argon2d"),
            ("v=19", "v=16"),
            ("m=19456", "m=4096"),
            ("m=19456", "m=99999999"),
            ("t=2", "t=1"),
            ("p=1", "p=4"),
            ("$v=19", ""),
        ] {
            assert_eq!(Hash::parse(&good.replace(from, to)), None, "{from} {to}");
        }
        assert_eq!(Hash::parse(&good[..good.len() - 4]), None);
        assert_eq!(Hash::parse(&format!("{good}AAAA")), None);
        assert_eq!(Hash::parse(&format!("{good}=")), None);
        for bad in ["", "plain", "{bcrypt}x", "$2y$10$abcdefghijklmnopqrstuv", "$argon2id$", HEAD] {
            assert_eq!(Hash::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_hash_is_never_printed() {
        assert_eq!(format!("{:?}", Hash::of_nobody().unwrap()), "***");
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,120}", tail in "[A-Za-z0-9+/$=]{0,80}") {
            let _ = Hash::parse(&text);
            if let Some(hash) = Hash::parse(&format!("{HEAD}{tail}")) {
                prop_assert_eq!(hash.to_phc(), format!("{HEAD}{tail}"));
            }
        }
    }
}
