//! What in JSON stands for itself, found many bytes at a time. Nearly all of most texts does.

/// How many bytes are looked at in one step. The compiler makes a vector instruction of it.
pub(super) const STEP: usize = 16;

/// Flipping this bit makes a quote a space, and a control character another one, so that one comparison finds both.
pub(super) const FLIP: u8 = b'"' ^ b' ';

/// How many bytes at the front of `text` a JSON string holds as they are; what comes after them is the string's end, an
/// escape, or something that must be escaped.
///
/// See [RFC 8259, section 7](https://www.rfc-editor.org/rfc/rfc8259#section-7).
#[inline]
pub(super) fn length(text: &[u8]) -> usize {
    let clean = |step: &[u8; STEP]| step.iter().fold(true, |clean, byte| clean & !is_escaped(*byte));
    let mut at = text.as_chunks::<STEP>().0.iter().take_while(|step| clean(step)).count() * STEP;
    while let Some(word) = text[at..].first_chunk::<8>() {
        let escaped = escaped_in(u64::from_le_bytes(*word));
        if escaped != 0 {
            return at + escaped.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    at + text[at..].iter().position(|byte| is_escaped(*byte)).unwrap_or(text.len() - at)
}

#[expect(clippy::needless_bitwise_bool, reason = "without branches it becomes a vector instruction")]
fn is_escaped(byte: u8) -> bool {
    ((byte ^ FLIP) <= b' ') | (byte == b'\\')
}

/// The highest bit of the first byte of `word` that [`is_escaped`], and maybe bits above it.
fn escaped_in(word: u64) -> u64 {
    const EACH: u64 = u64::MAX / 255;
    let (flipped, other) = (word ^ (EACH * u64::from(FLIP)), word ^ (EACH * u64::from(b'\\')));
    let control_or_quote = flipped.wrapping_sub(EACH * u64::from(b' ' + 1)) & !flipped;
    let backslash = other.wrapping_sub(EACH) & !other;
    (control_or_quote | backslash) & (EACH << 7)
}

/// How long the number is that `text` begins with, if it is written without an exponent, no longer than most are, and
/// something comes after it.
///
/// See [RFC 8259, section 6](https://www.rfc-editor.org/rfc/rfc8259#section-6).
#[inline]
pub(super) fn number(text: &[u8]) -> Option<usize> {
    const LONGEST: usize = 64;
    let digits = |from: usize| text[from..].iter().take(LONGEST).take_while(|byte| byte.is_ascii_digit()).count();
    let start = usize::from(text.first() == Some(&b'-'));
    let mut end = start + digits(start);
    let has_whole = end == start + 1 || (end > start && text[start] != b'0');
    if has_whole && text.get(end) == Some(&b'.') {
        let fraction = digits(end + 1);
        end = if fraction > 0 { end + 1 + fraction } else { return None };
    }
    (has_whole && !matches!(text.get(end)?, b'e' | b'E' | b'.' | b'0'..=b'9')).then_some(end)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Whatever stands wherever, in texts of all lengths around the steps.
    #[test]
    fn finds_the_first_that_is_escaped() {
        for length_of_all in 0..=3 * STEP {
            for at in 0..length_of_all {
                for odd in 0..=u8::MAX {
                    let mut text = vec![b'x'; length_of_all];
                    text[at] = odd;
                    let is_escaped = odd < 0x20 || odd == b'"' || odd == b'\\';
                    assert_eq!(
                        length(&text),
                        if is_escaped { at } else { length_of_all },
                        "{odd} at {at} of {length_of_all}"
                    );
                }
            }
        }
    }

    #[test]
    fn long_numbers_are_left_to_others() {
        for (digits, is_plain) in [(64, true), (65, false), (5000, false)] {
            assert_eq!(number(format!("{},", "1".repeat(digits)).as_bytes()).is_some(), is_plain);
            assert_eq!(number(format!("1.{},", "1".repeat(digits)).as_bytes()).is_some(), is_plain);
        }
    }

    #[test]
    fn numbers_end_where_they_end() {
        for (text, length) in [
            ("0,", Some(1)),
            ("-0]", Some(2)),
            ("17}", Some(2)),
            ("-17.250 ", Some(7)),
            ("0.5,", Some(3)),
            ("1,5", Some(1)),
            ("1x", Some(1)),
            ("01,", None),
            ("-01,", None),
            ("-,", None),
            ("-.5,", None),
            ("1.,", None),
            ("1.x", None),
            ("1.5.5,", None),
            ("1e5,", None),
            ("1.5E5,", None),
            ("17", None),
            ("", None),
        ] {
            assert_eq!(number(text.as_bytes()), length, "{text}");
        }
    }

    proptest! {
        #[test]
        fn finds_the_first_of_many(text in proptest::collection::vec(any::<u8>(), 0..80)) {
            let first = text.iter().position(|byte| *byte < 0x20 || *byte == b'"' || *byte == b'\\');
            prop_assert_eq!(length(&text), first.unwrap_or(text.len()));
        }
    }
}
