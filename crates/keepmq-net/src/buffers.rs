//! Read buffers, lent to a connection while it reads: an idle one has none.

use std::cell::RefCell;

use bytes::BytesMut;

/// Size of a read buffer in bytes.
pub(crate) const READ_BYTES: usize = 64 * 1024;
/// Buffers that a thread keeps for the next connections.
const KEPT: usize = 8;

thread_local! {
    static POOL: RefCell<Vec<BytesMut>> = const { RefCell::new(Vec::new()) };
}

/// An empty buffer with room.
pub(crate) fn lend() -> BytesMut {
    POOL.with_borrow_mut(Vec::pop).unwrap_or_else(|| BytesMut::with_capacity(READ_BYTES))
}

/// Takes a buffer back, if it is empty and nobody shares its memory.
pub(crate) fn give_back(buffer: &mut BytesMut) {
    if !buffer.is_empty() || buffer.capacity() == 0 {
        return;
    }
    let mut buffer = std::mem::take(buffer);
    // A body that was split off keeps the memory; then the buffer can't be made whole again, and goes.
    if buffer.try_reclaim(READ_BYTES) && buffer.capacity() <= 2 * READ_BYTES {
        POOL.with_borrow_mut(|pool| {
            if pool.len() < KEPT {
                pool.push(buffer);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_lent_again() {
        let mut buffer = lend();
        buffer.extend_from_slice(b"abc");
        let place = buffer.as_ptr();
        buffer.clear();
        give_back(&mut buffer);
        assert_eq!(buffer.capacity(), 0);
        assert_eq!(lend().as_ptr(), place);
    }

    #[test]
    fn a_buffer_with_bytes_stays() {
        let mut buffer = lend();
        buffer.extend_from_slice(b"abc");
        give_back(&mut buffer);
        assert_eq!(&buffer[..], b"abc");
    }

    #[test]
    fn shared_memory_is_not_lent_to_another() {
        let mut buffer = lend();
        buffer.extend_from_slice(&vec![1; READ_BYTES]);
        let body = buffer.split().freeze();
        give_back(&mut buffer);
        let mut other = lend();
        other.extend_from_slice(&vec![2; READ_BYTES]);
        assert!(body.iter().all(|byte| *byte == 1));
    }
}
