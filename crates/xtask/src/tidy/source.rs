//! One Rust file as the rules see it: its tokens, its comments, its functions, and which of its lines are tests. It is
//! read once, and every rule asks the same reading; rules take it as their input, so that a test needs no workspace.

use std::ops::RangeInclusive;

use proc_macro2::TokenStream;

use super::comments::{Comment, comments};
use super::fault::Fault;
use super::functions::{Function, functions};
use super::paths::{NamedPath, named_paths};
use super::test_code::test_lines;

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Ships, except for the parts under `#[cfg(test)]`.
    Source,
    /// Only tests.
    Test,
    /// Benchmarks, examples, what is made by a generator and what lies outside `crates/`: neither counted as source nor as
    /// tests.
    Aside,
}

impl Kind {
    /// Judged by the place of the file below its crate.
    fn of(path: &str) -> Self {
        if !path.starts_with("crates/") {
            return Self::Aside;
        }
        let inside: Vec<&str> = path.split('/').skip(2).collect();
        let has = |folder: &str| inside.iter().rev().skip(1).any(|part| *part == folder);
        if has("tests") || inside.last() == Some(&"tests.rs") {
            Self::Test
        } else if has("benches") || has("examples") {
            Self::Aside
        } else {
            Self::Source
        }
    }
}

/// Whether a generator made the file: its first line says so.
fn is_made(text: &str) -> bool {
    text.lines()
        .next()
        .is_some_and(|first| first.starts_with("//!") && first.contains("Made by `cargo xtask "))
}

/// A parsed file.
pub(crate) struct Source {
    /// Relative to the workspace, with `/`.
    pub path: String,
    /// The folder below `crates/`; empty for files elsewhere.
    pub krate: String,
    /// What it is for.
    pub kind: Kind,
    /// Its text.
    pub text: String,
    /// Its comments in order, documentation too.
    pub comments: Vec<Comment>,
    /// Its items.
    pub ast: syn::File,
    /// Everything that it names, in order, also inside macros.
    pub paths: Vec<NamedPath>,
    /// Its functions with a body.
    functions: Vec<Function>,
    /// Lines of items under `#[cfg(test)]`.
    tests: Vec<RangeInclusive<usize>>,
}

impl Source {
    /// Reads a file; what does not parse is a fault, since no rule can see it.
    pub(crate) fn parse(path: &str, text: &str) -> Result<Self, Fault> {
        let broken = |line, error: &dyn std::fmt::Display| {
            Fault::at(path, line, format!("does not parse: {error}"), "mend the syntax")
        };
        let tokens: TokenStream =
            text.parse().map_err(|e: proc_macro2::LexError| broken(e.span().start().line, &e))?;
        let ast: syn::File = syn::parse2(tokens.clone()).map_err(|e| broken(e.span().start().line, &e))?;
        let kind = if is_made(text) { Kind::Aside } else { Kind::of(path) };
        let lines = text.lines().count();
        let tests =
            if kind == Kind::Test { std::iter::once(1..=lines).collect() } else { test_lines(&ast, lines) };
        Ok(Self {
            path: path.to_owned(),
            krate: path
                .strip_prefix("crates/")
                .and_then(|rest| rest.split('/').next())
                .unwrap_or_default()
                .to_owned(),
            kind,
            comments: comments(text, &tokens),
            functions: functions(&ast),
            paths: named_paths(&tokens),
            text: text.to_owned(),
            ast,
            tests,
        })
    }

    /// Makes it a file of tests, because another file declares its module under `#[cfg(test)]`.
    pub(crate) fn becomes_test(&mut self) {
        self.kind = Kind::Test;
        self.tests = std::iter::once(1..=self.lines()).collect();
    }

    /// All lines.
    pub(crate) fn lines(&self) -> usize {
        self.text.lines().count()
    }

    /// Lines of tests.
    pub(crate) fn test_lines(&self) -> usize {
        (1..=self.lines()).filter(|line| self.is_test(*line)).count()
    }

    /// Lines that ship.
    pub(crate) fn source_lines(&self) -> usize {
        self.lines() - self.test_lines()
    }

    /// Whether a line belongs to tests.
    pub(crate) fn is_test(&self, line: usize) -> bool {
        self.tests.iter().any(|range| range.contains(&line))
    }

    /// What the code that ships names; for benchmarks and examples nothing.
    pub(crate) fn shipped_paths(&self) -> impl Iterator<Item = &NamedPath> {
        self.paths.iter().filter(|path| self.kind == Kind::Source && !self.is_test(path.line))
    }

    /// The functions that ship.
    pub(crate) fn shipped_functions(&self) -> impl Iterator<Item = &Function> {
        self.functions.iter().filter(|function| self.kind == Kind::Source && !self.is_test(function.first))
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Source};

    #[test]
    fn the_place_of_a_file_tells_what_it_is_for() {
        assert_eq!(Kind::of("crates/a/src/lib.rs"), Kind::Source);
        assert_eq!(Kind::of("crates/a/src/b/tests.rs"), Kind::Test);
        assert_eq!(Kind::of("crates/a/src/tests/c.rs"), Kind::Test);
        assert_eq!(Kind::of("crates/a/tests/c.rs"), Kind::Test);
        assert_eq!(Kind::of("crates/a/benches/c.rs"), Kind::Aside);
        assert_eq!(Kind::of("crates/tests/src/c.rs"), Kind::Source);
        assert_eq!(Kind::of("fuzz/fuzz_targets/c.rs"), Kind::Aside);
    }

    #[test]
    fn tests_inside_a_file_are_counted_apart() {
        let text = "fn a() {}\n\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\n";
        let source = Source::parse("crates/a/src/lib.rs", text).unwrap();
        assert_eq!((source.source_lines(), source.test_lines()), (2, 4));
        assert_eq!(source.shipped_functions().map(|f| f.name.as_str()).collect::<Vec<_>>(), ["a"]);
    }

    #[test]
    fn a_file_that_does_not_parse_is_a_fault_with_its_line() {
        let fault = Source::parse("crates/a/src/lib.rs", "fn a() {}\nfn b( {}\n").err().unwrap();
        assert_eq!(fault.line, 2);
    }
}
