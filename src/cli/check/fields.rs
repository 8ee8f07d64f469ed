//! The trial of the examples of fields: each is held to the rules of its field alone.

use bson::{
    Document, RawDocumentBuf, doc,
    raw::{CStr, cstr},
};
use mongodb::Database;

use super::trial::{Tried, Verdict};
use crate::{
    codec::decode,
    error::Result,
    json::{Tree, below},
    schema::{Field, Schema, explain::explain},
    store::{failure, scratch},
};

/// The name under which an example stands in the document that is tried.
const VALUE: &CStr = cstr!("value");

/// A field with examples.
struct Place<'s> {
    pointer: String,
    examples: &'s [Tree],
    shape: &'s Field,
    /// What MongoDB's validator says of the field.
    rules: &'s Document,
}

/// Tries the examples of all fields that `properties` and `items` lead to.
pub(super) async fn of_file(db: &Database, schema: &Schema, tried: &mut Tried) -> Result<()> {
    for place in places(schema) {
        let validator = doc! { "$jsonSchema": { "properties": { (VALUE.as_str()): place.rules.clone() } } };
        let failed = || failure::startup("trying the examples of fields");
        let collection = scratch::create(db, &validator).await.map_err(failed())?;
        for (at, example) in place.examples.iter().enumerate() {
            let pointer = below(&below(&place.pointer, "examples"), &at.to_string());
            let verdict = match decode::value(example.text(&schema.source.text).as_bytes(), place.shape) {
                Ok(value) => {
                    let mut document = RawDocumentBuf::new();
                    document.append(VALUE, value);
                    let details = scratch::judge(&collection, &document).await.map_err(failed())?;
                    details.map_or(Verdict::Accepted, |details| refused(schema, &details, &document))
                }
                Err(error) => Verdict::Unfit(error.detail),
            };
            tried.example(schema, pointer, verdict);
        }
        scratch::remove(collection).await;
    }
    Ok(())
}

fn refused(schema: &Schema, details: &Document, document: &RawDocumentBuf) -> Verdict {
    let mut violations = explain(schema, details, Some(document));
    for violation in &mut violations {
        if let Some(inner) = violation.pointer.strip_prefix('/').and_then(|rest| rest.strip_prefix(VALUE.as_str())) {
            violation.pointer = inner.to_owned();
        }
    }
    Verdict::Refused(violations)
}

/// The fields with examples, in the order of the file.
fn places(schema: &Schema) -> Vec<Place<'_>> {
    let mut found = Vec::new();
    if let Ok(rules) = schema.validator.get_document("$jsonSchema") {
        let root = Place { pointer: String::new(), examples: &[], shape: &schema.root, rules };
        descend(&root, &schema.source.tree, &mut found);
    }
    found
}

/// Adds the fields below `place`, of which `tree` is the schema. What the file nests, the loader has bounded.
fn descend<'s>(place: &Place<'s>, tree: &'s Tree, found: &mut Vec<Place<'s>>) {
    for (inner, tree) in parts(place, tree) {
        let at = found.len();
        descend(&inner, tree, found);
        if !inner.examples.is_empty() {
            found.insert(at, inner);
        }
    }
}

fn parts<'s>(place: &Place<'s>, tree: &'s Tree) -> Vec<(Place<'s>, &'s Tree)> {
    let part = |pointer: String, tree: &'s Tree, shape: &'s Field, rules: Option<&'s Document>| {
        let examples = tree.get("examples").and_then(Tree::as_array).unwrap_or_default();
        Some((Place { pointer, examples, shape, rules: rules? }, tree))
    };
    let rules = place.rules.get_document("properties").ok();
    let members = tree.get("properties").and_then(Tree::as_object).into_iter().flatten();
    let at = below(&place.pointer, "properties");
    let members = members.filter_map(|(name, tree)| {
        part(below(&at, name), tree, place.shape.properties.get(name)?, rules?.get_document(name).ok())
    });
    let items = tree.get("items").filter(|items| items.as_object().is_some());
    let items = items.and_then(|tree| {
        part(below(&place.pointer, "items"), tree, place.shape.item(), place.rules.get_document("items").ok())
    });
    members.chain(items).collect()
}
