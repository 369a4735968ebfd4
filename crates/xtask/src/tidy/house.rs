//! The house: which crates there are, and which rooms they may look into. The table is the one of the design, for crates
//! that are still to come as well; a rule applies as soon as its crate is there. The questions below the table are what
//! the other rules ask, so that a crate's duties are written down once.

/// One crate and the crates of ours that it may depend on.
pub(crate) struct Room {
    /// Package and folder name.
    pub name: &'static str,
    /// Direct, normal and build dependencies inside the workspace.
    pub may_use: &'static [&'static str],
}

const MODEL: &str = "keepmq-model";
const POLICY: &str = "keepmq-policy";
const SELECTOR: &str = "keepmq-selector";
const STORE: &str = "keepmq-store";
pub(crate) const CORE: &str = "keepmq-core";
const OPENWIRE: &str = "keepmq-openwire";
const AMQP: &str = "keepmq-amqp";
const MQTT: &str = "keepmq-mqtt";
const STOMP: &str = "keepmq-stomp";
const CONFIG: &str = "keepmq-config";
const IDENTITY: &str = "keepmq-identity";
const NET: &str = "keepmq-net";
const ADMIN: &str = "keepmq-admin";
const FLEET: &str = "keepmq-fleet";
const JETSTREAM: &str = "keepmq-store-jetstream";
const BENCH: &str = "keepmq-bench";
const BINARY: &str = "keepmq";
pub(crate) const SIM: &str = "keepmq-sim";
const XTASK: &str = "xtask";

/// The crates that speak one wire protocol each.
pub(crate) const PROTOCOLS: [&str; 4] = [OPENWIRE, AMQP, MQTT, STOMP];

/// For development only: nobody may depend on them.
pub(crate) const DEVELOPMENT: [&str; 2] = [SIM, XTASK];

/// Every crate of the workspace.
#[rustfmt::skip]
pub(crate) const HOUSE: [Room; 19] = [
    Room { name: MODEL, may_use: &[] },
    Room { name: POLICY, may_use: &[MODEL] },
    Room { name: SELECTOR, may_use: &[MODEL] },
    Room { name: STORE, may_use: &[] },
    Room { name: CORE, may_use: &[MODEL, POLICY, SELECTOR, STORE] },
    Room { name: OPENWIRE, may_use: &[MODEL] },
    Room { name: AMQP, may_use: &[MODEL] },
    Room { name: MQTT, may_use: &[MODEL] },
    Room { name: STOMP, may_use: &[MODEL] },
    Room { name: CONFIG, may_use: &[MODEL, POLICY] },
    Room { name: IDENTITY, may_use: &[MODEL, CONFIG] },
    // No protocol: sessions reach it as `Box<dyn Session>` made by the binary. No policy: its types come through core.
    Room { name: NET, may_use: &[MODEL, CORE, IDENTITY, CONFIG] },
    Room { name: ADMIN, may_use: &[MODEL, CORE, CONFIG] },
    Room { name: FLEET, may_use: &[CONFIG] },
    Room { name: JETSTREAM, may_use: &[STORE] },
    Room { name: BENCH, may_use: &[MODEL, OPENWIRE, AMQP, MQTT, STOMP] },
    Room { name: BINARY, may_use: &[
        MODEL, POLICY, SELECTOR, STORE, CORE, OPENWIRE, AMQP, MQTT, STOMP, CONFIG, IDENTITY, NET, ADMIN, FLEET,
        JETSTREAM, BENCH,
    ] },
    Room { name: SIM, may_use: &[MODEL, POLICY, SELECTOR, STORE, CORE, OPENWIRE, AMQP, MQTT, STOMP, CONFIG, NET] },
    Room { name: XTASK, may_use: &[] },
];

/// The row of a crate.
pub(crate) fn room(name: &str) -> Option<&'static Room> {
    HOUSE.iter().find(|room| room.name == name)
}

/// Speaks a wire protocol: no sockets, no runtime, no rights.
pub(crate) fn is_protocol(name: &str) -> bool {
    PROTOCOLS.contains(&name)
}

/// Must give the same answer for the same input: no clock, no chance.
pub(crate) fn is_deterministic(name: &str) -> bool {
    is_protocol(name) || [MODEL, POLICY, SELECTOR, CORE].contains(&name)
}

/// Must not stand on an asynchronous runtime.
pub(crate) fn is_free_of_runtime(name: &str) -> bool {
    is_deterministic(name) || name == STORE
}

/// Carries requests to the gate and must not judge them itself.
pub(crate) fn is_outside_the_gate(name: &str) -> bool {
    is_protocol(name) || [NET, ADMIN].contains(&name)
}

/// May name `Permit`: the maker and the one who demands it.
pub(crate) fn may_name_permits(name: &str) -> bool {
    [POLICY, CORE].contains(&name)
}

/// Could call the policy by its place in the crate graph.
pub(crate) fn can_reach_policy(name: &str) -> bool {
    room(name).is_some_and(|room| room.may_use.contains(&POLICY))
}

/// Whose mistakes lose messages: twice the tests of the others.
pub(crate) fn is_keeper(name: &str) -> bool {
    [CORE, STORE].contains(&name)
}

/// Declares words and does little with them.
pub(crate) fn is_vocabulary(name: &str) -> bool {
    name == MODEL
}

/// Has its tests elsewhere, or is one.
pub(crate) fn is_tested_from_outside(name: &str) -> bool {
    [BINARY, SIM].contains(&name)
}

#[cfg(test)]
mod tests {
    use super::{DEVELOPMENT, HOUSE, can_reach_policy, is_free_of_runtime, is_outside_the_gate, room};

    #[test]
    fn every_row_names_rooms_that_exist_and_none_for_development() {
        for used in HOUSE.iter().flat_map(|room| room.may_use) {
            assert!(room(used).is_some(), "{used} has no row");
            assert!(!DEVELOPMENT.contains(used), "{used} is for development");
        }
    }

    #[test]
    fn the_graph_has_no_circle() {
        let mut settled: Vec<&str> = Vec::new();
        while let Some(next) = HOUSE.iter().find(|room| {
            !settled.contains(&room.name) && room.may_use.iter().all(|used| settled.contains(used))
        }) {
            settled.push(next.name);
        }
        assert_eq!(settled.len(), HOUSE.len());
    }

    #[test]
    fn rooms_have_the_duties_that_the_design_gives_them() {
        assert!(is_free_of_runtime("keepmq-store") && !is_free_of_runtime("keepmq-net"));
        assert!(is_outside_the_gate("keepmq-admin") && !is_outside_the_gate("keepmq-core"));
        assert!(can_reach_policy("keepmq-core") && !can_reach_policy("keepmq-mqtt"));
    }
}
