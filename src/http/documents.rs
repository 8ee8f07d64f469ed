//! Single documents: get, insert, replace, update, delete.

use std::sync::Arc;

use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use bson::{RawBson, RawDocument};

use super::{
    answer::VARY,
    body::{JsonBody, PatchBody},
    extract::{ArrayFilters, NoParameters, One, Ordered, Storage, Target, Upsert},
    many,
    negotiate::Representation,
    trace,
    written::{Manner, Written, one, tagged},
};
use crate::{
    access::{View, permit},
    app::App,
    audit::Attempt,
    codec::decode,
    error::{Error, Result},
    etag::{Precondition, Tags},
    query::GetPlan,
    schema::{Schema, access::Op},
    store::{self, Changed, Store},
    update::{Change, ChangePlan, Insert},
};

/// `GET /v1/{collection}/{id}`
pub(super) async fn get(
    State(app): State<App>,
    Storage(store): Storage,
    One { view, id }: One,
    headers: HeaderMap,
    (_, representation): (NoParameters, Representation),
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
    (Ordered(is_ordered), manner): (Ordered, Manner),
    JsonBody(body): JsonBody,
) -> Result<Response> {
    if decode::is_array(&body) {
        return many::insert(store, view, (is_ordered, manner), &body, app.limits()).await;
    }
    let body = decode::document(&body, &view.schema(Op::Insert)?.root)?;
    let plan = permit(&view, Insert { body })?;
    let attempt = attempt(&view, "insert", id_of(&plan.plan().document));
    detached(async move {
        let stored = store::insert(&store, &plan).await;
        attempt.ended(&stored, |_| Some(StatusCode::CREATED.as_u16()));
        manner.answer(&app, Written { view: &view, document: &stored?, created: true }).await
    })
    .await
}

/// `PUT /v1/{collection}/{id}`
pub(super) async fn replace(
    State(app): State<App>,
    Storage(store): Storage,
    one: One,
    (headers, Upsert(upsert), manner): (HeaderMap, Upsert, Manner),
    JsonBody(body): JsonBody,
) -> Result<Response> {
    let precondition = precondition(&headers);
    let creates = matches!(precondition, Precondition { if_match: None, if_none_match: Some(Tags::Any) });
    let (operation, op, change): (_, _, fn(_) -> _) = match (creates, upsert) {
        (true, _) => ("insert", Op::Insert, Change::Create),
        (false, true) => ("upsert", Op::Update, Change::Upsert),
        (false, false) => ("replace", Op::Update, Change::Replace),
    };
    let change = change(decode::document(&body, &one.view.schema(op)?.root)?);
    apply((app, store), one, (operation, change, precondition), Some(manner)).await
}

/// `PATCH /v1/{collection}/{id}`
pub(super) async fn update(
    State(app): State<App>,
    Storage(store): Storage,
    one: One,
    (headers, ArrayFilters(filters), manner): (HeaderMap, ArrayFilters, Manner),
    PatchBody { form, text }: PatchBody,
) -> Result<Response> {
    let schema = one.view.schema(Op::Update)?;
    let change = Change::patch(form, &text, filters.as_deref(), (&schema.root, app.limits()))?;
    apply((app, store), one, ("update", change, precondition(&headers)), Some(manner)).await
}

/// `DELETE /v1/{collection}/{id}`
pub(super) async fn delete(
    State(app): State<App>,
    Storage(store): Storage,
    one: One,
    (headers, _): (HeaderMap, NoParameters),
) -> Result<Response> {
    apply((app, store), one, ("delete", Change::Delete, precondition(&headers)), None).await
}

async fn apply(
    (app, store): (App, Store),
    One { view, id }: One,
    (operation, change, precondition): (&'static str, Change, Precondition),
    manner: Option<Manner>,
) -> Result<Response> {
    let attempt = attempt(&view, operation, RawBson::try_from(id.clone()).ok());
    let plan = ChangePlan { schema: Arc::clone(view.declared()), id, change, precondition };
    let plan = permit(&view, plan)?;
    let is_new = matches!(plan.plan().change, Change::Create(_));
    view.require_precondition(is_new || plan.plan().precondition.if_match.is_some())?;
    detached(async move {
        let changed = store::change(&store, &plan).await;
        attempt.ended(&changed, |changed| Some(status((&view, changed), manner).as_u16()));
        match manner.zip(Written::of(&view, &changed?)) {
            Some((manner, written)) => manner.answer(&app, written).await,
            None => Ok(StatusCode::NO_CONTENT.into_response()),
        }
    })
    .await
}

fn status((view, changed): (&View, &Changed), manner: Option<Manner>) -> StatusCode {
    let answered = manner.zip(Written::of(view, changed));
    answered.map_or(StatusCode::NO_CONTENT, |(manner, written)| manner.status(written))
}

pub(super) fn attempt(view: &View, operation: &'static str, id: Option<RawBson>) -> Attempt {
    Attempt::at((view.caller(), view.declared()), operation, id).under(trace::current_id())
}

/// Runs a write, which leaves its line in the audit log, in a task of its own, so that a client which leaves cannot stop
/// it half-way.
pub(super) async fn detached(write: impl Future<Output = Result<Response>> + Send + 'static) -> Result<Response> {
    match tokio::spawn(write).await {
        Ok(written) => Ok((Extension(trace::Audited), written).into_response()),
        Err(panic) => Err(Error::Internal(format!("a write was broken off: {panic}"))),
    }
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

fn missing(schema: &Schema) -> Error {
    Error::UnknownDocument { collection: schema.name.clone() }
}
