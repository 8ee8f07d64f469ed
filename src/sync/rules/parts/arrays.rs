//! Keywords that judge an array's items. Each position is judged by one schema, whatever stands at the others.

use bson::{Bson, Document};

use super::{Rest, rest};
use crate::sync::rules::walk::{Pair, Place, Walk};

/// What a schema says of an array's items: the first ones, and all others.
struct Items<'d> {
    first: Vec<&'d Document>,
    rest: Rest<'d>,
}

impl<'d> Items<'d> {
    /// `None` where something stands where a schema should.
    fn of(schema: &'d Document) -> Option<Self> {
        match schema.get("items") {
            Some(Bson::Array(first)) => {
                let first = first.iter().map(Bson::as_document).collect::<Option<_>>()?;
                Some(Self { first, rest: Rest::of(schema.get("additionalItems")) })
            }
            items => Some(Self { first: Vec::new(), rest: Rest::of(items) }),
        }
    }

    fn at(&self, position: usize) -> Rest<'d> {
        self.first.get(position).map_or(self.rest, |schema| Rest::by(schema))
    }
}

/// `prefixItems` and `items`, which MongoDB calls `items` and `additionalItems`.
pub(in crate::sync::rules) fn compare(walk: &mut Walk, place: &Place, pair: Pair<'_>) {
    let (Some(from), Some(to)) = (Items::of(pair.from), Items::of(pair.to)) else {
        return ["items", "additionalItems"].into_iter().for_each(|keyword| walk.opaque(place, keyword, pair));
    };
    for position in 0..from.first.len().max(to.first.len()) {
        let token = position.to_string();
        rest(walk, place, ("prefixItems", &["prefixItems", &token]), (from.at(position), to.at(position)));
    }
    rest(walk, place, ("items", &["items"]), (from.rest, to.rest));
}
