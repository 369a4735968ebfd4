//! How many connections there may be: of one listener, from one address, and without a login.

use std::net::IpAddr;
use std::sync::Arc;

use hashbrown::HashMap;
use parking_lot::Mutex;

/// Part of the places for connections without a login that one address may take.
const STRANGER_SHARE: usize = 4;

/// The places of one listener.
#[derive(Debug)]
pub struct Slots {
    limit: usize,
    per_address: usize,
    strangers: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    total: usize,
    strangers: usize,
    by_address: HashMap<IpAddr, Address>,
}

#[derive(Debug, Default)]
struct Address {
    total: usize,
    strangers: usize,
}

impl Slots {
    /// So many places in all, for each address, and for connections that are not logged in.
    pub fn new(limit: usize, per_address: usize, strangers: usize) -> Self {
        Self { limit, per_address, strangers, taken: Mutex::default() }
    }

    /// Takes a place; says which limit stands against it when there is none.
    pub(crate) fn take(self: &Arc<Self>, address: IpAddr) -> Result<Slot, &'static str> {
        let address = address.to_canonical();
        let mut taken = self.taken.lock();
        if taken.total >= self.limit {
            return Err("the limit on connections of the listener is reached");
        }
        if taken.strangers >= self.strangers {
            return Err("the limit on connections without a login is reached");
        }
        let here = taken.by_address.entry(address).or_default();
        if here.total >= self.per_address {
            return Err("the limit on connections from one address is reached");
        }
        // A single source must not keep everybody else from logging in.
        if here.strangers >= (self.strangers / STRANGER_SHARE).max(1) {
            return Err("the limit on connections without a login from one address is reached");
        }
        here.total += 1;
        here.strangers += 1;
        taken.total += 1;
        taken.strangers += 1;
        Ok(Slot { slots: Arc::clone(self), address, stranger: true })
    }

    /// Places that are taken.
    pub fn taken(&self) -> usize {
        self.taken.lock().total
    }
}

/// A place that is taken, until it is dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    slots: Arc<Slots>,
    address: IpAddr,
    stranger: bool,
}

impl Slot {
    /// The connection has logged in.
    pub(crate) fn logged_in(&mut self) {
        if std::mem::take(&mut self.stranger) {
            let mut taken = self.slots.taken.lock();
            taken.strangers -= 1;
            if let Some(here) = taken.by_address.get_mut(&self.address) {
                here.strangers -= 1;
            }
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.logged_in();
        let mut taken = self.slots.taken.lock();
        taken.total -= 1;
        if let Some(here) = taken.by_address.get_mut(&self.address) {
            here.total -= 1;
            if here.total == 0 {
                taken.by_address.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, last])
    }

    #[test]
    fn a_place_comes_back_when_the_connection_goes() {
        let slots = Arc::new(Slots::new(1, 10, 10));
        let slot = slots.take(address(1)).unwrap();
        assert!(slots.take(address(2)).is_err());
        drop(slot);
        assert!(slots.take(address(2)).is_ok());
        assert!(slots.taken.lock().by_address.is_empty(), "nothing is remembered of who is gone");
    }

    #[test]
    fn one_address_takes_so_many_only() {
        let slots = Arc::new(Slots::new(100, 2, 100));
        let held: Vec<Slot> = (0..2).map(|_| slots.take(address(1)).unwrap()).collect();
        assert!(slots.take(address(1)).unwrap_err().contains("one address"));
        assert!(slots.take(address(2)).is_ok());
        assert_eq!((held.len(), slots.taken()), (2, 2));
    }

    #[test]
    fn one_address_cannot_take_all_places_for_strangers() {
        let slots = Arc::new(Slots::new(100, 100, 8));
        let mut held: Vec<Slot> = (0..2).map(|_| slots.take(address(1)).unwrap()).collect();
        assert!(slots.take(address(1)).is_err());
        held[0].logged_in();
        held.push(slots.take(address(1)).unwrap());
        assert!(slots.take(address(1)).is_err());
        assert!(slots.take(address(2)).is_ok());
    }

    #[test]
    fn a_login_frees_a_place_for_the_next_stranger() {
        let slots = Arc::new(Slots::new(100, 100, 4));
        let mut held: Vec<Slot> = (0..4).map(|last| slots.take(address(last)).unwrap()).collect();
        assert!(slots.take(address(9)).unwrap_err().contains("without a login"));
        held[0].logged_in();
        held[0].logged_in();
        assert!(slots.take(address(9)).is_ok());
    }
}
