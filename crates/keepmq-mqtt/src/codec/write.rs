//! Writing the fields of a packet.

use bytes::{BufMut, BytesMut};

/// As much as fits behind a length of 16 bits; longer text is cut at a character.
fn fit(text: &str) -> &str {
    let most = usize::from(u16::MAX);
    if text.len() <= most {
        return text;
    }
    let end = (0..=most).rev().find(|at| text.is_char_boundary(*at));
    text.get(..end.unwrap_or(0)).unwrap_or_default()
}

/// As much as fits behind a length of 16 bits.
fn fit_bytes(bytes: &[u8]) -> &[u8] {
    bytes.get(..usize::from(u16::MAX)).unwrap_or(bytes)
}

/// Writes bytes behind their length.
pub(super) fn put_bytes(out: &mut BytesMut, bytes: &[u8]) {
    let bytes = fit_bytes(bytes);
    out.put_u16(u16::try_from(bytes.len()).unwrap_or(u16::MAX));
    out.extend_from_slice(bytes);
}

/// Writes text behind its length.
pub(super) fn put_text(out: &mut BytesMut, text: &str) {
    put_bytes(out, fit(text).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_cut_at_a_character() {
        let long = format!("{}ä", "x".repeat(65_534));
        assert_eq!(fit(&long).len(), 65_534);
        let mut out = BytesMut::new();
        put_text(&mut out, &long);
        assert_eq!(out.len(), 2 + 65_534);
        assert_eq!(fit_bytes(&vec![7; 70_000]).len(), 65_535);
    }
}
