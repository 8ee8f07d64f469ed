//! The one table of keywords: which there are, where they may stand, which form their value must have.
//!
//! What a keyword means is not here: `validator` gives it to MongoDB, `field` and `face` read it for the API.

use crate::json::{Node, Tree, below};

/// The only dialect that collection files are written in.
pub const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The values of `format` that assert something about strings.
pub const FORMATS: [&str; 9] = ["date", "time", "date-time", "email", "hostname", "ipv4", "ipv6", "uri", "uuid"];

/// What this version does with a keyword.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It has its meaning, at this position and in this form.
    Supported(Position, Form),
    /// It is part of the language, but not of this version.
    Later,
    /// It cannot be had, and why.
    Refused(&'static str),
}

/// Where a keyword may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Position {
    /// At the root of the file only.
    Root,
    /// On a field only: see `load::places`.
    Field,
    /// In every subschema.
    Anywhere,
}

/// The form of a keyword's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "`expected` has the words")]
pub enum Form {
    Any,
    Bool,
    Count,
    Documents,
    List,
    Names,
    NamesByName,
    Bound,
    Object,
    Positive,
    Schema,
    SchemaMap,
    Schemas,
    String,
    Types,
}

use Form::{
    Any, Bool, Bound, Count, Documents, List, Names, NamesByName, Object, Positive, Schema, SchemaMap, Schemas,
    String as Text, Types,
};
use Status::{Later, Refused};

const fn root(form: Form) -> Status {
    Status::Supported(Position::Root, form)
}

const fn field(form: Form) -> Status {
    Status::Supported(Position::Field, form)
}

const fn anywhere(form: Form) -> Status {
    Status::Supported(Position::Anywhere, form)
}

const DYNAMIC: &str = "a MongoDB validator cannot refer to itself; use `$ref`";
const DEPENDENCIES: &str = "draft 2020-12 says `dependentRequired` or `dependentSchemas`";

/// Every keyword, with what this version does with it.
pub const TABLE: [(&str, Status); 72] = [
    ("$schema", root(Text)),
    ("$id", root(Text)),
    ("$defs", anywhere(SchemaMap)),
    ("$ref", anywhere(Text)),
    ("$comment", anywhere(Text)),
    ("title", anywhere(Text)),
    ("description", anywhere(Text)),
    ("examples", anywhere(List)),
    ("deprecated", anywhere(Bool)),
    ("default", field(Any)),
    ("readOnly", field(Bool)),
    ("writeOnly", field(Bool)),
    ("type", anywhere(Types)),
    ("bsonType", anywhere(Types)),
    ("format", anywhere(Text)),
    ("properties", anywhere(SchemaMap)),
    ("required", anywhere(Names)),
    ("patternProperties", anywhere(SchemaMap)),
    ("additionalProperties", anywhere(Schema)),
    ("unevaluatedProperties", anywhere(Schema)),
    ("propertyNames", anywhere(Schema)),
    ("minProperties", anywhere(Count)),
    ("maxProperties", anywhere(Count)),
    ("dependentRequired", anywhere(NamesByName)),
    ("dependentSchemas", anywhere(SchemaMap)),
    ("prefixItems", anywhere(Schemas)),
    ("items", anywhere(Schema)),
    ("unevaluatedItems", anywhere(Schema)),
    ("contains", anywhere(Schema)),
    ("minContains", anywhere(Count)),
    ("uniqueItems", anywhere(Bool)),
    ("minItems", anywhere(Count)),
    ("maxItems", anywhere(Count)),
    ("minimum", anywhere(Bound)),
    ("maximum", anywhere(Bound)),
    ("exclusiveMinimum", anywhere(Bound)),
    ("exclusiveMaximum", anywhere(Bound)),
    ("multipleOf", anywhere(Positive)),
    ("minLength", anywhere(Count)),
    ("maxLength", anywhere(Count)),
    ("pattern", anywhere(Text)),
    ("enum", anywhere(List)),
    ("const", anywhere(Any)),
    ("allOf", anywhere(Schemas)),
    ("anyOf", anywhere(Schemas)),
    ("oneOf", anywhere(Schemas)),
    ("not", anywhere(Schema)),
    ("if", anywhere(Schema)),
    ("then", anywhere(Schema)),
    ("else", anywhere(Schema)),
    ("contentEncoding", anywhere(Text)),
    ("contentMediaType", anywhere(Text)),
    ("x-indexes", root(List)),
    ("x-access", root(Object)),
    ("x-collection", root(Object)),
    ("x-ref", field(Object)),
    ("x-set", field(Object)),
    ("x-counterexamples", root(Documents)),
    ("x-queries", Later),
    ("maxContains", Refused("a MongoDB validator cannot count the items that match a schema")),
    ("$dynamicRef", Refused(DYNAMIC)),
    ("$dynamicAnchor", Refused(DYNAMIC)),
    ("$recursiveRef", Refused(DYNAMIC)),
    ("$recursiveAnchor", Refused(DYNAMIC)),
    ("$anchor", Refused("refer to places by their pointer, `#/$defs/…`")),
    ("$vocabulary", Refused("it belongs to meta-schemas")),
    ("dependencies", Refused(DEPENDENCIES)),
    ("definitions", Refused("draft 2020-12 says `$defs`")),
    ("additionalItems", Refused("draft 2020-12 says `items`")),
    ("contentSchema", Refused("a MongoDB validator cannot look into strings")),
    ("id", Refused("draft 2020-12 says `$id`")),
    ("nullable", Refused("list `null` among the types")),
];

