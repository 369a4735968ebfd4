//! Gathers faults while a file is read and judged, so that all are told at once.

use std::ops::Range;

use crate::report::{Fault, Place, Report};

/// Where something stands in the text, in bytes.
pub(crate) type Span = Range<usize>;

/// A line longer than this is cut when shown.
const SHOWN: usize = 120;
/// More faults than this help nobody, and a hostile file must not fill the memory with them.
const MOST: usize = 200;

/// The text of a file and what was found in it.
#[derive(Debug)]
pub(crate) struct Findings<'t> {
    file: String,
    text: &'t str,
    starts: Vec<usize>,
    path: Vec<String>,
    /// Parts of the text could not be read.
    broken: bool,
    /// One of those parts is the head of a table, so that what follows it is counted to another one.
    headless: bool,
    report: Report,
}

/// The code of what is not even TOML.
const SYNTAX: &str = "syntax";

impl<'t> Findings<'t> {
    /// Nothing found yet in the text of this file.
    pub(crate) fn new(file: &str, text: &'t str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self {
            file: file.to_owned(),
            text,
            starts,
            path: Vec::new(),
            broken: false,
            headless: false,
            report: Report::default(),
        }
    }

    /// Does something under a longer key.
    pub(crate) fn within<R>(&mut self, key: impl Into<String>, work: impl FnOnce(&mut Self) -> R) -> R {
        self.path.push(key.into());
        let done = work(self);
        self.path.pop();
        done
    }

    /// The key that is looked at.
    pub(crate) fn key(&self) -> String {
        self.path.join(".")
    }

    /// Something that keeps the broker from starting.
    pub(crate) fn fault(
        &mut self,
        code: &'static str,
        at: Option<&Span>,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        if self.report.faults.len() < MOST {
            let fault = self.found(code, at, what.into(), remedy.into());
            self.report.faults.push(fault);
        }
    }

    /// A breach of the file's syntax. What comes after it may not have been read.
    pub(crate) fn syntax(&mut self, at: Option<&Span>, what: &str) {
        self.broken = true;
        self.headless |= at.is_some_and(|at| self.place(at).text.trim_start().starts_with('['));
        self.fault(SYNTAX, at, format!("this is not TOML: {what}"), "mend it; https://toml.io tells how");
    }

    /// Something that has to be there and was not found. Of a file that could not be read whole nobody knows.
    pub(crate) fn absence(
        &mut self,
        code: &'static str,
        at: Option<&Span>,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        if !self.broken {
            self.fault(code, at, what, remedy);
        }
    }

    /// Something that does not belong where it stands.
    pub(crate) fn stray(&mut self, code: &'static str, at: &Span, what: String, remedy: String) {
        if !self.headless {
            self.fault(code, Some(at), what, remedy);
        }
    }

    /// Something that is probably not meant, of a file that could be read whole.
    pub(crate) fn warn(
        &mut self,
        code: &'static str,
        at: Option<&Span>,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        if self.report.warnings.len() < MOST && !self.broken {
            let fault = self.found(code, at, what.into(), remedy.into());
            self.report.warnings.push(fault);
        }
    }

    /// All of it, in the order of the file.
    pub(crate) fn into_report(mut self) -> Report {
        let line = |fault: &Fault| fault.place.as_ref().map(|place| place.line);
        let faults = &mut self.report.faults;
        let broken: Vec<_> = faults.iter().filter(|fault| fault.code == SYNTAX).map(line).collect();
        // What was read out of a broken line is a guess, and its faults are noise.
        faults.retain(|fault| fault.code == SYNTAX || !broken.contains(&line(fault)));
        // What is faulty was not read, and so looks as if it were missing.
        let is_guess = |warning: &Fault| faults.iter().any(|fault| fault.concerns(&warning.key));
        self.report.warnings.retain(|warning| !is_guess(warning));
        self.report.sort();
        self.report
    }

    /// The line in which a byte stands, counted from 1.
    pub(crate) fn line(&self, at: usize) -> usize {
        self.starts.partition_point(|start| *start <= at)
    }

    /// `keepmq.toml:31`.
    pub(crate) fn line_name(&self, at: usize) -> String {
        format!("{}:{}", self.file, self.line(at))
    }

    /// The part of a span that is on its first line: of a table, its head.
    pub(crate) fn first_line(&self, span: Span) -> Span {
        let length = self.text.get(span.clone()).and_then(|text| text.find('\n')).unwrap_or(span.len());
        span.start..span.start + length
    }

    fn found(&self, code: &'static str, at: Option<&Span>, what: String, remedy: String) -> Fault {
        let place = at.map(|at| self.place(at));
        Fault { code, file: self.file.clone(), place, key: self.key(), what, remedy }
    }

    /// Where a span is, for people.
    pub(crate) fn place(&self, at: &Span) -> Place {
        let line = self.line(at.start);
        let start = self.starts.get(line.saturating_sub(1)).copied().unwrap_or_default();
        let whole = self.text.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
        let length = |from: usize, to: usize| self.text.get(from..to).map_or(0, |text| text.chars().count());
        let end = at.end.min(start + whole.len()).max(at.start);
        let text: String = whole.chars().take(SHOWN).map(printable).collect();
        let before = length(start, at.start);
        let width = length(at.start, end).min(text.chars().count().saturating_sub(before));
        Place { line, column: before + 1, text, width: width.max(1) }
    }
}

