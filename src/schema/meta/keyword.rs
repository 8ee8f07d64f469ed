//! The values of keywords: by their form, and where a keyword has a vocabulary of its own, by that.

use bson::{Document, doc};

use super::{SCHEMA, access, index, options, reference};
use crate::schema::{
    Kind,
    keywords::{DRAFT, FORMATS, Form},
    load::JSON_TYPES,
};

/// The schema of the values that `name`, whose form is `form`, can have.
pub(super) fn value(name: &str, form: Form) -> Document {
    match name {
        "$schema" => doc! { "const": DRAFT, "default": DRAFT },
        "type" => types(&JSON_TYPES),
        "bsonType" => types(&Kind::NAMES.map(|(_, name)| name).into_iter().chain(["number"]).collect::<Vec<_>>()),
        "format" => doc! { "enum": FORMATS.to_vec() },
        "x-indexes" => index::list(),
        "x-access" => access::roles(),
        "x-collection" => options::options(),
        "x-ref" => reference_to_collection(),
        "x-set" => stamps(),
        _ => by_form(form),
    }
}

fn by_form(form: Form) -> Document {
    match form {
        Form::Any => Document::new(),
        Form::Bool => boolean(),
        Form::Count => whole(0, i32::MAX),
        Form::Documents => doc! { "type": "array", "items": { "type": "object" } },
        Form::List => doc! { "type": "array" },
        Form::Names => names(),
        Form::NamesByName => doc! { "type": "object", "additionalProperties": names() },
        Form::Bound => doc! { "type": ["number", "string"] },
        Form::Object => doc! { "type": "object" },
        Form::Positive => doc! { "type": "number", "exclusiveMinimum": 0 },
        Form::Schema => reference(SCHEMA),
        Form::SchemaMap => doc! { "type": "object", "additionalProperties": reference(SCHEMA) },
        Form::Schemas => doc! { "type": "array", "items": reference(SCHEMA), "minItems": 1 },
        Form::String => string(),
        Form::Types => doc! { "type": ["string", "array"] },
    }
}

fn names() -> Document {
    doc! { "type": "array", "items": string(), "uniqueItems": true }
}

/// One of these names, or a list of some of them.
fn types(names: &[&str]) -> Document {
    let name = doc! { "enum": names.to_vec() };
    let names = doc! { "type": "array", "items": name.clone(), "minItems": 1, "uniqueItems": true };
    doc! { "anyOf": [name, names] }
}

fn reference_to_collection() -> Document {
    let on_delete = doc! { "enum": ["none"], "errorMessage": "Not supported yet; use \"none\"." };
    let mut schema = object([
        ("collection", ("The collection whose `_id` the field holds. It must have a file too.", string())),
        ("onDelete", ("What becomes of the field when what it refers to is deleted: nothing.", on_delete)),
    ]);
    schema.insert("required", vec!["collection"]);
    schema
}

fn stamps() -> Document {
    let insert = "What is written when the document is made: the time, a random UUID, or the caller's id.";
    let update = "What is written whenever the document is changed: the time, or the caller's id.";
    let mut schema = object([
        ("insert", (insert, doc! { "enum": ["now", "uuid", "user"] })),
        ("update", (update, doc! { "enum": ["now", "user"] })),
    ]);
    schema.insert("minProperties", 1);
    schema
}

pub(super) fn boolean() -> Document {
    doc! { "type": "boolean" }
}

pub(super) fn string() -> Document {
    doc! { "type": "string" }
}

pub(super) fn whole(least: i32, most: i32) -> Document {
    doc! { "type": "integer", "minimum": least, "maximum": most }
}

/// An object of these members and no others, each with its description and the schema of its value.
pub(super) fn object(members: impl IntoIterator<Item = (&'static str, (&'static str, Document))>) -> Document {
    let member = |(name, (words, value)): (&str, (&str, Document))| (name.to_owned(), described(words, value).into());
    let properties: Document = members.into_iter().map(member).collect();
    doc! { "type": "object", "properties": properties, "additionalProperties": false }
}

/// The schema with what its values are for; names in backticks are shown as such where they can be.
pub(super) fn described(words: &str, schema: Document) -> Document {
    let mut described = doc! { "description": words };
    if words.contains('`') {
        described.insert("markdownDescription", words);
    }
    described.extend(schema);
    described
}
