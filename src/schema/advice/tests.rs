use super::*;
use crate::schema::load;

fn advice(file: &str) -> Vec<String> {
    let schema = load::parse("books.json", "books", file.to_owned()).unwrap();
    advise(&schema).iter().map(ToString::to_string).collect()
}

const BOOK: &str = r#""title": {"type": "string"}, "year": {"bsonType": "int"}, "open": {"type": "object"},
    "meta": {"type": "object", "properties": {"city": {"type": "string"}}},
    "labels": {"type": "object", "additionalProperties": {"type": "string"}},
    "parts": {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}}}},
    "pair": {"type": "array", "prefixItems": [{"type": "object", "properties": {"left": {"type": "string"}}}]}"#;

fn with_indexes(indexes: &str) -> Vec<String> {
    advice(&format!(r#"{{"type": "object", "properties": {{{BOOK}}}, "x-indexes": [{indexes}]}}"#))
}

/// Lists of indexes, and which of them are useless by which.
#[test]
fn knows_indexes_that_another_makes_useless() {
    let cases = [
        (r#"{"keys": {"title": 1}}, {"keys": {"title": 1, "year": 1}}"#, &[(0, "title_1_year_1__id_1")][..]),
        (r#"{"keys": {"title": 1, "year": -1}}, {"keys": {"title": -1}}"#, &[(1, "title_1_year_-1__id_-1")]),
        (r#"{"keys": {"title": 1, "year": 1}}, {"keys": {"title": 1, "year": -1}}"#, &[]),
        (r#"{"keys": {"title": 1, "year": 1}}, {"keys": {"title": -1, "year": -1}}"#, &[(1, "title_1_year_1__id_1")]),
        (r#"{"keys": {"year": 1}}, {"keys": {"year": -1}}"#, &[(1, "year_1__id_1")]),
        (r#"{"keys": {"year": 1}}, {"keys": {"title": 1, "year": 1}}"#, &[]),
        (
            r#"{"keys": {"title": 1}}, {"keys": {"title": 1, "year": 1}}, {"keys": {"title": 1, "year": 1, "meta": 1}}"#,
            &[(0, "title_1_year_1__id_1"), (1, "title_1_year_1_meta_1__id_1")],
        ),
        (r#"{"keys": {"title": 1}}, {"keys": {"title": 1, "year": 1}, "unique": true}"#, &[(0, "title_1_year_1")]),
        // A list in the order of `title, _id` is not in the order of the other index.
        (r#"{"keys": {"title": 1}, "tieBreak": true}, {"keys": {"title": 1, "year": 1}}"#, &[]),
        (r#"{"keys": {"title": 1, "_id": 1}}, {"keys": {"title": 1, "year": 1}}"#, &[]),
        (
            r#"{"keys": {"title": 1}, "tieBreak": false}, {"keys": {"title": 1, "year": 1}}"#,
            &[(0, "title_1_year_1__id_1")],
        ),
        // These do more than make queries quick.
        (r#"{"keys": {"title": 1}, "unique": true}, {"keys": {"title": 1, "year": 1}}"#, &[]),
        (r#"{"keys": {"title": 1}, "sparse": true}, {"keys": {"title": 1, "year": 1}}"#, &[]),
        (r#"{"keys": {"title": 1}, "hidden": true}, {"keys": {"title": 1, "year": 1}}"#, &[]),
        (r#"{"keys": {"year": 1}, "expireAfterSeconds": 5}, {"keys": {"year": 1, "title": 1}}"#, &[]),
        (r#"{"keys": {"title": 1}, "partialFilter": {"year": 1}}, {"keys": {"title": 1, "year": 1}}"#, &[]),
        // These do less.
        (r#"{"keys": {"title": 1}}, {"keys": {"title": 1, "year": 1}, "sparse": true}"#, &[]),
        (r#"{"keys": {"title": 1}}, {"keys": {"title": 1, "year": 1}, "hidden": true}"#, &[]),
        (r#"{"keys": {"title": 1}}, {"keys": {"title": 1, "year": 1}, "partialFilter": {"year": 1}}"#, &[]),
        (r#"{"keys": {"title": 1}}, {"keys": {"title": 1, "meta": "2dsphere"}}"#, &[]),
        (r#"{"keys": {"title": 1}}, {"keys": {"title": 1, "year": 1}, "collation": {"locale": "en"}}"#, &[]),
        (
            r#"{"keys": {"title": 1}, "collation": {"locale": "en"}},
               {"keys": {"title": 1, "year": 1}, "collation": {"locale": "en"}}"#,
            &[(0, "title_1_year_1__id_1")],
        ),
    ];
    for (indexes, useless) in cases {
        let found = with_indexes(indexes);
        assert_eq!(found.len(), useless.len(), "{indexes}: {found:?}");
        for (advice, (at, by)) in found.iter().zip(useless) {
            let start =
                format!("books.json#/x-indexes/{at}: the index `{by}` begins with the same fields; leave this one out");
            assert!(advice.starts_with(&start), "{advice}");
        }
    }
    let kept = with_indexes(r#"{"keys": {"title": 1}}, {"keys": {"title": 1, "year": 1}}"#);
    assert!(
        kept[0].ends_with("or say \"tieBreak\": true to keep it for long lists that are sorted by these fields alone")
    );
}

#[test]
fn knows_indexes_on_fields_that_are_not_declared() {
    let cases = [
        (r#"{"keys": {"titel": 1}}"#, r#"keys/titel: no field `titel` is declared, did you mean "title"?"#),
        (
            r#"{"keys": {"color": 1}}"#,
            "keys/color: no field `color` is declared; declare it, `{}` if nothing more can be said of it",
        ),
        (r#"{"keys": {"meta.town.x": 1}}"#, "keys/meta.town.x: no field `town` is declared"),
        (r#"{"keys": {"parts.nam": 1}}"#, r#"keys/parts.nam: no field `nam` is declared, did you mean "name"?"#),
        (r#"{"keys": {"parts.0.nam": 1}}"#, r#"keys/parts.0.nam: no field `nam` is declared, did you mean "name"?"#),
        (r#"{"keys": {"pair.0.right": 1}}"#, "keys/pair.0.right: no field `right` is declared"),
        (r#"{"keys": {"meta.tow.$**": 1}}"#, "keys/meta.tow.$**: no field `tow` is declared"),
        (
            r#"{"keys": {"year": 1}, "partialFilter": {"titel": {"$exists": true}}}"#,
            "partialFilter/titel: no field `titel` is declared",
        ),
    ];
    for (index, expected) in cases {
        let found = with_indexes(index);
        assert!(found.len() == 1 && found[0].starts_with(&format!("books.json#/x-indexes/0/{expected}")), "{found:?}");
    }
    for fine in [
        "open.a",
        "labels.en",
        "meta.city",
        "parts.name",
        "parts.3.name",
        "pair.0.left",
        "pair.5.x",
        "$**",
        "meta.$**",
        "_id.x",
    ] {
        let file = format!(
            r#"{{"type": "object", "properties": {{{BOOK}, "_id": {{"type": "object"}}}}, "x-indexes": [{{"keys": {{"{fine}": 1}}}}]}}"#
        );
        assert_eq!(advice(&file), Vec::<String>::new(), "{fine}");
    }
    assert_eq!(advice(r#"{"type": "object", "x-indexes": [{"keys": {"a": 1}}]}"#), Vec::<String>::new());
}

#[test]
fn knows_references_without_an_index() {
    let file = |indexes: &str| {
        format!(
            r##"{{"type": "object", "$defs": {{"author": {{"bsonType": "objectId", "x-ref": {{"collection": "authors"}}}}}},
                "properties": {{
                    "author": {{"$ref": "#/$defs/author"}},
                    "lines": {{"type": "array", "items": {{"type": "object", "properties": {{
                        "book": {{"bsonType": "objectId", "x-ref": {{"collection": "books"}}}}}}}}}},
                    "byName": {{"type": "object", "additionalProperties": {{"$ref": "#/$defs/author"}}}}
                }}, "x-indexes": [{indexes}]}}"##
        )
    };
    let author = "books.json#/$defs/author/x-ref: no index begins with `author`: ";
    let book = "books.json#/properties/lines/items/properties/book/x-ref: no index begins with `lines.book`: ";
    let cases = [
        ("", &[author, book][..]),
        (r#"{"keys": {"lines.book": 1, "author": 1}}"#, &[author]),
        (r#"{"keys": {"author": -1}, "sparse": true}, {"keys": {"lines.book": "hashed"}}"#, &[]),
        (r#"{"keys": {"$**": 1}}"#, &[]),
        (r#"{"keys": {"lines.$**": 1}}"#, &[author]),
        (r#"{"keys": {"$**": 1}, "wildcardProjection": {"author": 1}}"#, &[author, book]),
        (r#"{"keys": {"author": 1}, "hidden": true}, {"keys": {"lines.book": 1}}"#, &[author]),
        (
            r#"{"keys": {"author": 1}, "partialFilter": {"author": {"$exists": true}}}, {"keys": {"lines.book": 1}}"#,
            &[],
        ),
        (
            r#"{"keys": {"author": 1}, "partialFilter": {"author": {"$gt": "6650f0000000000000000001"}}},
               {"keys": {"lines.book": 1}}"#,
            &[author],
        ),
    ];
    for (indexes, expected) in cases {
        let found = advice(&file(indexes));
        assert_eq!(found.len(), expected.len(), "{indexes}: {found:?}");
        assert!(found.iter().zip(expected).all(|(found, start)| found.starts_with(start)), "{indexes}: {found:?}");
    }
    let id = r#"{"type": "object", "properties": {"_id": {"bsonType": "objectId", "x-ref": {"collection": "books"}}}}"#;
    assert_eq!(advice(id), Vec::<String>::new());
}

#[test]
fn knows_imports_that_would_store_everything_twice() {
    let file = |id: &str, indexes: &str, access: &str| {
        format!(
            r#"{{"type": "object", "properties": {{"_id": {id}, "code": {{"type": "string"}}}}, "x-indexes": [{indexes}],
                "x-access": {access}}}"#
        )
    };
    let made = r#"{"bsonType": "objectId"}"#;
    let by_role = r#"{"clerk": ["read"], "loader": ["import"], "other": {"ops": ["import", "read"]}}"#;
    let found = advice(&file(made, "", by_role));
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("books.json#/x-access/loader: imports, and nothing tells"), "{found:?}");
    assert!(found[1].starts_with("books.json#/x-access/other: "), "{found:?}");
    let uuid = r#"{"bsonType": "binData", "format": "uuid", "x-set": {"insert": "uuid"}}"#;
    assert_eq!(advice(&file(uuid, "", by_role)).len(), 2);
    for (id, indexes, access) in [
        (made, "", r#"{"admin": ["*"], "clerk": ["read", "write"]}"#),
        (made, r#"{"keys": {"code": 1}, "unique": true, "sparse": true}"#, by_role),
        (r#"{"type": "string"}"#, "", by_role),
    ] {
        assert_eq!(advice(&file(id, indexes, access)), Vec::<String>::new(), "{id} {indexes} {access}");
    }
}

#[test]
fn has_nothing_to_say_of_the_sample() {
    for schema in crate::sample::catalog().unwrap().iter() {
        assert_eq!(advise(schema), []);
    }
}

#[test]
fn knows_keywords_that_say_nothing_alone() {
    let cases = [
        (r#"{"if": {}, "then": {}}"#, &[][..]),
        (r#"{"if": {}, "else": {}}"#, &[]),
        (r#"{"minContains": 1, "contains": {}}"#, &[]),
        (r#"{"if": {}}"#, &["/if: says nothing without `then` or `else` beside it"]),
        (
            r#"{"else": {"minContains": 2}, "then": {}}"#,
            &[
                "/else: says nothing without `if` beside it",
                "/else/minContains: says nothing without `contains` beside it",
                "/then: says nothing without `if` beside it",
            ],
        ),
    ];
    for (field, remarks) in cases {
        let found = advice(&format!(r#"{{"type": "object", "properties": {{"f": {field}}}}}"#));
        let expected: Vec<_> = remarks.iter().map(|remark| format!("books.json#/properties/f{remark}")).collect();
        assert_eq!(found, expected, "{field}");
    }
}
