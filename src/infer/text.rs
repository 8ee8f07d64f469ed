//! What the strings at one place have in common.

use std::collections::BTreeMap;

use super::{alphabet::Alphabets, format::FORMATS, place::Span};

/// How many different strings are kept. One more is too many to be choices.
pub(super) const MAX_CHOICES: usize = 12;

/// How long, in bytes, a choice may be.
const MAX_CHOICE: usize = 64;

/// The strings seen at one place.
#[derive(Debug, Clone)]
pub(super) struct Texts {
    /// How many there were.
    pub(super) seen: u64,
    /// Their lengths in characters.
    pub(super) lengths: Span<u64>,
    pub(super) alphabets: Alphabets,
    /// The different ones with how often each was seen; `None` where there are too many.
    pub(super) choices: Option<BTreeMap<String, u64>>,
    /// Which of [`FORMATS`] all of them fit.
    formats: [bool; FORMATS.len()],
    /// One has two dots: host names have, file names seldom do.
    is_dotted: bool,
}

impl Default for Texts {
    fn default() -> Self {
        Self {
            seen: 0,
            lengths: Span::default(),
            alphabets: Alphabets::default(),
            choices: Some(BTreeMap::new()),
            formats: [true; FORMATS.len()],
            is_dotted: false,
        }
    }
}

impl Texts {
    pub(super) fn observe(&mut self, text: &str) {
        self.seen += 1;
        self.lengths.widen(text.chars().count() as u64);
        self.alphabets.narrow(text);
        for (holds, (_, fits)) in self.formats.iter_mut().zip(FORMATS) {
            *holds = *holds && fits(text);
        }
        self.is_dotted |= text.matches('.').nth(1).is_some();
        self.choose(text, 1);
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.seen += other.seen;
        self.lengths.merge(other.lengths);
        self.alphabets.retain(other.alphabets);
        for (holds, other) in self.formats.iter_mut().zip(other.formats) {
            *holds &= other;
        }
        self.is_dotted |= other.is_dotted;
        match other.choices {
            Some(choices) => choices.into_iter().for_each(|(text, times)| self.choose(&text, times)),
            None => self.choices = None,
        }
    }

    fn choose(&mut self, text: &str, times: u64) {
        let Some(choices) = &mut self.choices else { return };
        if let Some(known) = choices.get_mut(text) {
            *known += times;
        } else if choices.len() < MAX_CHOICES && text.len() <= MAX_CHOICE {
            choices.insert(text.to_owned(), times);
        } else {
            self.choices = None;
        }
    }

    /// The format that all of them fit.
    pub(super) fn format(&self) -> Option<&'static str> {
        let fits = FORMATS.iter().zip(self.formats).filter(|(_, holds)| *holds).map(|((name, _), _)| *name);
        fits.into_iter().find(|name| *name != "hostname" || self.is_dotted)
    }
}
