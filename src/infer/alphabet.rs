//! Sets of characters that codes are written in.

/// A set as a class of a regular expression, the least length of strings that are taken to be in it, and what is in it.
type Alphabet = (&'static str, u64, fn(u8) -> bool);

/// Narrower sets before those that hold them. A short code without the letters after F may have them in the next one.
const ALPHABETS: [Alphabet; 7] = [
    ("0-9", 1, |b| b.is_ascii_digit()),
    ("A-Z", 1, |b| b.is_ascii_uppercase()),
    ("a-z", 1, |b| b.is_ascii_lowercase()),
    ("0-9A-F", 16, |b| b.is_ascii_digit() || (b'A'..=b'F').contains(&b)),
    ("0-9a-f", 16, |b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)),
    ("0-9A-Z", 1, |b| b.is_ascii_digit() || b.is_ascii_uppercase()),
    ("0-9a-z", 1, |b| b.is_ascii_digit() || b.is_ascii_lowercase()),
];

/// The alphabets that all strings so far are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Alphabets([bool; ALPHABETS.len()]);

impl Default for Alphabets {
    fn default() -> Self {
        Self([true; ALPHABETS.len()])
    }
}

impl Alphabets {
    /// Leaves those that `text` is written in, too.
    pub(super) fn narrow(&mut self, text: &str) {
        for (holds, (_, _, contains)) in self.0.iter_mut().zip(ALPHABETS) {
            *holds = *holds && text.bytes().all(contains);
        }
    }

    /// Leaves those that are in `other`, too.
    pub(super) fn retain(&mut self, other: Self) {
        for (holds, other) in self.0.iter_mut().zip(other.0) {
            *holds &= other;
        }
    }

    /// The narrowest of them for strings of `length` characters, as a class of a regular expression.
    pub(super) fn class(self, length: u64) -> Option<&'static str> {
        let mut held = ALPHABETS.iter().zip(self.0).filter(|(_, holds)| *holds).map(|(alphabet, _)| alphabet);
        held.find(|(_, least, _)| length >= *least).map(|(class, ..)| *class)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_narrowest_alphabet() {
        let cases: [(&[&str], Option<&str>); 6] = [
            (&["978", "123"], Some("0-9")),
            (&["USD"], Some("A-Z")),
            (&["ACE", "123"], Some("0-9A-Z")),
            (&["ace1", "1234"], Some("0-9a-z")),
            (&["6650f00000000000"], Some("0-9a-f")),
            (&["a", "A"], None),
        ];
        for (texts, class) in cases {
            let mut alphabets = Alphabets::default();
            for text in texts {
                alphabets.narrow(text);
            }
            assert_eq!(alphabets.class(texts[0].len() as u64), class, "{texts:?}");
        }
    }
}
