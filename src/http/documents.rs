//! Single documents: get, insert, replace, update, delete.

use std::sync::Arc;

use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bson::{RawBson, RawDocument};

use super::{
    answer::{Body, VARY},
    body::{JsonBody, PatchBody},
    extract::{NoParameters, One, Storage, Target},
    negotiate::Representation,
    trace,
};
use crate::{
    access::{View, permit},
    app::App,
    audit::Attempt,
    codec::{decode, encode},
    error::{Error, Result},
    etag::{Etag, Precondition, Tags},
    query::GetPlan,
    schema::{Schema, access::Op, options::Concurrency},
    store::{self, Changed, Store},
    update::{Change, ChangePlan, Insert},
};

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
    let body = decode::document(&body, &view.schema(Op::Insert)?.root)?;
    let plan = permit(&view, Insert { body })?;
    let attempt = attempt(&view, "insert", id_of(&plan.plan().document));
    detached(async move {
        let stored = store::insert(&store, &plan).await;
        attempt.ended(&stored, |_| Some(StatusCode::CREATED.as_u16()));
        answer(&app, &view, (Some(&*stored?), true), representation).await
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
    let precondition = precondition(&headers);
    let creates = matches!(precondition, Precondition { if_match: None, if_none_match: Some(Tags::Any) });
    let (operation, op) = if creates { ("insert", Op::Insert) } else { ("replace", Op::Update) };
    let document = decode::document(&body, &one.view.schema(op)?.root)?;
    let change = if creates { Change::Create(document) } else { Change::Replace(document) };
    apply((app, store), one, (operation, change, precondition), Some(representation)).await
}

/// `PATCH /v1/{collection}/{id}`
pub(super) async fn update(
    State(app): State<App>,
    Storage(store): Storage,
    one: One,
    (headers, representation): (HeaderMap, Representation),
    PatchBody(body): PatchBody,
) -> Result<Response> {
    let patch = decode::document(&body, &one.view.schema(Op::Update)?.root)?;
    let change = ("update", Change::Merge(patch), precondition(&headers));
    apply((app, store), one, change, Some(representation)).await
}

/// `DELETE /v1/{collection}/{id}`
pub(super) async fn delete(
    State(app): State<App>,
    Storage(store): Storage,
    one: One,
    headers: HeaderMap,
) -> Result<Response> {
    apply((app, store), one, ("delete", Change::Delete, precondition(&headers)), None).await
}

async fn apply(
    (app, store): (App, Store),
    One { view, id }: One,
    (operation, change, precondition): (&'static str, Change, Precondition),
    representation: Option<Representation>,
) -> Result<Response> {
    let attempt = attempt(&view, operation, RawBson::try_from(id.clone()).ok());
    let plan = ChangePlan { schema: Arc::clone(view.declared()), id, change, precondition };
    let plan = permit(&view, plan)?;
    require_precondition(plan.plan())?;
    detached(async move {
        let changed = store::change(&store, &plan).await;
        attempt.ended(&changed, |c| Some(status(&view, (c.document.as_deref(), c.created)).as_u16()));
        let Changed { document, created } = changed?;
        match representation {
            Some(representation) => answer(&app, &view, (document.as_deref(), created), representation).await,
            None => Ok(StatusCode::NO_CONTENT.into_response()),
        }
    })
    .await
}

fn attempt(view: &View, operation: &'static str, id: Option<RawBson>) -> Attempt {
    Attempt::at((view.caller(), view.declared()), operation, id).under(trace::current_id())
}

/// Runs a write, which leaves its line in the audit log, in a task of its own, so that a client which leaves cannot stop
/// it half-way.
async fn detached(write: impl Future<Output = Result<Response>> + Send + 'static) -> Result<Response> {
    match tokio::spawn(write).await {
        Ok(written) => Ok((Extension(trace::Audited), written).into_response()),
        Err(panic) => Err(Error::Internal(format!("a write was broken off: {panic}"))),
    }
}

/// What a write left, and whether that is new.
type Written<'w> = (Option<&'w RawDocument>, bool);

/// The answer to a write: the document as it is now, as far as the caller may read it.
async fn answer(app: &App, view: &View, written: Written<'_>, representation: Representation) -> Result<Response> {
    let (schema, (document, created)) = (view.declared(), written);
    let mut response = match document.filter(|document| view.reads(document)) {
        None => ().into_response(),
        Some(document) => {
            let document = view.show(document)?;
            tagged(one(schema, &document, representation)?, app.store().etag.tag(&document)).await?
        }
    };
    *response.status_mut() = status(view, written);
    let location = document.filter(|_| created).and_then(|document| location(schema, document));
    response.headers_mut().extend(location.map(|location| (header::LOCATION, location)));
    Ok(response)
}

fn status(view: &View, (document, created): Written<'_>) -> StatusCode {
    match document {
        Some(_) if created => StatusCode::CREATED,
        Some(document) if view.reads(document) => StatusCode::OK,
        _ => StatusCode::NO_CONTENT,
    }
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
    let id = encode::segment(document.get("_id").ok()??, schema.id())?;
    HeaderValue::try_from(format!("/v1/{}/{id}", schema.name)).ok()
}

fn id_of(document: &RawDocument) -> Option<RawBson> {
    document.get("_id").ok().flatten().map(RawBson::from)
}

fn precondition(headers: &HeaderMap) -> Precondition {
    let tags = |name, weak| {
        // What is not text is no tag either, but it is a condition.
        let values: Vec<_> = headers.get_all(name).iter().map(|v| String::from_utf8_lossy(v.as_bytes())).collect();
        (!values.is_empty()).then(|| Tags::parse(&values.join(","), weak))
    };
    Precondition { if_match: tags(header::IF_MATCH, false), if_none_match: tags(header::IF_NONE_MATCH, true) }
}

/// Refuses a change of a document that the caller need not have seen, where the collection's file wants that. See
/// [RFC 6585, section 3](https://www.rfc-editor.org/rfc/rfc6585#section-3).
fn require_precondition(plan: &ChangePlan) -> Result<()> {
    let is_blind = plan.precondition.if_match.is_none() && !matches!(plan.change, Change::Create(_));
    let schema = &plan.schema;
    if is_blind && schema.options.concurrency == Concurrency::Required {
        return Err(Error::PreconditionRequired { collection: schema.name.clone() });
    }
    Ok(())
}

fn missing(schema: &Schema) -> Error {
    Error::UnknownDocument { collection: schema.name.clone() }
}
