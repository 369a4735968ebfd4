use super::{Account, Arrival, Group, Ledger, Seen};

fn ledger(producers: usize, arrivals: &[(u32, u64)]) -> Ledger {
    let mut ledger = Ledger::new(producers);
    for (producer, sequence) in arrivals {
        ledger.enter(*producer, *sequence);
    }
    ledger
}

fn account(ledgers: &[Ledger], sent: &[u64]) -> Account {
    Account::of(&[Group {
        ledgers: ledgers.iter().collect(),
        sent: sent.iter().copied().map(Some).collect(),
    }])
}

#[test]
fn a_clean_run_has_nothing_to_tell() {
    let ledgers = [ledger(2, &[(0, 0), (1, 0), (0, 1), (1, 1), (0, 2)])];
    assert_eq!(account(&ledgers, &[3, 2]), Account { expected: 5, received: 5, ..Account::default() });
}

#[test]
fn a_gap_is_a_loss_and_the_first_is_named() {
    let ledgers = [ledger(2, &[(0, 0), (0, 1), (1, 0), (1, 3)])];
    let expected =
        Account { expected: 6, received: 4, lost: 2, first_lost: Some((1, 1)), ..Account::default() };
    assert_eq!(account(&ledgers, &[2, 4]), expected);
}

#[test]
fn nothing_received_is_all_lost() {
    let expected = Account { expected: 200, lost: 200, first_lost: Some((0, 0)), ..Account::default() };
    assert_eq!(account(&[Ledger::new(1)], &[200]), expected);
}

#[test]
fn a_message_that_comes_again_is_counted_each_time() {
    let ledgers = [ledger(1, &[(0, 0), (0, 0), (0, 1), (0, 0)])];
    let expected = Account { expected: 2, received: 2, duplicated: 2, ..Account::default() };
    assert_eq!(account(&ledgers, &[2]), expected);
}

#[test]
fn a_late_message_is_reordered_and_not_lost() {
    let mut ledger = Ledger::new(1);
    assert_eq!(ledger.enter(0, 0), Some(Arrival::Next));
    assert_eq!(ledger.enter(0, 2), Some(Arrival::Next));
    assert_eq!(ledger.enter(0, 1), Some(Arrival::Late));
    assert_eq!(ledger.enter(0, 1), Some(Arrival::Again));
    assert_eq!((ledger.distinct(0), ledger.end(0)), (3, 3));
    let expected = Account { expected: 3, received: 3, reordered: 1, duplicated: 1, ..Account::default() };
    assert_eq!(account(&[ledger], &[3]), expected);
}

#[test]
fn competing_consumers_share_the_messages() {
    let ledgers = [ledger(1, &[(0, 0), (0, 2)]), ledger(1, &[(0, 1), (0, 3)])];
    assert_eq!(account(&ledgers, &[4]), Account { expected: 4, received: 4, ..Account::default() });
}

#[test]
fn the_same_message_at_two_competitors_is_a_duplicate() {
    let ledgers = [ledger(1, &[(0, 0), (0, 1)]), ledger(1, &[(0, 1), (0, 2)]), ledger(1, &[(0, 1)])];
    let expected = Account { expected: 3, received: 3, duplicated: 2, ..Account::default() };
    assert_eq!(account(&ledgers, &[3]), expected);
}

#[test]
fn every_subscriber_of_a_topic_must_get_all() {
    let ledgers = [ledger(1, &[(0, 0), (0, 1)]), ledger(1, &[(0, 0)])];
    let groups: Vec<Group<'_>> =
        ledgers.iter().map(|one| Group { ledgers: vec![one], sent: vec![Some(2)] }).collect();
    let expected =
        Account { expected: 4, received: 3, lost: 1, first_lost: Some((0, 1)), ..Account::default() };
    assert_eq!(Account::of(&groups), expected);
}

#[test]
fn a_producer_that_sends_elsewhere_is_not_missed() {
    let ledger = ledger(2, &[(1, 0)]);
    let group = Group { ledgers: vec![&ledger], sent: vec![None, Some(1)] };
    assert_eq!(Account::of(&[group]), Account { expected: 1, received: 1, ..Account::default() });
}

#[test]
fn an_unknown_producer_is_damage() {
    let ledgers = [ledger(1, &[(0, 0), (1, 0)])];
    let expected = Account { expected: 1, received: 1, damaged: 1, ..Account::default() };
    assert_eq!(account(&ledgers, &[1]), expected);
}

#[test]
fn missing_numbers_are_counted_at_the_edges_of_words() {
    for end in [0, 1, 63, 64, 65, 128, 200] {
        let mut seen = Seen::default();
        (0..end).for_each(|number| {
            assert!(seen.enter(number));
        });
        assert_eq!(seen.missing_below(end), (0, None), "{end}");
        assert_eq!(seen.missing_below(end + 2), (2, Some(end)), "{end}");
    }
    let mut seen = Seen::default();
    seen.enter(300);
    assert_eq!(seen.missing_below(300), (300, Some(0)));
}
