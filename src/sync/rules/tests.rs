use bson::doc;
use serde_json::json;

use super::*;
use crate::schema::load;

fn strict(validator: Document) -> Rules {
    Rules { validator, level: "strict".to_owned(), action: "error".to_owned() }
}

/// The changes between two schemas as MongoDB has them: `# minimum 0 → 5 tightened`.
fn between(from: &Document, to: &Document) -> Vec<String> {
    let rules = |schema: &Document| strict(doc! { "$jsonSchema": schema });
    lines(&compare(&rules(from), &rules(to)))
}

/// The changes between two collection files that have these `properties`, as they are compiled.
fn between_files(from: &serde_json::Value, to: &serde_json::Value) -> Vec<String> {
    let rules = |properties: &serde_json::Value| {
        let file = json!({ "type": "object", "properties": properties, "$defs": { "odd": { "type": "integer" } } });
        let schema = load::parse("schemas/things.json", "things", file.to_string()).unwrap();
        strict(schema.validator)
    };
    lines(&compare(&rules(from), &rules(to)))
}

fn lines(changes: &[RuleChange]) -> Vec<String> {
    let shown =
        |value: &Option<Bson>| value.clone().map_or_else(|| "·".to_owned(), |v| v.into_relaxed_extjson().to_string());
    let line =
        |c: &RuleChange| format!("{} {} {} → {} {}", c.pointer, c.keyword, shown(&c.from), shown(&c.to), c.kind.name());
    changes.iter().map(line).collect()
}

