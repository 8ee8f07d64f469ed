//! The members of an object, each with its shape.

use super::elements::{Corrupt, Element, Elements};
use crate::schema::Field;

/// The properties that a shape declares, to be found one after the other. Mostly members stand in the order in which
/// they are declared.
#[derive(Debug)]
pub(super) struct Declared<'s> {
    pub(super) shape: &'s Field,
    /// The property after the last one that was found.
    next: usize,
}

impl<'s> Declared<'s> {
    /// The properties of `shape`.
    #[inline]
    pub(super) fn of(shape: &'s Field) -> Self {
        Self { shape, next: 0 }
    }

    /// Which property is called `name`, and its shape; `None` for a name that is not declared.
    #[inline]
    pub(super) fn find(&mut self, name: &[u8]) -> Option<(usize, &'s Field)> {
        match self.expected() {
            Some((expected, field)) if expected == name => Some((self.pass(), field)),
            _ => self.search(name),
        }
    }

    /// The property that is expected next.
    #[inline]
    pub(super) fn expected(&self) -> Option<(&'s [u8], &'s Field)> {
        self.shape.properties.get_index(self.next).map(|(name, field)| (name.as_bytes(), field))
    }

    /// Takes the property that is expected for found, and tells which it is.
    #[inline]
    pub(super) fn pass(&mut self) -> usize {
        self.next += 1;
        self.next - 1
    }

    /// The same as [`find`](Self::find) of a name before which some properties are absent, that is out of order, or not
    /// declared.
    #[cold]
    fn search(&mut self, name: &[u8]) -> Option<(usize, &'s Field)> {
        /// How many absent properties in a row are passed over before the name is looked up.
        const NEAR: usize = 4;
        let properties = &self.shape.properties;
        let near = properties.as_slice().keys().skip(self.next + 1).take(NEAR).position(|near| near.as_bytes() == name);
        // What is no text is no declared name either.
        let known = || properties.get_index_of(str::from_utf8(name).ok()?);
        let found = near.map(|passed| self.next + 1 + passed).or_else(known)?;
        self.next = found + 1;
        Some((found, &properties[found]))
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
            self.declared.pass();
            return Ok(Some((element, field)));
        }
        let Some(element) = self.elements.next()? else { return Ok(None) };
        let found = self.declared.search(element.name);
        Ok(Some((element, found.map_or_else(|| self.declared.shape.other(), |(_, field)| field))))
    }
}
