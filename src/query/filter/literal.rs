//! Values in a filter, of the types that are declared where they stand.

use bson::{Bson, Document, RawBson};
use indexmap::IndexMap;

use super::{Planner, misplaced, operators, wrong};
use crate::{
    codec::decode,
    error::{Place, Result, check_limit, invalid_query},
    json::{Node, Tree},
    query::value::{comparable, expected, operands, to_bson},
    schema::{Field, Kind},
};

impl Planner<'_> {
    /// What a field is compared with.
    pub(super) fn value(&self, tree: &Tree, field: &Field) -> Result<Bson> {
        let (own, item) = operands(field, matches!(tree.node, Node::Array(_)));
        self.literal(tree, own).or_else(|error| match item {
            Some(item) => self.literal(tree, item).map_err(|_| error),
            None => Err(error),
        })
    }

    /// A list of values, each of which the field is compared with.
    pub(super) fn values(&self, tree: &Tree, field: &Field) -> Result<Bson> {
        let items = tree.as_array().ok_or_else(|| wrong(tree, "expected an array"))?;
        check_limit(("--max-in", self.limits.max_in), items.len(), || format!("a list of {} values", items.len()))?;
        Ok(Bson::Array(items.iter().map(|item| self.value(item, field)).collect::<Result<_>>()?))
    }

    fn literal(&self, tree: &Tree, shape: &Field) -> Result<Bson> {
        match &tree.node {
            Node::Array(items) if shape.kinds.contains(Kind::Array) => {
                let items = items.iter().enumerate().map(|(index, item)| self.literal(item, shape.at(index)));
                Ok(Bson::Array(items.collect::<Result<_>>()?))
            }
            Node::Object(members) if !is_wrapper(members) => self.object(members, tree, shape).map(Bson::Document),
            _ => self.scalar(tree, shape),
        }
    }

    fn object(&self, members: &IndexMap<String, Tree>, at: &Tree, shape: &Field) -> Result<Document> {
        if let Some((name, value)) = members.iter().find(|(name, _)| name.starts_with('$')) {
            return Err(operators::unknown(value, name));
        }
        if !shape.kinds.contains(Kind::Object) {
            return Err(wrong(at, format!("expected {}", expected(shape.kinds))));
        }
        let mut object = Document::new();
        for (name, value) in members {
            if name.contains('.') && !shape.properties.contains_key(name) {
                let detail = format!("`{name}`: only the name of a condition reaches inside, not a name in a value");
                return Err(misplaced(value, detail));
            }
            let shape = self.root.member(shape, name, &Place::new("filter", Some(value.name_at)))?;
            object.insert(name.clone(), self.literal(value, shape)?);
        }
        Ok(object)
    }

    /// A value that is no array and no object, or the array that `shape` has no place for.
    fn scalar(&self, tree: &Tree, shape: &Field) -> Result<Bson> {
        if matches!(tree.node, Node::Array(_)) {
            return Err(wrong(tree, format!("expected {}", expected(shape.kinds))));
        }
        let value = decode::value(tree.text(self.text).as_bytes(), shape)
            .map_err(|e| invalid_query("filter", Some(tree.span.start + e.offset), e.detail))?;
        if matches!(value, RawBson::RegularExpression(_) | RawBson::Undefined) {
            let detail = "nothing compares with such a value; `$regex` matches strings, `$type` finds types";
            return Err(wrong(tree, detail));
        }
        if !comparable(&value, shape.kinds) {
            return Err(wrong(tree, format!("expected {}", expected(shape.kinds))));
        }
        to_bson(value)
    }
}

pub(super) fn is_wrapper(members: &IndexMap<String, Tree>) -> bool {
    members.first().is_some_and(|(first, _)| decode::is_wrapper(first))
}
