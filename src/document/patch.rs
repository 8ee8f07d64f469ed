//! Changes of typed documents that are not whole documents.

use bson::{Bson, Document, RawDocumentBuf};
use serde::Serialize;

use crate::{
    config::Limits,
    error::{Error, Result},
    schema::Field,
    update::{Change, Form},
};

/// A change of a document, as [`Collection::update`](super::Collection::update) makes it.
///
/// A document of [update operators](https://www.mongodb.com/docs/manual/reference/mql/update/) is one: those that the
/// HTTP API takes, and what they may reach is the same.
#[derive(Debug, Clone)]
pub struct Patch(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Merge(RawDocumentBuf),
    Operators { update: Document, array_filters: Vec<Document> },
}

impl Patch {
    /// A merge patch ([RFC 7396](https://www.rfc-editor.org/rfc/rfc7396)): what it has is put in place, `null` (a `None`
    /// that is not skipped) removes, and objects are merged.
    ///
    /// # Errors
    /// For what is no document.
    pub fn merge(patch: &impl Serialize) -> Result<Self> {
        let patch = bson::serialize_to_raw_document_buf(patch);
        let patch = patch.map_err(|e| Error::Internal(format!("a patch cannot be serialized: {e}")))?;
        Ok(Self(Kind::Merge(patch)))
    }

    /// Update operators with filters for the items that `$[name]` stands for in their paths.
    pub fn operators(update: Document, array_filters: impl IntoIterator<Item = Document>) -> Self {
        Self(Kind::Operators { update, array_filters: array_filters.into_iter().collect() })
    }

    /// The change of documents of the shape `shape`.
    pub(super) fn change(self, shape: &Field, limits: &Limits) -> Result<Change> {
        match self.0 {
            Kind::Merge(patch) => Ok(Change::Merge(patch)),
            Kind::Operators { update, array_filters } => {
                let filters = array_filters.into_iter().map(Bson::Document).collect::<Vec<_>>();
                let filters = (!filters.is_empty()).then(|| json(Bson::Array(filters)));
                let update = json(Bson::Document(update));
                Change::patch(Form::Operators, update.as_bytes(), filters.as_deref(), (shape, limits))
            }
        }
    }
}

impl From<Document> for Patch {
    /// Update operators.
    fn from(update: Document) -> Self {
        Self::operators(update, [])
    }
}

/// The value as [Extended JSON](https://www.mongodb.com/docs/manual/reference/mongodb-extended-json/).
fn json(value: Bson) -> String {
    value.into_relaxed_extjson().to_string()
}
