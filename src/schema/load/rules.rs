//! What the values of keywords must be beyond their form, and what keywords of one subschema say together.

use super::{Report, check::Role, did_you_mean};
use crate::{
    json::{Tree, below},
    schema::{Kind, Kinds, Source, field, keywords, pattern},
};

/// The names that `type` may have.
pub(in crate::schema) const JSON_TYPES: [&str; 7] =
    ["string", "number", "integer", "boolean", "object", "array", "null"];

/// How many pairs of a required and a declared name are compared for a suggestion.
const MAX_COMPARED: usize = 100_000;

/// Adds what is wrong at the root alone.
pub(super) fn check_root(source: &Source, role: Role, report: &mut Report) {
    let object = |keyword| source.tree.get(keyword).and_then(Tree::as_str) == Some("object");
    let is_schema = source.tree.as_object().is_some() || source.tree.as_bool().is_some();
    if role == Role::Collection && is_schema && !object("type") && !object("bsonType") {
        report.add("", "a collection holds objects: say \"type\": \"object\" at the root");
    }
    if source.tree.get("$schema").and_then(Tree::as_str).is_some_and(|draft| draft != keywords::DRAFT) {
        report.add("/$schema", format!("must be \"{}\", the only dialect there is here", keywords::DRAFT));
    }
}

/// Adds what is wrong with the subschema `tree` at `pointer` by itself.
pub(super) fn check(pointer: &str, tree: &Tree, report: &mut Report) {
    types(pointer, tree, report);
    contains(pointer, tree, report);
    format(pointer, tree, report);
    names(pointer, tree, report);
    required(pointer, tree, report);
    reference(pointer, tree, report);
    set(pointer, tree, report);
}

fn types(pointer: &str, tree: &Tree, report: &mut Report) {
    let before = report.len();
    for (at, name) in given(pointer, tree, "type").into_iter().filter(|(_, name)| field::json_type(name).is_none()) {
        report.add(&at, unknown_type(name));
    }
    for (at, name) in given(pointer, tree, "bsonType").into_iter().filter(|(_, name)| field::bson_type(name).is_none())
    {
        report.add(&at, unknown_bson_type(name));
    }
    if report.len() == before && field::declared(tree) == Kinds::NONE {
        report.add_below(pointer, "bsonType", "no value is of this type and of the `type` beside it");
    }
}

/// Each name that the keyword gives, be it one or a list, with its pointer.
fn given<'t>(pointer: &str, tree: &'t Tree, keyword: &str) -> Vec<(String, &'t str)> {
    let at = below(pointer, keyword);
    if let Some(name) = tree.get(keyword).and_then(Tree::as_str) {
        return vec![(at, name)];
    }
    let items = tree.get(keyword).and_then(Tree::as_array).unwrap_or_default().iter().enumerate();
    items.filter_map(|(index, item)| Some((below(&at, &index.to_string()), item.as_str()?))).collect()
}

fn unknown_type(name: &str) -> String {
    if field::bson_type(name).is_some() {
        return format!("`{name}` is a BSON type: use \"bsonType\": \"{name}\"");
    }
    let near = did_you_mean(name, JSON_TYPES);
    match meant(name) {
        Some(written) => format!("unknown type `{name}`: use {written}"),
        None if near.is_empty() => format!("unknown type `{name}`; there are `{}`", JSON_TYPES.join("`, `")),
        None => format!("unknown type `{name}`{near}"),
    }
}

fn unknown_bson_type(name: &str) -> String {
    let known = Kind::NAMES.iter().map(|(_, name)| *name).chain(["number"]);
    match meant(name) {
        Some(written) => format!("unknown BSON type `{name}`: use {written}"),
        None => format!("unknown BSON type `{name}`{}", did_you_mean(name, known)),
    }
}

