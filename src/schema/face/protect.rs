//! A collection file with `readOnly` on the fields that the roles of those who ask leave nobody to write.

use indexmap::IndexMap;

use crate::{
    json::{Node, Tree},
    schema::{Field, Schema, access::Grant},
};

/// Marks in `tree`, the file of the collection `seen` as those who ask read it, what the roles protect in each of the
/// ways in which they write it, `written`. Nothing is marked for those who cannot write at all.
pub(super) fn protect(tree: &mut Tree, seen: &Schema, written: &[&Field]) {
    if written.is_empty() {
        return;
    }
    for name in seen.access.grants.values().flat_map(Grant::closed) {
        if let Some(closed) = closed(name, &seen.root, written) {
            mark(tree, closed.split('.'));
        }
    }
}

/// The field with the dotted name `name`, or the first that it is in, that is there to be read but never to be written.
fn closed<'n>(name: &'n str, mut seen: &Field, written: &[&Field]) -> Option<&'n str> {
    let mut written = written.to_vec();
    let mut end = 0;
    for step in name.split('.') {
        seen = seen.properties.get(step).filter(|field| !field.hidden)?;
        written = written.iter().map(|field| field.properties.get(step)).collect::<Option<_>>()?;
        end += step.len();
        if written.iter().all(|field| field.read_only || field.hidden || field.forced.is_some()) {
            return Some(&name[..end]);
        }
        end += 1;
    }
    None
}

/// Puts `readOnly` to the property that the names lead to. One that stands elsewhere, behind a `$ref` for one, gets it
/// beside that, for this place alone.
fn mark<'n>(tree: &mut Tree, mut names: impl Iterator<Item = &'n str>) {
    match names.next() {
        Some(name) => {
            if let Some(member) = member(tree, "properties").and_then(|properties| member(properties, name)) {
                mark(member, names);
            }
        }
        None => {
            if let Some(place) = member(tree, "readOnly") {
                place.node = Node::Bool(true);
            }
        }
    }
}

/// The member `name` of an object, made where there is none.
fn member<'t>(tree: &'t mut Tree, name: &str) -> Option<&'t mut Tree> {
    let none = Tree { node: Node::Object(IndexMap::new()), name_at: tree.name_at, span: tree.span.clone() };
    let Node::Object(members) = &mut tree.node else { return None };
    Some(members.entry(name.to_owned()).or_insert(none))
}
