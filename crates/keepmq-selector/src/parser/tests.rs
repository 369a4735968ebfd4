//! What is a selector and what is not.

use crate::{Selector, limits};

fn fault(text: &str) -> (usize, String) {
    let fault = Selector::parse(text).expect_err(text);
    (fault.position(), fault.what().to_owned())
}

#[test]
fn these_are_selectors() {
    for text in [
        "a",
        "NOT a",
        "not not a",
        "TRUE or False",
        "a = 1",
        "a=1AND b<>2",
        "a = 'it''s'",
        "a = ''",
        "a <= 0x1F and b >= 017 and c < 7. and d > -9.5 and e = 57E2 and f = .5",
        "a = 12L or a = 1.5f or a = 1d",
        "a = -9223372036854775808",
        "a + b * -c / 2 - 1 > + 3",
        "- -a = 1 and - (1) = a",
        "a between 1 and 2 and b not between c + 1 and d * 2",
        "a in ('x') and b NOT IN ('x', 'y','z')",
        "a like '%x_' escape '\\' or b not like 'y'",
        "a is null and b is not null",
        "(a) is null",
        "(a > 1) = TRUE and (b = 2) <> (c = 3)",
        "$a_1 = _b and \u{e9}t\u{e9} = '\u{5c71}'",
        "JMSPriority > 4 and JMSXGroupID = 'g'",
        "xpath = 1 and XQUERY is null",
        "android = 1 and orange = 2 and inn = 3",
        "\t a\r\n=\u{c}1 ",
        "1 = 'a'",
    ] {
        let selector = Selector::parse(text).unwrap_or_else(|fault| panic!("{text}: {fault}"));
        assert_eq!(Selector::parse(&selector.to_string()).as_ref(), Ok(&selector), "{text} as {selector}");
    }
}

#[test]
fn faults_tell_where_and_what() {
    for (text, at, what) in [
        ("", 0, "the selector is empty; leave it out to get everything"),
        ("  ", 2, "the selector is empty; leave it out to get everything"),
        ("a =", 3, "expected a name, a value or (, found the end"),
        ("a = = 1", 4, "expected a name, a value or (, found ="),
        ("a b", 2, "expected AND, OR or the end, found the name b"),
        ("a = 1 = 2", 6, "comparisons don't chain; join them with AND, or use brackets"),
        ("(a = 1", 6, "expected an operator or ), found the end"),
        ("a = 1)", 5, "expected AND, OR or the end, found )"),
        ("a = 'x", 4, "a text that begins here has no closing quote"),
        ("a = \"x\"", 4, "texts stand in single quotes; names stand without any"),
        ("a != 1", 2, "there is no ! here; unequal is written <>, and the opposite of a condition NOT"),
        ("a && b", 2, "write AND or OR"),
        ("a.b = 1", 1, "a point is part of numbers only; names have none"),
        ("a # b", 2, "the sign # has no meaning here"),
        ("a % 2 = 1", 2, "remainders are not available"),
        ("a --1", 2, "comments are not available; two minus signs need a space between them"),
        ("a /* x */", 2, "comments are not available; two minus signs need a space between them"),
        ("1", 0, "a number stands where a condition must be"),
        ("'x'", 0, "a text stands where a condition must be"),
        ("a and b + 1", 6, "a number stands where a condition must be"),
        ("not 'x'", 4, "a text stands where a condition must be"),
        ("a > 'x'", 4, "a text stands where a number must be; only = and <> take one"),
        ("a < TRUE", 4, "a condition stands where a number must be; only = and <> take one"),
        ("a + 'x' = 1", 4, "a text stands where a number must be; only = and <> take one"),
        ("-(a = 1) = 1", 1, "a condition stands where a number must be; only = and <> take one"),
        ("a = NULL", 4, "NULL is no value; write IS NULL or IS NOT NULL"),
        ("a is 1", 5, "expected NULL, found a number"),
        ("1 is null", 0, "IN, LIKE and IS NULL are about a name; this is none"),
        ("a + 1 in ('x')", 0, "IN, LIKE and IS NULL are about a name; this is none"),
        ("a not 1", 6, "expected BETWEEN, IN or LIKE, found a number"),
        ("a not null", 6, "expected BETWEEN, IN or LIKE, found NULL"),
        ("a between 1", 11, "expected AND, found the end"),
        ("a between 1 and 'x'", 16, "a text stands where a number must be; only = and <> take one"),
        ("a in 'x'", 5, "expected (, found the text 'x'"),
        ("a in ()", 6, "expected a text in single quotes, found )"),
        ("a in ('x', 1)", 11, "expected a text in single quotes, found a number"),
        ("a in ('x' 'y')", 10, "expected a comma or ), found the text 'y'"),
        ("a like b", 7, "expected a text in single quotes, found the name b"),
        ("a like 'x' escape 'yz'", 18, "ESCAPE takes a text of one character"),
        ("a like 'x!' escape '!'", 7, "the pattern ends with its escape character"),
        ("XPATH '//a'", 0, "XPATH is not available: selectors do not look into bodies"),
        ("a = 1 and xquery('x')", 10, "XQUERY is not available: selectors do not look into bodies"),
        ("regex('a', b)", 0, "functions are not available"),
        (
            "convert_string_expressions:a = 1",
            0,
            "ActiveMQ's prefix convert_string_expressions: is not available",
        ),
        ("hyphenated_props:a-b = 1", 0, "ActiveMQ's prefix hyphenated_props: is not available"),
        ("a = 9223372036854775808", 4, "the number does not fit into 64 bits"),
        ("a = -(9223372036854775808)", 6, "the number does not fit into 64 bits"),
        ("and", 0, "expected a name, a value or (, found AND"),
        ("a = \u{1}", 4, "a control character stands here"),
    ] {
        assert_eq!(fault(text), (at, what.to_owned()), "{text}");
    }
    let shown = Selector::parse("a b").unwrap_err().to_string();
    assert_eq!(shown, "at byte 2 of the selector: expected AND, OR or the end, found the name b");
}

