//! Values of rules: what they come to for a caller.

use bson::{Bson, RawBson};
use serde_json::Value as Json;

use super::{User, Value};
use crate::{
    codec::decode,
    schema::{Field, Kind},
};

impl Value {
    /// The value for this caller; `None` where it is not known of the caller, or cannot be a value of its field.
    pub fn bind(&self, user: Option<&User>) -> Option<Bson> {
        match self {
            Self::Constant(value) => Some(value.clone()),
            Self::User(name, shape) => user?.scalar(name, shape),
        }
    }

    /// The values for this caller as an array: what is known of the caller may be a list, or a list of one.
    pub(super) fn bind_list(&self, user: Option<&User>) -> Option<Bson> {
        match self {
            Self::Constant(values) => Some(values.clone()),
            Self::User(name, shape) => match user?.attributes.get(name) {
                Some(Json::Array(items)) if !User::is_built_in(name) => {
                    items.iter().map(|item| typed(item, shape)).collect::<Option<Vec<_>>>().map(Bson::Array)
                }
                _ => Some(Bson::Array(vec![user?.scalar(name, shape)?])),
            },
        }
    }

    /// Whether there is a value for this caller.
    pub fn is_known(&self, user: Option<&User>) -> bool {
        matches!(self, Self::Constant(_)) || self.bind(user).is_some()
    }
}

impl User {
    /// Whether every caller with credentials has it, whatever attributes there are.
    fn is_built_in(name: &str) -> bool {
        matches!(name, "id" | "name")
    }

    /// What is known under `name`, as a value of the shape `shape`.
    fn scalar(&self, name: &str, shape: &Field) -> Option<Bson> {
        match name {
            "id" => textual(&self.id, shape),
            "name" => textual(&self.name, shape),
            _ => typed(self.attributes.get(name)?, shape),
        }
    }
}

/// The attribute as a value of the shape `shape`. `null` is no value: it would equal what is missing in a document.
fn typed(attribute: &Json, shape: &Field) -> Option<Bson> {
    match attribute {
        Json::String(text) => textual(text, shape),
        Json::Number(_) | Json::Bool(_) => fitting(decode::value(attribute.to_string().as_bytes(), shape).ok()?, shape),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

fn textual(text: &str, shape: &Field) -> Option<Bson> {
    fitting(decode::text(text, shape)?, shape)
}

fn fitting(value: RawBson, shape: &Field) -> Option<Bson> {
    let kind = Kind::of(value.element_type());
    (shape.kinds.contains(kind) && kind != Kind::Null).then(|| Bson::try_from(value).ok())?
}
