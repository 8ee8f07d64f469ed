//! The examples of RFC 6902, appendix A.

use serde_json::Value;

use super::{Error, Field, JsonPatch, failure, patched};

/// Section, document, patch, and what comes of it; `null` where it fails.
const EXAMPLES: &str = r#"[
    ["A.1", {"foo": "bar"}, [{"op": "add", "path": "/baz", "value": "qux"}], {"baz": "qux", "foo": "bar"}],
    ["A.2", {"foo": ["bar", "baz"]}, [{"op": "add", "path": "/foo/1", "value": "qux"}], {"foo": ["bar", "qux", "baz"]}],
    ["A.3", {"baz": "qux", "foo": "bar"}, [{"op": "remove", "path": "/baz"}], {"foo": "bar"}],
    ["A.4", {"foo": ["bar", "qux", "baz"]}, [{"op": "remove", "path": "/foo/1"}], {"foo": ["bar", "baz"]}],
    ["A.5", {"baz": "qux", "foo": "bar"}, [{"op": "replace", "path": "/baz", "value": "boo"}], {"baz": "boo", "foo": "bar"}],
    ["A.6", {"foo": {"bar": "baz", "waldo": "fred"}, "qux": {"corge": "grault"}},
        [{"op": "move", "from": "/foo/waldo", "path": "/qux/thud"}],
        {"foo": {"bar": "baz"}, "qux": {"corge": "grault", "thud": "fred"}}],
    ["A.7", {"foo": ["all", "grass", "cows", "eat"]}, [{"op": "move", "from": "/foo/1", "path": "/foo/3"}],
        {"foo": ["all", "cows", "eat", "grass"]}],
    ["A.8", {"baz": "qux", "foo": ["a", 2, "c"]},
        [{"op": "test", "path": "/baz", "value": "qux"}, {"op": "test", "path": "/foo/1", "value": 2}],
        {"baz": "qux", "foo": ["a", 2, "c"]}],
    ["A.9", {"baz": "qux"}, [{"op": "test", "path": "/baz", "value": "bar"}], null],
    ["A.10", {"foo": "bar"}, [{"op": "add", "path": "/child", "value": {"grandchild": {}}}],
        {"foo": "bar", "child": {"grandchild": {}}}],
    ["A.11", {"foo": "bar"}, [{"op": "add", "path": "/baz", "value": "qux", "xyz": 123}], {"foo": "bar", "baz": "qux"}],
    ["A.12", {"foo": "bar"}, [{"op": "add", "path": "/baz/bat", "value": "qux"}], null],
    ["A.14", {"/": 9, "~1": 10}, [{"op": "test", "path": "/~01", "value": 10}], {"/": 9, "~1": 10}],
    ["A.15", {"/": 9, "~1": 10}, [{"op": "test", "path": "/~01", "value": "10"}], null],
    ["A.16", {"foo": ["bar"]}, [{"op": "add", "path": "/foo/-", "value": ["abc", "def"]}], {"foo": ["bar", ["abc", "def"]]}]
]"#;

#[test]
fn the_examples_of_appendix_a() {
    let examples: Vec<(String, Value, Value, Option<Value>)> = serde_json::from_str(EXAMPLES).unwrap();
    for (section, document, patch, expected) in examples {
        match expected {
            Some(expected) => assert_eq!(patched(&document, &patch).unwrap(), expected, "{section}"),
            None => drop(failure(&document, &patch)),
        }
    }
    // A.13: a member more than once.
    let repeated = br#"[{"op":"add","path":"/baz","value":"qux","op":"remove"}]"#;
    let error = JsonPatch::parse(repeated, &Field::any()).unwrap_err();
    assert!(matches!(error, Error::MalformedBody(_)), "{error:?}");
}
