//! Names that code of some rooms must not use.
//!
//! It goes by names as written. A name that arrives under another one (`use a::b as c` elsewhere and `pub use`, a glob,
//! a macro of another crate, a method of a type) is not recognized; clippy's lists, which know what a name means, see
//! those.

use super::fault::Fault;
use super::source::Source;

/// A banned name and what to use instead. The name is given as segments that stand one after the other; `_` stands
/// for any, so that a module can be banned without banning the word.
pub(crate) type Ban = (&'static [&'static str], &'static str);

/// Faults for each banned name in code that ships; `room` says where it is banned.
pub(crate) fn check(source: &Source, bans: &[Ban], room: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    for path in source.shipped_paths() {
        // One fault a path is enough: `std::net` in `std::net::TcpStream` says it all.
        if let Some((_, remedy)) = bans.iter().find(|(run, _)| names(&path.segments, run)) {
            let wrong = format!("`{}` has no place in {room}", path.segments.join("::"));
            faults.push(Fault::at(&source.path, path.line, wrong, *remedy));
        }
    }
    faults
}

fn names(segments: &[String], run: &[&str]) -> bool {
    let same =
        |window: &[String]| window.iter().zip(run).all(|(word, banned)| *banned == "_" || word == banned);
    segments.windows(run.len()).any(same)
}

#[cfg(test)]
mod tests {
    use super::{Ban, check};
    use crate::tidy::source::Source;

    const BANS: [Ban; 2] =
        [(&["Instant", "now"], "take it as an argument"), (&["rand", "_"], "take it as an argument")];

    fn lines(text: &str) -> Vec<usize> {
        let source = Source::parse("crates/a/src/lib.rs", text).unwrap();
        check(&source, &BANS, "this room").into_iter().map(|fault| fault.line).collect()
    }

    #[test]
    fn banned_names_are_found_in_code_and_macros() {
        assert_eq!(lines("fn a() {\n let _ = std::time::Instant::now();\n}\n"), [2]);
        assert_eq!(lines("fn a() {\n assert!(Instant::now() > b);\n}\n"), [2]);
        assert_eq!(lines("use rand::{Rng,\n thread_rng};"), [1, 2]);
    }

    #[test]
    fn tests_comments_and_strings_are_free() {
        assert!(lines("// rand::random()\nconst A: &str = \"rand::random\";\nfn rand() {}").is_empty());
        assert!(lines("#[cfg(test)]\nmod tests { fn a() { Instant::now(); } }").is_empty());
    }
}
