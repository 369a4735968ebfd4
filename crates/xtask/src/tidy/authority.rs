//! One door: only the policy decides, only the gate asks it, and nobody outside checks rights a second time. A second
//! check is how bypasses are born: it is forgotten on a side path, or it disagrees with the first.
//!
//! It goes by names. A check of rights that is called `is_member` or `may_send` is not recognized; that a session has
//! no policy to ask, which the crate graph sees to, is the stronger wall.

use super::fault::Fault;
use super::house;
use super::paths::NamedPath;
use super::source::Source;

/// The entrances of the policy.
const DECIDERS: [&str; 2] = ["decide", "decide_internal"];
const PERMIT: &str = "Permit";

/// Names of other libraries that are no check of rights: an HTTP header, and the counted places of a semaphore.
const INNOCENT: [&str; 8] = [
    "AUTHORIZATION",
    "Authorization",
    "PROXY_AUTHORIZATION",
    "OwnedSemaphorePermit",
    "SemaphorePermit",
    "add_permits",
    "available_permits",
    "forget_permits",
];
/// `authorization_map` and its like name the operator's document, which may be shown and carried around.
const DOCUMENT: [&str; 4] = ["map", "maps", "entry", "entries"];

/// Judges one file.
pub(crate) fn check(source: &Source) -> Vec<Fault> {
    let mut faults: Vec<Fault> = source.shipped_paths().flat_map(|path| judge(source, path)).collect();
    faults.sort();
    faults.dedup();
    faults
}

fn judge(source: &Source, path: &NamedPath) -> Vec<Fault> {
    let fault = |wrong: String, remedy: &str| Fault::at(&source.path, path.line, wrong, remedy);
    let mut faults = Vec::new();
    for name in &path.segments {
        if name == PERMIT && !house::may_name_permits(&source.krate) {
            faults.push(fault("`Permit` is named outside policy and core".to_owned(), "go through the gate"));
        } else if may_not_decide(source) && DECIDERS.contains(&name.as_str()) {
            faults.push(fault(format!("`{name}` is called outside core's gate"), "ask the gate"));
        } else if house::is_outside_the_gate(&source.krate) && checks_rights(name) {
            let wrong = format!("`{name}` sounds like a check of rights");
            faults.push(fault(
                wrong,
                "say the verb and let the gate judge; a counted place is a slot, not a permit",
            ));
        }
    }
    faults
}

/// Crates that could call the policy by the crate graph, except for the gate. The simulation is free to ask.
fn may_not_decide(source: &Source) -> bool {
    let gate = ["crates/keepmq-core/src/gate.rs", "crates/keepmq-core/src/gate/"];
    let is_gate = gate.iter().any(|place| source.path.starts_with(place));
    house::can_reach_policy(&source.krate) && !is_gate && !house::DEVELOPMENT.contains(&source.krate.as_str())
}

/// Whether an identifier speaks of granting rights. What a peer is told (`NotAuthorized`) is free.
fn checks_rights(name: &str) -> bool {
    if INNOCENT.contains(&name) {
        return false;
    }
    let words = words(name);
    (0..words.len()).any(|at| {
        let word = words[at].as_str();
        let before = at.checked_sub(1).and_then(|before| words.get(before)).map(String::as_str);
        let after = words.get(at + 1).map(String::as_str);
        let is_document = word == "authorization" && after.is_some_and(|after| DOCUMENT.contains(&after));
        is_about_rights(word) && before != Some("not") && !is_document
    })
}

fn is_about_rights(word: &str) -> bool {
    let begins = ["authoriz", "authoris", "permit", "permission", "privilege", "decide"];
    begins.iter().any(|begin| word.starts_with(begin)) || ["acl", "acls"].contains(&word)
}

