//! What users and groups may be called: Amazon MQ's rule. Such names break no log line, list or pattern.

use std::fmt;

/// Least characters of a name.
pub const SHORTEST: usize = 2;
/// Most characters of a name.
pub const LONGEST: usize = 100;

/// Why a name can't be a user's or a group's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameFault {
    /// Too short or too long.
    Length,
    /// A character that it may not have.
    Character,
}

impl fmt::Display for NameFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length => write!(f, "a name has {SHORTEST} to {LONGEST} characters"),
            Self::Character => f.write_str("a name has letters, digits and - . _ ~ only"),
        }
    }
}

impl std::error::Error for NameFault {}

/// Judges the name of a user or group.
pub fn check_name(name: &str) -> Result<(), NameFault> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '~');
    if !name.chars().all(fits) {
        return Err(NameFault::Character);
    }
    if !(SHORTEST..=LONGEST).contains(&name.len()) {
        return Err(NameFault::Length);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_two_to_a_hundred_characters() {
        assert_eq!(check_name("a"), Err(NameFault::Length));
        assert_eq!(check_name(""), Err(NameFault::Length));
        assert_eq!(check_name("ab"), Ok(()));
        assert_eq!(check_name(&"x".repeat(100)), Ok(()));
        assert_eq!(check_name(&"x".repeat(101)), Err(NameFault::Length));
    }

    #[test]
    fn names_have_no_character_that_means_something_elsewhere() {
        assert_eq!(check_name("Web-shop_2.~"), Ok(()));
        for bad in ["a,b", "a:b", "a b", "a\nb", "*a", "a>", "ä1", "a/b", "a=b", "a\0b", "a#", "a+"] {
            assert_eq!(check_name(bad), Err(NameFault::Character), "{bad:?}");
        }
    }
}
