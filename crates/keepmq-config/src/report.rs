//! What is wrong with a configuration, all at once, for people and for programs.

use std::fmt;

use serde::Serialize;

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Line, counted from 1.
    pub line: usize,
    /// Column in characters, counted from 1.
    pub column: usize,
    /// The line's text, safe to print.
    pub text: String,
    /// How many characters are meant.
    pub width: usize,
}

/// One thing that is wrong, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// A stable word for programs, such as `unknown-key`.
    pub code: &'static str,
    /// The file that it is about.
    pub file: String,
    /// Where in the file; `None` when it is about the file as a whole.
    #[serde(flatten)]
    pub place: Option<Place>,
    /// The option, such as `listener.mqtt.port`; empty when it is about none.
    pub key: String,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

impl Fault {
    /// Whether it is about this option or table, or about a part of it.
    pub fn concerns(&self, key: &str) -> bool {
        self.key.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    }
}

/// Everything that was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// These keep the broker from starting.
    pub faults: Vec<Fault>,
    /// These do not, but are probably not meant.
    pub warnings: Vec<Fault>,
}

impl Report {
    /// Whether nothing keeps the broker from starting.
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }

    /// Adds what another look found.
    pub fn merge(&mut self, other: Self) {
        self.faults.extend(other.faults);
        self.warnings.extend(other.warnings);
        self.sort();
    }

    /// As one JSON object with the lists `faults` and `warnings`.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_else(|fault| format!("{{\"error\":\"{fault}\"}}"))
    }

    /// In the order of the file; what is about a file as a whole comes first.
    pub(crate) fn sort(&mut self) {
        for list in [&mut self.faults, &mut self.warnings] {
            list.sort_by_key(|fault| fault.place.as_ref().map(|place| (place.line, place.column)));
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some(place) = &self.place {
            write!(f, ":{}:{}", place.line, place.column)?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        writeln!(f, ": {} [{}]", self.what, self.code)?;
        if let Some(place) = &self.place {
            let number = place.line.to_string();
            let margin = " ".repeat(number.len());
            let under = " ".repeat(place.column.saturating_sub(1)) + &"^".repeat(place.width.max(1));
            writeln!(f, "  {number} | {}\n  {margin} | {under}", place.text)?;
        }
        writeln!(f, "  do: {}", self.remedy.replace('\n', "\n      "))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (word, list) in [("fault", &self.faults), ("warning", &self.warnings)] {
            for fault in list {
                writeln!(f, "{word}: {fault}")?;
            }
        }
        match (self.faults.len(), self.warnings.len()) {
            (0, 0) => writeln!(f, "no faults, no warnings"),
            (faults, warnings) => writeln!(f, "{}, {}", count(faults, "fault"), count(warnings, "warning")),
        }
    }
}

fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(code: &'static str, line: Option<usize>) -> Fault {
        let place = line.map(|line| Place { line, column: 8, text: "port = 99999".to_owned(), width: 5 });
        let (key, what) = ("listener.mqtt.port".to_owned(), "99999 is no port".to_owned());
        Fault {
            code,
            file: "keepmq.toml".to_owned(),
            place,
            key,
            what,
            remedy: "write 1 to 65535".to_owned(),
        }
    }

    #[test]
    fn a_fault_shows_its_place_and_its_remedy() {
        let text = fault("range", Some(12)).to_string();
        let wanted = "keepmq.toml:12:8: listener.mqtt.port: 99999 is no port [range]\n  12 | port = 99999\n     |        ^^^^^\n  do: write 1 to 65535\n";
        assert_eq!(text, wanted);
    }

    #[test]
    fn a_fault_of_a_whole_file_has_no_place() {
        let text = fault("missing", None).to_string();
        assert_eq!(text.lines().count(), 2);
        assert!(text.starts_with("keepmq.toml: listener.mqtt.port: "));
    }

    #[test]
    fn a_report_is_in_the_order_of_the_file() {
        let mut report = Report { faults: vec![fault("b", Some(9))], ..Report::default() };
        let other = Report { faults: vec![fault("c", Some(2)), fault("a", None)], ..Report::default() };
        report.merge(other);
        assert_eq!(report.faults.iter().map(|fault| fault.code).collect::<Vec<_>>(), ["a", "c", "b"]);
        assert!(!report.is_sound() && report.to_string().ends_with("3 faults, 0 warnings\n"));
    }

    #[test]
    fn json_has_line_and_column_beside_the_rest() {
        let report =
            Report { faults: vec![fault("range", Some(12))], warnings: vec![fault("missing", None)] };
        let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
        assert_eq!(json["faults"][0]["line"], 12);
        assert_eq!(json["faults"][0]["column"], 8);
        assert_eq!(json["faults"][0]["code"], "range");
        assert_eq!(json["warnings"][0]["remedy"], "write 1 to 65535");
        assert!(json["warnings"][0].get("line").is_none());
    }

    #[test]
    fn nothing_found_is_said_so() {
        assert_eq!(Report::default().to_string(), "no faults, no warnings\n");
        assert!(Report::default().is_sound());
    }

    #[test]
    fn a_fault_concerns_its_option_and_the_tables_around_it_only() {
        let fault = fault("range", None);
        for key in ["listener.mqtt.port", "listener.mqtt", "listener"] {
            assert!(fault.concerns(key), "{key}");
        }
        for key in ["listener.mqtt.po", "listener.mq", "listener.mqtt.port.x", ""] {
            assert!(!fault.concerns(key), "{key}");
        }
        let plain = Fault { key: "listener.mqtt-plain.port".to_owned(), ..fault };
        assert!(!plain.concerns("listener.mqtt"));
        let entry = Fault { key: "authorization.entry[2].queue".to_owned(), ..plain };
        assert!(entry.concerns("authorization.entry") && entry.concerns("authorization.entry[2]"));
    }
}
