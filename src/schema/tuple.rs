//! Items of an array that have shapes by their position.

use std::iter::once;

use super::Field;

/// The shapes of the items of an array, of which the first have shapes of their own.
#[derive(Debug, Clone, PartialEq)]
pub struct Tuple {
    /// The shapes of the first items.
    pub prefix: Vec<Field>,
    /// The shape of each item after them.
    pub rest: Field,
}

impl Tuple {
    /// The shape of the item at `index`, from 0.
    pub fn at(&self, index: usize) -> &Field {
        self.prefix.get(index).unwrap_or(&self.rest)
    }

    /// The shapes, that of the first item first and that of the rest last.
    pub fn shapes(&self) -> impl Iterator<Item = &Field> {
        self.prefix.iter().chain(once(&self.rest))
    }

    /// The same, to be changed.
    pub(crate) fn shapes_mut(&mut self) -> impl Iterator<Item = &mut Field> {
        self.prefix.iter_mut().chain(once(&mut self.rest))
    }
}
