//! Header escapes of each version ("Value Encoding" in STOMP 1.1 and 1.2), both ways.
//!
//! Going out, what a version can't say must still not end a line or a frame: it is replaced. See [`replacement`].

use bytes::{BufMut, BytesMut};

use super::version::Version;

/// What stands on each side of the colon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Name,
    Value,
}

/// Undoes escapes in place and says how many bytes are left; `None` at an escape that the version doesn't define.
pub(crate) fn unescape(bytes: &mut [u8], version: Version) -> Option<usize> {
    if version == Version::V1_0 {
        return Some(bytes.len());
    }
    let Some(first) = memchr::memchr(b'\\', bytes) else {
        return Some(bytes.len());
    };
    let (mut read, mut write) = (first, first);
    while let Some(&byte) = bytes.get(read) {
        read += 1;
        let plain = if byte == b'\\' {
            let code = *bytes.get(read)?;
            read += 1;
            meaning(code, version)?
        } else {
            byte
        };
        *bytes.get_mut(write)? = plain;
        write += 1;
    }
    Some(write)
}

fn meaning(code: u8, version: Version) -> Option<u8> {
    match code {
        b'n' => Some(b'\n'),
        b'c' => Some(b':'),
        b'\\' => Some(b'\\'),
        b'r' if version == Version::V1_2 => Some(b'\r'),
        _ => None,
    }
}

/// Writes a name or a value so that it ends neither line nor frame.
pub(crate) fn put(out: &mut BytesMut, text: &str, version: Version, part: Part) {
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|byte| is_special(*byte)) {
        let (plain, tail) = rest.split_at(at);
        out.put_slice(plain);
        let Some((&byte, after)) = tail.split_first() else {
            return;
        };
        match replacement(byte, version, part) {
            Some(escape) => out.put_slice(escape),
            None => out.put_u8(byte),
        }
        rest = after;
    }
    out.put_slice(rest);
}

fn is_special(byte: u8) -> bool {
    matches!(byte, 0 | b'\n' | b'\r' | b':' | b'\\')
}

/// What is written for a byte. Bytes that a version has no escape for become a space in a value and `_` in a name: LF,
/// CR and NUL in 1.0, CR and NUL in 1.1, NUL in 1.2, and in 1.0 the colon of a name.
fn replacement(byte: u8, version: Version, part: Part) -> Option<&'static [u8]> {
    let escape: Option<&'static [u8]> = match byte {
        b'\n' => Some(b"\\n"),
        b':' => Some(b"\\c"),
        b'\\' => Some(b"\\\\"),
        b'\r' if version == Version::V1_2 => Some(b"\\r"),
        _ => None,
    };
    match (version, byte, part) {
        (Version::V1_1 | Version::V1_2, ..) if escape.is_some() => escape,
        (Version::V1_0, b'\\', _) | (Version::V1_0, b':', Part::Value) => None,
        (_, _, Part::Name) => Some(b"_"),
        (_, _, Part::Value) => Some(b" "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str, version: Version) -> Option<String> {
        let mut bytes = text.as_bytes().to_vec();
        let left = unescape(&mut bytes, version)?;
        bytes.truncate(left);
        Some(String::from_utf8(bytes).unwrap())
    }

    fn written(text: &str, version: Version, part: Part) -> String {
        let mut out = BytesMut::new();
        put(&mut out, text, version, part);
        String::from_utf8(out.to_vec()).unwrap()
    }

    #[test]
    fn each_version_reads_its_own_escapes() {
        let escaped = "a\\cb\\nc\\\\d";
        assert_eq!(read(escaped, Version::V1_0).unwrap(), escaped);
        assert_eq!(read(escaped, Version::V1_1).unwrap(), "a:b\nc\\d");
        assert_eq!(read(escaped, Version::V1_2).unwrap(), "a:b\nc\\d");
        assert_eq!(read("\\r", Version::V1_2).unwrap(), "\r");
        assert_eq!(read("\\\\n", Version::V1_1).unwrap(), "\\n");
    }

    #[test]
    fn undefined_escapes_are_refused() {
        for (text, version) in [
            ("\\r", Version::V1_1),
            ("\\t", Version::V1_1),
            ("\\t", Version::V1_2),
            ("a\\", Version::V1_1),
            ("a\\", Version::V1_2),
            ("\\N", Version::V1_2),
        ] {
            assert_eq!(read(text, version), None, "{text} {version:?}");
        }
    }

    #[test]
    fn what_a_version_cannot_say_is_replaced() {
        let text = "a:b\\c\nd\re\0f";
        assert_eq!(written(text, Version::V1_0, Part::Value), "a:b\\c d e f");
        assert_eq!(written(text, Version::V1_0, Part::Name), "a_b\\c_d_e_f");
        assert_eq!(written(text, Version::V1_1, Part::Value), "a\\cb\\\\c\\nd e f");
        assert_eq!(written(text, Version::V1_1, Part::Name), "a\\cb\\\\c\\nd_e_f");
        assert_eq!(written(text, Version::V1_2, Part::Value), "a\\cb\\\\c\\nd\\re f");
        assert_eq!(written(text, Version::V1_2, Part::Name), "a\\cb\\\\c\\nd\\re_f");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(text in "[a-z:\\\\\n\r\u{e9}\u{1f600}]{0,40}", new in any::<bool>()) {
            let version = if new { Version::V1_2 } else { Version::V1_1 };
            let text = if new { text } else { text.replace('\r', "") };
            prop_assert_eq!(read(&written(&text, version, Part::Value), version).unwrap(), text.clone());
            prop_assert_eq!(read(&written(&text, version, Part::Name), version).unwrap(), text);
        }

        #[test]
        fn nothing_written_ends_a_line_or_a_frame(text in any::<String>()) {
            for version in Version::ALL {
                for part in [Part::Name, Part::Value] {
                    let out = written(&text, version, part);
                    prop_assert!(!out.contains(['\n', '\r', '\0']));
                    prop_assert!(part == Part::Value || !out.contains(':'));
                }
            }
        }
    }
}
