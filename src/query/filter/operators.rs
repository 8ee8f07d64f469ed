//! The operators that may stand on a field.

use bson::{Bson, Document};
use indexmap::IndexMap;

use super::{Level, Planner, Subject, misplaced, wrong};
use crate::{
    codec::decode,
    error::{Error, Result, check_limit, nearest},
    json::{Node, Tree},
    query::value::takes,
    schema::Kind,
};

/// Every operator that is let through, on fields and between filters, with the members of their operands. Nothing else
/// that begins with `$` is.
pub(super) const ALLOWED: [&str; 36] = [
    "$eq",
    "$ne",
    "$gt",
    "$gte",
    "$lt",
    "$lte",
    "$in",
    "$nin",
    "$and",
    "$or",
    "$nor",
    "$not",
    "$exists",
    "$type",
    "$all",
    "$elemMatch",
    "$size",
    "$mod",
    "$regex",
    "$options",
    "$text",
    "$search",
    "$language",
    "$caseSensitive",
    "$diacriticSensitive",
    "$near",
    "$nearSphere",
    "$geoWithin",
    "$geoIntersects",
    "$geometry",
    "$minDistance",
    "$maxDistance",
    "$box",
    "$polygon",
    "$center",
    "$centerSphere",
];

/// The operators that MongoDB takes only alone on a field.
const ALONE: [&str; 4] = ["$near", "$nearSphere", "$geoWithin", "$geoIntersects"];

/// The members of `tree` if it is an object of operators, rather than a value.
pub(super) fn of(tree: &Tree) -> Option<&IndexMap<String, Tree>> {
    let members = tree.as_object()?;
    let (first, _) = members.first()?;
    (first.starts_with('$') && !decode::is_wrapper(first)).then_some(members)
}

/// Whether `tree` says something of members of items alone, nothing of what they stand in: it is `$elemMatch` with
/// filters.
pub(super) fn look_inside(tree: &Tree) -> bool {
    let looks = |(name, operand): (&String, &Tree)| match name.as_str() {
        "$elemMatch" => on_members(operand) || look_inside(operand),
        "$not" => look_inside(operand),
        "$all" => operand.as_array().is_some_and(|items| !items.is_empty() && items.iter().all(look_inside)),
        _ => false,
    };
    of(tree).is_some_and(|operators| operators.iter().all(looks))
}

/// Whether the operand of `$elemMatch` is a filter on items that are objects, rather than operators on items.
pub(super) fn on_members(tree: &Tree) -> bool {
    of(tree).is_none_or(|operators| operators.keys().any(|name| matches!(name.as_str(), "$and" | "$or" | "$nor")))
}

