//! Everything that a file names, read from its tokens: that way the inside of macros is seen too, and comments and
//! strings are not. The trees of `use` are written out, so that `std::{net, fmt}` is found as `std::net`.
//!
//! Nothing is resolved: a path is what is written, not what it means. Generic arguments in the middle of a path
//! (`A::<B>::c`) cut it in two.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A path such as `std::time::Instant`, a single word, or one leaf of a `use` tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NamedPath {
    /// Without generic arguments; keywords count as words, a glob is `*`.
    pub segments: Vec<String>,
    /// Where its last segment stands.
    pub line: usize,
    /// Followed by `!`.
    pub is_macro: bool,
}

impl NamedPath {
    /// Whether these segments stand in it, one after the other.
    pub(crate) fn has(&self, run: &[&str]) -> bool {
        self.segments.windows(run.len()).any(|window| window == run)
    }
}

/// All paths in order.
pub(crate) fn named_paths(tokens: &TokenStream) -> Vec<NamedPath> {
    let mut reader = Reader::default();
    reader.read(tokens, &[]);
    reader.found
}

#[derive(Default)]
struct Reader {
    found: Vec<NamedPath>,
    current: Option<NamedPath>,
}

impl Reader {
    /// `prefix` is what stands before the braces of a `use` tree.
    fn read(&mut self, tokens: &TokenStream, prefix: &[String]) {
        let mut colons = 0;
        for token in tokens.clone() {
            match token {
                TokenTree::Ident(ident) => {
                    let word = ident.to_string().trim_start_matches("r#").to_owned();
                    self.word(word, ident.span().start().line, colons == 2, prefix);
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => {
                    colons += 1;
                    continue;
                }
                TokenTree::Punct(punct) if punct.as_char() == '*' && colons == 2 => {
                    self.word("*".to_owned(), punct.span().start().line, true, prefix);
                }
                TokenTree::Punct(punct) => self.end(punct.as_char() == '!'),
                TokenTree::Group(group) => {
                    let is_tree = colons == 2 && group.delimiter() == Delimiter::Brace;
                    let before = self.current.take();
                    let prefix = before.as_ref().filter(|_| is_tree).map(|path| path.segments.clone());
                    if prefix.is_none() {
                        self.found.extend(before);
                    }
                    self.read(&group.stream(), &prefix.unwrap_or_default());
                }
                TokenTree::Literal(_) => self.end(false),
            }
            colons = 0;
        }
        self.end(false);
    }

    /// One word, joined to what stands before it or not.
    fn word(&mut self, word: String, line: usize, joined: bool, prefix: &[String]) {
        if !joined {
            self.end(false);
        }
        let fresh = || NamedPath { segments: prefix.to_vec(), line, is_macro: false };
        let path = self.current.get_or_insert_with(fresh);
        path.segments.push(word);
        path.line = line;
    }

    fn end(&mut self, is_macro: bool) {
        if let Some(path) = self.current.take() {
            self.found.push(NamedPath { is_macro, ..path });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{NamedPath, named_paths};

    fn names(text: &str) -> Vec<String> {
        named_paths(&text.parse().unwrap()).iter().map(|path| path.segments.join("::")).collect()
    }

    #[test]
    fn trees_of_uses_are_written_out() {
        let found = names("use std::{net, time::{Instant, Duration as D}, io::*};");
        for path in ["std::net", "std::time::Instant", "std::time::Duration", "std::io::*"] {
            assert!(found.contains(&path.to_owned()), "{path} in {found:?}");
        }
    }

    #[test]
    fn macros_are_seen_and_strings_and_comments_are_not() {
        let found = names("fn a() { assert!(Instant::now() > b, \"tokio::spawn\"); /* tokio */ }");
        assert_eq!(found, ["fn", "a", "assert", "Instant::now", "b"]);
    }

    #[test]
    fn types_before_a_colon_are_no_part_of_a_path() {
        assert_eq!(names("struct A { b: std::net::TcpStream, r#async: u8 }").last().unwrap(), "u8");
        assert!(names("let a: b::C = d;").contains(&"b::C".to_owned()));
    }

    #[test]
    fn runs_of_segments_are_found_anywhere() {
        let path = named_paths(&"::std::time::Instant::now".parse().unwrap()).remove(0);
        assert!(path.has(&["Instant", "now"]) && !path.has(&["std", "Instant"]));
    }

    #[test]
    fn calls_of_macros_are_marked() {
        let paths = named_paths(&"todo!(); if !todo { a != b }".parse().unwrap());
        let marked: Vec<&NamedPath> = paths.iter().filter(|path| path.is_macro).collect();
        assert_eq!(marked.iter().filter(|path| path.has(&["todo"])).count(), 1);
    }

    #[test]
    fn leaves_of_trees_keep_their_lines() {
        let paths = named_paths(&"use a::{\n b,\n c::{self,\n d},\n};".parse().unwrap());
        let found: Vec<(String, usize)> =
            paths.iter().map(|path| (path.segments.join("::"), path.line)).collect();
        for (path, line) in [("a::b", 2), ("a::c::self", 3), ("a::c::d", 4)] {
            assert!(found.contains(&(path.to_owned(), line)), "{path} in {found:?}");
        }
    }

    #[test]
    fn attributes_and_generics_are_paths_too() {
        assert!(names("#[tokio::test] fn a() {}").contains(&"tokio::test".to_owned()));
        assert_eq!(names("a::<b::C>::d"), ["a", "b::C", "d"]);
        assert_eq!(names("<A as b::C>::d"), ["A", "as", "b::C", "d"]);
        assert_eq!(names("r#try::r#async"), ["try::async"]);
    }

    #[test]
    fn a_block_after_a_path_is_no_tree() {
        assert_eq!(names("match a::b { c => d }"), ["match", "a::b", "c", "d"]);
        assert_eq!(names("a::B { c: d::e }"), ["a::B", "c", "d::e"]);
    }
}
