//! The JSON face of a collection file: plain JSON Schema (draft 2020-12) of the documents as the API shows them.
//!
//! Every subschema stands as its author wrote it, in its order, but for `bsonType`, which becomes what its types look
//! like in JSON, and what only the stored types could be held to, which is left out. What stands in another file stands
//! among the `$defs`.

use bson::Decimal128;

use super::{Field, Kinds, Schema, field, keywords, validator};
use crate::{
    codec::{decode, encode},
    json::{Node, Tree},
};
use keywords::{Form, Status};

mod bundle;
mod id;
mod kinds;
mod protect;
mod redact;

/// The JSON text of the schema that the documents of `schema` fulfill as they look in JSON, without fields that are hidden
/// and without `x-access` and `x-counterexamples`: it is about documents that there are, not about callers.
///
/// `written` are the shapes that documents have for those who ask when they insert and when they update, as far as they
/// may; what their roles protect in all of them is marked as `readOnly`.
pub fn face(schema: &Schema, written: &[&Field]) -> String {
    let mut tree = redact::redact(&schema.source, &schema.root).unwrap_or_else(|| bundle::bundle(&schema.source));
    protect::protect(&mut tree, schema, written);
    id::spare(&mut tree, validator::names_id(&schema.source, &schema.source.tree));
    let tree = &tree;
    let mut out = String::new();
    let mut object = Object::open(&mut out);
    if tree.get("$schema").is_none() {
        object.text("$schema", keywords::DRAFT);
    }
    let declares_id = tree.pointer("/properties/_id").is_some();
    if !declares_id && tree.get("properties").is_none() {
        object.raw("properties", &format!("{{{ID}}}"));
    }
    members(&mut object, tree, !declares_id);
    object.close();
    out
}

/// `_id` as it is when the file does not declare it.
const ID: &str = r#""_id":{"type":"string","pattern":"^[0-9a-fA-F]{24}$"}"#;

/// An object being written.
struct Object<'o> {
    out: &'o mut String,
    first: bool,
}

impl<'o> Object<'o> {
    fn open(out: &'o mut String) -> Self {
        out.push('{');
        Self { out, first: true }
    }

    fn key(&mut self, name: &str) -> &mut String {
        if !std::mem::take(&mut self.first) {
            self.out.push(',');
        }
        push_string(self.out, name);
        self.out.push(':');
        self.out
    }

    fn raw(&mut self, name: &str, json: &str) {
        self.key(name).push_str(json);
    }

    fn text(&mut self, name: &str, text: &str) {
        push_string(self.key(name), text);
    }

    fn close(self) {
        self.out.push('}');
    }
}

fn subschema(out: &mut String, tree: &Tree) {
    if tree.as_object().is_none() {
        return push_json(out, tree);
    }
    let mut object = Object::open(out);
    members(&mut object, tree, false);
    object.close();
}

/// Writes what the subschema `tree` says; `add_id` declares `_id` among its properties.
fn members(object: &mut Object<'_>, tree: &Tree, add_id: bool) {
    let types = kinds::of(tree);
    let mut written = false;
    for (name, value) in tree.as_object().into_iter().flatten() {
        match (name.as_str(), &types) {
            ("type" | "bsonType", Some(types)) => {
                if !std::mem::replace(&mut written, true) {
                    types.write(object, tree);
                }
            }
            (name, Some(types)) if !types.keeps(name) => {}
            ("allOf", Some(types)) if types.joins_all_of(tree) => all_of(object.key("allOf"), value, types, tree),
            ("enum", Some(_)) => push_list(object.key(name), value.as_array().unwrap_or_default(), |out, value| {
                push_value(out, value, &own_shape(tree));
            }),
            ("const" | "default", Some(_)) => push_value(object.key(name), value, &own_shape(tree)),
            ("x-access" | "x-counterexamples", _) => {}
            ("readOnly", _) if tree.get("x-set").is_some() => {}
            ("properties", _) => properties(object.key(name), value, add_id),
            (name, _) => keyword(object, name, value),
        }
    }
    if tree.get("x-set").is_some() {
        object.raw("readOnly", "true");
    }
}

fn keyword(object: &mut Object<'_>, name: &str, value: &Tree) {
    let Some(Status::Supported(_, form)) = keywords::status(name) else { return push_json(object.key(name), value) };
    match (form, &value.node) {
        (Form::SchemaMap, _) => properties(object.key(name), value, false),
        (Form::Schema, _) => subschema(object.key(name), value),
        (Form::Schemas, Node::Array(items)) => push_list(object.key(name), items, subschema),
        // Written as values of its type are; the loader has read it as a number.
        (Form::Bound, Node::String(digits)) => {
            let number = digits.parse::<Decimal128>().map_or_else(|_| digits.clone(), |number| number.to_string());
            object.raw(name, &number);
        }
        _ => push_json(object.key(name), value),
    }
}

/// Writes the parts of `allOf`, the subschema's own types being one of them.
fn all_of(out: &mut String, parts: &Tree, types: &kinds::Types, tree: &Tree) {
    out.push('[');
    for part in parts.as_array().unwrap_or_default() {
        subschema(out, part);
        out.push(',');
    }
    types.write_part(out, tree);
    out.push(']');
}

fn properties(out: &mut String, tree: &Tree, add_id: bool) {
    let mut object = Object::open(out);
    if add_id {
        object.out.push_str(ID);
        object.first = false;
    }
    for (name, tree) in tree.as_object().into_iter().flatten() {
        subschema(object.key(name), tree);
    }
    object.close();
}

fn push_list<T>(out: &mut String, items: &[T], push: impl Fn(&mut String, &T)) {
    out.push('[');
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        push(out, item);
    }
    out.push(']');
}

/// Appends a JSON value as it was written, without white space.
fn push_json(out: &mut String, tree: &Tree) {
    match &tree.node {
        Node::Null => out.push_str("null"),
        Node::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Node::Number(digits) => out.push_str(digits),
        Node::String(text) => push_string(out, text),
        Node::Array(items) => push_list(out, items, push_json),
        Node::Object(members) => {
            let mut object = Object::open(out);
            for (name, value) in members {
                push_json(object.key(name), value);
            }
            object.close();
        }
    }
}

/// Appends a value of the shape `shape` as documents show it: a decimal written as a number comes out as a string.
fn push_value(out: &mut String, tree: &Tree, shape: &Field) {
    let mut written = String::new();
    push_json(&mut written, tree);
    let mut shown = Vec::new();
    let value = decode::value(written.as_bytes(), shape).ok();
    let encoded = value.and_then(|value| encode::value(&mut shown, value.as_raw_bson_ref(), shape).ok());
    let shown = encoded.and_then(|()| String::from_utf8(shown).ok());
    out.push_str(&shown.unwrap_or(written));
}

fn push_string(out: &mut String, text: &str) {
    // Quoting a string cannot fail; `Value` writes it as serde_json does everywhere.
    out.push_str(&serde_json::Value::from(text).to_string());
}

/// The shape that the subschema's own types alone describe.
fn own_shape(tree: &Tree) -> Field {
    let kinds: Kinds = field::declared(tree);
    Field { kinds, uuid: tree.get("format").and_then(Tree::as_str) == Some("uuid"), ..Field::any() }
}

#[cfg(test)]
mod tests;
