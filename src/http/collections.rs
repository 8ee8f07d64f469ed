//! Collections: which there are, and what their documents look like.

use std::sync::Arc;

use axum::{extract::State, http::HeaderValue, response::Response};
use serde::Serialize;

use super::{
    answer::Body,
    extract::{Asker, NoParameters, Storage, Target},
    negotiate::{Coding, Format, Json},
};
use crate::{
    access::{View, permit},
    app::App,
    error::{Error, Result},
    schema::{access::Op, face::face},
    store,
};

#[derive(Serialize)]
struct Collections {
    collections: Vec<Collection>,
}

#[derive(Serialize)]
struct Collection {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// An estimate from the collection's own bookkeeping, for those who may read all of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
    links: Links,
}

#[derive(Serialize)]
struct Links {
    documents: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<String>,
}

impl Collection {
    fn of(view: &View, count: Option<u64>) -> Self {
        let schema = view.declared();
        let text = |keyword| schema.source.tree.get(keyword).and_then(|tree| tree.as_str()).map(str::to_owned);
        let documents = format!("/v1/{}", schema.name);
        let described = view.schema(Op::Read).is_ok().then(|| format!("{documents}/_schema"));
        let links = Links { documents, schema: described };
        Self { name: schema.name.clone(), title: text("title"), description: text("description"), count, links }
    }
}

/// `GET /v1`
pub(super) async fn index(
    State(app): State<App>,
    (Asker(caller), Storage(store)): (Asker, Storage),
    (_, _, coding): (NoParameters, Json, Coding),
) -> Result<Response> {
    let views = app.policy().views(app.catalog(), &caller).collect::<Vec<_>>();
    let counted = views.iter().filter(|view| view.rows(&[Op::Read]).is_none());
    let counted = counted.filter_map(|view| permit(view, Arc::clone(view.declared())).ok()).collect::<Vec<_>>();
    let counts = store::counts(&store, &counted).await?;
    let collections = views.iter().map(|view| Collection::of(view, counts.get(view.name()).copied())).collect();
    let text = serde_json::to_vec(&Collections { collections })
        .map_err(|e| Error::Internal(format!("the collections cannot be listed: {e}")))?;
    Body::new(text, Format::Json.content_type(), coding).into_answer().await
}

/// `GET /v1/{collection}/_schema`
pub(super) async fn schema(Target(view): Target, (_, coding): (NoParameters, Coding)) -> Result<Response> {
    let schema = permit(&view, Arc::clone(view.declared()))?;
    let written: Vec<_> = [Op::Insert, Op::Update].into_iter().filter_map(|op| view.schema(op).ok()).collect();
    let shapes: Vec<_> = written.iter().map(|schema| &schema.root).collect();
    let text = face(schema.plan(), &shapes).into_bytes();
    Body::new(text, HeaderValue::from_static("application/schema+json"), coding).into_answer().await
}
