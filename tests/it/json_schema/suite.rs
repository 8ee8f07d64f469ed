//! The files of the suite: where they are, and what is in them. Each schema becomes a collection file with a field `v`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use bson::{Bson, Document};
use folio::json::{Node, Tree};
use serde_json::Value;

const SCRIPT: &str = "scripts/get-json-schema-suite.sh";

/// The optional files that are about what a collection file can say. The others are about formats and keywords that
/// it cannot have, or about other drafts.
const OPTIONAL: [&str; 14] = [
    "optional/bignum",
    "optional/ecmascript-regex",
    "optional/float-overflow",
    "optional/non-bmp-regex",
    "optional/no-schema",
    "optional/format/date",
    "optional/format/date-time",
    "optional/format/email",
    "optional/format/hostname",
    "optional/format/ipv4",
    "optional/format/ipv6",
    "optional/format/time",
    "optional/format/uri",
    "optional/format/uuid",
];

/// A file of the suite.
pub(super) struct File {
    /// Its path in the suite, without `.json`.
    pub(super) name: String,
    /// Every implementation must pass it.
    pub(super) required: bool,
    pub(super) groups: Vec<Group>,
}

/// A schema and its tests.
pub(super) struct Group {
    pub(super) description: String,
    /// The schema as the field `v` of a collection file.
    pub(super) file: String,
    pub(super) tests: Vec<Test>,
}

/// An instance and whether it is valid.
pub(super) struct Test {
    pub(super) description: String,
    /// The instance as the suite has it.
    pub(super) data: String,
    pub(super) valid: bool,
}

/// The suite's folder, in the user's cache. A suite that cannot be fetched is a failure.
pub(super) fn fetch() -> PathBuf {
    let fetched = Command::new("sh").arg(SCRIPT).output().unwrap();
    assert!(fetched.status.success(), "{SCRIPT}: {}", String::from_utf8_lossy(&fetched.stderr));
    PathBuf::from(String::from_utf8(fetched.stdout).unwrap().trim_end())
}

/// The files in the suite's folder that are the measure, those that every implementation must pass first.
pub(super) fn read(folder: &Path) -> Vec<File> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut names: Vec<_> = paths
        .filter(|path| path.is_file())
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    let required = names.into_iter().map(|name| (name, true));
    let optional = OPTIONAL.into_iter().map(|name| (name.to_owned(), false));
    let file = |(name, required): (String, bool)| {
        let path = folder.join(&name).with_extension("json");
        path.exists().then(|| File { groups: groups(&fs::read_to_string(path).unwrap()), name, required })
    };
    required.chain(optional).filter_map(file).collect()
}

fn groups(source: &str) -> Vec<Group> {
    let tree = Tree::parse(source.as_bytes(), 128).unwrap();
    let words = |tree: &Tree, name: &str| tree.get(name).unwrap().as_str().unwrap().to_owned();
    let test = |tree: &Tree| Test {
        description: words(tree, "description"),
        data: tree.get("data").unwrap().text(source).to_owned(),
        valid: tree.get("valid").unwrap().as_bool().unwrap(),
    };
    let group = |tree: &Tree| Group {
        description: words(tree, "description"),
        file: collection_file(tree.get("schema").unwrap(), source),
        tests: tree.get("tests").unwrap().as_array().unwrap().iter().map(test).collect(),
    };
    tree.as_array().unwrap().iter().map(group).collect()
}

/// What belongs at the root of a file.
const ROOT: [&str; 2] = ["$schema", "$id"];

/// The collection file whose field `v` has the schema.
fn collection_file(schema: &Tree, text: &str) -> String {
    let moved = ROOT.into_iter().filter_map(|name| Some(member(name, schema.get(name)?.text(text))));
    let id = schema.get("$id").and_then(Tree::as_str).unwrap_or_default();
    let field = Move { text, id }.schema(schema, &ROOT);
    let rest = [r#""type":"object""#.to_owned(), member("properties", &object([member("v", &field)]))];
    object(moved.chain(rest))
}

/// A schema on its way from the root of a file to a field.
struct Move<'t> {
    text: &'t str,
    /// The `$id` of the file.
    id: &'t str,
}

impl Move<'_> {
    /// The schema without some keywords, and with references to places below the field.
    fn schema(&self, tree: &Tree, without: &[&str]) -> String {
        match &tree.node {
            Node::Object(keywords) => {
                let kept = keywords.iter().filter(|(name, _)| !without.contains(&name.as_str()));
                object(kept.map(|(name, value)| member(name, &self.keyword(name, value))))
            }
            Node::Array(items) => {
                format!("[{}]", items.iter().map(|item| self.schema(item, &[])).collect::<Vec<_>>().join(","))
            }
            _ => tree.text(self.text).to_owned(),
        }
    }

    fn keyword(&self, name: &str, value: &Tree) -> String {
        match (name, &value.node) {
            ("$ref", Node::String(reference)) => Value::from(self.reference(reference)).to_string(),
            ("const" | "enum" | "default" | "examples", _) => value.text(self.text).to_owned(),
            ("properties" | "patternProperties" | "$defs" | "dependentSchemas", Node::Object(members)) => {
                object(members.iter().map(|(name, value)| member(name, &self.schema(value, &[]))))
            }
            _ => self.schema(value, &[]),
        }
    }

    fn reference(&self, reference: &str) -> String {
        let inside = reference.strip_prefix(self.id).unwrap_or(reference);
        match inside.strip_prefix('#').unwrap_or(inside) {
            pointer if pointer.is_empty() || pointer.starts_with('/') && inside.starts_with('#') => {
                format!("#/properties/v{pointer}")
            }
            _ => reference.to_owned(),
        }
    }
}

fn member(name: &str, json: &str) -> String {
    format!("{}:{json}", Value::from(name))
}

fn object(members: impl IntoIterator<Item = String>) -> String {
    format!("{{{}}}", members.into_iter().collect::<Vec<_>>().join(","))
}

/// The object `text`, each number of the type that fits.
pub(super) fn plain(text: &str) -> Document {
    fn value(tree: Tree) -> Bson {
        match tree.node {
            Node::Null => Bson::Null,
            Node::Bool(value) => value.into(),
            Node::String(text) => text.into(),
            Node::Number(digits) => {
                let int = digits.parse::<i32>().map(Bson::from);
                int.or_else(|_| digits.parse::<i64>().map(Bson::from))
                    .unwrap_or_else(|_| Bson::from(digits.parse::<f64>().unwrap()))
            }
            Node::Array(items) => items.into_iter().map(value).collect::<Vec<_>>().into(),
            Node::Object(members) => {
                members.into_iter().map(|(name, tree)| (name, value(tree))).collect::<Document>().into()
            }
        }
    }
    let Bson::Document(document) = value(Tree::parse(text.as_bytes(), 128).unwrap()) else { panic!("{text}") };
    document
}
