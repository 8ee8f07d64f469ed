//! Many different writes in one request.

use axum::{extract::State, http::StatusCode, response::Response};

use super::{
    body::JsonBody,
    documents::{attempt, detached},
    extract::{Ordered, Storage, Target},
    results::Results,
    written::Manner,
};
use crate::{
    access::{View, Write},
    app::App,
    config::Limits,
    error::{Error, Result, check_limit},
    store::{self, Effect, Outcome, Shown},
    update::bulk,
};

/// `POST /v1/{collection}/_bulk`
pub(super) async fn write(
    State(app): State<App>,
    Storage(store): Storage,
    Target(view): Target,
    (Ordered(is_ordered), manner): (Ordered, Manner),
    JsonBody(body): JsonBody,
) -> Result<Response> {
    let limit = app.limits().max_page_bytes;
    let shown = if manner.preferences.returns_documents(false) { Shown::within(limit) } else { Shown::NONE };
    let writes = read(&view, &body, app.limits())?;
    let attempt = attempt(&view, "bulk", None);
    if is_ordered {
        let writes = all(writes)?;
        return detached(async move {
            let done = store::write_all(&store, &writes, shown).await;
            attempt.of(writes.len() as u64).ended(&done, |_| Some(StatusCode::OK.as_u16()));
            let done = done?.into_iter().map(Ok);
            answer(&view, StatusCode::OK, (done, manner)).await
        })
        .await;
    }
    detached(async move {
        let done = store::write_each(&store, writes, shown).await;
        let count = done.iter().filter(|done| done.is_ok()).count();
        attempt.of(count as u64).line("ok", Some(StatusCode::MULTI_STATUS.as_u16()));
        answer(&view, StatusCode::MULTI_STATUS, (done.into_iter(), manner)).await
    })
    .await
}

/// The writes of the body `text`, each as the caller of `view` may make it.
fn read(view: &View, text: &[u8], limits: &Limits) -> Result<Vec<Result<Write>>> {
    let (views, mut values) = (|op| view.schema(op), 0);
    let sent = bulk::split(text, limits)?;
    let read = sent.iter().map(|sent| {
        let write = sent.read((view.declared(), &views), limits)?;
        let of_all = values + write.values();
        check_limit(("--max-values", limits.max_values), of_all, || "the number of values in the updates".to_owned())?;
        values = of_all;
        Write::permit(view, write)
    });
    Ok(read.collect())
}

/// All of the writes, or why the first is refused that is.
fn all(writes: Vec<Result<Write>>) -> Result<Vec<Write>> {
    let of_item = |(item, write): (usize, Result<Write>)| write.map_err(|error: Error| error.of_item(item));
    writes.into_iter().enumerate().map(of_item).collect()
}

pub(super) async fn answer(
    view: &View,
    status: StatusCode,
    (done, manner): (impl Iterator<Item = Result<Outcome>>, Manner),
) -> Result<Response> {
    let mut results = Results::new(view, manner, done.size_hint().0);
    for done in done {
        match done {
            Ok(Outcome { id, effect, document }) => {
                results.done(status_of(effect), &id, document.as_deref())?;
            }
            Err(error) => results.failed(&error)?,
        }
    }
    results.into_answer(status).await
}

fn status_of(effect: Effect) -> StatusCode {
    match effect {
        Effect::Created => StatusCode::CREATED,
        Effect::Changed => StatusCode::OK,
        Effect::Deleted => StatusCode::NO_CONTENT,
    }
}
