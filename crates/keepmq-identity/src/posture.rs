//! Judges the users by the configuration: what is sound in each file can still leave a door open, or nobody a key.

use std::collections::BTreeSet;

use keepmq_config::{CONSOLE_GROUP, Config, Fault, Report};

use crate::users::{User, Users};

/// Groups that the map may name though no user has them: every group, and the console's own.
const OF_NO_USER: [&str; 2] = ["*", CONSOLE_GROUP];

/// Judges the users by the configuration.
pub fn judge(config: &Config, users: &Users) -> Report {
    let mut report = Report::default();
    let fault = |code, what: String, remedy: &str| {
        let (file, key, remedy) = (config.users.display().to_string(), "users".to_owned(), remedy.to_owned());
        Fault { code, file, place: None, key, what, remedy }
    };
    let enabled = || users.list().iter().filter(|user| !user.is_disabled());
    if enabled().next().is_none() {
        let public = config.listeners.iter().find(|listener| listener.posture.is_public());
        let remedy = "add one with `keepmq user add`";
        match public {
            Some(listener) => {
                let what =
                    format!("the listener {} is public, and there is no user who may log in", listener.name);
                report.faults.push(fault("public-without-users", what, remedy));
            }
            None => report.warnings.push(fault("no-users", "no user may log in".to_owned(), remedy)),
        }
        return report;
    }
    let carried: BTreeSet<&str> = enabled().flat_map(User::groups).map(|group| &**group).collect();
    let named = granted_groups(config);
    let unused: Vec<&str> = named.difference(&carried).copied().filter(|g| !OF_NO_USER.contains(g)).collect();
    if !unused.is_empty() {
        let what = format!("the map names groups that no user has: {}", unused.join(", "));
        let remedy = "mend the name in the map, or give it to a user with `keepmq user groups`";
        report.warnings.push(fault("group-without-users", what, remedy));
    }
    report
}

/// All groups that the map gives something to.
fn granted_groups(config: &Config) -> BTreeSet<&str> {
    let map = &config.map;
    let entries = map.entries().iter().map(|entry| &entry.grants);
    let grants = entries.chain(map.default_grants()).chain(map.temporary());
    grants.flat_map(|of| of.read.iter().chain(&of.write).chain(&of.admin)).map(|group| &**group).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::hash::Hash;

    const PRIVATE: &str = "[[listener]]\nname = \"m\"\nprotocol = \"mqtt\"\n";
    const PUBLIC: &str = "[[listener]]\nname = \"m\"\nprotocol = \"mqtt\"\naddress = \"8.8.8.8\"\npublic = true\ningress = { allow = [\"::/0\"] }\n";
    const REST: &str = "[tls]\ncertificate = \"a\"\nkey = \"b\"\n[authorization.default]\nread = [\"readers\", \"*\"]\nwrite = [\"writers\", \"activemq-webconsole\"]\nadmin = [\"admins\"]\n";

    fn codes(listener: &str, users: &[(&str, &[&str], bool)]) -> (Vec<&'static str>, Vec<String>) {
        let config = keepmq_config::judge(&format!("{listener}{REST}"), Path::new("/")).unwrap().config;
        let mut list = Users::default();
        for (name, groups, disabled) in users {
            let groups = groups.iter().map(|group| (*group).into()).collect();
            let hash = Hash::of_nobody().unwrap();
            list.insert(User { name: (*name).into(), groups, hash, old: None, disabled: *disabled }).unwrap();
        }
        let report = judge(&config, &list);
        let faults = report.faults.iter().map(|fault| fault.code).collect();
        (faults, report.warnings.iter().map(|warning| format!("{} {}", warning.code, warning.what)).collect())
    }

    #[test]
    fn a_public_listener_without_users_is_a_fault() {
        assert_eq!(codes(PUBLIC, &[]).0, ["public-without-users"]);
        assert_eq!(codes(PUBLIC, &[("ann", &["admins"], true)]).0, ["public-without-users"], "disabled");
        assert_eq!(codes(PUBLIC, &[("ann", &["admins"], false)]).0, [""; 0]);
    }

    #[test]
    fn a_private_broker_without_users_is_a_warning() {
        assert_eq!(codes(PRIVATE, &[]), (vec![], vec!["no-users no user may log in".to_owned()]));
    }

    #[test]
    fn groups_that_nobody_has_are_told_of() {
        let (_, warnings) =
            codes(PRIVATE, &[("ann", &["admins", "readers"], false), ("bob", &["writers"], true)]);
        assert_eq!(warnings, ["group-without-users the map names groups that no user has: writers"]);
        let all = [("ann", &["admins", "readers", "writers"][..], false)];
        assert_eq!(codes(PRIVATE, &all).1, [""; 0]);
    }
}
