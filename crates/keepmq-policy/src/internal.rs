//! The broker's own moves. They need permits, too: a small closed table says which.

use keepmq_model::Destination;

use crate::permit::{Permit, Right, Rights};

/// Why the broker itself touches a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// Puts a message aside.
    DeadLetter,
    /// Brings back what its store holds.
    Recovery,
    /// Writes its status topics (`$SYS`).
    Status,
    /// Tells of itself on advisory topics.
    Advisory,
    /// Puts what was sent to a virtual topic into its queues.
    VirtualTopic,
    /// Does at the commit of a prepared transaction what its sender had the right to.
    Prepared,
    /// Removes what belonged to a connection that is gone, or what nobody used for long.
    Reclaim,
}

impl Move {
    /// The whole table: what each move may do. The destination is always the broker's own choice, never a peer's.
    const fn may(self, right: Right) -> bool {
        match (self, right) {
            (
                Self::DeadLetter | Self::Status | Self::Advisory | Self::Prepared,
                Right::Write | Right::Admin,
            )
            | (Self::VirtualTopic, Right::Write)
            | (Self::Recovery | Self::Reclaim, Right::Admin) => true,
            (
                Self::DeadLetter
                | Self::Status
                | Self::Advisory
                | Self::Prepared
                | Self::Recovery
                | Self::Reclaim,
                Right::Read,
            )
            | (Self::VirtualTopic, Right::Read | Right::Admin)
            | (Self::Recovery | Self::Reclaim, Right::Write) => false,
        }
    }
}

/// Decides for the broker itself.
pub fn decide_internal<R: Rights>(reason: Move, destination: &Destination) -> Option<Permit<R>> {
    // The broker's own moves do not depend on the map, so their permits outlive every epoch.
    reason.may(R::RIGHT).then(|| Permit::new(destination.clone(), u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::permit::{Admin, Read, Write};

    #[test]
    fn the_broker_itself_never_reads() {
        let queue = Destination::queue("q").unwrap();
        for reason in [
            Move::DeadLetter,
            Move::Recovery,
            Move::Status,
            Move::Advisory,
            Move::VirtualTopic,
            Move::Reclaim,
        ] {
            assert!(decide_internal::<Read>(reason, &queue).is_none(), "{reason:?}");
        }
    }

    #[test]
    fn the_broker_itself_writes_dead_letters_and_status_only() {
        let queue = Destination::queue("q").unwrap();
        assert!(decide_internal::<Write>(Move::DeadLetter, &queue).is_some());
        assert!(decide_internal::<Write>(Move::Status, &queue).is_some());
        assert!(decide_internal::<Write>(Move::Recovery, &queue).is_none());
        assert!(decide_internal::<Admin>(Move::Recovery, &queue).is_some());
    }
}
