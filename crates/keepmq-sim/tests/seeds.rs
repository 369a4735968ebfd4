//! Many seeds. `KEEPMQ_SIM_SEEDS` says how many (300), `KEEPMQ_SIM_FIRST` which is the first, `KEEPMQ_SIM_STEPS` how long
//! each run is (400).
#![allow(clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().expect(name))
}

#[test]
fn no_client_sees_what_it_must_not_and_nothing_is_lost() {
    let (first, count) = (setting("KEEPMQ_SIM_FIRST", 0), setting("KEEPMQ_SIM_SEEDS", 300));
    let steps = usize::try_from(setting("KEEPMQ_SIM_STEPS", 400)).expect("a number of steps");
    let known =
        include_str!("seeds.txt").lines().filter_map(|line| line.split_whitespace().next()?.parse().ok());
    let (mut delivered, mut crashes) = (0, 0);
    for seed in known.chain(first..first + count) {
        let summary = keepmq_sim::run(seed, steps).unwrap_or_else(|violation| panic!("{violation}"));
        delivered += summary.delivered;
        crashes += summary.crashes;
    }
    assert!(delivered > count * 20 && crashes > count / 10, "the runs do little: {delivered} and {crashes}");
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let run = || keepmq_sim::run(7, 300).expect("a good run");
    assert_eq!(run(), run());
}
