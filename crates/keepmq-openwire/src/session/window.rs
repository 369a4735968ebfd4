//! A consumer's window: how many messages may be on their way to it (openwire-broker-behaviour.md, section 6).
//!
//! The broker counts credit, the protocol counts messages that were dispatched and not acknowledged, less an extension for
//! those that the application has and acknowledges later. Here the one becomes the other.

/// Messages that a consumer may hold unacknowledged: a transaction may be as long, and memory is not without end.
pub(super) const MOST_DISPATCHED: u32 = 200_000;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Window {
    /// The prefetch; 0 when the client asks for each message.
    size: u32,
    /// Messages for which more was granted before they were acknowledged.
    extension: u32,
    /// Credit that was granted and should not be any more.
    overdraft: u32,
}

impl Window {
    pub(super) fn new(size: u32) -> Self {
        Self { size, extension: 0, overdraft: 0 }
    }

    /// Whether the client asks for each message.
    pub(super) fn is_pulled(&self) -> bool {
        self.size == 0
    }

    /// The application has so many of the messages: as many more may come. Says for how many to grant credit. Nobody has
    /// more than were `dispatched`, and a client that acknowledges nothing gets no more than [`MOST_DISPATCHED`].
    pub(super) fn extend(&mut self, count: u32, dispatched: u32) -> u32 {
        if self.is_pulled() {
            return 0;
        }
        let room = MOST_DISPATCHED.saturating_sub(dispatched);
        let count = count.min(dispatched.saturating_sub(self.extension)).min(room);
        self.extension = self.extension.saturating_add(count);
        self.granted(count)
    }

    /// So many were acknowledged. Says for how many to grant credit.
    pub(super) fn free(&mut self, count: u32) -> u32 {
        if self.is_pulled() {
            return 0;
        }
        let paid = count.min(self.extension);
        self.extension -= paid;
        self.granted(count - paid)
    }

    /// So many stay with the client though more was granted for them.
    pub(super) fn keep(&mut self, count: u32) {
        let count = count.min(self.extension);
        self.extension -= count;
        self.overdraft = self.overdraft.saturating_add(count);
    }

    /// The client wants another prefetch. Says for how many to grant credit.
    pub(super) fn resize(&mut self, size: u32) -> u32 {
        let before = std::mem::replace(&mut self.size, size);
        self.overdraft = self.overdraft.saturating_add(before.saturating_sub(size));
        self.granted(size.saturating_sub(before))
    }

    fn granted(&mut self, count: u32) -> u32 {
        let held_back = count.min(self.overdraft);
        self.overdraft -= held_back;
        count - held_back
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_acknowledged_message_makes_room_for_one() {
        let mut window = Window::new(10);
        assert_eq!(window.free(3), 3);
        assert_eq!(window.extend(5, 7), 5);
        assert_eq!(window.free(7), 2, "five of them were granted before");
    }

    #[test]
    fn what_is_rolled_back_takes_its_room_again() {
        let mut window = Window::new(10);
        window.extend(4, 10);
        window.keep(4);
        assert_eq!(window.free(6), 2, "four of these were granted before");
        assert_eq!(window.free(1), 1);
    }

    #[test]
    fn a_smaller_window_is_reached_as_messages_are_acknowledged() {
        let mut window = Window::new(10);
        assert_eq!(window.resize(4), 0);
        assert_eq!((window.free(6), window.free(1)), (0, 1));
        assert_eq!(window.resize(6), 2);
    }

    #[test]
    fn a_client_that_asks_for_each_gets_nothing_else() {
        let mut window = Window::new(0);
        assert_eq!((window.extend(5, 5), window.free(5)), (0, 0));
    }

    #[test]
    fn nobody_has_more_than_was_dispatched_nor_without_end() {
        let mut window = Window::new(10);
        assert_eq!(window.extend(u32::MAX, 10), 10);
        assert_eq!(window.extend(5, 12), 2, "ten of them were said before");
        assert_eq!(window.extend(5, MOST_DISPATCHED), 0);
    }
}
