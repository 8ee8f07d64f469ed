//! Merge patches, as [RFC 7396](https://www.rfc-editor.org/rfc/rfc7396) has them, on documents that have their types.
//!
//! A patch is decoded as a document is: where its values land, and so their types, follows from their names alone.

use std::collections::HashMap;

use bson::{RawBsonRef, RawDocument, RawDocumentBuf, error::Error as BsonError, raw::CStr};

use super::unreadable;
use crate::error::Result;

/// The document `target` with `patch` merged in.
pub(super) fn merge(target: &RawDocument, patch: &RawDocument) -> Result<RawDocumentBuf> {
    merged(Some(target), patch).map_err(unreadable)
}

fn merged(target: Option<&RawDocument>, patch: &RawDocument) -> Result<RawDocumentBuf, BsonError> {
    let mut out = RawDocumentBuf::new();
    // Looking names up in the documents themselves would take the square of their number.
    let mut changes: HashMap<&CStr, RawBsonRef<'_>> = patch.iter().collect::<Result<_, _>>()?;
    for element in target.into_iter().flatten() {
        let (name, value) = element?;
        match changes.remove(name) {
            Some(change) => member(&mut out, (name, change), Some(value))?,
            None => out.append(name, value),
        }
    }
    for element in patch {
        let (name, change) = element?;
        if changes.contains_key(name) {
            member(&mut out, (name, change), None)?;
        }
    }
    Ok(out)
}

/// `null` removes, an object merges (into nothing, where no object stands), anything else replaces.
fn member(
    out: &mut RawDocumentBuf,
    (name, change): (&CStr, RawBsonRef<'_>),
    before: Option<RawBsonRef<'_>>,
) -> Result<(), BsonError> {
    match change {
        RawBsonRef::Null => {}
        RawBsonRef::Document(patch) => out.append(name, merged(before.and_then(RawBsonRef::as_document), patch)?),
        value => out.append(name, value),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use bson::rawdoc;

    use super::*;

    #[test]
    fn keeps_places_and_appends_in_the_order_of_the_patch() {
        let stored = rawdoc! { "_id": 1, "a": { "x": 1, "y": 2 }, "b": 2, "c": [1] };
        let patch = rawdoc! { "z": 1, "c": { "d": null, "e": {} }, "a": { "x": null, "w": 3 }, "y": null, "b": 3 };
        let expected = rawdoc! { "_id": 1, "a": { "y": 2, "w": 3 }, "b": 3, "c": { "e": {} }, "z": 1 };
        assert_eq!(merge(&stored, &patch).unwrap(), expected);
    }

    #[test]
    fn large_documents_are_merged_in_time() {
        let large = |first: usize| {
            let mut document = RawDocumentBuf::new();
            for name in first..first + 50_000 {
                document.append(bson::raw::CString::try_from(name.to_string()).unwrap(), 1);
            }
            document
        };
        let merged = merge(&large(0), &large(25_000)).unwrap();
        assert_eq!(merged.iter().count(), 75_000);
    }
}
