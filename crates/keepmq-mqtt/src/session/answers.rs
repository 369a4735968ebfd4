//! Messages of the client that wait for their answer.

use std::collections::VecDeque;

use crate::codec::PacketId;

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The broker has it.
    Kept,
    /// It was refused, and the client isn't to know.
    Dropped,
}

/// A message that is to be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pending {
    /// Its packet id.
    pub(super) id: PacketId,
    /// Whether PUBREC is its answer, and not PUBACK.
    pub(super) twice: bool,
    answer: Option<Answer>,
}

/// Messages in the order in which they came, and so in the order in which they are answered [MQTT-4.6.0-2],
/// [MQTT-4.6.0-3]: the broker may be done with a later one first.
#[derive(Debug, Default)]
pub(super) struct Answers {
    pending: VecDeque<Pending>,
    /// The number of the first one.
    first: u64,
}

impl Answers {
    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.pending.len()
    }

    /// Adds a message and numbers it.
    pub(super) fn push(&mut self, id: PacketId, twice: bool, answer: Option<Answer>) -> u64 {
        self.pending.push_back(Pending { id, twice, answer });
        self.first + (self.pending.len() as u64 - 1)
    }

    /// The broker has answered the message of this number. A second answer means nothing.
    pub(super) fn answer(&mut self, number: u64, answer: Answer) {
        let at = number.checked_sub(self.first).and_then(|at| usize::try_from(at).ok());
        if let Some(pending) = at.and_then(|at| self.pending.get_mut(at)) {
            pending.answer.get_or_insert(answer);
        }
    }

    /// The next message whose answer may be written.
    pub(super) fn next(&mut self) -> Option<(Pending, Answer)> {
        let answer = self.pending.front()?.answer?;
        let pending = self.pending.pop_front()?;
        self.first += 1;
        Some((pending, answer))
    }

    /// Gives memory back after a rush.
    pub(super) fn shrink(&mut self) {
        if self.pending.is_empty() && self.pending.capacity() > super::SPARE {
            self.pending = VecDeque::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_answer_waits_for_those_before_it() {
        let mut answers = Answers::default();
        let id = PacketId::MIN;
        let numbers: Vec<u64> = (0..3).map(|_| answers.push(id, false, None)).collect();
        answers.answer(numbers[2], Answer::Kept);
        answers.answer(numbers[1], Answer::Dropped);
        assert_eq!(answers.next(), None);
        answers.answer(numbers[0], Answer::Kept);
        let given: Vec<_> = std::iter::from_fn(|| answers.next().map(|(_, answer)| answer)).collect();
        assert_eq!(given, [Answer::Kept, Answer::Dropped, Answer::Kept]);
        assert_eq!(answers.len(), 0);
    }

    #[test]
    fn answers_to_nothing_mean_nothing() {
        let mut answers = Answers::default();
        answers.answer(0, Answer::Kept);
        let number = answers.push(PacketId::MIN, false, None);
        answers.answer(number + 1, Answer::Kept);
        assert_eq!(answers.next(), None);
        answers.answer(number, Answer::Kept);
        answers.answer(number, Answer::Dropped);
        assert_eq!(answers.next().map(|(_, answer)| answer), Some(Answer::Kept));
        answers.answer(number, Answer::Kept);
        assert_eq!(answers.next(), None);
    }

    proptest! {
        #[test]
        fn every_message_is_answered_once_and_in_order(order in Just((0..50u64).collect::<Vec<_>>()).prop_shuffle()) {
            let mut answers = Answers::default();
            for id in 1..=50 {
                answers.push(PacketId::new(id).unwrap(), false, None);
            }
            let mut given = Vec::new();
            for number in order {
                answers.answer(number, Answer::Kept);
                given.extend(std::iter::from_fn(|| answers.next().map(|(pending, _)| pending.id.get())));
            }
            prop_assert_eq!(given, (1..=50).collect::<Vec<_>>());
        }
    }
}
