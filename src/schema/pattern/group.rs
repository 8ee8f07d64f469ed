//! Which capturing groups a pattern has, and which of them can be referred back to.

use std::ops::Range;

use super::{Reader, Refusal, Result};

/// The capturing groups of a pattern, in order of their opening.
pub(super) struct Groups {
    names: Vec<Option<String>>,
    repeated: Vec<bool>,
    references: Vec<(usize, usize)>,
    /// The groups before the pattern, in the longer one that it is a part of.
    before: usize,
}

impl Groups {
    /// Finds all groups before the pattern is read: a reference may stand before its group.
    pub(super) fn find(pattern: &str, before: usize) -> Result<Self> {
        let mut names: Vec<Option<String>> = Vec::new();
        let (mut chars, mut in_class) = (pattern.char_indices(), false);
        while let Some((offset, c)) = chars.next() {
            match c {
                '\\' => drop(chars.next()),
                '[' => in_class = true,
                ']' => in_class = false,
                '(' if !in_class => match Opening::of(&pattern[offset + 1..]) {
                    Opening::Named(name) if !is_name(name) || names.iter().flatten().any(|n| n == name) => {
                        let reason = format!("`{name}` is not a group name, or is used twice; names are like `year`");
                        return Err(Refusal { offset, reason });
                    }
                    Opening::Named(name) => names.push(Some(name.to_owned())),
                    Opening::Numbered => names.push(None),
                    Opening::Other => {}
                },
                _ => {}
            }
        }
        Ok(Self { repeated: vec![false; names.len()], names, references: Vec::new(), before })
    }

    /// The number, from 1, of the group `name`.
    pub(super) fn named(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|n| n.as_deref() == Some(name)).map(|i| i + 1)
    }

    /// Notes that the group `number`, from 1, is referred to at `offset`; false if there is no such group.
    pub(super) fn refer(&mut self, number: usize, offset: usize) -> bool {
        self.references.push((number, offset));
        (1..=self.names.len()).contains(&number)
    }

    /// Notes that the groups with these numbers, from 0, are matched more than once.
    pub(super) fn repeat(&mut self, numbers: Range<usize>) {
        if let Some(groups) = self.repeated.get_mut(numbers) {
            groups.fill(true);
        }
    }

    /// Every repetition begins with the groups inside empty in ECMA-262, with what they last held in PCRE.
    pub(super) fn check_references(&self) -> Result<()> {
        let repeated = |number: usize| self.repeated.get(number.wrapping_sub(1)) == Some(&true);
        match self.references.iter().find(|(number, _)| repeated(*number)) {
            None => Ok(()),
            Some((number, offset)) => {
                let reason = format!("MongoDB reads a reference to the repeated group {number} differently; avoid it");
                Err(Refusal { offset: *offset, reason })
            }
        }
    }
}

impl Reader<'_> {
    /// A reference to group `number`. A group that took no part matches nothing in PCRE, the empty text in ECMA-262.
    pub(super) fn reference(&mut self, number: usize, offset: usize) -> Result<super::Piece> {
        if !self.groups.refer(number, offset) {
            return Err(Refusal { offset, reason: format!("the pattern has no group {number}") });
        }
        let number = self.groups.before + number;
        Ok(super::Piece { text: format!(r"(?({number})\{number}|)"), length: None })
    }
}

/// What a `(` opens.
enum Opening<'p> {
    Numbered,
    Named(&'p str),
    /// A group that does not capture, or none that ECMA-262 knows.
    Other,
}

impl<'p> Opening<'p> {
    /// By what follows the `(`.
    fn of(rest: &'p str) -> Self {
        match rest.strip_prefix("?<") {
            Some(behind) if behind.starts_with(['=', '!']) => Self::Other,
            Some(named) => Self::Named(named.split_once('>').map_or("", |(name, _)| name)),
            None if rest.starts_with('?') => Self::Other,
            None => Self::Numbered,
        }
    }
}

fn is_name(name: &str) -> bool {
    let letter = |c: char| c.is_alphabetic() || c == '_' || c == '$';
    name.starts_with(letter) && name.chars().all(|c| letter(c) || c.is_numeric())
}
