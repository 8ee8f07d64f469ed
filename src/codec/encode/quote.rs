//! JSON strings: most bytes stand for themselves, and are found and copied many at a time.
//!
//! See [RFC 8259, section 7](https://www.rfc-editor.org/rfc/rfc8259#section-7).

use crate::{
    codec::{
        elements::Corrupt,
        plain::{self, FLIP, STEP},
    },
    error::Result,
};

/// Appends `text` as a JSON string.
pub(in crate::codec) fn quote(out: &mut Vec<u8>, text: &str) -> Result<()> {
    Ok(quote_bytes(out, text.as_bytes())?)
}

/// Appends `text`, which must be UTF-8, as a JSON string.
#[inline]
pub(in crate::codec) fn quote_bytes(out: &mut Vec<u8>, text: &[u8]) -> Result<(), Corrupt> {
    out.push(b'"');
    if is_plain(text) {
        out.extend_from_slice(text);
    } else {
        escape(out, text)?;
    }
    out.push(b'"');
    Ok(())
}

/// Whether all of `text` is ASCII that stands for itself. Of steps that do not come out even the last two overlap.
#[inline]
fn is_plain(text: &[u8]) -> bool {
    if let Some(last) = text.last_chunk::<STEP>() {
        text.as_chunks::<STEP>().0.iter().all(all_plain) && all_plain(last)
    } else if let (Some(first), Some(last)) = (text.first_chunk::<8>(), text.last_chunk::<8>()) {
        word_is_plain(u64::from_le_bytes(*first)) && word_is_plain(u64::from_le_bytes(*last))
    } else if let (Some(first), Some(last)) = (text.first_chunk::<4>(), text.last_chunk::<4>()) {
        word_is_plain(u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last)))
    } else {
        text.iter().copied().all(is_plain_byte)
    }
}

/// [`is_plain_byte`] of eight bytes at once: each test leaves the highest bit of a byte that fails it.
#[inline]
fn word_is_plain(word: u64) -> bool {
    const EACH: u64 = u64::MAX / 255;
    let control_or_quote = (word ^ (EACH * u64::from(FLIP))).wrapping_sub(EACH * u64::from(b' ' + 1));
    let backslash = (word ^ (EACH * u64::from(b'\\'))).wrapping_sub(EACH);
    (word | control_or_quote | backslash) & (EACH << 7) == 0
}

/// Without a branch for each byte.
#[inline]
fn all_plain(bytes: &[u8; STEP]) -> bool {
    bytes.iter().fold(true, |plain, byte| plain & is_plain_byte(*byte))
}

/// Bytes beyond ASCII are negative.
#[expect(clippy::needless_bitwise_bool, reason = "without branches it becomes a vector instruction")]
#[inline]
fn is_plain_byte(byte: u8) -> bool {
    ((byte ^ FLIP).cast_signed() > b' '.cast_signed()) & (byte != b'\\')
}

fn escape(out: &mut Vec<u8>, text: &[u8]) -> Result<(), Corrupt> {
    simdutf8::basic::from_utf8(text).map_err(|_| Corrupt("a text is not UTF-8"))?;
    let mut rest = text;
    while let (plain, [byte, after @ ..]) = rest.split_at(plain::length(rest)) {
        out.extend_from_slice(plain);
        escaped(out, *byte);
        rest = after;
    }
    out.extend_from_slice(rest);
    Ok(())
}

fn escaped(out: &mut Vec<u8>, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let short = match byte {
        b'"' | b'\\' => byte,
        0x08 => b'b',
        b'\t' => b't',
        b'\n' => b'n',
        0x0c => b'f',
        b'\r' => b'r',
        _ => {
            let digits = [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]];
            out.extend_from_slice(b"\\u00");
            return out.extend_from_slice(&digits);
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn quoted(text: &[u8]) -> Result<Vec<u8>, Corrupt> {
        let mut out = Vec::new();
        quote_bytes(&mut out, text).map(|()| out)
    }

    /// Whatever stands wherever, in texts of all lengths around the steps.
    #[test]
    fn quotes_as_serde_json_does() {
        let odd: Vec<char> = (0..0x25)
            .chain([0x5b, 0x5c, 0x5d, 0x7e, 0x7f, 0x80, 0xe9, 0x2028, 0x1f600])
            .filter_map(char::from_u32)
            .collect();
        for length in 0..=3 * STEP {
            for at in 0..length {
                for odd in &odd {
                    let text: String = (0..length).map(|i| if i == at { *odd } else { 'x' }).collect();
                    assert_eq!(quoted(text.as_bytes()).unwrap(), serde_json::to_vec(&text).unwrap(), "{text:?}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn quotes_any_text_as_serde_json_does(text in any::<String>()) {
            prop_assert_eq!(quoted(text.as_bytes()).unwrap(), serde_json::to_vec(&text).unwrap());
        }

        #[test]
        fn takes_nothing_but_utf8(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            prop_assert_eq!(quoted(&bytes).is_ok(), std::str::from_utf8(&bytes).is_ok());
        }
    }
}
