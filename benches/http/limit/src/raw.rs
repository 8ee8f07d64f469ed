//! The seven jobs by hand: raw batches in, one pass to JSON, one buffer out.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderValue, Response, StatusCode, Uri, header},
    routing::{get, post},
};
use bson::{Document, RawDocument, RawDocumentBuf, doc, oid::ObjectId};
use futures_util::{StreamExt, stream};
use mongodb::{Database, options::ReturnDocument, raw_batch_cursor::RawBatch};
use tokio::sync::mpsc;

use super::{Failure, Shelves, bad, decode, encode, failed, missing};

type Answer = Result<Response<Body>, Failure>;
type Books = State<Arc<Shelves<RawDocumentBuf>>>;

pub fn router(database: &Database) -> Router {
    Router::new()
        .route("/health", get(async || "ok"))
        .route("/books/{id}", get(one).patch(update))
        .route("/books", get(list))
        .route("/books_w", post(insert))
        .route("/books_w/bulk", post(insert_many))
        .route("/export", get(export))
        .with_state(Arc::new(Shelves::of(database)))
}

/// W1
async fn one(State(shelves): Books, uri: Uri) -> Answer {
    let mut found = shelves.books.find(doc! { "_id": id(&uri)? }).limit(-1).batch().await.map_err(failed)?;
    let batch = found.next().await.ok_or_else(missing)?.map_err(failed)?;
    let documents = batch.doc_slices().map_err(failed)?;
    let document = documents.into_iter().next().ok_or_else(missing)?.map_err(failed)?;
    json(StatusCode::OK, document_json(document.as_document().ok_or_else(missing)?)?)
}

/// W2 and W3
async fn list(State(shelves): Books, uri: Uri) -> Answer {
    let (mut filter, mut sort, mut skip, mut limit) = (doc! {}, doc! {}, 0, 20);
    for (name, value) in uri.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('=')) {
        match name {
            "author" => drop(filter.insert("author", percent_decoded(value)?)),
            "sort" => drop(sort.insert(value, 1)),
            "skip" => skip = value.parse().map_err(bad)?,
            "limit" => limit = value.parse().map_err(bad)?,
            _ => return Err(bad("parameter")),
        }
    }
    sort.insert("_id", 1);
    let mut find = shelves.books.find(filter).sort(sort).limit(-limit);
    if skip > 0 {
        find = find.skip(skip);
    }
    let batch = find.batch().await.map_err(failed)?.next().await.ok_or_else(missing)?.map_err(failed)?;
    json(StatusCode::OK, array_json(&batch)?)
}

/// W4
async fn insert(State(shelves): Books, body: Bytes) -> Answer {
    let document = decode::document(&body, Some(ObjectId::new().bytes())).map_err(bad)?;
    let document = RawDocumentBuf::from_bytes(document).map_err(bad)?;
    let out = document_json(&document)?;
    shelves.books_w.insert_one(document).await.map_err(failed)?;
    json(StatusCode::CREATED, out)
}

/// W5
async fn update(State(shelves): Books, uri: Uri, body: Bytes) -> Answer {
    let members = RawDocumentBuf::from_bytes(decode::document(&body, None).map_err(bad)?).map_err(bad)?;
    let set = doc! { "$set": Document::try_from(members.as_ref()).map_err(bad)? };
    let change = shelves.books.find_one_and_update(doc! { "_id": id(&uri)? }, set);
    let document = change.return_document(ReturnDocument::After).await.map_err(failed)?.ok_or_else(missing)?;
    json(StatusCode::OK, document_json(&document)?)
}

/// W6
async fn insert_many(State(shelves): Books, body: Bytes) -> Answer {
    let documents = decode::documents(&body, || ObjectId::new().bytes()).map_err(bad)?;
    let documents = documents.into_iter().map(RawDocumentBuf::from_bytes).collect::<Result<Vec<_>, _>>();
    let inserted = shelves.books_w.insert_many(documents.map_err(bad)?).await.map_err(failed)?.inserted_ids.len();
    json(StatusCode::CREATED, format!("{{\"inserted\":{inserted}}}").into_bytes())
}

/// W7
async fn export(State(shelves): Books) -> Answer {
    let mut batches = shelves.books.find(doc! {}).batch_size(1000).batch().await.map_err(failed)?;
    let (sender, mut receiver) = mpsc::channel::<Result<Bytes, String>>(2);
    tokio::spawn(async move {
        let mut before = b'[';
        while let Some(Ok(batch)) = batches.next().await {
            let Ok(mut out) = array_json(&batch) else { return };
            if out == b"[]" {
                continue;
            }
            (out[0], before) = (before, b',');
            out.pop();
            if sender.send(Ok(out.into())).await.is_err() {
                return;
            }
        }
        let _ = sender.send(Ok(Bytes::from_static(b"]"))).await;
    });
    Ok(Response::new(Body::from_stream(stream::poll_fn(move |context| receiver.poll_recv(context)))))
}

fn json(status: StatusCode, body: Vec<u8>) -> Answer {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

fn document_json(document: &RawDocument) -> Result<Vec<u8>, Failure> {
    let mut out = Vec::with_capacity(document.as_bytes().len() * 3 / 2);
    encode::object(document.as_bytes(), &mut out).map_err(failed)?;
    Ok(out)
}

fn array_json(batch: &RawBatch) -> Result<Vec<u8>, Failure> {
    let documents = batch.doc_slices().map_err(failed)?.as_bytes();
    let mut out = Vec::with_capacity(documents.len() * 5 / 4 + 64);
    encode::array(documents, &mut out).map_err(failed)?;
    Ok(out)
}

fn id(uri: &Uri) -> Result<ObjectId, Failure> {
    ObjectId::parse_str(uri.path().rsplit('/').next().unwrap_or_default()).map_err(bad)
}

fn percent_decoded(text: &str) -> Result<String, Failure> {
    let (mut out, mut rest) = (Vec::with_capacity(text.len()), text);
    while let Some((plain, escape)) = rest.split_once('%') {
        out.extend_from_slice(plain.as_bytes());
        out.push(u8::from_str_radix(escape.get(..2).ok_or_else(|| bad("escape"))?, 16).map_err(bad)?);
        rest = &escape[2..];
    }
    out.extend_from_slice(rest.as_bytes());
    String::from_utf8(out).map_err(bad)
}
