//! What the broker still has to answer.

use std::collections::VecDeque;

use keepmq_model::{LinkId, Tag};

use super::transaction::Commit;

/// What an answer is waited for.
pub(super) enum Awaited {
    /// Nothing is told, but DISCONNECT waits for it.
    Quiet,
    /// A RECEIPT.
    Receipt(Box<str>),
    /// A link's opening, and a RECEIPT when one was asked for.
    Link(LinkId, Option<Box<str>>),
    /// One of several verbs that one frame became.
    Group(u64),
    /// A transaction's end.
    Commit(Box<Commit>),
    /// A temporary destination under this alias.
    Temporary(Box<str>),
}

struct Group {
    number: u64,
    left: usize,
    receipt: Option<Box<str>>,
}

/// Tags in order of the verbs that carry them, as a window over an endless row.
#[derive(Default)]
pub(super) struct Answers {
    /// The tag of the first place.
    first: u64,
    places: VecDeque<Option<Awaited>>,
    groups: Vec<Group>,
    next_group: u64,
}

/// Places that are kept when nothing is awaited.
const KEEP: usize = 64;

impl Answers {
    /// A tag for a verb whose answer means this.
    pub(super) fn expect(&mut self, awaited: Awaited) -> Tag {
        let tag = Tag(self.first + self.places.len() as u64);
        self.places.push_back(Some(awaited));
        tag
    }

    /// A number for `verbs` verbs that one frame became: the receipt is given when all are done.
    pub(super) fn group(&mut self, verbs: usize, receipt: Option<Box<str>>) -> u64 {
        self.next_group += 1;
        self.groups.push(Group { number: self.next_group, left: verbs, receipt });
        self.next_group
    }

    /// What the answer with this tag means; once.
    pub(super) fn take(&mut self, tag: Tag) -> Option<Awaited> {
        let at = usize::try_from(tag.0.checked_sub(self.first)?).ok()?;
        let awaited = self.places.get_mut(at)?.take();
        while let Some(None) = self.places.front() {
            self.places.pop_front();
            self.first += 1;
        }
        if self.places.is_empty() && self.places.capacity() > KEEP {
            self.places = VecDeque::new();
        }
        awaited
    }

    /// One of a group is done: the receipt, when it was the last.
    pub(super) fn finish_one(&mut self, number: u64) -> Option<Box<str>> {
        let at = self.groups.iter().position(|group| group.number == number)?;
        let group = self.groups.get_mut(at)?;
        group.left = group.left.saturating_sub(1);
        if group.left > 0 {
            return None;
        }
        self.groups.swap_remove(at).receipt
    }

    /// One of a group was refused: the receipt, when it was the first. The others can't give it any more.
    pub(super) fn fail(&mut self, number: u64) -> Option<Box<str>> {
        let group = self.groups.iter_mut().find(|group| group.number == number)?;
        let receipt = group.receipt.take();
        self.finish_one(number);
        receipt
    }

    /// Whether everything is answered.
    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Whether the row is so long that nothing more should be asked.
    pub(super) fn is_full(&self, most: usize) -> bool {
        self.places.len() >= most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quiet(answers: &mut Answers) -> Tag {
        answers.expect(Awaited::Quiet)
    }

    #[test]
    fn each_answer_is_taken_once_in_any_order() {
        let mut answers = Answers::default();
        let tags: Vec<Tag> = (0..5).map(|_| quiet(&mut answers)).collect();
        for at in [2, 0, 4, 1, 3] {
            assert!(answers.take(tags[at]).is_some());
            assert!(answers.take(tags[at]).is_none());
        }
        assert!(answers.is_empty());
        assert!(answers.take(Tag(u64::MAX)).is_none() && answers.take(Tag(5)).is_none());
        assert_eq!(quiet(&mut answers), Tag(5));
    }

    #[test]
    fn a_hole_counts_until_what_came_before_is_answered() {
        let mut answers = Answers::default();
        let first = quiet(&mut answers);
        let second = quiet(&mut answers);
        answers.take(second);
        assert!(answers.is_full(2) && !answers.is_full(3));
        answers.take(first);
        assert!(answers.is_empty() && !answers.is_full(1));
    }

    #[test]
    fn a_group_gives_its_receipt_once_with_the_last() {
        let mut answers = Answers::default();
        let group = answers.group(3, Some("r".into()));
        assert!(answers.finish_one(group).is_none() && answers.finish_one(group).is_none());
        assert_eq!(answers.finish_one(group).as_deref(), Some("r"));
        assert!(answers.finish_one(group).is_none() && answers.groups.is_empty());
    }

    #[test]
    fn a_failed_group_tells_it_once() {
        let mut answers = Answers::default();
        let group = answers.group(3, Some("r".into()));
        assert_eq!(answers.fail(group).as_deref(), Some("r"));
        assert!(answers.fail(group).is_none() && answers.finish_one(group).is_none());
        assert!(answers.groups.is_empty());
    }

    #[test]
    fn memory_is_given_back_after_a_rush() {
        let mut answers = Answers::default();
        let tags: Vec<Tag> = (0..1000).map(|_| quiet(&mut answers)).collect();
        for tag in tags {
            answers.take(tag);
        }
        assert_eq!(answers.places.capacity(), 0);
    }
}
