//! Many documents at once: an array of new ones, and those that a filter selects.

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use bson::RawDocument;
use serde::Serialize;

use super::{
    answer::Body,
    body::PatchBody,
    bulk,
    documents::{attempt, detached},
    extract::{Storage, Target},
    negotiate::{Coding, Format, Json},
    written::Manner,
};
use crate::{
    access::{View, permit},
    app::App,
    codec::decode::{self, BrokenArray, Documents},
    config::Limits,
    error::{Error, Result, check_limit, invalid_query},
    query::Selection,
    schema::{Field, access::Op},
    store::{self, Counts, Inserted, Outcome, Shown, Store},
    update::{
        Change,
        many::{Bodies, InsertAll, InsertEach, ManyPlan},
    },
};

/// `POST /v1/{collection}` with the array `text`.
pub(super) async fn insert(
    store: Store,
    view: View,
    (is_ordered, manner): (bool, Manner),
    text: &[u8],
    limits: &Limits,
) -> Result<Response> {
    let schema = view.schema(Op::Insert)?;
    let bodies = Items::of(text, &schema.root, limits.max_bulk)?;
    let attempt = attempt(&view, "insert", None);
    let shown = if manner.preferences.returns_documents(false) { Shown::ALL } else { Shown::NONE };
    if is_ordered {
        let plan = permit(&view, InsertAll { bodies })?;
        let attempt = attempt.of(plan.plan().documents.len() as u64);
        return detached(async move {
            let stored = store::insert_all(&store, plan, shown).await;
            attempt.ended(&stored, |_| Some(StatusCode::CREATED.as_u16()));
            all(&view, &stored?, manner).await
        })
        .await;
    }
    let plan = permit(&view, InsertEach { bodies })?;
    detached(async move {
        let stored = store::insert_each(&store, plan, shown).await;
        let count = stored.as_ref().map_or(0, Inserted::count);
        attempt.of(count as u64).ended(&stored, |_| Some(StatusCode::MULTI_STATUS.as_u16()));
        bulk::answer(&view, StatusCode::MULTI_STATUS, (stored?.outcomes()?, manner)).await
    })
    .await
}

/// The documents of a JSON array.
struct Items<'t, 's> {
    documents: Documents<'t, 's>,
    count: usize,
    limit: usize,
}

impl<'t, 's> Items<'t, 's> {
    /// The documents of the array `text`, at most `limit`.
    fn of(text: &'t [u8], shape: &'s Field, limit: usize) -> Result<Self> {
        Ok(Self { documents: decode::documents(text, shape)?, count: 0, limit })
    }
}

impl Bodies for Items<'_, '_> {
    fn read_next(&mut self) -> Option<Result<&RawDocument>> {
        let document = self.documents.read_next()?;
        self.count += 1;
        let of_all = || "the number of documents in the array".to_owned();
        let fits = check_limit(("--max-bulk", self.limit), self.count, of_all);
        Some(fits.and_then(|()| document.map_err(broken)))
    }
}

fn broken(BrokenArray { item, error }: BrokenArray) -> Error {
    match item {
        Some(item) => Error::from(error).of_item(item),
        None => error.into(),
    }
}

/// The answer to documents that are all stored: their ids, or what the caller may read of them.
async fn all(view: &View, stored: &[Outcome], manner: Manner) -> Result<Response> {
    let (schema, Manner { representation, preferences }) = (view.declared(), manner);
    let shows = preferences.returns_documents(false);
    let mut out = if shows { b"{\"items\":[".to_vec() } else { b"{\"ids\":[".to_vec() };
    for (at, Outcome { id, document, .. }) in stored.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        match document {
            None => representation.write_value(&mut out, id.as_raw_bson_ref(), schema.id())?,
            Some(document) if view.reads(document) => {
                representation.write(&mut out, &view.show(document)?, (schema, None))?;
            }
            Some(_) => out.extend_from_slice(b"null"),
        }
    }
    out.extend_from_slice(b"]}");
    let mut answer = representation.body(out).into_answer().await?;
    answer.headers_mut().extend(preferences.applied());
    Ok((StatusCode::CREATED, answer).into_response())
}

/// `PATCH /v1/{collection}`
pub(super) async fn update(
    State(app): State<App>,
    Storage(store): Storage,
    Target(view): Target,
    (selection, _, coding): (Selection, Json, Coding),
    PatchBody { form, text }: PatchBody,
) -> Result<Response> {
    let (schema, filters) = (view.schema(Op::Update)?, selection.array_filters.as_deref());
    let change = Change::patch(form, &text, filters, (&schema.root, app.limits()))?;
    let counts = |counts: Counts| Told::Updated { matched: counts.matched, modified: counts.changed };
    apply((app, store), view, (selection, "update", change), (counts, coding)).await
}

/// `DELETE /v1/{collection}`
pub(super) async fn delete(
    State(app): State<App>,
    Storage(store): Storage,
    Target(view): Target,
    (selection, _, coding): (Selection, Json, Coding),
) -> Result<Response> {
    if selection.array_filters.is_some() {
        return Err(invalid_query("arrayFilters", None, "only a patch of update operators takes the parameter"));
    }
    let counts = |counts: Counts| Told::Deleted { deleted: counts.changed };
    apply((app, store), view, (selection, "delete", Change::Delete), (counts, coding)).await
}

/// What a change of many documents is answered with.
#[derive(Serialize)]
#[serde(untagged)]
enum Told {
    Updated { matched: u64, modified: u64 },
    Deleted { deleted: u64 },
}

async fn apply(
    (app, store): (App, Store),
    view: View,
    (selection, operation, change): (Selection, &'static str, Change),
    (told, coding): (fn(Counts) -> Told, Coding),
) -> Result<Response> {
    let selection = selection.plan(&view.schema(Op::Read)?, app.limits())?;
    let plan = permit(&view, ManyPlan { selection, change })?;
    view.require_precondition(false)?;
    let attempt = attempt(&view, operation, None);
    detached(async move {
        let counts = store::change_many(&store, &plan).await;
        let documents = counts.as_ref().map_or(0, |counts| counts.changed);
        attempt.of(documents).ended(&counts, |_| Some(StatusCode::OK.as_u16()));
        let text = serde_json::to_vec(&told(counts?));
        let text = text.map_err(|e| Error::Internal(format!("counts cannot be written: {e}")))?;
        Body::new(text, Format::Json.content_type(), coding).into_answer().await
    })
    .await
}
