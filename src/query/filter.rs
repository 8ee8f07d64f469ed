//! `filter={…}`: MongoDB filters, from an allow-list, with values of the declared types.
//!
//! See [query predicates](https://www.mongodb.com/docs/manual/reference/mql/query-predicates/).

use bson::{Bson, Document};

use super::path::Scope;
use crate::{
    config::Limits,
    error::{Error, Place, Result, check_limit, invalid_query},
    json::{Bounds, Node, Rule, SyntaxError, Tree},
    schema::Schema,
};

mod geo;
pub(crate) mod items;
mod literal;
mod operators;
mod text;

/// A filter, read but not yet understood.
#[derive(Debug, Clone)]
pub struct Filter {
    /// The text that the tree's places are in.
    text: String,
    tree: Tree,
    origin: Origin,
}

/// Where the text of a filter comes from.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    /// The parameter, or the member of the body.
    pub(crate) parameter: String,
    /// Where the text begins in the parameter's value.
    pub(crate) offset: usize,
    /// The pointer of the filter in the body that it came in.
    pub(crate) pointer: Option<String>,
}

/// What a filter means.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// As MongoDB takes it.
    pub filter: Document,
    /// It finds documents nearest first.
    pub nearest_first: bool,
}

impl Filter {
    /// Reads the JSON of a `filter` parameter.
    pub fn parse(text: &str, limits: &Limits) -> Result<Self> {
        let tree = Tree::parse_within(text.as_bytes(), bounds(limits)).map_err(|error| {
            beyond(&error, limits).unwrap_or_else(|| invalid_query("filter", Some(error.offset), error.detail))
        })?;
        let origin = Origin { parameter: "filter".to_owned(), offset: 0, pointer: None };
        Self { text: text.to_owned(), tree, origin }.checked(limits)
    }

    /// The member `filter` of the body `text`.
    pub(super) fn of_body(text: &str, tree: Tree, limits: &Limits) -> Result<Self> {
        let origin = Origin { parameter: "filter".to_owned(), offset: 0, pointer: Some("/filter".to_owned()) };
        Self { text: text.to_owned(), tree, origin }.checked(limits)
    }

    /// The filter `text`, which a body holds as a member `filter`.
    pub(crate) fn of_member(text: &str, limits: &Limits) -> Result<Self> {
        let filter = Self::parse(text, limits).map_err(Error::in_body)?;
        Ok(Self { origin: Origin { pointer: Some("/filter".to_owned()), ..filter.origin }, ..filter })
    }

    fn checked(self, limits: &Limits) -> Result<Self> {
        if self.tree.as_object().is_none() {
            let detail = "expected an object, as in `{\"year\":{\"$gte\":1970}}`";
            return Err(self.locate(wrong(&self.tree, detail)));
        }
        check_count(&self.tree, limits)?;
        Ok(self)
    }

    /// The filter with every name known and every value of its declared type.
    pub fn plan(&self, schema: &Schema, limits: &Limits) -> Result<Planned> {
        let root = Scope::of(&schema.root);
        let mut planner = Planner { text: &self.text, schema: Some(schema), limits, root: &root, special: None };
        let filter = planner.filter(&self.tree, &root, Level::Top).map_err(|error| self.locate(error))?;
        Ok(Planned { filter, nearest_first: planner.special.is_some_and(|name| name != "$text") })
    }

    /// What was read.
    pub(crate) fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The error with its place as the client knows it.
    fn locate(&self, error: Error) -> Error {
        self.origin.locate(error, |offset| self.tree.pointer_at(offset))
    }
}

impl Origin {
    /// The error with its place as the client knows it, by the pointer in the filter of what stands at an offset.
    fn locate(&self, mut error: Error, pointer_at: impl Fn(usize) -> String) -> Error {
        if let Error::InvalidQuery { place, .. }
        | Error::UnknownField { place, .. }
        | Error::ForbiddenField { place, .. } = &mut error
        {
            self.parameter.clone_into(&mut place.parameter);
            match &self.pointer {
                None => place.offset = place.offset.map(|offset| offset + self.offset),
                Some(pointer) => {
                    let inside = place.offset.take().map(pointer_at).unwrap_or_default();
                    place.pointer = Some(format!("{pointer}{inside}"));
                }
            }
        }
        error
    }
}

/// How much of a filter's text is read before anything is known of it.
pub(super) fn bounds(limits: &Limits) -> Bounds {
    Bounds { depth: limits.max_filter_depth, values: limits.max_filter_nodes.saturating_mul(limits.max_in) }
}

