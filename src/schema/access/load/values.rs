//! Values of rules: constants in the JSON face of their field, and `$user.…`.

use bson::Bson;

use super::Reader;
use crate::{
    json::{Node, Tree},
    schema::{Field, Kind, Kinds, access::Value, field},
};

/// The types that rules compare and that are known of callers.
const SCALARS: [Kind; 11] = [
    Kind::String,
    Kind::Int,
    Kind::Long,
    Kind::Double,
    Kind::Decimal,
    Kind::Bool,
    Kind::ObjectId,
    Kind::Date,
    Kind::Timestamp,
    Kind::BinData,
    Kind::Null,
];

pub(super) const ALONE: &str =
    "`$user.…` stands alone as a value; it cannot be part of a longer text, a list or an object";
const USER: &str = "`$user.id`, `$user.name` or `$user.` and the name of an attribute";

impl Reader<'_> {
    /// The value that `set` forces on a `field`.
    pub(super) fn forced(&self, tree: &Tree, field: &Field) -> Result<Value, String> {
        if field.set.is_some() {
            return Err("the service writes this field already, by its `x-set`".to_owned());
        }
        if let Some(name) = tree.as_str().map(user).transpose()?.flatten() {
            return match scalars(field) {
                Some(shape) => Ok(Value::User(name, Box::new(shape))),
                None => Err("`$user.…` is one value, and the field holds none but objects or lists".to_owned()),
            };
        }
        match &tree.node {
            Node::Object(members) if members.first().is_none_or(|(name, _)| !name.starts_with('$')) => {
                Err("cannot be an object: set its members by their names, such as `publisher.city`".to_owned())
            }
            _ => self.constant(tree, field),
        }
    }

    /// A scalar that a filter compares with.
    pub(super) fn scalar(&self, tree: &Tree, shape: &Field) -> Result<Value, String> {
        match (&tree.node, tree.as_str().map(user).transpose()?.flatten()) {
            (_, Some(name)) => Ok(Value::User(name, Box::new(shape.clone()))),
            (Node::Null, None) => Ok(Value::Constant(Bson::Null)),
            _ => self.constant(tree, shape),
        }
    }

    /// A value that is the same for all callers.
    pub(super) fn constant(&self, tree: &Tree, shape: &Field) -> Result<Value, String> {
        texts(tree)?;
        let value = field::read(self.source, tree, shape)?;
        Bson::try_from(value).map(Value::Constant).map_err(|error| error.to_string())
    }
}

/// The shape of the scalars that a filter can compare with the field: those that stand in it or, where it is a list, in
/// its items.
pub(super) fn compared(field: &Field) -> Option<Field> {
    let list = Kinds::from(Kind::Array);
    let is_list = field.kinds == list || field.kinds == list.union(Kind::Null.into());
    scalars(if is_list { field.item() } else { field })
}

/// The shape of the scalars that may stand here; `None` where there are none but `null`.
fn scalars(field: &Field) -> Option<Field> {
    let kinds = field.kinds.intersection(Kinds::from_iter(SCALARS));
    let any = kinds != Kinds::NONE && kinds != Kind::Null.into();
    any.then(|| Field { kinds, loose_number: field.loose_number, uuid: field.uuid, ..Field::any() })
}

/// The name in `$user.name`; `None` where the text is a constant.
fn user(text: &str) -> Result<Option<String>, String> {
    let is_name = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || "_-:/".contains(c));
    match text.strip_prefix("$user.") {
        Some("") => Err(format!("what of the caller? Say {USER}")),
        Some(name) if is_name(name) => Ok(Some(name.to_owned())),
        Some(name) if name.split('.').all(is_name) => {
            Err(format!("`{text}` reaches into an attribute, which is one value or a list of them: say {USER}"))
        }
        Some(_) => Err(ALONE.to_owned()),
        None if text.contains("$user.") => Err(ALONE.to_owned()),
        None if text.starts_with('$') => Err(format!("a text that begins with `$` is no constant; there is {USER}")),
        None => Ok(None),
    }
}

/// Refuses `$user.…` in what is no single text. A value is nested no deeper than the file.
fn texts(tree: &Tree) -> Result<(), String> {
    match &tree.node {
        Node::String(text) => match user(text)? {
            Some(_) => Err(ALONE.to_owned()),
            None => Ok(()),
        },
        Node::Array(items) => items.iter().try_for_each(texts),
        Node::Object(members) => members.values().try_for_each(texts),
        Node::Null | Node::Bool(_) | Node::Number(_) => Ok(()),
    }
}