#[test]
fn a_hostile_text_is_shown_in_part() {
    let text = format!("a '{}'", "x\n".repeat(500));
    assert!(fault(&text).1.len() < 120 && !fault(&text).1.contains('\n'));
}

#[test]
fn depth_is_bounded() {
    let nested = |depth: usize| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
    assert!(Selector::parse(&nested(limits::MAX_DEPTH)).is_ok());
    let text = format!("over {} brackets, signs or NOTs stand within each other", limits::MAX_DEPTH);
    assert_eq!(fault(&nested(limits::MAX_DEPTH + 1)), (limits::MAX_DEPTH + 1, text.clone()));
    for deep in [nested(8000), "not ".repeat(4000), "- ".repeat(8000), "+".repeat(16_000), "(".repeat(16_000)]
    {
        assert_eq!(fault(&deep).1, text);
    }
    let negated = format!("{}a", "not ".repeat(limits::MAX_DEPTH));
    let selector = Selector::parse(&negated).unwrap();
    assert_eq!(Selector::parse(&selector.to_string()), Ok(selector));
}

#[test]
fn chains_need_no_depth() {
    for text in [
        format!("a{}", " or a".repeat(3000)),
        format!("a{} = 1", " + 1".repeat(4000)),
        "a and ".repeat(2000) + "a",
    ] {
        let selector = Selector::parse(&text).unwrap();
        assert_eq!(Selector::parse(&selector.to_string()), Ok(selector));
    }
}

#[test]
fn sizes_are_bounded() {
    let spaces = " ".repeat(limits::MAX_BYTES);
    assert_eq!(fault(&format!("a{spaces}")).0, limits::MAX_BYTES);
    assert!(Selector::parse(&format!("a{}", &spaces[1..])).is_ok());
    let list = |count: usize| format!("a in ({})", vec!["''"; count].join(","));
    assert!(Selector::parse(&list(limits::MAX_VALUES)).is_ok());
    assert!(fault(&list(limits::MAX_VALUES + 1)).1.starts_with("IN lists over"));
    let pattern = |length: usize| format!("a like '{}'", "x".repeat(length));
    assert!(Selector::parse(&pattern(limits::MAX_PATTERN)).is_ok());
    assert!(fault(&pattern(limits::MAX_PATTERN + 1)).1.starts_with("the pattern is over"));
}

#[test]
fn names_beyond_the_envelope_need_the_view() {
    for (text, wanted) in [
        ("JMSPriority > 4 and JMSDeliveryMode = 'PERSISTENT' and JMSXDeliveryCount = 1", false),
        ("JMSTimestamp > 4 or JMSRedelivered and JMSDestination = 'queue://q'", false),
        ("TRUE", false),
        ("JMSPriority > 4 and color = 'blue'", true),
        ("JMSType = 'x'", true),
        ("JMSMessageID is not null", true),
        ("jmspriority > 4", true),
    ] {
        assert_eq!(Selector::parse(text).unwrap().needs_view(), wanted, "{text}");
    }
}
