//! Request bodies: their size, their media type, their text.

use std::{mem, sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::{FromRequest, Request},
    http::{HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};
use futures::{Stream, StreamExt, stream};
use tokio::{sync::Mutex, time::timeout};

use super::negotiate::content_type;
use crate::{
    app::App,
    error::{Error, Result},
    json::SyntaxError,
    update::Form,
};

/// A body that is too large is read on to this multiple of the limit before it is refused: a client that is still
/// sending would see a broken connection rather than the answer. One that asks first, with `Expect`, is told at once.
const PATIENCE: usize = 4;

/// How many bytes that no handler wanted are read.
const LEFTOVER: usize = 64 << 10;
/// How long they may take.
const LEFTOVER_TIME: Duration = Duration::from_secs(1);

/// Reads what the handler has left of a small body, as when it refuses the path or the media type: the connection
/// would be closed over it, and with it the client's next request, which may be on its way.
pub(super) async fn read_out(request: Request, next: Next) -> Response {
    if request.body().is_end_stream() || request.headers().contains_key(header::EXPECT) {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let body = Arc::new(Mutex::new(body.into_data_stream()));
    let handed = stream::unfold(Arc::clone(&body), |body| async {
        let chunk = body.lock().await.next().await;
        chunk.map(|chunk| (chunk, body))
    });
    let response = next.run(Request::from_parts(parts, Body::from_stream(handed))).await;
    // Who is slower than that has to connect again.
    let _ = timeout(LEFTOVER_TIME, skip(&mut *body.lock().await)).await;
    response
}

async fn skip<E>(body: &mut (impl Stream<Item = Result<Bytes, E>> + Unpin)) {
    let mut length = 0;
    while let Some(Ok(chunk)) = body.next().await {
        length += chunk.len();
        if length > LEFTOVER {
            break;
        }
    }
}

/// The bytes of a JSON body.
pub(super) struct JsonBody(pub(super) Bytes);

impl FromRequest<App> for JsonBody {
    type Rejection = Error;

    async fn from_request(request: Request, app: &App) -> Result<Self> {
        read(request, app, &["application/json"], "`application/json`").await.map(Self)
    }
}

/// The media types of patches, and what each says of the form.
const PATCHES: [(&str, Option<Form>); 3] = [
    ("application/merge-patch+json", Some(Form::Merge)),
    ("application/json-patch+json", Some(Form::Json)),
    ("application/json", None),
];

/// Tells which media types of patches are taken.
///
/// See [RFC 5789, section 3.1](https://www.rfc-editor.org/rfc/rfc5789#section-3.1).
pub(super) const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");
/// Its value.
pub(super) const PATCHES_TAKEN: HeaderValue =
    HeaderValue::from_static("application/merge-patch+json, application/json-patch+json, application/json");
/// The same in words.
pub(super) const PATCH_TYPES: &str =
    "`application/merge-patch+json`, `application/json-patch+json` or `application/json`";

/// The bytes of a patch, and in which form it is.
pub(super) struct PatchBody {
    pub(super) form: Form,
    pub(super) text: Bytes,
}

impl FromRequest<App> for PatchBody {
    type Rejection = Error;

    async fn from_request(request: Request, app: &App) -> Result<Self> {
        let media_type = content_type(request.headers());
        let form = PATCHES.iter().find(|(name, _)| *name == media_type).and_then(|(_, form)| *form);
        let text = read(request, app, &PATCHES.map(|(name, _)| name), PATCH_TYPES).await?;
        Ok(Self { form: form.map_or_else(|| Form::of(&text), Ok)?, text })
    }
}

async fn read(request: Request, app: &App, types: &[&str], expected: &'static str) -> Result<Bytes> {
    if !types.contains(&content_type(request.headers()).as_str()) {
        return Err(Error::UnsupportedMediaType { expected });
    }
    let limit = app.limits().max_body;
    let declared = request.headers().get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<usize>().ok());
    let patience = if request.headers().contains_key(header::EXPECT) { 1 } else { PATIENCE };
    if declared.is_some_and(|length| length > limit.saturating_mul(patience)) {
        return Err(Error::TooLarge { what: "body", limit });
    }
    collect(request.into_body(), limit).await
}

async fn collect(body: Body, limit: usize) -> Result<Bytes> {
    let mut stream = body.into_data_stream();
    // Mostly it comes in one piece, which need not be copied.
    let (mut piece, mut text, mut length) = (Bytes::new(), Vec::new(), 0_usize);
    while let Some(chunk) = stream.next().await {
        let broken = |_| SyntaxError::at(if text.is_empty() { &piece } else { &text }, length, "the body broke off");
        let chunk = chunk.map_err(broken)?;
        length += chunk.len();
        if length > limit {
            (piece, text) = (Bytes::new(), Vec::new());
            if length > limit.saturating_mul(PATIENCE) {
                break;
            }
        } else if length == chunk.len() {
            piece = chunk;
        } else {
            text.extend_from_slice(&mem::take(&mut piece));
            text.extend_from_slice(&chunk);
        }
    }
    match (length > limit, text.is_empty()) {
        (true, _) => Err(Error::TooLarge { what: "body", limit }),
        (false, true) => Ok(piece),
        (false, false) => Ok(text.into()),
    }
}
