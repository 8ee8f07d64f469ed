//! The JSON Schema of collection files themselves, by which editors complete them, explain their keywords and mark what
//! a load would refuse by its form.
//!
//! It is made from the table of keywords, so it knows what the loader knows, and never marks what the loader takes. What
//! keywords mean together (a `$ref` that leads nowhere, an index on a field that is not there) is beyond it: that is for
//! `folio check` to say.
//!
//! `errorMessage`, `markdownDescription` and `doNotSuggest` are read by editors with VS Code's
//! [JSON service](https://github.com/microsoft/vscode-json-languageservice), and ignored by all others.

use std::sync::LazyLock;

use bson::{Document, doc};

use super::keywords::{DRAFT, Form, Position, Status, TABLE};

mod access;
mod index;
mod keyword;
mod options;
mod words;

const DESCRIPTION: &str = "What the documents of one collection look like, how it is indexed, and who may do what: JSON \
                           Schema, draft 2020-12, with a few keywords of Folio's own.";

/// The schema as JSON text, which is the same in every service of this version.
#[expect(clippy::expect_used, reason = "it holds nothing but texts, numbers, lists and objects")]
pub fn text() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| {
        let text = serde_json::to_string_pretty(&schema()).expect("plain BSON is JSON");
        text + "\n"
    });
    &TEXT
}

fn schema() -> Document {
    doc! {
        "$schema": DRAFT,
        "$comment": "Written by `folio check --meta`.",
        "title": "Folio collection file",
        "description": DESCRIPTION,
        "type": "object",
        "anyOf": [holds_objects("type"), holds_objects("bsonType")],
        "properties": properties(Level::Root),
        "additionalProperties": false,
        "$defs": definitions(),
    }
}

fn holds_objects(keyword: &str) -> Document {
    let object = doc! { "const": "object", "errorMessage": "A collection holds objects." };
    doc! { "required": [keyword], "properties": { (keyword): object } }
}

/// Where a schema stands in the file.
#[derive(Clone, Copy, PartialEq)]
enum Level {
    /// At the root of a collection's file.
    Root,
    /// At the root of a file that others refer to.
    Fragment,
    /// Below a root.
    Below,
}

/// Whole files that others refer to, schemas below the root, and the value of each keyword under the keyword's name.
fn definitions() -> Document {
    let keywords = TABLE.iter().map(|(name, status)| ((*name).to_owned(), value(name, *status)));
    let mut definitions = doc! { "fragment": part(Level::Fragment), (SCHEMA): part(Level::Below) };
    definitions.extend(keywords.map(|(name, value)| (name, value.into())));
    definitions
}

/// The definition of schemas below the root; no keyword has the name.
const SCHEMA: &str = "schema";

fn part(level: Level) -> Document {
    doc! { "type": ["object", "boolean"], "properties": properties(level), "additionalProperties": false }
}

/// What leads to the definition `name`; no name of a keyword needs escaping in a pointer.
fn reference(name: &str) -> Document {
    doc! { "$ref": format!("#/$defs/{name}") }
}

/// Every keyword there is, as it may stand in a schema: one that may not is there to say why.
fn properties(level: Level) -> Document {
    let keywords = TABLE.iter().map(|(name, status)| ((*name).to_owned(), property(name, *status, level).into()));
    keywords.collect()
}

fn property(name: &str, status: Status, level: Level) -> Document {
    match (status, level) {
        (Status::Supported(Position::Root, _), Level::Below) => refused("Belongs at the root of the file only."),
        (Status::Supported(Position::Root, _), Level::Fragment) if name.starts_with("x-") => {
            refused("Belongs at the root of a collection's file.")
        }
        // `false` says nothing, and may be said anywhere.
        (Status::Supported(Position::Field, Form::Bool), Level::Root) => {
            doc! { "const": false, "errorMessage": ON_FIELDS, "doNotSuggest": true }
        }
        (Status::Supported(Position::Field, _), Level::Root) => refused(ON_FIELDS),
        _ => reference(name),
    }
}

const ON_FIELDS: &str = "Belongs on a field, not on the whole document.";

/// The schema of the keyword's value.
fn value(name: &str, status: Status) -> Document {
    match status {
        Status::Supported(_, form) => keyword::described(words::of(name), keyword::value(name, form)),
        Status::Later => refused("Not supported yet."),
        Status::Refused(reason) => refused(&format!("Not supported: {reason}.")),
    }
}

/// A schema that no value fits, and why.
fn refused(reason: &str) -> Document {
    doc! { "description": reason, "not": {}, "errorMessage": reason, "doNotSuggest": true }
}

#[cfg(test)]
mod tests;
