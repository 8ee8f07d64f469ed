//! What is out of sight at a place of a document, found by walking down to it. How values look there is not known here:
//! what is hidden stays hidden in data that is older than the rules, of whatever types it is.

use std::{iter::successors, ptr};

use super::{Additional, Field};

/// A place of a document: every shape that says something is out of sight here or below.
///
/// As a dotted name of MongoDB does, a name reaches through arrays: what is said of the members of an object holds for
/// objects in an array that stands in its place, and what is said of items for an object in place of the array.
#[derive(Debug, Clone)]
pub(crate) struct Sight<'f> {
    shapes: Vec<&'f Field>,
    is_out: fn(&Field) -> bool,
    /// Whether something at or below a place is out of sight.
    has_out: fn(&Field) -> bool,
}

impl Field {
    /// A shape that hides the fields with these dotted names, and says nothing else of anything.
    pub(crate) fn hiding(names: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let mut root = Self::any();
        for name in names {
            let mut field = &mut root;
            for name in name.as_ref().split('.') {
                field = field.properties.entry(name.to_owned()).or_insert_with(Self::any);
            }
            field.hidden = true;
        }
        root.prepared()
    }
}

impl<'f> Sight<'f> {
    /// A place where everything is in sight.
    pub(crate) const CLEAR: Self =
        Self { shapes: Vec::new(), is_out: Field::is_out_of_sight, has_out: |field| field.conceals };

    /// Whole documents of the shape `root`, without what clients may not read.
    pub(crate) fn of(root: &'f Field) -> Self {
        Self { shapes: Vec::from_iter(root.conceals.then_some(root)), ..Self::CLEAR }
    }

    /// Whole documents of the shape `root`, without what is not there for those who ask.
    pub(crate) fn of_hidden(root: &'f Field) -> Self {
        let shapes = Vec::from_iter(hides(root).then_some(root));
        Self { shapes, is_out: |field| field.hidden, has_out: hides }
    }

    /// Whether all that may stand here is in sight.
    pub(crate) fn is_clear(&self) -> bool {
        self.shapes.is_empty()
    }

    /// The member `name` of what stands here; `None` if it is out of sight.
    pub(crate) fn member(&self, name: &str) -> Option<Self> {
        self.below(|shape| shape.member(name))
    }

    /// The members without a name of their own.
    pub(crate) fn others(&self) -> Option<Self> {
        self.below(Field::other)
    }

    /// Whether all that the dotted name `path` reaches from here is in sight.
    pub(crate) fn sees(&self, path: &str) -> bool {
        let reached = path.split('.').try_fold(self.clone(), |sight, name| sight.step(name));
        reached.is_some_and(|reached| reached.is_clear())
    }

    /// What `name`, one of those between dots, reaches from here: a number may also pick an item of an array.
    pub(crate) fn step(&self, name: &str) -> Option<Self> {
        let mut reached = self.member(name)?;
        if name.bytes().all(|byte| byte.is_ascii_digit()) {
            self.shapes.iter().for_each(|shape| reached.add(shape));
        }
        Some(reached)
    }

    fn below(&self, member: impl Fn(&'f Field) -> &'f Field) -> Option<Self> {
        let mut below = Self { shapes: Vec::new(), ..*self };
        for field in self.shapes.iter().flat_map(|shape| layers(shape)).map(member) {
            if layers(field).any(self.is_out) {
                return None;
            }
            below.add(field);
        }
        Some(below)
    }

    fn add(&mut self, field: &'f Field) {
        if (self.has_out)(field) && !self.shapes.iter().any(|shape| ptr::eq(*shape, field)) {
            self.shapes.push(field);
        }
    }
}

/// The shape, that of its items, that of their items, and so on.
fn layers(shape: &Field) -> impl Iterator<Item = &Field> {
    successors(Some(shape), |shape| shape.items.as_deref())
}

/// Whether something here or below is not there for those who ask.
fn hides(field: &Field) -> bool {
    let additional = match &field.additional {
        Additional::Shape(field) => Some(&**field),
        Additional::Any | Additional::Forbidden => None,
    };
    let below = || field.properties.values().chain(additional).chain(field.items.as_deref());
    field.conceals && (field.hidden || below().any(hides))
}
