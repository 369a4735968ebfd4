//! Tables of truth, one for each operator.

use keepmq_selector::{Operand, Selector};

use super::Values;

fn values() -> Values {
    Values(vec![
        ("t", Operand::Truth(true)),
        ("f", Operand::Truth(false)),
        ("one", Operand::Exact(1)),
        ("two", Operand::Approximate(2.0)),
        ("top", Operand::Exact(i64::MAX)),
        ("low", Operand::Exact(i64::MIN)),
        ("nan", Operand::Approximate(f64::NAN)),
        ("blue", Operand::Text("blue")),
        ("digit", Operand::Text("1")),
        ("bytes", Operand::Other),
    ])
}

/// `None` is unknown: then neither the condition nor its opposite is true.
fn truth(text: &str) -> Option<bool> {
    let is_true = |text: &str| Selector::parse(text).unwrap().matches(&values());
    match (is_true(text), is_true(&format!("NOT ({text})"))) {
        (true, false) => Some(true),
        (false, true) => Some(false),
        (false, false) => None,
        (true, true) => panic!("{text} is both"),
    }
}

fn check(table: &[(&str, Option<bool>)]) {
    for (text, wanted) in table {
        assert_eq!(truth(text), *wanted, "{text}");
    }
}

const TRUE: Option<bool> = Some(true);
const FALSE: Option<bool> = Some(false);

#[test]
fn conditions() {
    check(&[
        ("t AND t", TRUE),
        ("t AND f", FALSE),
        ("t AND none", None),
        ("f AND none", FALSE),
        ("none AND f", FALSE),
        ("none AND t", None),
        ("none AND none", None),
        ("t OR none", TRUE),
        ("none OR t", TRUE),
        ("f OR none", None),
        ("none OR f", None),
        ("f OR f", FALSE),
        ("NOT t", FALSE),
        ("NOT f", TRUE),
        ("NOT none", None),
        ("t OR t AND f", TRUE),
        ("(t OR t) AND f", FALSE),
        ("NOT f AND f", FALSE),
        ("NOT one = 2", TRUE),
        ("one", FALSE),
        ("blue", FALSE),
        ("bytes", FALSE),
    ]);
}

#[test]
fn comparisons() {
    check(&[
        ("one = 1", TRUE),
        ("one = 1.0", TRUE),
        ("two = 2", TRUE),
        ("one <> 1", FALSE),
        ("one < two AND one <= two AND two > one AND two >= one", TRUE),
        ("blue = 'blue'", TRUE),
        ("blue <> 'red'", TRUE),
        ("blue = 'Blue'", FALSE),
        ("t = TRUE AND f <> TRUE", TRUE),
        ("t = (one = 1)", TRUE),
        ("t = (none = 1)", None),
        ("digit = 1", FALSE),
        ("digit <> 1", FALSE),
        ("t = 1", FALSE),
        ("blue > one", FALSE),
        ("blue < digit", FALSE),
        ("bytes = bytes", FALSE),
        ("bytes <> one", FALSE),
        ("none = 1", None),
        ("none <> 1", None),
        ("none > 1", None),
        ("none = none", None),
        ("none = 'x'", None),
        ("nan = nan", FALSE),
        ("nan <> nan", TRUE),
        ("nan < 1", FALSE),
    ]);
}

#[test]
fn tests_of_one_value() {
    check(&[
        ("one BETWEEN 1 AND 2", TRUE),
        ("one BETWEEN 2 AND 3", FALSE),
        ("one NOT BETWEEN 2 AND 3", TRUE),
        ("none BETWEEN 1 AND 2", None),
        ("none NOT BETWEEN 1 AND 2", None),
        ("one BETWEEN none AND 0", FALSE),
        ("one BETWEEN none AND 2", None),
        ("one NOT BETWEEN none AND 0", TRUE),
        ("one NOT BETWEEN none AND 2", None),
        ("blue BETWEEN 1 AND 2", FALSE),
        ("blue NOT BETWEEN 1 AND 2", FALSE),
        ("blue IN ('red', 'blue')", TRUE),
        ("blue IN ('red')", FALSE),
        ("blue NOT IN ('red')", TRUE),
        ("none IN ('red')", None),
        ("none NOT IN ('red')", None),
        ("one IN ('1')", FALSE),
        ("one NOT IN ('1')", TRUE),
        ("blue LIKE 'b%'", TRUE),
        ("blue NOT LIKE 'b__e'", FALSE),
        ("none LIKE '%'", None),
        ("none NOT LIKE '%'", None),
        ("one LIKE '1'", FALSE),
        ("one NOT LIKE '1'", TRUE),
        ("none IS NULL", TRUE),
        ("none IS NOT NULL", FALSE),
        ("one IS NULL", FALSE),
        ("bytes IS NOT NULL", TRUE),
    ]);
}

#[test]
fn arithmetic() {
    check(&[
        ("one + 1 * 2 = 3", TRUE),
        ("(one + 1) * 2 = 4", TRUE),
        ("7 / 2 = 3 AND -7 / 2 = -3", TRUE),
        ("7 / 2. = 3.5", TRUE),
        ("10 - 3 - 2 = 5", TRUE),
        ("-one = -1 AND - -one = +one", TRUE),
        ("one / 0 = 1", None),
        ("one / 0. > 0", None),
        ("one / (one - 1) = 1 OR TRUE", TRUE),
        ("none + 1 = 1", None),
        ("blue + 1 = 1", None),
        ("blue * 1 <> 1", None),
        ("-t = 1", None),
        ("top + 1 > 0", TRUE),
        ("top + 1 = 9223372036854775808.", TRUE),
        ("low - 1 < 0", TRUE),
        ("-low > 0", TRUE),
        ("low / -1 > 0", TRUE),
        ("top * top > 0", TRUE),
        ("1e308 * 10 > 0", None),
        ("0x10 + 010 = 24", TRUE),
    ]);
}
