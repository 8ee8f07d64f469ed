use bson::{Bson, doc};

use super::*;
use crate::schema::load;

fn library() -> Schema {
    let file = r#"{
        "type": "object",
        "additionalProperties": false,
        "required": ["shelf", "place"],
        "properties": {
            "isbn": { "type": "string" },
            "shelf": { "type": "string" },
            "place": { "type": "string" },
            "code": { "type": "string" },
            "title": { "type": "string" },
            "author": { "type": "string" },
            "year": { "bsonType": "int" },
            "price": { "bsonType": "int" },
            "lang": { "type": "string" },
            "seen": { "bsonType": "date" },
            "tags": { "type": "array", "items": { "type": "string" } },
            "words": { "type": "array", "items": { "type": "string" } },
            "spot": { "type": "object" },
            "lent": { "type": "array", "items": { "type": "object", "properties": {
                "to": { "type": "string" }, "at": { "bsonType": "date" } } } }
        },
        "x-indexes": [
            { "keys": { "isbn": 1 }, "unique": true, "sparse": true },
            { "keys": { "shelf": 1, "place": 1 }, "unique": true },
            { "keys": { "author": 1, "year": -1 } },
            { "keys": { "lang": 1, "author": 1, "title": 1 } },
            { "keys": { "year": -1 } },
            { "keys": { "title": 1 } },
            { "keys": { "title": 1, "price": 1 } },
            { "keys": { "tags": 1, "title": 1 } },
            { "keys": { "price": 1, "tags": 1 } },
            { "keys": { "code": 1, "tags": 1 }, "tieBreak": false },
            { "keys": { "seen": 1 }, "partialFilter": { "seen": { "$exists": true } } }
        ]
    }"#;
    load::parse("schemas/books.json", "books", file.to_owned()).unwrap()
}

/// A file with this index, which must be one that can be loaded.
fn declaring(keys: &Document) -> Schema {
    let file = doc! { "type": "object", "x-indexes": [{ "keys": keys.clone() }] };
    load::parse("schemas/books.json", "books", serde_json::to_string(&file).unwrap()).unwrap()
}

#[test]
fn a_list_without_sort_has_the_order_of_the_index_that_serves_it() {
    let schema = library();
    let long: Vec<_> = (0..201).map(Bson::from).collect();
    for (filter, expected) in [
        (doc! {}, doc! { "_id": 1 }),
        (doc! { "author": "x" }, doc! { "year": -1, "_id": -1 }),
        (doc! { "author": { "$eq": "x" } }, doc! { "year": -1, "_id": -1 }),
        (doc! { "$and": [{ "$and": [{ "author": "x" }] }, { "price": { "$ne": 1 } }] }, doc! { "year": -1, "_id": -1 }),
        (doc! { "author": "x", "year": 1 }, doc! { "_id": -1 }),
        // Most equality fields, then a range, then the file's order.
        (doc! { "author": "x", "lang": "en" }, doc! { "title": 1, "_id": 1 }),
        (doc! { "author": "x", "year": { "$gt": 1 } }, doc! { "year": -1, "_id": -1 }),
        (doc! { "year": { "$gte": 1, "$lt": 5 } }, doc! { "year": -1, "_id": -1 }),
        (doc! { "year": 5, "title": "x" }, doc! { "_id": -1 }),
        (doc! { "title": "x", "price": { "$gt": 1 } }, doc! { "price": 1, "_id": 1 }),
        (doc! { "title": { "$regex": "^I?l" } }, doc! { "_id": 1 }),
        (doc! { "title": { "$regex": "^I" } }, doc! { "title": 1, "_id": 1 }),
        (doc! { "title": { "$regex": "^I", "$options": "i" } }, doc! { "_id": 1 }),
        (doc! { "title": { "$regex": "^I|^J" } }, doc! { "_id": 1 }),
        // Not one value, or not in all documents.
        (doc! { "author": Bson::Null }, doc! { "_id": 1 }),
        (doc! { "author": { "$in": ["x"] } }, doc! { "_id": 1 }),
        (doc! { "year": { "$in": long } }, doc! { "year": -1, "_id": -1 }),
        (doc! { "author": { "$not": { "$eq": "x" } } }, doc! { "_id": 1 }),
        (doc! { "$or": [{ "author": "x" }, { "author": "y" }] }, doc! { "_id": 1 }),
        (doc! { "price": { "$gt": 5 }, "seen": { "$gt": 5 } }, doc! { "price": 1, "tags": 1, "_id": 1 }),
        (doc! { "seen": { "$gt": 5 } }, doc! { "_id": 1 }),
        // Arrays.
        (doc! { "tags": "x" }, doc! { "title": 1, "_id": 1 }),
        (doc! { "tags": { "$gt": "x" } }, doc! { "_id": 1 }),
        (doc! { "price": 1 }, doc! { "tags": 1, "_id": 1 }),
        (doc! { "price": 1, "tags": { "$ne": "x" } }, doc! { "_id": 1 }),
        // Unique indexes.
        (doc! { "isbn": "x", "author": "x" }, doc! { "isbn": 1 }),
        (doc! { "isbn": { "$gt": "x" } }, doc! { "_id": 1 }),
        (doc! { "shelf": "x" }, doc! { "place": 1 }),
        (doc! { "_id": 1, "author": "x" }, doc! { "_id": 1 }),
        // No index without a tie-break.
        (doc! { "code": "x" }, doc! { "_id": 1 }),
    ] {
        assert_eq!(order(&schema, &filter, &[]), expected, "{filter}");
    }
}

