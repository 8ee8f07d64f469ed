//! What tells keys of documents apart: the `_id`, or the values under the keys of an index.

use bson::{Bson, RawBson, RawBsonRef, RawDocument, RawDocumentBuf, raw::cstr};

use crate::{
    error::Result,
    update::{id_of, unreadable},
};

/// How deep values are looked into.
const MAX_NESTING: usize = 16;
/// The most keys of one document that are looked at. No index is likely to hold more of one.
const MAX_KEYS: usize = 100_000;

/// A value as keys are compared. Equal values have equal tokens; now and then different ones have, too, which only keeps
/// apart in time what could have been done together.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Token(Box<[u8]>);

impl Token {
    /// The token of one value.
    pub(crate) fn of(value: RawBsonRef<'_>) -> Self {
        let mut bytes = Vec::new();
        write(&mut bytes, value, MAX_NESTING);
        Self(bytes.into())
    }

    /// The token of the `_id` of a stored document.
    pub(crate) fn of_id(stored: &RawDocument) -> Result<Self> {
        id_of(stored).map(|id| Self::of(id.as_raw_bson_ref()))
    }

    /// The same of a value that is not yet in a document.
    pub(crate) fn of_bson(value: &Bson) -> Result<Self> {
        let value = RawBson::try_from(value.clone()).map_err(unreadable)?;
        Ok(Self::of(value.as_raw_bson_ref()))
    }

    /// The token of values under the keys of an index.
    pub(super) fn joined<'p>(parts: impl IntoIterator<Item = &'p Self>) -> Self {
        let mut bytes = Vec::new();
        parts.into_iter().for_each(|part| frame(&mut bytes, b'k', &part.0));
        Self(bytes.into())
    }
}

/// The tokens of the keys that an index on `paths` has for the `document`: several where one of them leads through an
/// array. What is missing is null.
pub(crate) fn key_tokens<'p>(document: &RawDocument, paths: impl IntoIterator<Item = &'p str>) -> Vec<Token> {
    let columns: Vec<_> = paths.into_iter().map(|path| column(document, path)).collect();
    let mut rows = vec![Vec::new()];
    for column in &columns {
        // An index takes an array under one of its keys only, so there are no more rows than items of one array.
        rows = product(rows, column);
    }
    rows.into_iter().map(Token::joined).collect()
}

/// Each of the `rows` with each token of the `column` behind it.
fn product<'t>(rows: Vec<Vec<&'t Token>>, column: &'t [Token]) -> Vec<Vec<&'t Token>> {
    let longer = |row: Vec<&'t Token>| column.iter().map(move |token| row.iter().copied().chain([token]).collect());
    rows.into_iter().flat_map(longer).take(MAX_KEYS).collect()
}

fn column(document: &RawDocument, path: &str) -> Vec<Token> {
    let mut tokens = reached(document, path);
    if tokens.is_empty() {
        tokens.push(Token::of(RawBsonRef::Null));
    }
    tokens.sort_unstable();
    tokens.dedup();
    tokens
}

/// The tokens of what the dotted name `path` reaches in the `document`; none where that is nothing.
pub(super) fn reached(document: &RawDocument, path: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    reach(&mut tokens, document, path);
    tokens
}

/// Collects what the dotted name `path` reaches, through arrays into their items.
fn reach(tokens: &mut Vec<Token>, document: &RawDocument, path: &str) {
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    match (document.get(name).ok().flatten(), rest) {
        (Some(RawBsonRef::Document(inner)), Some(rest)) => reach(tokens, inner, rest),
        (Some(RawBsonRef::Array(items)), rest) => {
            for item in items.into_iter().flatten() {
                match (item, rest) {
                    (RawBsonRef::Document(inner), Some(rest)) => reach(tokens, inner, rest),
                    (_, Some(_)) => {}
                    (item, None) => tokens.push(Token::of(item)),
                }
            }
            if rest.is_none() {
                tokens.push(Token::of(RawBsonRef::Array(items)));
            }
        }
        (Some(value), None) => tokens.push(Token::of(value)),
        (Some(_), Some(_)) | (None, _) => {}
    }
}

/// Appends what tells `value` from others; what is nested more than `room` levels deep does not.
///
/// All numbers compare with each other, and strings with symbols. See
/// [comparison order](https://www.mongodb.com/docs/manual/reference/bson-type-comparison-order/).
fn write(out: &mut Vec<u8>, value: RawBsonRef<'_>, room: usize) {
    match value {
        RawBsonRef::Int32(number) => write_number(out, number.into()),
        #[expect(clippy::cast_precision_loss, reason = "near numbers may share a token")]
        RawBsonRef::Int64(number) => write_number(out, number as f64),
        RawBsonRef::Double(number) => write_number(out, number),
        RawBsonRef::Decimal128(number) => write_number(out, number.to_string().parse().unwrap_or(f64::NAN)),
        RawBsonRef::String(text) | RawBsonRef::Symbol(text) => frame(out, b's', text.as_bytes()),
        RawBsonRef::Undefined => write(out, RawBsonRef::Null, room),
        RawBsonRef::Document(object) => nested(out, (b'o', room), |out, room| {
            for (name, value) in object.iter().flatten() {
                frame(out, b'm', name.as_str().as_bytes());
                write(out, value, room);
            }
        }),
        RawBsonRef::Array(items) => nested(out, (b'a', room), |out, room| {
            items.into_iter().flatten().for_each(|item| write(out, item, room));
        }),
        other => {
            let mut alone = RawDocumentBuf::new();
            alone.append(cstr!(""), other);
            frame(out, other.element_type() as u8, alone.as_bytes());
        }
    }
}

