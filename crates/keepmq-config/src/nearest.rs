//! Finds the name that somebody probably meant.

/// Names longer than this are nobody's typing slip.
const LONGEST: usize = 64;

/// The nearest of the names, if one is near enough to be meant.
pub(crate) fn nearest<'n>(written: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    if written.len() > LONGEST {
        return None;
    }
    let plain = |text: &str| text.to_lowercase().replace('_', "-");
    let wanted = plain(written);
    let scored = names.into_iter().map(|name| (distance(&wanted, &plain(name)), name));
    let (steps, name) = scored.min_by_key(|(steps, _)| *steps)?;
    (steps <= 1 + wanted.chars().count() / 4).then_some(name)
}

/// How many letters must be put in, left out, changed or swapped with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = if i == 0 || j == 0 { i + j } else { step(&rows, &a, &b, i, j) };
        }
    }
    rows[a.len()][b.len()]
}

fn step(rows: &[Vec<usize>], a: &[char], b: &[char], i: usize, j: usize) -> usize {
    let changed = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
    let least = changed.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
    let swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
    if swapped { least.min(rows[i - 2][j - 2] + 1) } else { least }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NAMES: [&str; 5] = ["name", "port", "protocol", "max-connections", "max-connections-per-address"];

    #[test]
    fn slips_are_recognised() {
        for (written, meant) in [
            ("prot", "port"),
            ("Port", "port"),
            ("protocoll", "protocol"),
            ("max_connections", "max-connections"),
            ("maxconnections", "max-connections"),
            ("max-connection", "max-connections"),
            ("nmae", "name"),
        ] {
            assert_eq!(nearest(written, NAMES), Some(meant), "{written}");
        }
    }

    #[test]
    fn what_is_far_from_all_names_is_not_guessed_at() {
        assert_eq!(nearest("colour", NAMES), None);
        assert_eq!(nearest("", []), None);
        assert_eq!(nearest(&"p".repeat(1000), NAMES), None);
    }

    #[test]
    fn a_swap_is_one_step() {
        assert_eq!(distance("ab", "ba"), 1);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
    }

    proptest! {
        #[test]
        fn distance_is_a_distance(a in "[ab]{0,6}", b in "[ab]{0,6}") {
            prop_assert_eq!(distance(&a, &b), distance(&b, &a));
            prop_assert_eq!(distance(&a, &b) == 0, a == b);
        }
    }
}
