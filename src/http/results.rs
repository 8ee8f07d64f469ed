//! The answer to several writes in one request: a result for each, in order.

use axum::{http::StatusCode, response::Response};
use bson::{RawBson, RawDocument};

use super::{problem, written::Manner};
use crate::{
    access::View,
    error::{Error, Result},
};

/// What comes before the first result.
const HEAD: &[u8] = b"{\"results\":[";
/// How many bytes a result takes that tells of an `_id`; most are no longer.
const ROOM: usize = 64;

/// Results as they are written, one after the other: `{"results":[{"status":201,"id":…},…]}`.
pub(super) struct Results<'v> {
    view: &'v View,
    manner: Manner,
    out: Vec<u8>,
}

impl<'v> Results<'v> {
    /// No results yet, but room for `count` without documents, for the caller of `view`.
    pub(super) fn new(view: &'v View, manner: Manner, count: usize) -> Self {
        let mut out = Vec::with_capacity(HEAD.len() + count * ROOM);
        out.extend_from_slice(HEAD);
        Self { view, manner, out }
    }

    /// Adds that a write succeeded, and the `document` that it left, if it is given and the client may read it.
    pub(super) fn done(&mut self, status: StatusCode, id: &RawBson, document: Option<&RawDocument>) -> Result<()> {
        let (schema, representation) = (self.view.declared(), self.manner.representation);
        self.open(status);
        self.out.extend_from_slice(b",\"id\":");
        representation.write_value(&mut self.out, id.as_raw_bson_ref(), schema.id())?;
        if let Some(document) = document.filter(|document| self.view.reads(document)) {
            self.out.extend_from_slice(b",\"document\":");
            representation.write(&mut self.out, &self.view.show(document)?, (schema, None))?;
        }
        self.out.push(b'}');
        Ok(())
    }

    /// Adds that a write failed, and why.
    pub(super) fn failed(&mut self, error: &Error) -> Result<()> {
        let problem = problem::Members::of(error);
        self.open(StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
        self.out.extend_from_slice(b",\"problem\":");
        let written = serde_json::to_writer(&mut self.out, &problem);
        written.map_err(|e| Error::Internal(format!("a problem cannot be written: {e}")))?;
        self.out.push(b'}');
        Ok(())
    }

    /// The answer with all of them.
    pub(super) async fn into_answer(mut self, status: StatusCode) -> Result<Response> {
        self.out.extend_from_slice(b"]}");
        let mut response = self.manner.representation.body(self.out).into_answer().await?;
        *response.status_mut() = status;
        response.headers_mut().extend(self.manner.preferences.applied());
        Ok(response)
    }

    fn open(&mut self, status: StatusCode) {
        if !self.out.ends_with(b"[") {
            self.out.push(b',');
        }
        self.out.extend_from_slice(b"{\"status\":");
        self.out.extend_from_slice(status.as_str().as_bytes());
    }
}
