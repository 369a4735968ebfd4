//! Things that were left lying: unfinished code, notes to self, switched-off tests, code in comments.
//!
//! Code in comments is a guess: three lines in a row that parse as statements. Code that breaks off in the middle of an
//! expression passes, and so does code in block comments.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::Block;
use syn::parse::Parser;

use super::comments::Comment;
use super::fault::Fault;
use super::source::Source;

const UNFINISHED: [&str; 2] = ["todo", "unimplemented"];
const NOTES: [&str; 2] = ["FIXME", "XXX"];
/// So many lines of comment that read as code are code.
const CODE_LINES: usize = 3;

/// Judges one file, tests too.
pub(crate) fn check(source: &Source) -> Vec<Fault> {
    let mut faults = unfinished(source);
    faults.extend(source.comments.iter().filter_map(|comment| note(&source.path, comment)));
    faults.extend(commented_out(source));
    if let Ok(tokens) = source.text.parse() {
        let mut lines = Vec::new();
        ignored(&tokens, &mut lines);
        let fault = |line| {
            Fault::at(&source.path, line, "a test is ignored without a reason", "write #[ignore = \"why\"]")
        };
        faults.extend(lines.into_iter().map(fault));
    }
    faults
}

fn unfinished(source: &Source) -> Vec<Fault> {
    let called =
        source.paths.iter().filter(|path| path.is_macro && UNFINISHED.iter().any(|name| path.has(&[name])));
    called
        .map(|path| Fault::at(&source.path, path.line, "unfinished code", "finish it or take it out"))
        .collect()
}

fn note(path: &str, comment: &Comment) -> Option<Fault> {
    let mut words = comment.text.split(|letter: char| !letter.is_alphanumeric());
    let word = words.find(|word| NOTES.contains(word))?;
    Some(Fault::at(
        path,
        comment.first,
        format!("a comment says {word}"),
        "mend it, or file an issue and say why it stays",
    ))
}

/// Lines of attributes `ignore` without a value, also inside `cfg_attr`.
fn ignored(tokens: &TokenStream, lines: &mut Vec<usize>) {
    let mut before_is_hash = false;
    for token in tokens.clone() {
        if let TokenTree::Group(group) = &token {
            if before_is_hash && group.delimiter() == Delimiter::Bracket {
                lines.extend(bare_ignore(&group.stream()));
            } else {
                ignored(&group.stream(), lines);
            }
        }
        let bang = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '!');
        before_is_hash =
            matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '#') || (before_is_hash && bang);
    }
}

