//! What a password may be, and random ones.

use keepmq_model::Secret;
use thiserror::Error;
use zeroize::Zeroizing;

/// Least characters of a password.
pub const SHORTEST: usize = 12;
/// Most characters of a password.
pub const LONGEST: usize = 250;
/// Least different characters of a password.
const LEAST_DISTINCT: usize = 4;
/// Characters that ActiveMQ's own files give a meaning to; a password has to work there too.
const BARRED: &[u8] = b",:=";

/// Passwords of twelve characters or more that are on everybody's list, in lower case.
const COMMON: &str = include_str!("common_passwords.txt");

/// Letters and digits that cannot be mistaken for each other when read aloud or typed off.
const ALPHABET: &[u8] = b"abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
/// 24 characters of that alphabet have over 130 bits.
const RANDOM_LENGTH: usize = 24;

/// Why a password is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PasswordFault {
    /// Too short or too long.
    #[error("a password has {SHORTEST} to {LONGEST} characters")]
    Length,
    /// Not printable ASCII.
    #[error("a password has printable ASCII characters only")]
    NotPrintable,
    /// A character that has a meaning elsewhere.
    #[error("a password has no comma, colon or equals sign")]
    Barred,
    /// The same few characters over and over.
    #[error("a password has at least {LEAST_DISTINCT} different characters")]
    Monotonous,
    /// The user's own name.
    #[error("a password is not the user's own name")]
    OwnName,
    /// Tried first by everybody who guesses.
    #[error("this password is one of the most common ones")]
    Common,
}

/// Judges a new password of a user.
pub fn check_password(user: &str, password: &Secret) -> Result<(), PasswordFault> {
    let bytes = password.expose();
    if !bytes.iter().all(|byte| matches!(byte, b' '..=b'~')) {
        return Err(PasswordFault::NotPrintable);
    }
    if !(SHORTEST..=LONGEST).contains(&bytes.len()) {
        return Err(PasswordFault::Length);
    }
    if bytes.iter().any(|byte| BARRED.contains(byte)) {
        return Err(PasswordFault::Barred);
    }
    let mut seen = [false; 256];
    for byte in bytes {
        seen[usize::from(*byte)] = true;
    }
    if seen.iter().filter(|seen| **seen).count() < LEAST_DISTINCT {
        return Err(PasswordFault::Monotonous);
    }
    if bytes.eq_ignore_ascii_case(user.as_bytes()) {
        return Err(PasswordFault::OwnName);
    }
    if COMMON.lines().any(|common| common.as_bytes().eq_ignore_ascii_case(bytes)) {
        return Err(PasswordFault::Common);
    }
    Ok(())
}

/// A random password that every rule allows; `None` when the machine gives no randomness.
pub fn random_password() -> Option<Secret> {
    loop {
        let mut password = Zeroizing::new(Vec::with_capacity(RANDOM_LENGTH));
        while password.len() < RANDOM_LENGTH {
            let mut bytes = Zeroizing::new([0; RANDOM_LENGTH]);
            aws_lc_rs::rand::fill(&mut *bytes).ok()?;
            let missing = RANDOM_LENGTH - password.len();
            password.extend(bytes.iter().filter_map(|byte| letter(*byte)).take(missing));
        }
        let password = Secret::new(std::mem::take(&mut *password));
        // One of four different characters or fewer comes up once in longer than the world is old, but is possible.
        if check_password("", &password).is_ok() {
            return Some(password);
        }
    }
}

/// A character for a random byte; `None` for bytes that would make some characters likelier than others.
fn letter(byte: u8) -> Option<u8> {
    let even = 256 - 256 % ALPHABET.len();
    let byte = usize::from(byte);
    (byte < even).then(|| ALPHABET[byte % ALPHABET.len()])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(user: &str, password: &str) -> Result<(), PasswordFault> {
        check_password(user, &Secret::new(password.as_bytes().to_vec()))
    }

    #[test]
    fn a_password_has_twelve_to_250_characters() {
        assert_eq!(check("u", "abcdefg1234"), Err(PasswordFault::Length));
        assert_eq!(check("u", "vbcdefg12345"), Ok(()));
        assert_eq!(check("u", &"vbcde".repeat(50)), Ok(()));
        assert_eq!(check("u", &"vbcde".repeat(51)), Err(PasswordFault::Length));
        assert_eq!(check("u", ""), Err(PasswordFault::Length));
    }

    #[test]
    fn a_password_is_printable_ascii() {
        assert_eq!(check("u", "vbcdefg 1234~"), Ok(()));
        for bad in ["vbcdefg1234ä", "vbcdefg1234\t5", "vbcdefg12345\n", "vbcdefg1234\u{7f}5", "vbcdefg1234\0"]
        {
            assert_eq!(check("u", bad), Err(PasswordFault::NotPrintable), "{bad:?}");
        }
        let latin1 = Secret::new(b"vbcdefg1234\xe4".to_vec());
        assert_eq!(check_password("u", &latin1), Err(PasswordFault::NotPrintable));
    }

    #[test]
    fn a_password_has_no_comma_colon_or_equals_sign() {
        for bad in ["vbcdefg,1234", "vbcdefg:1234", "vbcdefg=1234"] {
            assert_eq!(check("u", bad), Err(PasswordFault::Barred), "{bad}");
        }
    }

    #[test]
    fn a_password_has_four_different_characters() {
        assert_eq!(check("u", "abcabcabcabc!"), Ok(()));
        assert_eq!(check("u", "abababababab"), Err(PasswordFault::Monotonous));
        assert_eq!(check("u", "abcccccccccc"), Err(PasswordFault::Monotonous));
    }

    #[test]
    fn a_password_is_not_the_users_own_name() {
        assert_eq!(check("orders-service", "orders-service"), Err(PasswordFault::OwnName));
        assert_eq!(check("orders-service", "Orders-Service"), Err(PasswordFault::OwnName));
        assert_eq!(check("orders-service", "orders-service2"), Ok(()));
    }

    #[test]
    fn a_password_is_not_on_everybodys_list() {
        for bad in
            ["password1234", "Password1234", "QWERTYUIOP12", "correcthorsebatterystaple", "administrator"]
        {
            assert_eq!(check("u", bad), Err(PasswordFault::Common), "{bad}");
        }
    }

    #[test]
    fn the_list_holds_only_what_the_other_rules_allow_by_length() {
        assert!(COMMON.lines().count() > 150);
        for common in COMMON.lines() {
            assert!(common.len() >= SHORTEST, "{common}");
            assert_eq!(common, common.to_lowercase());
        }
    }

    #[test]
    fn random_passwords_are_long_allowed_and_different() {
        let one = random_password().unwrap();
        assert_eq!(one.expose().len(), RANDOM_LENGTH);
        assert_eq!(check_password("admin", &one), Ok(()));
        assert_ne!(one.expose(), random_password().unwrap().expose());
        assert!(one.expose().iter().all(|byte| ALPHABET.contains(byte)));
    }

    #[test]
    fn every_letter_is_equally_likely_and_none_is_ambiguous() {
        let mut counts = [0; 256];
        (0..=u8::MAX).filter_map(letter).for_each(|letter| counts[usize::from(letter)] += 1);
        let used: Vec<i32> = counts.into_iter().filter(|count| *count > 0).collect();
        assert_eq!(used.len(), ALPHABET.len());
        assert!(used.iter().all(|count| *count == used[0]));
        assert!(!ALPHABET.iter().any(|letter| b"0O1lIio".contains(letter)));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(user in "\\PC{0,20}", bytes: Vec<u8>) {
            let _ = check_password(&user, &Secret::new(bytes));
        }
    }
}
