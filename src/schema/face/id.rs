//! The `_id` that every document has: rules about the members of whole documents do not judge it unless they name it.

use indexmap::IndexMap;

use crate::json::{Node, Tree};

/// Says so in `tree`, the schema of whole documents, as the validator does; `is_named` is whether the file says what an
/// `_id` is. What a `$ref` leads to may be about other places too, and is left as it is.
pub(super) fn spare(tree: &mut Tree, is_named: bool) {
    let Node::Object(members) = &mut tree.node else { return };
    for (name, value) in members {
        match (name.as_str(), &mut value.node) {
            ("propertyNames", _) => let_in(value),
            ("patternProperties", Node::Object(patterns)) if !is_named => {
                *patterns = std::mem::take(patterns).into_iter().map(|(name, tree)| (but_id(&name), tree)).collect();
            }
            ("allOf" | "anyOf" | "oneOf", Node::Array(parts)) => branches(parts, is_named),
            ("dependentSchemas", Node::Object(parts)) => branches(parts.values_mut(), is_named),
            ("not" | "if" | "then" | "else", _) => branch(value, is_named),
            _ => {}
        }
    }
}

fn branches<'t>(parts: impl IntoIterator<Item = &'t mut Tree>, is_named: bool) {
    for part in parts {
        branch(part, is_named);
    }
}

/// The same in a part of the schema, where `_id` is any that the whole allows.
fn branch(tree: &mut Tree, is_named: bool) {
    let (none, any) = (node(tree, Node::Object(IndexMap::new())), node(tree, Node::Bool(true)));
    if let Node::Object(members) = &mut tree.node
        && members.contains_key("additionalProperties")
        && let Node::Object(declared) = &mut members.entry("properties".to_owned()).or_insert(none).node
    {
        declared.entry("_id".to_owned()).or_insert(any);
    }
    spare(tree, is_named);
}

/// Makes the schema of names one that lets `_id` in.
fn let_in(names: &mut Tree) {
    let id = node(names, Node::Object([("const".to_owned(), node(names, Node::String("_id".to_owned())))].into()));
    let either = node(names, Node::Array(vec![id, names.clone()]));
    names.node = Node::Object([("anyOf".to_owned(), either)].into());
}

/// The pattern that matches the names that `pattern` does, but `_id`.
fn but_id(pattern: &str) -> String {
    format!(r"^(?!_id$)[\s\S]*?(?:{pattern})")
}

fn node(tree: &Tree, node: Node) -> Tree {
    Tree { node, name_at: tree.name_at, span: tree.span.clone() }
}
