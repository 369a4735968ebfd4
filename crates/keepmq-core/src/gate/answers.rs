//! Answers to a session, in the order in which it asked.

use std::collections::VecDeque;

use keepmq_model::{Event, LinkId, Refusal, Resumed, Tag};
use keepmq_store::Ticket;

/// What is said once it is so.
#[derive(Debug)]
pub(super) enum Answer {
    Done(Tag),
    Attached(LinkId, Tag, Option<Box<Resumed>>),
    Prepared(Tag),
    Event(Box<Event>),
}

/// Names an answer that is being worked out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AnswerId(u64);

#[derive(Debug)]
struct Pending {
    answer: Answer,
    /// Durable with this ticket; 0 when nothing is to be waited for.
    ticket: Ticket,
    /// Parts of the work that have not replied yet.
    parts: u32,
    refusal: Option<Refusal>,
}

/// Answers that wait for their work, for the disk, or for an older answer.
#[derive(Debug, Default)]
pub(super) struct Answers {
    base: u64,
    pending: VecDeque<Pending>,
    /// Links whose opening is not yet told: their deliveries must wait.
    attaching: usize,
}

impl Answers {
    /// Adds an answer whose work has so many parts.
    pub(super) fn add(&mut self, answer: Answer, parts: u32) -> AnswerId {
        self.attaching += usize::from(matches!(answer, Answer::Attached(..)));
        self.pending.push_back(Pending { answer, ticket: Ticket(0), parts, refusal: None });
        AnswerId(self.base + self.pending.len() as u64 - 1)
    }

    /// Adds an event that needs no work.
    pub(super) fn say(&mut self, event: Event) {
        self.add(Answer::Event(Box::new(event)), 0);
    }

    fn get(&mut self, id: AnswerId) -> Option<&mut Pending> {
        self.pending.get_mut(usize::try_from(id.0.checked_sub(self.base)?).ok()?)
    }

    /// One part of the work is done, and durable with this ticket if there is one.
    pub(super) fn part_done(&mut self, id: AnswerId, ticket: Option<Ticket>) {
        if let Some(pending) = self.get(id) {
            pending.parts = pending.parts.saturating_sub(1);
            pending.ticket = pending.ticket.max(ticket.unwrap_or_default());
        }
    }

    /// One part of the work was refused, and thereby the whole.
    pub(super) fn part_refused(&mut self, id: AnswerId, refusal: Refusal) {
        if let Some(pending) = self.get(id) {
            pending.parts = pending.parts.saturating_sub(1);
            pending.refusal.get_or_insert(refusal);
        }
    }

    /// Whether deliveries must wait because the opening of their link is not told yet.
    pub(super) fn is_attaching(&self) -> bool {
        self.attaching > 0
    }

    /// The newest ticket that is waited for.
    pub(super) fn newest_ticket(&self) -> Option<Ticket> {
        self.pending.iter().rev().map(|pending| pending.ticket).find(|ticket| *ticket > Ticket(0))
    }

    /// Takes the next answer that can be told.
    pub(super) fn next(&mut self, durable: Ticket) -> Option<Event> {
        let front = self.pending.front()?;
        if front.parts > 0 || front.ticket > durable {
            return None;
        }
        let Pending { answer, refusal, .. } = self.pending.pop_front()?;
        self.base += 1;
        self.attaching -= usize::from(matches!(answer, Answer::Attached(..)));
        Some(match (answer, refusal) {
            (Answer::Event(event), _) => *event,
            (Answer::Done(tag) | Answer::Attached(_, tag, _) | Answer::Prepared(tag), Some(refusal)) => {
                Event::Refused { tag: Some(tag), refusal }
            }
            (Answer::Done(tag), None) => Event::Done { tag },
            (Answer::Prepared(tag), None) => Event::Prepared { tag, is_over: false },
            (Answer::Attached(link, tag, resumed), None) => Event::Attached { link, tag, resumed },
        })
    }

    /// Gives memory back while nothing waits.
    pub(super) fn shrink(&mut self) {
        if self.pending.is_empty() {
            self.pending = VecDeque::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use keepmq_model::RefusalKind;

    fn tags(answers: &mut Answers, durable: u64) -> Vec<u64> {
        let next = std::iter::from_fn(|| answers.next(Ticket(durable)));
        next.map(|event| if let Event::Done { tag } = event { tag.0 } else { 0 }).collect()
    }

    #[test]
    fn a_later_answer_waits_for_an_older_one() {
        let mut answers = Answers::default();
        let slow = answers.add(Answer::Done(Tag(1)), 1);
        let quick = answers.add(Answer::Done(Tag(2)), 1);
        answers.part_done(quick, None);
        assert_eq!(tags(&mut answers, 9), [0; 0], "the first has not replied");
        answers.part_done(slow, Some(Ticket(5)));
        assert_eq!(tags(&mut answers, 4), [0; 0]);
        assert_eq!(answers.newest_ticket(), Some(Ticket(5)));
        assert_eq!(tags(&mut answers, 5), [1, 2]);
    }

    #[test]
    fn an_answer_waits_for_all_its_parts() {
        let mut answers = Answers::default();
        let id = answers.add(Answer::Done(Tag(1)), 2);
        answers.part_done(id, Some(Ticket(7)));
        answers.part_done(id, Some(Ticket(3)));
        assert_eq!(tags(&mut answers, 6), [0; 0]);
        assert_eq!(tags(&mut answers, 7), [1]);
    }

    #[test]
    fn one_refused_part_refuses_the_whole() {
        let mut answers = Answers::default();
        let id = answers.add(Answer::Done(Tag(1)), 2);
        answers.part_done(id, None);
        answers.part_refused(id, Refusal::new(RefusalKind::Busy, "full"));
        assert!(matches!(answers.next(Ticket(0)), Some(Event::Refused { tag: Some(Tag(1)), .. })));
    }

    #[test]
    fn answers_are_found_after_others_were_told() {
        let mut answers = Answers::default();
        answers.add(Answer::Done(Tag(1)), 0);
        let second = answers.add(Answer::Done(Tag(2)), 1);
        assert_eq!(tags(&mut answers, 0), [1]);
        answers.part_done(second, None);
        assert_eq!(tags(&mut answers, 0), [2]);
    }
}
