//! `filter={…}`: MongoDB filters, from an allow-list, with values of the declared types.
//!
//! See [query predicates](https://www.mongodb.com/docs/manual/reference/mql/query-predicates/).

use bson::{Bson, Document, RawBson};

use super::{
    path,
    value::{comparable, expected, operand, to_bson},
};
use crate::{
    codec::decode,
    config::Limits,
    error::{Error, Place, Result, check_limit, invalid_query},
    json::{Node, Tree},
    schema::Field,
};

mod operators;

/// The `filter` parameter, read but not yet understood.
#[derive(Debug, Clone)]
pub struct Filter {
    text: String,
    tree: Tree,
}

impl Filter {
    /// Reads the JSON of a `filter` parameter.
    pub fn parse(text: &str, limits: &Limits) -> Result<Self> {
        let tree = Tree::parse(text.as_bytes(), limits.max_filter_depth)
            .map_err(|e| invalid_query("filter", Some(e.offset), e.detail))?;
        if tree.as_object().is_none() {
            return Err(invalid_query(
                "filter",
                Some(tree.span.start),
                "expected an object, as in `{\"year\":{\"$gte\":1970}}`",
            ));
        }
        Ok(Self { text: text.to_owned(), tree })
    }

    /// The filter with every name known and every value of its declared type.
    pub fn plan(&self, root: &Field, limits: &Limits) -> Result<Document> {
        let mut nodes = 0;
        count(&self.tree, limits.max_in, &mut nodes);
        check_limit(("--max-filter-nodes", limits.max_filter_nodes), nodes, || {
            format!("a filter of {nodes} conditions and operators")
        })?;
        Planner { text: &self.text, limits }.filter(&self.tree, root)
    }
}

/// Counts names and operators; the values of a list count once, they have a limit of their own.
fn count(tree: &Tree, max_list: usize, nodes: &mut usize) {
    match &tree.node {
        Node::Object(members) => members.values().for_each(|value| {
            *nodes += 1;
            count(value, max_list, nodes);
        }),
        Node::Array(items) => items.iter().take(max_list).for_each(|item| count(item, max_list, nodes)),
        _ => {}
    }
}

struct Planner<'f> {
    text: &'f str,
    limits: &'f Limits,
}

impl Planner<'_> {
    /// A filter on documents of the shape `scope`.
    fn filter(&self, tree: &Tree, scope: &Field) -> Result<Document> {
        let members = tree.as_object().ok_or_else(|| wrong(tree, "expected an object"))?;
        let mut filter = Document::new();
        for (name, value) in members {
            let planned = match name.as_str() {
                "$and" | "$or" | "$nor" => {
                    let branches = list(value)?.iter().map(|branch| self.filter(branch, scope));
                    Bson::Array(branches.map(|branch| branch.map(Bson::Document)).collect::<Result<_>>()?)
                }
                name if name.starts_with('$') => return Err(operators::unknown(value, name)),
                name => {
                    self.condition(value, path::lookup(scope, name, &Place::new("filter", Some(value.span.start)))?)?
                }
            };
            filter.insert(name.clone(), planned);
        }
        Ok(filter)
    }

    /// What is said of one field: a value, or operators.
    fn condition(&self, tree: &Tree, field: &Field) -> Result<Bson> {
        match operators::of(tree) {
            Some(operators) => self.operators(operators, tree, field).map(Bson::Document),
            None => self.value(tree, field),
        }
    }

    /// A value of the field's declared type.
    fn value(&self, tree: &Tree, field: &Field) -> Result<Bson> {
        let shape = operand(field, matches!(tree.node, Node::Array(_)));
        let value = decode::value(tree.text(self.text).as_bytes(), shape)
            .map_err(|e| invalid_query("filter", Some(tree.span.start + e.offset), e.detail))?;
        if matches!(value, RawBson::RegularExpression(_) | RawBson::Undefined) {
            return Err(wrong(
                tree,
                "nothing compares with such a value; `$regex` matches strings, `$type` finds types",
            ));
        }
        if !comparable(&value, shape.kinds) {
            return Err(wrong(tree, format!("expected {}", expected(shape.kinds))));
        }
        to_bson(value)
    }

    fn values(&self, tree: &Tree, field: &Field) -> Result<Bson> {
        let items = tree.as_array().ok_or_else(|| wrong(tree, "expected an array"))?;
        check_limit(("--max-in", self.limits.max_in), items.len(), || format!("a list of {} values", items.len()))?;
        Ok(Bson::Array(items.iter().map(|item| self.value(item, field)).collect::<Result<_>>()?))
    }
}

fn list(tree: &Tree) -> Result<&[Tree]> {
    match tree.as_array() {
        Some(items) if !items.is_empty() => Ok(items),
        _ => Err(wrong(tree, "expected an array that is not empty")),
    }
}

fn wrong(tree: &Tree, detail: impl Into<String>) -> Error {
    invalid_query("filter", Some(tree.span.start), detail)
}
