//! The keywords that MongoDB does not have as draft 2020-12 has them: what they let in and what they keep out.

use bson::{Bson, bson, doc};

use super::{create, decimal, insert};

/// A subschema of the field `a`, values that it lets in, and values that it keeps out.
struct Verdicts {
    schema: &'static str,
    valid: Vec<Bson>,
    invalid: Vec<Bson>,
}

fn verdicts<const V: usize, const I: usize>(schema: &'static str, valid: [Bson; V], invalid: [Bson; I]) -> Verdicts {
    Verdicts { schema, valid: valid.into(), invalid: invalid.into() }
}

async fn hold(cases: Vec<Verdicts>) {
    let test = crate::support::database().await;
    let mut wrong = Vec::new();
    for (i, case) in cases.into_iter().enumerate() {
        let schema = create(&test.db, &format!("c{i}"), super::file(case.schema)).await;
        let all = case.valid.into_iter().map(|value| (value, true));
        for (value, valid) in all.chain(case.invalid.into_iter().map(|value| (value, false))) {
            let violations = insert(&test.db, &schema, doc! { "a": value.clone() }).await;
            if violations.is_empty() != valid {
                wrong.push(format!("{} on {value}, {valid} expected: {violations:?}", case.schema));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Values of every type that JSON has.
fn others() -> [Bson; 6] {
    [bson!("x"), bson!(1), Bson::Null, bson!([]), bson!({}), bson!(true)]
}

#[tokio::test]
async fn boolean_schemas_let_everything_in_or_nothing() {
    hold(vec![
        verdicts("true", others(), []),
        verdicts(r#"{"properties": {"x": false}}"#, [bson!({"y": 1}), bson!(1)], [bson!({"x": 1})]),
        verdicts(r#"{"items": false}"#, [bson!([]), bson!("x")], [bson!([1])]),
        verdicts(r#"{"anyOf": [false, true]}"#, others(), []),
        verdicts(r#"{"not": false}"#, others(), []),
        verdicts(r#"{"not": true}"#, [], others()),
        verdicts(r#"{"if": true, "then": {"type": "string"}, "else": false}"#, [bson!("x")], [bson!(1)]),
        verdicts(r#"{"dependentSchemas": {"x": false}}"#, [bson!({"y": 1})], [bson!({"x": 1})]),
    ])
    .await;
}

#[tokio::test]
async fn patterns_of_names_match_characters_not_bytes() {
    hold(vec![
        verdicts(
            r#"{"patternProperties": {"^.$": {"type": "string"}}, "additionalProperties": false}"#,
            [bson!({"é": "x"}), bson!({"📖": "x"}), bson!({}), bson!(1)],
            [bson!({"é": 1}), bson!({"ab": "x"}), bson!({"é\n": "x"})],
        ),
        verdicts(
            r#"{"patternProperties": {"\\.": {"type": "string"}, "a": {"maxLength": 1}}}"#,
            [bson!({"a.b": "x"}), bson!({"a": 1})],
            [bson!({"x.y": 1}), bson!({"a.b": "xy"})],
        ),
        // One pattern in PCRE, two as they are written, and the name of a property.
        verdicts(
            r#"{"patternProperties": {"^a\\.b$": {"type": "string"}, "^\\u0061\\.b$": {"minLength": 2}},
                "properties": {"a.b": {"maxLength": 3}}}"#,
            [bson!({"a.b": "xy"})],
            [bson!({"a.b": 1}), bson!({"a.b": "x"}), bson!({"a.b": "wxyz"})],
        ),
    ])
    .await;
}

#[tokio::test]
async fn names_are_held_to_a_schema() {
    let [text, number, null, list, object, boolean] = others();
    hold(vec![
        verdicts(
            r#"{"propertyNames": {"maxLength": 2}}"#,
            [bson!({"éé": 1}), text, number, null, list, object, boolean],
            [bson!({"abc": 1})],
        ),
        verdicts(
            r#"{"propertyNames": {"pattern": "^a+$"}}"#,
            [bson!({"aa": 1})],
            [bson!({"aab": 1}), bson!({"a\n": 1})],
        ),
        verdicts(
            r#"{"propertyNames": {"enum": ["a", "b.c", 3]}}"#,
            [bson!({"a": 1, "b.c": 2})],
            [bson!({"bxc": 1}), bson!({"3": 1})],
        ),
        verdicts(r#"{"propertyNames": {"const": 3}}"#, [bson!({})], [bson!({"a": 1})]),
        verdicts(r#"{"propertyNames": false}"#, [bson!({}), bson!([1])], [bson!({"a": 1})]),
        verdicts(r#"{"propertyNames": {"type": "integer"}}"#, [bson!({})], [bson!({"1": 1})]),
        verdicts(
            r#"{"propertyNames": {"type": ["string", "null"], "minimum": 3, "minProperties": 9}}"#,
            [bson!({"a": 1})],
            [],
        ),
        verdicts(r#"{"propertyNames": {"format": "ipv4"}}"#, [bson!({"1.2.3.4": 1})], [bson!({"1.2.3": 1})]),
    ])
    .await;
}

#[tokio::test]
async fn names_are_held_to_schemas_put_together() {
    hold(vec![
        verdicts(
            r#"{"propertyNames": {"oneOf": [{"pattern": "a"}, {"minLength": 3}], "not": {"const": "x"}}}"#,
            [bson!({"a": 1}), bson!({"xyz": 1})],
            [bson!({"abc": 1}), bson!({"b": 1}), bson!({"x": 1})],
        ),
        verdicts(
            r#"{"propertyNames": {"anyOf": [{"pattern": "^(.)\\1$"}, {"pattern": "^(.)(.)\\2\\1$"}]}}"#,
            [bson!({"aa": 1, "abba": 2})],
            [bson!({"ab": 1}), bson!({"abab": 1})],
        ),
        verdicts(
            r#"{"propertyNames": {"if": {"maxLength": 2}, "then": {"pattern": "a"}, "else": {"pattern": "b"}}}"#,
            [bson!({"xa": 1, "xxb": 2})],
            [bson!({"xb": 1}), bson!({"xxa": 1})],
        ),
        verdicts(r##"{"propertyNames": {"$ref": "#/$defs/isbn"}}"##, [bson!({"9780000000000": 1})], [bson!({"1": 1})]),
    ])
    .await;
}

#[tokio::test]
async fn items_are_held_to_their_positions() {
    hold(vec![
        verdicts(
            r#"{"prefixItems": [{"type": "string"}, {"type": "integer"}]}"#,
            [bson!(["x", 1, null]), bson!(["x"]), bson!([]), bson!({"0": 1})],
            [bson!([1]), bson!(["x", "y"])],
        ),
        verdicts(
            r#"{"prefixItems": [true, false]}"#,
            [bson!([1])],
            [bson!([1, 2])],
        ),
        verdicts(
            r#"{"items": {"bsonType": "long"}, "prefixItems": [{"type": "string"}]}"#,
            [bson!(["x", 1_i64])],
            [bson!(["x", 1]), bson!([1_i64])],
        ),
        verdicts(r#"{"items": false, "prefixItems": [{}]}"#, [bson!([1]), bson!("x")], [bson!([1, 2])]),
        verdicts(
            r#"{"prefixItems": [{"bsonType": "decimal", "minimum": "0.1"}, {"bsonType": "date", "const": "2024-05-01T00:00:00Z"}]}"#,
            [bson!([decimal("0.1")])],
            [bson!([decimal("0.09")]), bson!([decimal("1"), "2024-05-01T00:00:00Z"])],
        ),
    ])
    .await;
}

#[tokio::test]
async fn an_array_contains_an_item_that_matches() {
    hold(vec![
        verdicts(r#"{"contains": {"const": 1}}"#, [bson!([2, 1.0]), bson!(2), bson!({})], [bson!([]), bson!([2])]),
        verdicts(r#"{"contains": {"const": 1}, "minContains": 0}"#, [bson!([]), bson!([2])], []),
        verdicts(r#"{"contains": true}"#, [bson!([1])], [bson!([])]),
        verdicts(r#"{"contains": false}"#, [bson!("x")], [bson!([1]), bson!([])]),
        verdicts(r#"{"minContains": 1, "then": false, "else": false, "if": false}"#, [], others()),
        verdicts(r#"{"minContains": 2, "then": false}"#, others(), []),
    ])
    .await;
}

#[tokio::test]
async fn rules_hold_on_a_condition() {
    hold(vec![
        verdicts(
            r#"{"if": {"type": "string"}, "then": {"minLength": 2}, "else": {"minimum": 2}}"#,
            [bson!("xy"), bson!(2), Bson::Null],
            [bson!("x"), bson!(1)],
        ),
        verdicts(r#"{"if": {"minimum": 0}, "then": {"multipleOf": 2}}"#, [bson!(2), bson!(-1), bson!("x")], [bson!(1)]),
        verdicts(r#"{"if": {"minimum": 0}, "else": {"multipleOf": 2}}"#, [bson!(1), bson!(-2)], [bson!(-1)]),
        verdicts(
            r#"{"if": {"properties": {"k": {"const": 1}}, "required": ["k"]}, "then": {"required": ["v"]}}"#,
            [bson!({"k": 1, "v": 1}), bson!({"k": 2}), bson!({}), bson!([])],
            [bson!({"k": 1})],
        ),
    ])
    .await;
}

#[tokio::test]
async fn members_depend_on_each_other() {
    hold(vec![
        verdicts(
            r#"{"dependentRequired": {"x": ["y", "z"], "e": []}}"#,
            [bson!({"y": 1}), bson!({"x": 1, "y": 1, "z": 1}), bson!({"e": 1}), bson!(1), bson!([])],
            [bson!({"x": 1}), bson!({"x": 1, "y": 1})],
        ),
        verdicts(
            r#"{"dependentRequired": {"x.y": ["p"], "p": ["", "q.r"]}}"#,
            [bson!({"x": {"y": 1}}), bson!({"x.y": 1, "p": 1, "": 1, "q.r": 1}), bson!([{"x.y": 1}]), bson!(1)],
            [bson!({"x.y": 1}), bson!({"p": 1, "": 1}), bson!({"p": 1, "q": {"r": 1}, "": 1})],
        ),
        verdicts(
            r#"{"dependentSchemas": {"x": {"properties": {"y": {"type": "string"}}}, "u.v": {"required": ["w"]}}}"#,
            [bson!({"y": 1}), bson!({"x": 1, "y": "s"}), bson!({"u.v": 1, "w": 1}), bson!({"u": {"v": 1}}), bson!("x")],
            [bson!({"x": 1, "y": 1}), bson!({"u.v": 1})],
        ),
    ])
    .await;
}

#[tokio::test]
async fn formats_hold_for_strings_alone() {
    let id = bson::Uuid::new();
    hold(vec![
        verdicts(
            r#"{"format": "date"}"#,
            [bson!("2024-02-29"), bson!(1), Bson::Null],
            [bson!("2023-02-29"), bson!("2024-02-29\n")],
        ),
        verdicts(r#"{"format": "email", "pattern": "a"}"#, [bson!("a@b.c")], [bson!("b@b.c"), bson!("a")]),
        verdicts(
            r#"{"format": "email", "maxLength": 9}"#,
            [bson!("a@b.c")],
            [bson!(format!("{}@b.c", "a".repeat(65)))],
        ),
        verdicts(
            r#"{"bsonType": "date", "format": "date-time"}"#,
            [bson::DateTime::now().into()],
            [bson!("2024-05-01T00:00:00Z")],
        ),
        verdicts(r#"{"bsonType": "binData", "format": "uuid"}"#, [id.into()], [bson!(id.to_string())]),
        verdicts(
            r#"{"bsonType": ["binData", "string"], "format": "uuid"}"#,
            [id.into(), bson!(id.to_string())],
            [bson!("x")],
        ),
        verdicts(r#"{"not": {"format": "uuid"}}"#, [bson!("x")], [bson!(id.to_string()), bson!(1)]),
    ])
    .await;
}

/// Texts that a pattern could take long to refuse.
#[tokio::test]
async fn formats_refuse_long_texts_at_once() {
    let test = crate::support::database().await;
    let long = |head: &str, part: &str, tail: &str| format!("{head}{}{tail}", part.repeat(200_000));
    let cases = [
        ("uri", long("http://", "a", " "), false),
        ("uri", long("data:,", "ab/c", "%20"), true),
        ("uri", long("a:", "%4", ""), false),
        ("uri", long("a:", "/", "^"), false),
        ("uri", long("a://", "b@", " "), false),
        ("email", long("", "a.", "@b"), false),
        ("email", long("\"", "a\\\"", "\"@b"), false),
        ("hostname", long("", "a.", "-"), false),
        ("hostname", format!("{}-", "a".repeat(252)), false),
        ("time", long("23:59:60.", "1", "+"), false),
        ("date-time", long("2024-05-01T23:59:60.", "1", "Z"), true),
        ("ipv6", long("", "1:", ":"), false),
    ];
    for (i, (format, text, valid)) in cases.into_iter().enumerate() {
        let schema = create(&test.db, &format!("c{i}"), super::file(&format!(r#"{{"format": "{format}"}}"#))).await;
        let start = std::time::Instant::now();
        let violations = insert(&test.db, &schema, doc! { "a": &text }).await;
        assert_eq!(violations.is_empty(), valid, "{format} {}", &text[..40]);
        assert!(start.elapsed().as_secs() < 5, "{format} {}", &text[..40]);
    }
}

#[tokio::test]
async fn a_document_is_judged_without_its_id() {
    let test = crate::support::database().await;
    let file = r#"{"type": "object", "propertyNames": {"maxLength": 2}, "patternProperties": {"": {"type": "string"}},
                   "additionalProperties": false}"#;
    let schema = create(&test.db, "names", file.into()).await;
    assert!(insert(&test.db, &schema, doc! { "a": "x" }).await.is_empty());
    assert!(!insert(&test.db, &schema, doc! { "a": 1 }).await.is_empty());
    assert!(!insert(&test.db, &schema, doc! { "abc": "x" }).await.is_empty());
    assert!(
        !insert(&test.db, &schema, doc! { "_id": "x" }).await.is_empty(),
        "an `_id` is an ObjectId unless declared"
    );
    let file = r#"{"type": "object", "anyOf": [{"properties": {"a": true}}, {"required": ["b"]}], "unevaluatedProperties": false}"#;
    let schema = create(&test.db, "rest", file.into()).await;
    assert!(insert(&test.db, &schema, doc! { "a": "x" }).await.is_empty());
    assert!(!insert(&test.db, &schema, doc! { "b": "x" }).await.is_empty());
    let own = r#"{"type": "object", "patternProperties": {"^_": {"maxLength": 2}}, "properties": {"_id": {"type": "string"}}}"#;
    let schema = create(&test.db, "own", own.into()).await;
    assert!(insert(&test.db, &schema, doc! { "_id": "ab" }).await.is_empty());
    assert!(!insert(&test.db, &schema, doc! { "_id": "abc" }).await.is_empty());
}

/// A value one level deeper.
type Wrap = fn(Bson) -> Bson;

/// MongoDB drops an explanation that nests too deep; what loads must not come to that.
#[test]
fn what_loads_is_never_too_deep_to_be_explained() {
    // The driver reads an explanation with a deep stack, above all without optimizations.
    let run = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(explain_the_deepest());
    };
    std::thread::Builder::new().stack_size(64 << 20).spawn(run).unwrap().join().unwrap();
}

async fn explain_the_deepest() {
    let test = crate::support::database().await;
    let forms: [(&str, &str, Wrap); 9] = [
        (r#"{"properties": {"x": "#, "}}", |value| bson!({ "x": value })),
        (r#"{"properties": {"x.y": "#, "}}", |value| bson!({ "x.y": value })),
        (r#"{"prefixItems": ["#, "]}", |value| bson!([value])),
        (r#"{"anyOf": ["#, "]}", |value| value),
        (r#"{"if": true, "then": "#, "}", |value| value),
        (r#"{"if": false, "else": "#, "}", |value| value),
        (r#"{"dependentSchemas": {"x.y": {"properties": {"x.y": "#, "}}}}", |value| bson!({ "x.y": value })),
        (r#"{"contains": "#, "}", |value| bson!([value])),
        (
            r#"{"anyOf": [{"properties": {"y": true}}, {"minProperties": 1}], "unevaluatedProperties": "#,
            "}",
            |value| bson!({ "x": value }),
        ),
    ];
    for (i, (open, close, wrap)) in forms.into_iter().enumerate() {
        let file = |depth: usize| {
            super::file(&format!("{}{{\"type\": \"string\"}}{}", open.repeat(depth), close.repeat(depth)))
        };
        let loads = |depth: &usize| folio::schema::load::parse("schemas/rules.json", "deep", file(*depth)).is_ok();
        let deepest = (1..40).take_while(loads).last().unwrap();
        let schema = create(&test.db, &format!("c{i}"), file(deepest)).await;
        let value = (0..deepest).fold(bson!(1), |value, _| wrap(value));
        let violations = insert(&test.db, &schema, doc! { "a": value }).await;
        assert!(deepest >= 9 && violations.iter().any(|violation| violation.rule.is_some()), "{open} {violations:?}");
    }
}
