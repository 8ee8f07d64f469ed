//! References that no index begins with: who refers to a document could only be found by reading the whole collection.

use std::collections::BTreeMap;

use super::Remark;
use crate::{
    json::{Tree, below},
    schema::{Index, Schema, Source, keywords},
};

pub(super) fn remarks(schema: &Schema) -> Vec<Remark> {
    let unserved = references(&schema.source).into_iter().filter(|(path, _)| !is_served(schema, path));
    let remark = |(path, (pointer, collection)): (String, (String, &str))| {
        let detail = format!(
            "no index begins with `{path}`: which documents refer to one of `{collection}` is found by reading all of \
             them; add {{\"keys\": {{\"{path}\": 1}}}} to `x-indexes`"
        );
        (pointer, detail)
    };
    unserved.map(remark).collect()
}

/// The dotted path of every reference that has one, with the pointer of what is to be said of it and where it points.
fn references(source: &Source) -> BTreeMap<String, (String, &str)> {
    let (mut open, mut found) = (vec![(String::new(), &source.tree, String::new())], BTreeMap::new());
    while let Some((pointer, tree, path)) = open.pop() {
        if let Some(collection) = tree.pointer("/x-ref/collection").and_then(Tree::as_str) {
            found.entry(path.clone()).or_insert((remarked(&pointer), collection));
        }
        for (at, part) in keywords::subschemas(&pointer, tree) {
            open.extend(step(&at[pointer.len()..], &path).map(|path| (at, part, path)));
        }
        let target = tree.get("$ref").and_then(Tree::as_str).and_then(|reference| source.resolve(reference));
        open.extend(target.map(|(pointer, tree)| (pointer, tree, path)));
    }
    found.remove("");
    found
}

/// Where a remark on the reference of the schema at `place` belongs: another file is not only this collection's.
fn remarked(place: &str) -> String {
    if place.is_empty() || place.starts_with('/') { below(place, "x-ref") } else { "/x-indexes".to_owned() }
}

/// The path of the place that the subschema at `pointer`, taken from the schema of `path`, is about.
fn step(pointer: &str, path: &str) -> Option<String> {
    let mut tokens = pointer.split('/').skip(1);
    match (tokens.next()?, tokens.next()) {
        ("properties", Some(name)) => {
            let name = name.replace("~1", "/").replace("~0", "~");
            let in_paths = !name.is_empty() && !name.contains('.') && !name.starts_with('$');
            in_paths.then(|| if path.is_empty() { name } else { format!("{path}.{name}") })
        }
        // A path goes through lists.
        ("items" | "prefixItems" | "allOf" | "anyOf" | "oneOf", _) => Some(path.to_owned()),
        _ => None,
    }
}

fn is_served(schema: &Schema, path: &str) -> bool {
    path == "_id" || schema.indexes.iter().any(|index| serves(index, path))
}

/// Whether the index finds the documents that have a certain value at the path.
fn serves(index: &Index, path: &str) -> bool {
    let Some((first, kind)) = index.keys.iter().next() else { return false };
    let covers = match first.strip_suffix("$**") {
        Some(outer) => path.starts_with(outer) && !index.options.contains_key("wildcardProjection"),
        None => first == path,
    };
    let is_of_values = kind.as_i32().is_some() || kind.as_str() == Some("hashed");
    let filter = index.options.get_document("partialFilterExpression").ok();
    let holds_them = filter.is_none_or(|filter| {
        // Who looks for a value looks among the documents that have one.
        filter.len() == 1 && filter.get_document(path).is_ok_and(|c| c.len() == 1 && c.get_bool("$exists").is_ok())
    });
    covers && is_of_values && holds_them && !index.options.contains_key("hidden")
}