fn bare_ignore(attribute: &TokenStream) -> Option<usize> {
    let tokens: Vec<TokenTree> = attribute.clone().into_iter().collect();
    match tokens.as_slice() {
        [TokenTree::Ident(name)] if name == "ignore" => Some(name.span().start().line),
        [TokenTree::Ident(name), TokenTree::Group(group)] if name == "cfg_attr" => {
            let inner: Vec<TokenTree> = group.stream().into_iter().collect();
            match inner.as_slice() {
                [.., TokenTree::Ident(name)] if name == "ignore" => Some(name.span().start().line),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Three or more plain comments in a row, each a line of its own, that read as statements.
fn commented_out(source: &Source) -> Vec<Fault> {
    let lines: Vec<&str> = source.text.lines().collect();
    // A comment behind code explains that line, whatever it looks like.
    let alone = |comment: &&Comment| {
        let line = comment.first.checked_sub(1).and_then(|at| lines.get(at)).copied().unwrap_or_default();
        comment.is_plain_line() && line.trim_start().starts_with("//")
    };
    let comments: Vec<&Comment> = source.comments.iter().filter(alone).collect();
    let runs = comments.chunk_by(|a, b| a.first + 1 == b.first);
    runs.filter_map(|run| {
        let texts: Vec<&str> =
            run.iter().map(|comment| comment.text.trim_start_matches('/').trim()).collect();
        let texts = outside_fences(texts);
        let at = code_in(&texts)?;
        Some(Fault::at(&source.path, run[0].first + at, "code in a comment", "take it out; git remembers it"))
    })
    .collect()
}

/// Empties the lines that are fenced as an example.
fn outside_fences(lines: Vec<&str>) -> Vec<&str> {
    let mut fenced = false;
    let outside = |line| {
        let is_fence = str::starts_with(line, "```");
        fenced ^= is_fence;
        if fenced || is_fence { "" } else { line }
    };
    lines.into_iter().map(outside).collect()
}

/// Where a stretch of code begins among the lines of one comment.
fn code_in(lines: &[&str]) -> Option<usize> {
    let filled = lines.iter().filter(|line| !line.is_empty()).count();
    // The whole comment first: it also finds calls that are broken into lines which are no statements alone.
    if filled >= CODE_LINES && lines.iter().any(|line| ends_as_code(line)) && parses(&lines.join("\n")) {
        return lines.iter().position(|line| !line.is_empty());
    }
    lines.windows(CODE_LINES).position(|window| window.iter().all(|line| reads_as_code(line)))
}

fn ends_as_code(line: &str) -> bool {
    line.ends_with([';', '{', '}'])
}

/// A line that is a statement, or the beginning or the end of one.
fn reads_as_code(line: &str) -> bool {
    let whole = [
        line.to_owned(),
        format!("{line}}}"),
        format!("{{{line}"),
        format!("if a {{{line}"),
        format!("if a {{{line}}}"),
    ];
    ends_as_code(line) && whole.iter().any(|text| parses(text))
}

fn parses(text: &str) -> bool {
    Block::parse_within.parse_str(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::source::Source;

    fn lines(text: &str) -> Vec<usize> {
        check(&Source::parse("crates/a/src/lib.rs", text).unwrap())
            .into_iter()
            .map(|fault| fault.line)
            .collect()
    }

    #[test]
    fn unfinished_code_is_found_where_it_runs() {
        assert_eq!(
            lines("fn a() {\n todo!()\n}\n#[cfg(test)]\nfn b() { std::unimplemented!(\"later\") }"),
            [2, 5]
        );
        assert!(lines("fn todo() -> bool { !todo() }").is_empty());
    }

    #[test]
    fn notes_to_self_are_found_in_comments() {
        assert_eq!(lines("// FIXME: slow\n/// XXX\nfn a() { /* ok */ }"), [1, 2]);
        assert!(lines("const A: &str = \"FIXME\"; // XXXL").is_empty());
    }

    #[test]
    fn ignored_tests_say_why() {
        assert_eq!(
            lines("#[test]\n#[ignore]\nfn a() {}\nmod b { #[cfg_attr(unix, ignore)] fn c() {} }"),
            [2, 4]
        );
        assert!(
            lines("#[test]\n#[ignore = \"needs a root shell\"]\nfn a() {}\n#[derive(A)] struct ignore;")
                .is_empty()
        );
    }

    #[test]
    fn code_in_comments_is_found() {
        assert_eq!(
            lines("fn a() {\n    // let x = 1;\n    // if x > 1 {\n    //     b(x);\n    // }\n}"),
            [2]
        );
        assert!(lines("// Old way:\n// let x = call(\n//     1,\n// );").is_empty());
        assert_eq!(lines("// } else {\n// x += 1;\n// }"), [1]);
        assert_eq!(lines("// let x = call(\n//     1,\n// );"), [1]);
    }

    #[test]
    fn prose_is_no_code() {
        let prose = "// The first byte is the type;\n// the second is the length;\n// then comes the body {see above}\nfn a() {}";
        assert!(lines(prose).is_empty());
        assert!(lines("/// let x = 1;\n/// let y = 1;\n/// let z = 1;\nfn a() {}").is_empty());
        assert!(lines("fn a() {\n let x = 1; // a;\n let y = 1; // b;\n let z = 1; // c;\n}").is_empty());
    }

    #[test]
    fn examples_in_fences_are_free() {
        assert_eq!(
            lines("// Use:\n// ```\n// let x = 1;\n// x.a();\n// x.b();\n// ```\nfn a() {}"),
            Vec::<usize>::new()
        );
        assert_eq!(lines("// ```\n// x.a();\n// ```\n// let x = 1;\n// x.a();\n// x.b();"), [4]);
    }

    #[test]
    fn what_was_switched_off_whole_is_found() {
        let old = "// #[test]\n// fn a() {\n//     assert!(b());\n// }\nfn c() {}";
        assert_eq!(lines(old), [1]);
        assert_eq!(lines("// fn a(\n//     b: u8,\n// ) {\n// }\nfn c() {}"), [1]);
    }

    #[test]
    fn attributes_with_other_words_are_free() {
        assert!(
            lines("#![allow(clippy::ignore)]\n#[cfg_attr(miri, ignore = \"slow\")] fn a() {}").is_empty()
        );
        assert_eq!(lines("macro_rules! m { () => { #[ignore] fn a() {} } }"), [1]);
    }
}
