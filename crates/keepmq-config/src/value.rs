//! Options that are a name, a path, an address, a yes or no.

use std::net::IpAddr;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use keepmq_model::Destination;
use toml::Spanned;
use toml::de::DeValue;

use crate::findings::Findings;
use crate::option::{Setting, wrong_type};
use crate::quantity::whole_number;

impl Setting for bool {
    const FORM: &'static str = "true or false";

    fn read(value: &Spanned<DeValue<'_>>, findings: &mut Findings<'_>) -> Option<Self> {
        let read = value.get_ref().as_bool();
        if read.is_none() {
            wrong_type(value, Self::FORM, findings);
        }
        read
    }

    fn show(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Setting for u16 {
    const FORM: &'static str = "a port, 1 to 65535";

    fn read(value: &Spanned<DeValue<'_>>, findings: &mut Findings<'_>) -> Option<Self> {
        let number = whole_number(value, findings)?;
        match Self::try_from(number) {
            Ok(port) if port > 0 => Some(port),
            _ => {
                let what = format!("{number} is not a port");
                findings.fault("range", Some(&value.span()), what, format!("write {}", Self::FORM));
                None
            }
        }
    }

    fn show(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Setting for IpAddr {
    const FORM: &'static str = "an IP address such as \"127.0.0.1\" or \"::1\"";

    fn read(value: &Spanned<DeValue<'_>>, findings: &mut Findings<'_>) -> Option<Self> {
        let text = text(value, Self::FORM, findings)?;
        text.parse().ok().or_else(|| {
            let what = format!("{} is not an IP address", quoted(text));
            let remedy = format!("write {}, not a name and not a port", Self::FORM);
            findings.fault("address", Some(&value.span()), what, remedy);
            None
        })
    }

    fn show(&self) -> Option<String> {
        Some(format!("\"{self}\""))
    }
}

/// A name of letters, digits, `-` and `_`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Label(Arc<str>);

impl Label {
    /// Longest name, as in Amazon MQ.
    pub const LONGEST: usize = 50;

    /// Takes a name that is known to be one.
    pub(crate) fn known(name: &'static str) -> Self {
        Self(name.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name, shared.
    pub(crate) fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }
}

impl Setting for Label {
    const FORM: &'static str = "1 to 50 letters, digits, - or _";

    fn read(value: &Spanned<DeValue<'_>>, findings: &mut Findings<'_>) -> Option<Self> {
        let text = text(value, Self::FORM, findings)?;
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if (1..=Self::LONGEST).contains(&text.len()) && text.chars().all(fits) {
            return Some(Self(text.into()));
        }
        let what = format!("{} is not a name that can be used here", quoted(text));
        findings.fault("name", Some(&value.span()), what, format!("write {}", Self::FORM));
        None
    }

    fn show(&self) -> Option<String> {
        Some(format!("\"{}\"", self.0))
    }
}

/// A path of a file or folder. A relative one starts in the folder of the configuration and stays in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilePath(PathBuf);

impl FilePath {
    /// Takes a path that is known to be one.
    pub(crate) fn known(path: &'static str) -> Self {
        Self(path.into())
    }

    /// The path as written.
    pub fn as_path(&self) -> &Path {
        &self.0
    }

    /// The whole path.
    pub(crate) fn in_folder(&self, folder: &Path) -> PathBuf {
        folder.join(&self.0)
    }
}

impl Setting for FilePath {
    const FORM: &'static str = "a path, relative to the folder of this file";

    fn read(value: &Spanned<DeValue<'_>>, findings: &mut Findings<'_>) -> Option<Self> {
        let text = text(value, Self::FORM, findings)?;
        if text.is_empty() || text.len() > 1024 || text.chars().any(char::is_control) {
            findings.fault(
                "path",
                Some(&value.span()),
                "this is not a path",
                format!("write {}", Self::FORM),
            );
            return None;
        }
        if Path::new(text).components().any(|part| part == Component::ParentDir) {
            let what = "the path climbs out of its folder with `..`";
            findings.fault(
                "path",
                Some(&value.span()),
                what,
                "write a path within the folder, or an absolute one",
            );
            return None;
        }
        Some(Self(text.into()))
    }

    fn show(&self) -> Option<String> {
        Some(quoted(&self.0.to_string_lossy()))
    }
}

/// The name of a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueName(Arc<str>);

impl QueueName {
    /// Takes a name that is known to be one.
    pub(crate) fn known(name: &'static str) -> Self {
        Self(name.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Setting for QueueName {
    const FORM: &'static str = "the name of one queue";

    fn read(value: &Spanned<DeValue<'_>>, findings: &mut Findings<'_>) -> Option<Self> {
        let text = text(value, Self::FORM, findings)?;
        match Destination::queue(text) {
            Ok(queue) => Some(Self(queue.name().into())),
            Err(fault) => {
                let remedy = format!("write {}", Self::FORM);
                findings.fault("queue", Some(&value.span()), fault.to_string(), remedy);
                None
            }
        }
    }

    fn show(&self) -> Option<String> {
        Some(quoted(&self.0))
    }
}

/// The text of a value that has to be one.
pub(crate) fn text<'v>(
    value: &'v Spanned<DeValue<'_>>,
    form: &str,
    findings: &mut Findings<'_>,
) -> Option<&'v str> {
    let text = value.get_ref().as_str();
    if text.is_none() {
        wrong_type(value, form, findings);
    }
    text
}

/// The text in quotation marks, cut when long and safe to print, valid in TOML.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars().take(200) {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c => quoted.push(crate::findings::printable(c)),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests;