/// The words of `snake_case`, `CamelCase` and `SCREAMING_CASE`, in small letters.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut after_small = false;
    let mut fresh = true;
    for letter in name.chars() {
        if !letter.is_alphanumeric() {
            fresh = true;
            continue;
        }
        if fresh || (letter.is_uppercase() && after_small) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.extend(letter.to_lowercase());
        }
        after_small = !letter.is_uppercase();
        fresh = false;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::{check, checks_rights, words};
    use crate::tidy::source::Source;

    fn faults(path: &str, code: &str) -> usize {
        check(&Source::parse(&format!("crates/{path}"), code).unwrap()).len()
    }

    #[test]
    fn names_fall_apart_into_words() {
        assert_eq!(words("is_authorizedFor2"), ["is", "authorized", "for2"]);
        assert_eq!(words("NOT_AUTHORIZED"), ["not", "authorized"]);
        assert_eq!(words("AclEntry"), ["acl", "entry"]);
    }

    #[test]
    fn checks_of_rights_are_recognized() {
        for bad in [
            "is_authorized",
            "authorise",
            "Authorizer",
            "permitted",
            "check_acl",
            "AclCache",
            "decide",
            "permissions",
        ] {
            assert!(checks_rights(bad), "{bad}");
        }
    }

    #[test]
    fn refusals_headers_and_ordinary_words_are_free() {
        for good in [
            "NotAuthorized",
            "NOT_AUTHORIZED",
            "unauthorized_access",
            "AUTHORIZATION",
            "OwnedSemaphorePermit",
            "authorization_map",
            "oracle",
            "author",
            "grant",
            "decode",
            "Forbidden",
        ] {
            assert!(!checks_rights(good), "{good}");
        }
    }

    #[test]
    fn protocols_net_and_admin_check_no_rights() {
        let bad = "fn on_publish(&self) { if !self.acl.allows(topic) { return } }";
        for krate in ["keepmq-mqtt", "keepmq-net", "keepmq-admin"] {
            assert_eq!(faults(&format!("{krate}/src/session.rs"), bad), 1, "{krate}");
        }
        assert_eq!(faults("keepmq-core/src/gate.rs", bad), 0);
        let good = "// not authorized by the acl\nfn a() { refuse(NotAuthorized, \"not authorized\") }";
        assert_eq!(faults("keepmq-mqtt/src/refusal.rs", good), 0);
    }

    #[test]
    fn permits_are_named_in_policy_and_core_only() {
        let code = "fn a(permit: &Permit<Read>) {}";
        for krate in ["keepmq-policy", "keepmq-core"] {
            assert_eq!(faults(&format!("{krate}/src/lib.rs"), code), 0, "{krate}");
        }
        for krate in ["keepmq-model", "keepmq-store", "keepmq"] {
            assert_eq!(faults(&format!("{krate}/src/lib.rs"), code), 1, "{krate}");
        }
    }

    #[test]
    fn only_the_gate_asks_the_policy() {
        for code in [
            "use keepmq_policy::decide;",
            "use keepmq_policy as p;\nfn a() { p::decide(); }",
            "fn a() { decide() }",
        ] {
            assert_eq!(faults("keepmq-core/src/gate/admit.rs", code), 0, "{code}");
            assert_eq!(faults("keepmq-core/src/gate.rs", code), 0, "{code}");
            assert_eq!(faults("keepmq-core/src/shard/queue.rs", code), 1, "{code}");
            assert_eq!(faults("keepmq/src/main.rs", code), 1, "{code}");
        }
        assert_eq!(faults("keepmq-policy/src/lib.rs", "pub fn decide() {}"), 0);
        assert_eq!(faults("keepmq-store/src/compaction.rs", "fn decide() {}"), 0);
    }

    #[test]
    fn tests_may_speak_of_rights_and_macros_do_not_hide_it() {
        let test = "#[cfg(test)]\nmod tests { fn denied_without_acl() { permit(); } }";
        assert_eq!(faults("keepmq-mqtt/src/session.rs", test), 0);
        assert_eq!(faults("keepmq-mqtt/tests/denied.rs", "fn without_acl() {}"), 0);
        assert_eq!(faults("keepmq-mqtt/src/session.rs", "fn a() { log!(\"x {}\", self.permitted); }"), 1);
    }

    #[test]
    fn a_name_is_reported_once_a_line() {
        assert_eq!(faults("keepmq-net/src/lib.rs", "use crate::acl::{one, two, three};"), 1);
        assert_eq!(faults("keepmq-net/src/lib.rs", "use crate::acl::{one,\n two};"), 2);
    }
}
