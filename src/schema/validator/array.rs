//! The keywords of arrays.

use bson::{Bson, Document, doc};

use super::{Compiler, Draft, Place, description, with};
use crate::json::{Node, Tree};

impl<'s> Compiler<'s> {
    /// MongoDB has draft 4's names: a list under `items`, and `additionalItems` for those after it.
    pub(super) fn prefix_items(&mut self, place: &Place<'s>, value: &'s Tree, draft: &mut Draft) {
        let items = value.as_array().unwrap_or_default().iter().enumerate().map(|(i, tree)| {
            let part = place.part(tree, &["prefixItems", &i.to_string()], place.shape.at(i).clone());
            Bson::from(self.schema(&part))
        });
        let items: Vec<_> = items.collect();
        draft.schema.insert("items", items);
    }

    /// MongoDB takes a boolean in `additionalItems` alone.
    pub(super) fn items(&mut self, place: &Place<'s>, value: &'s Tree, draft: &mut Draft) {
        let shape = place.shape.tuple.as_ref().map_or_else(|| place.shape.item(), |tuple| &tuple.rest);
        let part = place.part(value, &["items"], shape.clone());
        let (keyword, compiled) = match (place.has("prefixItems"), &value.node) {
            (false, _) => ("items", self.schema(&part).into()),
            (true, Node::Bool(allowed)) => ("additionalItems", Bson::Boolean(*allowed)),
            (true, _) => ("additionalItems", self.schema(&part).into()),
        };
        draft.schema.insert(keyword, compiled);
    }

    /// An array holds an item that matches when not all of its items fail to.
    pub(super) fn contains(&mut self, place: &Place<'s>, value: &'s Tree, draft: &mut Draft) {
        let part = place.part(value, &["contains"], place.shape.item().clone());
        let schema = self.schema(&part);
        if place.tree.get("minContains").and_then(Tree::as_whole) != Some(0) {
            let none: Document = doc! { "bsonType": "array", "items": { "not": schema } };
            draft.pieces.push(with(description(&part.pointer), doc! { "not": none }));
        }
    }
}