impl Planner<'_> {
    pub(super) fn operators(&mut self, operators: &IndexMap<String, Tree>, on: Subject<'_>) -> Result<Document> {
        let mut planned = Document::new();
        for (name, value) in operators {
            if operators.len() > 1 && ALONE.contains(&name.as_str()) {
                let detail = format!("`{name}` stands alone on its field; say the rest with `$and`");
                return Err(misplaced(value, detail));
            }
            planned.insert(name.clone(), self.operator(name, value, on)?);
        }
        match operators.get("$options") {
            Some(options) if !planned.contains_key("$regex") => {
                Err(misplaced(options, "`$options` stands beside `$regex` only"))
            }
            _ => Ok(planned),
        }
    }

    fn operator(&mut self, name: &str, value: &Tree, on: Subject<'_>) -> Result<Bson> {
        match name {
            "$eq" | "$ne" | "$gt" | "$gte" | "$lt" | "$lte" => self.value(value, on.scope.field()),
            "$in" | "$nin" => self.values(value, on.scope.field()),
            "$all" => self.all(value, on),
            "$not" => match of(value) {
                Some(operators) => self.operators(operators, Subject { level: Level::Inner, ..on }).map(Bson::Document),
                None => Err(wrong(value, "expected an object of operators")),
            },
            "$elemMatch" => self.element(value, on),
            "$exists" => value.as_bool().map(Bson::Boolean).ok_or_else(|| wrong(value, "expected `true` or `false`")),
            "$type" => types(value),
            "$size" => size(value),
            "$mod" => modulo(value),
            "$regex" => self.regex(value, on),
            "$options" => options(value),
            "$near" => self.near("$near", value, on),
            "$nearSphere" => self.near("$nearSphere", value, on),
            "$geoWithin" => self.within(value, on),
            "$geoIntersects" => self.intersects(value, on),
            name if name.starts_with('$') => Err(unknown(value, name)),
            name => Err(misplaced(value, format!("`{name}` stands beside operators, which only go with operators"))),
        }
    }

    fn all(&mut self, tree: &Tree, on: Subject<'_>) -> Result<Bson> {
        let element = |item| of(item).is_some_and(|operators| operators.keys().eq(["$elemMatch"]));
        match tree.as_array() {
            Some(items) if !items.is_empty() && items.iter().all(element) => {
                Ok(Bson::Array(items.iter().map(|item| self.condition(item, on)).collect::<Result<_>>()?))
            }
            _ => self.values(tree, on.scope.field()),
        }
    }

    /// `$elemMatch` holds a filter on items that are objects, or operators on items that are not.
    fn element(&mut self, tree: &Tree, on: Subject<'_>) -> Result<Bson> {
        if !on.scope.field().kinds.contains(Kind::Array) {
            return Err(misplaced(tree, "`$elemMatch` looks into an array, and this field holds none"));
        }
        let items = &on.scope.items();
        let planned = match of(tree) {
            Some(operators) if !on_members(tree) => {
                self.operators(operators, Subject { scope: items, level: Level::Inner, ..on })
            }
            _ => self.filter(tree, items, Level::Inner),
        };
        planned.map(Bson::Document)
    }

    fn regex(&self, tree: &Tree, on: Subject<'_>) -> Result<Bson> {
        let pattern = tree.as_str().ok_or_else(|| wrong(tree, "expected a regular expression as a string"))?;
        let length = pattern.chars().count();
        check_limit(("--max-regex", self.limits.max_regex), length, || "a regular expression".to_owned())?;
        if pattern.contains('\0') {
            return Err(wrong(tree, "a regular expression cannot hold a NUL character"));
        }
        if !takes(on.scope.field(), Kind::String.into()) {
            return Err(misplaced(tree, "only strings match a regular expression, and this field holds none"));
        }
        Ok(Bson::String(pattern.to_owned()))
    }
}

/// The whole number in 64 bits; with a fraction of zeros, in 32.
fn whole(tree: &Tree) -> Option<i64> {
    let Node::Number(digits) = &tree.node else { return None };
    digits.parse().ok().or_else(|| tree.as_whole().map(i64::from))
}

pub(super) fn unknown(at: &Tree, name: &str) -> Error {
    let detail = match nearest(name, ALLOWED) {
        _ if ALLOWED.contains(&name) => format!("`{name}` cannot stand here"),
        Some(near) => format!("unknown operator `{name}`, did you mean `{near}`?"),
        None => format!("the operator `{name}` is not allowed"),
    };
    misplaced(at, detail)
}

fn types(tree: &Tree) -> Result<Bson> {
    let named = |tree: &Tree| match tree.as_str() {
        Some(name) if name == "number" || Kind::named(name).is_some() => Ok(Bson::String(name.to_owned())),
        _ => Err(wrong(tree, "expected the name of a BSON type, as in `\"string\"`")),
    };
    match &tree.node {
        Node::Array(items) if !items.is_empty() => Ok(Bson::Array(items.iter().map(named).collect::<Result<_>>()?)),
        _ => named(tree),
    }
}

fn size(tree: &Tree) -> Result<Bson> {
    let size = tree.as_whole().filter(|size| *size >= 0);
    size.map(Bson::Int32).ok_or_else(|| wrong(tree, "expected a 32-bit whole number of at least 0"))
}

fn modulo(tree: &Tree) -> Result<Bson> {
    let numbers = tree.as_array().map(|items| items.iter().map(whole).collect::<Vec<_>>());
    match numbers.as_deref() {
        Some([Some(divisor), Some(remainder)]) if *divisor != 0 => {
            Ok(Bson::Array(vec![Bson::Int64(*divisor), Bson::Int64(*remainder)]))
        }
        _ => Err(wrong(tree, "expected `[divisor, remainder]`, whole numbers, the divisor not 0")),
    }
}

fn options(tree: &Tree) -> Result<Bson> {
    match tree.as_str() {
        Some(options) if options.chars().all(|c| "imsx".contains(c)) => Ok(Bson::String(options.to_owned())),
        _ => Err(wrong(tree, "expected letters out of `imsx`")),
    }
}
