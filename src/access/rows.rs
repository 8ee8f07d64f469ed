//! Conditions on documents, put together.

use bson::{Bson, Document, doc};

use crate::{query::path::picks_item, schema::access::Filter};

/// The condition that one of the filters holds; `None` where one of them holds of every document. Where there are no
/// filters, no document fulfills it.
pub(super) fn any<'f>(filters: impl Iterator<Item = &'f Option<Filter<Bson>>>) -> Option<Document> {
    let filters: Option<Vec<_>> = filters.map(|filter| filter.as_ref().map(Filter::document)).collect();
    let mut filters = filters?;
    match filters.len() {
        0 => Some(doc! { "_id": { "$in": [] } }),
        1 => filters.pop(),
        _ => Some(doc! { "$or": filters }),
    }
}

/// Whether one of the dotted names is the other one or reaches into it. Numbers, which pick items of lists, are passed
/// over: where one is the name of a field, this says yes too often, which hides too much rather than too little.
pub(super) fn overlap(one: &str, other: &str) -> bool {
    let names = |path| str::split(path, '.').filter(|name| !picks_item(name));
    names(one).zip(names(other)).all(|(one, other)| one == other)
}