/// A terminal must not be steered by a file's text.
pub(crate) fn printable(c: char) -> char {
    match c {
        '\t' => ' ',
        // Marks that turn the direction of what follows are not control characters.
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        c if c.is_control() => '\u{fffd}',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn place(text: &str, at: Span) -> Place {
        let mut findings = Findings::new("f.toml", text);
        findings.fault("code", Some(&at), "what", "remedy");
        findings.into_report().faults.remove(0).place.unwrap()
    }

    #[test]
    fn lines_and_columns_are_counted_from_one() {
        let text = "a = 1\nbb = 22\n";
        let found = place(text, 11..13);
        assert_eq!((found.line, found.column, found.width, &*found.text), (2, 6, 2, "bb = 22"));
        assert_eq!(place(text, 0..1).line, 1);
        assert_eq!(place(text, 5..6).line, 1, "the line's end belongs to it");
    }

    #[test]
    fn columns_are_characters_and_not_bytes() {
        let found = place("ä = \"ö\" # x", 6..10);
        assert_eq!((found.column, found.width), (6, 3));
    }

    #[test]
    fn what_runs_over_several_lines_is_shown_on_its_first() {
        let found = place("a = [\n1,\n2]\n", 4..11);
        assert_eq!((found.line, found.column, found.width), (1, 5, 1));
    }

    #[test]
    fn a_terminal_is_not_steered_by_the_text() {
        let found = place("a = \"\u{1b}[2J\u{202e}\"\t", 4..5);
        assert_eq!(found.text, "a = \"\u{fffd}[2J\u{fffd}\" ");
    }

    #[test]
    fn keys_are_nested_and_come_back() {
        let mut findings = Findings::new("f.toml", "");
        findings.within("listener", |f| f.within("mqtt", |f| f.fault("x", None, "w", "r")));
        findings.within("broker", |f| f.warn("y", None, "w", "r"));
        findings.fault("z", None, "w", "r");
        let report = findings.into_report();
        let keys: Vec<_> = report.faults.iter().chain(&report.warnings).map(|fault| &*fault.key).collect();
        assert_eq!(keys, ["listener.mqtt", "", "broker"]);
    }

    #[test]
    fn what_is_missing_in_a_broken_file_may_only_be_unread() {
        let mut findings = Findings::new("f.toml", "a = \nb = 1\n");
        findings.absence("told", None, "w", "r");
        findings.syntax(Some(&(4..5)), "no value");
        findings.absence("untold", None, "w", "r");
        findings.warn("untold", None, "w", "r");
        findings.fault("same-line", Some(&(0..1)), "w", "r");
        findings.fault("next-line", Some(&(5..6)), "w", "r");
        let report = findings.into_report();
        let codes: Vec<_> = report.faults.iter().map(|fault| fault.code).collect();
        assert_eq!((codes, report.warnings.len()), (vec!["told", "syntax", "next-line"], 0));
    }

    #[test]
    fn what_was_faulty_is_not_warned_of_as_missing() {
        let mut findings = Findings::new("f.toml", "");
        for key in ["listener.a", "listener.a[1]", "listener.ab", "authorization", "tls"] {
            findings.within(key, |f| f.warn("w", None, "w", "r"));
        }
        findings.within("listener.a.ingress", |f| f.fault("f", None, "w", "r"));
        findings.within("authorization.entry[1]", |f| f.fault("f", None, "w", "r"));
        let warnings = findings.into_report().warnings;
        assert_eq!(
            warnings.iter().map(|w| &*w.key).collect::<Vec<_>>(),
            ["listener.a[1]", "listener.ab", "tls"]
        );
    }

    #[test]
    fn the_number_of_faults_is_bounded() {
        let mut findings = Findings::new("f.toml", "");
        (0..10_000).for_each(|_| findings.fault("x", None, "w", "r"));
        assert_eq!(findings.into_report().faults.len(), MOST);
    }

    proptest! {
        #[test]
        fn any_span_of_any_text_has_a_place(text in "\\PC{0,40}[\n\r]{0,3}\\PC{0,200}", a in 0usize..300, b in 0usize..300) {
            let (from, to) = (a.min(text.len()), b.min(text.len()));
            let found = place(&text, from.min(to)..to.max(from));
            prop_assert!(found.line >= 1 && found.column >= 1 && found.width >= 1);
        }
    }
}
