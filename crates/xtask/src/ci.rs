//! `cargo xtask ci`: everything that a change must pass, in order, up to the first failure.

mod shop;
mod steps;

use std::path::Path;
use std::time::{Duration, Instant};

use shop::Shop;
use steps::{Outcome, Step};

/// What to run.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Runs this step and no other; may be given several times.
    #[arg(long, value_name = "STEP")]
    only: Vec<Step>,
    /// Leaves this step out; may be given several times.
    #[arg(long, value_name = "STEP")]
    skip: Vec<Step>,
}

impl Options {
    fn wants(&self, step: Step) -> bool {
        (self.only.is_empty() || self.only.contains(&step)) && !self.skip.contains(&step)
    }
}

/// How one step went.
struct Report {
    step: Step,
    elapsed: Duration,
    result: anyhow::Result<Outcome>,
}

/// Runs the wanted steps in the workspace at `root`, and tells whether all passed.
pub(crate) fn run(root: &Path, options: &Options) -> anyhow::Result<bool> {
    let shop = Shop::at(root)?;
    let reports = run_steps(options, |step| {
        println!("\n== {}: {}", step.name(), step.about());
        let result = step.run(&shop);
        if let Ok(Outcome::Absent(what)) = &result {
            println!("passed over: there is no {what} yet");
        }
        result
    });
    println!("\n{}{}", table(&reports), closing_line(&reports));
    let failed = reports.iter().find_map(|report| Some((report.step.name(), report.result.as_ref().err()?)));
    if let Some((name, error)) = &failed {
        eprintln!("ci: {name} failed: {error:#}\nci: to run it alone: cargo xtask ci --only {name}");
    }
    Ok(failed.is_none())
}

fn run_steps(options: &Options, mut act: impl FnMut(Step) -> anyhow::Result<Outcome>) -> Vec<Report> {
    let mut reports: Vec<Report> = Vec::new();
    for step in Step::all().iter().copied().filter(|step| options.wants(*step)) {
        let start = now();
        let result = act(step);
        let failed = result.is_err();
        reports.push(Report { step, elapsed: start.elapsed(), result });
        if failed {
            break;
        }
    }
    reports
}

#[expect(clippy::disallowed_methods, reason = "a tool that tells how long its steps take reads a clock")]
fn now() -> Instant {
    Instant::now()
}

/// The times of all steps, and how each ended.
fn table(reports: &[Report]) -> String {
    let row = |name: &str, elapsed: Duration, end: &str| {
        format!("{name:<10} {:>8.1} s  {end}\n", elapsed.as_secs_f64())
    };
    let mut text = String::new();
    for report in reports {
        let end = match &report.result {
            Ok(Outcome::Passed) => "passed",
            Ok(Outcome::Absent(_)) => "not there yet",
            Err(_) => "FAILED",
        };
        text += &row(&report.step.name(), report.elapsed, end);
    }
    text + &row("all", reports.iter().map(|report| report.elapsed).sum(), "")
}

/// How many steps ended how, in the form that people and programs know from test runners.
fn closing_line(reports: &[Report]) -> String {
    let count = |wanted: fn(&Report) -> bool| reports.iter().filter(|report| wanted(report)).count();
    let failed = count(|report| report.result.is_err());
    let absent = count(|report| matches!(report.result, Ok(Outcome::Absent(_))));
    let passed = reports.len() - failed - absent;
    format!("steps: {passed} passed, {failed} failed, {absent} skipped")
}

#[cfg(test)]
mod tests {
    use anyhow::ensure;

    use super::{Options, Outcome, Step, closing_line, run, run_steps, table};

    fn names(only: &[Step], skip: &[Step]) -> Vec<String> {
        let options = Options { only: only.to_vec(), skip: skip.to_vec() };
        run_steps(&options, |_| Ok(Outcome::Passed)).iter().map(|report| report.step.name()).collect()
    }

    #[test]
    fn steps_can_be_chosen_and_left_out() {
        assert_eq!(names(&[Step::Clippy, Step::Fmt], &[]), ["fmt", "clippy"]);
        assert_eq!(names(&[Step::Clippy, Step::Fmt], &[Step::Fmt]), ["clippy"]);
        assert_eq!(names(&[], &[Step::Fmt]).len(), Step::all().len() - 1);
    }

    #[test]
    fn the_first_failure_ends_the_run() {
        let options = Options { only: Vec::new(), skip: Vec::new() };
        let reports = run_steps(&options, |step| {
            ensure!(step != Step::Tidy, "untidy");
            Ok(Outcome::Passed)
        });
        assert_eq!(reports.iter().map(|report| report.step).collect::<Vec<_>>(), [Step::Fmt, Step::Tidy]);
        let text = table(&reports);
        assert!(text.contains("tidy            0.0 s  FAILED\n"), "{text}");
        assert_eq!(text.lines().count(), 3);
    }

    #[test]
    fn the_closing_line_counts_the_steps() {
        let options =
            Options { only: vec![Step::Fmt, Step::Tidy, Step::Crash, Step::Readme], skip: Vec::new() };
        let reports = run_steps(&options, |step| {
            ensure!(step != Step::Readme, "the README lies");
            Ok(if step == Step::Crash {
                Outcome::Absent("tests/crash/run".to_owned())
            } else {
                Outcome::Passed
            })
        });
        assert_eq!(closing_line(&reports), "steps: 2 passed, 1 failed, 1 skipped");
    }

    #[test]
    fn a_run_passes_when_its_steps_do() {
        let folder = tempfile::TempDir::new().unwrap();
        let only = |step| Options { only: vec![step], skip: Vec::new() };
        assert!(run(folder.path(), &only(Step::Interop)).unwrap());
        assert!(!run(folder.path(), &only(Step::Tidy)).unwrap());
    }
}
