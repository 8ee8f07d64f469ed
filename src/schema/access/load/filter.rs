//! `filter` as a collection file has it: which documents exist for a role.
//!
//! Only what means exactly the same to MongoDB and to this crate can be said.

use bson::Bson;
use indexmap::IndexMap;

use super::{
    Reader,
    names::{self, Reach},
    or_list, values,
};
use crate::{
    codec::decode,
    json::{Node, Tree, below},
    schema::{
        Field,
        access::{Comparison, Filter, Value},
        load::did_you_mean,
    },
};

const OPERATORS: [&str; 9] = ["$eq", "$ne", "$in", "$nin", "$gt", "$gte", "$lt", "$lte", "$exists"];
const COMBINATIONS: [&str; 3] = ["$and", "$or", "$nor"];

impl Reader<'_> {
    /// The filter that an object is: all of its members hold. `None` where something is wrong with it.
    pub(super) fn filter(&mut self, at: &str, tree: &Tree) -> Option<Filter<Value>> {
        let Some(members) = tree.as_object().filter(|members| !members.is_empty()) else {
            self.report.add(at, "must be an object of at least one condition, such as {\"owner\": \"$user.id\"}");
            return None;
        };
        let mut filters = Vec::new();
        for (name, tree) in members {
            let at = below(at, name);
            filters.extend(match name.as_str() {
                "$and" => self.filters(&at, tree).map(Filter::All),
                "$or" => self.filters(&at, tree).map(Filter::Any),
                "$nor" => self.filters(&at, tree).map(Filter::None),
                name if name.starts_with('$') => self.refuse(&at, misplaced(name)),
                path => self.field(&at, path, tree),
            });
        }
        together(filters, members.len())
    }

    fn filters(&mut self, at: &str, tree: &Tree) -> Option<Vec<Filter<Value>>> {
        let Some(items) = tree.as_array().filter(|items| !items.is_empty()) else {
            return self.refuse(at, "must be a list of at least one filter");
        };
        let filters = items.iter().enumerate().map(|(index, item)| self.filter(&below(at, &index.to_string()), item));
        let filters: Vec<_> = filters.collect();
        filters.into_iter().collect()
    }

    /// The condition on the field with the dotted name `path`.
    fn field(&mut self, at: &str, path: &str, tree: &Tree) -> Option<Filter<Value>> {
        let shape = match comparable(self.root, path) {
            Ok(shape) => shape,
            Err(detail) => return self.refuse(at, detail),
        };
        let Some(operators) = operators(tree) else {
            return self.compare(at, tree, (path, &shape), Comparison::Eq);
        };
        let mut filters = Vec::new();
        for (name, tree) in operators {
            filters.extend(self.operator(&below(at, name), (name, tree), (path, &shape)));
        }
        together(filters, operators.len())
    }

    fn operator(&mut self, at: &str, (name, tree): (&str, &Tree), on: (&str, &Field)) -> Option<Filter<Value>> {
        if let Some((_, comparison)) = Comparison::OPERATORS.into_iter().find(|(known, _)| *known == name) {
            return self.compare(at, tree, on, comparison);
        }
        match (name, tree.as_bool()) {
            ("$in" | "$nin", _) => {
                self.among(at, tree, on.1).map(|values| Filter::In(on.0.to_owned(), name == "$in", values))
            }
            ("$exists", Some(there)) => Some(Filter::Exists(on.0.to_owned(), there)),
            ("$exists", None) => self.refuse(at, "must be `true` or `false`"),
            (name, _) => self.refuse(at, unknown(name)),
        }
    }

    fn compare(&mut self, at: &str, tree: &Tree, on: (&str, &Field), by: Comparison) -> Option<Filter<Value>> {
        let value = match (&tree.node, by) {
            (Node::Null, Comparison::Gt | Comparison::Gte | Comparison::Lt | Comparison::Lte) => {
                Err("nothing is above or below `null`".to_owned())
            }
            _ => self.single(tree, on.1),
        };
        match value {
            Ok(value) => Some(Filter::Compare(on.0.to_owned(), by, value)),
            Err(detail) => self.refuse(at, detail),
        }
    }

    /// The values of `$in` and `$nin`.
    fn among(&mut self, at: &str, tree: &Tree, shape: &Field) -> Option<Value> {
        if tree.as_str().is_some() {
            return match self.single(tree, shape) {
                Ok(Value::Constant(_)) => self.refuse(at, "must be a list, or `$user.…`"),
                Ok(value) => Some(value),
                Err(detail) => self.refuse(at, detail),
            };
        }
        let Some(items) = tree.as_array().filter(|items| !items.is_empty()) else {
            return self.refuse(at, "must be a list of at least one value, or `$user.…`");
        };
        let mut values = Vec::new();
        for (index, item) in items.iter().enumerate() {
            match self.single(item, shape) {
                Ok(Value::Constant(value)) => values.push(value),
                Ok(Value::User(..)) => self.report.add_below(at, &index.to_string(), values::ALONE),
                Err(detail) => self.report.add_below(at, &index.to_string(), detail),
            }
        }
        (values.len() == items.len()).then_some(Value::Constant(Bson::Array(values)))
    }

    fn single(&self, tree: &Tree, shape: &Field) -> Result<Value, String> {
        match &tree.node {
            Node::Object(members) if members.first().is_some_and(|(name, _)| decode::is_wrapper(name)) => {
                self.constant(tree, shape)
            }
            Node::Array(_) | Node::Object(_) => {
                Err("rules compare with single values, neither with lists nor with objects".to_owned())
            }
            _ => self.scalar(tree, shape),
        }
    }

    fn refuse<T>(&mut self, at: &str, detail: impl Into<String>) -> Option<T> {
        self.report.add(at, detail);
        None
    }
}

