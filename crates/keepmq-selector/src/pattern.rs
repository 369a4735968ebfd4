//! Patterns of `LIKE`: `%` for any characters, `_` for one.
//!
//! A pattern is cut at each `%`; its pieces are looked for from left to right, each at the first place where it fits.
//! An earlier place leaves the most to those behind, so nothing is ever tried twice: the time is at most that of the
//! text times the longest piece.

/// A pattern, ready for use.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LikePattern {
    /// As it was written.
    pub(crate) source: Box<str>,
    pub(crate) escape: Option<char>,
    /// Stands at the start; the whole when there is no `%`.
    first: Piece,
    /// What follows the first `%`.
    open: Option<Open>,
}

/// The part of a pattern from its first `%` on.
#[derive(Clone, Debug, PartialEq)]
struct Open {
    middle: Box<[Piece]>,
    last: Piece,
}

/// Characters without `%`.
#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Plain(Box<str>),
    /// `None` is any character.
    Holed(Box<[Option<char>]>),
}

impl Piece {
    fn new(characters: &[Option<char>]) -> Self {
        let plain: Option<String> = characters.iter().copied().collect();
        plain.map_or_else(|| Self::Holed(characters.into()), |plain| Self::Plain(plain.into()))
    }

    fn is_empty(&self) -> bool {
        matches!(self, Self::Plain(text) if text.is_empty())
    }

    /// What is left behind the piece, when the text begins with it.
    fn strip<'a>(&self, text: &'a str) -> Option<&'a str> {
        match self {
            Self::Plain(plain) => text.strip_prefix(&**plain),
            Self::Holed(characters) => {
                let mut rest = text.chars();
                let fits = |wanted: &Option<char>| {
                    rest.next().is_some_and(|c| wanted.is_none_or(|wanted| wanted == c))
                };
                if characters.iter().all(fits) { Some(rest.as_str()) } else { None }
            }
        }
    }

    /// What is left behind the first place where the piece stands.
    fn find<'a>(&self, text: &'a str) -> Option<&'a str> {
        match self {
            Self::Plain(plain) => text.get(text.find(&**plain)? + plain.len()..),
            Self::Holed(_) => text.char_indices().find_map(|(start, _)| self.strip(text.get(start..)?)),
        }
    }

    /// Whether the text ends with the piece.
    fn ends(&self, text: &str) -> bool {
        match self {
            Self::Plain(plain) => text.ends_with(&**plain),
            Self::Holed(characters) => {
                let mut rest = text.chars().rev();
                let fits = |wanted: &Option<char>| {
                    rest.next().is_some_and(|c| wanted.is_none_or(|wanted| wanted == c))
                };
                characters.iter().rev().all(fits)
            }
        }
    }
}

impl LikePattern {
    /// Prepares a pattern; `None` when it ends with the escape character.
    pub(crate) fn new(source: &str, escape: Option<char>) -> Option<Self> {
        let mut pieces = vec![Vec::new()];
        let mut characters = source.chars();
        while let Some(c) = characters.next() {
            let meaning = match c {
                _ if Some(c) == escape => Some(characters.next()?),
                '%' => {
                    pieces.push(Vec::new());
                    continue;
                }
                '_' => None,
                c => Some(c),
            };
            pieces.last_mut()?.push(meaning);
        }
        let first = Piece::new(pieces.first()?);
        let open = match pieces.get(1..)? {
            [] => None,
            [middle @ .., last] => {
                let middle = middle.iter().map(|piece| Piece::new(piece)).filter(|piece| !piece.is_empty());
                Some(Open { middle: middle.collect(), last: Piece::new(last) })
            }
        };
        Some(Self { source: source.into(), escape, first, open })
    }

    /// Whether the whole text is like it.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let Some(mut rest) = self.first.strip(text) else {
            return false;
        };
        let Some(open) = &self.open else {
            return rest.is_empty();
        };
        for piece in &open.middle {
            match piece.find(rest) {
                Some(behind) => rest = behind,
                None => return false,
            }
        }
        open.last.ends(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn like(pattern: &str, escape: Option<char>, text: &str) -> bool {
        LikePattern::new(pattern, escape).unwrap().matches(text)
    }

    #[test]
    fn percent_and_underscore() {
        for (pattern, text, wanted) in [
            ("", "", true),
            ("", "a", false),
            ("%", "", true),
            ("%%", "abc", true),
            ("_", "\u{e9}", true),
            ("_", "", false),
            ("12%3", "123", true),
            ("12%3", "12993", true),
            ("12%3", "1234", false),
            ("l_se", "lose", true),
            ("l_se", "loose", false),
            ("%a_c%", "xxabcxx", true),
            ("%ab", "aab", true),
            ("a%a", "a", false),
            ("a%b%c", "axxbxxc", true),
            ("%_%_%", "ab", true),
            ("%_%_%", "a", false),
            ("ABC", "abc", false),
            ("a.c", "abc", false),
            ("line%", "line\nbreak", true),
        ] {
            assert_eq!(like(pattern, None, text), wanted, "{text} like {pattern}");
        }
    }

    #[test]
    fn escaped_characters_stand_for_themselves() {
        assert!(like(r"\_%", Some('\\'), "_foo"));
        assert!(!like(r"\_%", Some('\\'), "bar"));
        assert!(like("100!%", Some('!'), "100%") && !like("100!%", Some('!'), "1000"));
        assert!(like("a!!b", Some('!'), "a!b") && like("a!cb", Some('!'), "acb"));
        assert!(like("%%x", Some('%'), "%x"));
        assert_eq!(LikePattern::new("a!", Some('!')), None);
    }

    #[test]
    fn much_that_nearly_fits_takes_no_time() {
        let text = "a".repeat(60_000);
        let pattern = format!("{}b", "%a".repeat(500));
        assert!(!like(&pattern, None, &text) && !like("%a%a%a%a%a%a%b", None, &text));
        assert!(!like("%a_a%a_a%a_b%", None, &text));
    }

    /// Tries every way.
    fn slow(pattern: &[char], text: &[char]) -> bool {
        match pattern {
            [] => text.is_empty(),
            ['%', rest @ ..] => (0..=text.len()).any(|skipped| slow(rest, &text[skipped..])),
            [c, rest @ ..] => text.first().is_some_and(|t| *c == '_' || c == t) && slow(rest, &text[1..]),
        }
    }

    proptest! {
        #[test]
        fn it_agrees_with_trying_every_way(pattern in "[ab%_\u{e9}]{0,8}", text in "[ab\u{e9}]{0,10}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(like(&pattern, None, &text), slow(&chars(&pattern), &chars(&text)));
        }
    }
}
