//! What is tried.

use reqwest::Method;
use serde_json::{Value, json};

use super::Owner;

const MERGE: &str = "application/merge-patch+json";
const PATCH: &str = "application/json-patch+json";
const JSON: &str = "application/json";

/// Something that is tried.
pub(super) struct Attempt {
    way: Way,
    pub(super) header: Option<(&'static str, &'static str)>,
    /// It names what is not the client's: so it is refused, and not only without effect.
    pub(super) is_refused: bool,
}

enum Way {
    /// A patch, and its `arrayFilters`.
    Patch(&'static str, Value, Option<Value>),
    Replace(Value),
    /// A new document.
    Insert(Value),
    /// One write of many.
    Bulk(Value),
}

impl Attempt {
    fn new(way: Way, is_refused: bool) -> Self {
        Self { way, header: None, is_refused }
    }

    fn operators(body: Value, is_refused: bool) -> Self {
        Self::new(Way::Patch(JSON, body, None), is_refused)
    }

    /// The requests by which it can be made.
    pub(super) fn requests(&self) -> Vec<Request> {
        let (one, many) = ("/v1/things/x".to_owned(), "/v1/things".to_owned());
        match &self.way {
            Way::Patch(media_type, body, filters) => {
                let (mut item, mut query) = (json!({ "id": "x", "patch": body }), String::new());
                if let Some(filters) = filters {
                    item["arrayFilters"] = filters.clone();
                    query = format!("arrayFilters={filters}");
                }
                let paths = [format!("{one}?{query}"), format!("{many}?name=n&{query}")];
                let patches = paths.map(|path| (Method::PATCH, path.trim_end_matches(['&', '?']).to_owned()));
                let patches = patches.into_iter().map(|(method, path)| (method, path, *media_type, body.to_string()));
                patches.chain(bulk(&json!({ "update": item }))).collect()
            }
            Way::Replace(body) => {
                let paths = [one.clone(), format!("{one}?upsert=true")];
                let puts = paths.into_iter().map(|path| (Method::PUT, path, JSON, body.to_string()));
                let replace = bulk(&json!({ "replace": { "id": "x", "document": body } }));
                let upsert = bulk(&json!({ "upsert": { "filter": { "_id": "x" }, "document": body } }));
                puts.chain(replace).chain(upsert).collect()
            }
            Way::Insert(body) => {
                let array = json!([{ "_id": "first", "name": "n" }, body]);
                let posts = [
                    (Method::POST, many.clone(), JSON, body.to_string()),
                    (Method::POST, many.clone(), JSON, array.to_string()),
                    (Method::POST, format!("{many}?ordered=false"), JSON, json!([body]).to_string()),
                    (Method::PUT, format!("{many}/new?upsert=true"), JSON, body.to_string()),
                ];
                let upsert = bulk(&json!({ "upsert": { "filter": { "_id": "new" }, "document": body } }));
                posts.into_iter().chain(bulk(&json!({ "insert": body }))).chain(upsert).collect()
            }
            Way::Bulk(item) => bulk(item).collect(),
        }
    }
}

type Request = (Method, String, &'static str, String);

/// The requests that have this among other writes, or alone.
fn bulk(item: &Value) -> impl Iterator<Item = Request> + use<> {
    let path = "/v1/things/_bulk";
    let first = json!({ "insert": { "_id": "first", "name": "n" } });
    [(path.to_owned(), json!([first, item])), (format!("{path}?ordered=false"), json!([item]))]
        .into_iter()
        .map(|(path, body)| (Method::POST, path, JSON, body.to_string()))
}

type Field = (&'static str, &'static str, Owner);

/// `{"a":{"b":value}}` for `a.b`.
fn nested(path: &str, value: &Value) -> Value {
    path.rsplit('.').fold(value.clone(), |value, name| json!({ name: value }))
}

/// The objects that the field is in.
fn parents(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('.').map(|(dot, _)| &path[..dot])
}

#[expect(clippy::too_many_lines, reason = "a table of what is tried")]
pub(super) fn operators((path, value, owner): Field) -> Vec<Attempt> {
    let value: Value = serde_json::from_str(value).unwrap();
    let is_refused = owner != Owner::Rule;
    let mut attempts = Vec::new();
    for operator in ["$set", "$setOnInsert", "$min", "$max", "$push", "$addToSet", "$pull", "$unset"] {
        if owner != Owner::WriteOnly || !["$set", "$setOnInsert", "$unset"].contains(&operator) {
            attempts.push(Attempt::operators(json!({ operator: { path: value } }), is_refused));
            attempts.push(Attempt::operators(json!({ operator: { path: value, "free": value } }), is_refused));
        }
    }
    let (item, inside, every, some) =
        (format!("{path}.0"), format!("{path}.x"), format!("{path}.$[]"), format!("{path}.$[i]"));
    for body in [
        json!({ "$inc": { path: 1 } }),
        json!({ "$mul": { path: 2 } }),
        json!({ "$bit": { path: { "or": 8 } } }),
        json!({ "$pop": { path: 1 } }),
        json!({ "$pullAll": { path: [value] } }),
        json!({ "$currentDate": { path: true } }),
        json!({ "$rename": { path: "free" } }),
        json!({ "$rename": { "name": path } }),
        json!({ "$set": { "name": "z" }, "$rename": { path: "free" } }),
        json!({ "$set": { item.as_str(): value } }),
        json!({ "$set": { inside.as_str(): value } }),
        json!({ "$unset": { item.as_str(): "" } }),
        json!({ "$push": { inside.as_str(): { "$each": [value] } } }),
        json!({ "$set": { every.as_str(): value } }),
        json!({ "$rename": { "name": inside } }),
    ] {
        attempts.push(Attempt::operators(body, is_refused));
    }
    for filters in [json!([{ "i": value }]), json!([{ "i": { "$gte": value } }])] {
        attempts.push(Attempt::new(
            Way::Patch(JSON, json!({ "$set": { some.as_str(): value } }), Some(filters)),
            is_refused,
        ));
    }
    for parent in parents(path) {
        for body in [
            json!({ "$set": { parent: {} } }),
            json!({ "$set": { parent: 5 } }),
            json!({ "$set": { parent: [] } }),
            json!({ "$set": { parent: nested(&path[parent.len() + 1..], &value) } }),
            json!({ "$unset": { parent: 1 } }),
            json!({ "$rename": { parent: "free" } }),
            json!({ "$rename": { "free": parent } }),
            json!({ "$push": { parent: value } }),
            json!({ "$min": { parent: 0 } }),
            json!({ "$max": { parent: [0] } }),
            json!({ "$currentDate": { parent: true } }),
        ] {
            attempts.push(Attempt::operators(body, true));
        }
    }
    attempts
}

/// Lists with items in which something is hidden.
#[expect(clippy::too_many_lines, reason = "a table of what is tried")]
pub(super) fn in_lists() -> Vec<Attempt> {
    let bodies = [
        json!({ "$set": { "list.0.code": "c" } }),
        json!({ "$set": { "list.code": "c" } }),
        json!({ "$set": { "list.$[].code": "c" } }),
        json!({ "$set": { "list.$.code": "c" } }),
        json!({ "$unset": { "list.1.code": "" } }),
        json!({ "$rename": { "list.0.code": "free" } }),
        json!({ "$set": { "list.0": { "z": 1 } } }),
        json!({ "$set": { "list.$[]": { "z": 1 } } }),
        json!({ "$set": { "list": [] } }),
        json!({ "$set": { "list": [{ "z": 1 }] } }),
        json!({ "$set": { "list": { "code": "c" } } }),
        json!({ "$unset": { "list": "" } }),
        json!({ "$unset": { "list.0": "" } }),
        json!({ "$pop": { "list": 1 } }),
        json!({ "$pull": { "list": { "code": "other" } } }),
        json!({ "$pull": { "list": { "z": { "$gt": 0 } } } }),
        json!({ "$pullAll": { "list": [{ "code": "other", "z": 2 }] } }),
        json!({ "$push": { "list": { "code": "c", "z": 3 } } }),
        json!({ "$push": { "list": { "$each": [], "$sort": { "code": 1 } } } }),
        json!({ "$push": { "list": { "$each": [], "$slice": 1 } } }),
        json!({ "$addToSet": { "list": { "code": "other", "z": 2 } } }),
        json!({ "$rename": { "list": "free" } }),
    ];
    let filtered = [
        (json!({ "$set": { "list.$[l].code": "c" } }), json!([{ "l.z": 1 }])),
        (json!({ "$set": { "list.$[l].z": 5 } }), json!([{ "l.code": "other" }])),
        (json!({ "$set": { "list.$[l].z": 5 } }), json!([{ "$or": [{ "l.z": 9 }, { "l.code": { "$gt": "o" } }] }])),
        (json!({ "$set": { "list.$[l]": {} } }), json!([{ "l.z": 1 }])),
    ];
    let filtered =
        filtered.into_iter().map(|(body, filters)| Attempt::new(Way::Patch(JSON, body, Some(filters)), true));
    let patches = [
        (json!([{ "op": "add", "path": "/list/0/code", "value": "c" }]), true),
        (json!([{ "op": "replace", "path": "/list/1/code", "value": "c" }]), true),
        (json!([{ "op": "remove", "path": "/list/0/code" }]), true),
        (json!([{ "op": "test", "path": "/list/1/code", "value": "other" }]), true),
        (json!([{ "op": "copy", "from": "/list/1/code", "path": "/free" }]), true),
        (json!([{ "op": "move", "from": "/list/1/code", "path": "/free" }]), true),
        (json!([{ "op": "move", "from": "/name", "path": "/list/0/code" }]), true),
        (json!([{ "op": "remove", "path": "/list/0" }]), true),
        (json!([{ "op": "remove", "path": "/list" }]), true),
        (json!([{ "op": "replace", "path": "/list/0", "value": { "z": 7 } }]), true),
        (json!([{ "op": "move", "from": "/list/0", "path": "/list/1" }]), true),
        (json!([{ "op": "copy", "from": "/list/0", "path": "/free" }]), false),
        (json!([{ "op": "copy", "from": "", "path": "/free" }]), false),
    ];
    let patches = patches.into_iter().map(|(body, is_refused)| Attempt::new(Way::Patch(PATCH, body, None), is_refused));
    let merges =
        [json!({ "list": null }), json!({ "list": [] }), json!({ "list": [{ "z": 1 }] }), json!({ "list": 5 })];
    let merges = merges.into_iter().map(|body| Attempt::new(Way::Patch(MERGE, body, None), true));
    let operators = bodies.into_iter().map(|body| Attempt::operators(body, true));
    operators.chain(filtered).chain(patches).chain(merges).collect()
}

#[expect(clippy::too_many_lines, reason = "a table of what is tried")]
pub(super) fn patches((path, value, owner): Field) -> Vec<Attempt> {
    let value: Value = serde_json::from_str(value).unwrap();
    let is_refused = owner != Owner::Rule;
    let pointer = format!("/{}", path.replace('.', "/"));
    let mut attempts = Vec::new();
    let mut add = |body: Value, is_refused| attempts.push(Attempt::new(Way::Patch(PATCH, body, None), is_refused));
    if owner != Owner::WriteOnly {
        add(json!([{ "op": "add", "path": pointer, "value": value }]), is_refused);
        add(json!([{ "op": "copy", "from": "/name", "path": pointer }]), is_refused);
        add(json!([{ "op": "move", "from": "/name", "path": pointer }]), is_refused);
        add(json!([{ "op": "add", "path": pointer, "value": value }, { "op": "remove", "path": pointer }]), is_refused);
    }
    add(json!([{ "op": "replace", "path": pointer, "value": value }]), is_refused && owner != Owner::WriteOnly);
    add(json!([{ "op": "remove", "path": pointer }]), is_refused && owner != Owner::WriteOnly);
    add(json!([{ "op": "move", "from": pointer, "path": "/free" }]), is_refused);
    add(json!([{ "op": "add", "path": format!("{pointer}/x"), "value": value }]), is_refused);
    let is_unseen = matches!(owner, Owner::Hidden | Owner::WriteOnly);
    add(json!([{ "op": "copy", "from": pointer, "path": "/free" }]), is_unseen);
    if is_unseen {
        add(json!([{ "op": "test", "path": pointer, "value": value }]), true);
    }
    add(json!([{ "op": "replace", "path": "", "value": { "name": "z" } }]), false);
    add(
        json!([{ "op": "replace", "path": "", "value": nested(path, &value) }]),
        is_refused && owner != Owner::WriteOnly,
    );
    // The visible part of what holds something hidden may go.
    for parent in parents(path) {
        let pointer = format!("/{}", parent.replace('.', "/"));
        add(json!([{ "op": "remove", "path": pointer }]), owner == Owner::Service);
        add(json!([{ "op": "move", "from": pointer, "path": "/free" }]), owner == Owner::Service);
        add(json!([{ "op": "copy", "from": pointer, "path": "/free" }]), false);
        add(json!([{ "op": "copy", "from": "/name", "path": pointer }]), owner == Owner::Service);
        add(json!([{ "op": "replace", "path": pointer, "value": 5 }]), owner == Owner::Service);
        add(
            json!([{ "op": "replace", "path": pointer, "value": [nested(&path[parent.len() + 1..], &value)] }]),
            owner == Owner::Service,
        );
    }
    let mut merges = vec![(json!({ "name": "z", "free": { path: value } }), false)];
    if owner != Owner::WriteOnly {
        merges.extend(
            [value.clone(), json!({}), json!(null), json!([value])].map(|value| (nested(path, &value), is_refused)),
        );
    }
    for parent in parents(path) {
        merges.push((nested(parent, &json!(null)), owner == Owner::Service));
        merges.extend([json!(5), json!([])].map(|value| (nested(parent, &value), true)));
    }
    for media_type in [MERGE, JSON] {
        let merge =
            |(body, is_refused): &(Value, bool)| Attempt::new(Way::Patch(media_type, body.clone(), None), *is_refused);
        attempts.extend(merges.iter().map(merge));
    }
    attempts
}

pub(super) fn documents((path, value, owner): Field) -> Vec<Attempt> {
    if owner == Owner::WriteOnly {
        return Vec::new();
    }
    let value: Value = serde_json::from_str(value).unwrap();
    let is_refused = owner != Owner::Rule;
    let mut attempts = Vec::new();
    for value in [value.clone(), json!(null), json!({}), json!([value])] {
        let mut body = nested(path, &value);
        attempts.push(Attempt::new(Way::Replace(body.clone()), is_refused));
        body["name"] = json!("n");
        attempts.push(Attempt::new(Way::Replace(body.clone()), is_refused));
        if path != "_id" {
            attempts.push(Attempt::new(Way::Insert(body.clone()), is_refused));
            body["_id"] = json!("new");
            attempts.push(Attempt { header: Some(("if-none-match", "*")), ..Attempt::new(Way::Insert(body), false) });
        }
    }
    for parent in parents(path) {
        for value in [json!(5), json!([nested(&path[parent.len() + 1..], &value)])] {
            attempts.push(Attempt::new(Way::Replace(nested(parent, &value)), true));
        }
    }
    attempts.push(Attempt::new(Way::Replace(json!({ "name": "z" })), false));
    attempts
}

/// Documents that are looked for, and made, by what is not the client's.
pub(super) fn upserts() -> Vec<Attempt> {
    let new = json!({ "_id": "new", "name": "z" });
    let filters = [
        json!({ "role": "admin" }),
        json!({ "state": "new" }),
        json!({ "secret": "first-secret" }),
        json!({ "secret": "mine" }),
        json!({ "deep.secret": "mine" }),
        json!({ "pin": "written-secret" }),
        json!({ "list.code": "other" }),
        json!({ "_id": "x", "secret": "first-secret" }),
        json!({ "_id": "x", "role": "admin" }),
        json!({ "_id": { "$gt": "a" } }),
        json!({ "$or": [{ "secret": "first-secret" }, { "_id": "x" }] }),
    ];
    let upsert = |filter| Attempt::new(Way::Bulk(json!({ "upsert": { "filter": filter, "document": new } })), true);
    filters.into_iter().map(upsert).collect()
}

/// What the client may do, beside what is not its own.
pub(super) fn allowed() -> Vec<Attempt> {
    let operators = [
        json!({ "$set": { "name": "z", "inner.note": "z", "deep.y": 5, "list.0.z": 4 } }),
        json!({ "$set": { "pin": "0000" } }),
        json!({ "$unset": { "pin": 1 } }),
        json!({ "$inc": { "deep.y": 1, "list.$[].z": 1 } }),
        json!({ "$rename": { "inner.note": "inner.text" } }),
    ];
    let patches = [
        json!([{ "op": "replace", "path": "/inner/note", "value": "z" }, { "op": "add", "path": "/deep/y", "value": 5 }]),
        json!([{ "op": "test", "path": "/role", "value": "user" }, { "op": "copy", "from": "/role", "path": "/was" }]),
        json!([{ "op": "add", "path": "/pin", "value": "0000" }]),
    ];
    let merges = [json!({ "name": "z", "deep": { "y": null }, "inner": { "note": "z" } }), json!({ "pin": "0000" })];
    let operators = operators.into_iter().map(|body| Attempt::operators(body, false));
    let patches = patches.into_iter().map(|body| Attempt::new(Way::Patch(PATCH, body, None), false));
    let merges = merges.into_iter().map(|body| Attempt::new(Way::Patch(MERGE, body, None), false));
    operators.chain(patches).chain(merges).collect()
}