/// What the field at the dotted name `path` is compared with.
fn comparable(root: &Field, path: &str) -> Result<Field, String> {
    if let Some(number) = path.split('.').find(|name| !name.is_empty() && name.bytes().all(|b| b.is_ascii_digit())) {
        return Err(format!("`{number}` picks an item of a list, and rules are about all of them: leave it out"));
    }
    let fields = names::find(root, path, Reach::Items)?;
    if fields.iter().any(|field| field.write_only) {
        return Err(format!("`{path}` is `writeOnly`: which documents are there would tell what it holds"));
    }
    let field = fields.last().copied().and_then(values::compared);
    field.ok_or_else(|| format!("`{path}` holds objects or lists; name a field in it that holds single values"))
}

/// The members of an object of operators, which is no value.
fn operators(tree: &Tree) -> Option<&IndexMap<String, Tree>> {
    let members = tree.as_object()?;
    let (first, _) = members.first()?;
    (first.starts_with('$') && !decode::is_wrapper(first)).then_some(members)
}

/// The conditions as one; `None` where some of them, which are `count`, are not there.
fn together(mut filters: Vec<Filter<Value>>, count: usize) -> Option<Filter<Value>> {
    match filters.len() {
        len if len < count => None,
        1 => filters.pop(),
        _ => Some(Filter::All(filters)),
    }
}

/// What to say of a name that is no operator on a field.
fn unknown(name: &str) -> String {
    if COMBINATIONS.contains(&name) {
        return format!("`{name}` stands between conditions, not on a field");
    }
    let near = did_you_mean(name, OPERATORS);
    format!("rules have no operator `{name}`{near}{}", or_list(&near, &OPERATORS))
}

/// What to say of an operator that stands where fields do.
fn misplaced(name: &str) -> String {
    if OPERATORS.contains(&name) {
        return format!("`{name}` stands on a field, such as {{\"owner\": {{\"{name}\": …}}}}");
    }
    let near = did_you_mean(name, COMBINATIONS);
    format!("rules have no operator `{name}`{near}{}", or_list(&near, &COMBINATIONS))
}
