use super::*;

fn shape(text: &str) -> Field {
    let tree = Tree::parse(text.as_bytes(), 64).unwrap();
    let source = Source { path: "schemas/x.json".to_owned(), text: text.to_owned(), tree };
    derive(&source, &source.tree)
}

fn kinds(names: &[&str]) -> Kinds {
    names.iter().map(|name| Kind::named(name).unwrap()).collect()
}

#[test]
fn derives_types() {
    let numbers = &["int", "long", "double", "decimal"][..];
    let cases: [(&str, &[&str], bool); 16] = [
        (r#"{"type": "string"}"#, &["string"], false),
        (r#"{"type": "boolean"}"#, &["bool"], false),
        (r#"{"type": "integer"}"#, numbers, true),
        (r#"{"type": ["number", "null"]}"#, &["int", "long", "double", "decimal", "null"], true),
        (r#"{"bsonType": "number"}"#, numbers, false),
        (r#"{"type": "integer", "bsonType": "long"}"#, &["long"], false),
        (r#"{"type": "integer", "bsonType": ["int", "long"]}"#, &["int", "long"], false),
        (r#"{"bsonType": ["objectId", "string"]}"#, &["objectId", "string"], false),
        (r##"{"$ref": "#/$defs/n", "bsonType": "int", "$defs": {"n": {"type": "number"}}}"##, &["int"], false),
        (r#"{"allOf": [{"type": ["string", "null"]}, {"type": ["null", "object"]}]}"#, &["null"], false),
        (r#"{"anyOf": [{"bsonType": "date"}, {"type": "null"}]}"#, &["date", "null"], false),
        (
            r#"{"oneOf": [{"type": "integer"}, {"type": "string"}]}"#,
            &["int", "long", "double", "decimal", "string"],
            true,
        ),
        (r#"{"anyOf": [{"type": "number"}, {"bsonType": "double"}]}"#, numbers, false),
        (r#"{"type": "string", "not": {"type": "string"}}"#, &["string"], false),
        (r#"{"type": "object", "anyOf": [{"required": ["a"]}, {"required": ["b"]}]}"#, &["object"], false),
        (r#"{"type": "string", "bsonType": "date"}"#, &[], false),
    ];
    for (text, names, loose) in cases {
        let field = shape(text);
        assert_eq!((field.kinds, field.loose_number), (kinds(names), loose), "{text}");
    }
}

#[test]
fn intersects_members_with_what_the_other_side_says() {
    let field = shape(
        r#"{"properties": {"a": {"type": ["string", "null"]}, "b": {"type": "string"}, "d": {}}, "required": ["a"],
            "additionalProperties": {"type": ["string", "boolean"]},
            "allOf": [{"properties": {"a": {"type": "string"}, "c": {"type": ["boolean", "null"]}},
                       "required": ["c", "a"], "additionalProperties": {"type": ["string", "integer"]}}]}"#,
    );
    let expected = [("a", &["string"][..]), ("b", &["string"]), ("c", &["bool"])];
    for (name, names) in expected {
        assert_eq!(field.properties[name].kinds, kinds(names), "{name}");
    }
    assert!(field.properties["d"].loose_number);
    assert_eq!(field.member("other").kinds, kinds(&["string"]));
    assert_eq!(field.required, ["a", "c"]);
}

#[test]
fn drops_members_that_the_other_side_forbids() {
    let field =
        shape(r#"{"properties": {"a": {}}, "allOf": [{"properties": {"b": {}}, "additionalProperties": false}]}"#);
    assert_eq!(field.properties.keys().collect::<Vec<_>>(), ["b"]);
    assert_eq!(field.additional, Additional::Forbidden);
}

#[test]
fn bounds_what_one_list_of_fields_makes_of_another() {
    let list = |count: usize| (0..count).map(|n| format!(r#""f{n}": {{}}"#)).collect::<Vec<_>>().join(",");
    let crossed = |count: usize| {
        let fields = list(count);
        shape(&format!(
            r#"{{"allOf": [{{"properties": {{{fields}}}}}, {{"additionalProperties": {{"properties": {{{fields}}}}}}}]}}"#
        ))
    };
    assert_eq!(crossed(100).properties["f0"].properties.len(), 100);
    let many = crossed(1000);
    assert_eq!((many.properties.len(), &many.properties["f0"]), (1000, &Field::any()));
}

#[test]
fn unites_strictly() {
    let field = shape(
        r#"{"anyOf": [
            {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "required": ["a", "b"]},
            {"type": "object", "properties": {"a": {"type": "null"}, "c": {"type": "null"}}, "required": ["a"],
             "additionalProperties": false},
            {"type": "null"}]}"#,
    );
    assert_eq!(field.properties["a"].kinds, kinds(&["string", "null"]));
    assert_eq!(field.properties["b"].kinds, kinds(&["string"]), "the second alternative has no `b`");
    assert_eq!(field.properties["c"].kinds, Kinds::ANY, "the first alternative says nothing of `c`");
    assert_eq!(field.additional, Additional::Any);
    assert_eq!(field.required, ["a"]);
    assert_eq!(field.kinds, kinds(&["object", "null"]));
}

#[test]
fn unites_items_only_where_both_say_something() {
    let both = shape(r#"{"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "null"}]}"#);
    assert_eq!(both.item().kinds, kinds(&["string"]));
    let one = shape(r#"{"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "array"}]}"#);
    assert_eq!(one.items, None);
}

#[test]
fn takes_what_is_said_of_a_field_from_itself_and_its_parts() {
    let field = shape(
        r##"{"$defs": {"stamp": {"bsonType": "date", "x-set": {"insert": "now", "update": "now"}}},
             "$ref": "#/$defs/stamp", "allOf": [{"readOnly": true}],
             "anyOf": [{"x-ref": {"collection": "never"}}]}"##,
    );
    assert_eq!(field.set, Some(Set { insert: Some(Stamp::Now), update: Some(Stamp::Now) }));
    assert!(field.read_only);
    assert_eq!(field.reference, None);
}

#[test]
fn tells_uuids_from_plain_bytes() {
    assert!(shape(r#"{"bsonType": "binData", "format": "uuid"}"#).uuid);
    assert!(shape(r#"{"anyOf": [{"bsonType": "binData", "format": "uuid"}, {"type": "null"}]}"#).uuid);
    assert!(!shape(r#"{"anyOf": [{"bsonType": "binData", "format": "uuid"}, {"bsonType": "binData"}]}"#).uuid);
}

#[test]
fn ends_on_recursive_and_on_exploding_schemas() {
    shape(r##"{"properties": {"self": {"$ref": "#"}}}"##);
    shape(r##"{"allOf": [{"$ref": "#"}, {"$ref": "#"}]}"##);
    shape(r##"{"$ref": "#"}"##);
}

#[test]
fn reads_defaults_as_the_declared_type() {
    let field = shape(r#"{"type": "object", "properties": {"n": {"bsonType": "long", "default": 5}}}"#);
    assert_eq!(field.properties["n"].default, Some(RawBson::Int64(5)));
    let wrong = shape(r#"{"type": "object", "properties": {"n": {"bsonType": "long", "default": "many"}}}"#);
    assert_eq!(wrong.properties["n"].default, None);
}
