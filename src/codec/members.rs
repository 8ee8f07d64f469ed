//! The members of an object, each with its shape.

use indexmap::map::Slice;

use super::elements::{Corrupt, Element, Elements};
use crate::schema::Field;

/// How many absent properties in a row are passed over before a name is looked up.
const NEAR: usize = 4;

/// The properties that a shape declares, to be found one after the other. Mostly members stand in the order in which
/// they are declared.
#[derive(Debug)]
pub(super) struct Declared<'s> {
    pub(super) shape: &'s Field,
    /// The property after the last one that was found.
    next: usize,
    /// Whether each name was that of a property after those before it. If so, none was there twice.
    pub(super) are_in_order: bool,
}

impl<'s> Declared<'s> {
    /// The properties of `shape`.
    #[inline]
    pub(super) fn of(shape: &'s Field) -> Self {
        Self { shape, next: 0, are_in_order: true }
    }

    /// The shape of the property that is called `name`; `None` for a name that is not declared.
    pub(super) fn find(&mut self, name: &[u8]) -> Option<&'s Field> {
        match self.expected() {
            Some((expected, field)) if expected == name => {
                self.pass(0);
                Some(field)
            }
            _ => self.search(name),
        }
    }

    /// The shapes of the properties that are expected next, of which some may be absent.
    #[inline]
    pub(super) fn ahead(&self) -> impl Iterator<Item = &'s Field> {
        self.shape.properties.as_slice().get_range(self.next..).into_iter().flat_map(Slice::values).take(1 + NEAR)
    }

    /// The property that is expected next.
    #[inline]
    pub(super) fn expected(&self) -> Option<(&'s [u8], &'s Field)> {
        self.shape.properties.get_index(self.next).map(|(name, field)| (name.as_bytes(), field))
    }

    /// Takes the property that is expected for found, or the one so many after it.
    #[inline]
    pub(super) fn pass(&mut self, absent: usize) {
        self.next += absent + 1;
    }

    /// The same as [`find`](Self::find) of a name before which some properties are absent, that is out of order, or not
    /// declared.
    #[cold]
    fn search(&mut self, name: &[u8]) -> Option<&'s Field> {
        let properties = &self.shape.properties;
        let near = properties.as_slice().keys().skip(self.next + 1).take(NEAR).position(|near| near.as_bytes() == name);
        // What is no text is no declared name either.
        let known = || properties.get_index_of(str::from_utf8(name).ok()?);
        let found = near.map(|passed| self.next + 1 + passed).or_else(known);
        self.are_in_order &= found.is_some_and(|found| found >= self.next);
        let found = found?;
        self.next = found + 1;
        Some(&properties[found])
    }
}

/// The members of one object that are still to come.
#[derive(Debug)]
pub(super) struct Members<'d, 's> {
    elements: Elements<'d>,
    declared: Declared<'s>,
}

impl<'d, 's> Members<'d, 's> {
    /// The members of the object `document`, which stands where `shape` does.
    #[inline]
    pub(super) fn of(document: &'d [u8], shape: &'s Field) -> Result<Self, Corrupt> {
        Ok(Self { elements: Elements::of(document)?, declared: Declared::of(shape) })
    }

    /// The next member, if there is one, with its shape: that of [`Field::member`], for a name that need not be UTF-8.
    #[expect(clippy::inline_always, reason = "most of what a member costs is to get from one to the next")]
    #[inline(always)]
    pub(super) fn next(&mut self) -> Result<Option<(Element<'d>, &'s Field)>, Corrupt> {
        if let Some((name, field)) = self.declared.expected()
            && let Some(element) = self.elements.next_named(name)?
        {
            self.declared.pass(0);
            return Ok(Some((element, field)));
        }
        let Some(element) = self.elements.next()? else { return Ok(None) };
        let found = self.declared.search(element.name);
        Ok(Some((element, found.unwrap_or_else(|| self.declared.shape.other()))))
    }
}
