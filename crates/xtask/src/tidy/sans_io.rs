//! State machines without tasks, sockets, locks or channels: the shards of the core and the protocols. They take events
//! and give back what is to be done, so that a simulator runs the very code that ships, and no test needs a socket.
//!
//! Files and the environment are not looked for here (clippy has those), nor cells and atomics.

use super::bans::{self, Ban};
use super::fault::Fault;
use super::house;
use super::source::Source;

const INPUT: &str = "take events as input and return what is to be done; the shell around waits";
const SINGLE: &str = "the one owner changes its state; hand results back as output";

const RUNTIME: [Ban; 9] = [
    (&["async"], INPUT),
    (&["await"], INPUT),
    (&["tokio"], INPUT),
    (&["async_std"], INPUT),
    (&["futures"], INPUT),
    (&["std", "thread"], INPUT),
    (&["std", "net"], INPUT),
    (&["core", "net"], INPUT),
    (&["std", "process"], INPUT),
];

const SHARING: [Ban; 7] = [
    (&["Mutex"], SINGLE),
    (&["RwLock"], SINGLE),
    (&["Condvar"], SINGLE),
    (&["mpsc"], SINGLE),
    (&["parking_lot"], SINGLE),
    (&["crossbeam_channel"], SINGLE),
    (&["flume"], SINGLE),
];

/// Judges one file.
pub(crate) fn check(source: &Source) -> Vec<Fault> {
    let is_shard = is_shard(&source.path);
    let mut faults = Vec::new();
    if is_shard || house::is_protocol(&source.krate) {
        faults.extend(bans::check(source, &RUNTIME, "a state machine without I/O"));
    }
    if is_shard {
        faults.extend(bans::check(source, &SHARING, "a shard"));
    }
    faults
}

fn is_shard(path: &str) -> bool {
    let inside = path.strip_prefix("crates/").and_then(|rest| rest.strip_prefix(house::CORE));
    inside.is_some_and(|inside| inside == "/src/shard.rs" || inside.starts_with("/src/shard/"))
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::source::Source;

    const SHARD: &str = "crates/keepmq-core/src/shard/queue.rs";
    const GATE: &str = "crates/keepmq-core/src/gate.rs";
    const PROTOCOL: &str = "crates/keepmq-stomp/src/session.rs";

    fn faults(path: &str, code: &str) -> usize {
        check(&Source::parse(path, code).unwrap()).len()
    }

    #[test]
    fn shards_and_protocols_do_not_wait() {
        for bad in [
            "async fn a() {}",
            "use std::{fmt, net::TcpStream};",
            "fn a() { std::thread::sleep(b); }",
            "fn a() { tokio::spawn(b); }",
        ] {
            assert_eq!(faults(SHARD, bad), 1, "{bad}");
            assert_eq!(faults(PROTOCOL, bad), 1, "{bad}");
            assert_eq!(faults("crates/keepmq-net/src/driver.rs", bad), 0, "{bad}");
        }
        assert_eq!(faults(SHARD, "fn a() { async { b.await } }"), 2);
    }

    #[test]
    fn shards_have_no_locks_and_no_channels() {
        for bad in ["use std::sync::Mutex;", "use parking_lot::RwLock;", "use std::sync::mpsc::Sender;"] {
            assert_eq!(faults(SHARD, bad), 1, "{bad}");
            assert_eq!(faults("crates/keepmq-core/src/shard.rs", bad), 1, "{bad}");
            assert_eq!(faults(GATE, bad), 0, "{bad}");
        }
    }

    #[test]
    fn plain_state_is_fine() {
        assert_eq!(faults(SHARD, "/// Without async.\nstruct A { waiting: u8, channel: u8 }"), 0);
    }

    #[test]
    fn macros_hide_nothing_and_tests_are_free() {
        assert_eq!(faults(PROTOCOL, "fn a() { select! { b = c.await => d } }"), 1);
        assert_eq!(faults(SHARD, "#[cfg(test)]\nmod tests { use std::sync::Mutex; }"), 0);
        assert_eq!(faults("crates/keepmq-core/src/shard/tests.rs", "use std::thread;"), 0);
    }

    #[test]
    fn only_the_folder_of_the_shards_is_one() {
        for path in
            ["crates/keepmq-core/src/sharding.rs", "crates/keepmq-store/src/shard/a.rs", "fuzz/shard.rs"]
        {
            assert_eq!(faults(path, "use std::sync::Mutex;"), 0, "{path}");
        }
    }
}
