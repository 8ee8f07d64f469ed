//! An index that exists as an entry of `x-indexes`.
//!
//! Here is what stands in a description of the server's; whether a collection file can have that, the loader says.

use bson::{Bson, Document, RawBson};

use super::layout::{Members, Value};
use crate::{
    codec::{decode, encode},
    schema::{
        Field, Index, Kind,
        index::{at, is_true, is_wildcard, name, whole},
    },
};

/// The server's own names for the fields of a text index.
const TEXT: [&str; 2] = ["_fts", "_ftsx"];

/// What the server says of an index beside what was asked for, or what changes nothing.
const SILENT: [&str; 4] = ["textIndexVersion", "2dsphereIndexVersion", "background", "dropDups"];

/// What can be declared, under the server's names.
const KNOWN: [&str; 10] = [
    "unique",
    "sparse",
    "hidden",
    "partialFilterExpression",
    "expireAfterSeconds",
    "collation",
    "weights",
    "default_language",
    "language_override",
    "wildcardProjection",
];

/// What a collation has by itself, for most languages.
const COLLATION: [(&str, &str); 8] = [
    ("strength", "3"),
    ("caseLevel", "false"),
    ("numericOrdering", "false"),
    ("maxVariable", "\"punct\""),
    ("caseFirst", "\"off\""),
    ("alternate", "\"non-ignorable\""),
    ("backwards", "false"),
    ("normalization", "false"),
];

/// The languages that have something else by themselves.
const PECULIAR: [&str; 4] = ["da", "mt", "th", "fr_CA"];

/// Why no collection file can declare the index, where that can be told from its description alone.
pub fn undeclarable(index: &Index) -> Option<String> {
    let kind = index.keys.iter().find(|(_, value)| key(value).is_none());
    let option = index.options.keys().find(|name| ![&KNOWN[..], &SILENT[..]].concat().contains(&name.as_str()));
    let language = index.options.get_str("language_override").is_ok_and(|field| field != "language");
    let filter = index.options.get_document("partialFilterExpression").ok();
    let logic = filter.and_then(|filter| filter.keys().find(|name| name.starts_with('$')));
    kind.map(|(path, value)| format!("its key `{path}` is {value}"))
        .or_else(|| option.map(|name| format!("it has the option `{name}`")))
        .or_else(|| language.then(|| "it has a `language_override`".to_owned()))
        .or_else(|| logic.map(|name| format!("its partial filter has `{name}`")))
}

/// The fields that the index and its partial filter are on.
pub(super) fn paths(index: &Index) -> impl Iterator<Item = &str> {
    let weights = index.options.get_document("weights").into_iter().flatten();
    let filter = index.options.get_document("partialFilterExpression").into_iter().flatten();
    let paths = index.keys.iter().chain(weights).chain(filter).map(|(path, _)| path.as_str());
    let paths = paths.filter(|path| !TEXT.contains(path) && *path != "$**");
    let paths = paths.map(|path| path.strip_suffix(".$**").unwrap_or(path));
    paths.filter(|path| path.split('.').all(|name| !name.is_empty() && !name.starts_with('$')))
}

/// The index as it is declared, `root` being the shape of the documents.
pub(super) fn declaration(index: &Index, root: &Field) -> Members {
    let keys = keys(index);
    let plain = is_plain(index, &keys);
    let appended = plain && ends_in_tie_break(&keys);
    let declared = keys.iter().filter(|(path, _)| !(appended && *path == "_id"));
    let mut out = Members::default();
    out.put("keys", Value::Object(declared.map(|(path, value)| (path.clone(), literal(value))).collect()));
    if name(&keys) != index.name {
        out.put("name", Value::text(&index.name));
    }
    for option in ["unique", "sparse", "hidden"] {
        if index.options.get(option).is_some_and(is_true) {
            out.put(option, Value::Raw("true".to_owned()));
        }
    }
    options(index, root, &mut out);
    if plain && !keys.contains_key("_id") {
        out.put("tieBreak", Value::Raw("false".to_owned()));
    }
    out
}

/// The keys as a file names them.
fn keys(index: &Index) -> Document {
    let mut keys = Document::new();
    for (path, value) in &index.keys {
        match path.as_str() {
            "_fts" => {
                let texts = index.options.get_document("weights").into_iter().flatten();
                keys.extend(texts.map(|(path, _)| (path.clone(), Bson::from("text"))));
            }
            "_ftsx" => {}
            _ => drop(keys.insert(path, key(value).unwrap_or_else(|| value.clone()))),
        }
    }
    keys
}

