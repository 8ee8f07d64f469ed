//! The answer to a write of one document: what of it the caller may read, as the caller wants it.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use bson::RawDocument;

use super::{
    answer::{Body, VARY},
    negotiate::Representation,
    prefer::Preferences,
};
use crate::{
    access::View,
    app::App,
    codec::encode,
    error::{Error, Result},
    etag::Etag,
    schema::Schema,
    store::Changed,
};

/// How the client wants the answer to a write.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manner {
    pub(super) representation: Representation,
    pub(super) preferences: Preferences,
}

impl FromRequestParts<App> for Manner {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let representation = Representation::from_request_parts(parts, app).await?;
        let Ok(preferences) = Preferences::from_request_parts(parts, app).await;
        Ok(Self { representation, preferences })
    }
}

/// What a write left.
#[derive(Clone, Copy)]
pub(super) struct Written<'w> {
    pub(super) view: &'w View,
    /// The document as it is now.
    pub(super) document: &'w RawDocument,
    /// There was none before.
    pub(super) created: bool,
}

impl<'w> Written<'w> {
    /// What a change left; `None` where there is no document any more.
    pub(super) fn of(view: &'w View, changed: &'w Changed) -> Option<Self> {
        let document = changed.document.as_deref()?;
        Some(Self { view, document, created: changed.created })
    }
}

impl Manner {
    /// Whether the answer holds the document, where the caller may read it.
    fn returns_document(self) -> bool {
        self.preferences.returns_documents(true)
    }

    /// The status of the answer.
    pub(super) fn status(self, written: Written<'_>) -> StatusCode {
        match written {
            Written { created: true, .. } => StatusCode::CREATED,
            Written { view, document, .. } if self.returns_document() && view.reads(document) => StatusCode::OK,
            Written { .. } => StatusCode::NO_CONTENT,
        }
    }

    /// The answer.
    pub(super) async fn answer(self, app: &App, written: Written<'_>) -> Result<Response> {
        let Written { view, document, created } = written;
        let schema = view.declared();
        let mut response = self.shown(app, (view, document)).await?;
        *response.status_mut() = self.status(written);
        let location = if created { location(schema, document) } else { None };
        response.headers_mut().extend(location.map(|location| (header::LOCATION, location)));
        Ok(response)
    }

    /// What of the document the caller is shown, and its tag.
    async fn shown(self, app: &App, (view, document): (&View, &RawDocument)) -> Result<Response> {
        let applied = self.preferences.applied().into_iter();
        if !view.reads(document) {
            let applied: HeaderMap = applied.filter(|_| !self.returns_document()).collect();
            return Ok(applied.into_response());
        }
        let document = view.show(document)?;
        let tag = app.store().etag.tag(&document);
        let mut response = if self.returns_document() {
            tagged(one(view.declared(), &document, self.representation)?, tag).await?
        } else {
            let variant = self.representation.body(Vec::new()).variant;
            ([(header::ETAG, tag.of(variant))], [(header::VARY, VARY)]).into_response()
        };
        response.headers_mut().extend(applied);
        Ok(response)
    }
}

/// The body of an answer with one document.
pub(super) fn one(schema: &Schema, document: &RawDocument, representation: Representation) -> Result<Body> {
    let mut out = Vec::with_capacity(document.as_bytes().len() * 3 / 2);
    representation.write(&mut out, document, (schema, None))?;
    Ok(representation.body(out))
}

/// The answer with one document, whose stored bytes have the tag `tag`.
pub(super) async fn tagged(body: Body, tag: Etag) -> Result<Response> {
    let tag = [(header::ETAG, tag.of(body.variant))];
    Ok((tag, body.into_answer().await?).into_response())
}

/// The path of a document; `None` for an `_id` that no path segment can stand for.
fn location(schema: &Schema, document: &RawDocument) -> Option<HeaderValue> {
    let id = encode::segment(document.get("_id").ok()??, schema.id())?;
    HeaderValue::try_from(format!("/v1/{}/{id}", schema.name)).ok()
}
