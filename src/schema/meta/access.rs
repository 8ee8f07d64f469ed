//! The value of `x-access`.

use bson::{Bson, Document, doc};

use super::keyword::{object, string};
use crate::schema::access::{MAX_ROLES, OPTIONS, operation_names};

/// The roles, each with a list of operations or an object of options.
pub(super) fn roles() -> Document {
    let mut options = object(OPTIONS.map(|name| (name, option(name))));
    options.insert("required", vec!["ops"]);
    doc! {
        "type": "object",
        "maxProperties": i32::try_from(MAX_ROLES).unwrap_or(i32::MAX),
        "propertyNames": { "pattern": "^[A-Za-z][A-Za-z0-9_.:-]{0,63}$" },
        "additionalProperties": { "anyOf": [operations(), options] },
    }
}

/// What an option is for, and its values.
fn option(name: &str) -> (&'static str, Document) {
    let names = || doc! { "type": "array", "items": string() };
    match name {
        "ops" => ("The operations that the role may use.", operations()),
        "filter" => ("The only documents that exist for the role.", doc! { "type": "object", "minProperties": 1 }),
        "set" => {
            ("Values that are written to these fields whenever the role writes a document.", doc! { "type": "object" })
        }
        "hide" => ("Fields that do not exist for the role.", names()),
        "readOnly" => ("Fields that the role may read but not write.", names()),
        _ => ("", Document::new()),
    }
}

fn operations() -> Document {
    let names: Vec<_> = operation_names().map(Bson::from).collect();
    doc! { "type": "array", "minItems": 1, "items": { "enum": names } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_every_option() {
        for name in OPTIONS {
            assert!(!option(name).0.is_empty(), "{name}");
        }
    }
}
