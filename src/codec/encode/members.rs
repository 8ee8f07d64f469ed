//! The members of an object, each with its shape.

use crate::{
    codec::elements::{Corrupt, Element, Elements},
    schema::Field,
};

/// The members of one object that are still to come. Mostly they stand in the order in which they are declared.
#[derive(Debug)]
pub(super) struct Members<'d, 's> {
    elements: Elements<'d>,
    shape: &'s Field,
    /// The property after the last one that was found.
    next: usize,
}

impl<'d, 's> Members<'d, 's> {
    /// The members of the object `document`, which stands where `shape` does.
    #[inline]
    pub(super) fn of(document: &'d [u8], shape: &'s Field) -> Result<Self, Corrupt> {
        Ok(Self { elements: Elements::of(document)?, shape, next: 0 })
    }

    /// The next member, if there is one, with its shape: that of [`Field::member`], for a name that need not be UTF-8.
    #[expect(clippy::inline_always, reason = "most of what a member costs is to get from one to the next")]
    #[inline(always)]
    pub(super) fn next(&mut self) -> Result<Option<(Element<'d>, &'s Field)>, Corrupt> {
        if let Some((name, field)) = self.shape.properties.get_index(self.next)
            && let Some(element) = self.elements.next_named(name.as_bytes())?
        {
            self.next += 1;
            return Ok(Some((element, field)));
        }
        Ok(self.elements.next()?.map(|element| (element, self.find(element.name))))
    }

    /// The shape of a name before which some properties are absent, that is out of order, or not declared.
    #[cold]
    fn find(&mut self, name: &[u8]) -> &'s Field {
        /// How many absent properties in a row are passed over before the name is looked up.
        const NEAR: usize = 4;
        let properties = self.shape.properties.as_slice();
        let mut near = properties.iter().skip(self.next + 1).take(NEAR);
        if let Some(passed) = near.position(|(declared, _)| declared.as_bytes() == name) {
            self.next += 2 + passed;
            return &properties[self.next - 1];
        }
        let name = String::from_utf8_lossy(name);
        if let Some(found) = self.shape.properties.get_index_of(&*name) {
            self.next = found + 1;
        }
        self.shape.member(&name)
    }
}
