//! What `bsonType` becomes: the JSON types that its types look like, and the rules that still mean something there.

use super::{Object, keyword, own_shape, push_list, push_string};
use crate::{
    json::Tree,
    schema::{Field, Kind, field},
};

const STRING_RULES: [&str; 5] = ["minLength", "maxLength", "pattern", "format", "contentEncoding"];
const NUMBER_RULES: [&str; 5] = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"];
const ARRAY_RULES: [&str; 8] =
    ["prefixItems", "items", "unevaluatedItems", "contains", "minContains", "minItems", "maxItems", "uniqueItems"];
const OBJECT_RULES: [&str; 10] = [
    "properties",
    "patternProperties",
    "additionalProperties",
    "unevaluatedProperties",
    "propertyNames",
    "required",
    "minProperties",
    "maxProperties",
    "dependentRequired",
    "dependentSchemas",
];

/// The types of a subschema that has `bsonType`.
pub(super) struct Types {
    faces: Vec<Face>,
}

/// How values of one or more stored types look in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Face {
    /// The JSON type.
    name: &'static str,
    /// A keyword that holds such values to their form.
    form: Option<(&'static str, &'static str)>,
    /// The value is the stored one, and the rules for its JSON type are rules for it.
    itself: bool,
}

/// The types of the subschema `tree`; `None` if it has no `bsonType` and stands as it is.
pub(super) fn of(tree: &Tree) -> Option<Types> {
    tree.get("bsonType")?;
    let (shape, types) = (own_shape(tree), field::listed(tree, "type"));
    let mut faces: Vec<Face> = Vec::new();
    for mut face in shape.kinds.iter().map(|kind| face(kind, &shape)) {
        // A double that `type: integer` stands beside is a whole one.
        if face.name == "number" && types.contains(&"integer") && !types.contains(&"number") {
            face.name = "integer";
        }
        if !faces.contains(&face) {
            faces.push(face);
        }
    }
    // Every integer is a number.
    if faces.iter().any(|face| face.name == "number") {
        faces.retain(|face| face.name != "integer");
    }
    Some(Types { faces })
}

/// How values of the type look where `shape` is declared.
fn face(kind: Kind, shape: &Field) -> Face {
    let itself = |name| Face { name, form: None, itself: true };
    let text = |form| Face { name: "string", form, itself: false };
    let apart = shape.text_kind() == Some(kind);
    match kind {
        Kind::String | Kind::Object | Kind::Array | Kind::Null => itself(kind.name()),
        Kind::Bool => itself("boolean"),
        Kind::Int | Kind::Long => itself("integer"),
        Kind::Double => itself("number"),
        Kind::ObjectId if apart => text(Some(("pattern", "^[0-9a-fA-F]{24}$"))),
        Kind::Date if apart => text(Some(("format", "date-time"))),
        Kind::Decimal if apart => text(None),
        Kind::BinData if apart && shape.uuid => text(Some(("format", "uuid"))),
        Kind::BinData if apart => text(Some(("contentEncoding", "base64"))),
        // Extended JSON.
        _ => Face { name: "object", form: None, itself: false },
    }
}

impl Types {
    /// Whether the keyword `name` stands beside the types as it is written.
    pub(super) fn keeps(&self, name: &str) -> bool {
        let rules = |known: &[&str]| known.contains(&name);
        let typed = rules(&STRING_RULES) || rules(&NUMBER_RULES) || rules(&ARRAY_RULES) || rules(&OBJECT_RULES);
        !typed || (self.simple() && self.faces.iter().any(|face| face.has(name)))
    }

    /// Writes the types, and the rules that do not stand beside them.
    pub(super) fn write(&self, object: &mut Object<'_>, tree: &Tree) {
        match self.faces.as_slice() {
            [face] => face.write(object),
            faces if self.simple() => push_list(object.key("type"), faces, |out, face| push_string(out, face.name)),
            _ if !self.joins_all_of(tree) => self.write_alternatives(object, tree),
            _ if tree.get("allOf").is_none() => {
                object.key("allOf").push('[');
                self.write_part(object.out, tree);
                object.out.push(']');
            }
            _ => {}
        }
    }

    /// Whether the types are written as a part of `allOf`, because `anyOf` is taken.
    pub(super) fn joins_all_of(&self, tree: &Tree) -> bool {
        !self.simple() && tree.get("anyOf").is_some()
    }

    /// Writes the types as a subschema of their own.
    pub(super) fn write_part(&self, out: &mut String, tree: &Tree) {
        let mut object = Object::open(out);
        self.write_alternatives(&mut object, tree);
        object.close();
    }

    fn write_alternatives(&self, object: &mut Object<'_>, tree: &Tree) {
        push_list(object.key("anyOf"), &self.faces, |out, face| {
            let mut object = Object::open(out);
            face.write(&mut object);
            for (name, value) in tree.as_object().into_iter().flatten().filter(|(name, _)| face.has(name)) {
                keyword(&mut object, name, value);
            }
            object.close();
        });
    }

    /// One type, or one list of types, says it all.
    fn simple(&self) -> bool {
        self.faces.len() == 1 || self.faces.iter().all(|face| face.itself)
    }
}

impl Face {
    fn write(&self, object: &mut Object<'_>) {
        object.text("type", self.name);
        if let Some((keyword, value)) = self.form {
            object.text(keyword, value);
        }
    }

    /// Whether the keyword `rule` is about such values.
    fn has(&self, rule: &str) -> bool {
        let rules: &[&str] = match self.name {
            "string" => &STRING_RULES,
            "integer" | "number" => &NUMBER_RULES,
            "array" => &ARRAY_RULES,
            "object" => &OBJECT_RULES,
            _ => &[],
        };
        self.itself && rules.contains(&rule)
    }
}
