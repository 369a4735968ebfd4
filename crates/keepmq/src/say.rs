//! What the command line says: results on standard output, faults on standard error.

use std::io::Write as _;

/// A line of the result. When nobody reads any more there is nobody to tell.
pub(crate) fn line(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// Bytes of the result, as they are.
pub(crate) fn bytes(bytes: &[u8]) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(bytes)
}

/// A line about what went wrong.
pub(crate) fn fault(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
