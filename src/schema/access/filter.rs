//! Filters of rules: what they come to for a caller, and which documents fulfill them.

use bson::{Bson, Document, RawDocument, doc};

use super::{Comparison, Filter, User, Value};

mod compare;
mod matches;

pub(crate) use compare::compare_numbers;

impl Filter<Value> {
    /// The filter for this caller; `None` where it asks for something that is not known of the caller, or that cannot
    /// be a value of its field: such a filter shows nothing.
    pub fn bind(&self, user: Option<&User>) -> Option<Filter<Bson>> {
        let all = |filters: &[Self]| filters.iter().map(|filter| filter.bind(user)).collect::<Option<Vec<_>>>();
        Some(match self {
            Self::All(filters) => Filter::All(all(filters)?),
            Self::Any(filters) => Filter::Any(all(filters)?),
            Self::None(filters) => Filter::None(all(filters)?),
            Self::Compare(path, comparison, value) => Filter::Compare(path.clone(), *comparison, value.bind(user)?),
            Self::In(path, among, values) => Filter::In(path.clone(), *among, values.bind_list(user)?),
            Self::Exists(path, there) => Filter::Exists(path.clone(), *there),
        })
    }
}

impl<V> Filter<V> {
    /// The dotted names of the fields that it looks at.
    pub fn names(&self) -> Vec<&str> {
        match self {
            Self::All(parts) | Self::Any(parts) | Self::None(parts) => parts.iter().flat_map(Self::names).collect(),
            Self::Compare(name, ..) | Self::In(name, ..) | Self::Exists(name, _) => vec![name],
        }
    }
}

impl Filter<Bson> {
    /// The filter as MongoDB takes it.
    pub fn document(&self) -> Document {
        let all = |filters: &[Self]| filters.iter().map(Self::document).collect::<Vec<_>>();
        match self {
            Self::All(filters) => doc! { "$and": all(filters) },
            Self::Any(filters) => doc! { "$or": all(filters) },
            Self::None(filters) => doc! { "$nor": all(filters) },
            Self::Compare(path, comparison, value) => doc! { path: { comparison.operator(): value.clone() } },
            Self::In(path, among, values) => doc! { path: { if *among { "$in" } else { "$nin" }: values.clone() } },
            Self::Exists(path, there) => doc! { path: { "$exists": *there } },
        }
    }

    /// Whether MongoDB would find the `document` by this filter. By none is a document found that cannot be read.
    pub fn matches(&self, document: &RawDocument) -> bool {
        matches::holds(self, document).unwrap_or(false)
    }
}

impl Comparison {
    /// The comparisons with the operators that stand for them.
    pub const OPERATORS: [(&'static str, Self); 6] = [
        ("$eq", Self::Eq),
        ("$ne", Self::Ne),
        ("$gt", Self::Gt),
        ("$gte", Self::Gte),
        ("$lt", Self::Lt),
        ("$lte", Self::Lte),
    ];

    /// The operator that stands for it.
    pub fn operator(self) -> &'static str {
        Self::OPERATORS[self as usize].0
    }
}

#[cfg(test)]
mod tests;