/// The limit that a text is over, if that is its fault.
pub(super) fn beyond(error: &SyntaxError, limits: &Limits) -> Option<Error> {
    let over = |name, limit, what: &str| Error::LimitExceeded { name, limit: limit as u64, what: what.to_owned() };
    match error.rule {
        Rule::Depth => Some(over("--max-filter-depth", limits.max_filter_depth, "the depth of the filter")),
        Rule::Count => {
            Some(over("--max-filter-nodes × --max-in", bounds(limits).values, "the number of values in the filter"))
        }
        Rule::Form | Rule::Size => None,
    }
}

fn check_count(tree: &Tree, limits: &Limits) -> Result<()> {
    let nodes = count(tree);
    check_limit(("--max-filter-nodes", limits.max_filter_nodes), nodes, || {
        format!("a filter of {nodes} conditions and operators")
    })
}

/// Counts names and operators; the values of a list have a limit of their own.
fn count(tree: &Tree) -> usize {
    match &tree.node {
        Node::Object(members) => members.values().map(|value| 1 + count(value)).sum(),
        Node::Array(items) => items.iter().map(count).sum(),
        _ => 0,
    }
}

/// Where a condition stands, by what `$text` and `$near` need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    /// It holds for every document that is found.
    Top,
    /// It is a branch of an `$or`, or part of one.
    Branch,
    /// It is said of something else than the whole document, or must not hold.
    Inner,
}

struct Planner<'f> {
    text: &'f str,
    /// The collection; `None` where it is items of an array that the filter is on.
    schema: Option<&'f Schema>,
    /// Where the names of the filter are looked up.
    root: &'f Scope<'f>,
    limits: &'f Limits,
    /// The operator of which MongoDB takes one in a filter, once it has been met: `$text`, `$near` or `$nearSphere`.
    special: Option<&'static str>,
}

/// The field that operators stand on.
#[derive(Clone, Copy)]
struct Subject<'s> {
    path: &'s str,
    scope: &'s Scope<'s>,
    level: Level,
}

impl Planner<'_> {
    /// A filter on the documents of `scope`.
    fn filter(&mut self, tree: &Tree, scope: &Scope<'_>, level: Level) -> Result<Document> {
        let members = tree.as_object().ok_or_else(|| wrong(tree, "expected an object"))?;
        let mut filter = Document::new();
        for (name, value) in members {
            let planned = match name.as_str() {
                "$and" => self.branches(value, scope, level)?,
                "$or" => self.branches(value, scope, level.max(Level::Branch))?,
                "$nor" => self.branches(value, scope, Level::Inner)?,
                "$text" => self.text(value, level)?,
                name if name.starts_with('$') => return Err(operators::unknown(value, name)),
                path => {
                    let place = Place::new("filter", Some(value.name_at));
                    let scope = &scope.part(path, &place)?;
                    if !operators::look_inside(value) {
                        scope.whole(path, &place)?;
                    }
                    self.condition(value, Subject { path, scope, level })?
                }
            };
            filter.insert(name.clone(), planned);
        }
        Ok(filter)
    }

    fn branches(&mut self, tree: &Tree, scope: &Scope<'_>, level: Level) -> Result<Bson> {
        let branches = list(tree)?.iter().map(|branch| self.filter(branch, scope, level).map(Bson::Document));
        Ok(Bson::Array(branches.collect::<Result<_>>()?))
    }

    /// What is said of one field: a value, or operators.
    fn condition(&mut self, tree: &Tree, subject: Subject<'_>) -> Result<Bson> {
        match operators::of(tree) {
            Some(operators) => self.operators(operators, subject).map(Bson::Document),
            None => self.value(tree, subject.scope.field()),
        }
    }

    /// Notes that the operator `name` is used, which MongoDB takes once in a filter.
    fn once(&mut self, tree: &Tree, name: &'static str) -> Result<()> {
        match self.special.replace(name) {
            None => Ok(()),
            Some(other) => Err(misplaced(
                tree,
                format!(
                    "only one `$text`, `$near` or `$nearSphere` can be in a filter, and `{other}` is there already"
                ),
            )),
        }
    }
}

fn list(tree: &Tree) -> Result<&[Tree]> {
    match tree.as_array() {
        Some(items) if !items.is_empty() => Ok(items),
        _ => Err(wrong(tree, "expected an array that is not empty")),
    }
}

/// The error that the value `tree` is not what it should be.
fn wrong(tree: &Tree, detail: impl Into<String>) -> Error {
    invalid_query("filter", Some(tree.span.start), detail)
}

/// The error that the member whose value is `tree` should not be there.
fn misplaced(tree: &Tree, detail: impl Into<String>) -> Error {
    invalid_query("filter", Some(tree.name_at), detail)
}

#[cfg(test)]
mod tests;
