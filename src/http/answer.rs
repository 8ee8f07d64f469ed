//! Successful answers: their media type, whether they are compressed, and what tells caches of both. The one place
//! that makes them; what stands in them is the handlers' business.

use std::io::Write as _;

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use bson::{RawBsonRef, RawDocument};
use flate2::{Compression, write::GzEncoder};
use tokio::task::spawn_blocking;

use super::negotiate::{Coding, Format, Representation};
use crate::{
    codec::{ejson, ejson::Mode, encode},
    error::{Error, Result},
    schema::{Field, Schema},
};

/// What answers depend on beside the path, whether or not this version makes a difference of it.
pub(super) const VARY: HeaderValue =
    HeaderValue::from_static("Accept, Accept-Encoding, Authorization, Prefer, X-Api-Key");
const GZIP: HeaderValue = HeaderValue::from_static("gzip");

/// Bytes from which on an answer is compressed: a smaller one fits a packet or two either way.
const WORTHWHILE: usize = 1 << 10;
/// Bytes from which on a thread of its own compresses it: this one has other requests to serve.
const LONG: usize = 256 << 10;

impl Representation {
    /// Appends `document` of `schema`, without its member `hidden` if it has one.
    pub(super) fn write(
        self,
        out: &mut Vec<u8>,
        document: &RawDocument,
        (schema, hidden): (&Schema, Option<&str>),
    ) -> Result<()> {
        match (self.format, hidden) {
            (Format::Json, None) => encode::document(out, document, &schema.root),
            (Format::Json, Some(hidden)) => encode::document_without(out, document, &schema.root, hidden),
            (Format::Ejson(mode), hidden) => ejson::document(out, document, mode, hidden),
        }
    }

    /// Appends one `value` of the shape `shape`.
    pub(super) fn write_value(self, out: &mut Vec<u8>, value: RawBsonRef<'_>, shape: &Field) -> Result<()> {
        match self.format {
            Format::Json => encode::value(out, value, shape),
            Format::Ejson(mode) => ejson::value(out, value, mode),
        }
    }

    /// The body of an answer that was written in this representation.
    pub(super) fn body(self, text: Vec<u8>) -> Body {
        let variant = match (self.format, self.coding.applies(&text)) {
            (Format::Json, false) => "",
            (Format::Json, true) => "g",
            (Format::Ejson(Mode::Relaxed), false) => "r",
            (Format::Ejson(Mode::Relaxed), true) => "rg",
            (Format::Ejson(Mode::Canonical), false) => "c",
            (Format::Ejson(Mode::Canonical), true) => "cg",
        };
        Body { variant, ..Body::new(text, self.format.content_type(), self.coding) }
    }
}

impl Coding {
    fn applies(self, text: &[u8]) -> bool {
        match self {
            Self::Identity => false,
            Self::Gzip => text.len() >= WORTHWHILE,
            Self::OnlyGzip => true,
        }
    }
}

/// The body of an answer, before it is compressed.
pub(super) struct Body {
    text: Vec<u8>,
    media_type: HeaderValue,
    is_compressed: bool,
    /// What the entity tag calls the representation.
    pub(super) variant: &'static str,
}

impl Body {
    /// A body of which there is only this representation, compressed or not.
    pub(super) fn new(text: Vec<u8>, media_type: HeaderValue, coding: Coding) -> Self {
        Self { is_compressed: coding.applies(&text), text, media_type, variant: "" }
    }

    /// The answer, but for its status and what only some answers tell.
    pub(super) async fn into_answer(self) -> Result<Response> {
        let headers = [(header::CONTENT_TYPE, self.media_type), (header::VARY, VARY)];
        if !self.is_compressed {
            return Ok((headers, self.text).into_response());
        }
        Ok((headers, [(header::CONTENT_ENCODING, GZIP)], compress(self.text).await?).into_response())
    }
}

async fn compress(text: Vec<u8>) -> Result<Vec<u8>> {
    if text.len() < LONG {
        return gzip(&text);
    }
    let failed = |error| Error::Internal(format!("compressing was broken off: {error}"));
    spawn_blocking(move || gzip(&text)).await.map_err(failed)?
}

fn gzip(text: &[u8]) -> Result<Vec<u8>> {
    /// JSON comes to about this part of its size.
    const RATIO: usize = 4;
    let mut encoder = GzEncoder::new(Vec::with_capacity(text.len() / RATIO), Compression::fast());
    let written = encoder.write_all(text).and_then(|()| encoder.finish());
    written.map_err(|error| Error::Internal(format!("an answer cannot be compressed: {error}")))
}
