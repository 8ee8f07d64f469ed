use std::fs;

use super::*;
use crate::schema::{Additional, Kind, Kinds, Set, Stamp};

mod shared;

fn mistakes(text: &str) -> Vec<String> {
    match parse("schemas/books.json", "books", text.to_owned()) {
        Ok(_) => Vec::new(),
        Err(mistakes) => mistakes.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn a_closed_schema_says_nothing_of_an_id_that_another_one_declares() {
    let text = r#"{"type": "object", "allOf": [
        {"properties": {"_id": {"bsonType": "int"}}}, {"properties": {"a": {}}, "additionalProperties": false}
    ]}"#;
    let schema = parse("schemas/books.json", "books", text.to_owned()).unwrap();
    assert_eq!(schema.id().kinds, Kinds::from(Kind::Int));
}

#[test]
fn suggests_the_keyword_that_was_meant() {
    let text = r#"{"type": "object", "properties": {"price": {"bsonType": "decimal", "minimun": 0}}}"#;
    assert_eq!(
        mistakes(text),
        [r#"schemas/books.json#/properties/price/minimun: unknown keyword, did you mean "minimum"?"#]
    );
}

/// A subschema that stands at the field `f`, and the one mistake in it.
const MISTAKES: &[(&str, &str)] = &[
    (r#"{"zzzzzz": 1}"#, "/zzzzzz: unknown keyword"),
    (r#"{"writeOnly": 1}"#, "/writeOnly: must be `true` or `false`"),
    (
        r#"{"type": "array", "items": {"writeOnly": true}}"#,
        "/items/writeOnly: belongs on a field with a path: not inside a list or a map, nor under a name with `.` or `$`",
    ),
    (
        r#"{"anyOf": [{"writeOnly": true}]}"#,
        "/anyOf/0/writeOnly: belongs on the field itself, not where it would hold for some values only",
    ),
    (
        r#"{"writeOnly": true, "readOnly": true}"#,
        "/writeOnly: nobody could write or read a field that is also `readOnly` or `x-set`",
    ),
    (
        r#"{"if": {}, "then": {"default": 1}}"#,
        "/then/default: belongs on the field itself, not where it would hold for some values only",
    ),
    (
        r#"{"minContains": 2, "contains": {}}"#,
        "/minContains: not supported above 1: a MongoDB validator cannot count the items that match a schema",
    ),
    (r#"{"dependentRequired": {"a": ["\u0000"]}}"#, "/dependentRequired/a/0: the name of a field cannot contain NUL"),
    (r#"{"dependentSchemas": {"\u0000": true}}"#, "/dependentSchemas/\0: the name of a field cannot contain NUL"),
    (r#"{"dependentRequired": {"a": "b"}}"#, "/dependentRequired: must be an object of lists of distinct names"),
    (r#"{"$anchor": "a"}"#, "/$anchor: not supported: refer to places by their pointer, `#/$defs/…`"),
    (r#"{"$id": "a"}"#, "/$id: belongs at the root of the file only"),
    (r#"{"x-indexes": []}"#, "/x-indexes: belongs at the root of the file only"),
    (r#"{"title": 5}"#, "/title: must be a string"),
    (r#"{"minLength": -1}"#, "/minLength: must be a whole number from 0"),
    (r#"{"multipleOf": 0}"#, "/multipleOf: must be a number above 0"),
    (
        r#"{"exclusiveMinimum": true}"#,
        "/exclusiveMinimum: must be a number, or a string of digits where the declared type is written as one",
    ),
    (r#"{"required": ["a", "a"]}"#, "/required: must be a list of distinct names"),
    (r#"{"anyOf": []}"#, "/anyOf: must be a list of at least one schema"),
    (r#"{"items": [{}]}"#, "/items: must be one schema, not a list"),
    (r#"{"allOf": [3]}"#, "/allOf/0: must be a schema: an object, `true` or `false`"),
    (r#"{"additionalProperties": "no"}"#, "/additionalProperties: must be a schema, `true` or `false`"),
    (r#"{"type": "objectId"}"#, r#"/type: `objectId` is a BSON type: use "bsonType": "objectId""#),
    (r#"{"type": ["string", "nul"]}"#, r#"/type/1: unknown type `nul`, did you mean "null"?"#),
    (r#"{"type": "Float"}"#, r#"/type: unknown type `Float`: use "bsonType": "double""#),
    (
        r#"{"type": "any"}"#,
        "/type: unknown type `any`; there are `string`, `number`, `integer`, `boolean`, `object`, `array`, `null`",
    ),
    (r#"{"bsonType": "boolean"}"#, r#"/bsonType: unknown BSON type `boolean`: use "bsonType": "bool""#),
    (r#"{"bsonType": "integer"}"#, r#"/bsonType: unknown BSON type `integer`: use "bsonType": "int" or "long""#),
    (
        r#"{"bsonType": "uuid"}"#,
        r#"/bsonType: unknown BSON type `uuid`: use "bsonType": "binData" beside "format": "uuid""#,
    ),
    (r#"{"bsonType": "date", "const": "2020-01-01"}"#, "/const: is of type `string`, and the field holds `date`"),
    (r#"{"bsonType": "int", "enum": [1, 1.5]}"#, "/enum/1: is of type `double`, and the field holds `int`"),
    (
        r#"{"bsonType": "objectId", "anyOf": [{"const": "me"}]}"#,
        "/anyOf/0/const: is of type `string`, and the field holds `objectId`",
    ),
    (r#"{"bsonType": "objectid"}"#, r#"/bsonType: unknown BSON type `objectid`, did you mean "objectId"?"#),
    (r#"{"type": "string", "bsonType": "date"}"#, "/bsonType: no value is of this type and of the `type` beside it"),
    (r#"{"type": "string", "format": "emial"}"#, r#"/format: unknown format `emial`, did you mean "email"?"#),
    (
        r#"{"properties": {"title": {}}, "additionalProperties": false, "required": ["titel"]}"#,
        r#"/required/0: `titel` is required but not declared, did you mean "title"?"#,
    ),
    (r#"{"x-ref": {}}"#, "/x-ref: needs `collection`, the name of the collection it points into"),
    (r#"{"x-ref": {"collection": "a", "onDelete": "restrict"}}"#, r#"/x-ref/onDelete: not supported yet; use "none""#),
    (r#"{"x-ref": {"collection": "a", "check": true}}"#, "/x-ref/check: not supported yet"),
    (r#"{"x-set": {"update": "uuid"}}"#, r#"/x-set/update: must be "now" or "user""#),
    (r#"{"x-set": {"insert": "who"}}"#, r#"/x-set/insert: must be "now", "user" or "uuid""#),
    (
        r#"{"bsonType": "date", "x-set": {"update": "user"}}"#,
        "/x-set/update: `user` needs a field that can hold the callers' ids: a string, objectId, int, long, or \"bsonType\": \"binData\" with \"format\": \"uuid\"",
    ),
    (
        r#"{"type": "string", "x-set": {"insert": "now"}}"#,
        r#"/x-set/insert: `now` needs a field that can hold a date: "bsonType": "date""#,
    ),
    (
        r#"{"bsonType": "binData", "x-set": {"insert": "uuid"}}"#,
        "/x-set/insert: `uuid` needs a field that can hold a string, or \"bsonType\": \"binData\" with \"format\": \"uuid\"",
    ),
    (
        r#"{"x-set": {"insert": "now"}, "default": null}"#,
        "/default: has no use beside `x-set`, which always writes the field",
    ),
    (
        r#"{"items": {"properties": {"a": {"readOnly": true}}}}"#,
        "/items/properties/a/readOnly: belongs on a field with a path: not inside a list or a map, nor under a name with `.` or `$`",
    ),
    (
        r#"{"properties": {"a.b": {"default": 1}}}"#,
        "/properties/a.b/default: belongs on a field with a path: not inside a list or a map, nor under a name with `.` or `$`",
    ),
    (
        r#"{"anyOf": [{"x-set": {"insert": "now"}}]}"#,
        "/anyOf/0/x-set: belongs on the field itself, not where it would hold for some values only",
    ),
    (r##"{"$ref": "#/$defs/nothing"}"##, "/$ref: leads nowhere"),
    (r##"{"$ref": "#/properties"}"##, "/$ref: leads to something that is not a schema"),
    (r##"{"$ref": "#name"}"##, "/$ref: not supported: refer to places by their pointer, `#/$defs/…`"),
    (r#"{"$ref": "shared/isbn.json"}"#, "/$ref: there is no file `shared/isbn.json` in the folder"),
    (
        r#"{"$ref": "https://example.org/s"}"#,
        "/$ref: not supported: nothing is fetched; copy the schema into the folder",
    ),
    (r##"{"$ref": "#"}"##, "/$ref: leads back to itself: a MongoDB validator cannot be recursive"),
];

#[test]
fn refuses_what_a_field_cannot_say() {
    for (field, mistake) in MISTAKES {
        let text = format!(r#"{{"type": "object", "properties": {{"f": {field}}}}}"#);
        assert_eq!(mistakes(&text), [format!("schemas/books.json#/properties/f{mistake}")], "{field}");
    }
}

#[test]
fn refuses_what_a_file_cannot_say() {
    let cases = [
        ("{\n \"type\" \"object\"}", "#: line 2, column 9: expected `:`"),
        ("{\"title\": 1, \"title\": 2}", "#: line 1, column 22: duplicate key `title`"),
        ("true", "#: a collection holds objects: say \"type\": \"object\" at the root"),
        ("[]", "#: must be a schema: an object, `true` or `false`"),
        (r#"{"type": "array"}"#, "#: a collection holds objects: say \"type\": \"object\" at the root"),
        (
            r#"{"$schema": "http://json-schema.org/draft-07/schema#", "type": "object"}"#,
            "#/$schema: must be \"https://json-schema.org/draft/2020-12/schema\", the only dialect there is here",
        ),
        (
            r#"{"type": "object", "allOf": [{"type": ["string", "number"]}]}"#,
            "#: no object fits what `allOf`, `anyOf`, `oneOf` and `$ref` say of the types",
        ),
        (
            r#"{"type": "object", "allOf": [{"properties": {"_id": {"type": ["array", "string"]}}}]}"#,
            "#: `_id` must say which types it may have, and `array`, `regex` and `undefined` cannot be among them",
        ),
        (r#"{"type": "object", "x-access": []}"#, "#/x-access: must be an object"),
        (r#"{"type": "object", "x-collection": []}"#, "#/x-collection: must be an object"),
        (r#"{"type": "object", "default": {}}"#, "#/default: belongs on a field, not on the whole document"),
        (
            r#"{"type": "object", "anyOf": [{"properties": {"_id": {"bsonType": "int"}}}, {"additionalProperties": false}]}"#,
            "#: `_id` must say which types it may have, and `array`, `regex` and `undefined` cannot be among them",
        ),
        (
            r#"{"type": "object", "if": {"required": ["a"]}, "then": {"properties": {"_id": {"bsonType": "int"}}}}"#,
            "#: `_id` must say which types it may have, and `array`, `regex` and `undefined` cannot be among them",
        ),
        (
            r#"{"type": "object", "properties": {"_id": {"type": "array"}}}"#,
            "#/properties/_id: `_id` must say which types it may have, and `array`, `regex` and `undefined` cannot be among them",
        ),
        (
            r#"{"type": "object", "properties": {"_id": {"bsonType": "date", "x-set": {"update": "now"}}}}"#,
            "#/properties/_id/x-set: an `_id` never changes: only `insert` can write it",
        ),
        (
            r#"{"type": "object", "properties": {"_id": {"type": "object", "properties": {"pin": {"writeOnly": true}}}}}"#,
            "#/properties/_id: no part of an `_id` can be `writeOnly`: cursors hold all of it",
        ),
    ];
    for (text, mistake) in cases {
        assert_eq!(mistakes(text), [format!("schemas/books.json{mistake}")], "{text}");
    }
}

#[test]
fn bounds_what_references_unfold_to() {
    let doubling: Vec<_> = (0..20)
        .map(|n| format!(r##""d{n}": {{"allOf": [{{"$ref": "#/$defs/d{0}"}}, {{"$ref": "#/$defs/d{0}"}}]}}"##, n + 1))
        .collect();
    let file = |defs: &str, last: &str| {
        format!(r##"{{"type": "object", "$ref": "#/$defs/d0", "$defs": {{{defs}, {last}}}}}"##)
    };
    let deep = mistakes(&file(&doubling.join(","), r#""d20": {}"#));
    assert!(deep.iter().any(|mistake| mistake.contains("stands deeper than 32 schemas")), "{deep:?}");
    let wide = mistakes(&file(&doubling[..14].join(","), r#""d14": {}"#));
    assert_eq!(wide, ["schemas/books.json#: unfolds to more than 10000 schemas"]);
    let chain: Vec<_> = (0..9000).map(|n| format!(r##""d{n}": {{"$ref": "#/$defs/d{}"}}"##, n + 1)).collect();
    assert!(!mistakes(&file(&chain.join(","), r#""d9000": {}"#)).is_empty());
}

#[test]
fn takes_every_supported_keyword() {
    let text = r##"{
        "$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "https://example.org/books",
        "$comment": "c", "title": "t", "description": "d", "examples": [], "deprecated": true,
        "$defs": {"code/part": {"type": "string", "minLength": 1, "maxLength": 9.0, "pattern": "^a"}},
        "type": "object", "minProperties": 1, "maxProperties": 9, "additionalProperties": {"type": "string"},
        "required": ["code"],
        "properties": {
            "_id": {"bsonType": "binData", "format": "uuid", "x-set": {"insert": "uuid"}},
            "code": {"$ref": "#/$defs/code~1part", "description": "beside"},
            "again": {"$ref": "https://example.org/books#/properties/code"},
            "n": {"type": "number", "minimum": 0, "maximum": 9, "exclusiveMinimum": -1, "exclusiveMaximum": 10, "multipleOf": 0.5},
            "m": {"bsonType": ["number", "null"], "not": {"enum": [1]}, "const": 2},
            "l": {"type": "array", "items": {"bsonType": "objectId", "x-ref": {"collection": "a", "onDelete": "none"}},
                  "minItems": 0, "maxItems": 3, "uniqueItems": true},
            "o": {"allOf": [{"readOnly": true}], "anyOf": [{}], "oneOf": [{}]}
        }
    }"##;
    assert_eq!(mistakes(text), Vec::<String>::new());
}

const BOOKS: &str = r#"{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Book",
  "description": "A title that the library owns.",
  "type": "object",
  "required": ["title", "isbn", "author"],
  "additionalProperties": false,
  "properties": {
    "_id":       { "bsonType": "objectId" },
    "title":     { "type": "string", "minLength": 1, "maxLength": 300 },
    "isbn":      { "type": "string", "pattern": "^97[89][0-9]{10}$" },
    "author":    { "bsonType": "objectId", "x-ref": { "collection": "authors", "onDelete": "none" } },
    "published": { "bsonType": "date" },
    "price":     { "bsonType": "decimal", "minimum": 0 },
    "stock":     { "bsonType": "int", "minimum": 0, "default": 0 },
    "tags":      { "type": "array", "items": { "type": "string" }, "uniqueItems": true, "default": [] },
    "createdAt": { "bsonType": "date", "x-set": { "insert": "now" } },
    "updatedAt": { "bsonType": "date", "x-set": { "insert": "now", "update": "now" } }
  },
  "examples": [ { "title": "The Dispossessed", "isbn": "9780060512750", "author": "6650f0000000000000000001" } ],
  "x-indexes": [
    { "keys": { "isbn": 1 }, "unique": true },
    { "keys": { "author": 1, "published": -1 } },
    { "keys": { "title": "text" } }
  ]
}"#;

#[test]
fn reads_a_whole_file() {
    let schema = parse("schemas/books.json", "books", BOOKS.to_owned()).unwrap();
    let kind = |name: &str| schema.root.properties[name].kinds.iter().map(Kind::name).collect::<Vec<_>>();
    assert_eq!(schema.root.kinds, Kinds::from(Kind::Object));
    assert_eq!(schema.root.additional, Additional::Forbidden);
    assert_eq!(schema.root.required, ["title", "isbn", "author"]);
    assert_eq!(schema.root.properties.keys().next().unwrap(), "_id");
    assert_eq!([kind("author"), kind("published"), kind("price")], [["objectId"], ["date"], ["decimal"]]);
    assert_eq!(schema.root.properties["author"].reference.as_ref().unwrap().collection, "authors");
    assert_eq!(schema.root.properties["stock"].default, Some(bson::RawBson::Int32(0)));
    assert_eq!(schema.root.properties["tags"].item().kinds, Kinds::from(Kind::String));
    let stamps = Set { insert: Some(Stamp::Now), update: Some(Stamp::Now) };
    assert_eq!(schema.root.properties["updatedAt"].set, Some(stamps));
    let names: Vec<_> = schema.indexes.iter().map(|index| index.name.as_str()).collect();
    assert_eq!(names, ["isbn_1", "author_1_published_-1__id_-1", "title_text"]);
    assert!(schema.validator.contains_key("$jsonSchema"));
}

#[test]
fn refuses_a_default_of_another_type() {
    let text = r#"{"type": "object", "properties": {"f": {"bsonType": "int", "default": "many"}}}"#;
    assert_eq!(
        mistakes(text),
        ["schemas/books.json#/properties/f/default: is of type `string`, and the field holds `int`"]
    );
}

#[test]
fn reports_the_mistakes_of_all_files_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    write("zines.json", br#"{"type": "object", "titel": "x", "properties": {"a": {"x-ref": {"collection": "book"}}}}"#);
    write("books.json", b"{\"type\": \n oops}");
    write("Bad Name.json", b"{}");
    write("latin.json", b"{\"title\": \"\xfc\"}");
    write("marked.json", b"\xef\xbb\xbf{}");
    write("huge.json", &vec![b' '; (1 << 20) + 1]);
    write("notes.txt", b"ignored");
    fs::create_dir(folder.path().join("shared")).unwrap();
    fs::create_dir(folder.path().join("folder.json")).unwrap();
    let Err(Error::Schemas(mistakes)) = Catalog::load(folder.path()) else { panic!("it loads") };
    let shown: Vec<_> = mistakes.iter().map(ToString::to_string).collect();
    let at = |rest: &str| format!("{}/{rest}", folder.path().display());
    assert_eq!(
        shown,
        [
            at(
                "Bad Name.json#: a collection is named by its file: a small letter, then up to 62 letters, digits, `_` or `-`"
            ),
            at("books.json#: line 2, column 2: expected value"),
            at("huge.json#: is over the limit of 1048576 bytes"),
            at("latin.json#: line 1, column 12: not UTF-8"),
            at("marked.json#: begins with a byte order mark; save it as UTF-8 without one"),
            at(r#"zines.json#/properties/a/x-ref/collection: no collection `book` is declared, did you mean "books"?"#),
            at(r#"zines.json#/titel: unknown keyword, did you mean "title"?"#),
        ]
    );
}

#[cfg(unix)]
#[test]
fn follows_links_inside_the_folder_only() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let outside = other.path().join("secret.json");
    fs::write(&outside, "{}").unwrap();
    fs::create_dir(folder.path().join("..data")).unwrap();
    fs::write(folder.path().join("..data/books.json"), "{}").unwrap();
    std::os::unix::fs::symlink(&outside, folder.path().join("secrets.json")).unwrap();
    std::os::unix::fs::symlink("..data/books.json", folder.path().join("books.json")).unwrap();
    let Err(Error::Schemas(mistakes)) = Catalog::load(folder.path()) else { panic!("it loads") };
    let details: Vec<_> = mistakes.iter().map(|mistake| mistake.detail.as_str()).collect();
    assert_eq!(
        details,
        [
            "a collection holds objects: say \"type\": \"object\" at the root",
            "is a link that leads out of the folder; copy the file into it",
        ]
    );
}

#[test]
fn says_what_to_do_without_files() {
    let folder = tempfile::tempdir().unwrap();
    let empty = Catalog::load(folder.path()).unwrap_err().to_string();
    assert!(empty.contains("has no collection files: put one JSON Schema per collection into it"), "{empty}");
    let missing = Catalog::load(&folder.path().join("none")).unwrap_err().to_string();
    assert!(missing.starts_with("there is no folder `"), "{missing}");
}
