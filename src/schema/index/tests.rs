use bson::doc;

use super::*;
use crate::schema::field;

fn read(properties: &str, indexes: &str) -> (Vec<Index>, Vec<String>) {
    let text = format!(
        r#"{{"type": "object", "additionalProperties": false, "properties": {properties}, "x-indexes": {indexes}}}"#
    );
    let source = Source::parse("x.json", text, 64).unwrap();
    let mut report = Report::new(&source.path);
    let indexes = parse(&source, &field::derive_root(&source), &mut report);
    (indexes, report.finish().iter().map(ToString::to_string).collect())
}

const BOOK: &str = r#"{"title": {"type": "string"}, "year": {"bsonType": "int"}, "tags": {"type": "array",
    "items": {"type": "object", "properties": {"name": {}}, "additionalProperties": false}}, "meta": {"type": "object"}}"#;

#[test]
fn appends_the_tie_break_to_plain_indexes_alone() {
    let cases = [
        (r#"{"keys": {"year": 1}}"#, "year_1__id_1", doc! {"year": 1, "_id": 1}),
        (r#"{"keys": {"title": 1, "year": -1.0}}"#, "title_1_year_-1__id_-1", doc! {"title": 1, "year": -1, "_id": -1}),
        (r#"{"keys": {"year": 1}, "name": "by_year"}"#, "by_year", doc! {"year": 1, "_id": 1}),
        (r#"{"keys": {"_id": 1, "year": 1}}"#, "_id_1_year_1", doc! {"_id": 1, "year": 1}),
        (r#"{"keys": {"year": 1}, "unique": true}"#, "year_1", doc! {"year": 1}),
        (r#"{"keys": {"year": 1}, "unique": false}"#, "year_1__id_1", doc! {"year": 1, "_id": 1}),
        (r#"{"keys": {"year": 1}, "sparse": true}"#, "year_1", doc! {"year": 1}),
        (r#"{"keys": {"year": 1}, "expireAfterSeconds": 0}"#, "year_1", doc! {"year": 1}),
        (r#"{"keys": {"year": 1}, "tieBreak": false}"#, "year_1", doc! {"year": 1}),
        (r#"{"keys": {"title": "text"}}"#, "title_text", doc! {"title": "text"}),
        (r#"{"keys": {"title": "hashed"}}"#, "title_hashed", doc! {"title": "hashed"}),
        (
            r#"{"keys": {"meta.place": "2dsphere", "year": 1}}"#,
            "meta.place_2dsphere_year_1",
            doc! {"meta.place": "2dsphere", "year": 1},
        ),
        (r#"{"keys": {"$**": 1}}"#, "$**_1", doc! {"$**": 1}),
        (r#"{"keys": {"$**": "text"}}"#, "$**_text", doc! {"$**": "text"}),
        (r#"{"keys": {"meta.$**": 1}}"#, "meta.$**_1", doc! {"meta.$**": 1}),
        (r#"{"keys": {"tags.name": 1}}"#, "tags.name_1__id_1", doc! {"tags.name": 1, "_id": 1}),
        (r#"{"keys": {"tags.0.name": 1}}"#, "tags.0.name_1__id_1", doc! {"tags.0.name": 1, "_id": 1}),
    ];
    for (text, name, keys) in cases {
        let (indexes, mistakes) = read(BOOK, &format!("[{text}]"));
        assert_eq!(mistakes, Vec::<String>::new(), "{text}");
        assert_eq!((indexes[0].name.as_str(), &indexes[0].keys), (name, &keys), "{text}");
    }
}

#[test]
fn names_options_as_mongodb_does() {
    let (indexes, mistakes) = read(
        BOOK,
        r#"[{"keys": {"title": "text"}, "weights": {"title": 5}, "defaultLanguage": "french", "hidden": true},
            {"keys": {"$**": 1}, "wildcardProjection": {"meta": 0, "_id": true}},
            {"keys": {"title": 1}, "unique": true, "sparse": false, "collation": {"locale": "en", "strength": 2}},
            {"keys": {"year": -1}, "expireAfterSeconds": 3600, "collation": {"locale": "simple"}}]"#,
    );
    assert_eq!(mistakes, Vec::<String>::new());
    let expected = [
        doc! {"hidden": true, "weights": {"title": 5}, "default_language": "french"},
        doc! {"wildcardProjection": {"meta": 0, "_id": 1}},
        doc! {"unique": true, "collation": {"locale": "en", "strength": 2}},
        doc! {"expireAfterSeconds": 3600},
    ];
    for (index, options) in indexes.iter().zip(expected) {
        assert_eq!(index.options, options, "{}", index.name);
    }
}

#[test]
fn gives_the_values_of_a_partial_filter_their_types() {
    let (indexes, mistakes) = read(
        r#"{"year": {"bsonType": "long"}, "tags": {"type": "array", "items": {"type": "string"}}}"#,
        r#"[{"keys": {"year": 1}, "partialFilter": {"year": {"$gte": 1970, "$exists": true}, "tags": {"$in": ["a"]}}},
            {"keys": {"tags": 1}, "partialFilter": {"tags": "a", "year": {"$type": "long"}}}]"#,
    );
    assert_eq!(mistakes, Vec::<String>::new());
    let filter = |at: usize| indexes[at].options.get_document("partialFilterExpression").unwrap().clone();
    assert_eq!(filter(0), doc! {"year": {"$gte": 1970_i64, "$exists": true}, "tags": {"$in": ["a"]}});
    assert_eq!(filter(1), doc! {"tags": "a", "year": {"$type": "long"}});
}

/// A list of indexes, and the one mistake in it.
const MISTAKES: &[(&str, &str)] = &[
    (
        r#"{"keys": {"title": "text", "meta": "2dsphere"}}"#,
        "#/x-indexes/0/keys: only one of \"text\", \"2dsphere\" and \"hashed\" can be in an index",
    ),
    (r#"{"keys": {"title": "text", "year": 1, "meta.a": "text"}}"#, "#/x-indexes/0/keys: text keys stand side by side"),
    (r#"{"keys": {"$**": 1}, "sparse": true}"#, "#/x-indexes/0/sparse: a wildcard index is always sparse"),
    ("5", "#/x-indexes/0: must be an object with `keys`"),
    (r#"{"unique": true}"#, "#/x-indexes/0: needs `keys`, an object of at least one field, such as {\"title\": 1}"),
    (r#"{"keys": {}}"#, "#/x-indexes/0/keys: needs `keys`, an object of at least one field, such as {\"title\": 1}"),
    (r#"{"keys": {"year": 2}}"#, "#/x-indexes/0/keys/year: must be 1, -1, \"text\", \"2dsphere\" or \"hashed\""),
    (r#"{"keys": {"yaer": 1}}"#, "#/x-indexes/0/keys/yaer: there is no field `yaer`, did you mean \"year\"?"),
    (
        r#"{"keys": {"title.x": 1}}"#,
        "#/x-indexes/0/keys/title.x: `x` is looked for in a field that holds neither an object nor a list",
    ),
    (r#"{"keys": {"tags.nam": 1}}"#, "#/x-indexes/0/keys/tags.nam: there is no field `nam`, did you mean \"name\"?"),
    (
        r#"{"keys": {"meta..a": 1}}"#,
        "#/x-indexes/0/keys/meta..a: must be the path of a field, such as `publisher.city`",
    ),
    (r#"{"keys": {"_id": 1}}"#, "#/x-indexes/0/keys: `_id` has an index already"),
    (
        r#"{"keys": {"$**": 1, "year": 1}}"#,
        "#/x-indexes/0/keys: a wildcard is the only key of its index, and is 1, or \"text\" for `$**`",
    ),
    (r#"{"keys": {"year": 1}, "uniqe": true}"#, "#/x-indexes/0/uniqe: unknown option, did you mean \"unique\"?"),
    (r#"{"keys": {"year": 1}, "unique": 1}"#, "#/x-indexes/0/unique: must be `true` or `false`"),
    (
        r#"{"keys": {"year": "hashed"}, "unique": true}"#,
        "#/x-indexes/0/unique: a hashed or wildcard index cannot be unique",
    ),
    (
        r#"{"keys": {"year": "hashed"}, "tieBreak": true}"#,
        "#/x-indexes/0/tieBreak: only plain ascending and descending indexes can end in `_id`",
    ),
    (r#"{"keys": {"year": 1}, "name": "_id_"}"#, "#/x-indexes/0/name: must be a name that MongoDB does not use itself"),
    (r#"{"keys": {"year": 1}, "weights": {}}"#, "#/x-indexes/0/weights: needs a text index"),
    (
        r#"{"keys": {"year": 1}, "wildcardProjection": {"a": 1}}"#,
        "#/x-indexes/0/wildcardProjection: needs the wildcard `$**` as the index's key",
    ),
    (
        r#"{"keys": {"year": 1}, "expireAfterSeconds": -1}"#,
        "#/x-indexes/0/expireAfterSeconds: must be a whole number of seconds from 0 to 2147483647",
    ),
    (
        r#"{"keys": {"year": 1}, "collation": {"strength": 2}}"#,
        "#/x-indexes/0/collation: must be an object with a `locale`, such as {\"locale\": \"en\", \"strength\": 2}",
    ),
    (
        r#"{"keys": {"year": 1}, "collation": {"locale": "en", "strenght": 2}}"#,
        "#/x-indexes/0/collation/strenght: unknown option, did you mean \"strength\"?",
    ),
    (
        r#"{"keys": {"year": 1}, "partialFilter": {"year": {"$ne": 5}}}"#,
        "#/x-indexes/0/partialFilter/year: unknown operator `$ne`",
    ),
    (
        r#"{"keys": {"year": 1}, "partialFilter": {"year": {"$exists": false}}}"#,
        "#/x-indexes/0/partialFilter/year: `$exists` must be `true` in a partial index",
    ),
    (
        r#"{"keys": {"year": 1}, "partialFilter": {"$or": []}}"#,
        "#/x-indexes/0/partialFilter/$or: must be the path of a field, such as `publisher.city`",
    ),
    (r#"{"keys": {"year": 1}}, {"keys": {"year": 1}}"#, "#/x-indexes/1/keys: another index has the same keys"),
    (
        r#"{"keys": {"year": 1}, "name": "a"}, {"keys": {"title": 1}, "name": "a"}"#,
        "#/x-indexes/1/name: another index is called `a`",
    ),
];

#[test]
fn refuses_what_is_wrong() {
    for (text, mistake) in MISTAKES {
        assert_eq!(read(BOOK, &format!("[{text}]")).1, [format!("x.json{mistake}")], "{text}");
    }
}

#[test]
fn refuses_to_tell_which_values_a_write_only_field_has() {
    let cases = [
        (r#"{"keys": {"title": 1}}"#, false),
        (r#"{"keys": {"year": 1, "title": 1}, "unique": true}"#, true),
        (r#"{"keys": {"year": 1}, "unique": true}"#, false),
        (r#"{"keys": {"tags.name": 1}, "unique": true}"#, true),
        (r#"{"keys": {"tags": 1}, "unique": true}"#, true),
        (r#"{"keys": {"meta.a": 1}, "unique": true}"#, true),
        (r#"{"keys": {"meta": 1}, "unique": true}"#, true),
    ];
    for (text, refused) in cases {
        let text = format!(r#"{{"type": "object", "properties": {BOOK}, "x-indexes": [{text}]}}"#);
        let source = Source::parse("x.json", text.clone(), 64).unwrap();
        let mut root = field::derive_root(&source);
        root.properties["title"].write_only = true;
        root.properties["meta"].write_only = true;
        root.properties["tags"].items.as_mut().unwrap().properties["name"].write_only = true;
        let mut report = Report::new("x.json");
        parse(&source, &root.prepared(), &mut report);
        let places: Vec<_> = report.finish().into_iter().map(|mistake| mistake.pointer).collect();
        assert_eq!(places, if refused { vec!["/x-indexes/0/unique"] } else { vec![] }, "{text}");
    }
}
