//! RFC 6902 in the plainest way, on JSON. Beside the RFC: a document is an object.

use serde_json::Value;

/// What the operations make of the document; `None` where one of them fails.
pub(super) fn patched(document: &Value, operations: &[Value]) -> Option<Value> {
    let patched = operations.iter().try_fold(with_id(document), |document, operation| {
        let next = apply(document, operation)?;
        next.is_object().then_some(next)
    });
    patched.map(without_id)
}

/// The document with the `_id` that each stored one has.
pub(super) fn with_id(document: &Value) -> Value {
    let mut document = document.clone();
    document["_id"] = 1000.into();
    document
}

pub(super) fn without_id(mut document: Value) -> Value {
    document.as_object_mut().unwrap().remove("_id");
    document
}

fn apply(mut document: Value, operation: &Value) -> Option<Value> {
    let text = |name: &str| operation[name].as_str().unwrap();
    let (path, value) = (text("path"), &operation["value"]);
    match text("op") {
        "add" => add(document, path, value.clone()),
        "remove" => remove(&mut document, path).map(|_| document),
        "replace" => {
            *document.pointer_mut(path)? = value.clone();
            Some(document)
        }
        "move" => {
            let from = text("from");
            if path == from {
                return document.pointer(path).is_some().then_some(document);
            }
            if path.starts_with(&format!("{from}/")) {
                return None;
            }
            let value = remove(&mut document, from)?;
            add(document, path, value)
        }
        "copy" => {
            let value = document.pointer(text("from"))?.clone();
            add(document, path, value)
        }
        _ => same(document.pointer(path)?, value).then_some(document),
    }
}

fn add(mut document: Value, path: &str, value: Value) -> Option<Value> {
    let Some((parent, name)) = path.rsplit_once('/') else { return Some(value) };
    match document.pointer_mut(parent)? {
        Value::Object(members) => drop(members.insert(name.replace("~1", "/").replace("~0", "~"), value)),
        Value::Array(items) if name == "-" => items.push(value),
        Value::Array(items) => items.insert(name.parse().ok().filter(|index| *index <= items.len())?, value),
        _ => return None,
    }
    Some(document)
}

fn remove(document: &mut Value, path: &str) -> Option<Value> {
    let (parent, name) = path.rsplit_once('/')?;
    match document.pointer_mut(parent)? {
        Value::Object(members) => members.remove(&name.replace("~1", "/").replace("~0", "~")),
        Value::Array(items) => Some(items.remove(name.parse().ok().filter(|index| *index < items.len())?)),
        _ => None,
    }
}

/// Whether two values are the same, numbers by their value.
pub(super) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}