#[test]
fn an_order_in_which_no_page_could_be_continued_is_not_chosen() {
    let item = r#"{ "type": "array", "items": { "type": "object", "properties": { "b": { "type": "string" } } } }"#;
    let file = format!(
        r#"{{ "type": "object", "properties": {{ "typed": {{ "type": "array", "items": {{ "type": "string" }} }},
            "list": {item} }}, "x-indexes": [
            {{ "keys": {{ "x": 1, "open.0": 1 }} }},
            {{ "keys": {{ "x": 1, "open": 1, "open.b": 1 }} }},
            {{ "keys": {{ "y": 1, "list": 1, "list.b": 1 }} }},
            {{ "keys": {{ "open.1": 1, "open.b": 1 }}, "unique": true }},
            {{ "keys": {{ "z": 1, "typed.0": 1 }} }}
        ] }}"#
    );
    let schema = load::parse("schemas/books.json", "books", file).unwrap();
    for (filter, expected) in [
        (doc! { "x": 1 }, doc! { "_id": 1 }),
        (doc! { "y": 1 }, doc! { "_id": 1 }),
        (doc! { "open.1": 1, "open.b": 1 }, doc! { "_id": 1 }),
        (doc! { "z": 1 }, doc! { "typed.0": 1, "_id": 1 }),
    ] {
        assert_eq!(order(&schema, &filter, &[]), expected, "{filter}");
    }
}

#[test]
fn the_items_of_one_array_are_in_order_only_where_no_condition_narrows_them() {
    let file = r#"{ "type": "object", "properties": { "lent": { "type": "array", "items": { "type": "object", "properties": {
        "to": { "type": "string" }, "at": { "type": "array", "items": { "bsonType": "date" } } } } } }, "x-indexes": [
        { "keys": { "lent.to": 1, "lent.at": 1 } }, { "keys": { "x": 1, "lent.at": 1 } } ] }"#;
    let schema = load::parse("schemas/books.json", "books", file.to_owned()).unwrap();
    for (filter, expected) in [
        (doc! { "lent.to": "x" }, doc! { "_id": 1 }),
        (doc! { "x": 1 }, doc! { "lent.at": 1, "_id": 1 }),
        (doc! { "x": 1, "lent.to": "x" }, doc! { "lent.at": 1, "_id": 1 }),
        (doc! { "x": 1, "lent.at": { "$gt": 1 } }, doc! { "_id": 1 }),
    ] {
        assert_eq!(order(&schema, &filter, &[]), expected, "{filter}");
    }
}

