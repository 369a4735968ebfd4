//! Options that are lists: networks, groups, patterns.

use std::sync::Arc;

use ipnet::IpNet;
use keepmq_model::Pattern;
use toml::Spanned;
use toml::de::DeValue;

use crate::address::{Posture, parse_net};
use crate::findings::Findings;
use crate::name::check_name;
use crate::option::{Section, Setting, wrong_type};
use crate::sections::IngressOptions;
use crate::value::{quoted, text};

/// Every group (of a user who has one).
pub(crate) const ANY_GROUP: &str = "*";

/// Groups of users.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Groups(pub(crate) Vec<Arc<str>>);

impl Setting for Groups {
    const FORM: &'static str = "a list of groups such as [\"admins\", \"users\"]; \"*\" is every group";

    fn read(value: &Spanned<DeValue<'_>>, findings: &mut Findings<'_>) -> Option<Self> {
        let form = || "write the name that users carry it by, or \"*\" for every group".to_owned();
        each(value, Self::FORM, "group", findings, |text| {
            if text != ANY_GROUP {
                check_name(text)
                    .map_err(|fault| (format!("{} is not a group: {fault}", quoted(text)), form()))?;
            }
            Ok(text.into())
        })
        .map(Self)
    }

    fn show(&self) -> Option<String> {
        Some(show_list(&self.0))
    }
}

impl Setting for Vec<IpNet> {
    const FORM: &'static str = "a list of networks such as [\"10.0.0.0/8\", \"fd00::/8\"]";

    fn read(value: &Spanned<DeValue<'_>>, findings: &mut Findings<'_>) -> Option<Self> {
        each(value, Self::FORM, "network", findings, parse_net)
    }

    fn show(&self) -> Option<String> {
        Some(show_list(self))
    }
}

/// Patterns of destinations; one text with commas between them, as in `ActiveMQ`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Patterns(pub(crate) Vec<Pattern>);

impl Setting for Patterns {
    const FORM: &'static str = "a pattern such as \"ORDERS.>\", or several with commas between them";

    fn read(value: &Spanned<DeValue<'_>>, findings: &mut Findings<'_>) -> Option<Self> {
        let written = text(value, Self::FORM, findings)?;
        let mut patterns = Vec::new();
        for part in written.split(',').map(str::trim) {
            match Pattern::new(part) {
                Ok(pattern) => patterns.push(pattern),
                Err(fault) => {
                    let what = format!("{} is not a pattern: {fault}", quoted(part));
                    let remedy = "write segments with dots between them; `*` is one segment, `>` at the end any number";
                    findings.fault("pattern", Some(&value.span()), what, remedy);
                }
            }
        }
        Some(Self(patterns))
    }

    fn show(&self) -> Option<String> {
        Some(quoted(&self.0.iter().map(Pattern::as_str).collect::<Vec<_>>().join(",")))
    }
}

impl Setting for IngressOptions {
    const FORM: &'static str = "a table such as { allow = [\"10.0.0.0/8\"], deny = [\"10.9.0.0/16\"] }";

    fn read(value: &Spanned<DeValue<'_>>, findings: &mut Findings<'_>) -> Option<Self> {
        let Some(table) = value.get_ref().as_table() else {
            wrong_type(value, Self::FORM, findings);
            return None;
        };
        Some(<Self as Section>::read(table, findings))
    }

    fn show(&self) -> Option<String> {
        Some(format!("{{ allow = {}, deny = {} }}", show_list(&self.allow), show_list(&self.deny)))
    }

    fn is_weak(&self) -> bool {
        let ends = |net: &IpNet| [net.network(), net.broadcast()];
        self.allow.iter().flat_map(ends).any(|address| Posture::of(address).is_public())
    }
}

/// Reads a list of texts. Each bad one is told of; the good ones are kept, so that no follow-up says "missing".
fn each<T>(
    value: &Spanned<DeValue<'_>>,
    form: &str,
    code: &'static str,
    findings: &mut Findings<'_>,
    parse: impl Fn(&str) -> Result<T, (String, String)>,
) -> Option<Vec<T>> {
    let Some(list) = value.get_ref().as_array() else {
        wrong_type(value, form, findings);
        return None;
    };
    let mut read = Vec::new();
    for item in list {
        let Some(text) = text(item, form, findings) else { continue };
        match parse(text) {
            Ok(one) => read.push(one),
            Err((what, remedy)) => findings.fault(code, Some(&item.span()), what, remedy),
        }
    }
    Some(read)
}

fn show_list(list: &[impl ToString]) -> String {
    let texts: Vec<String> = list.iter().map(|one| quoted(&one.to_string())).collect();
    format!("[{}]", texts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::{fault_of, read, read_one};

    #[test]
    fn each_bad_network_of_a_list_is_told_of() {
        let (nets, report) = read::<Vec<IpNet>>("[\"10.0.0.0/8\", \"10.0.0.0/99\", \"here\", 5]");
        assert_eq!(nets.unwrap().len(), 1);
        let codes: Vec<_> = report.faults.iter().map(|fault| fault.code).collect();
        assert_eq!(codes, ["network", "network", "type"]);
        let columns: Vec<_> = report.faults.iter().map(|f| f.place.as_ref().unwrap().column).collect();
        assert_eq!(columns, [20, 35, 43]);
    }

    #[test]
    fn groups_are_a_list_and_not_a_text() {
        let (code, _, remedy) = fault_of::<Groups>("\"admins,users\"");
        assert_eq!(code, "type");
        assert!(remedy.contains("[\"admins\", \"users\"]"));
        assert_eq!(read_one::<Groups>("[\"*\", \"users\"]").unwrap().0.len(), 2);
    }

    #[test]
    fn a_group_with_a_comma_is_refused() {
        let (_, report) = read::<Groups>("[\"admins,users\", \"ok\"]");
        assert_eq!(report.faults[0].code, "group");
        assert!(report.faults[0].what.contains("letters, digits"));
    }

    #[test]
    fn patterns_are_divided_by_commas() {
        let patterns = read_one::<Patterns>("\"A.>, B.*.C,D\"").unwrap();
        assert_eq!(patterns.0.iter().map(Pattern::as_str).collect::<Vec<_>>(), ["A.>", "B.*.C", "D"]);
        assert_eq!(patterns.show().unwrap(), "\"A.>,B.*.C,D\"");
    }

    #[test]
    fn each_bad_pattern_is_told_of() {
        let (patterns, report) = read::<Patterns>("\"A.>.B,,OK\"");
        assert_eq!(patterns.unwrap().0.len(), 1);
        assert_eq!(report.faults.len(), 2);
        assert!(report.faults[0].what.contains("A.>.B"));
    }

    #[test]
    fn ingress_is_a_table_whose_unknown_keys_are_told_of() {
        let ingress = read_one::<IngressOptions>("{ allow = [\"::1\"], deny = [] }").unwrap();
        assert_eq!(ingress.show().unwrap(), "{ allow = [\"::1/128\"], deny = [] }");
        assert_eq!(fault_of::<IngressOptions>("[\"10.0.0.0/8\"]").0, "type");
        let (_, report) = read::<IngressOptions>("{ alow = [] }");
        assert_eq!(report.faults[0].code, "unknown-key");
        assert!(report.faults[0].remedy.contains("`allow`"));
    }
}
