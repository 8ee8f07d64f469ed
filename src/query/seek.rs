//! Seeking: which documents come after one in an order, as a filter.

use bson::{Document, RawArray, RawArrayBuf, RawDocument};

use crate::{error::Result, schema::Schema};

/// What follows the document with the sort keys `position`, in the order `sort`.
pub fn after(schema: &Schema, sort: &Document, position: &RawArray) -> Result<Document> {
    let _ = (schema, sort, position);
    unimplemented!()
}

/// Whether a document's own fields are its sort keys; elsewhere the server has to give them.
pub fn keys_are_fields(schema: &Schema, sort: &Document) -> bool {
    let _ = (schema, sort);
    false
}

/// The sort keys of a document whose fields they are; see [`keys_are_fields`].
pub fn keys(document: &RawDocument, sort: &Document) -> Result<RawArrayBuf> {
    let _ = (document, sort);
    unimplemented!()
}
