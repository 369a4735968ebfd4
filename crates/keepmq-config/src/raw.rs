//! The file as it is written: every table and every key is read or told of.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::findings::{Findings, Span};
use crate::option::{At, Section, Stated, unknown, wrong_type};
use crate::sections::{
    AuditOptions, Broker, DeadLetter, DefaultOptions, EntryOptions, Limits, ListenerOptions, StoreOptions,
    TemporaryOptions, TlsOptions, UsersOptions,
};

const TABLES: [&str; 9] =
    ["broker", "tls", "listener", "store", "users", "audit", "authorization", "limits", "dead-letter"];
const MAP_TABLES: [&str; 3] = ["entry", "default", "temporary"];
/// Most tables of one list: a file of 1 MiB could hold more than anybody can judge.
const MOST: usize = 5_000;

/// All options as written, not yet judged together.
#[derive(Debug, Default)]
pub(crate) struct Raw {
    pub broker: Broker,
    pub tls: At<TlsOptions>,
    pub listeners: Vec<At<ListenerOptions>>,
    pub store: StoreOptions,
    pub users: UsersOptions,
    pub audit: AuditOptions,
    pub entries: Vec<At<EntryOptions>>,
    pub default: Option<DefaultOptions>,
    pub temporary: Option<TemporaryOptions>,
    pub limits: Limits,
    pub dead_letter: DeadLetter,
}

impl Raw {
    /// Reads a file's text.
    pub(crate) fn read(text: &str, findings: &mut Findings<'_>) -> Self {
        let (document, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            let span = error.span().filter(|span| text.get(span.clone()).is_some());
            findings.syntax(span.as_ref(), error.message());
        }
        let mut raw = Self::default();
        for (key, value) in document.get_ref() {
            match TABLES.iter().find(|table| *table == key.get_ref()) {
                Some(table) => raw.set(table, value, findings),
                None => unknown(key, TABLES.into_iter(), findings),
            }
        }
        raw
    }

    /// All options with their values.
    pub(crate) fn stated(&self) -> Vec<Stated> {
        let mut stated = [self.broker.stated(Broker::PATH), self.tls.value.stated(TlsOptions::PATH)].concat();
        for (index, listener) in self.listeners.iter().enumerate() {
            stated.extend(listener.value.stated(&listener_key(index, &listener.value)));
        }
        stated.extend(self.store.stated(StoreOptions::PATH));
        stated.extend(self.users.stated(UsersOptions::PATH));
        stated.extend(self.audit.stated(AuditOptions::PATH));
        for (index, entry) in self.entries.iter().enumerate() {
            stated.extend(entry.value.stated(&numbered(EntryOptions::PATH, index)));
        }
        stated.extend(self.default.iter().flat_map(|grants| grants.stated(DefaultOptions::PATH)));
        stated.extend(self.temporary.iter().flat_map(|grants| grants.stated(TemporaryOptions::PATH)));
        stated.extend(self.limits.stated(Limits::PATH));
        stated.extend(self.dead_letter.stated(DeadLetter::PATH));
        stated
    }

    fn set(&mut self, table: &'static str, value: &Spanned<DeValue<'_>>, findings: &mut Findings<'_>) {
        match table {
            "broker" => one(&mut self.broker, value, findings),
            "tls" => {
                self.tls.span = Some(value.span());
                one(&mut self.tls.value, value, findings);
            }
            "listener" => self.listeners = many(value, findings),
            "store" => one(&mut self.store, value, findings),
            "users" => one(&mut self.users, value, findings),
            "audit" => one(&mut self.audit, value, findings),
            "authorization" => self.set_map(value, findings),
            "limits" => one(&mut self.limits, value, findings),
            _ => one(&mut self.dead_letter, value, findings),
        }
    }

    fn set_map(&mut self, value: &Spanned<DeValue<'_>>, findings: &mut Findings<'_>) {
        let Some(tables) = table(value, findings) else { return };
        for (key, value) in tables {
            match key.get_ref().as_ref() {
                "entry" => self.entries = many(value, findings),
                "default" => one(self.default.get_or_insert_default(), value, findings),
                "temporary" => one(self.temporary.get_or_insert_default(), value, findings),
                _ => findings.within("authorization", |f| unknown(key, MAP_TABLES.into_iter(), f)),
            }
        }
    }
}

/// `listener.mqtt`, or by its number while it has no name.
pub(crate) fn listener_key(index: usize, listener: &ListenerOptions) -> String {
    match listener.name.given() {
        Some(name) => format!("{}.{}", ListenerOptions::PATH, name.value.as_str()),
        None => numbered(ListenerOptions::PATH, index),
    }
}

/// `authorization.entry[1]` for the first.
pub(crate) fn numbered(path: &str, index: usize) -> String {
    format!("{path}[{}]", index + 1)
}

fn one<S: Section>(section: &mut S, value: &Spanned<DeValue<'_>>, findings: &mut Findings<'_>) {
    findings.within(S::PATH, |findings| {
        if let Some(table) = table(value, findings) {
            *section = S::read(table, findings);
        }
    });
}

fn many<S: Section>(value: &Spanned<DeValue<'_>>, findings: &mut Findings<'_>) -> Vec<At<S>> {
    let wanted = format!("a table of its own for each, under [[{}]]", S::PATH);
    let Some(list) = value.get_ref().as_array() else {
        findings.within(S::PATH, |f| wrong_type(value, &wanted, f));
        return Vec::new();
    };
    if list.len() > MOST {
        let what = format!("{} tables are too many", list.len());
        findings.within(S::PATH, |f| f.fault("too-many", None, what, format!("write at most {MOST}")));
        return Vec::new();
    }
    let mut read = Vec::new();
    for (index, item) in list.iter().enumerate() {
        let key = by_name(item).unwrap_or_else(|| numbered(S::PATH, index));
        let section = findings.within(key, |f| table(item, f).map(|table| S::read(table, f)));
        read.extend(section.map(|value| At { value, span: Some(header(item.span(), findings)) }));
    }
    read
}

/// A listener is called by its name in faults, as far as it has one.
fn by_name(item: &Spanned<DeValue<'_>>) -> Option<String> {
    let name = item.get_ref().as_table()?.get("name")?.get_ref().as_str()?;
    let plain = name.len() <= 50 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    plain.then(|| format!("{}.{name}", ListenerOptions::PATH))
}

/// Of a table only its head is meant when something is missing in it.
fn header(span: Span, findings: &Findings<'_>) -> Span {
    findings.first_line(span)
}

fn table<'v, 'i>(value: &'v Spanned<DeValue<'i>>, findings: &mut Findings<'_>) -> Option<&'v DeTable<'i>> {
    let table = value.get_ref().as_table();
    if table.is_none() {
        wrong_type(value, "a table, under a head such as [broker]", findings);
    }
    table
}

#[cfg(test)]
mod tests;
