//! Who this command line is to a broker: from a file, never from an argument, which everybody on the machine could read.

use std::path::Path;

use anyhow::{Context as _, bail};
use keepmq_config::private::{self, Readers};
use keepmq_model::Secret;

/// Longest file that is read, in bytes.
const MOST_BYTES: usize = 4096;

/// A user and their password.
#[derive(Debug)]
pub(crate) struct Credentials {
    pub(crate) user: String,
    pub(crate) password: Secret,
}

impl Credentials {
    /// Reads lines `KEEPMQ_USER=` and `KEEPMQ_PASSWORD=` from a file that only its owner may read.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let bytes = private::read(path, Readers::Owner, MOST_BYTES)
            .map_err(|exposure| anyhow::anyhow!("{} {exposure}", path.display()))?;
        Self::parse(&bytes).with_context(|| format!("{}", path.display()))
    }

    fn parse(bytes: &[u8]) -> anyhow::Result<Self> {
        let value = |name: &str| {
            let line =
                |line: &[u8]| line.strip_prefix(name.as_bytes())?.strip_prefix(b"=").map(<[u8]>::to_vec);
            bytes.split(|byte| *byte == b'\n').find_map(line)
        };
        let (Some(user), Some(password)) = (value("KEEPMQ_USER"), value("KEEPMQ_PASSWORD")) else {
            bail!("it needs a line KEEPMQ_USER=... and a line KEEPMQ_PASSWORD=...");
        };
        Ok(Self {
            user: String::from_utf8(user).context("the user's name is not text")?,
            password: Secret::new(password),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_lines_are_needed() {
        let good = Credentials::parse(b"KEEPMQ_USER=admin\nKEEPMQ_PASSWORD=se cret=\n").unwrap();
        assert_eq!((good.user.as_str(), good.password.expose()), ("admin", &b"se cret="[..]));
        assert!(Credentials::parse(b"KEEPMQ_USER=admin\n").is_err());
        assert!(Credentials::parse(b"").is_err());
    }

    #[test]
    fn the_password_is_not_printed() {
        let good = Credentials::parse(b"KEEPMQ_USER=admin\nKEEPMQ_PASSWORD=hunter2\n").unwrap();
        assert!(!format!("{good:?}").contains("hunter2"));
    }
}