/// Whether a file that says no more than the keys gets `_id` as the last of them.
fn is_plain(index: &Index, keys: &Document) -> bool {
    let special = ["unique", "sparse"].iter().any(|option| index.options.get(option).is_some_and(is_true));
    let ordered = keys.iter().all(|(path, value)| value.as_i32().is_some() && !is_wildcard(path));
    ordered && !special && !index.options.contains_key("expireAfterSeconds")
}

/// Whether `_id` is the last key, in the direction of the one before.
fn ends_in_tie_break(keys: &Document) -> bool {
    let keys: Vec<_> = keys.iter().collect();
    matches!(keys[..], [.., (_, before), (last, direction)] if last == "_id" && before == direction)
}

/// How a field is indexed, as a file says it.
fn key(value: &Bson) -> Option<Bson> {
    match value {
        Bson::String(kind) => ["text", "2dsphere", "hashed"].contains(&kind.as_str()).then(|| value.clone()),
        value => [1, -1].into_iter().find(|direction| whole(value) == Some((*direction).into())).map(Bson::Int32),
    }
}

fn options(index: &Index, root: &Field, out: &mut Members) {
    for (name, value) in &index.options {
        match (name.as_str(), value) {
            ("partialFilterExpression", Bson::Document(filter)) => {
                let conditions = filter.iter().map(|(path, value)| (path.clone(), condition(value, at(root, path))));
                out.put("partialFilter", Value::Object(conditions.collect()));
            }
            ("expireAfterSeconds", _) => out.put(name, literal(value)),
            ("collation", Bson::Document(collation)) => out.put(name, Value::Object(told(collation))),
            ("weights", Bson::Document(weights)) => {
                let told = weights.iter().filter(|(_, weight)| whole(weight) != Some(1));
                let told: Members = told.map(|(path, weight)| (path.clone(), literal(weight))).collect();
                if !told.is_empty() {
                    out.put(name, Value::Object(told));
                }
            }
            ("default_language", Bson::String(language)) if language != "english" => {
                out.put("defaultLanguage", Value::text(language));
            }
            ("wildcardProjection", Bson::Document(fields)) => {
                let bit = |value: &Bson| literal(&Bson::Int32(is_true(value).into()));
                out.put(name, Value::Object(fields.iter().map(|(path, value)| (path.clone(), bit(value))).collect()));
            }
            _ => {}
        }
    }
}

/// What a collation says beyond its language.
fn told(collation: &Document) -> Members {
    let peculiar = collation.get_str("locale").is_ok_and(|locale| PECULIAR.contains(&locale));
    let said =
        collation.iter().filter(|(name, _)| *name != "version").map(|(name, value)| (name.clone(), literal(value)));
    let by_itself = |(name, value): &(String, Value)| {
        let default = COLLATION.iter().find(|(known, _)| known == name);
        !peculiar && default.is_some_and(|(_, default)| *value == Value::Raw((*default).to_owned()))
    };
    said.filter(|member| !by_itself(member)).collect()
}

fn condition(value: &Bson, shape: &Field) -> Value {
    let Bson::Document(operators) = value else { return operand(value, shape) };
    if !operators.keys().next().is_some_and(|name| name.starts_with('$') && !decode::is_wrapper(name)) {
        return operand(value, shape);
    }
    let operator = |(name, value): (&String, &Bson)| {
        let value = match (name.as_str(), value) {
            ("$in", Bson::Array(items)) => Value::List(items.iter().map(|item| operand(item, shape)).collect()),
            ("$exists", _) => Value::Raw(is_true(value).to_string()),
            ("$type", _) => literal(value),
            _ => operand(value, shape),
        };
        (name.clone(), value)
    };
    Value::Object(operators.iter().map(operator).collect())
}

/// A value that a field is compared with, a list also item by item.
fn operand(value: &Bson, shape: &Field) -> Value {
    if let Some(number) = whole(value) {
        return Value::Raw(number.to_string());
    }
    let items = shape.kinds.contains(Kind::Array) && !matches!(value, Bson::Array(_));
    face(value, if items { shape.item() } else { shape })
}

/// A value of which no type is declared.
fn literal(value: &Bson) -> Value {
    whole(value).map_or_else(|| face(value, &Field::any()), |number| Value::Raw(number.to_string()))
}

/// The value's JSON; nothing that a file can hold, where it has none.
fn face(value: &Bson, shape: &Field) -> Value {
    let mut json = Vec::new();
    let written = RawBson::try_from(value.clone())
        .ok()
        .and_then(|value| encode::value(&mut json, value.as_raw_bson_ref(), shape).ok());
    let text = String::from_utf8(json).ok().filter(|_| written.is_some());
    Value::Raw(text.unwrap_or_else(|| "null".to_owned()))
}