fn nested(out: &mut Vec<u8>, (tag, room): (u8, usize), write: impl FnOnce(&mut Vec<u8>, usize)) {
    out.push(tag);
    if let Some(room) = room.checked_sub(1) {
        write(out, room);
    }
    out.push(0);
}

fn write_number(out: &mut Vec<u8>, number: f64) {
    let plain = if number.is_nan() { f64::NAN } else { number + 0.0 };
    frame(out, b'n', &plain.to_bits().to_le_bytes());
}

fn frame(out: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    out.push(tag);
    out.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use bson::{Decimal128, doc, oid::ObjectId};

    use super::*;

    fn token(value: impl Into<Bson>) -> Token {
        let document = RawDocumentBuf::try_from(&doc! { "a": value.into() }).unwrap();
        Token::of(document.get("a").unwrap().unwrap())
    }

    #[test]
    fn equal_keys_have_equal_tokens() {
        let decimal = |text: &str| Bson::Decimal128(text.parse::<Decimal128>().unwrap());
        for (one, other) in [
            (Bson::Int32(5), Bson::Int64(5)),
            (Bson::Int32(5), Bson::Double(5.0)),
            (Bson::Int32(5), decimal("5.00")),
            (Bson::Int32(0), Bson::Double(-0.0)),
            (Bson::Int64(i64::MAX), Bson::Int64(i64::MAX)),
            (Bson::Double(0.5), decimal("0.5")),
            (Bson::Double(f64::NAN), decimal("NaN")),
            (Bson::String("a".into()), Bson::Symbol("a".into())),
            (Bson::Null, Bson::Undefined),
            (doc! { "x": 1, "y": [2] }.into(), doc! { "x": 1.0, "y": [2_i64] }.into()),
        ] {
            assert_eq!(token(one.clone()), token(other.clone()), "{one} {other}");
        }
    }

    #[test]
    fn other_keys_have_other_tokens() {
        let values = [
            Bson::Null,
            Bson::Int32(1),
            Bson::Int32(2),
            Bson::Boolean(true),
            Bson::String("1".into()),
            Bson::String(String::new()),
            Bson::ObjectId(ObjectId::from_bytes([0; 12])),
            Bson::ObjectId(ObjectId::from_bytes([1; 12])),
            Bson::DateTime(bson::DateTime::from_millis(1)),
            doc! {}.into(),
            doc! { "x": 1 }.into(),
            doc! { "y": 1 }.into(),
            doc! { "x": { "y": 1 } }.into(),
            Bson::Array(vec![]),
            Bson::Array(vec![Bson::Int32(1)]),
            Bson::Array(vec![Bson::Array(vec![])]),
        ];
        for (at, value) in values.iter().enumerate() {
            let same = values.iter().position(|other| token(other.clone()) == token(value.clone()));
            assert_eq!(same, Some(at), "{value}");
        }
    }

    #[test]
    fn a_document_has_the_keys_that_its_index_has() {
        let stored = doc! { "isbn": "1", "tags": ["a", "b"], "in": [{ "x": 1 }, { "x": 2 }, 5], "o": { "p": 3 } };
        let stored = RawDocumentBuf::try_from(&stored).unwrap();
        let like = |values: Bson, paths: &[&str]| {
            let names = paths.iter().enumerate().map(|(at, _)| at.to_string());
            let values = values.as_array().unwrap().clone();
            let other: bson::Document = names.zip(values).collect();
            let other = RawDocumentBuf::try_from(&other).unwrap();
            let names: Vec<_> = (0..paths.len()).map(|at| at.to_string()).collect();
            key_tokens(&other, names.iter().map(String::as_str)).remove(0)
        };
        for (paths, values, has) in [
            (&["isbn"][..], bson::bson!(["1"]), true),
            (&["isbn"], bson::bson!(["2"]), false),
            (&["none"], bson::bson!([null]), true),
            (&["o.p"], bson::bson!([3.0]), true),
            (&["isbn", "tags"], bson::bson!(["1", "b"]), true),
            (&["isbn", "tags"], bson::bson!(["1", "c"]), false),
            (&["in.x"], bson::bson!([2]), true),
            (&["in.y"], bson::bson!([null]), true),
        ] {
            let tokens = key_tokens(&stored, paths.iter().copied());
            assert_eq!(tokens.contains(&like(values.clone(), paths)), has, "{paths:?} {values}");
        }
    }

    #[test]
    fn deep_values_are_bounded() {
        let deep = (0..150).fold(Bson::Int32(1), |inner, _| Bson::Array(vec![inner]));
        assert_eq!(token(deep.clone()), token(Bson::Array(vec![deep])));
    }
}