#[test]
fn names_the_missing_index() {
    let schema = library();
    let mut bare = schema.clone();
    bare.indexes.clear();
    let id = || doc! { "_id": 1 };
    let sphere = doc! { "$geoWithin": { "$geometry": {} } };
    for (filter, sort, expected) in [
        (doc! { "author": "x" }, id(), Some(doc! { "author": 1 })),
        (doc! { "author": "x" }, doc! { "_id": -1 }, Some(doc! { "author": 1 })),
        (doc! { "author": "x", "year": { "$gt": 1 } }, id(), Some(doc! { "author": 1, "year": 1 })),
        (
            doc! { "year": { "$gt": 1, "$lt": 3 }, "author": "x" },
            doc! { "title": -1, "_id": -1 },
            Some(doc! { "author": 1, "title": -1, "_id": -1, "year": 1 }),
        ),
        (doc! { "author": "x" }, doc! { "year": -1, "_id": -1 }, Some(doc! { "author": 1, "year": -1 })),
        (doc! { "author": "x" }, doc! { "year": -1, "_id": 1 }, Some(doc! { "author": 1, "year": -1, "_id": 1 })),
        (doc! { "author": "x" }, doc! { "author": 1, "year": 1, "_id": 1 }, Some(doc! { "author": 1, "year": 1 })),
        (doc! { "author": { "$in": ["x", "y"] } }, doc! { "year": 1, "_id": 1 }, Some(doc! { "author": 1, "year": 1 })),
        (doc! {}, doc! { "year": 1, "_id": 1 }, Some(doc! { "year": 1 })),
        (doc! {}, doc! { "_id": 1, "year": 1 }, Some(doc! { "_id": 1, "year": 1 })),
        (doc! {}, doc! { "_id": -1 }, None),
        // MongoDB reads a range behind a sort from the documents only.
        (doc! { "year": { "$gt": 1 } }, doc! { "title": 1, "_id": 1 }, Some(doc! { "year": 1 })),
        (doc! { "year": { "$gt": 1 }, "_id": { "$gt": 1 } }, id(), Some(doc! { "year": 1 })),
        (doc! { "author": "x", "_id": { "$gt": 1 } }, id(), Some(doc! { "author": 1 })),
        (doc! { "_id": "x", "year": 1 }, id(), None),
        // One array at most.
        (doc! { "tags": "x", "words": "y", "year": 1 }, id(), Some(doc! { "tags": 1, "year": 1 })),
        (doc! { "tags": "x" }, doc! { "words": 1, "_id": 1 }, Some(doc! { "tags": 1 })),
        (doc! { "author": "x", "tags": { "$gt": "x" } }, id(), Some(doc! { "author": 1 })),
        (doc! { "tags": { "$gt": "x" } }, id(), Some(doc! { "tags": 1 })),
        (doc! { "lent": { "$elemMatch": { "at": { "$gt": 1 }, "to": "x" } } }, id(), Some(doc! { "lent.to": 1 })),
        (doc! { "lent.at": 1, "lent.to": "x", "tags": "y" }, id(), Some(doc! { "lent.at": 1, "lent.to": 1 })),
        // What no index helps with.
        (doc! { "title": { "$regex": "us$" } }, doc! { "title": 1, "_id": 1 }, None),
        (doc! { "title": { "$regex": "us$" }, "author": Bson::Null }, id(), Some(doc! { "author": 1 })),
        (doc! { "tags": { "$size": 2 } }, id(), None),
        (doc! { "$nor": [{ "author": "x" }] }, id(), None),
        (doc! { "$text": { "$search": "x" } }, doc! { "year": 1, "_id": 1 }, None),
        (doc! { "author": { "$ne": "x" } }, id(), None),
        (doc! { "spot": sphere.clone() }, id(), Some(doc! { "spot": "2dsphere" })),
        (doc! { "spot": sphere, "author": "x" }, id(), Some(doc! { "author": 1 })),
        // Branches.
        (doc! { "$or": [{ "author": "x" }, { "title": "y" }] }, id(), Some(doc! { "author": 1 })),
        (doc! { "$or": [{ "author": "x" }, { "tags": { "$size": 1 } }] }, id(), None),
        (doc! { "$or": [{ "author": "x" }, { "title": "y" }], "year": 1 }, id(), Some(doc! { "year": 1 })),
    ] {
        let missing = missing_index(&bare, &filter, &sort).map(|missing| missing.keys);
        assert_eq!(missing, expected, "{filter} by {sort}");
        if let Some(keys) = expected {
            declaring(&keys);
        }
    }
}

