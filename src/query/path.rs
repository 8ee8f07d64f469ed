//! Dotted names: which part of a document they reach, by the schema, and whether those who ask may name it.

use crate::{
    error::{Error, Place, nearest},
    schema::{Field, Kind, Kinds, Sight},
};

/// No document is nested deeper.
///
/// See [limits](https://www.mongodb.com/docs/manual/reference/limits/#mongodb-limit-Nested-Depth-for-BSON-Documents).
const MAX_NAMES: usize = 100;

/// Where names are looked up: in whole documents, or in the items of an array.
#[derive(Debug, Clone)]
pub struct Scope<'f> {
    /// What stands here.
    field: &'f Field,
    sight: Sight<'f>,
    /// Something is out of sight in the collection, so what does not exist is not told from what is hidden.
    conceals: bool,
}

impl<'f> Scope<'f> {
    /// Whole documents of the shape `root`.
    pub fn of(root: &'f Field) -> Self {
        Self { field: root, sight: Sight::of(root), conceals: root.conceals }
    }

    /// What the dotted name `path` reaches to be compared or sorted by, with all that is below it; it was named at
    /// `place`.
    ///
    /// As in MongoDB, a name reaches through arrays into their items, and a number picks an item.
    ///
    /// # Errors
    /// [`Error::UnknownField`] for what cannot be there. Where anything is out of sight [`Error::ForbiddenField`], and
    /// that for what is out of sight too, with nothing to tell the one from the other.
    pub fn value(&self, path: &str, place: &Place) -> Result<&'f Field, Error> {
        self.part(path, place)?.whole(path, place)
    }

    /// What the dotted name `path` reaches to be shown, or to be looked into, of which parts may be out of sight.
    ///
    /// # Errors
    /// As of [`value`](Self::value).
    pub fn part(&self, path: &str, place: &Place) -> Result<Self, Error> {
        let cannot_be = |name: &str| name.is_empty() || name.starts_with('$') || name.contains('\0');
        if path.split('.').any(cannot_be) || path.split('.').count() > MAX_NAMES {
            return Err(self.refuse(path, place, None));
        }
        let (mut here, mut walked) = (self.clone(), 0);
        for name in path.split('.') {
            let (Some(field), Some(sight)) = (step(here.field, name), here.sight.step(name)) else {
                let near = here.suggest(name).map(|near| format!("{}{near}", &path[..walked]));
                return Err(self.refuse(path, place, near));
            };
            here = Self { field, sight, ..here };
            walked += name.len() + 1;
        }
        Ok(here)
    }

    /// The shape of what stands here, of which parts may be out of sight.
    pub(super) fn field(&self) -> &'f Field {
        self.field
    }

    /// The shape of what stands here, reached by `path` at `place`, if all of it is in sight.
    pub(super) fn whole(&self, path: &str, place: &Place) -> Result<&'f Field, Error> {
        if self.sight.is_clear() { Ok(self.field) } else { Err(self.refuse(path, place, None)) }
    }

    /// The shape of the member `name` of an `object` in a value that something here is compared with; it was named at
    /// `place`.
    pub(super) fn member<'o>(&self, object: &'o Field, name: &str, place: &Place) -> Result<&'o Field, Error> {
        if object.allows(name) && !name.contains('\0') {
            return Ok(object.member(name));
        }
        // What is compared as a whole has no part that is out of sight.
        let here = Scope { field: object, sight: Sight::CLEAR, conceals: self.conceals };
        Err(here.refuse(name, place, here.suggest(name)))
    }

    /// The items of the array that stands here.
    pub(super) fn items(&self) -> Self {
        Self { field: self.field.item(), ..self.clone() }
    }

    /// The error that there is nothing that `field` names, or nothing in sight.
    pub(super) fn refuse(&self, field: &str, place: &Place, suggestion: Option<String>) -> Error {
        let (place, field) = (place.clone(), field.to_owned());
        if self.conceals {
            Error::ForbiddenField { place, field, suggestion }
        } else {
            Error::UnknownField { place, field, suggestion }
        }
    }

    fn suggest(&self, name: &str) -> Option<String> {
        let object = if self.field.kinds.contains(Kind::Object) { self.field } else { self.field.item() };
        let known = object.properties.keys().map(String::as_str);
        nearest(name, known.filter(|known| self.sight.member(known).is_some()))
    }
}
/// The shape at the end of the dotted name `path` below `root`, in sight or not.
pub(super) fn reach<'f>(root: &'f Field, path: &str) -> Option<&'f Field> {
    path.split('.').try_fold(root, step)
}

/// Whether the dotted name `inner` is `outer` or reaches into it.
pub(crate) fn is_within(inner: &str, outer: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Whether the name, one of those between dots, is a number, which picks an item of an array.
pub(crate) fn picks_item(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_digit())
}

/// The position that the number `name` stands for; MongoDB takes `01` for no position.
fn position(name: &str) -> Option<usize> {
    let index: usize = name.parse().ok()?;
    (index.to_string() == name).then_some(index)
}

/// Whether what stands here is a list, if anything does.
pub(super) fn is_list(field: &Field) -> bool {
    let list = Kinds::from(Kind::Array);
    field.kinds == list || field.kinds == list.union(Kind::Null.into())
}

fn step<'f>(field: &'f Field, name: &str) -> Option<&'f Field> {
    if field.kinds.contains(Kind::Object) && field.allows(name) {
        return Some(field.member(name));
    }
    if !field.kinds.contains(Kind::Array) {
        return None;
    }
    if picks_item(name) {
        return Some(position(name).map_or_else(|| field.item(), |index| field.at(index)));
    }
    // Nested arrays are not reached through by MongoDB either.
    let item = field.item();
    if item.kinds.contains(Kind::Object) { step(item, name) } else { None }
}
