//! Whether a document fulfills a filter, as MongoDB has it.
//!
//! A dotted name reaches through an array into each of its items that is an object, and at its end an array stands for
//! each of its items and for itself. What is not reached at all is missing, which equals `null`.
//! See [query an array](https://www.mongodb.com/docs/manual/tutorial/query-arrays/) and
//! [query for null](https://www.mongodb.com/docs/manual/tutorial/query-for-null-fields/).

use std::{cmp::Ordering, slice};

use bson::{Bson, RawDocument, error::Result, raw::RawBsonRef};

use super::compare::compare;
use crate::schema::access::{Comparison, Filter};

/// Whether the `document` fulfills the filter. Filters are nested no deeper than the file that they stand in.
pub(super) fn holds(filter: &Filter<Bson>, document: &RawDocument) -> Result<bool> {
    match filter {
        Filter::All(filters) => Ok(!any(filters, document, false)?),
        Filter::Any(filters) => any(filters, document, true),
        Filter::None(filters) => Ok(!any(filters, document, true)?),
        Filter::Compare(path, Comparison::Ne, value) => Ok(!is_among(path, slice::from_ref(value), document)?),
        Filter::Compare(path, comparison, value) => {
            reaches(document, path, &|found| compare(found, value).is_some_and(|order| accepts(*comparison, order)))
        }
        Filter::In(path, among, values) => {
            let values = values.as_array().map_or(slice::from_ref(values), Vec::as_slice);
            Ok(is_among(path, values, document)? == *among)
        }
        Filter::Exists(path, there) => Ok(reaches(document, path, &|found| found.is_some())? == *there),
    }
}

/// Whether one of the filters holds, or does not, as `expected`.
fn any(filters: &[Filter<Bson>], document: &RawDocument, expected: bool) -> Result<bool> {
    for filter in filters {
        if holds(filter, document)? == expected {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_among(path: &str, values: &[Bson], document: &RawDocument) -> Result<bool> {
    reaches(document, path, &|found| values.iter().any(|value| compare(found, value) == Some(Ordering::Equal)))
}

fn accepts(comparison: Comparison, order: Ordering) -> bool {
    match comparison {
        Comparison::Eq => order.is_eq(),
        Comparison::Ne => order.is_ne(),
        Comparison::Gt => order.is_gt(),
        Comparison::Gte => order.is_ge(),
        Comparison::Lt => order.is_lt(),
        Comparison::Lte => order.is_le(),
    }
}

/// Whether the dotted name `path` reaches a value that `accepts` takes; `None` is a missing one. No array is reached
/// through that stands in an array.
fn reaches(document: &RawDocument, path: &str, accepts: &impl Fn(Option<RawBsonRef<'_>>) -> bool) -> Result<bool> {
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    match (document.get(name)?, rest) {
        (Some(RawBsonRef::Document(inner)), Some(rest)) => reaches(inner, rest, accepts),
        (Some(RawBsonRef::Array(items)), rest) => {
            for item in items {
                let accepted = match (item?, rest) {
                    (RawBsonRef::Document(inner), Some(rest)) => reaches(inner, rest, accepts)?,
                    (_, Some(_)) => false,
                    (item, None) => accepts(Some(item)),
                };
                if accepted {
                    return Ok(true);
                }
            }
            Ok(rest.is_none() && accepts(Some(RawBsonRef::Array(items))))
        }
        (_, Some(_)) => Ok(accepts(None)),
        (found, None) => Ok(accepts(found)),
    }
}
