//! JSON Schema draft 2020-12 to MongoDB's `$jsonSchema`.
//!
//! MongoDB speaks a dialect of draft 4 with traps of its own; what is compiled here means in MongoDB what draft
//! 2020-12 says, or is refused. Which keywords there are and what form they have is not checked here but when the
//! file is loaded. See [`$jsonSchema`](https://www.mongodb.com/docs/manual/reference/operator/query/jsonSchema/).
//!
//! Every compiled subschema has its source's pointer as `description`. What one keyword alone became, where it
//! cannot stand in its schema, is a piece: a branch of `allOf` whose `description` is the pointer of the keyword.

mod keywords;
mod values;

use bson::{Bson, Document, doc};

use super::{Field, Source, field};
use crate::{
    error::Mistake,
    json::{Node, Tree, push_token},
};

/// The `$jsonSchema` (without that key around it) that enforces `source`, whose `$ref`s the loader has found to end.
///
/// # Errors
/// Every value or pattern that MongoDB cannot enforce.
pub(super) fn compile(source: &Source) -> Result<Document, Vec<Mistake>> {
    let mut compiler = Compiler { source, mistakes: Vec::new() };
    let root = Place { tree: &source.tree, pointer: String::new(), shape: Field::any(), whole: true };
    let mut validator = compiler.schema(&root);
    declare_id(source, &mut validator);
    compiler.mistakes.sort();
    compiler.mistakes.dedup();
    if compiler.mistakes.is_empty() { Ok(validator) } else { Err(compiler.mistakes) }
}

/// The `description` of what was compiled from `pointer`.
fn description(pointer: &str) -> Document {
    doc! { "description": format!("#{pointer}") }
}

/// Every stored document has an `_id`, whether the file speaks of it or not.
fn declare_id(source: &Source, validator: &mut Document) {
    if declares_id(source, &source.tree) {
        return;
    }
    let id = doc! { "description": "#/properties/_id", "bsonType": "objectId" };
    if let Some(properties) = ensure(validator, "properties") {
        properties.insert("_id", id);
    }
}

/// Whether some schema that judges whole documents declares `_id`.
fn declares_id(source: &Source, tree: &Tree) -> bool {
    let declared = tree.get("properties").is_some_and(|p| p.get("_id").is_some());
    let target = || tree.get("$ref").and_then(Tree::as_str).and_then(|r| source.resolve(r));
    let branches = ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|k| tree.get(k)?.as_array()).flatten();
    declared
        || target().is_some_and(|(_, tree)| declares_id(source, tree))
        || branches.into_iter().any(|b| declares_id(source, b))
}

/// The document `name` of `parent`, made if it is not there.
fn ensure<'d>(parent: &'d mut Document, name: &str) -> Option<&'d mut Document> {
    parent.entry(name.to_owned()).or_insert_with(|| Bson::Document(Document::new())).as_document_mut()
}

/// A subschema and what is known of its place.
struct Place<'s> {
    tree: &'s Tree,
    pointer: String,
    /// What the schemas around say of this place's types; they give the schema's own values their types.
    shape: Field,
    /// Whether it judges the document as a whole, which has an `_id` that the author need not mention.
    whole: bool,
}

impl<'s> Place<'s> {
    /// A subschema of `self` for the same value.
    fn branch(&self, tree: &'s Tree, tokens: &[&str]) -> Self {
        Self { tree, pointer: self.under(tokens), shape: self.shape.clone(), whole: self.whole }
    }

    /// A subschema of `self` for a part of the value, of which `shape` is known.
    fn part(&self, tree: &'s Tree, tokens: &[&str], shape: Field) -> Self {
        Self { tree, pointer: self.under(tokens), shape, whole: false }
    }

    fn under(&self, tokens: &[&str]) -> String {
        let mut pointer = self.pointer.clone();
        for token in tokens {
            push_token(&mut pointer, token);
        }
        pointer
    }

    fn has(&self, keyword: &str) -> bool {
        self.tree.get(keyword).is_some()
    }
}

/// A schema in the making.
struct Draft {
    schema: Document,
    /// Branches of `allOf` beside the author's own.
    pieces: Vec<Document>,
}

impl Draft {
    fn finish(mut self) -> Document {
        if !self.pieces.is_empty() {
            let branches = self.schema.entry("allOf".to_owned()).or_insert_with(|| Bson::Array(Vec::new()));
            if let Bson::Array(branches) = branches {
                branches.extend(self.pieces.into_iter().map(Bson::Document));
            }
        }
        self.schema
    }
}

