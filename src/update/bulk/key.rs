//! Filters that ask for one document at most: by the keys of a unique index.
//!
//! See [unique indexes](https://www.mongodb.com/docs/manual/core/indexes/index-types/index-unique/).

use bson::{Bson, Document, RawBsonRef, RawDocumentBuf};
use serde_json::value::{RawValue, to_raw_value};

use super::token::{Token, reached};
use crate::{
    config::Limits,
    error::{Error, Place, Result},
    json::push_token,
    query::{filter::Filter, path::Scope},
    schema::{Index, Schema},
    update::{refused, unreadable},
};

/// The values under the keys of a unique index, and what else a document is found by.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    /// The name of the index.
    pub index: String,
    /// The keys of the index, without their order.
    pub paths: Vec<String>,
    /// The values by the dotted names of their fields.
    pub values: Document,
    /// How the index compares texts, if otherwise than byte by byte.
    pub collation: Option<Document>,
}

impl Key {
    /// The `_id`, if that alone is the key.
    pub fn id(&self) -> Option<&Bson> {
        if self.values.len() == 1 { self.values.get("_id") } else { None }
    }

    /// The token of the key, as documents with it have it.
    pub(crate) fn token(&self) -> Result<Token> {
        let value = |path: &String| self.values.get(path).map_or(Ok(Token::of(RawBsonRef::Null)), Token::of_bson);
        let values = self.paths.iter().map(value).collect::<Result<Vec<_>>>()?;
        Ok(Token::joined(&values))
    }
}

/// The key that the `filter` asks for, `reads` being the collection as the caller may read it.
///
/// # Errors
/// [`Error::UnindexedQuery`] where several documents may have it, and those of filters.
pub(super) fn plan(filter: &Filter, reads: &Schema, limits: &Limits) -> Result<Key> {
    let values = equalities(filter.plan(reads, limits)?.filter)?;
    if values.contains_key("_id") {
        return Ok(Key { index: "_id_".into(), paths: vec!["_id".into()], values, collation: None });
    }
    match reads.indexes.iter().find(|index| identifies(index, &values)) {
        Some(index) => Ok(Key {
            index: index.name.clone(),
            paths: index.keys.keys().cloned().collect(),
            values,
            collation: index.options.get_document("collation").ok().cloned(),
        }),
        None => Err(unindexed(reads, &values)),
    }
}

fn equalities(filter: Document) -> Result<Document> {
    let equality = |(name, condition): (String, Bson)| match condition {
        _ if name.starts_with('$') => Err(no_equality(&name)),
        Bson::Document(mut operators) if operators.keys().next().is_some_and(|first| first.starts_with('$')) => {
            match (operators.remove("$eq"), operators.keys().next()) {
                (Some(value), None) => Ok((name, value)),
                _ => Err(no_equality(&name)),
            }
        }
        value => Ok((name, value)),
    };
    filter.into_iter().map(equality).collect()
}

fn no_equality(name: &str) -> Error {
    Place::new("filter", None)
        .refuse(format!("`{name}`: one document is found by equal values alone, `{{\"field\":value}}`"))
}

/// Whether the index holds each document that has the `values`, and no two that do.
fn identifies(index: &Index, values: &Document) -> bool {
    let is_given = |name: &String| values.get(name).is_some_and(|value| *value != Bson::Null);
    let holds_all = match index.options.get_document("partialFilterExpression") {
        Err(_) => true,
        Ok(partial) => {
            partial.iter().all(|(name, there)| *there == Bson::from(bson::doc! { "$exists": true }) && is_given(name))
        }
    };
    let is_sparse = index.options.get_bool("sparse").unwrap_or_default();
    index.options.get_bool("unique").unwrap_or_default()
        && index.is_plain()
        && index.keys.keys().all(|name| values.contains_key(name))
        && (!is_sparse || index.keys.keys().any(is_given))
        && holds_all
}

