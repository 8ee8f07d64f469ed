use super::*;

fn shape(text: &str) -> Field {
    let source = Source::parse("schemas/x.json", text.to_owned(), 64).unwrap();
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
fn tells_items_apart_by_their_position() {
    let text =
        r#"{"type": "array", "prefixItems": [{"bsonType": "date"}, {"type": "string"}], "items": {"bsonType": "int"}}"#;
    let field = shape(text);
    let at: Vec<_> = (0..4).map(|index| field.at(index).kinds).collect();
    assert_eq!(at, [kinds(&["date"]), kinds(&["string"]), kinds(&["int"]), kinds(&["int"])]);
    assert_eq!(field.item().kinds, kinds(&["date", "string", "int"]));
    for (rest, expected) in
        [("", Kinds::ANY), (r#", "items": false"#, kinds(&["date"])), (r#", "items": {}"#, Kinds::ANY)]
    {
        let field = shape(&format!(r#"{{"prefixItems": [{{"bsonType": "date"}}]{rest}}}"#));
        assert_eq!(field.item().kinds, expected, "{rest}");
    }
}

#[test]
fn combines_items_position_by_position() {
    const LONG: &str =
        r#"{"type": "array", "prefixItems": [{"bsonType": ["int", "long"]}, {"type": "string"}], "items": false}"#;
    const SHORT: &str =
        r#"{"type": "array", "prefixItems": [{"bsonType": ["long", "date"]}], "items": {"type": ["string", "null"]}}"#;
    let at = |keyword: &str| {
        let field = shape(&format!(r#"{{"{keyword}": [{LONG}, {SHORT}]}}"#));
        [0, 1, 2].map(|index| field.at(index).kinds)
    };
    assert_eq!(at("allOf"), [kinds(&["long"]), kinds(&["string"]), Kinds::NONE]);
    let either = [kinds(&["int", "long", "date"]), kinds(&["string", "null"]), kinds(&["string", "null"])];
    assert_eq!(at("anyOf"), either);
    let beside = shape(&format!(r#"{{"anyOf": [{LONG}, {{"type": "null"}}]}}"#));
    assert_eq!((beside.at(1).kinds, beside.at(2).kinds), (kinds(&["string"]), Kinds::NONE));
    let many = |count: usize| {
        format!(
            r#"{{"allOf": [{{"prefixItems": [{}]}}, {{"items": {{"properties": {{{}}}}}}}]}}"#,
            vec!["{}"; count].join(","),
            (0..count).map(|n| format!(r#""f{n}": {{}}"#)).collect::<Vec<_>>().join(",")
        )
    };
    assert_eq!(shape(&many(100)).at(7).properties.len(), 100);
    assert_eq!(shape(&many(1000)).at(7), &Field::any());
}

#[test]
fn undeclared_members_are_what_patterns_and_the_rest_allow() {
    let cases: [(&str, &[&str]); 6] = [
        (r#""additionalProperties": false"#, &["date", "int"]),
        (r#""additionalProperties": {"type": "string"}"#, &["date", "int", "string"]),
        (r#""additionalProperties": false, "properties": {"a_x": {"type": "null"}}"#, &["date", "int"]),
        (
            r#""additionalProperties": false, "allOf": [{"additionalProperties": {"bsonType": ["date", "null"]}}]"#,
            &["date"],
        ),
        (r#""additionalProperties": false, "allOf": [{"patternProperties": {"^a": false}}]"#, &["date", "int"]),
        (
            r#""additionalProperties": false, "allOf": [{"patternProperties": {"^a": {"bsonType": "date"}}, "additionalProperties": false}]"#,
            &["date"],
        ),
    ];
    for (more, names) in cases {
        let field = shape(&format!(
            r#"{{"patternProperties": {{"^a_": {{"bsonType": "date"}}, "_b$": {{"bsonType": "int"}}}}, {more}}}"#
        ));
        assert_eq!(field.member("a_b").kinds, kinds(names), "{more}");
    }
    let open = shape(r#"{"patternProperties": {"^a_": {"bsonType": "date"}}}"#);
    assert_eq!(open.additional, Additional::Any);
    let closed = shape(r#"{"patternProperties": {"^a_": false}, "additionalProperties": false}"#);
    assert!(!closed.allows("a_b"));
}

#[test]
fn what_is_left_is_known_where_all_others_are_named() {
    for (text, additional) in [
        (r#"{"properties": {"a": {}}, "unevaluatedProperties": false}"#, Additional::Forbidden),
        (
            r##"{"oneOf": [{"$ref": "#/x"}, {"properties": {"b": {}}}], "x": {}, "unevaluatedProperties": false}"##,
            Additional::Forbidden,
        ),
        (r#"{"unevaluatedProperties": true}"#, Additional::Any),
        (r#"{"allOf": [{"unevaluatedProperties": false}], "unevaluatedProperties": false}"#, Additional::Forbidden),
        (r#"{"allOf": [{"patternProperties": {"a": {}}}], "unevaluatedProperties": false}"#, Additional::Any),
        (r#"{"dependentSchemas": {"a": {}}, "unevaluatedProperties": false}"#, Additional::Any),
        (r#"{"if": {}, "unevaluatedProperties": false}"#, Additional::Any),
    ] {
        assert_eq!(shape(text).additional, additional, "{text}");
    }
    assert!(
        shape(r#"{"anyOf": [{"properties": {"b": {}}}, {}], "unevaluatedProperties": false}"#)
            .properties
            .contains_key("b")
    );
}

#[test]
fn conditions_say_what_both_ways_say() {
    let cases: [(&str, &[&str]); 5] = [
        (
            r#"{"if": {"type": "string"}, "then": {"type": "string"}, "else": {"bsonType": "date"}}"#,
            &["string", "date"],
        ),
        (r#"{"if": {"type": ["string", "null"]}, "then": {"type": ["null", "boolean"]}, "else": false}"#, &["null"]),
        (r#"{"if": true, "else": {"bsonType": "date"}, "type": "string"}"#, &["string"]),
        (r#"{"bsonType": ["date", "string"], "if": {"bsonType": "date"}, "then": false}"#, &["date", "string"]),
        (
            r#"{"bsonType": ["date", "string"], "then": {"bsonType": "date"}, "else": {"bsonType": "date"}}"#,
            &["date", "string"],
        ),
    ];
    for (text, names) in cases {
        assert_eq!(shape(text).kinds, kinds(names), "{text}");
    }
}

#[test]
fn booleans_are_schemas() {
    let field =
        shape(r#"{"properties": {"no": false, "any": true}, "items": false, "anyOf": [false, {"type": "object"}]}"#);
    assert_eq!((field.properties["no"].kinds, &field.properties["any"]), (Kinds::NONE, &Field::any()));
    assert_eq!((field.item().kinds, field.kinds), (Kinds::NONE, kinds(&["object"])));
}

#[test]
fn other_keywords_say_nothing_of_types() {
    for text in [
        r#"{"contains": {"type": "string"}, "minContains": 0}"#,
        r#"{"dependentSchemas": {"a": {"type": "null"}}, "propertyNames": {"type": "string"}}"#,
        r#"{"not": {"type": "string"}, "dependentRequired": {"a": ["b"]}}"#,
    ] {
        assert_eq!(shape(text), Field::any(), "{text}");
    }
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
