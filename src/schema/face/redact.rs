//! A collection file without the fields that are hidden from those who ask. What is left is true of what they see.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use crate::{
    json::{Node, Tree},
    schema::{Field, Sight, Source},
};

/// The file as it is for those to whom the documents have the shape `root`; `None` where that is all of it.
///
/// Each `$ref` is written out, since what it leads to is not the same wherever it stands.
pub(super) fn redact(source: &Source, root: &Field) -> Option<Tree> {
    let sight = Sight::of_hidden(root);
    (!sight.is_clear()).then(|| Redaction { source }.schema(&source.tree, &sight))
}

/// Keywords with values of the field, or with figures that what is hidden may have a part in.
const WHOLE: [&str; 8] =
    ["enum", "const", "default", "examples", "x-counterexamples", "minProperties", "maxProperties", "uniqueItems"];

/// Keywords that may name what is hidden anywhere, or whose schemas are written out where they are referred to.
const NOWHERE: [&str; 3] = ["$defs", "$ref", "x-indexes"];

/// Keywords about names, which may be those of what is hidden.
const NAMES: [&str; 2] = ["patternProperties", "propertyNames"];

/// Keywords that are about what others leave, some of which may be left out.
const REST: [&str; 2] = ["unevaluatedProperties", "unevaluatedItems"];

/// Keywords that are one condition together.
const CONDITION: [&str; 3] = ["if", "then", "else"];

struct Redaction<'s> {
    source: &'s Source,
}

impl Redaction<'_> {
    /// The subschema `tree` of a place.
    fn schema(&self, tree: &Tree, sight: &Sight<'_>) -> Tree {
        let Some(members) = tree.as_object() else { return tree.clone() };
        let referred = tree.get("$ref").and_then(Tree::as_str).and_then(|reference| self.source.resolve(reference));
        let referred = referred.map(|(_, target)| self.schema(target, sight));
        let condition = self.condition(tree, sight);
        let named = sight.is_clear() || tree.get("patternProperties").is_none();
        let kept = members.iter().filter_map(|(name, value)| match name.as_str() {
            name if CONDITION.contains(&name) => Some((name.to_owned(), condition.get(name)?.clone())),
            // The patterns are left out, and which members there are besides is not said any more.
            "additionalProperties" if !named => None,
            _ => Some((name.clone(), self.keyword((name, value), sight)?)),
        });
        with(kept.collect(), referred, tree)
    }

    /// The parts of the condition that the subschema `tree` has, all of them or none.
    fn condition(&self, tree: &Tree, sight: &Sight<'_>) -> BTreeMap<&'static str, Tree> {
        let parts = CONDITION.into_iter().filter_map(|keyword| Some((keyword, tree.get(keyword)?)));
        let parts = parts.map(|(keyword, part)| Some((keyword, self.untouched(part, sight)?)));
        parts.collect::<Option<_>>().unwrap_or_default()
    }

    /// The value of a keyword; `None` where it would not be true any more, or tell of what is hidden.
    fn keyword(&self, (name, value): (&str, &Tree), sight: &Sight<'_>) -> Option<Tree> {
        let same = || Some(value.clone());
        match (name, &value.node) {
            (name, _) if NOWHERE.contains(&name) => None,
            (name, _) if [&WHOLE[..], &NAMES, &REST].concat().contains(&name) && !sight.is_clear() => None,
            ("patternProperties", Node::Object(members)) => {
                Some(node(value, Node::Object(self.members(members, |_| Some(Sight::CLEAR)))))
            }
            ("required", _) => Some(in_sight(value, sight)),
            ("dependentRequired", Node::Object(lists)) => {
                let seen = lists.iter().filter(|(name, _)| sight.member(name).is_some());
                let seen = seen.map(|(name, list)| (name.clone(), in_sight(list, sight)));
                Some(node(value, Node::Object(seen.collect())))
            }
            ("properties", Node::Object(members)) => {
                Some(node(value, Node::Object(self.members(members, |name| sight.member(name)))))
            }
            ("dependentSchemas", Node::Object(members)) => {
                let same = |name: &str| sight.member(name).map(|_| sight.clone());
                Some(node(value, Node::Object(self.members(members, same))))
            }
            ("additionalProperties", _) => sight.others().map(|sight| self.schema(value, &sight)),
            ("items" | "contains" | "unevaluatedItems" | "unevaluatedProperties", _) => Some(self.schema(value, sight)),
            ("allOf" | "anyOf" | "prefixItems", Node::Array(parts)) => {
                Some(node(value, Node::Array(parts.iter().map(|part| self.schema(part, sight)).collect())))
            }
            // What allows more in a part allows less in the whole.
            ("not", _) => self.untouched(value, sight),
            ("oneOf", Node::Array(parts)) => {
                let parts = parts.iter().map(|part| self.untouched(part, sight)).collect::<Option<_>>()?;
                Some(node(value, Node::Array(parts)))
            }
            _ => same(),
        }
    }

    /// The subschemas `members` of the places that are in sight.
    fn members<'f>(
        &self,
        members: &IndexMap<String, Tree>,
        sight: impl Fn(&str) -> Option<Sight<'f>>,
    ) -> IndexMap<String, Tree> {
        let shown = |(name, tree): (&String, &Tree)| Some((name.clone(), self.schema(tree, &sight(name)?)));
        members.iter().filter_map(shown).collect()
    }

    /// The subschema, if it says nothing of what is hidden.
    fn untouched(&self, tree: &Tree, sight: &Sight<'_>) -> Option<Tree> {
        let whole = self.schema(tree, &Sight::CLEAR);
        (sight.is_clear() || self.schema(tree, sight) == whole).then_some(whole)
    }
}

/// Those of the listed names that are in sight.
fn in_sight(list: &Tree, sight: &Sight<'_>) -> Tree {
    let seen = |name: &&Tree| name.as_str().is_none_or(|name| sight.member(name).is_some());
    node(list, Node::Array(list.as_array().unwrap_or_default().iter().filter(seen).cloned().collect()))
}

/// The subschema with these keywords and what its `$ref` leads to, which holds beside them.
fn with(mut keywords: IndexMap<String, Tree>, referred: Option<Tree>, tree: &Tree) -> Tree {
    let Some(referred) = referred else { return node(tree, Node::Object(keywords)) };
    if keywords.is_empty() {
        return referred;
    }
    let none = node(tree, Node::Array(Vec::new()));
    if let Node::Array(parts) = &mut keywords.entry("allOf".to_owned()).or_insert(none).node {
        parts.push(referred);
    }
    node(tree, Node::Object(keywords))
}

fn node(tree: &Tree, node: Node) -> Tree {
    Tree { node, name_at: tree.name_at, span: tree.span.clone() }
}
