//! JSON Schema draft 2020-12 to MongoDB's `$jsonSchema`.
//!
//! MongoDB speaks a dialect of draft 4 with traps of its own; what is compiled here means in MongoDB what draft
//! 2020-12 says, or is refused. Which keywords there are and what form they have is not checked here but when the
//! file is loaded. See [`$jsonSchema`](https://www.mongodb.com/docs/manual/reference/operator/query/jsonSchema/).
//!
//! Every compiled subschema has its source's place as `description`, `#/properties/x` for the collection's own file and
//! `shared/address.json#/properties/city` for another one. What one keyword alone became, where it cannot stand in its
//! schema, is a piece: a branch of `allOf` whose `description` is the place of the keyword, or of a member of it.
//!
//! | Piece | When | What it is |
//! |---|---|---|
//! | `…/type` | `integer`, or beside `bsonType` | `anyOf` of types, or `type` |
//! | `…/enum`, `…/const` | no value is left, or beside `enum` | `not: {}`, or `enum` |
//! | `…/minimum` and the other bounds | another number as a decimal, or two of one side | `anyOf` of decimals and others, or the bound |
//! | `…/format` | always | `pattern` |
//! | `…/required/I` | the name is empty or has a dot | `not` an object without it |
//! | `…/dependentRequired/NAME/I` | always | `dependencies`, or `anyOf` where a name is empty or has a dot |
//! | `…/dependentSchemas/NAME` | always | `dependencies`, or `anyOf`, in which the schema has the same `description` |
//! | `…/propertyNames` | always | one member of `patternProperties` and `additionalProperties: false` |
//! | `…/contains` | always, but for `minContains: 0` | `not` an array all of whose items are `not` the schema |
//! | `…/then` | always | `anyOf` of `not` the condition (`…/if`) and the schema, with the same `description` |
//! | `…/else` | always | `anyOf` of the condition (`…/if`) and the schema, with the same `description` |
//! | `…/unevaluatedProperties`, `…/unevaluatedItems` | unless all is evaluated | `additionalProperties`, or `items` and `additionalItems`, or `anyOf` of several such, each with its conditions in `allOf`; all have the same `description` |
//! | the place that `$ref` leads to | beside other keywords | the schema there |
//!
//! Other keywords stand under their own names, but for `exclusiveMinimum` and `exclusiveMaximum` (`minimum` and `maximum`
//! with a flag), `const` (`enum`), `prefixItems` (`items`, whose members are described as `…/prefixItems/I`) and the
//! `items` beside it (`additionalItems`); `patternProperties` also has the properties whose name is empty or has a dot.

mod array;
mod keywords;
mod names;
mod object;
mod place;
mod unevaluated;
mod values;
mod ways;

use bson::{Bson, Document, doc};

use super::{Field, Source, field};
use crate::{
    error::Mistake,
    json::{Node, Tree},
};
use place::Place;

/// How many schemas a validator may have.
pub(super) const MAX_SCHEMAS: usize = 10_000;

/// The `$jsonSchema` (without that key around it) that enforces `source`, whose `$ref`s the loader has found to end.
///
/// # Errors
/// Every value or pattern that MongoDB cannot enforce.
pub(super) fn compile(source: &Source) -> Result<Document, Vec<Mistake>> {
    let names_id = names_id(source, &source.tree);
    let (mut validator, mistakes) = compile_root(source, names_id, true);
    if !names_id {
        declare_id(&mut validator);
    }
    if mistakes.is_empty() { Ok(validator) } else { Err(mistakes) }
}

/// Every value or pattern that MongoDB cannot enforce in a file that describes no collection.
pub(super) fn mistakes(source: &Source) -> Vec<Mistake> {
    compile_root(source, false, false).1
}

fn compile_root(source: &Source, names_id: bool, whole: bool) -> (Document, Vec<Mistake>) {
    let mut compiler = Compiler { source, names_id, room: MAX_SCHEMAS, mistakes: Vec::new() };
    let root = Place { tree: &source.tree, pointer: String::new(), shape: Field::any(), whole };
    let validator = compiler.schema(&root);
    if compiler.room == 0 {
        let detail = format!(
            "unfolds to more than {MAX_SCHEMAS} schemas, with those that `unevaluatedProperties` and `unevaluatedItems` repeat"
        );
        compiler.mistake("", detail);
    }
    compiler.mistakes.sort();
    compiler.mistakes.dedup();
    (validator, compiler.mistakes)
}

/// The `description` of what was compiled from the place `pointer`.
fn description(pointer: &str) -> Document {
    let own = pointer.is_empty() || pointer.starts_with('/');
    doc! { "description": if own { format!("#{pointer}") } else { pointer.to_owned() } }
}

/// Every stored document has an `_id`, whether the file speaks of it or not.
fn declare_id(validator: &mut Document) {
    let id = doc! { "description": "#/properties/_id", "bsonType": "objectId" };
    if let Some(properties) = ensure(validator, "properties") {
        properties.insert("_id", id);
    }
}

/// Whether some schema that judges whole documents speaks of `_id`.
pub(super) fn names_id(source: &Source, tree: &Tree) -> bool {
    let declared = tree.get("properties").is_some_and(|p| p.get("_id").is_some());
    let target = || tree.get("$ref").and_then(Tree::as_str).and_then(|r| source.resolve(r));
    let listed = ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|k| tree.get(k)?.as_array()).flatten();
    let branches = ["then", "else"].into_iter().filter_map(|k| tree.get(k)).chain(listed);
    declared
        || target().is_some_and(|(_, tree)| names_id(source, tree))
        || branches.into_iter().any(|branch| names_id(source, branch))
}

