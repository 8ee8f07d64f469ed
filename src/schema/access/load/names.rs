//! Fields by their dotted names, as rules may name them: declared, each name on the way in `properties`.

use super::Reader;
use crate::schema::{Field, Kind, Kinds, load::did_you_mean};

pub(super) const EXPECTED: &str = "must be the name of a field, such as `publisher.city`";

/// How far a name of a rule reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// Into objects.
    Members,
    /// Into objects, and into the objects of lists.
    Items,
}

impl<'r> Reader<'r> {
    /// The field that a rule hides, protects or forces, with its name.
    pub(super) fn declared(&self, name: &str, reach: Reach) -> Result<(String, &'r Field), String> {
        if name.split('.').next() == Some("_id") {
            return Err(
                "an `_id` can neither be hidden nor set nor read-only: all that is said of a document needs it"
                    .to_owned(),
            );
        }
        find(self.root, name, reach).map(|fields| (name.to_owned(), *fields.last().unwrap_or(&self.root)))
    }
}

/// Refuses a name below something that need not be an object: what is forced there would take its place.
pub(super) fn in_objects(root: &Field, path: &str) -> Result<(), String> {
    let objects = Kinds::from_iter([Kind::Object, Kind::Null]);
    let ends = path.match_indices('.').map(|(end, _)| end);
    for (field, end) in find(root, path, Reach::Members)?.into_iter().zip(ends) {
        if field.kinds.union(objects) != objects {
            let parent = &path[..end];
            return Err(format!(
                "`{parent}` need not be an object: declare it with \"type\": \"object\", or set it as a whole"
            ));
        }
    }
    Ok(())
}

/// The fields on the way to the one with the dotted name `path`, itself last.
pub(super) fn find<'f>(root: &'f Field, path: &str, reach: Reach) -> Result<Vec<&'f Field>, String> {
    let cannot_be = |name: &str| name.is_empty() || name.starts_with('$') || name.contains('\0');
    if path.split('.').any(cannot_be) {
        return Err(EXPECTED.to_owned());
    }
    let (mut fields, mut field, mut walked) = (Vec::new(), root, String::new());
    for name in path.split('.') {
        field = step(field, name, (reach, &walked))?;
        fields.push(field);
        walked.push_str(name);
        walked.push('.');
    }
    Ok(fields)
}

/// The member `name` of an object or of the objects in a list; `walked` is the way there.
fn step<'f>(field: &'f Field, name: &str, (reach, walked): (Reach, &str)) -> Result<&'f Field, String> {
    let item = if field.kinds.contains(Kind::Array) { field.items.as_deref() } else { None };
    let in_item = item.and_then(|item| item.properties.get(name));
    match (field.properties.get(name), in_item, reach) {
        (Some(member), ..) | (None, Some(member), Reach::Items) => Ok(member),
        (None, Some(_), Reach::Members) => {
            let list = walked.trim_end_matches('.');
            Err(format!(
                "`{list}` is a list; only fields outside lists can be set or read-only, or `{list}` as a whole"
            ))
        }
        (None, None, _) if item.is_some() && name.bytes().all(|b| b.is_ascii_digit()) => {
            Err(format!("`{name}` picks an item of a list, and rules are about all of them: leave it out"))
        }
        (None, None, _) => {
            let known = field.properties.keys().chain(item.into_iter().flat_map(|item| item.properties.keys()));
            let known: Vec<_> = known.map(|name| format!("{walked}{name}")).collect();
            let near = did_you_mean(&format!("{walked}{name}"), known.iter().map(String::as_str));
            Err(format!("no field `{walked}{name}` is declared{near}"))
        }
    }
}
