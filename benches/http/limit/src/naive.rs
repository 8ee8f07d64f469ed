//! The seven jobs as a tutorial has them: `Document` to `serde_json::Value` to `Json`.

#![expect(clippy::disallowed_types, reason = "tutorials take what axum has, and so does this")]

use std::{collections::HashMap, sync::Arc};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{Path, Query, State},
    http::StatusCode,
    routing::{get, post},
};
use bson::{Bson, Document, doc, oid::ObjectId};
use futures_util::{StreamExt, TryStreamExt, stream};
use mongodb::{Database, options::ReturnDocument};
use serde_json::Value;

use super::{Failure, Shelves, bad, failed, missing};

type Answer = Result<Json<Value>, Failure>;
type Books = State<Arc<Shelves<Document>>>;

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
async fn one(State(shelves): Books, Path(id): Path<String>) -> Answer {
    let id = ObjectId::parse_str(&id).map_err(bad)?;
    let found = shelves.books.find_one(doc! { "_id": id }).await.map_err(failed)?;
    Ok(Json(value(found.ok_or_else(missing)?)))
}

/// W2 and W3
async fn list(State(shelves): Books, Query(mut query): Query<HashMap<String, String>>) -> Answer {
    let mut number = |name, default| query.remove(name).map_or(Ok(default), |text| text.parse()).map_err(bad);
    let (skip, limit): (i64, i64) = (number("skip", 0)?, number("limit", 20)?);
    let mut sort: Document = query.remove("sort").into_iter().map(|field| (field, Bson::from(1))).collect();
    sort.insert("_id", 1);
    let filter = query.into_iter().map(|(field, text)| (field, Bson::from(text))).collect::<Document>();
    let find = shelves.books.find(filter).sort(sort).skip(skip.unsigned_abs()).limit(limit);
    let documents: Vec<_> = find.await.map_err(failed)?.try_collect().await.map_err(failed)?;
    Ok(Json(documents.into_iter().map(value).collect()))
}

/// W4
async fn insert(State(shelves): Books, Json(body): Json<Value>) -> Result<(StatusCode, Json<Value>), Failure> {
    let mut document = document(body)?;
    let inserted = shelves.books_w.insert_one(&document).await.map_err(failed)?;
    document.insert("_id", inserted.inserted_id);
    Ok((StatusCode::CREATED, Json(value(document))))
}

/// W5
async fn update(State(shelves): Books, Path(id): Path<String>, Json(body): Json<Value>) -> Answer {
    let id = ObjectId::parse_str(&id).map_err(bad)?;
    let change = shelves.books.find_one_and_update(doc! { "_id": id }, doc! { "$set": document(body)? });
    let changed = change.return_document(ReturnDocument::After).await.map_err(failed)?;
    Ok(Json(value(changed.ok_or_else(missing)?)))
}

/// W6
async fn insert_many(
    State(shelves): Books,
    Json(body): Json<Vec<Value>>,
) -> Result<(StatusCode, Json<Value>), Failure> {
    let documents = body.into_iter().map(document).collect::<Result<Vec<_>, _>>()?;
    let inserted = shelves.books_w.insert_many(&documents).await.map_err(failed)?;
    Ok((StatusCode::CREATED, Json(serde_json::json!({ "inserted": inserted.inserted_ids.len() }))))
}

/// W7
async fn export(State(shelves): Books) -> Result<Body, Failure> {
    let lines = shelves.books.find(doc! {}).await.map_err(failed)?.enumerate().map(|(at, document)| {
        document.map(|document| Bytes::from(format!("{}{}", if at == 0 { "[" } else { ",\n" }, value(document))))
    });
    Ok(Body::from_stream(lines.chain(stream::iter([Ok(Bytes::from_static(b"]"))]))))
}

fn value(document: Document) -> Value {
    Bson::Document(document).into_relaxed_extjson()
}

fn document(value: Value) -> Result<Document, Failure> {
    match Bson::try_from(value) {
        Ok(Bson::Document(document)) => Ok(document),
        _ => Err(bad("expected an object")),
    }
}