/// What is called `name` elsewhere, as it is written here.
fn meant(name: &str) -> Option<&'static str> {
    match name.to_lowercase().as_str() {
        "boolean" => Some(r#""bsonType": "bool""#),
        "integer" => Some(r#""bsonType": "int" or "long""#),
        "float" | "real" => Some(r#""bsonType": "double""#),
        "datetime" | "date-time" => Some(r#""bsonType": "date""#),
        "uuid" => Some(r#""bsonType": "binData" beside "format": "uuid""#),
        "binary" | "bytes" => Some(r#""bsonType": "binData""#),
        _ => None,
    }
}

fn contains(pointer: &str, tree: &Tree, report: &mut Report) {
    let least = tree.get("minContains").and_then(Tree::as_whole);
    if tree.get("contains").is_some() && least.is_some_and(|least| least > 1) {
        let detail = "not supported above 1: a MongoDB validator cannot count the items that match a schema";
        report.add_below(pointer, "minContains", detail);
    }
}

fn format(pointer: &str, tree: &Tree, report: &mut Report) {
    let format = tree.get("format").and_then(Tree::as_str);
    if let Some(format) = format.filter(|format| !keywords::FORMATS.contains(format)) {
        let near = did_you_mean(format, keywords::FORMATS);
        report.add_below(pointer, "format", format!("unknown format `{format}`{near}"));
    }
}

fn names(pointer: &str, tree: &Tree, report: &mut Report) {
    let mut named = given(pointer, tree, "required");
    for keyword in ["properties", "dependentRequired", "dependentSchemas"] {
        let Some((group, members)) = tree.get(keyword).and_then(|group| Some((group, group.as_object()?))) else {
            continue;
        };
        let at = below(pointer, keyword);
        for name in members.keys() {
            named.push((below(&at, name), name));
            if keyword == "dependentRequired" {
                named.extend(given(&at, group, name));
            }
        }
    }
    for (at, name) in named {
        if let Some(detail) = unusable(name) {
            report.add(&at, detail);
        }
    }
}

/// Why no rule of MongoDB can speak of the name: BSON ends it at the first NUL.
fn unusable(name: &str) -> Option<&'static str> {
    match name {
        name if name.contains('\0') => Some("the name of a field cannot contain NUL"),
        name if name.contains('.') && pattern::quote(name).len() > pattern::MAX_LENGTH => {
            Some("is too long for a name with a dot")
        }
        _ => None,
    }
}

fn required(pointer: &str, tree: &Tree, report: &mut Report) {
    let closed = tree.get("additionalProperties").and_then(Tree::as_bool) == Some(false);
    if !closed || tree.get("patternProperties").is_some() {
        return;
    }
    let declared = |name: &str| tree.get("properties").is_some_and(|properties| properties.get(name).is_some());
    let known: Vec<_> = tree.get("properties").and_then(Tree::as_object).into_iter().flatten().collect();
    let names = given(pointer, tree, "required");
    let few = names.len().saturating_mul(known.len()) <= MAX_COMPARED;
    for (at, name) in names {
        let always = pointer.is_empty() && name == "_id";
        if !always && !declared(name) {
            let near = did_you_mean(name, known.iter().map(|(known, _)| known.as_str()).filter(|_| few));
            report.add(&at, format!("`{name}` is required but not declared{near}"));
        }
    }
}

fn reference(pointer: &str, tree: &Tree, report: &mut Report) {
    let Some(reference) = tree.get("x-ref").filter(|value| value.as_object().is_some()) else { return };
    let at = below(pointer, "x-ref");
    if reference.get("collection").is_none() {
        report.add(&at, "needs `collection`, the name of the collection it points into");
    }
    for (name, value) in reference.as_object().into_iter().flatten() {
        let detail = match (name.as_str(), value.as_str()) {
            ("collection", Some(_)) | ("onDelete", Some("none")) => continue,
            ("collection", None) => "must be the name of a collection".to_owned(),
            ("onDelete", Some("restrict" | "cascade" | "set-null")) => "not supported yet; use \"none\"".to_owned(),
            ("onDelete", _) => "must be \"none\"".to_owned(),
            ("check", _) => "not supported yet".to_owned(),
            _ => format!("unknown option{}", did_you_mean(name, ["collection", "onDelete"])),
        };
        report.add_below(&at, name, detail);
    }
}

fn set(pointer: &str, tree: &Tree, report: &mut Report) {
    let Some(set) = tree.get("x-set").and_then(Tree::as_object) else { return };
    let at = below(pointer, "x-set");
    if set.is_empty() {
        report.add(&at, "needs `insert` or `update`, which say what is written when");
    }
    for (name, value) in set {
        let detail = match (name.as_str(), value.as_str()) {
            ("insert", Some("now" | "uuid" | "user")) | ("update", Some("now" | "user")) => continue,
            ("insert", _) => "must be \"now\", \"user\" or \"uuid\"".to_owned(),
            ("update", _) => "must be \"now\" or \"user\"".to_owned(),
            _ => format!("unknown option{}", did_you_mean(name, ["insert", "update"])),
        };
        report.add_below(&at, name, detail);
    }
}
