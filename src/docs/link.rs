//! References from fields of one collection to documents of another.

use super::Chapter;
use crate::schema::{Index, Schema};

/// A field that holds the `_id` of documents of a collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Link {
    /// The collection that has the field.
    pub(super) from: String,
    /// Where the field stands among those of the collection.
    pub(super) at: usize,
    /// The field's dotted name.
    pub(super) path: String,
    /// The collection that it refers to.
    pub(super) to: String,
    /// A document may have any number of such references.
    pub(super) many: bool,
    /// Every document has one.
    pub(super) required: bool,
    /// No two documents refer to the same one.
    pub(super) unique: bool,
}

/// The references of a collection, in the order of its fields.
pub(super) fn links(chapter: &Chapter<'_>) -> Vec<Link> {
    let fields = chapter.fields.iter().enumerate();
    fields.filter_map(|(at, field)| Some(link(chapter, at, field.reference.as_ref()?))).collect()
}

fn link(chapter: &Chapter<'_>, at: usize, to: &str) -> Link {
    let path = &chapter.fields[at].path;
    let way = || chapter.holders(at).map(|at| &chapter.fields[at]);
    Link {
        from: chapter.schema.name.clone(),
        at,
        path: path.clone(),
        to: to.to_owned(),
        many: way().any(|field| field.step.is_many()),
        required: way().all(|field| field.required),
        unique: is_unique(chapter.schema, path),
    }
}

fn is_unique(schema: &Schema, path: &str) -> bool {
    let alone = |index: &Index| index.keys.len() == 1 && index.keys.contains_key(path);
    schema.indexes.iter().any(|index| alone(index) && index.options.get_bool("unique").is_ok_and(|unique| unique))
}