/// What this version does with the keyword `name`; `None` if there is no such keyword.
pub fn status(name: &str) -> Option<Status> {
    TABLE.iter().find(|(known, _)| *known == name).map(|(_, status)| *status)
}

/// The keywords that may be suggested in place of an unknown one.
pub fn usable() -> impl Iterator<Item = &'static str> {
    TABLE.iter().filter(|(_, status)| matches!(status, Status::Supported(..))).map(|(name, _)| *name)
}

impl Form {
    /// The form in words, to follow "must be".
    pub fn expected(self) -> &'static str {
        match self {
            Any => "a value",
            Bool => "`true` or `false`",
            Count => "a whole number from 0",
            Documents => "a list of objects",
            List => "a list",
            Names => "a list of distinct names",
            NamesByName => "an object of lists of distinct names",
            Bound => "a number, or a string of digits where the declared type is written as one",
            Object => "an object",
            Positive => "a number above 0",
            Schema => "a schema, `true` or `false`",
            SchemaMap => "an object of schemas",
            Schemas => "a list of at least one schema",
            Text => "a string",
            Types => "the name of a type, or a list of distinct ones",
        }
    }

    /// Whether `value` has the form; the subschemas in it are looked at by themselves.
    pub fn fits(self, value: &Tree) -> bool {
        match self {
            Any => true,
            Bool => value.as_bool().is_some(),
            Count => value.as_whole().is_some_and(|n| n >= 0),
            Documents => value.as_array().is_some_and(|items| items.iter().all(|item| item.as_object().is_some())),
            List => value.as_array().is_some(),
            Names => names(value).is_some(),
            NamesByName => value.as_object().is_some_and(|lists| lists.values().all(|list| names(list).is_some())),
            Bound => number(value).is_some() || value.as_str().is_some(),
            Object | SchemaMap => value.as_object().is_some(),
            Positive => number(value).is_some_and(|n| n > 0.0),
            Schema => value.as_object().is_some() || value.as_bool().is_some(),
            Schemas => value.as_array().is_some_and(|items| !items.is_empty()),
            Text => value.as_str().is_some(),
            Types => value.as_str().is_some() || names(value).is_some_and(|names| !names.is_empty()),
        }
    }

    fn below<'t>(self, pointer: &str, value: &'t Tree) -> Vec<(String, &'t Tree)> {
        match self {
            Schema if self.fits(value) => vec![(pointer.to_owned(), value)],
            Schemas => {
                let items = value.as_array().unwrap_or_default().iter().enumerate();
                items.map(|(at, item)| (below(pointer, &at.to_string()), item)).collect()
            }
            SchemaMap => {
                let members = value.as_object().into_iter().flatten();
                members.map(|(name, member)| (below(pointer, name), member)).collect()
            }
            _ => Vec::new(),
        }
    }

    fn below_mut(self, value: &mut Tree) -> Vec<&mut Tree> {
        if self == Schema && self.fits(value) {
            return vec![value];
        }
        match (self, &mut value.node) {
            (Schemas, Node::Array(items)) => items.iter_mut().collect(),
            (SchemaMap, Node::Object(members)) => members.values_mut().collect(),
            _ => Vec::new(),
        }
    }
}

