//! Single documents: get, insert, replace, update, delete.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bson::RawDocument;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{
    answer::{Body, VARY},
    body::{JsonBody, PatchBody},
    extract::{NoParameters, One, Storage, Target},
    negotiate::Representation,
};
use crate::{
    access::{View, permit},
    app::App,
    codec::{decode, encode},
    error::{Error, Result},
    etag::{Etag, Precondition, Tags},
    query::GetPlan,
    schema::{Schema, access::Op},
    store::{self, Changed, Store},
    update::{Change, ChangePlan, InsertPlan},
};

/// What stands for itself in a path segment, RFC 3986's unreserved characters.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// `GET /v1/{collection}/{id}`
pub(super) async fn get(
    State(app): State<App>,
    Storage(store): Storage,
    One { view, id }: One,
    headers: HeaderMap,
    representation: Representation,
) -> Result<Response> {
    let schema = Arc::clone(view.declared());
    let plan = permit(&view, GetPlan { schema: Arc::clone(&schema), id, rows: None })?;
    let Some(document) = store::get(&store, &plan).await? else { return Err(missing(&schema)) };
    let document = view.reader()?.show(&document)?;
    let tag = app.store().etag.tag(&document);
    let precondition = precondition(&headers);
    if !precondition.matches(tag) {
        return Err(Error::PreconditionFailed { current: Some(tag.to_string()) });
    }
    let body = one(&schema, &document, representation)?;
    if precondition.is_known(tag, body.variant) {
        let headers = [(header::ETAG, tag.of(body.variant))];
        return Ok((StatusCode::NOT_MODIFIED, headers, [(header::VARY, VARY)]).into_response());
    }
    tagged(body, tag).await
}

/// `POST /v1/{collection}`
pub(super) async fn insert(
    State(app): State<App>,
    Storage(store): Storage,
    Target(view): Target,
    (_, representation): (NoParameters, Representation),
    JsonBody(body): JsonBody,
) -> Result<Response> {
    let schema = view.schema(Op::Insert)?;
    let document = decode::document(&body, &schema.root)?;
    let plan = permit(&view, InsertPlan::new(&schema, view.user(), &document)?)?;
    detached(async move {
        let document = store::insert(&store, &plan).await?;
        created(&app, &view, &document, representation).await
    })
    .await
}

/// `PUT /v1/{collection}/{id}`
pub(super) async fn replace(
    State(app): State<App>,
    Storage(store): Storage,
    one: One,
    (headers, representation): (HeaderMap, Representation),
    JsonBody(body): JsonBody,
) -> Result<Response> {
    let document = decode::document(&body, &one.view.declared().root)?;
    let precondition = precondition(&headers);
    let change = match precondition {
        Precondition { if_match: None, if_none_match: Some(Tags::Any) } => Change::Create(document),
        _ => Change::Replace(document),
    };
    let view = one.view.clone();
    stored(&app, &view, apply(store, one, (change, precondition)).await?, representation).await
}

/// `PATCH /v1/{collection}/{id}`
pub(super) async fn update(
    State(app): State<App>,
    Storage(store): Storage,
    one: One,
    (headers, representation): (HeaderMap, Representation),
    PatchBody(body): PatchBody,
) -> Result<Response> {
    let patch = decode::document(&body, &one.view.declared().root)?;
    let view = one.view.clone();
    let change = (Change::Merge(patch), precondition(&headers));
    stored(&app, &view, apply(store, one, change).await?, representation).await
}

/// `DELETE /v1/{collection}/{id}`
pub(super) async fn delete(Storage(store): Storage, one: One, headers: HeaderMap) -> Result<StatusCode> {
    apply(store, one, (Change::Delete, precondition(&headers))).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn apply(store: Store, One { view, id }: One, (change, precondition): (Change, Precondition)) -> Result<Changed> {
    let schema = Arc::clone(view.declared());
    let plan = permit(&view, ChangePlan { schema, id, change, precondition })?;
    detached(async move { store::change(&store, &plan).await }).await
}

/// Runs a write in a task of its own, so that a client which leaves cannot stop it half-way.
async fn detached<T: Send + 'static>(write: impl Future<Output = Result<T>> + Send + 'static) -> Result<T> {
    match tokio::spawn(write).await {
        Ok(result) => result,
        Err(panic) => Err(Error::Internal(format!("a write was broken off: {panic}"))),
    }
}

/// The answer to a change that has left a document.
async fn stored(app: &App, view: &View, changed: Changed, representation: Representation) -> Result<Response> {
    match changed {
        Changed { document: None, .. } => Ok(StatusCode::NO_CONTENT.into_response()),
        Changed { document: Some(document), created: true } => created(app, view, &document, representation).await,
        Changed { document: Some(document), created: false } => {
            let document = view.show(&document)?;
            tagged(one(view.declared(), &document, representation)?, app.store().etag.tag(&document)).await
        }
    }
}

async fn created(app: &App, view: &View, document: &RawDocument, representation: Representation) -> Result<Response> {
    let (schema, document) = (view.declared(), &*view.show(document)?);
    let mut response = tagged(one(schema, document, representation)?, app.store().etag.tag(document)).await?;
    *response.status_mut() = StatusCode::CREATED;
    response.headers_mut().extend(location(schema, document).map(|location| (header::LOCATION, location)));
    Ok(response)
}

fn one(schema: &Schema, document: &RawDocument, representation: Representation) -> Result<Body> {
    let mut out = Vec::with_capacity(document.as_bytes().len() * 3 / 2);
    representation.write(&mut out, document, (schema, None))?;
    Ok(representation.body(out))
}

/// The answer with one document, whose stored bytes have the tag `tag`.
async fn tagged(body: Body, tag: Etag) -> Result<Response> {
    let tag = [(header::ETAG, tag.of(body.variant))];
    Ok((tag, body.into_answer().await?).into_response())
}

/// The path of a document; `None` for an `_id` that no path segment can stand for.
fn location(schema: &Schema, document: &RawDocument) -> Option<HeaderValue> {
    let mut id = Vec::new();
    encode::value(&mut id, document.get("_id").ok()??, schema.id()).ok()?;
    let text = match serde_json::from_slice(&id).ok()? {
        serde_json::Value::String(text) => text,
        serde_json::Value::Object(_) => return None,
        _ => String::from_utf8(id).ok()?,
    };
    HeaderValue::try_from(format!("/v1/{}/{}", schema.name, utf8_percent_encode(&text, SEGMENT))).ok()
}

fn precondition(headers: &HeaderMap) -> Precondition {
    let tags = |name, weak| {
        // What is not text is no tag either, but it is a condition.
        let values: Vec<_> = headers.get_all(name).iter().map(|v| String::from_utf8_lossy(v.as_bytes())).collect();
        (!values.is_empty()).then(|| Tags::parse(&values.join(","), weak))
    };
    Precondition { if_match: tags(header::IF_MATCH, false), if_none_match: tags(header::IF_NONE_MATCH, true) }
}

fn missing(schema: &Schema) -> Error {
    Error::UnknownDocument { collection: schema.name.clone() }
}
