//! The books: what each consumer received of each producer, exactly, and what that makes of the whole run.
//!
//! A bit per message. It answers for millions of messages at the price of a few machine words, in whatever order they
//! come, and two consumers of one queue that got the same message are found by laying their maps over each other.

/// Numbers that have been seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Seen {
    words: Vec<u64>,
}

impl Seen {
    /// Enters a number, and tells whether it is new.
    fn enter(&mut self, number: u64) -> bool {
        let (word, bit) = Self::place(number);
        if self.words.len() <= word {
            // Doubling is left to the vector.
            self.words.resize(word + 1, 0);
        }
        let is_new = self.words[word] & bit == 0;
        self.words[word] |= bit;
        is_new
    }

    /// Enters all numbers of another map, and tells how many were in both.
    fn enter_all(&mut self, other: &Self) -> u64 {
        if self.words.len() < other.words.len() {
            self.words.resize(other.words.len(), 0);
        }
        let mut both = 0;
        for (mine, theirs) in self.words.iter_mut().zip(&other.words) {
            both += u64::from((*mine & theirs).count_ones());
            *mine |= theirs;
        }
        both
    }

    /// How many of the numbers below `end` are missing, and the first of them.
    fn missing_below(&self, end: u64) -> (u64, Option<u64>) {
        let missing = (0..end).filter(|number| !self.has(*number));
        let present: u64 = (0..).zip(&self.words).map(|(at, word)| Self::ones_below(*word, at, end)).sum();
        let count = end - present;
        (count, (count > 0).then(|| { missing }.next()).flatten())
    }

    /// The numbers below `end` that the word at this place holds.
    fn ones_below(word: u64, at: u64, end: u64) -> u64 {
        let mask = match end.saturating_sub(at * 64) {
            0 => 0,
            left @ 1..64 => (1 << left) - 1,
            _ => u64::MAX,
        };
        u64::from((word & mask).count_ones())
    }

    fn has(&self, number: u64) -> bool {
        let (word, bit) = Self::place(number);
        self.words.get(word).is_some_and(|word| word & bit != 0)
    }

    fn place(number: u64) -> (usize, u64) {
        (usize::try_from(number / 64).unwrap_or(usize::MAX), 1 << (number % 64))
    }
}

/// What one consumer received of one producer.
#[derive(Clone, Debug, Default)]
struct Line {
    seen: Seen,
    /// One more than the highest number.
    end: u64,
    distinct: u64,
    duplicated: u64,
    reordered: u64,
}

/// How a message stands to those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// New, and after all others of its producer.
    Next,
    /// New, but one that was sent later came before it.
    Late,
    /// Known already.
    Again,
}

/// The books of one consumer.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    lines: Vec<Line>,
    /// Messages of other runs or other programs.
    pub(crate) foreign: u64,
    /// Messages whose bytes have changed.
    pub(crate) damaged: u64,
}

impl Ledger {
    /// For producers with numbers below `producers`.
    pub(crate) fn new(producers: usize) -> Self {
        Self { lines: vec![Line::default(); producers], foreign: 0, damaged: 0 }
    }

    /// Enters a message. One of a producer that does not exist is damage.
    pub(crate) fn enter(&mut self, producer: u32, sequence: u64) -> Option<Arrival> {
        let Some(line) = usize::try_from(producer).ok().and_then(|at| self.lines.get_mut(at)) else {
            self.damaged += 1;
            return None;
        };
        if !line.seen.enter(sequence) {
            line.duplicated += 1;
            return Some(Arrival::Again);
        }
        line.distinct += 1;
        if sequence < line.end {
            line.reordered += 1;
            return Some(Arrival::Late);
        }
        line.end = sequence + 1;
        Some(Arrival::Next)
    }

    /// How many different messages of a producer have come.
    pub(crate) fn distinct(&self, producer: usize) -> u64 {
        self.lines.get(producer).map_or(0, |line| line.distinct)
    }

    /// One more than the highest number that has come of a producer.
    pub(crate) fn end(&self, producer: usize) -> u64 {
        self.lines.get(producer).map_or(0, |line| line.end)
    }
}

/// Consumers that must together have received everything of some producers: all consumers of a queue, or one of a topic.
#[derive(Debug)]
pub(crate) struct Group<'a> {
    /// Their books.
    pub(crate) ledgers: Vec<&'a Ledger>,
    /// For each producer, how many messages it sent to them; `None` if it sends elsewhere.
    pub(crate) sent: Vec<Option<u64>>,
}

/// What came of all messages.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Account {
    /// Deliveries that there should have been.
    pub expected: u64,
    /// Deliveries of different messages that there were.
    pub received: u64,
    /// Expected and not received.
    pub lost: u64,
    /// Received once more than expected, counted for each time.
    pub duplicated: u64,
    /// Received after a later one of the same producer, by the same consumer.
    pub reordered: u64,
    /// Messages that are not of this run.
    pub foreign: u64,
    /// Messages whose bytes are not those that were sent.
    pub damaged: u64,
    /// Producer and number of the first one that was lost.
    pub first_lost: Option<(usize, u64)>,
}

impl Account {
    /// Sums up what the groups received.
    pub(crate) fn of(groups: &[Group<'_>]) -> Self {
        let mut account = Self::default();
        groups.iter().for_each(|group| account.add(group));
        account
    }

    fn add(&mut self, group: &Group<'_>) {
        for ledger in &group.ledgers {
            self.foreign += ledger.foreign;
            self.damaged += ledger.damaged;
        }
        for (producer, sent) in group.sent.iter().enumerate() {
            let lines = group.ledgers.iter().filter_map(|ledger| ledger.lines.get(producer));
            self.add_producer(producer, sent.unwrap_or_default(), lines);
        }
    }

    fn add_producer<'a>(&mut self, producer: usize, sent: u64, lines: impl Iterator<Item = &'a Line>) {
        let mut all = Seen::default();
        let mut received = 0;
        for line in lines {
            let twice = all.enter_all(&line.seen);
            self.duplicated += line.duplicated + twice;
            self.reordered += line.reordered;
            received += line.distinct - twice;
        }
        let (lost, first) = all.missing_below(sent);
        self.expected += sent;
        self.received += received;
        self.lost += lost;
        self.first_lost = self.first_lost.or(first.map(|sequence| (producer, sequence)));
    }
}

#[cfg(test)]
mod tests;
