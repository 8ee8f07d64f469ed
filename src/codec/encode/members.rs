//! The shapes of an object's members.

use crate::schema::Field;

/// The shapes of the members of one object, for names that mostly come in the order in which they are declared.
#[derive(Debug)]
pub(super) struct Members<'s> {
    shape: &'s Field,
    /// The property after the last one that was found.
    next: usize,
}

impl<'s> Members<'s> {
    pub(super) fn of(shape: &'s Field) -> Self {
        Self { shape, next: 0 }
    }

    /// As [`Field::member`], for a name that need not be UTF-8.
    #[inline]
    pub(super) fn get(&mut self, name: &[u8]) -> &'s Field {
        match self.shape.properties.get_index(self.next) {
            Some((declared, field)) if declared.as_bytes() == name => {
                self.next += 1;
                field
            }
            _ => self.find(name),
        }
    }

    /// The shape of a name before which some properties are absent, that is out of order, or not declared.
    #[cold]
    fn find(&mut self, name: &[u8]) -> &'s Field {
        /// How many absent properties in a row are passed over before the name is looked up.
        const NEAR: usize = 4;
        let properties = self.shape.properties.as_slice();
        let mut near = properties.iter().skip(self.next + 1).take(NEAR);
        if let Some(passed) = near.position(|(declared, _)| declared.as_bytes() == name) {
            self.next += 1 + passed;
            return self.get(name);
        }
        let name = String::from_utf8_lossy(name);
        if let Some(found) = self.shape.properties.get_index_of(&*name) {
            self.next = found + 1;
        }
        self.shape.member(&name)
    }
}
