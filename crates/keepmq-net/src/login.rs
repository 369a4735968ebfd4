//! Logins: checked on a thread that may work long, because a password hash is slow on purpose.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use keepmq_model::{Login, Now, Principal};

/// What vouches for a user.
#[derive(Clone, Debug)]
pub struct Proof {
    /// The user.
    pub principal: Arc<Principal>,
    /// What vouched: `users` and so on.
    pub by: &'static str,
}

type Verify = dyn Fn(&Login, IpAddr, Now) -> Result<Proof, &'static str> + Send + Sync;

/// Checks logins.
#[derive(Clone)]
pub struct Verifier(Arc<Verify>);

impl Verifier {
    /// Checks by this function, which may block. A refusal is for the records; the peer is told less.
    pub fn new(
        verify: impl Fn(&Login, IpAddr, Now) -> Result<Proof, &'static str> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(verify))
    }

    pub(crate) fn verify(&self, login: &Login, source: IpAddr, now: Now) -> Result<Proof, &'static str> {
        (self.0)(login, source, now)
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier")
    }
}
