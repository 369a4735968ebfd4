//! Why a login was refused, for the audit log. The peer is told the same in every case but [`BUSY`]: what it could
//! learn from the difference is which users there are.

/// No user of that name.
pub const UNKNOWN: &str = "unknown user";
/// The user may not log in for now.
pub const DISABLED: &str = "disabled user";
/// Not the user's password.
pub const WRONG: &str = "wrong password";
/// Too many misses of this user from this source.
pub const LOCKED_PAIR: &str = "locked: too many misses of this user from this source";
/// Too many misses from this source.
pub const LOCKED_SOURCE: &str = "locked: too many misses from this source";
/// Too many misses of this user.
pub const LOCKED_USER: &str = "locked: too many misses of this user";
/// Too many logins at a time; nothing was judged.
pub const BUSY: &str = "busy: too many logins at a time";
