//! What a filter says of each field, as far as an index can make use of it.

use std::borrow::Cow;

use bson::{Bson, Document};

/// MongoDB reads an index in order around a list of values only up to this many.
///
/// See [`$in` and sorting](https://www.mongodb.com/docs/manual/tutorial/equality-sort-range-guideline/).
const MOST_POINTS: usize = 200;

/// What an index can do for a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// The field has one value, and it is no array, object or `null`.
    Value,
    /// The field has one of a few values.
    Points,
    /// The values lie side by side in the index.
    Range,
    /// A place on a map.
    Region,
    /// An index is of no use.
    Nothing,
}

/// The conditions that all hold, by field.
#[derive(Debug, Default)]
pub(super) struct Conditions<'f> {
    fields: Vec<(Cow<'f, str>, Use)>,
    /// The branches of the `$or`s.
    pub(super) branches: Vec<&'f Document>,
    /// Words or nearness, which MongoDB reads by indexes of their own.
    pub(super) special: bool,
}

impl<'f> Conditions<'f> {
    pub(super) fn of(filter: &'f Document) -> Self {
        let mut conditions = Self::default();
        conditions.take(filter, None);
        conditions
    }

    /// Whether this is said of the field.
    pub(super) fn have(&self, field: &str, wanted: Use) -> bool {
        self.fields.iter().any(|(name, found)| name == field && *found == wanted)
    }

    /// Whether anything is said of the field.
    pub(super) fn mention(&self, field: &str) -> bool {
        self.fields.iter().any(|(name, _)| name == field)
    }

    /// Whether nothing is asked for.
    pub(super) fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.branches.is_empty()
    }

    /// The fields of which one of these is said, in the filter's order.
    pub(super) fn fields(&self, wanted: &'static [Use]) -> impl Iterator<Item = &str> {
        self.fields.iter().filter(|(_, found)| wanted.contains(found)).map(|(name, _)| name.as_ref())
    }

    /// Adds the conditions of `filter`, whose fields are those of the items of the array `within`.
    fn take(&mut self, filter: &'f Document, within: Option<&str>) {
        for (name, value) in filter {
            match (name.as_str(), value) {
                ("$and", Bson::Array(all)) => {
                    all.iter().filter_map(Bson::as_document).for_each(|one| self.take(one, within));
                }
                ("$or", Bson::Array(any)) if within.is_none() => {
                    self.branches.extend(any.iter().filter_map(Bson::as_document));
                }
                ("$text", _) => self.special = true,
                (name, _) if name.starts_with('$') => self.add(name.into(), Use::Nothing),
                (name, value) => {
                    let field = within.map_or(Cow::Borrowed(name), |list| format!("{list}.{name}").into());
                    self.condition(field, value, within.is_some());
                }
            }
        }
    }

    fn condition(&mut self, field: Cow<'f, str>, value: &'f Bson, in_list: bool) {
        let operators = match value {
            Bson::Document(operators) if operators.keys().next().is_some_and(|name| name.starts_with('$')) => operators,
            value => return self.add(field, equality(value, in_list)),
        };
        for (name, operand) in operators {
            match (name.as_str(), operand) {
                ("$options", _) => {}
                ("$near" | "$nearSphere", _) => self.special = true,
                ("$eq", value) => self.add(field.clone(), equality(value, in_list)),
                ("$elemMatch", Bson::Document(item)) => self.item(&field, item),
                (name, operand) => self.add(field.clone(), use_of(name, operand, operators)),
            }
        }
    }

    /// Conditions on one item: on its fields, or on the item itself.
    fn item(&mut self, list: &str, item: &'f Document) {
        if item.keys().any(|name| name.starts_with('$')) {
            let uses = item.iter().map(|(name, operand)| match name.as_str() {
                "$eq" => equality(operand, true),
                name => use_of(name, operand, item),
            });
            self.fields.extend(uses.map(|found| (list.to_owned().into(), found)));
        } else {
            self.take(item, Some(list));
        }
    }

    fn add(&mut self, field: Cow<'f, str>, found: Use) {
        self.fields.push((field, found));
    }
}

fn equality(value: &Bson, in_list: bool) -> Use {
    match value {
        Bson::Null | Bson::Document(_) | Bson::Array(_) => Use::Points,
        _ if in_list => Use::Points,
        _ => Use::Value,
    }
}

fn use_of(operator: &str, operand: &Bson, beside: &Document) -> Use {
    match (operator, operand) {
        ("$gt" | "$gte" | "$lt" | "$lte", Bson::Null | Bson::Document(_) | Bson::Array(_)) => Use::Nothing,
        ("$in", Bson::Array(values)) if values.len() <= MOST_POINTS => Use::Points,
        ("$gt" | "$gte" | "$lt" | "$lte" | "$in", _) => Use::Range,
        ("$all", Bson::Array(values)) if !values.iter().any(|value| value.as_document().is_some()) => Use::Points,
        ("$exists", Bson::Boolean(false)) => Use::Points,
        ("$geoWithin" | "$geoIntersects", Bson::Document(shape)) if is_round(shape) => Use::Region,
        ("$regex", Bson::String(pattern)) if !beside.contains_key("$options") && is_prefix(pattern) => Use::Range,
        _ => Use::Nothing,
    }
}

/// Whether the shape is one that a `2dsphere` index knows.
fn is_round(shape: &Document) -> bool {
    shape.contains_key("$geometry") || shape.contains_key("$centerSphere")
}

/// Whether the pattern says how a string begins: `^`, and letters that stand for themselves.
fn is_prefix(pattern: &str) -> bool {
    let Some(text) = pattern.strip_prefix('^').filter(|text| !text.contains('|')) else { return false };
    let mut letters = text.chars();
    let plain = match letters.next() {
        Some('\\') => letters.next().is_some_and(|c| !c.is_ascii_alphanumeric()),
        Some(c) => !".^$*+?()[]{}".contains(c),
        None => false,
    };
    plain && !letters.next().is_some_and(|c| "*+?{".contains(c))
}
