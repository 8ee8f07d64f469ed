//! The audit log: one line for every write that was tried and for every request that was refused: who, what, which
//! document, what came of it, and under which request. No value of a document is in it but the `_id`.
//!
//! It goes the way of all logs, under the target `folio::audit`, as text or JSON.

use std::sync::Arc;

use bson::RawBson;

use crate::{
    access::Caller,
    codec::encode,
    error::{Error, Result},
    problem::Problem,
    schema::Schema,
};

/// Something that somebody tries.
#[derive(Debug)]
pub(crate) struct Attempt {
    /// Who; `None` where that could not be found out.
    pub(crate) caller: Option<Arc<Caller>>,
    pub(crate) operation: Option<&'static str>,
    pub(crate) collection: Option<String>,
    /// The document's `_id`, as it stands in URLs.
    pub(crate) id: Option<String>,
    /// How many documents were written, where they may be several.
    pub(crate) documents: Option<u64>,
    /// The id of the request, if there is one.
    pub(crate) request: Option<String>,
}

impl Attempt {
    /// A write to the document with this `_id`.
    pub(crate) fn at((caller, schema): (&Arc<Caller>, &Schema), operation: &'static str, id: Option<RawBson>) -> Self {
        Self {
            caller: Some(Arc::clone(caller)),
            operation: Some(operation),
            collection: Some(schema.name.clone()),
            id: id.and_then(|id| encode::segment(id.as_raw_bson_ref(), schema.id())),
            documents: None,
            request: None,
        }
    }

    /// The same of so many documents.
    pub(crate) fn of(self, documents: u64) -> Self {
        Self { documents: Some(documents), ..self }
    }

    /// The same, under the request with this id.
    pub(crate) fn under(self, request: Option<String>) -> Self {
        Self { request, ..self }
    }

    /// Leaves the line, with the status that answers a success, if there is one.
    pub(crate) fn ended<T>(self, outcome: &Result<T>, status: impl FnOnce(&T) -> Option<u16>) {
        match outcome {
            Ok(value) => self.line("ok", status(value)),
            Err(error) => {
                let (problem, documents) = (Problem::of(error), self.documents.map(|_| done_by(error)));
                Self { documents, ..self }.line(problem.slug, Some(problem.status));
            }
        }
    }

    /// Leaves the line: `ok`, or the slug of a problem.
    pub(crate) fn line(self, outcome: &str, status: Option<u16>) {
        let Self { caller, operation, collection, id, documents, request } = self;
        let user = caller.as_ref().and_then(|caller| caller.user());
        // As strings, they are logged with their line breaks escaped: clients have chosen some of them.
        let (name, user) = (user.map(|user| user.name.as_str()), user.map(|user| user.id.as_str()));
        let roles = caller.as_ref().map(|caller| caller.roles().join(","));
        let (roles, collection, id, request) =
            (roles.as_deref(), collection.as_deref(), id.as_deref(), request.as_deref());
        tracing::info!(target: "folio::audit", caller = user, name, roles, operation, collection, id, documents, outcome, status, request);
    }
}

/// How many documents were written before the error.
fn done_by(error: &Error) -> u64 {
    let Error::Partly { done, .. } = error else { return 0 };
    done.modified.or(done.deleted).unwrap_or(0)
}