/// The document `name` of `parent`, made if it is not there.
fn ensure<'d>(parent: &'d mut Document, name: &str) -> Option<&'d mut Document> {
    parent.entry(name.to_owned()).or_insert_with(|| Bson::Document(Document::new())).as_document_mut()
}

fn with(mut schema: Document, more: Document) -> Document {
    schema.extend(more);
    schema
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
    /// Whether the file says what an `_id` is.
    names_id: bool,
    /// How many more schemas there may be.
    room: usize,
    mistakes: Vec<Mistake>,
}

impl<'s> Compiler<'s> {
    fn schema(&mut self, place: &Place<'s>) -> Document {
        self.room = self.room.saturating_sub(1);
        if self.room == 0 {
            return Document::new();
        }
        let mut draft = Draft { schema: description(&place.pointer), pieces: Vec::new() };
        match &place.tree.node {
            Node::Object(_) if is_reference_alone(place.tree) => return self.target(place),
            Node::Object(members) => {
                let place = self.narrowed(place);
                for (keyword, value) in members {
                    self.keyword(&place, keyword, value, &mut draft);
                }
                permit_id(&place, &mut draft.schema);
            }
            Node::Bool(false) => drop(draft.schema.insert("not", Document::new())),
            // The loader lets nothing else pass but `true`.
            _ => {}
        }
        draft.finish()
    }

    /// The same place with all that is known of its types.
    fn narrowed(&self, place: &Place<'s>) -> Place<'s> {
        let shape = values::narrow(field::derive(self.source, place.tree), &place.shape);
        Place { tree: place.tree, pointer: place.pointer.clone(), shape, whole: place.whole }
    }

    /// What `$ref` leads to, in place of the reference: a violation names the rule where its author wrote it.
    fn target(&mut self, place: &Place<'s>) -> Document {
        let target = self.referred(place);
        target.map(|target| self.schema(&target)).unwrap_or_default()
    }

    fn referred(&mut self, place: &Place<'s>) -> Option<Place<'s>> {
        let source = self.source;
        let target = place.tree.get("$ref").and_then(Tree::as_str).and_then(|r| source.resolve(r));
        if target.is_none() {
            self.mistake(&place.under(&["$ref"]), "leads nowhere");
        }
        target.map(|(pointer, tree)| Place { tree, pointer, shape: place.shape.clone(), whole: place.whole })
    }

    fn keyword(&mut self, place: &Place<'s>, keyword: &'s str, value: &'s Tree, draft: &mut Draft) {
        match keyword {
            "type" => keywords::types(place, value, draft),
            "bsonType" => keywords::bson_types(value, draft),
            "properties" => self.properties(place, value, draft),
            "patternProperties" => self.pattern_properties(place, value, draft),
            "additionalProperties" => self.additional_properties(place, value, draft),
            "propertyNames" => self.property_names(place, value, draft),
            "required" => object::required(place, value, draft),
            "dependentRequired" => object::dependent_required(place, value, draft),
            "dependentSchemas" => self.dependent_schemas(place, value, draft),
            "unevaluatedProperties" | "unevaluatedItems" => self.unevaluated(place, (keyword, value), draft),
            "prefixItems" => self.prefix_items(place, value, draft),
            "items" => self.items(place, value, draft),
            "contains" => self.contains(place, value, draft),
            "allOf" | "anyOf" | "oneOf" => self.alternatives(place, keyword, value, draft),
            "not" => drop(draft.schema.insert("not", self.schema(&place.branch(value, &["not"])))),
            "then" | "else" => self.conditional(place, keyword, value, draft),
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
            "format" => self.format(place, value, draft),
            name if ANNOTATIONS.contains(&name) || name.starts_with("x-") => {}
            _ => self.mistake(&place.under(&[keyword]), "not supported yet: MongoDB would not enforce it"),
        }
    }

    fn alternatives(&mut self, place: &Place<'s>, keyword: &str, value: &'s Tree, draft: &mut Draft) {
        let branches = place.branches(keyword, value);
        let branches: Vec<_> = branches.iter().map(|branch| Bson::from(self.schema(branch))).collect();
        draft.schema.insert(keyword, branches);
    }

    fn mistake(&mut self, pointer: &str, detail: impl Into<String>) {
        let (path, pointer) = (self.source.path.clone(), pointer.to_owned());
        self.mistakes.push(Mistake { path, pointer, detail: detail.into() });
    }
}

/// Keywords that no document can break, at least not by themselves.
const ANNOTATIONS: [&str; 15] = [
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
    "contentEncoding",
    "contentMediaType",
    "minContains",
    "if",
];

/// Whether a schema says nothing but `$ref` that a document could break.
fn is_reference_alone(tree: &Tree) -> bool {
    let annotates = |name: &str| ANNOTATIONS.contains(&name) || name.starts_with("x-");
    tree.as_object().is_some_and(|m| m.contains_key("$ref") && m.keys().all(|k| k == "$ref" || annotates(k)))
}

/// Where the schema at `place` has its rules: where it refers to, if it does nothing else. References are known to end.
pub(super) fn target(source: &Source, mut place: String) -> String {
    while let Some(tree) = source.at(&place).filter(|tree| is_reference_alone(tree))
        && let Some((target, _)) = tree.get("$ref").and_then(Tree::as_str).and_then(|r| source.resolve(r))
    {
        place = target;
    }
    place
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
