//! What a collection file says of one place of a document, wherever in the file it says so.

use indexmap::IndexMap;

use crate::{
    json::Tree,
    schema::{Field, Source, field},
};

/// A subschema and the file that it stands in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spot<'s> {
    source: &'s Source,
    pub(super) tree: &'s Tree,
}

impl<'s> Spot<'s> {
    pub(super) fn root(source: &'s Source) -> Self {
        Self { source, tree: &source.tree }
    }

    /// The subschema `tree` of the same file.
    pub(super) fn at(self, tree: &'s Tree) -> Self {
        Self { tree, ..self }
    }

    /// The subschema under `keyword`.
    pub(super) fn below(self, keyword: &str) -> Option<Self> {
        self.tree.get(keyword).map(|tree| self.at(tree))
    }

    /// The subschemas that `keyword` lists.
    pub(super) fn list(self, keyword: &str) -> impl Iterator<Item = Self> {
        self.tree.get(keyword).and_then(Tree::as_array).unwrap_or_default().iter().map(move |tree| self.at(tree))
    }

    /// The subschemas that `keyword` has by name.
    pub(super) fn map(self, keyword: &str) -> impl Iterator<Item = (&'s str, Self)> {
        let members = self.tree.get(keyword).and_then(Tree::as_object).into_iter().flatten();
        members.map(move |(name, tree)| (name.as_str(), self.at(tree)))
    }

    /// No value fulfills it: it is `false`.
    pub(super) fn refuses_all(self) -> bool {
        self.tree.as_bool() == Some(false)
    }

    /// The shape that it describes.
    pub(super) fn shape(self) -> Field {
        field::derive(self.source, self.tree)
    }

    fn target(self) -> Option<Self> {
        let (_, tree) = self.source.resolve(self.tree.get("$ref")?.as_str()?)?;
        Some(self.at(tree))
    }
}

/// Everything that holds of a place without condition: some subschemas, what their `$ref`s lead to, and the parts of
/// their `allOf`.
#[derive(Debug, Clone, Default)]
pub(super) struct Place<'s> {
    pub(super) spots: Vec<Spot<'s>>,
}

impl<'s> Place<'s> {
    pub(super) fn of(spot: Spot<'s>) -> Self {
        [spot].into_iter().collect()
    }

    /// The value of `keyword`, from the subschema nearest to the place.
    pub(super) fn get(&self, keyword: &str) -> Option<&'s Tree> {
        self.spots.iter().find_map(|spot| spot.tree.get(keyword))
    }

    /// The text under `keyword`.
    pub(super) fn text(&self, keyword: &str) -> Option<&'s str> {
        self.get(keyword).and_then(Tree::as_str)
    }

    /// Whether `keyword` is `true` anywhere.
    pub(super) fn says(&self, keyword: &str) -> bool {
        self.spots.iter().any(|spot| spot.tree.get(keyword).and_then(Tree::as_bool) == Some(true))
    }

    /// What is said of the place below that `keyword` leads to, if anything.
    pub(super) fn below(&self, keyword: &str) -> Option<Self> {
        let place: Self = self.spots.iter().filter_map(|spot| spot.below(keyword)).collect();
        (!place.spots.is_empty()).then_some(place)
    }

    /// What is said of the places that `keyword` has by name.
    pub(super) fn map(&self, keyword: &str) -> IndexMap<&'s str, Self> {
        let mut members: IndexMap<&str, Self> = IndexMap::new();
        for (name, member) in self.spots.iter().flat_map(|spot| spot.map(keyword)) {
            members.entry(name).or_default().push(member);
        }
        members
    }

    /// What is said of the places that `keyword` has by position.
    pub(super) fn list(&self, keyword: &str) -> Vec<Self> {
        let mut items: Vec<Self> = Vec::new();
        for spot in &self.spots {
            for (at, item) in spot.list(keyword).enumerate() {
                items.resize_with(items.len().max(at + 1), Self::default);
                items[at].push(item);
            }
        }
        items
    }

    /// The names that `keyword` lists.
    pub(super) fn names(&self, keyword: &str) -> Vec<&'s str> {
        self.spots.iter().flat_map(|spot| field::listed(spot.tree, keyword)).collect()
    }

    /// No value fulfills it.
    pub(super) fn refuses_all(&self) -> bool {
        self.spots.iter().any(|spot| spot.refuses_all())
    }

    /// Whether any value at all could break what is said, and not all do.
    pub(super) fn says_something(&self) -> bool {
        !self.refuses_all() && self.spots.iter().any(|spot| spot.tree.as_object().is_some_and(|o| !o.is_empty()))
    }

    /// The shape that is described.
    pub(super) fn shape(&self) -> Field {
        self.spots.first().map_or_else(Field::any, |spot| spot.shape())
    }

    // A catalog's `$ref`s end, and lead only so far: the loader sees to it.
    fn push(&mut self, spot: Spot<'s>) {
        self.spots.push(spot);
        if let Some(target) = spot.target() {
            self.push(target);
        }
        spot.list("allOf").for_each(|part| self.push(part));
    }
}

impl<'s> FromIterator<Spot<'s>> for Place<'s> {
    fn from_iter<I: IntoIterator<Item = Spot<'s>>>(spots: I) -> Self {
        let mut place = Self::default();
        spots.into_iter().for_each(|spot| place.push(spot));
        place
    }
}
