//! The keywords of objects.

use bson::{Bson, Document, doc};

use super::{Compiler, Draft, Place, description, ensure, values, with};
use crate::{
    json::{Node, Tree},
    schema::pattern,
};

/// A name that MongoDB would read as a path is required by what it must not be: an object without it.
pub(super) fn required(place: &Place<'_>, value: &Tree, draft: &mut Draft) {
    let mut plain: Vec<Bson> = Vec::new();
    for (i, name) in strings(value).enumerate() {
        if !is_plain(name) {
            let piece = description(&place.under(&["required", &i.to_string()]));
            draft.pieces.push(with(piece, present(name)));
        } else if !plain.contains(&Bson::from(name)) {
            plain.push(name.into());
        }
    }
    if !plain.is_empty() {
        draft.schema.insert("required", plain);
    }
}

/// Each name that another one asks for is a rule of its own.
pub(super) fn dependent_required(place: &Place<'_>, value: &Tree, draft: &mut Draft) {
    for (name, needed) in members(value) {
        for (i, other) in strings(needed).enumerate() {
            let rule = if is_plain(name) && is_plain(other) {
                doc! { "dependencies": { name: [other] } }
            } else {
                doc! { "anyOf": [absent(name), present(other)] }
            };
            let pointer = place.under(&["dependentRequired", name, &i.to_string()]);
            draft.pieces.push(with(description(&pointer), rule));
        }
    }
}

impl<'s> Compiler<'s> {
    pub(super) fn properties(&mut self, place: &Place<'s>, value: &'s Tree, draft: &mut Draft) {
        for (name, tree) in members(value) {
            let schema = self.schema(&place.part(tree, &["properties", name], place.shape.member(name).clone()));
            if !is_plain(name) {
                insert_pattern(&mut draft.schema, pattern::quote(name), schema);
            } else if let Some(group) = ensure(&mut draft.schema, "properties") {
                group.insert(name, schema);
            }
        }
    }

    /// A pattern judges the `_id` of a document only where the author speaks of it.
    pub(super) fn pattern_properties(&mut self, place: &Place<'s>, value: &'s Tree, draft: &mut Draft) {
        for (name, tree) in members(value) {
            let part = place.part(tree, &["patternProperties", name], values::additional(&place.shape));
            let schema = self.schema(&part);
            let spares_id = place.whole && !self.names_id;
            match if spares_id { pattern::of_names_but("_id", name) } else { pattern::of_names(name) } {
                Ok(pcre) => insert_pattern(&mut draft.schema, pcre, schema),
                Err(refusal) => self.mistake(&part.pointer, refusal.to_string()),
            }
        }
    }

    /// MongoDB takes a boolean here as it is.
    pub(super) fn additional_properties(&mut self, place: &Place<'s>, value: &'s Tree, draft: &mut Draft) {
        let compiled = if let Node::Bool(allowed) = &value.node {
            Bson::Boolean(*allowed)
        } else {
            let shape = values::additional(&place.shape);
            self.schema(&place.part(value, &["additionalProperties"], shape)).into()
        };
        draft.schema.insert("additionalProperties", compiled);
    }

    pub(super) fn dependent_schemas(&mut self, place: &Place<'s>, value: &'s Tree, draft: &mut Draft) {
        for (name, tree) in members(value) {
            let branch = place.branch(tree, &["dependentSchemas", name]);
            let schema = self.schema(&branch);
            let rule = if is_plain(name) {
                doc! { "dependencies": { name: schema } }
            } else {
                doc! { "anyOf": [absent(name), schema] }
            };
            draft.pieces.push(with(description(&branch.pointer), rule));
        }
    }
}

/// Two patterns of ECMA-262 may be one in PCRE; an empty group makes them differ and changes nothing.
pub(super) fn insert_pattern(schema: &mut Document, mut pcre: String, compiled: Document) {
    if let Some(group) = ensure(schema, "patternProperties") {
        while group.contains_key(&pcre) {
            pcre.push_str("(?:)");
        }
        group.insert(pcre, compiled);
    }
}

/// Whether MongoDB takes `name` for itself. One with a dot is a path to it, BSON has none with a NUL, and the empty
/// one under `properties` aborts the server (seen on 6.0.5) when a document breaks its rule.
pub(super) fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.contains(['.', '\0'])
}

/// What an object without the member `name` fulfills, and whatever is no object.
fn absent(name: &str) -> Document {
    doc! { "patternProperties": { pattern::quote(name): { "not": {} } } }
}

/// What an object with the member `name` fulfills, and whatever is no object.
pub(super) fn present(name: &str) -> Document {
    doc! { "not": with(doc! { "bsonType": "object" }, absent(name)) }
}

pub(super) fn members(value: &Tree) -> impl Iterator<Item = (&String, &Tree)> {
    value.as_object().into_iter().flatten()
}

fn strings(value: &Tree) -> impl Iterator<Item = &str> {
    value.as_array().unwrap_or_default().iter().filter_map(Tree::as_str)
}
