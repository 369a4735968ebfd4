//! The publishes that wait for the broker's word, by the numbers that go over the wire with them.

use std::collections::VecDeque;

/// A bounded set of numbered places. A number is used again only after its publish was answered.
#[derive(Debug)]
pub(crate) struct Window {
    free: VecDeque<u32>,
    /// When the publish in each place was meant to be sent.
    sent_at: Vec<Option<u64>>,
}

impl Window {
    /// With places numbered from 0.
    pub(crate) fn new(places: u32) -> Self {
        Self { free: (0..places).collect(), sent_at: (0..places).map(|_| None).collect() }
    }

    /// How many places there are.
    pub(crate) fn places(&self) -> usize {
        self.sent_at.len()
    }

    /// How many more may be sent.
    pub(crate) fn free(&self) -> usize {
        self.free.len()
    }

    /// How many wait.
    pub(crate) fn waiting(&self) -> usize {
        self.places() - self.free()
    }

    /// Takes a place for a publish of this time.
    pub(crate) fn take(&mut self, time: u64) -> Option<u32> {
        let place = self.free.pop_front()?;
        *self.entry(place)? = Some(time);
        Some(place)
    }

    /// Frees a place and tells its publish's time; `None` if nothing waits there.
    pub(crate) fn release(&mut self, place: u32) -> Option<u64> {
        let time = self.entry(place)?.take()?;
        self.free.push_back(place);
        Some(time)
    }

    fn entry(&mut self, place: u32) -> Option<&mut Option<u64>> {
        self.sent_at.get_mut(usize::try_from(place).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::Window;

    #[test]
    fn places_are_used_again_after_their_answer() {
        let mut window = Window::new(2);
        assert_eq!((window.take(10), window.take(11), window.take(12)), (Some(0), Some(1), None));
        assert_eq!((window.free(), window.waiting(), window.places()), (0, 2, 2));
        assert_eq!(window.release(1), Some(11));
        assert_eq!(window.waiting(), 1);
        assert_eq!(window.take(13), Some(1));
    }

    #[test]
    fn an_answer_to_nothing_is_told() {
        let mut window = Window::new(2);
        assert_eq!(window.release(0), None);
        window.take(1);
        assert_eq!((window.release(0), window.release(0), window.release(9)), (Some(1), None, None));
    }
}