#[test]
fn tells_what_asks_more_of_values() {
    let cases = [
        (doc! { "minimum": 0 }, doc! { "minimum": 5_i64 }, "# minimum 0 → 5 tightened"),
        (doc! { "maximum": 0 }, doc! { "maximum": 0.5 }, "# maximum 0 → 0.5 loosened"),
        (doc! {}, doc! { "minimum": 5, "exclusiveMinimum": true }, "# exclusiveMinimum · → 5 added"),
        (
            doc! { "minimum": 5 },
            doc! { "minimum": 5.0, "exclusiveMinimum": true },
            r#"# exclusiveMinimum {"minimum":5} → {"exclusiveMinimum":5.0} tightened"#,
        ),
        (doc! { "multipleOf": 2 }, doc! { "multipleOf": 6 }, "# multipleOf 2 → 6 tightened"),
        (doc! { "multipleOf": 6 }, doc! { "multipleOf": 4 }, "# multipleOf 6 → 4 changed"),
        (doc! { "multipleOf": 0.5 }, doc! { "multipleOf": 0.25 }, "# multipleOf 0.5 → 0.25 changed"),
        (doc! { "maxLength": 3 }, doc! { "maxLength": 4 }, "# maxLength 3 → 4 loosened"),
        (doc! { "minItems": 3 }, doc! {}, "# minItems 3 → · removed"),
        (doc! { "pattern": "a" }, doc! { "pattern": r"b(?![\s\S])" }, r#"# pattern "a" → "b$" changed"#),
        (doc! { "uniqueItems": false }, doc! { "uniqueItems": true }, "# uniqueItems · → true added"),
        (
            doc! { "bsonType": ["int", "long"] },
            doc! { "bsonType": "long" },
            r#"# bsonType ["int","long"] → "long" tightened"#,
        ),
        (doc! { "bsonType": "int" }, doc! { "bsonType": "number" }, r#"# bsonType "int" → "number" loosened"#),
        (
            doc! { "type": "string" },
            doc! { "bsonType": "int" },
            "# type \"string\" → · changed\n# bsonType · → \"int\" changed",
        ),
        (doc! { "enum": [1, "a"] }, doc! { "enum": ["a", 1.0, "b"] }, r#"# enum · → "b" loosened"#),
        (doc! { "enum": [1, "a"] }, doc! { "enum": ["a"] }, "# enum 1 → · tightened"),
        (doc! {}, doc! { "enum": ["a"] }, r#"# enum · → ["a"] added"#),
        (doc! { "encrypt": {} }, doc! {}, "# encrypt {} → · changed"),
        (doc! { "not": {} }, doc! { "minimum": 1 }, "# false · → · loosened"),
    ];
    for (from, to, expected) in cases {
        assert_eq!(between(&from, &to).join("\n"), expected, "{from} {to}");
    }
}

#[test]
fn what_means_the_same_is_no_change() {
    let cases = [
        (doc! { "minimum": 5 }, doc! { "minimum": 5.0 }),
        (doc! { "type": "string", "title": "a" }, doc! { "bsonType": "string", "description": "b" }),
        (doc! { "bsonType": ["int", "long", "double", "decimal"] }, doc! { "type": "number" }),
        (doc! { "enum": [1, "a"] }, doc! { "enum": ["a", 1.0] }),
        (doc! { "additionalProperties": { "description": "#" } }, doc! { "additionalProperties": true }),
        (
            doc! { "anyOf": [{ "minimum": 1 }, { "minItems": 1 }] },
            doc! { "anyOf": [{ "minItems": 1 }, { "minimum": 1 }] },
        ),
        (doc! { "items": { "minimum": 1 } }, doc! { "items": [{ "minimum": 1 }], "additionalItems": { "minimum": 1 } }),
        (doc! { "dependencies": { "a": ["b", "c"] } }, doc! { "dependencies": { "a": ["c", "b"] } }),
        (
            doc! { "additionalProperties": false },
            doc! { "additionalProperties": false, "properties": { "a": { "not": {} } } },
        ),
    ];
    for (from, to) in cases {
        assert_eq!(between(&from, &to), Vec::<String>::new(), "{from} {to}");
        assert_eq!(between(&to, &from), Vec::<String>::new(), "{to} {from}");
    }
}

#[test]
fn tells_what_asks_more_of_members() {
    let low = || doc! { "minimum": 1 };
    let of_a = |schema: Document| doc! { "properties": { "a": schema } };
    let closed = |mut schema: Document| {
        schema.insert("additionalProperties", false);
        schema
    };
    let cases = [
        (
            doc! { "required": ["a", "b"] },
            doc! { "required": ["b", "c"] },
            "# required \"a\" → · removed\n# required · → \"c\" added",
        ),
        (doc! {}, of_a(low()), "#/properties/a minimum · → 1 added"),
        (of_a(low()), doc! {}, "#/properties/a minimum 1 → · removed"),
        (closed(doc! {}), closed(of_a(low())), "# properties · → \"a\" loosened"),
        (closed(of_a(low())), closed(doc! {}), "# properties \"a\" → · tightened"),
        (closed(doc! {}), of_a(low()), "# properties · → \"a\" loosened\n# additionalProperties false → · removed"),
        (
            doc! { "additionalProperties": { "minimum": 0 } },
            doc! { "additionalProperties": { "minimum": 0 }, "properties": { "a": low() } },
            "#/properties/a minimum 0 → 1 tightened",
        ),
        (
            closed(doc! { "patternProperties": { "^b": {} } }),
            closed(doc! { "patternProperties": { "^b": {} }, "properties": { "a": low() } }),
            "# properties · → \"a\" changed",
        ),
        (
            closed(doc! {}),
            closed(doc! { "patternProperties": { "^b": {} } }),
            "# patternProperties · → \"^b\" loosened",
        ),
        (
            closed(doc! {}),
            closed(doc! { "patternProperties": { "(*UTF)^c\\.d(?![\\s\\S])": low() } }),
            "# properties · → \"c.d\" loosened",
        ),
        (of_a(low()), of_a(doc! { "minimum": 0 }), "#/properties/a minimum 1 → 0 loosened"),
        (doc! { "properties": { "a.b": low() } }, doc! {}, "# properties {\"a.b\":{\"minimum\":1}} → · changed"),
    ];
    for (from, to, expected) in cases {
        assert_eq!(between(&from, &to).join("\n"), expected, "{from} {to}");
    }
}

#[test]
fn tells_what_asks_more_of_items_and_of_what_depends() {
    let low = || doc! { "minimum": 1 };
    let cases = [
        (doc! { "items": low() }, doc! { "items": { "minimum": 2 } }, "#/items minimum 1 → 2 tightened"),
        (
            doc! { "items": [low()], "additionalItems": false },
            doc! { "items": [low(), {}], "additionalItems": false },
            "# prefixItems false → · removed",
        ),
        (doc! {}, doc! { "dependencies": { "a": ["b"] } }, "# dependentRequired · → {\"a\":[\"b\"]} added"),
        (
            doc! { "dependencies": { "a": low() } },
            doc! { "dependencies": { "a": { "minimum": 0 } } },
            "#/dependentSchemas/a minimum 1 → 0 loosened",
        ),
    ];
    for (from, to, expected) in cases {
        assert_eq!(between(&from, &to).join("\n"), expected, "{from} {to}");
    }
}

#[test]
fn branches_are_told_apart_and_turned_round() {
    let low = |minimum: i32| doc! { "minimum": minimum };
    let cases = [
        (doc! { "not": low(0) }, doc! { "not": low(1) }, "#/not minimum 0 → 1 loosened"),
        (doc! { "not": { "not": low(0) } }, doc! { "not": { "not": low(1) } }, "#/not/not minimum 0 → 1 tightened"),
        (doc! {}, doc! { "not": low(1) }, "# not · → · added"),
        (doc! { "anyOf": [low(0)] }, doc! { "anyOf": [low(1)] }, "#/anyOf/0 minimum 0 → 1 tightened"),
        (
            doc! { "anyOf": [{ "type": "null" }] },
            doc! { "anyOf": [low(0), { "type": "null" }] },
            "# anyOf · → \"#/anyOf/0\" loosened",
        ),
        (doc! { "oneOf": [low(0), low(9)] }, doc! { "oneOf": [low(0), low(8)] }, "#/oneOf/1 minimum 9 → 8 changed"),
        (doc! { "oneOf": [low(0)] }, doc! { "oneOf": [low(0), low(1)] }, "# oneOf · → · changed"),
        (doc! { "allOf": [low(0)] }, doc! { "allOf": [low(0), low(3)] }, "#/allOf/1 minimum · → 3 added"),
    ];
    for (from, to, expected) in cases {
        assert_eq!(between(&from, &to).join("\n"), expected, "{from} {to}");
    }
}

#[test]
fn translations_are_told_in_the_words_of_the_file() {
    let cases = [
        (
            json!({ "a": { "type": "integer" } }),
            json!({ "a": { "type": "number" } }),
            r#"#/properties/a type "integer" → "number" loosened"#,
        ),
        (
            json!({ "a": { "type": ["integer", "null"] } }),
            json!({ "a": { "type": "integer", "bsonType": "long" } }),
            "#/properties/a type [\"null\",\"integer\"] → \"integer\" tightened\n\
             #/properties/a bsonType · → \"long\" tightened",
        ),
        (
            json!({ "a": { "exclusiveMinimum": 1, "minimum": 0 } }),
            json!({ "a": { "exclusiveMinimum": 2, "minimum": 0 } }),
            "#/properties/a exclusiveMinimum 1 → 2 tightened",
        ),
        (
            json!({ "a": { "bsonType": "number", "minimum": 0.1 } }),
            json!({ "a": { "bsonType": "number", "minimum": 0.2 } }),
            "#/properties/a minimum · → · tightened",
        ),
        (json!({ "a": { "enum": [] } }), json!({ "a": {} }), "#/properties/a enum · → · removed"),
        (
            json!({ "a": { "required": ["b.c"] } }),
            json!({ "a": { "required": [] } }),
            "#/properties/a required · → · removed",
        ),
        (
            json!({ "a": { "allOf": [{ "minimum": 1 }] } }),
            json!({ "a": { "allOf": [{ "minLength": 1 }, { "minimum": 1 }] } }),
            "#/properties/a/allOf/0 minLength · → 1 added",
        ),
        (
            json!({ "a": { "$ref": "#/$defs/odd" }, "b": { "$ref": "#/$defs/odd" } }),
            json!({ "a": {}, "b": {} }),
            "#/properties/a type \"integer\" → · removed\n#/properties/b type \"integer\" → · removed",
        ),
    ];
    for (from, to, expected) in cases {
        assert_eq!(between_files(&from, &to).join("\n"), expected, "{from} {to}");
    }
}

#[test]
fn pieces_are_told_as_the_keywords_that_they_are() {
    let piece = |keyword: &str, mut piece: Document| {
        piece.insert("description", format!("#/properties/a/{keyword}"));
        doc! { "properties": { "a": { "description": "#/properties/a", "allOf": [piece] } } }
    };
    let schema = |keyword: &str, minimum: i32| {
        doc! { "description": format!("#/properties/a/{keyword}"), "minimum": minimum }
    };
    let unless = |condition: Document, then: Document| doc! { "anyOf": [{ "not": condition }, then] };
    let then = |condition, minimum| piece("then", unless(schema("if", condition), schema("then", minimum)));
    let contains = |minimum| {
        let none = doc! { "bsonType": "array", "items": { "not": schema("contains", minimum) } };
        piece("contains", doc! { "not": none })
    };
    let needs = |name: &str| piece("dependentRequired/b/0", doc! { "dependencies": { "b": [name] } });
    let wants =
        |minimum| piece("dependentSchemas/b", doc! { "dependencies": { "b": schema("dependentSchemas/b", minimum) } });
    let names = |pattern: &str| {
        piece("propertyNames", doc! { "patternProperties": { pattern: {} }, "additionalProperties": false })
    };
    let format = |pattern: &str| piece("format", doc! { "pattern": pattern });
    let cases = [
        (then(0, 0), then(0, 5), "#/properties/a/then minimum 0 → 5 tightened"),
        (then(0, 0), then(5, 0), "#/properties/a/if minimum 0 → 5 loosened"),
        (doc! {}, then(0, 0), "#/properties/a then · → · added"),
        (contains(0), contains(5), "#/properties/a/contains minimum 0 → 5 tightened"),
        (contains(0), doc! {}, "#/properties/a contains · → · removed"),
        (needs("c"), needs("d"), r#"#/properties/a dependentRequired {"b":["c"]} → {"b":["d"]} changed"#),
        (wants(5), wants(0), "#/properties/a/dependentSchemas/b minimum 5 → 0 loosened"),
        (names("(*UTF)^a"), names("(*UTF)^b"), "#/properties/a propertyNames · → · changed"),
        (format("a"), format("b"), "#/properties/a format · → · changed"),
        (format("a"), doc! {}, "#/properties/a format · → · removed"),
    ];
    for (from, to, expected) in cases {
        assert_eq!(between(&from, &to).join("\n"), expected, "{from} {to}");
    }
}

#[test]
fn how_strictly_a_validator_is_applied_counts() {
    let rules = |level: &str, action: &str| Rules {
        level: level.to_owned(),
        action: action.to_owned(),
        ..strict(Document::new())
    };
    let cases = [
        (rules("moderate", "error"), "# validationLevel \"moderate\" → \"strict\" tightened"),
        (rules("strict", "warn"), "# validationAction \"warn\" → \"error\" tightened"),
        (rules("strict", "log"), "# validationAction \"log\" → \"error\" changed"),
        (Rules { validator: doc! { "a": 1 }, ..rules("strict", "error") }, "# validator · → · changed"),
    ];
    for (from, expected) in cases {
        assert_eq!(lines(&compare(&from, &strict(Document::new()))).join("\n"), expected);
    }
}
