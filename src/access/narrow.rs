//! A collection as some of its roles together have it.

use crate::{
    query::path::is_within,
    schema::{Field, Schema, access::Grant},
};

/// The collection `schema` as the roles with these grants together have it, which are in the file's order.
///
/// A field is hidden where each of them hides it or what it is in. A field that is there is read-only where none of them
/// leaves it to be written freely: each hides, protects or forces it. But where each forces it, it is forced, to the
/// value of the first.
pub(super) fn narrow(schema: &Schema, grants: &[&Grant]) -> Schema {
    let mut narrowed = schema.clone();
    let root = std::mem::replace(&mut narrowed.root, Field::any());
    narrowed.root = narrow_root(root, grants).prepared();
    narrowed
}

fn narrow_root(mut root: Field, grants: &[&Grant]) -> Field {
    let each = |closes: &dyn Fn(&Grant) -> bool| grants.iter().all(|grant| closes(grant));
    let is_hidden = |name: &str| each(&|grant| grant.hide.iter().any(|outer| is_within(name, outer)));
    let is_forced = |name: &str| each(&|grant| grant.set.iter().any(|(forced, _)| forced == name));
    let is_closed = |name: &str| each(&|grant| closed(grant).any(|outer| is_within(name, outer)));
    for name in grants.iter().copied().flat_map(closed) {
        if is_hidden(name) {
            visit(&mut root, name, &mut |field| field.hidden = true);
        } else if is_closed(name) && !is_forced(name) {
            protect(&mut root, name);
        }
    }
    for (name, value) in grants.first().into_iter().flat_map(|grant| &grant.set) {
        if is_forced(name) {
            visit(&mut root, name, &mut |field| field.forced = Some(value.clone()));
        }
    }
    root
}

/// The fields that the grant leaves nobody to write.
fn closed(grant: &Grant) -> impl Iterator<Item = &str> {
    let set = grant.set.iter().map(|(name, _)| name);
    grant.hide.iter().chain(&grant.read_only).chain(set).map(String::as_str)
}

/// Does this to the field with the dotted name `path`, also where it is in the items of lists.
fn visit(field: &mut Field, path: &str, mark: &mut dyn FnMut(&mut Field)) {
    let (name, rest) = split(path);
    let item = field.items.as_mut().and_then(|item| item.properties.get_mut(name));
    for member in field.properties.get_mut(name).into_iter().chain(item) {
        match rest {
            Some(rest) => visit(member, rest, mark),
            None => mark(member),
        }
    }
}

/// Makes the field with the dotted name `path` read-only, or the list that it is in: nobody could tell which item is
/// which after a write.
fn protect(field: &mut Field, path: &str) {
    let (name, rest) = split(path);
    if field.items.as_ref().is_some_and(|item| item.properties.contains_key(name)) {
        field.read_only = true;
    }
    match (field.properties.get_mut(name), rest) {
        (Some(member), Some(rest)) => protect(member, rest),
        (Some(member), None) => member.read_only = true,
        (None, _) => {}
    }
}

/// The first name of a dotted one, and the others.
fn split(path: &str) -> (&str, Option<&str>) {
    path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)))
}
