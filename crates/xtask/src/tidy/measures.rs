//! What is measured per crate: how much is explained and how much is tested.
//!
//! Lines are a crude measure. They do not tell a test that proves something from one that does not. The simulation
//! counts as tests of the core, which is what it tests; the suites that go through the public doors count for nobody,
//! so the binary, which they test, is not judged.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::fault::Fault;
use super::house;
use super::source::{Kind, Source};

/// Smaller crates are not judged: a room that was just opened has no habits yet.
const SMALL: usize = 300;

/// Comments in a hundred lines: outside is a fault.
const COMMENTS_FAULT: (usize, usize) = (8, 30);
/// Comments in a hundred lines: outside is worth a note.
const COMMENTS_NOTE: (usize, usize) = (12, 25);

/// Lines of tests to a hundred lines of source: below is a fault.
const TESTS_FAULT: usize = 50;
/// The same for a crate of declarations, which do nothing that could be tested.
const TESTS_FAULT_WORDS: usize = 25;
/// Where every crate should come.
const TESTS_TARGET: usize = 100;
/// Where core and store should come.
const TESTS_TARGET_KEEPERS: usize = 150;

/// The sums of one crate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Measure {
    krate: String,
    source: usize,
    tests: usize,
    /// Lines of the source that hold a comment.
    comments: usize,
    /// Lines of the source that hold anything.
    filled: usize,
    longest_file: usize,
    longest_function: usize,
}

impl Measure {
    fn add(&mut self, source: &Source) {
        if source.kind == Kind::Aside {
            return;
        }
        self.tests += source.test_lines();
        if source.kind == Kind::Test {
            return;
        }
        // A line counts once, also with several comments on it.
        let comments = source.comments.iter().flat_map(|comment| comment.first..=comment.last);
        self.comments += comments.filter(|line| !source.is_test(*line)).collect::<BTreeSet<_>>().len();
        let lines = (1..).zip(source.text.lines());
        self.filled += lines.filter(|(line, text)| !text.trim().is_empty() && !source.is_test(*line)).count();
        self.source += source.source_lines();
        self.longest_file = self.longest_file.max(source.source_lines());
        let functions = source.shipped_functions().map(super::functions::Function::lines);
        self.longest_function = self.longest_function.max(functions.max().unwrap_or_default());
    }

    fn comment_share(&self) -> usize {
        percent(self.comments, self.filled)
    }

    fn test_ratio(&self) -> usize {
        percent(self.tests, self.source)
    }

    fn test_floor(&self) -> usize {
        if house::is_vocabulary(&self.krate) { TESTS_FAULT_WORDS } else { TESTS_FAULT }
    }

    fn test_target(&self) -> usize {
        if house::is_keeper(&self.krate) { TESTS_TARGET_KEEPERS } else { TESTS_TARGET }
    }

    fn folder(&self) -> String {
        format!("crates/{}", self.krate)
    }
}

/// The sums of every crate, by name.
pub(crate) fn measure(sources: &[Source]) -> Vec<Measure> {
    let mut sums: BTreeMap<&str, Measure> = BTreeMap::new();
    for source in sources.iter().filter(|source| !source.krate.is_empty()) {
        let sum = sums.entry(&source.krate).or_default();
        sum.krate.clone_from(&source.krate);
        sum.add(source);
    }
    let simulation = sums.get(house::SIM).map_or(0, |sim| sim.source + sim.tests);
    if let Some(core) = sums.get_mut(house::CORE) {
        core.tests += simulation;
    }
    sums.into_values().collect()
}

/// Too few or far too many comments.
pub(crate) fn comment_faults(measures: &[Measure]) -> Vec<Fault> {
    judged(measures).filter_map(|measure| comment_fault(measure, COMMENTS_FAULT)).collect()
}

/// Crates near the edge.
pub(crate) fn comment_notes(measures: &[Measure]) -> Vec<Fault> {
    let inside = judged(measures).filter(|measure| comment_fault(measure, COMMENTS_FAULT).is_none());
    inside.filter_map(|measure| comment_fault(measure, COMMENTS_NOTE)).collect()
}

/// Too few tests.
pub(crate) fn test_faults(measures: &[Measure]) -> Vec<Fault> {
    let poor = judged_by_tests(measures).filter(|measure| measure.test_ratio() < measure.test_floor());
    poor.map(|measure| {
        let wrong = format!("{} lines of tests to {} of source", measure.tests, measure.source);
        let floor = hundredths(measure.test_floor());
        Fault::of(
            &measure.folder(),
            wrong,
            format!("at least {floor} to 1, the target is {}", hundredths(measure.test_target())),
        )
    })
    .collect()
}