#[test]
fn an_index_that_only_begins_alike_has_not_the_order() {
    let schema = library();
    for (filter, sort, keys, is_declared) in [
        (doc! { "title": "x" }, doc! { "_id": -1 }, doc! { "title": 1 }, true),
        (doc! { "author": "x" }, doc! { "_id": 1 }, doc! { "author": 1 }, false),
        (doc! { "code": "x" }, doc! { "_id": 1 }, doc! { "code": 1 }, false),
        (doc! { "shelf": "x" }, doc! { "place": 1, "_id": 1 }, doc! { "shelf": 1, "place": 1 }, false),
        (doc! { "isbn": { "$gt": "x" } }, doc! { "_id": 1 }, doc! { "isbn": 1 }, false),
        // No index has these in order.
        (doc! { "tags": { "$gt": "x" } }, doc! { "_id": 1 }, doc! { "tags": 1 }, true),
        (doc! { "year": { "$gt": 1 } }, doc! { "title": 1, "_id": 1 }, doc! { "year": 1 }, true),
        (doc! { "$or": [{ "author": "x" }, { "title": "y" }] }, doc! { "_id": 1 }, doc! { "author": 1 }, false),
        (doc! { "$or": [{ "title": "x" }, { "author": "y" }] }, doc! { "_id": 1 }, doc! { "author": 1 }, false),
    ] {
        let missing = missing_index(&schema, &filter, &sort);
        assert_eq!(missing, Some(MissingIndex { keys, is_declared }), "{filter} by {sort}");
    }
}

#[test]
fn each_branch_needs_an_index() {
    let schema = library();
    let branches = doc! { "$or": [{ "author": "x" }, { "lang": "en" }, { "price": 3 }, { "words": "y" }] };
    assert_eq!(
        missing_index(&schema, &branches, &doc! { "_id": 1 }).map(|missing| missing.keys),
        Some(doc! { "words": 1 }),
        "the others are declared"
    );
}

#[test]
fn the_missing_index_gives_lists_without_sort_their_order() {
    let mut schema = library();
    for filter in [
        doc! { "author": "x", "price": { "$gt": 1 } },
        doc! { "words": "x", "year": { "$lt": 1 } },
        doc! { "lang": "x", "place": { "$regex": "^a" } },
    ] {
        schema.indexes.clear();
        let keys = missing_index(&schema, &filter, &doc! { "_id": 1 }).unwrap().keys;
        schema.indexes = declaring(&keys).indexes;
        let followed = order(&schema, &filter, &[]);
        let last = keys.keys().last().unwrap();
        assert_eq!(followed, doc! { last: 1, "_id": 1 }, "{filter}");
    }
}

#[test]
fn an_order_tells_of_nothing_that_is_out_of_sight() {
    let file = |flag: &str| {
        let file = format!(
            r#"{{"type":"object","properties":{{"cost":{{"bsonType":"int"{flag}}},"rank":{{"bsonType":"int"}},
                "note":{{"type":"string","writeOnly":true}}}},"x-indexes":[{{"keys":{{"rank":1,"cost":1}}}}]}}"#
        );
        load::parse("schemas/x.json", "x", file).unwrap()
    };
    let (seen, hidden, filter) = (file(""), file(r#","writeOnly":true"#), doc! { "rank": { "$eq": 1 } });
    let avoid = |name: &str| [name.to_owned()];
    assert_eq!(order(&seen, &filter, &[]), doc! { "cost": 1, "_id": 1 });
    assert_eq!(order(&seen, &filter, &avoid("costs")), doc! { "cost": 1, "_id": 1 });
    for (schema, avoided) in [(&hidden, "x"), (&seen, "cost"), (&seen, "cost.of"), (&seen, "rank")] {
        assert_eq!(order(schema, &filter, &avoid(avoided)), doc! { "_id": 1 }, "{avoided}");
    }
}
