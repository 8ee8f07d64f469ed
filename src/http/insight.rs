//! Insight into the database's work: how a list is run, which indexes there are.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use bson::Document;
use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    answer::Body,
    extract::{NoParameters, Storage, Target},
    negotiate::{Coding, Format, Json},
};
use crate::{
    access::permit,
    app::App,
    codec::encode,
    error::{Error, Result},
    query::{self, Query},
    schema::{Field, access::Op},
    store::{self, Explanation, IndexUse, Summary},
};

/// `GET /v1/{collection}/_explain`
pub(super) async fn explain(
    State(app): State<App>,
    Target(view): Target,
    Storage(store): Storage,
    query: Query,
    (_, coding): (Json, Coding),
) -> Result<Response> {
    view.require_all()?;
    let plan = permit(&view, query::plan(&view.schema(Op::Read)?, &query, app.limits(), app.cursors())?)?;
    let Explanation { summary, query, missing_index, plan } = store::explain(&store, &plan).await?;
    json(&Explained { summary, query: extended(&query)?, missing_index, plan: extended(&plan)? }, coding).await
}

/// `GET /v1/{collection}/_indexes`
pub(super) async fn indexes(
    Storage(store): Storage,
    Target(view): Target,
    (_, _, coding): (NoParameters, Json, Coding),
) -> Result<Response> {
    view.require_all()?;
    let schema = permit(&view, Arc::clone(view.declared()))?;
    let indexes = store::indexes(&store, &schema).await?;
    json(&Indexes { indexes: indexes.into_iter().map(Entry::of).collect::<Result<_>>()? }, coding).await
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Explained {
    summary: Summary,
    query: Box<RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    missing_index: Option<Box<RawValue>>,
    plan: Box<RawValue>,
}

#[derive(Serialize)]
struct Indexes {
    indexes: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    name: String,
    keys: Box<RawValue>,
    options: Box<RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uses: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    declared: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    building: bool,
}

impl Entry {
    fn of(index: IndexUse) -> Result<Self> {
        let IndexUse { name, keys, options, size, uses, since, declared, building } = index;
        let since = since.and_then(|since| since.try_to_rfc3339_string().ok());
        Ok(Self { name, keys: extended(&keys)?, options: extended(&options)?, size, uses, since, declared, building })
    }
}

/// A document as Extended JSON: it is nobody's declared shape.
fn extended(document: &Document) -> Result<Box<RawValue>> {
    let unfit = |error: &dyn std::fmt::Display| Error::Internal(format!("an explanation cannot be written: {error}"));
    let raw = bson::serialize_to_raw_document_buf(document).map_err(|e| unfit(&e))?;
    let mut text = Vec::new();
    encode::document(&mut text, &raw, &Field::any())?;
    let text = String::from_utf8(text).map_err(|e| unfit(&e))?;
    RawValue::from_string(text).map_err(|e| unfit(&e))
}

async fn json(answer: &impl Serialize, coding: Coding) -> Result<Response> {
    let text = serde_json::to_vec(answer)
        .map_err(|e| Error::Internal(format!("an answer about the database cannot be written: {e}")))?;
    Body::new(text, Format::Json.content_type(), coding).into_answer().await
}