/// What stands where the supported keywords of the subschema `tree` hold subschemas, each with its pointer in the
/// file, in the file's order. They need not be objects.
pub fn subschemas<'t>(pointer: &str, tree: &'t Tree) -> Vec<(String, &'t Tree)> {
    let members = tree.as_object().into_iter().flatten();
    let below_keyword = |(name, value): (&String, &'t Tree)| match status(name) {
        Some(Status::Supported(_, form)) => form.below(&below(pointer, name), value),
        _ => Vec::new(),
    };
    members.flat_map(below_keyword).collect()
}

/// The same to be changed, in no particular order.
pub fn subschemas_mut(tree: &mut Tree) -> Vec<&mut Tree> {
    let Node::Object(members) = &mut tree.node else { return Vec::new() };
    let forms = members.iter_mut().filter_map(|(name, value)| match status(name) {
        Some(Status::Supported(_, form)) => Some((form, value)),
        _ => None,
    });
    forms.flat_map(|(form, value)| form.below_mut(value)).collect()
}

/// The number that `value` is, near enough to judge its sign and fraction.
fn number(value: &Tree) -> Option<f64> {
    if let Node::Number(digits) = &value.node { digits.parse().ok() } else { None }
}

/// The strings that `value` lists, if it is a list of strings that are all distinct.
fn names(value: &Tree) -> Option<Vec<&str>> {
    let names = value.as_array()?.iter().map(Tree::as_str).collect::<Option<Vec<_>>>()?;
    let distinct: std::collections::HashSet<_> = names.iter().collect();
    (distinct.len() == names.len()).then_some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_each_keyword_once() {
        for (at, (name, _)) in TABLE.iter().enumerate() {
            assert!(TABLE[at + 1..].iter().all(|(other, _)| other != name), "{name}");
        }
    }

    #[test]
    fn judges_forms() {
        let cases = [
            (Count, "2.0", true),
            (Count, "2.5", false),
            (Count, "-1", false),
            (Count, "1e99", false),
            (Positive, "0", false),
            (Positive, "0.01", true),
            (Names, r#"["a", "a"]"#, false),
            (Names, "[]", true),
            (NamesByName, r#"{"a": ["b"], "c": []}"#, true),
            (NamesByName, r#"{"a": "b"}"#, false),
            (Types, "[]", false),
            (Types, r#""string""#, true),
            (Schemas, "[]", false),
            (Bound, "true", false),
            (Documents, "[{}]", true),
            (Documents, "[{}, 1]", false),
        ];
        for (form, text, fits) in cases {
            let value = Tree::parse(text.as_bytes(), 4).unwrap();
            assert_eq!(form.fits(&value), fits, "{form:?} {text}");
        }
    }

    #[test]
    fn finds_what_stands_where_schemas_belong() {
        let text =
            br#"{"properties": {"a/b": {}, "c": true}, "allOf": [{}], "additionalProperties": false, "const": {}}"#;
        let tree = Tree::parse(text, 8).unwrap();
        let found: Vec<_> = subschemas("", &tree).into_iter().map(|(pointer, _)| pointer).collect();
        assert_eq!(found, ["/properties/a~1b", "/properties/c", "/allOf/0", "/additionalProperties"]);
    }
}
