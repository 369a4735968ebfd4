//! Budgets for the length of files and functions, tests apart. The loved code bases of the field have functions of 4 to
//! 7 lines at the median and 34 to 42 at the 95th percentile; what spoils a broker is the one file that grows a god.
//!
//! Lines are counted as they are, empty ones and comments too. A file is what it has besides its tests.

use super::exceptions::{Exceptions, Rule};
use super::fault::Fault;
use super::functions::Function;
use super::source::{Kind, Source};

const FILE_MOST: usize = 800;
const FILE_P95: usize = 450;
const FUNCTION_MOST: usize = 80;
const FUNCTION_P95: usize = 40;
const FUNCTION_MEDIAN: usize = 8;

/// The part of a name that stands for the whole workspace in a fault.
const EVERYWHERE: &str = "crates";
/// How many of the longest are named beside a percentile.
const NAMED: usize = 5;

/// Judges the length of the files in `crates/`.
pub(crate) fn files(sources: &[Source]) -> Vec<Fault> {
    let shipped = sources.iter().filter(|source| source.kind == Kind::Source);
    let measured: Vec<(usize, String)> =
        shipped.map(|source| (source.source_lines(), source.path.clone())).collect();
    let over = measured.iter().filter(|(lines, _)| *lines > FILE_MOST);
    let mut faults: Vec<Fault> = over
        .map(|(lines, path)| {
            Fault::of(
                path,
                format!("{lines} lines without tests, {FILE_MOST} at most"),
                "split it by subject",
            )
        })
        .collect();
    faults.extend(percentile_fault("files", 95, FILE_P95, measured));
    faults
}

/// Judges the length of the functions in `crates/`.
pub(crate) fn functions(sources: &[Source], exceptions: &Exceptions) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut measured = Vec::new();
    for source in sources {
        for function in source.shipped_functions() {
            measured
                .push((function.lines(), format!("{}:{} {}", source.path, function.first, function.name)));
            faults.extend(function_fault(source, function, exceptions));
        }
    }
    faults.extend(percentile_fault("functions", 95, FUNCTION_P95, measured.clone()));
    faults.extend(percentile_fault("functions", 50, FUNCTION_MEDIAN, measured));
    faults
}

fn function_fault(source: &Source, function: &Function, exceptions: &Exceptions) -> Option<Fault> {
    if function.lines() <= FUNCTION_MOST {
        return None;
    }
    let subject = format!("{}:{}", source.path, function.name);
    let fault = |wrong: String, remedy: &str| Some(Fault::at(&source.path, function.first, wrong, remedy));
    let length = format!("`{}` has {} lines, {FUNCTION_MOST} at most", function.name, function.lines());
    match (exceptions.excuse(Rule::LongFunction, &subject), function.is_table) {
        (true, true) => None,
        (true, false) => {
            fault(format!("{length}, and it is no flat `match` table that could be excused"), "split it")
        }
        (false, true) => {
            fault(length, "split it, or ask an exception for the table in crates/xtask/exceptions.txt")
        }
        (false, false) => fault(length, "split it into steps with names"),
    }
}

/// A fault when the percentile is over its budget, with the longest named.
fn percentile_fault(
    what: &str,
    percent: usize,
    budget: usize,
    mut measured: Vec<(usize, String)>,
) -> Option<Fault> {
    measured.sort_unstable_by(|a, b| b.cmp(a));
    let lines: Vec<usize> = measured.iter().rev().map(|(lines, _)| *lines).collect();
    let found = percentile(&lines, percent)?;
    if found <= budget {
        return None;
    }
    let longest: Vec<String> =
        measured.iter().take(NAMED).map(|(lines, name)| format!("{name} ({lines})")).collect();
    let wrong =
        format!("{percent} of 100 {what} should have at most {budget} lines, they have up to {found}");
    Some(Fault::of(EVERYWHERE, wrong, format!("shorten the longest: {}", longest.join(", "))))
}

/// The smallest value that so many of a hundred do not exceed.
fn percentile(rising: &[usize], percent: usize) -> Option<usize> {
    let rank = (rising.len() * percent).div_ceil(100);
    rising.get(rank.checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use super::{FILE_MOST, FUNCTION_MOST, files, functions, percentile};
    use crate::tidy::exceptions::Exceptions;
    use crate::tidy::source::Source;

    fn source(text: &str) -> Source {
        Source::parse("crates/a/src/lib.rs", text).unwrap()
    }

    fn long_function(line: &str, lines: usize) -> String {
        format!("fn long() {{\n{}}}\n", format!("{line}\n").repeat(lines - 2))
    }

    fn long_table(lines: usize) -> String {
        format!("fn long() {{ match x {{\n{}}} }}\n", "1 => one(),\n".repeat(lines - 2))
    }

    const SHORT: &str = "fn short() {}\n";

    #[test]
    fn percentiles_are_ranks() {
        let hundred: Vec<usize> = (1..=100).collect();
        assert_eq!(percentile(&hundred, 95), Some(95));
        assert_eq!(percentile(&hundred, 50), Some(50));
        assert_eq!(percentile(&[3], 50), Some(3));
        assert_eq!(percentile(&[], 50), None);
    }

    #[test]
    fn a_long_file_is_a_fault_and_its_tests_do_not_count() {
        let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "\n".repeat(FILE_MOST));
        assert_eq!(files(&[source(&tests)]), []);
        let faults = files(&[source(&"\n".repeat(FILE_MOST + 1))]);
        assert!(faults[0].wrong.starts_with("801 lines"), "{faults:?}");
    }

    #[test]
    fn the_length_of_most_files_is_bounded_too() {
        let mut sources: Vec<Source> = (0..18).map(|_| source(SHORT)).collect();
        sources.push(source(&"\n".repeat(500)));
        assert_eq!(files(&sources).len(), 1);
        sources.push(source(SHORT));
        assert_eq!(files(&sources), []);
    }

    #[test]
    fn a_long_function_is_a_fault() {
        let none = Exceptions::default();
        let fits = long_function("one();", FUNCTION_MOST) + &SHORT.repeat(20);
        assert_eq!(functions(&[source(&fits)], &none), []);
        let long = long_function("one();", FUNCTION_MOST + 1) + &SHORT.repeat(20);
        assert_eq!(functions(&[source(&long)], &none).len(), 1);
    }

    #[test]
    fn only_a_flat_table_can_be_excused() {
        let (excused, _) = Exceptions::parse("long-function crates/a/src/lib.rs:long -- one arm per command");
        let table = long_table(FUNCTION_MOST + 1) + &SHORT.repeat(20);
        assert_eq!(functions(&[source(&table)], &Exceptions::default()).len(), 1);
        assert_eq!(functions(&[source(&table)], &excused), []);
        let steps = long_function("one();", FUNCTION_MOST + 1) + &SHORT.repeat(20);
        assert_eq!(functions(&[source(&steps)], &excused).len(), 1);
    }

    #[test]
    fn most_functions_are_short() {
        let faults = functions(&[source(&long_function("one();", 9))], &Exceptions::default());
        assert!(faults[0].wrong.starts_with("50 of 100 functions"), "{faults:?}");
        let faults = functions(&[source(&long_function("one();", 41))], &Exceptions::default());
        assert_eq!(faults.len(), 2);
    }
}
