//! A slow evaluator that is nothing but the rules, and random selectors for both.

use keepmq_selector::{Operand, Selector};
use proptest::prelude::*;

use super::Values;

/// A selector that can be written down and evaluated.
#[derive(Clone, Debug)]
enum Node {
    Name(&'static str),
    Number(i64),
    Fraction(i32),
    Text(&'static str),
    Sign(Box<Node>),
    Calc(Box<Node>, char, Box<Node>),
    Compare(Box<Node>, &'static str, Box<Node>),
    Between(Box<Node>, bool, Box<Node>, Box<Node>),
    In(&'static str, bool, Vec<&'static str>),
    Like(&'static str, bool, &'static str),
    Null(&'static str, bool),
    Not(Box<Node>),
    Both(Box<Node>, bool, Box<Node>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Val {
    Null,
    Truth(bool),
    Whole(i64),
    Double(f64),
    Text(&'static str),
}

const NAMES: [(&str, Val); 8] = [
    ("a", Val::Whole(0)),
    ("b", Val::Whole(i64::MAX)),
    ("c", Val::Double(2.5)),
    ("d", Val::Text("x")),
    ("e", Val::Text("xyz")),
    ("f", Val::Truth(true)),
    ("g", Val::Truth(false)),
    ("h", Val::Null),
];

fn not(negated: bool) -> &'static str {
    if negated { "NOT " } else { "" }
}

impl Node {
    /// With brackets everywhere.
    fn text(&self) -> String {
        match self {
            Self::Name(name) => (*name).into(),
            Self::Number(number) => format!("({number})"),
            Self::Fraction(number) => format!("({:?})", f64::from(*number) / 4.0),
            Self::Text(text) => format!("'{text}'"),
            Self::Sign(one) => format!("(-({}))", one.text()),
            Self::Calc(left, sign, right) => format!("({} {sign} {})", left.text(), right.text()),
            Self::Compare(left, sign, right) => format!("({} {sign} {})", left.text(), right.text()),
            Self::Between(of, negated, low, high) => {
                format!("({} {}BETWEEN {} AND {})", of.text(), not(*negated), low.text(), high.text())
            }
            Self::In(name, negated, values) => {
                format!("({name} {}IN ('{}'))", not(*negated), values.join("','"))
            }
            Self::Like(name, negated, pattern) => format!("({name} {}LIKE '{pattern}')", not(*negated)),
            Self::Null(name, negated) => format!("({name} IS {}NULL)", not(*negated)),
            Self::Not(one) => format!("(NOT {})", one.text()),
            Self::Both(left, is_and, right) => {
                format!("({} {} {})", left.text(), if *is_and { "AND" } else { "OR" }, right.text())
            }
        }
    }

    fn value(&self) -> Val {
        match self {
            Self::Name(name) => NAMES.iter().find(|(known, _)| known == name).unwrap().1,
            Self::Number(number) => Val::Whole(*number),
            Self::Fraction(number) => Val::Double(f64::from(*number) / 4.0),
            Self::Text(text) => Val::Text(text),
            Self::Sign(one) => calc(Val::Whole(0), '-', one.value()),
            Self::Calc(left, sign, right) => calc(left.value(), *sign, right.value()),
            condition => condition.truth().map_or(Val::Null, Val::Truth),
        }
    }

    fn truth(&self) -> Option<bool> {
        match self {
            Self::Compare(left, sign, right) => compare(left.value(), sign, right.value()),
            Self::Between(of, negated, low, high) => {
                let (of, low, high) = (of.value(), low.value(), high.value());
                if *negated {
                    or(compare(of, "<", low), compare(of, ">", high))
                } else {
                    and(compare(of, ">=", low), compare(of, "<=", high))
                }
            }
            Self::In(name, negated, values) => of_text(name, *negated, |text| values.contains(&text)),
            Self::Like(name, negated, pattern) => {
                of_text(name, *negated, |text| like(pattern.as_bytes(), text.as_bytes()))
            }
            Self::Null(name, negated) => Some((Self::Name(name).value() == Val::Null) != *negated),
            Self::Not(one) => one.truth().map(|truth| !truth),
            Self::Both(left, true, right) => and(left.truth(), right.truth()),
            Self::Both(left, false, right) => or(left.truth(), right.truth()),
            other => match other.value() {
                Val::Null => None,
                value => Some(value == Val::Truth(true)),
            },
        }
    }
}

fn of_text(name: &'static str, negated: bool, passes: impl Fn(&'static str) -> bool) -> Option<bool> {
    match Node::Name(name).value() {
        Val::Null => None,
        Val::Text(text) => Some(passes(text) != negated),
        _ => Some(negated),
    }
}

fn and(left: Option<bool>, right: Option<bool>) -> Option<bool> {
    match (left, right) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

fn or(left: Option<bool>, right: Option<bool>) -> Option<bool> {
    and(left.map(|truth| !truth), right.map(|truth| !truth)).map(|truth| !truth)
}

#[expect(clippy::cast_precision_loss, reason = "the rule")]
fn double(value: Val) -> Option<f64> {
    match value {
        Val::Whole(number) => Some(number as f64),
        Val::Double(number) => Some(number),
        _ => None,
    }
}

/// Whole results are worked out in 128 bits.
fn calc(left: Val, sign: char, right: Val) -> Val {
    if let (Val::Whole(l), Val::Whole(r)) = (left, right) {
        let (l, r) = (i128::from(l), i128::from(r));
        let exact = match sign {
            '+' => l + r,
            '-' => l - r,
            '*' => l * r,
            _ if r == 0 => return Val::Null,
            _ => l / r,
        };
        if let Ok(exact) = i64::try_from(exact) {
            return Val::Whole(exact);
        }
    }
    let (Some(l), Some(r)) = (double(left), double(right)) else { return Val::Null };
    let result = match sign {
        '+' => l + r,
        '-' => l - r,
        '*' => l * r,
        _ => l / r,
    };
    if result.is_finite() { Val::Double(result) } else { Val::Null }
}

fn compare(left: Val, sign: &str, right: Val) -> Option<bool> {
    if left == Val::Null || right == Val::Null {
        return None;
    }
    let order = match (left, right) {
        (Val::Whole(l), Val::Whole(r)) => Some(l.cmp(&r)),
        _ => double(left).zip(double(right)).and_then(|(l, r)| l.partial_cmp(&r)),
    };
    Some(match (order, sign) {
        (Some(order), "=") => order.is_eq(),
        (Some(order), "<>") => order.is_ne(),
        (Some(order), "<") => order.is_lt(),
        (Some(order), "<=") => order.is_le(),
        (Some(order), ">") => order.is_gt(),
        (Some(order), _) => order.is_ge(),
        (None, "=") => left == right,
        (None, "<>") => std::mem::discriminant(&left) == std::mem::discriminant(&right) && left != right,
        (None, _) => false,
    })
}

fn like(pattern: &[u8], text: &[u8]) -> bool {
    match pattern {
        [] => text.is_empty(),
        [b'%', rest @ ..] => (0..=text.len()).any(|skipped| like(rest, &text[skipped..])),
        [c, rest @ ..] => text.first().is_some_and(|t| *c == b'_' || c == t) && like(rest, &text[1..]),
    }
}

fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(NAMES.map(|(name, _)| name).to_vec())
}

fn number() -> impl Strategy<Value = Node> {
    let leaf = prop_oneof![
        4 => name().prop_map(Node::Name),
        2 => (-3i64..4).prop_map(Node::Number),
        1 => any::<i64>().prop_map(Node::Number),
        1 => (-12i32..12).prop_map(Node::Fraction),
    ];
    leaf.prop_recursive(3, 12, 2, |inner| {
        prop_oneof![
            inner.clone().prop_map(|one| Node::Sign(Box::new(one))),
            (inner.clone(), prop::sample::select(vec!['+', '-', '*', '/']), inner)
                .prop_map(|(left, sign, right)| Node::Calc(Box::new(left), sign, Box::new(right))),
        ]
    })
}

fn test() -> impl Strategy<Value = Node> {
    let text = || prop::sample::select(vec!["x", "xyz", "", "1"]);
    let order = prop::sample::select(vec!["=", "<>", "<", "<=", ">", ">="]);
    let side = || prop_oneof![name().prop_map(Node::Name), text().prop_map(Node::Text), number()];
    prop_oneof![
        name().prop_map(Node::Name),
        (number(), order, number()).prop_map(|(l, sign, r)| Node::Compare(Box::new(l), sign, Box::new(r))),
        (side(), prop::sample::select(vec!["=", "<>"]), side()).prop_map(|(l, sign, r)| Node::Compare(
            Box::new(l),
            sign,
            Box::new(r)
        )),
        (number(), any::<bool>(), number(), number()).prop_map(|(of, negated, low, high)| Node::Between(
            Box::new(of),
            negated,
            Box::new(low),
            Box::new(high)
        )),
        (name(), any::<bool>(), prop::collection::vec(text(), 1..4))
            .prop_map(|(name, negated, values)| Node::In(name, negated, values)),
        (name(), any::<bool>(), prop::sample::select(vec!["%", "x%", "_", "%y_", "", "%x%z"]))
            .prop_map(|(name, negated, pattern)| Node::Like(name, negated, pattern)),
        (name(), any::<bool>()).prop_map(|(name, negated)| Node::Null(name, negated)),
    ]
}

fn condition() -> impl Strategy<Value = Node> {
    test().prop_recursive(4, 24, 2, |inner| {
        prop_oneof![
            inner.clone().prop_map(|one| Node::Not(Box::new(one))),
            (inner.clone(), any::<bool>(), inner.clone()).prop_map(|(left, is_and, right)| Node::Both(
                Box::new(left),
                is_and,
                Box::new(right)
            )),
            (inner.clone(), prop::sample::select(vec!["=", "<>"]), inner)
                .prop_map(|(l, sign, r)| Node::Compare(Box::new(l), sign, Box::new(r))),
        ]
    })
}

fn values() -> Values {
    let operand = |value| match value {
        Val::Null => Operand::Null,
        Val::Truth(truth) => Operand::Truth(truth),
        Val::Whole(number) => Operand::Exact(number),
        Val::Double(number) => Operand::Approximate(number),
        Val::Text(text) => Operand::Text(text),
    };
    Values(NAMES.map(|(name, value)| (name, operand(value))).to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn evaluation_agrees_with_the_rules(node in condition()) {
        let text = node.text();
        let selector = Selector::parse(&text).map_err(|fault| TestCaseError::fail(format!("{text}: {fault}")))?;
        let opposite = Selector::parse(&format!("NOT {text}")).unwrap();
        let got = match (selector.matches(&values()), opposite.matches(&values())) {
            (false, false) => None,
            (is_true, _) => Some(is_true),
        };
        prop_assert_eq!(got, node.truth(), "{}", text);
    }

    #[test]
    fn what_is_printed_is_read_as_the_same(node in condition()) {
        let selector = Selector::parse(&node.text()).unwrap();
        let printed = selector.to_string();
        prop_assert_eq!(Selector::parse(&printed), Ok(selector), "{}", printed);
    }
}
