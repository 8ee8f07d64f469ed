//! The JSON Schema of collection files, for editors.

use axum::{http::HeaderValue, response::Response};

use super::{answer::Body, extract::NoParameters, negotiate::Coding};
use crate::{error::Result, schema::meta};

/// Where it is, for everyone: it is the same in every service of this version, and says nothing of this one.
pub(super) const PATH: &str = "/collection.schema.json";

/// `GET /collection.schema.json`
pub(super) async fn schema(_: NoParameters, coding: Coding) -> Result<Response> {
    let text = meta::text().as_bytes().to_vec();
    Body::new(text, HeaderValue::from_static("application/schema+json"), coding).into_answer().await
}
