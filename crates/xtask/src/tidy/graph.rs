//! The crate graph is the one of the design. It is the first wall: what a crate cannot name it cannot misuse. A protocol
//! that cannot name the core can only say a verb, and the gate is then the only place where rights are judged.
//!
//! The runtime is looked for along the whole way down, with the features that the workspace as a whole asks for.

use super::fault::Fault;
use super::house;
use super::metadata::{Dependency, Metadata, Package};
use super::test_code::TEST_FEATURES;

/// Judges what the crates depend on.
pub(crate) fn check(metadata: &Metadata) -> Vec<Fault> {
    let ours: Vec<&str> = metadata.members().map(|package| package.name.as_str()).collect();
    let mut faults = Vec::new();
    for package in metadata.members() {
        let Some(room) = house::room(&package.name) else {
            faults.push(Fault::of(
                &package.manifest(),
                format!("`{}` is not in the design's table of crates", package.name),
                "add its row to ARCHITECTURE.md and crates/xtask/src/tidy/house.rs, or make it a module",
            ));
            continue;
        };
        let inside =
            package.dependencies.iter().filter(|dependency| ours.contains(&dependency.name.as_str()));
        faults.extend(inside.filter_map(|dependency| dependency_fault(package, room.may_use, dependency)));
        faults.extend(runtime_fault(metadata, package));
        faults.extend(test_feature_fault(package));
    }
    faults
}

fn dependency_fault(package: &Package, may_use: &[&str], dependency: &Dependency) -> Option<Fault> {
    let (from, to) = (package.name.as_str(), dependency.name.as_str());
    let fault = |wrong: String, remedy: &str| Some(Fault::of(&package.manifest(), wrong, remedy));
    if house::DEVELOPMENT.contains(&to) {
        return fault(format!("`{from}` depends on `{to}`, which is for development only"), "take it out");
    }
    // Tests may build a neighbour to talk to; only a protocol that knows the core would not be tested as a stranger.
    if dependency.is_for_tests() {
        if house::is_protocol(from) && to == house::CORE {
            return fault(
                format!("the tests of `{from}` depend on `{to}`"),
                "test the session by its verbs; what needs a broker belongs into tests/interop",
            );
        }
        return None;
    }
    if may_use.contains(&to) {
        return None;
    }
    let allowed = if may_use.is_empty() { "none of ours".to_owned() } else { may_use.join(", ") };
    fault(
        format!("`{from}` depends on `{to}`; it may use {allowed}"),
        "speak through a trait of keepmq-model, or wire it in the binary",
    )
}

/// Code behind a feature for tests is judged as tests, so nothing that ships may turn the feature on.
fn test_feature_fault(package: &Package) -> Option<Fault> {
    if house::DEVELOPMENT.contains(&package.name.as_str()) {
        return None;
    }
    let shipped = package.dependencies.iter().filter(|dependency| !dependency.is_for_tests());
    let asked = shipped.flat_map(|dependency| &dependency.features);
    let default = package.features.get("default").into_iter().flatten();
    // `store/testing` turns it on in a dependency.
    let is_for_tests = |feature: &&String| {
        let name = feature.rsplit('/').next().unwrap_or_default();
        TEST_FEATURES.contains(&name)
    };
    let feature = asked.chain(default).find(is_for_tests)?;
    let wrong = format!("turns on `{feature}`, which is for tests");
    Some(Fault::of(&package.manifest(), wrong, "ask for it under [dev-dependencies]"))
}

/// Crates that stand on no asynchronous runtime, neither directly nor by what they use.
fn runtime_fault(metadata: &Metadata, package: &Package) -> Option<Fault> {
    if !house::is_free_of_runtime(&package.name) {
        return None;
    }
    // The tests of state machines drive them by hand; with a runtime at hand they would not.
    let tests_too = house::is_protocol(&package.name) || package.name == house::CORE;
    let is_runtime = |name: &str| name == "tokio" || name.starts_with("tokio-");
    let way = metadata.way_to(package, tests_too, is_runtime)?;
    Some(Fault::of(
        &package.manifest(),
        format!("stands on an asynchronous runtime: {}", way.join(" -> ")),
        "do without: this crate neither waits nor spawns",
    ))
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::metadata::Metadata;

    fn faults(lines: &[&str]) -> Vec<String> {
        check(&Metadata::made_of(lines)).into_iter().map(|fault| fault.wrong).collect()
    }

    #[test]
    fn the_graph_of_the_design_passes() {
        let lines = [
            "keepmq-core keepmq-policy",
            "keepmq-policy keepmq-model",
            "keepmq-net tokio",
            "keepmq keepmq-net",
        ];
        assert_eq!(faults(&lines), [""; 0]);
    }

    #[test]
    fn a_way_that_the_design_does_not_know_is_a_fault() {
        for bad in [
            "keepmq-net keepmq-mqtt",
            "keepmq-store keepmq-model",
            "keepmq-admin keepmq-policy build",
            "xtask keepmq-config",
        ] {
            assert_eq!(faults(&[bad]).len(), 1, "{bad}");
        }
    }

    #[test]
    fn tests_may_use_more_but_protocols_never_the_core() {
        assert_eq!(faults(&["keepmq-net keepmq-mqtt dev"]), [""; 0]);
        assert_eq!(faults(&["keepmq-mqtt keepmq-core dev"]).len(), 1);
    }

    #[test]
    fn nobody_depends_on_development_crates() {
        assert_eq!(faults(&["keepmq-core keepmq-sim dev"]).len(), 1);
        assert_eq!(faults(&["keepmq xtask"]).len(), 1);
    }

    #[test]
    fn a_crate_without_a_row_is_a_fault() {
        assert_eq!(faults(&["keepmq-extra"]).len(), 1);
    }

    #[test]
    fn no_runtime_below_the_core_and_the_protocols() {
        assert_eq!(faults(&["keepmq-store tokio dev"]), [""; 0]);
        for bad in
            ["keepmq-store tokio", "keepmq-core tokio dev", "keepmq-mqtt tokio-util", "keepmq-model tokio"]
        {
            assert_eq!(faults(&[bad]).len(), 1, "{bad}");
        }
        let below = faults(&["keepmq-stomp codec", "codec tokio"]);
        assert_eq!(below, ["stands on an asynchronous runtime: keepmq-stomp -> codec -> tokio"]);
    }

    #[test]
    fn features_for_tests_do_not_ship() {
        assert_eq!(faults(&["keepmq-core keepmq-store dev testing"]), [""; 0]);
        assert_eq!(faults(&["keepmq-sim keepmq-store normal testing"]), [""; 0]);
        assert_eq!(faults(&["keepmq-core keepmq-store normal testing"]).len(), 1);
    }
}