/// The table for people.
pub(crate) fn table(measures: &[Measure]) -> String {
    let mut text = String::from(
        "crate                   source   tests  tests/source  target  comments  longest file  longest fn\n",
    );
    for measure in measures {
        let _ = writeln!(
            text,
            "{:<22} {:>7} {:>7} {:>13} {:>7} {:>8}% {:>13} {:>11}",
            measure.krate,
            measure.source,
            measure.tests,
            hundredths(measure.test_ratio()),
            hundredths(measure.test_target()),
            measure.comment_share(),
            measure.longest_file,
            measure.longest_function,
        );
    }
    let behind = judged_by_tests(measures).filter(|measure| measure.test_ratio() < measure.test_target());
    let behind: Vec<&str> = behind.map(|measure| measure.krate.as_str()).collect();
    if !behind.is_empty() {
        let _ = writeln!(text, "below their target of tests: {}", behind.join(", "));
    }
    text
}

fn judged(measures: &[Measure]) -> impl Iterator<Item = &Measure> {
    measures.iter().filter(|measure| measure.source > SMALL)
}

fn judged_by_tests(measures: &[Measure]) -> impl Iterator<Item = &Measure> {
    judged(measures).filter(|measure| !house::is_tested_from_outside(&measure.krate))
}

fn comment_fault(measure: &Measure, (least, most): (usize, usize)) -> Option<Fault> {
    let share = measure.comment_share();
    let remedy = match share {
        _ if share < least => "write down the invariants and reasons that the code does not show",
        _ if share > most => "take out what the code says itself",
        _ => return None,
    };
    let wrong = format!("{share} % of the lines hold comments, {least} to {most} % are wanted");
    Some(Fault::of(&measure.folder(), wrong, remedy))
}

fn percent(part: usize, whole: usize) -> usize {
    (part * 100).checked_div(whole).unwrap_or_default()
}

fn hundredths(value: usize) -> String {
    format!("{}.{:02}", value / 100, value % 100)
}

#[cfg(test)]
mod tests {
    use super::{Measure, comment_faults, comment_notes, measure, table, test_faults};
    use crate::tidy::source::Source;

    fn sized(krate: &str, source: usize, tests: usize, comments: usize) -> Measure {
        Measure { krate: krate.to_owned(), source, tests, comments, filled: source, ..Measure::default() }
    }

    #[test]
    fn a_crate_is_the_sum_of_its_files_with_tests_apart() {
        let lib = "//! Doc.\n\nfn a() {} // why\n#[cfg(test)]\nmod tests {\n// no\n}\n";
        let parse = |path: &str, text: &str| Source::parse(path, text).unwrap();
        let sources = [
            parse("crates/a/src/lib.rs", lib),
            parse("crates/a/tests/b.rs", "fn b() {}\n"),
            parse("fuzz/c.rs", lib),
        ];
        let expected = Measure {
            krate: "a".to_owned(),
            source: 3,
            tests: 5,
            comments: 2,
            filled: 2,
            longest_file: 3,
            longest_function: 1,
        };
        assert_eq!(measure(&sources), [expected]);
    }

    #[test]
    fn too_few_and_too_many_comments_are_faults() {
        assert_eq!(comment_faults(&[sized("a", 1000, 0, 79)]).len(), 1);
        assert_eq!(comment_faults(&[sized("a", 1000, 0, 310)]).len(), 1);
        assert_eq!(comment_faults(&[sized("a", 1000, 0, 80), sized("b", 1000, 0, 300)]), []);
        assert_eq!(comment_faults(&[sized("small", 300, 0, 0)]), []);
    }

    #[test]
    fn a_share_near_the_edge_is_noted_only() {
        assert_eq!(comment_notes(&[sized("a", 1000, 0, 110), sized("b", 1000, 0, 270)]).len(), 2);
        assert_eq!(comment_notes(&[sized("a", 1000, 0, 180), sized("fault", 1000, 0, 10)]), []);
    }

    #[test]
    fn half_as_many_tests_as_source_are_the_floor() {
        assert_eq!(test_faults(&[sized("a", 1000, 499, 0)]).len(), 1);
        assert_eq!(test_faults(&[sized("a", 1000, 500, 0), sized("small", 300, 0, 0)]), []);
        assert_eq!(test_faults(&[sized("keepmq-model", 1000, 249, 0)]).len(), 1);
        assert_eq!(test_faults(&[sized("keepmq-model", 1000, 250, 0)]), []);
    }

    #[test]
    fn the_simulation_is_a_test_of_the_core_and_the_binary_is_tested_from_outside() {
        let parse = |path: &str, text: &str| Source::parse(path, text).unwrap();
        let sources = [
            parse("crates/keepmq-core/src/lib.rs", "fn a() {}\n"),
            parse("crates/keepmq-sim/src/lib.rs", "fn b() {}\nfn c() {}\n"),
        ];
        assert_eq!(measure(&sources)[0].tests, 2);
        assert_eq!(test_faults(&[sized("keepmq", 1000, 0, 0), sized("keepmq-sim", 1000, 0, 0)]), []);
    }

    #[test]
    fn the_table_names_who_is_behind_its_target() {
        let text = table(&[sized("keepmq-core", 1000, 1200, 0), sized("keepmq-mqtt", 1000, 1200, 0)]);
        assert!(text.ends_with("below their target of tests: keepmq-core\n"), "{text}");
        assert!(text.contains("1.20    1.50"), "{text}");
    }
}