fn unindexed(reads: &Schema, values: &Document) -> Error {
    let scope = Scope::of(&reads.root);
    let place = Place::new("filter", None);
    let is_unique = |index: &&Index| index.is_plain() && index.options.get_bool("unique").unwrap_or_default();
    let in_sight = |index: &&Index| index.keys.keys().all(|name| scope.value(name, &place).is_ok());
    let known = reads.indexes.iter().filter(is_unique).filter(in_sight);
    let keys = known.map(|index| index.keys.keys().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and "));
    let known = keys.fold("`_id`".to_owned(), |known, keys| format!("{known}, or {keys}"));
    Error::UnindexedQuery {
        reason: format!(
            "several documents may be found by this filter: expected values for all keys of a unique index, which are {known}"
        ),
        index: missing(values),
    }
}

/// The index that would make a key of the `values`, as an item of `x-indexes`.
fn missing(values: &Document) -> Option<Box<RawValue>> {
    let keys: serde_json::Map<_, _> = values.keys().map(|name| (name.clone(), 1.into())).collect();
    if keys.is_empty() {
        return None;
    }
    to_raw_value(&serde_json::json!({ "keys": keys, "unique": true })).ok()
}

/// The `document` with the values of the `key` that it lacks.
///
/// # Errors
/// [`Error::InvalidDocument`] where it has others.
pub(super) fn fill(key: &Key, document: RawDocumentBuf, schema: &Schema) -> Result<RawDocumentBuf> {
    let found = |path: &str| reached(&document, path);
    let (there, lacking): (Vec<_>, Vec<_>) = key.values.iter().partition(|(path, _)| !found(path).is_empty());
    for (path, value) in there {
        if !found(path).contains(&Token::of_bson(value)?) {
            return Err(contradicted(path, schema));
        }
    }
    // What is absent equals null.
    let lacking: Vec<_> = lacking.into_iter().filter(|(_, value)| **value != Bson::Null).collect();
    if lacking.is_empty() {
        return Ok(document);
    }
    let (mut front, mut rest) = (Document::new(), Document::try_from(&*document).map_err(unreadable)?);
    for (path, value) in lacking {
        let begins = path.split('.').next().unwrap_or_default();
        // Where MongoDB puts them, too.
        let place = if rest.contains_key(begins) { &mut rest } else { &mut front };
        set(place, path, value.clone()).ok_or_else(|| contradicted(path, schema))?;
    }
    front.extend(rest);
    RawDocumentBuf::try_from(&front).map_err(unreadable)
}

/// Gives the field with the dotted name `path` a value, in objects that are made; `None` where something else than an
/// object stands in the way.
fn set(document: &mut Document, path: &str, value: Bson) -> Option<()> {
    match path.split_once('.') {
        None => drop(document.insert(path, value)),
        Some((name, rest)) => {
            let inner = document.entry(name.to_owned()).or_insert_with(|| Document::new().into());
            set(inner.as_document_mut()?, rest, value)?;
        }
    }
    Some(())
}

fn contradicted(path: &str, schema: &Schema) -> Error {
    let mut pointer = String::new();
    path.split('.').for_each(|name| push_token(&mut pointer, name));
    refused(schema, (&pointer, "filter"), "must have the value by which the document is found")
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::*;
    use crate::schema::load;

    fn schema() -> Schema {
        let file = r#"{"type": "object", "additionalProperties": false, "properties": {
            "isbn": {"type": "string"}, "email": {"type": "string"}, "n": {"bsonType": "int"}, "day": {"bsonType": "date"},
            "in": {"type": "object", "properties": {"x": {"bsonType": "int"}}}, "title": {"type": "string"}
        }, "x-indexes": [
            {"keys": {"isbn": 1}, "unique": true, "sparse": true},
            {"keys": {"email": 1}, "unique": true, "partialFilter": {"email": {"$exists": true}},
             "collation": {"locale": "en", "strength": 2}},
            {"keys": {"n": 1, "in.x": -1}, "unique": true},
            {"keys": {"day": 1}, "unique": true, "partialFilter": {"n": {"$gt": 5}}},
            {"keys": {"title": 1}}
        ]}"#;
        load::parse("schemas/things.json", "things", file.to_owned()).unwrap()
    }

    fn key(filter: &str) -> Result<Key> {
        let limits = Limits::default();
        plan(&Filter::of_member(filter, &limits)?, &schema(), &limits)
    }

    #[test]
    fn finds_the_unique_index() {
        for (filter, index) in [
            (r#"{"_id":"6650f0000000000000000001"}"#, "_id_"),
            (r#"{"isbn":"1"}"#, "isbn_1"),
            (r#"{"isbn":{"$eq":"1"},"title":"x"}"#, "isbn_1"),
            (r#"{"email":"a@b"}"#, "email_1"),
            (r#"{"in.x":1,"n":2}"#, "n_1_in.x_-1"),
            (r#"{"in.x":null,"n":null}"#, "n_1_in.x_-1"),
        ] {
            assert_eq!(key(filter).unwrap().index, index, "{filter}");
        }
        assert!(key(r#"{"email":"a@b"}"#).unwrap().collation.is_some());
        assert!(key(r#"{"_id":"6650f0000000000000000001"}"#).unwrap().id().is_some());
        assert_eq!(key(r#"{"isbn":"1"}"#).unwrap().id(), None);
    }

    #[test]
    fn other_filters_may_find_several() {
        let indexes = "`_id`, or `isbn`, or `email`, or `n` and `in.x`, or `day`";
        for filter in [
            "{}",
            r#"{"title":"x"}"#,
            r#"{"n":1}"#,
            r#"{"isbn":null}"#,
            r#"{"email":null}"#,
            r#"{"day":"2024-05-01T00:00:00Z"}"#,
        ] {
            let Err(Error::UnindexedQuery { reason, index }) = key(filter) else { panic!("{filter}") };
            assert!(reason.ends_with(indexes), "{reason}");
            assert_eq!(index.is_none(), filter == "{}");
        }
        let Err(Error::UnindexedQuery { index: Some(index), .. }) = key(r#"{"n":1,"title":"x"}"#) else { panic!() };
        assert_eq!(index.get(), r#"{"keys":{"n":1,"title":1},"unique":true}"#);
        for filter in [r#"{"isbn":{"$gt":"1"}}"#, r#"{"$or":[{"isbn":"1"}]}"#, r#"{"isbn":{"$eq":"1","$ne":"2"}}"#] {
            assert!(matches!(key(filter), Err(Error::InvalidQuery { .. })), "{filter}");
        }
        assert!(matches!(key(r#"{"isbm":"1"}"#), Err(Error::UnknownField { .. })));
    }

    #[test]
    fn a_document_gets_what_it_lacks() {
        for (values, document, filled) in [
            (doc! { "isbn": "1" }, doc! { "title": "x" }, Some(doc! { "isbn": "1", "title": "x" })),
            (doc! { "isbn": "1" }, doc! { "isbn": "1" }, Some(doc! { "isbn": "1" })),
            (doc! { "isbn": "1" }, doc! { "isbn": "2" }, None),
            (doc! { "isbn": "1" }, doc! { "isbn": null }, None),
            (doc! { "n": 1_i64 }, doc! { "n": 1 }, Some(doc! { "n": 1 })),
            (doc! { "n": null }, doc! { "a": 1 }, Some(doc! { "a": 1 })),
            (doc! { "in.x": 1 }, doc! {}, Some(doc! { "in": { "x": 1 } })),
            (doc! { "in.x": 1 }, doc! { "in": { "y": 2 } }, Some(doc! { "in": { "y": 2, "x": 1 } })),
            (doc! { "in.x": 1 }, doc! { "in": 5 }, None),
            (doc! { "tags": "a" }, doc! { "tags": ["a", "b"] }, Some(doc! { "tags": ["a", "b"] })),
        ] {
            let key = Key { index: "i".into(), paths: Vec::new(), values, collation: None };
            let sent = RawDocumentBuf::try_from(&document).unwrap();
            match (fill(&key, sent, &schema()), filled) {
                (Ok(found), Some(expected)) => assert_eq!(Document::try_from(&*found).unwrap(), expected),
                (Err(Error::InvalidDocument { .. }), None) => {}
                (found, expected) => panic!("{document}: {found:?}, not {expected:?}"),
            }
        }
    }
}
