//! What each client may see, worked out from what was said and answered.
//!
//! A message for a queue is one copy; a message for a topic is one copy for each subscription. The oracle is not another
//! broker: it knows which copies may be handed out, in what order, and which must be there in the end.

use std::collections::BTreeMap;
use std::fmt;

/// Where copies wait.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Line {
    Queue(String),
    /// A subscription that stays, by its client id.
    Durable(String),
    /// A subscription that ends with its link, by its connection and link.
    Passing(u64, u32),
    /// The queue for dead letters.
    Dead,
}

/// The name of the queue for dead letters.
pub(crate) const DEAD: &str = "ActiveMQ.DLQ";

impl Line {
    pub(crate) fn queue(name: &str) -> Self {
        if name == DEAD { Self::Dead } else { Self::Queue(name.to_owned()) }
    }
}

/// How sure it is that something happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sure {
    No,
    /// It happened, and a crash may undo it.
    Perhaps,
    Yes,
}

/// Where a copy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Home,
    /// On its way to the dead letters: it is there, and a crash would bring it back.
    Dying,
    Dead,
    /// A crash left that open.
    Either,
}

impl Place {
    fn is_dead(self) -> bool {
        matches!(self, Self::Dying | Self::Dead)
    }
}

/// One copy of a message.
#[derive(Clone, Debug)]
pub(crate) struct Copy {
    pub(crate) line: Line,
    pub(crate) durable: bool,
    pub(crate) priority: u8,
    pub(crate) expires_ms: u64,
    place: Place,
    published: Sure,
    /// Whether the sender was told that it was taken; what need not survive a crash may be refused.
    answered: bool,
    finished: Sure,
    /// Whether a crash may have undone that it was sent or that it was done with.
    may_be_gone: bool,
    holder: Option<u64>,
    /// How often it went back; unknown after a crash.
    redeliveries: Option<u32>,
    /// Rises with each copy that came into being.
    order: u64,
}

impl Copy {
    pub(crate) fn new(line: Line, durable: bool, priority: u8, expires_ms: u64) -> Self {
        Self {
            line,
            durable,
            priority,
            expires_ms,
            place: Place::Home,
            published: Sure::Perhaps,
            answered: durable,
            finished: Sure::No,
            may_be_gone: false,
            holder: None,
            redeliveries: Some(0),
            order: 0,
        }
    }

    fn is_passing(&self) -> bool {
        matches!(self.line, Line::Passing(..))
    }

    /// Whether it expired where it waited; in the dead letter queue nothing expires.
    fn is_expired(&self, now: u64) -> bool {
        !self.place.is_dead() && self.expires_ms != 0 && self.expires_ms <= now
    }

    /// Whether it may be in a line now.
    fn may_be_in(&self, line: &Line, now: u64) -> bool {
        let dead = match self.place {
            Place::Home => self.is_expired(now) && self.durable && !self.is_passing(),
            Place::Dying | Place::Dead | Place::Either => true,
        };
        self.finished == Sure::No
            && ((*line == self.line && !self.place.is_dead()) || (*line == Line::Dead && dead))
    }

    /// Whether the broker may drop it: of what need not survive a crash an absent subscriber is kept so much only.
    fn may_be_dropped(&self) -> bool {
        !self.durable && matches!(self.line, Line::Durable(_))
    }

    /// Whether it must be in its own line and can be handed out.
    fn waits(&self, now: u64) -> bool {
        let there = self.finished == Sure::No && self.holder.is_none() && !self.may_be_gone;
        there && self.answered && !self.may_be_dropped() && self.place == Place::Home && !self.is_expired(now)
    }

    /// Whether it must be in the dead letter queue.
    fn waits_dead(&self) -> bool {
        let there = self.finished == Sure::No && self.holder.is_none() && !self.may_be_gone;
        there && self.place.is_dead()
    }

    fn go_back(&mut self, counted: bool) {
        self.holder = None;
        self.redeliveries = self.redeliveries.map(|count| count + u32::from(counted));
    }

    /// What was in its line is gone, unless it had died before.
    fn removed(&mut self, now: u64) {
        let may_have_died = self.durable && !self.is_passing() && self.is_expired(now);
        match self.place {
            Place::Home if !may_have_died => self.finished = Sure::Yes,
            Place::Home | Place::Either => self.may_be_gone = true,
            Place::Dying | Place::Dead => {}
        }
    }

    fn bury(&mut self) {
        self.holder = None;
        if !self.durable || self.is_passing() {
            self.finished = Sure::Yes;
            return;
        }
        self.place = Place::Dying;
        self.redeliveries = Some(0);
    }
}

/// What was seen and should not have been.
#[derive(Debug)]
pub(crate) struct Wrong(pub(crate) String);

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Everything that was sent and is not surely done with, by its number.
#[derive(Debug, Default)]
pub(crate) struct Oracle {
    copies: BTreeMap<u64, Vec<Copy>>,
    next: u64,
    added: u64,
    pub(crate) delivered: u64,
}

