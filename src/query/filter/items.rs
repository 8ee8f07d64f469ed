//! Conditions on the items of an array, as update operators have them: `$pull` and `arrayFilters`.

use std::collections::BTreeSet;

use bson::{Bson, Document};

use super::{Filter, Level, Origin, Planner, Subject, beyond, bounds, check_count, literal, misplaced, operators};
use crate::{
    config::Limits,
    error::{Result, invalid_query},
    json::{Node, Tree},
    query::{names::Names, path::Scope},
    schema::{Additional, Field, Kind},
};

impl Filter {
    /// Reads the JSON of a condition on items.
    pub(crate) fn of_items(text: &str, origin: Origin, limits: &Limits) -> Result<Self> {
        let tree = Tree::parse_within(text.as_bytes(), bounds(limits)).map_err(|error| {
            let error = beyond(&error, limits)
                .unwrap_or_else(|| invalid_query(&origin.parameter, Some(error.offset), error.detail));
            origin.locate(error, |_| String::new())
        })?;
        check_count(&tree, limits)?;
        Ok(Self { text: text.to_owned(), tree, origin })
    }

    /// What `$pull` takes out of an array whose items have the shape `item`: those that equal a value, those for which
    /// operators hold, or the objects that a filter finds.
    pub(crate) fn plan_pull(&self, item: &Field, limits: &Limits) -> Result<Bson> {
        let scope = Scope::of(item);
        let mut planner = Planner { text: &self.text, schema: None, limits, root: &scope, special: None };
        planner.pull(&self.tree, &scope).map_err(|error| self.locate(error))
    }

    /// The filter as one of `arrayFilters`, on items of the shape `item` that it calls `name`.
    pub(crate) fn plan_array_filter(&self, (name, item): (&str, &Field), limits: &Limits) -> Result<Document> {
        let around = Field {
            kinds: Kind::Object.into(),
            properties: [(name.to_owned(), item.clone())].into_iter().collect(),
            additional: Additional::Forbidden,
            ..Field::any()
        };
        let around = around.prepared();
        let scope = Scope::of(&around);
        let mut planner = Planner { text: &self.text, schema: None, limits, root: &scope, special: None };
        planner.filter(&self.tree, &scope, Level::Inner).map_err(|error| self.locate(error))
    }

    /// The one name by which the filter calls the items that it is on, which all of its conditions begin with.
    ///
    /// # Errors
    /// There is none, or more than one.
    pub(crate) fn item_name(&self) -> Result<&str> {
        let mut found = Vec::new();
        item_names(&self.tree, &mut found);
        let other = |&(name, _): &(&str, _)| found.first().is_some_and(|(first, _)| *first != name);
        let error = match (found.first(), found.iter().copied().find(other)) {
            (Some((name, _)), None) => return Ok(name),
            (Some((first, _)), Some((name, value))) => {
                let detail = format!("`{name}`: each filter is on the items of one name, and this one is on `{first}`");
                misplaced(value, detail)
            }
            (None, _) => {
                let detail =
                    "expected a filter on the items that a path names, as in `{\"item.year\":{\"$gte\":1970}}`";
                super::wrong(&self.tree, detail)
            }
        };
        Err(self.locate(error))
    }
}

/// The dotted names in a planned filter on items.
pub(crate) fn names(filter: &Document) -> BTreeSet<String> {
    Names::of_items(filter)
}

/// What stands before the first dot of each name, with the condition on it. No deeper than the tree was read.
fn item_names<'t>(tree: &'t Tree, found: &mut Vec<(&'t str, &'t Tree)>) {
    for (name, value) in tree.as_object().into_iter().flatten() {
        if name.starts_with('$') {
            value.as_array().into_iter().flatten().for_each(|branch| item_names(branch, found));
        } else {
            found.push((name.split('.').next().unwrap_or_default(), value));
        }
    }
}

impl Planner<'_> {
    fn pull(&mut self, tree: &Tree, scope: &Scope<'_>) -> Result<Bson> {
        let is_value = match &tree.node {
            Node::Object(members) => literal::is_wrapper(members),
            _ => true,
        };
        if is_value {
            return self.value(tree, scope.field());
        }
        let Some(operators) = operators::of(tree).filter(|_| !operators::on_members(tree)) else {
            return self.filter(tree, scope, Level::Inner).map(Bson::Document);
        };
        let mut planned = self.operators(operators, Subject { path: "", scope, level: Level::Inner })?;
        // MongoDB takes an object that begins with `$not` for a filter on members.
        if planned.keys().next().is_some_and(|first| first == "$not") {
            let negated = std::mem::take(&mut planned);
            planned.insert("$exists", true);
            planned.extend(negated);
        }
        Ok(Bson::Document(planned))
    }
}
