//! Every crate root forbids unsafe code. Where an exception is granted the workspace's `deny` stays, so each unsafe
//! block still has to be allowed by name.

use syn::{AttrStyle, Attribute};

use super::exceptions::{Exceptions, Rule};
use super::fault::Fault;
use super::source::Source;

/// Judges one file; only crate roots are of interest.
pub(crate) fn check(source: &Source, exceptions: &Exceptions) -> Vec<Fault> {
    if !is_root(&source.path) || source.ast.attrs.iter().any(forbids_unsafe) {
        return Vec::new();
    }
    // Asked only when it is needed: an exception that is granted for nothing must show as stale.
    if exceptions.excuse(Rule::UnsafeCode, &source.path) {
        return Vec::new();
    }
    let wrong = "a crate root without `#![forbid(unsafe_code)]`";
    vec![Fault::of(&source.path, wrong, "add it below the crate's documentation")]
}

/// A file at which the compiler starts a library or a binary.
fn is_root(path: &str) -> bool {
    let Some((_, inside)) = path.strip_prefix("crates/").and_then(|rest| rest.split_once('/')) else {
        return false;
    };
    let binary =
        inside.strip_prefix("src/bin/").is_some_and(|rest| !rest.contains('/') || rest.ends_with("/main.rs"));
    ["src/lib.rs", "src/main.rs"].contains(&inside) || binary
}

fn forbids_unsafe(attribute: &Attribute) -> bool {
    let mut found = false;
    if matches!(attribute.style, AttrStyle::Inner(_)) && attribute.path().is_ident("forbid") {
        // A list with something else in it is read as far as it goes.
        let _ = attribute.parse_nested_meta(|lint| {
            found |= lint.path.is_ident("unsafe_code");
            Ok(())
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::exceptions::Exceptions;
    use crate::tidy::source::Source;

    fn faults(path: &str, text: &str, exceptions: &str) -> usize {
        let (exceptions, _) = Exceptions::parse(exceptions);
        check(&Source::parse(path, text).unwrap(), &exceptions).len() + exceptions.stale().len()
    }

    #[test]
    fn every_root_forbids_unsafe_code() {
        assert_eq!(faults("crates/a/src/lib.rs", "//! Doc.\n#![forbid(unsafe_code)]\n", ""), 0);
        assert_eq!(faults("crates/a/src/lib.rs", "#![forbid(missing_docs, unsafe_code)]\n", ""), 0);
        assert_eq!(faults("crates/a/src/lib.rs", "//! Doc.\n", ""), 1);
        assert_eq!(faults("crates/a/src/main.rs", "#![deny(unsafe_code)]\n", ""), 1);
        assert_eq!(faults("crates/a/src/bin/b.rs", "fn main() {}\n", ""), 1);
        assert_eq!(faults("crates/a/src/b.rs", "//! Doc.\n", ""), 0);
    }

    #[test]
    fn an_exception_must_be_needed() {
        let excused = "unsafe-code crates/a/src/lib.rs -- maps files";
        assert_eq!(faults("crates/a/src/lib.rs", "//! Doc.\n", excused), 0);
        assert_eq!(faults("crates/a/src/lib.rs", "#![forbid(unsafe_code)]\n", excused), 1);
    }
}
