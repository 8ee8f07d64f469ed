//! A collection file that refers to no other: what its `$ref`s lead to in other files stands among its `$defs`.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{
    json::{Node, Tree, below},
    schema::{
        Source,
        keywords::{self, Form, Status},
    },
};

/// What cannot stand in the fragment of a reference as it is.
///
/// See [RFC 3986](https://www.rfc-editor.org/rfc/rfc3986#section-3.5).
const FRAGMENT: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'~').remove(b'-').remove(b'.').remove(b'_').remove(b'$');

/// The collection's own file with all that it refers to in others. No more of them is there than that.
pub(super) fn bundle(source: &Source) -> Tree {
    let mut bundling = Bundling { source, found: BTreeSet::new(), open: Vec::new() };
    let mut root = source.tree.clone();
    bundling.schema(&mut root);
    while let Some(place) = bundling.open.pop() {
        let Some(mut tree) = source.at(&place).cloned() else { continue };
        bundling.schema(&mut tree);
        if let Node::Object(members) = &mut tree.node {
            // They would make it a document of its own, in which references begin anew.
            members.retain(|name, _| !["$schema", "$id"].contains(&name.as_str()));
        }
        if let Some(definitions) = definitions(&mut root) {
            definitions.insert(name(&place).to_owned(), tree);
        }
    }
    root
}

struct Bundling<'s> {
    source: &'s Source,
    /// The places in other files that something refers to.
    found: BTreeSet<String>,
    /// Those of them that are still to be looked at.
    open: Vec<String>,
}

impl Bundling<'_> {
    /// Makes each `$ref` in the subschema lead to where its target stands in the end.
    fn schema(&mut self, tree: &mut Tree) {
        let Node::Object(members) = &mut tree.node else { return };
        for (name, value) in members {
            match (keywords::status(name), &mut value.node) {
                (_, Node::String(reference)) if name == "$ref" => self.reference(reference),
                (Some(Status::Supported(_, Form::Schema)), _) => self.schema(value),
                (Some(Status::Supported(_, Form::Schemas)), Node::Array(parts)) => self.schemas(parts),
                (Some(Status::Supported(_, Form::SchemaMap)), Node::Object(parts)) => self.schemas(parts.values_mut()),
                _ => {}
            }
        }
    }

    fn schemas<'t>(&mut self, trees: impl IntoIterator<Item = &'t mut Tree>) {
        for tree in trees {
            self.schema(tree);
        }
    }

    fn reference(&mut self, reference: &mut String) {
        let Some((place, _)) = self.source.resolve(reference).filter(|_| !reference.starts_with('#')) else { return };
        *reference = format!("#{}", utf8_percent_encode(&below("/$defs", name(&place)), FRAGMENT));
        if self.found.insert(place.clone()) {
            self.open.push(place);
        }
    }
}

/// What stands at the place is called by it; a whole file by its path.
fn name(place: &str) -> &str {
    place.trim_end_matches('#')
}

/// The definitions of the file, made where there are none.
fn definitions(root: &mut Tree) -> Option<&mut IndexMap<String, Tree>> {
    let none = Tree { node: Node::Object(IndexMap::new()), name_at: root.name_at, span: root.span.clone() };
    let Node::Object(members) = &mut root.node else { return None };
    let Node::Object(definitions) = &mut members.entry("$defs".to_owned()).or_insert(none).node else { return None };
    Some(definitions)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::face;

    fn tree(text: &str) -> Tree {
        Tree::parse(text.as_bytes(), 64).unwrap()
    }

    #[test]
    fn what_stands_in_other_files_stands_among_the_definitions() {
        let own = r##"{"$defs": {"own": {}}, "properties": {
            "home": {"$ref": "shared/address.json"}, "work": {"$ref": "shared/address.json", "title": "$ref"},
            "own": {"$ref": "#/$defs/own"}, "$ref": {"const": {"$ref": "shared/address.json"}}}}"##;
        let mut source = Source::parse("schemas/x.json", own.to_owned(), 64).unwrap();
        let address = r#"{"$schema": "s", "$id": "i", "properties": {"city": {"$ref": "books.json#/$defs/a%20b"}}}"#;
        let books = r#"{"$defs": {"a b": {"bsonType": "int"}, "other": {}}, "x-access": {"secret": []}}"#;
        let files = [("shared/address.json", address), ("books.json", books)];
        source.files = files.map(|(path, text)| (path.to_owned(), tree(text))).into();
        let mut shown = String::new();
        face::subschema(&mut shown, &bundle(&source));
        let expected = r##"{"$defs":{"own":{},
            "shared/address.json":{"properties":{"city":{"$ref":"#/$defs/books.json%23~1$defs~1a%20b"}}},
            "books.json#/$defs/a b":{"type":"integer"}},"properties":{
            "home":{"$ref":"#/$defs/shared~1address.json"},"work":{"$ref":"#/$defs/shared~1address.json","title":"$ref"},
            "own":{"$ref":"#/$defs/own"},"$ref":{"const":{"$ref":"shared/address.json"}}}}"##;
        assert_eq!(shown, expected.replace("\n            ", ""));
    }
}
