//! Lists: pages of documents, asked for in a URL or in a body.

use axum::{
    extract::State,
    http::{HeaderValue, Uri, header},
    response::Response,
};

use super::{
    answer::Body,
    body::JsonBody,
    extract::{NoParameters, Storage, Target},
    negotiate::Representation,
};
use crate::{
    access::{Permitted, View, permit},
    app::App,
    error::{Error, Result},
    query::{self, CursorKey, FindPlan, Query},
    schema::access::Op,
    store::{self, Page, Store},
};

/// `GET /v1/{collection}`
pub(super) async fn list(
    State(app): State<App>,
    Target(view): Target,
    Storage(store): Storage,
    query: Query,
    (representation, uri): (Representation, Uri),
) -> Result<Response> {
    let (body, next) = read(&app, &store, (&view, &query), representation).await?;
    let mut response = body.into_answer().await?;
    let link = next.and_then(|next| link(&uri, &next, app.limits().max_url));
    response.headers_mut().extend(link.map(|link| (header::LINK, link)));
    Ok(response)
}

/// `POST /v1/{collection}/_query`
pub(super) async fn query(
    State(app): State<App>,
    Target(view): Target,
    Storage(store): Storage,
    (_, representation): (NoParameters, Representation),
    JsonBody(body): JsonBody,
) -> Result<Response> {
    let query = Query::parse_body(&body, app.limits())?;
    let page = read(&app, &store, (&view, &query), representation).await;
    page.map_err(Error::in_body)?.0.into_answer().await
}

/// The page that the query asks for, and the cursor that leads on from it.
async fn read(
    app: &App,
    store: &Store,
    (view, query): (&View, &Query),
    representation: Representation,
) -> Result<(Body, Option<String>)> {
    let plan = permit(view, query::plan(&view.schema(Op::Read)?, query, app.limits(), app.cursors())?)?;
    let page = store::find(store, &plan).await?;
    write(&plan, &page, app.cursors(), representation)
}

fn write(
    permitted: &Permitted<FindPlan>,
    page: &Page,
    cursors: &CursorKey,
    representation: Representation,
) -> Result<(Body, Option<String>)> {
    let (plan, mut reader) = (permitted.plan(), permitted.reader()?);
    let (mut out, mut last, mut next) = (Vec::with_capacity(room(page)), None, None);
    out.extend_from_slice(b"{\"items\":[");
    for (at, document) in page.documents().enumerate() {
        if at == plan.limit as usize {
            next = last.map(|last| cursors.seal(plan.list(), &plan.position(last)?)).transpose()?;
            break;
        }
        if at > 0 {
            out.push(b',');
        }
        let document = document?;
        representation.write(&mut out, &reader.show(document)?, (&plan.schema, plan.hidden()))?;
        last = Some(document);
    }
    out.extend_from_slice(b"],\"next\":");
    match &next {
        // A cursor has no character that JSON escapes.
        Some(next) => [b"\"", next.as_bytes(), b"\"}"].iter().for_each(|part| out.extend_from_slice(part)),
        None => out.extend_from_slice(b"null}"),
    }
    Ok((representation.body(out), next))
}

/// How many bytes the page is likely to come to: JSON is mostly a little longer than BSON, and growing costs a copy.
fn room(page: &Page) -> usize {
    page.size() + page.size() / 4 + 256
}

/// The link to the page that `next` leads to, as [RFC 8288](https://www.rfc-editor.org/rfc/rfc8288) has it; `None` if
/// it would be too long to be asked for.
fn link(uri: &Uri, next: &str, longest: usize) -> Option<HeaderValue> {
    let parameters = uri.query().unwrap_or_default().split('&');
    let kept = parameters.filter(|p| !p.is_empty() && !p.starts_with("after=") && !p.starts_with("skip="));
    let mut url = String::with_capacity(uri.path().len() + uri.query().map_or(0, str::len) + next.len() + 32);
    url.extend(["<", uri.path(), "?"]);
    kept.for_each(|parameter| url.extend([parameter, "&"]));
    url.extend(["after=", next, ">; rel=\"next\""]);
    let length = url.len() - "<>; rel=\"next\"".len();
    HeaderValue::try_from(url).ok().filter(|_| length <= longest)
}