impl Oracle {
    pub(crate) fn next_message(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    pub(crate) fn add(&mut self, message: u64, mut copy: Copy) {
        self.added += 1;
        copy.order = self.added;
        self.copies.entry(message).or_default().push(copy);
    }

    /// The sender was told that a message was taken: from here on a crash must not lose it.
    pub(crate) fn answered(&mut self, message: u64) {
        for copy in self.copies.get_mut(&message).into_iter().flatten() {
            copy.answered = true;
            copy.published = Sure::Yes;
        }
    }

    /// A message was taken with its transaction, which is not yet safe.
    pub(crate) fn taken(&mut self, message: u64) {
        for copy in self.copies.get_mut(&message).into_iter().flatten() {
            copy.answered = true;
        }
    }

    /// The sender went before it was told what became of a message: it may have been refused.
    pub(crate) fn never_answered(&mut self, message: u64) {
        for copy in self.copies.get_mut(&message).into_iter().flatten() {
            copy.may_be_gone |= !copy.durable;
        }
    }

    /// A message was refused.
    pub(crate) fn never_sent(&mut self, message: u64) {
        self.copies.remove(&message);
    }

    fn all(&mut self) -> impl Iterator<Item = &mut Copy> {
        self.copies.values_mut().flatten()
    }

    /// The copy of a message of a line that a connection holds.
    fn held(&mut self, line: &Line, message: u64, by: u64) -> Option<&mut Copy> {
        let held_here = |copy: &&mut Copy| {
            let here = if copy.place.is_dead() { *line == Line::Dead } else { *line == copy.line };
            copy.holder == Some(by) && here
        };
        self.copies.get_mut(&message)?.iter_mut().find(held_here)
    }

    /// A copy was handed out.
    pub(crate) fn delivered(
        &mut self,
        line: &Line,
        message: u64,
        redeliveries: u32,
        to: u64,
        now: u64,
    ) -> Result<(), Wrong> {
        self.delivered += 1;
        let wrong =
            |why: String| Err(Wrong(format!("message {message} of {line:?} to connection {to}: {why}")));
        let copies = self.copies.get_mut(&message).map(Vec::as_mut_slice).unwrap_or_default();
        let mut here: Vec<&mut Copy> = copies.iter_mut().filter(|copy| copy.may_be_in(line, now)).collect();
        if here.is_empty() {
            return wrong("it is not there".to_owned());
        }
        // Several copies of one message may die; the one that surely did is the one that is seen first.
        here.sort_by_key(|copy| !copy.place.is_dead());
        let Some(place) = here.iter().position(|copy| copy.holder.is_none()) else {
            return wrong(format!("connection {:?} holds it", here.first().and_then(|copy| copy.holder)));
        };
        let copy = here.swap_remove(place);
        if *line != Line::Dead && copy.is_expired(now) {
            return wrong("it has expired".to_owned());
        }
        match copy.redeliveries {
            Some(known) if known != redeliveries && copy.place != Place::Either && *line != Line::Dead => {
                return wrong(format!(
                    "it is said to be redelivered {redeliveries} times instead of {known}"
                ));
            }
            _ => copy.redeliveries = Some(redeliveries),
        }
        copy.place = if *line == Line::Dead { Place::Dead } else { Place::Home };
        (copy.holder, copy.finished, copy.may_be_gone) = (Some(to), Sure::No, false);
        Ok(())
    }

    /// Nothing of the same kind that was sent earlier may wait while a later one is handed out. (What need not survive
    /// a crash may pass what must, and the other way round: JMS 1.1, section 4.4.10.2. A dead letter queue is filled in
    /// whatever order messages die.)
    pub(crate) fn check_order(
        &self,
        line: &Line,
        message: u64,
        wanted: impl Fn(u64) -> bool,
        now: u64,
    ) -> Result<(), Wrong> {
        let of_line = |copies: &'_ Vec<Copy>| copies.iter().find(|copy| copy.line == *line).cloned();
        let Some(this) = self.copies.get(&message).and_then(of_line).filter(|_| *line != Line::Dead) else {
            return Ok(());
        };
        for (earlier, copies) in self.copies.iter().filter(|(earlier, _)| wanted(**earlier)) {
            let same = |copy: &&Copy| {
                copy.order < this.order && (copy.durable, copy.priority) == (this.durable, this.priority)
            };
            if copies.iter().filter(same).any(|copy| copy.line == *line && copy.waits(now)) {
                let what = format!("message {message} of {line:?} was handed out while {earlier} waits");
                return Err(Wrong(what));
            }
        }
        Ok(())
    }

    /// A message that must wait in a line, can be handed out and is wanted.
    pub(crate) fn overlooked(&self, line: &Line, wanted: impl Fn(u64) -> bool, now: u64) -> Option<u64> {
        let waits = |copy: &Copy| copy.line == *line && copy.published == Sure::Yes && copy.waits(now);
        self.copies
            .iter()
            .find(|(message, copies)| wanted(**message) && copies.iter().any(waits))
            .map(|(m, _)| *m)
    }

    /// A delivery was settled for good.
    pub(crate) fn finish(&mut self, line: &Line, message: u64, by: u64) {
        if let Some(copy) = self.held(line, message, by) {
            copy.holder = None;
            copy.finished = if copy.durable && !copy.is_passing() { Sure::Perhaps } else { Sure::Yes };
        }
    }

    /// A delivery was not tried.
    pub(crate) fn release(&mut self, line: &Line, message: u64, by: u64) {
        if let Some(copy) = self.held(line, message, by) {
            copy.go_back(false);
        }
    }

    /// A delivery failed; `most` is how often that may happen.
    pub(crate) fn fail(&mut self, line: &Line, message: u64, by: u64, most: u32) {
        let Some(copy) = self.held(line, message, by) else { return };
        copy.go_back(true);
        if copy.redeliveries.is_some_and(|count| count > most) {
            copy.bury();
        }
    }

    /// A delivery was rejected.
    pub(crate) fn bury(&mut self, line: &Line, message: u64, by: u64) {
        if let Some(copy) = self.held(line, message, by) {
            copy.bury();
        }
    }

    /// Everything that was said so far is on disk.
    pub(crate) fn synced(&mut self) {
        for copy in self.all() {
            copy.published = Sure::Yes;
            if copy.place == Place::Dying {
                copy.place = Place::Dead;
            }
            if copy.finished == Sure::Perhaps {
                copy.finished = Sure::Yes;
            }
        }
        self.tidy();
    }

    fn tidy(&mut self) {
        for copies in self.copies.values_mut() {
            copies.retain(|copy| copy.finished != Sure::Yes);
        }
        self.copies.retain(|_, copies| !copies.is_empty());
    }

    /// The broker died: what was not on disk may be gone, what was not durable is.
    pub(crate) fn crashed(&mut self) {
        for copy in self.all() {
            if !copy.durable || copy.is_passing() {
                copy.finished = Sure::Yes;
                continue;
            }
            copy.may_be_gone |= copy.published != Sure::Yes || copy.finished == Sure::Perhaps;
            if copy.finished == Sure::Perhaps {
                copy.finished = Sure::No;
            }
            if copy.place == Place::Dying {
                copy.place = Place::Either;
            }
            (copy.holder, copy.redeliveries) = (None, None);
        }
        self.tidy();
    }

    /// A connection is gone: what it held went back; `most` is how often that may happen.
    pub(crate) fn lost_holder(&mut self, client: u64, most: u32, now: u64) {
        self.give_back(most, |copy| copy.holder == Some(client));
        self.forget(now, |line| matches!(line, Line::Passing(of, _) if *of == client));
    }

    /// A link is closed: what it held of this line went back.
    pub(crate) fn lost_link(&mut self, client: u64, messages: &[(Line, u64)], most: u32) {
        for (line, message) in messages {
            if let Some(copy) = self.held(line, *message, client) {
                copy.go_back(true);
                if copy.redeliveries.is_some_and(|count| count > most) {
                    copy.bury();
                }
            }
        }
    }

    fn give_back(&mut self, most: u32, whose: impl Fn(&Copy) -> bool) {
        for copy in self.all().filter(|copy| whose(copy)) {
            copy.go_back(true);
            if copy.redeliveries.is_some_and(|count| count > most) {
                copy.bury();
            }
        }
    }

    /// Lines are gone with what was in them; what died before stays dead.
    pub(crate) fn forget(&mut self, now: u64, gone: impl Fn(&Line) -> bool) {
        for copy in self.all().filter(|copy| gone(&copy.line)) {
            copy.removed(now);
        }
        self.tidy();
    }

    /// What waited in a queue was removed.
    pub(crate) fn purge(&mut self, line: &Line, now: u64) {
        for copy in self.all().filter(|copy| copy.line == *line && copy.holder.is_none()) {
            copy.removed(now);
        }
        self.tidy();
    }

    /// What must be in a line, and what at most is.
    pub(crate) fn bounds(&self, line: &Line, now: u64) -> (u64, u64) {
        let (mut least, mut most) = (0, 0);
        for copy in self.copies.values().flatten() {
            most += u64::from(copy.may_be_in(line, now));
            let must =
                if *line == Line::Dead { copy.waits_dead() } else { copy.line == *line && copy.waits(now) };
            least += u64::from(must);
        }
        (least, most)
    }

    /// Somebody looked at every line: what expired was put aside.
    pub(crate) fn expire(&mut self, now: u64) {
        for copy in self.all().filter(|copy| copy.is_expired(now) && copy.holder.is_none()) {
            // What is on disk only is found when it is read, so this is a possibility and no more.
            match (copy.durable, copy.is_passing()) {
                (true, false) => {}
                _ => copy.finished = Sure::Yes,
            }
        }
        self.tidy();
    }
}
