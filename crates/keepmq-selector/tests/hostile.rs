//! Any text is read to an end, quickly.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that can't go on fails")]

use keepmq_selector::{Identifier, Lookup, Operand, Selector};
use proptest::prelude::*;

/// A message in which every name is a long text.
struct Long(String);

impl Lookup for Long {
    fn value(&self, _: &Identifier) -> Operand<'_> {
        Operand::Text(&self.0)
    }
}

const PIECES: [&str; 44] = [
    "a",
    "JMSPriority",
    "'x'",
    "''",
    "'",
    "1",
    "0x1f",
    "017",
    "7.",
    ".5",
    "1e5",
    "1L",
    "-",
    "+",
    "*",
    "/",
    "(",
    ")",
    ",",
    "=",
    "<>",
    "<",
    "<=",
    ">",
    ">=",
    "NOT",
    "AND",
    "OR",
    "BETWEEN",
    "IN",
    "LIKE",
    "ESCAPE",
    "IS",
    "NULL",
    "TRUE",
    "FALSE",
    "%",
    "\u{e9}",
    "\u{5c71}",
    "!",
    "\"",
    "XPATH",
    " ",
    "\u{0}",
];

/// What can be said of any text.
fn read(text: &str) {
    match Selector::parse(text) {
        Ok(selector) => {
            let printed = selector.to_string();
            assert_eq!(Selector::parse(&printed).as_ref(), Ok(&selector), "{text} as {printed}");
            selector.matches(&Long("x".repeat(100)));
        }
        Err(fault) => assert!(fault.position() <= text.len() && fault.to_string().len() < 300, "{text}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_text(text in "\\PC{0,200}") {
        read(&text);
    }

    #[test]
    fn any_pieces(pieces in prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..40)) {
        read(&pieces.join(" "));
        read(&pieces.concat());
    }
}

/// Chosen by a fuzzer that follows the coverage (`cargo bolero test -p keepmq-selector any_bytes`), or else by chance.
#[test]
fn any_bytes() {
    bolero::check!().for_each(|bytes: &[u8]| read(&String::from_utf8_lossy(bytes)));
}

/// As long as a selector may be, each in its own way the most work.
#[test]
fn the_worst_is_quick() {
    let long = Long("a".repeat(60_000));
    for text in [
        format!("x LIKE '{}b'", "%a".repeat(500)),
        format!("x LIKE '%{}b%'", "a_".repeat(400)),
        "x LIKE '%a%a%a%a%a%a%b'".into(),
        format!("a{}", " AND NOT a = 'b'".repeat(900)),
        format!("x IN ({})", vec!["'aaaa'"; 1000].join(",")),
    ] {
        assert!(!Selector::parse(&text).unwrap().matches(&long) || text.starts_with("a "), "{text}");
    }
}
