//! `dependentRequired` and `dependentSchemas`, which MongoDB calls `dependencies`. Each name is judged by itself.

use bson::{Bson, Document, doc};

use crate::sync::rules::{
    Kind,
    walk::{Pair, Place, Walk},
};

pub(in crate::sync::rules) fn compare(walk: &mut Walk, place: &Place, pair: Pair<'_>) {
    let none = Document::new();
    let [from, to] = [pair.from, pair.to].map(|schema| schema.get_document("dependencies").unwrap_or(&none));
    let added = to.keys().filter(|name| !from.contains_key(name));
    for name in from.keys().chain(added) {
        match (from.get(name), to.get(name)) {
            (Some(Bson::Array(_)) | None, Some(Bson::Array(_)) | None) => names(walk, place, name, (from, to)),
            (Some(Bson::Document(_)) | None, Some(Bson::Document(_)) | None) => {
                let [from, to] = [from, to].map(|group| group.get_document(name).unwrap_or(&none));
                let pair = Pair { from, to };
                walk.schema(&place.child(pair, &["dependentSchemas", name]), pair);
            }
            (from, to) if from == to => {}
            (from, to) => walk.emit(place, "dependentSchemas", Kind::Changed, (from.cloned(), to.cloned())),
        }
    }
}

/// The members that an object with the member `name` must have.
fn names(walk: &mut Walk, place: &Place, name: &str, (from, to): (&Document, &Document)) {
    let list = |group: &Document| group.get_array(name).cloned().unwrap_or_default();
    let (from, to) = (list(from), list(to));
    let within = |a: &[Bson], b: &[Bson]| a.iter().all(|name| b.contains(name));
    let kind = match (within(&from, &to), within(&to, &from)) {
        (true, true) => return,
        (true, false) => Kind::Tightened,
        (false, true) => Kind::Loosened,
        (false, false) => Kind::Changed,
    };
    let shown = |list: Vec<Bson>| (!list.is_empty()).then(|| Bson::from(doc! { name: list }));
    walk.value(place, "dependentRequired", kind, (shown(from), shown(to)));
}
