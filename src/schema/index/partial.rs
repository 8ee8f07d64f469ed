//! `partialFilter`: which documents an index holds.
//!
//! See [partial indexes](https://www.mongodb.com/docs/manual/core/index-partial/). Its values are written in the JSON
//! face of the fields they are compared with.

use bson::{Bson, Document};

use super::{Reader, did_you_mean, keys};
use crate::{
    codec::decode,
    json::{Node, Tree},
    schema::{Field, Kind, field},
};

const OPERATORS: [&str; 8] = ["$eq", "$gt", "$gte", "$lt", "$lte", "$in", "$exists", "$type"];

impl Reader<'_> {
    /// The filter with its values as BSON.
    pub(super) fn partial_filter(&mut self, tree: Option<&Tree>) -> Option<Document> {
        let tree = tree?;
        let Some(members) = tree.as_object().filter(|members| !members.is_empty()) else {
            self.refuse("partialFilter", "must be an object of at least one field and its condition");
            return None;
        };
        let mut filter = Document::new();
        for (path, condition) in members {
            match keys::check_path(path, self.root).and_then(|()| self.condition(path, condition)) {
                Ok(condition) => drop(filter.insert(path.as_str(), condition)),
                Err(detail) => self.refuse_in("partialFilter", path, detail),
            }
        }
        Some(filter)
    }

    fn condition(&self, path: &str, tree: &Tree) -> Result<Bson, String> {
        let shape = at(self.root, path);
        let Some(members) = tree.as_object().filter(|members| members.keys().any(|name| is_operator(name))) else {
            return self.operand(tree, shape);
        };
        let mut condition = Document::new();
        for (operator, value) in members {
            let value = match operator.as_str() {
                "$eq" | "$gt" | "$gte" | "$lt" | "$lte" => self.operand(value, shape)?,
                "$in" => self.operands(value, shape)?,
                "$exists" if value.as_bool() == Some(true) => Bson::Boolean(true),
                "$exists" => return Err("`$exists` must be `true` in a partial index".to_owned()),
                "$type" => types(value)?,
                _ => return Err(format!("unknown operator `{operator}`{}", did_you_mean(operator, OPERATORS))),
            };
            condition.insert(operator.as_str(), value);
        }
        Ok(condition.into())
    }

    fn operand(&self, tree: &Tree, shape: &Field) -> Result<Bson, String> {
        // A list is also compared item by item.
        let items = shape.kinds.contains(Kind::Array) && tree.as_array().is_none();
        let value = field::read(self.source, tree, if items { shape.item() } else { shape })?;
        Bson::try_from(value).map_err(|error| error.to_string())
    }

    fn operands(&self, tree: &Tree, shape: &Field) -> Result<Bson, String> {
        let items = tree.as_array().ok_or("`$in` must be a list")?;
        items.iter().map(|item| self.operand(item, shape)).collect::<Result<Vec<_>, _>>().map(Bson::Array)
    }
}

/// An object whose keys begin with `$` is a condition, unless it is a value in Extended JSON.
fn is_operator(name: &str) -> bool {
    name.starts_with('$') && !decode::is_wrapper(name)
}

fn types(tree: &Tree) -> Result<Bson, String> {
    let name = |tree: &Tree| {
        let known = tree.as_str().filter(|name| field::bson_type(name).is_some());
        known.map(Bson::from).ok_or_else(|| "`$type` must be the name of a BSON type, or a list of them".to_owned())
    };
    match &tree.node {
        Node::Array(items) => items.iter().map(name).collect::<Result<Vec<_>, _>>().map(Bson::Array),
        _ => name(tree),
    }
}

/// The shape at the dotted path, also through lists.
pub(crate) fn at<'f>(root: &'f Field, path: &str) -> &'f Field {
    path.split('.').fold(root, |field, name| {
        let list = field.kinds.contains(Kind::Array) && !field.kinds.contains(Kind::Object);
        let numbered = list && name.parse::<u32>().is_ok();
        if numbered {
            field.item()
        } else if list {
            field.item().member(name)
        } else {
            field.member(name)
        }
    })
}
