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
    let is_closed = |name: &str| each(&|grant| grant.closed().any(|outer| is_within(name, outer)));
    for name in grants.iter().copied().flat_map(Grant::closed) {
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

/// Does this to the field with the dotted name `path`, also where it is in the items of lists.
fn visit(field: &mut Field, path: &str, mark: &mut dyn FnMut(&mut Field)) {
    let (name, rest) = split(path);
    let items = field.items.as_deref_mut().into_iter();
    let items = items.chain(field.tuple.iter_mut().flat_map(|tuple| tuple.shapes_mut()));
    let items = items.filter_map(|item| item.properties.get_mut(name));
    for member in field.properties.get_mut(name).into_iter().chain(items) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::load;

    const PROPERTIES: &str = r#"{
        "a": {"type": "object", "properties": {"b": {"type": "string"}, "c": {"type": "string"}}},
        "lines": {"type": "array", "items": {"type": "object", "properties": {"cost": {"bsonType": "int"}}}},
        "owner": {"type": "string"}, "given": {"type": "string", "readOnly": true}
    }"#;

    /// What roles with these options, besides operations, together hide, protect and force.
    fn narrowed(options: &[&str]) -> [Vec<String>; 3] {
        let roles = options.iter().enumerate();
        let roles: Vec<_> = roles.map(|(n, more)| format!(r#""r{n}": {{"ops": ["*"]{more}}}"#)).collect();
        let text = format!(r#"{{"type": "object", "properties": {PROPERTIES}, "x-access": {{{}}}}}"#, roles.join(","));
        let schema = load::parse("x.json", "x", text).unwrap();
        let narrowed = narrow(&schema, &schema.access.grants.values().collect::<Vec<_>>());
        assert_eq!(narrowed.root, narrowed.root.clone().prepared());
        let mut found = [const { Vec::new() }; 3];
        gather(&narrowed.root, "", &mut found);
        found
    }

    fn gather(field: &Field, at: &str, found: &mut [Vec<String>; 3]) {
        for (flag, list) in [field.hidden, field.read_only].into_iter().zip(&mut *found) {
            list.extend(flag.then(|| at.to_owned()));
        }
        found[2].extend(field.forced.as_ref().map(|value| format!("{at}={:?}", value.bind(None).unwrap())));
        for (name, member) in &field.properties {
            gather(member, &format!("{at}/{name}"), found);
        }
        if let Some(item) = &field.items {
            gather(item, &format!("{at}/*"), found);
        }
    }

    #[test]
    fn leaves_what_one_of_the_roles_leaves() {
        let cases: &[(&[&str], [&[&str]; 3])] = &[
            (&[""], [&[], &["/given"], &[]]),
            (&[r#","hide":["a.b","lines.cost"]"#], [&["/a/b", "/lines/*/cost"], &["/given"], &[]]),
            (&[r#","hide":["a"]"#, r#","hide":["a.b"]"#], [&["/a/b"], &["/given"], &[]]),
            (&[r#","hide":["a.c"]"#, r#","hide":["a.b"]"#], [&[], &["/given"], &[]]),
            (&[r#","hide":["a.c","a.b"]"#, r#","hide":["a"]"#], [&["/a/b", "/a/c"], &["/given"], &[]]),
            (&[r#","hide":["a"]"#, r#","hide":["a"]"#, ""], [&[], &["/given"], &[]]),
            (&[r#","readOnly":["a"]"#, r#","readOnly":["a.b"]"#], [&[], &["/a/b", "/given"], &[]]),
            (&[r#","hide":["a"]"#, r#","readOnly":["a.b"]"#], [&[], &["/a/b", "/given"], &[]]),
            (&[r#","readOnly":["owner"]"#, r#","set":{"owner":"x"}"#], [&[], &["/owner", "/given"], &[]]),
            (&[r#","hide":["owner"]"#, r#","set":{"owner":"x"}"#], [&[], &["/owner", "/given"], &[]]),
            (&[r#","set":{"owner":"x"}"#, r#","set":{"owner":"y"}"#], [&[], &["/given"], &[r#"/owner=String("x")"#]]),
            (&[r#","set":{"owner":"x"}"#, ""], [&[], &["/given"], &[]]),
            (
                &[r#","set":{"owner":"x"},"hide":["owner"],"readOnly":["a"]"#],
                [&["/owner"], &["/a", "/given"], &[r#"/owner=String("x")"#]],
            ),
            (&[r#","set":{"given":"x"}"#], [&[], &["/given"], &[r#"/given=String("x")"#]]),
            // An item that may be shown but not written: which one it was, a write does not say.
            (&[r#","hide":["lines.cost"]"#, r#","readOnly":["lines"]"#], [&[], &["/lines", "/given"], &[]]),
        ];
        for (options, expected) in cases {
            assert_eq!(
                narrowed(options),
                expected.map(|names| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()),
                "{options:?}"
            );
        }
    }
}
