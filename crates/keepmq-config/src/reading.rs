//! For tests: reads one value as if it stood in a file.

use toml::de::DeTable;

use crate::findings::Findings;
use crate::option::{At, Setting};
use crate::report::Report;

/// The value of `x = …` and what was found.
pub(crate) fn read<T: Setting>(written: &str) -> (Option<T>, Report) {
    let text = format!("x = {written}");
    let (table, errors) = DeTable::parse_recoverable(&text);
    assert!(errors.is_empty(), "{text}: {errors:?}");
    let mut findings = Findings::new("f.toml", &text);
    let read = table.get_ref().get("x").and_then(|value| At::<T>::read(value, &mut findings));
    (read.map(|at| at.value), findings.into_report())
}

/// The value, without faults.
pub(crate) fn read_one<T: Setting>(written: &str) -> Option<T> {
    let (value, report) = read(written);
    assert!(report.is_sound(), "{written}: {report}");
    value
}

/// The first fault: its code, what it says and what it advises.
pub(crate) fn fault_of<T: Setting>(written: &str) -> (&'static str, String, String) {
    let (value, mut report) = read::<T>(written);
    assert!(value.is_none() && !report.is_sound(), "{written} was taken");
    let fault = report.faults.remove(0);
    (fault.code, fault.what, fault.remedy)
}

/// Judges a text without a look at the disk.
pub(crate) fn judged(text: &str) -> Report {
    match crate::judge(text, std::path::Path::new("/srv/mq")) {
        Ok(loaded) => loaded.report,
        Err(report) => report,
    }
}

/// The codes of the faults, in order.
pub(crate) fn faults(text: &str) -> Vec<&'static str> {
    judged(text).faults.iter().map(|fault| fault.code).collect()
}

/// The codes of the warnings, in order.
pub(crate) fn warnings(text: &str) -> Vec<&'static str> {
    judged(text).warnings.iter().map(|fault| fault.code).collect()
}
