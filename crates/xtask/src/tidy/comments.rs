//! Finds comments. Between two tokens of a Rust file there is only white space and comments, so the places of the
//! tokens, which the lexer knows, tell where the comments are.

use std::ops::Range;

use proc_macro2::{Span, TokenStream, TokenTree};

/// One comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Comment {
    /// First line.
    pub first: usize,
    /// Last line.
    pub last: usize,
    /// With its slashes and stars.
    pub text: String,
    /// Written for `rustdoc`.
    pub doc: bool,
}

impl Comment {
    /// A plain comment that starts with two slashes.
    pub(crate) fn is_plain_line(&self) -> bool {
        !self.doc && self.text.starts_with("//")
    }
}

/// All comments in order.
pub(crate) fn comments(text: &str, tokens: &TokenStream) -> Vec<Comment> {
    let starts = line_starts(text);
    let line = |at: usize| starts.partition_point(|start| *start <= at);
    let mut places = Vec::new();
    collect_places(tokens, &mut places);
    let mut found = Vec::new();
    let mut keep = |range: Range<usize>, doc: bool| {
        let text = text.get(range.clone()).unwrap_or_default().trim_end();
        let last = line(range.start + text.len().saturating_sub(1));
        found.push(Comment { first: line(range.start), last, text: text.to_owned(), doc });
    };
    let mut end = 0;
    for place in places.into_iter().chain(std::iter::once(text.len()..text.len())) {
        for comment in between(text, end..place.start) {
            keep(comment, false);
        }
        let token = text.get(place.clone()).unwrap_or_default();
        if place.start >= end && (token.starts_with("//") || token.starts_with("/*")) {
            keep(place.clone(), true);
        }
        end = end.max(place.end);
    }
    found
}

/// The byte at which each line starts.
fn line_starts(text: &str) -> Vec<usize> {
    std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect()
}

/// Byte ranges of all tokens in order. The tokens made from one documentation comment all have the comment's range.
fn collect_places(tokens: &TokenStream, places: &mut Vec<Range<usize>>) {
    for token in tokens.clone() {
        match token {
            TokenTree::Group(group) => {
                places.push(range(group.span_open()));
                collect_places(&group.stream(), places);
                places.push(range(group.span_close()));
            }
            other => places.push(range(other.span())),
        }
    }
}

fn range(span: Span) -> Range<usize> {
    span.byte_range()
}

/// The comments in a stretch without tokens.
fn between(text: &str, stretch: Range<usize>) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = stretch.start;
    while let Some(rest) = text.get(at..stretch.end) {
        let Some(offset) = rest.find('/') else { break };
        let comment = &rest[offset..];
        let length = if comment.starts_with("/*") { block_length(comment) } else { line_length(comment) };
        found.push(at + offset..at + offset + length);
        at += offset + length;
    }
    found
}

fn line_length(comment: &str) -> usize {
    comment.find('\n').unwrap_or(comment.len())
}

/// Block comments nest.
fn block_length(comment: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(rest) = comment.get(at..) {
        let Some(offset) = rest.find(['/', '*']) else {
            break;
        };
        at += offset;
        match comment.get(at..at + 2) {
            Some("/*") => depth += 1,
            Some("*/") => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            return at;
        }
    }
    comment.len()
}

#[cfg(test)]
mod tests {
    use super::{Comment, comments};

    fn found(text: &str) -> Vec<(usize, usize, String, bool)> {
        let all = comments(text, &text.parse().unwrap());
        all.into_iter().map(|Comment { first, last, text, doc }| (first, last, text, doc)).collect()
    }

    #[test]
    fn plain_and_documentation_comments_are_told_apart() {
        let text = "//! Top.\n/// Of a.\nfn a() {\n    // inside\n    let x = 1; // behind\n}\n// last";
        let expected = [
            (1, 1, "//! Top.".to_owned(), true),
            (2, 2, "/// Of a.".to_owned(), true),
            (4, 4, "// inside".to_owned(), false),
            (5, 5, "// behind".to_owned(), false),
            (7, 7, "// last".to_owned(), false),
        ];
        assert_eq!(found(text), expected);
    }

    #[test]
    fn strings_hold_no_comments() {
        assert_eq!(
            found("const A: &str = \"// no /* no */\";\nconst B: char = '/';\nconst C: u8 = 4 / 2;"),
            []
        );
    }

    #[test]
    fn block_comments_nest_and_span_lines() {
        let text = "/* a /* b */\n c */ fn a() {}\n/** Doc\n of b. */\nfn b() {}";
        let places: Vec<_> =
            found(text).into_iter().map(|(first, last, _, doc)| (first, last, doc)).collect();
        assert_eq!(places, [(1, 2, false), (3, 4, true)]);
    }

    #[test]
    fn letters_of_several_bytes_move_nothing() {
        let text = "const A: &str = \"äöü→\"; // erst\n/// Zweite — Zeile\nfn a() {} // dritt";
        let lines: Vec<_> = found(text).into_iter().map(|(first, _, text, _)| (first, text)).collect();
        let expected = [(1, "// erst"), (2, "/// Zweite — Zeile"), (3, "// dritt")];
        assert_eq!(lines, expected.map(|(line, text)| (line, text.to_owned())));
    }

    #[test]
    fn what_looks_like_a_comment_in_literals_is_none() {
        for code in [
            "const A: &str = r#\"// \"no\" \"#;",
            "const A: &[u8] = b\"/* no */\";",
            "const A: char = '\\'';const B: &str = \"//\";",
            "fn a<'a>(b: &'a str) -> &'a str { b }",
            "const A: &core::ffi::CStr = c\"//\";",
            "const A: &str = \"one \\\n // two\";",
        ] {
            assert_eq!(found(code), [], "{code}");
        }
    }

    #[test]
    fn comments_at_the_edges_are_found() {
        assert_eq!(found("// only").len(), 1);
        assert_eq!(found("fn a() {}//").len(), 1);
        assert_eq!(found("fn a(/* in */ b: u8 /* and */) {}").len(), 2);
        assert_eq!(
            found("//// not documentation\nfn a() {}"),
            [(1, 1, "//// not documentation".to_owned(), false)]
        );
        assert_eq!(
            found("// a\r\n// b\r\n").iter().map(|c| c.2.as_str()).collect::<Vec<_>>(),
            ["// a", "// b"]
        );
    }

    #[test]
    fn this_file_has_the_comments_that_its_lines_show() {
        let text = include_str!("comments.rs");
        let shown = text.lines().filter(|line| line.trim_start().starts_with("//")).count();
        assert_eq!(found(text).len(), shown);
    }
}