struct Compiler<'s> {
    source: &'s Source,
    mistakes: Vec<Mistake>,
}

impl<'s> Compiler<'s> {
    fn schema(&mut self, place: &Place<'s>) -> Document {
        let mut draft = Draft { schema: description(&place.pointer), pieces: Vec::new() };
        match &place.tree.node {
            Node::Object(_) if is_reference_alone(place.tree) => return self.target(place),
            Node::Object(members) => {
                let shape = values::narrow(field::derive(self.source, place.tree), &place.shape);
                let place = Place { tree: place.tree, pointer: place.pointer.clone(), shape, whole: place.whole };
                for (keyword, value) in members {
                    self.keyword(&place, keyword, value, &mut draft);
                }
                permit_id(&place, &mut draft.schema);
            }
            Node::Bool(false) => drop(draft.schema.insert("not", Document::new())),
            Node::Bool(true) => {}
            _ => self.mistake(&place.pointer, "a schema must be an object, `true` or `false`"),
        }
        draft.finish()
    }

    /// What `$ref` leads to, in place of the reference: a violation names the rule where its author wrote it.
    fn target(&mut self, place: &Place<'s>) -> Document {
        let source = self.source;
        let target = place.tree.get("$ref").and_then(Tree::as_str).and_then(|r| source.resolve(r));
        let Some((pointer, tree)) = target else {
            self.mistake(&place.under(&["$ref"]), "leads nowhere in this file");
            return Document::new();
        };
        self.schema(&Place { tree, pointer, shape: place.shape.clone(), whole: place.whole })
    }

    fn keyword(&mut self, place: &Place<'s>, keyword: &str, value: &'s Tree, draft: &mut Draft) {
        match keyword {
            "type" => keywords::types(place, value, draft),
            "bsonType" => keywords::bson_types(value, draft),
            "properties" => self.properties(place, value, draft),
            "required" => keywords::required(place, value, draft),
            "additionalProperties" | "items" => self.parts(place, keyword, value, draft),
            "allOf" | "anyOf" | "oneOf" => {
                let branches = value.as_array().unwrap_or_default().iter().enumerate();
                let branches = branches.map(|(i, b)| self.schema(&place.branch(b, &[keyword, &i.to_string()])));
                let branches: Vec<_> = branches.map(Bson::Document).collect();
                draft.schema.insert(keyword, branches);
            }
            "not" => drop(draft.schema.insert("not", self.schema(&place.branch(value, &["not"])))),
            "$ref" => {
                let piece = self.target(place);
                draft.pieces.push(piece);
            }
            "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" | "multipleOf" => {
                self.bound(place, keyword, value, draft);
            }
            "enum" | "const" => self.choices(place, keyword, value, draft),
            "pattern" => self.pattern(place, value, draft),
            "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties" | "maxProperties" => {
                draft.schema.insert(keyword, value.as_whole().unwrap_or_default());
            }
            "uniqueItems" => drop(draft.schema.insert(keyword, value.as_bool().unwrap_or_default())),
            "format" if place.shape.uuid => {}
            name if ANNOTATIONS.contains(&name) || name.starts_with("x-") => {}
            _ => self.mistake(&place.under(&[keyword]), "not supported yet: MongoDB would not enforce it"),
        }
    }

    fn mistake(&mut self, pointer: &str, detail: impl Into<String>) {
        let (path, pointer) = (self.source.path.clone(), pointer.to_owned());
        self.mistakes.push(Mistake { path, pointer, detail: detail.into() });
    }
}

/// Keywords that no document can break.
const ANNOTATIONS: [&str; 11] = [
    "$schema",
    "$id",
    "$comment",
    "$defs",
    "title",
    "description",
    "examples",
    "deprecated",
    "default",
    "readOnly",
    "writeOnly",
];

/// Whether a schema says nothing but `$ref` that a document could break.
fn is_reference_alone(tree: &Tree) -> bool {
    let annotates = |name: &str| ANNOTATIONS.contains(&name) || name.starts_with("x-");
    tree.as_object().is_some_and(|m| m.contains_key("$ref") && m.keys().all(|k| k == "$ref" || annotates(k)))
}

/// Lets the `_id` pass that `additionalProperties` of a whole document would judge, unless the schema itself speaks of it.
fn permit_id(place: &Place<'_>, schema: &mut Document) {
    if place.whole
        && place.has("additionalProperties")
        && let Some(properties) = ensure(schema, "properties")
    {
        properties.entry("_id".to_owned()).or_insert_with(|| Bson::Document(Document::new()));
    }
}

#[cfg(test)]
mod tests;
