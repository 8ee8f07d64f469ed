//! `arrayFilters`: which items `$[name]` in a path stands for.

use std::collections::BTreeMap;

use bson::Document;

use super::path;
use crate::{
    config::Limits,
    error::{Result, check_limit, invalid_query},
    json::Tree,
    query::filter::{self, Filter, Origin},
    schema::Field,
};

/// The name of the parameter.
const PARAMETER: &str = "arrayFilters";

/// Filters on items, and what they look at.
#[derive(Debug, Clone, Default)]
pub(super) struct ArrayFilters {
    /// As MongoDB takes them.
    pub(super) filters: Vec<Document>,
    /// The paths that the filters look at.
    pub(super) looked: Vec<String>,
}

/// The arrays whose items a name stands for, by the name.
type Named<'p> = BTreeMap<&'p str, Vec<&'p str>>;

/// The filters in `text` on the items that `paths` in documents of the shape `root` name: one for each name.
pub(super) fn parse(text: Option<&str>, paths: &[&str], (root, limits): (&Field, &Limits)) -> Result<ArrayFilters> {
    let mut named = Named::new();
    for (name, array) in paths.iter().flat_map(|path| path::picks(path)) {
        named.entry(name).or_default().push(array);
    }
    let mut parsed = ArrayFilters::default();
    for filter in read(text, limits)? {
        let name = filter.item_name()?;
        let Some(arrays) = named.remove(name) else {
            let detail = format!("`{name}`: no path has `$[{name}]`, or there is a filter for it already");
            return Err(invalid_query(PARAMETER, None, detail));
        };
        parsed.add(plan(&filter, (name, &arrays), (root, limits))?, (name, &arrays));
    }
    match named.keys().next() {
        None => Ok(parsed),
        Some(name) => {
            let detail = format!("expected a filter for `$[{name}]`, as in `[{{\"{name}.year\":{{\"$gte\":1970}}}}]`");
            Err(invalid_query(PARAMETER, None, detail))
        }
    }
}

impl ArrayFilters {
    fn add(&mut self, filter: Document, (name, arrays): (&str, &[&str])) {
        for looked in filter::items::names(&filter) {
            let inside = looked.strip_prefix(name).unwrap_or_default();
            self.looked.extend(arrays.iter().map(|array| format!("{array}.$[{name}]{inside}")));
        }
        self.filters.push(filter);
    }
}

/// The filters in the text, each by itself.
fn read(text: Option<&str>, limits: &Limits) -> Result<Vec<Filter>> {
    let Some(text) = text else { return Ok(Vec::new()) };
    let whole = Filter::of_items(text, origin(0), limits)?;
    let Some(items) = whole.tree().as_array() else {
        return Err(invalid_query(PARAMETER, Some(0), "expected an array of filters, as in `[{\"item.year\":1970}]`"));
    };
    check_limit(("--max-filter-nodes", limits.max_filter_nodes), items.len(), || {
        format!("{} array filters", items.len())
    })?;
    let filter = |tree: &Tree| Filter::of_items(tree.text(text), origin(tree.span.start), limits);
    items.iter().map(filter).collect()
}

fn origin(offset: usize) -> Origin {
    Origin { parameter: PARAMETER.to_owned(), offset, pointer: None }
}

/// The filter on the items of all the arrays, where it means the same in all of them.
fn plan(filter: &Filter, (name, arrays): (&str, &[&str]), (root, limits): (&Field, &Limits)) -> Result<Document> {
    let item = |array: &&str| path::reach(root, array).item();
    let mut shapes: Vec<&Field> = arrays.iter().map(item).collect();
    shapes.dedup();
    let mut planned = shapes.into_iter().map(|item| filter.plan_array_filter((name, item), limits));
    let first = planned.next().unwrap_or_else(|| Ok(Document::new()))?;
    for other in planned {
        if other? != first {
            let detail = format!("the items that `$[{name}]` stands for are of different types: use a name for each");
            return Err(invalid_query(PARAMETER, None, detail));
        }
    }
    Ok(first)
}
