//! Who somebody is, and the secrets by which they prove it.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

/// An authenticated user and the groups they carry. Rights are given to groups only, as in ActiveMQ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The user's name.
    pub name: Arc<str>,
    /// The groups, sorted, each once.
    pub groups: Box<[Arc<str>]>,
}

impl Principal {
    /// A user with groups.
    pub fn new<'a>(name: &str, groups: impl IntoIterator<Item = &'a str>) -> Self {
        let mut groups: Vec<Arc<str>> = groups.into_iter().map(Arc::from).collect();
        groups.sort_unstable();
        groups.dedup();
        Self { name: name.into(), groups: groups.into() }
    }
}

/// A password or token: wiped when dropped, never printed.
#[derive(Clone, Default)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes over bytes that came as a secret.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes, for the one who checks them.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_printed() {
        assert_eq!(format!("{:?}", Secret::new(b"hunter2hunter2".to_vec())), "***");
    }

    #[test]
    fn groups_are_sorted_and_single() {
        let principal = Principal::new("u", ["b", "a", "b"]);
        assert_eq!(principal.groups.iter().map(|g| &**g).collect::<Vec<_>>(), ["a", "b"]);
    }
}
