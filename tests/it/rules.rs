//! Every keyword on a real MongoDB: what its compiled form lets in, what it keeps out, and how that is explained.
use bson::{Bson, DateTime, Decimal128, Document, RawDocumentBuf, bson, doc, oid::ObjectId};
use folio::{
    error::Violation,
    schema::{Schema, explain::explain, load},
};
use mongodb::{
    Database,
    error::{ErrorKind, WriteFailure},
};

pub(crate) mod random;
mod verdicts;
mod words;

/// A subschema of the field `a`, values that it lets in, and values that break one keyword of it.
struct Case {
    schema: &'static str,
    valid: Vec<Bson>,
    invalid: Vec<(Bson, &'static str)>,
}

fn case<const V: usize, const I: usize>(
    schema: &'static str,
    valid: [Bson; V],
    invalid: [(Bson, &'static str); I],
) -> Case {
    Case { schema, valid: valid.into(), invalid: invalid.into() }
}

fn decimal(text: &str) -> Bson {
    Bson::Decimal128(text.parse::<Decimal128>().unwrap())
}

/// A whole collection file whose field `a` has the schema `schema`.
fn file(schema: &str) -> String {
    format!(
        r##"{{"type": "object", "properties": {{"a": {schema}}}, "$defs": {{
            "isbn": {{"type": "string", "pattern": "^97[89][0-9]{{10}}$"}},
            "price": {{"bsonType": "decimal", "minimum": 0}},
            "number": {{"$ref": "#/$defs/isbn"}},
            "few": {{"maxProperties": 1}}
        }}}}"##
    )
}

async fn create(db: &Database, name: &str, text: String) -> Schema {
    let schema = load::parse("schemas/rules.json", name, text.clone()).unwrap_or_else(|m| panic!("{text}: {m:?}"));
    let created = db.create_collection(name).validator(schema.validator.clone()).await;
    created.unwrap_or_else(|e| panic!("{}: {e}", schema.validator));
    schema
}

/// Inserts `document`; what MongoDB refuses is explained.
async fn insert(db: &Database, schema: &Schema, document: Document) -> Vec<Violation> {
    let raw = RawDocumentBuf::try_from(&document).unwrap();
    let Err(error) = db.collection(&schema.name).insert_one(document).await else { return Vec::new() };
    match *error.kind {
        ErrorKind::Write(WriteFailure::WriteError(ref e)) if e.code == 121 => {
            let details = e.details.as_ref().and_then(|d| d.get_document("details").ok()).unwrap();
            explain(schema, details, Some(&raw))
        }
        _ => panic!("{error}"),
    }
}

/// Every case whose verdict or keyword is not as expected.
async fn wrong_verdicts(db: &Database, cases: Vec<Case>) -> Vec<String> {
    let mut wrong = Vec::new();
    for (i, case) in cases.into_iter().enumerate() {
        let schema = create(db, &format!("c{i}"), file(case.schema)).await;
        for value in case.valid {
            let violations = insert(db, &schema, doc! { "a": value.clone() }).await;
            if !violations.is_empty() {
                wrong.push(format!("{} refuses {value}: {violations:?}", case.schema));
            }
        }
        for (value, keyword) in case.invalid {
            let violations = insert(db, &schema, doc! { "a": value.clone() }).await;
            if violations.iter().map(|v| v.keyword.as_str()).ne([keyword]) {
                wrong.push(format!("{} on {value}, {keyword} expected: {violations:?}", case.schema));
            }
        }
    }
    wrong
}

async fn holds(cases: Vec<Case>) {
    let test = crate::support::database().await;
    let wrong = wrong_verdicts(&test.db, cases).await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn types_are_as_draft_2020_12_and_bson_say() {
    holds(vec![
        case(r#"{"type": "string"}"#, [bson!("x")], [(bson!(1), "type"), (Bson::Null, "type")]),
        case(r#"{"type": "boolean"}"#, [bson!(true)], [(bson!(0), "type")]),
        case(r#"{"type": "number"}"#, [bson!(1), bson!(1.5), bson!(1_i64), decimal("1")], [(bson!("1"), "type")]),
        case(
            r#"{"type": "integer"}"#,
            [bson!(1), bson!(1.0), bson!(1_i64), decimal("1.0"), bson!(1e300), decimal("1E+6000")],
            [(bson!(1.5), "type"), (bson!("1"), "type"), (bson!(f64::NAN), "type"), (decimal("0.5"), "type")],
        ),
        case(
            r#"{"type": ["integer", "boolean", "null"]}"#,
            [bson!(1), bson!(true), Bson::Null, bson!(2.0)],
            [(bson!(1.5), "type"), (bson!("x"), "type")],
        ),
        case(r#"{"type": ["integer", "number"]}"#, [bson!(1.5)], [(bson!("x"), "type")]),
        case(r#"{"type": ["string", "null"]}"#, [bson!("x"), Bson::Null], [(bson!([]), "type")]),
        case(r#"{"bsonType": "date"}"#, [DateTime::now().into()], [(bson!("2024-01-01"), "bsonType")]),
        case(r#"{"bsonType": "bool"}"#, [bson!(true)], [(bson!(1), "bsonType")]),
        case(r#"{"bsonType": ["int", "string"]}"#, [bson!(1), bson!("x")], [(bson!(1.0), "bsonType")]),
        case(r#"{"type": "number", "bsonType": "int"}"#, [bson!(1)], [(bson!(1.5), "bsonType")]),
        case(
            r#"{"type": "integer", "bsonType": "double"}"#,
            [bson!(1.0)],
            [(bson!(1.5), "type"), (bson!(1), "bsonType")],
        ),
    ])
    .await;
}

#[tokio::test]
async fn numbers_are_bounded_exactly_and_other_values_are_let_through() {
    let other = || [bson!("x"), Bson::Null, bson!([]), bson!({}), bson!(true)];
    holds(vec![
        case(r#"{"minimum": 3}"#, other(), []),
        case(r#"{"multipleOf": 3}"#, other(), []),
        case(
            r#"{"minimum": 3}"#,
            [bson!(3), bson!(3.0), decimal("3")],
            [(bson!(2), "minimum"), (bson!(f64::NAN), "minimum")],
        ),
        case(r#"{"maximum": 3}"#, [bson!(3)], [(bson!(3.5), "maximum")]),
        case(
            r#"{"exclusiveMinimum": 3}"#,
            [bson!(4)],
            [(bson!(3), "exclusiveMinimum"), (decimal("3"), "exclusiveMinimum")],
        ),
        case(r#"{"exclusiveMaximum": 3}"#, [bson!(2)], [(bson!(3), "exclusiveMaximum")]),
        case(
            r#"{"minimum": 3, "exclusiveMinimum": 2, "maximum": 9, "exclusiveMaximum": 8}"#,
            [bson!(3), bson!(7)],
            [(bson!(8), "exclusiveMaximum")],
        ),
        case(r#"{"minimum": 2, "exclusiveMinimum": 3}"#, [bson!(4)], [(bson!(3), "exclusiveMinimum")]),
        case(r#"{"multipleOf": 0.01}"#, [bson!(0.07), decimal("19.99"), bson!(3)], [(bson!(0.075), "multipleOf")]),
        case(
            r#"{"bsonType": "decimal", "minimum": 0.1, "maximum": "0.3"}"#,
            [decimal("0.1"), decimal("0.30")],
            [(decimal("0.09999999999999999999"), "minimum"), (decimal("0.3000000000000000000001"), "maximum")],
        ),
        case(
            r#"{"type": "number", "minimum": 0.1, "exclusiveMaximum": 0.3}"#,
            [bson!(0.1), decimal("0.1"), decimal("0.2999999999999999999")],
            [(decimal("0.09"), "minimum"), (bson!(0.3), "exclusiveMaximum"), (decimal("0.3"), "exclusiveMaximum")],
        ),
        case(
            r#"{"bsonType": "long", "maximum": 9007199254740993}"#,
            [bson!(9_007_199_254_740_993_i64)],
            [(bson!(9_007_199_254_740_994_i64), "maximum")],
        ),
    ])
    .await;
}

#[tokio::test]
async fn counts_are_of_characters_items_and_members() {
    holds(vec![
        case(r#"{"minLength": 2}"#, [bson!("éé"), bson!(1), bson!([])], [(bson!("📖"), "minLength")]),
        case(r#"{"maxLength": 1.0}"#, [bson!("📖"), bson!("")], [(bson!("ab"), "maxLength")]),
        case(r#"{"minItems": 1}"#, [bson!([1]), bson!("x"), bson!({})], [(bson!([]), "minItems")]),
        case(r#"{"maxItems": 1}"#, [bson!([1]), bson!([])], [(bson!([1, 2]), "maxItems")]),
        case(r#"{"minProperties": 1}"#, [bson!({"x": 1}), bson!([])], [(bson!({}), "minProperties")]),
        case(r#"{"maxProperties": 1}"#, [bson!({"x": 1}), bson!([1, 2])], [(bson!({"x": 1, "y": 1}), "maxProperties")]),
        case(
            r#"{"uniqueItems": true}"#,
            [bson!([1, true, "1"]), bson!("xx")],
            [(bson!([1, 1.0]), "uniqueItems"), (bson!([{"x": 1, "y": 2}, {"y": 2, "x": 1}]), "uniqueItems")],
        ),
        case(r#"{"uniqueItems": false}"#, [bson!([1, 1])], []),
    ])
    .await;
}

#[tokio::test]
async fn enum_and_const_compare_by_value() {
    let id = ObjectId::parse_str("6650f0000000000000000001").unwrap();
    let date = DateTime::parse_rfc3339_str("2024-05-01T12:00:00Z").unwrap();
    holds(vec![
        case(
            r#"{"enum": [1, 1.0, "x", null]}"#,
            [bson!(1), bson!(1.0), bson!("x"), Bson::Null],
            [(bson!(true), "enum")],
        ),
        case(r#"{"enum": []}"#, [], [(bson!(1), "enum")]),
        case(
            r#"{"enum": [{"x": 1, "y": 2}, [1, 2]]}"#,
            [bson!({"y": 2, "x": 1}), bson!([1, 2])],
            [(bson!([2, 1]), "enum"), (bson!([[1, 2]]), "enum")],
        ),
        case(r#"{"const": "x"}"#, [bson!("x")], [(bson!("y"), "const"), (bson!(["x"]), "const")]),
        case(r#"{"const": null}"#, [Bson::Null], [(bson!(0), "const")]),
        case(r#"{"const": 1, "enum": [1, 2]}"#, [bson!(1)], [(bson!(2), "const")]),
        case(r#"{"const": false}"#, [bson!(false)], [(bson!(0), "const")]),
        case(
            r#"{"bsonType": "decimal", "const": 0.1}"#,
            [decimal("0.1"), decimal("0.10")],
            [(decimal("0.2"), "const")],
        ),
        case(r#"{"type": "number", "enum": [0.1]}"#, [decimal("0.1"), bson!(0.1)], [(bson!(0.2), "enum")]),
        case(
            r#"{"bsonType": "objectId", "enum": ["6650f0000000000000000001"]}"#,
            [id.into()],
            [(ObjectId::new().into(), "enum")],
        ),
        case(
            r#"{"bsonType": "date", "const": "2024-05-01T14:00:00+02:00"}"#,
            [date.into()],
            [(DateTime::from_millis(0).into(), "const")],
        ),
        case(r#"{"bsonType": "decimal", "allOf": [{"const": 0.1}]}"#, [decimal("0.1")], [(decimal("0.2"), "const")]),
    ])
    .await;
}

#[tokio::test]
async fn patterns_match_as_ecma_262_says() {
    holds(vec![
        case(
            r#"{"pattern": "^a$"}"#,
            [bson!("a"), bson!(1)],
            [(bson!("a\n"), "pattern"), (bson!("a\0b"), "pattern"), (bson!("b\na"), "pattern")],
        ),
        case(r#"{"pattern": "b"}"#, [bson!("abc")], [(bson!("ac"), "pattern")]),
        case(
            r#"{"pattern": "^.$"}"#,
            [bson!("é"), bson!("📖"), bson!("\u{85}")],
            [(bson!("\r"), "pattern"), (bson!("\u{2028}"), "pattern")],
        ),
        case(
            r#"{"pattern": "^\\s$"}"#,
            [bson!("\u{a0}"), bson!("\u{b}"), bson!("\u{feff}"), bson!("\u{2003}")],
            [(bson!("x"), "pattern"), (bson!("\u{85}"), "pattern"), (bson!("\u{180e}"), "pattern")],
        ),
        case(
            r#"{"pattern": "^\\S$"}"#,
            [bson!("\u{85}"), bson!("é")],
            [(bson!("\u{a0}"), "pattern"), (bson!("\t"), "pattern")],
        ),
        case(r#"{"pattern": "^[\\S\\n]$"}"#, [bson!("\n"), bson!("📖")], [(bson!("\u{feff}"), "pattern")]),
        case(
            r#"{"pattern": "^\\w\\d\\W\\D$"}"#,
            [bson!("_0é٣")],
            [(bson!("é0éx"), "pattern"), (bson!("a٣é٣"), "pattern")],
        ),
        case(r#"{"pattern": "^\\p{Letter}\\p{Lu}\\P{N}$"}"#, [bson!("éÉx")], [(bson!("1Éx"), "pattern")]),
        case(r#"{"pattern": "^\\p{Script=Greek}+$"}"#, [bson!("αβγ")], [(bson!("abc"), "pattern")]),
        case(r#"{"pattern": "^[^]$"}"#, [bson!("\n")], [(bson!(""), "pattern")]),
        case(r#"{"pattern": "^[]$"}"#, [bson!(1)], [(bson!(""), "pattern"), (bson!("x"), "pattern")]),
        case(
            r#"{"pattern": "^\\u{1f4d6}\\ud83d\\udcd6\\x41\\cJ\\0$"}"#,
            [bson!("📖📖A\n\0")],
            [(bson!("A"), "pattern")],
        ),
        case(r#"{"pattern": "^(?<q>['\"])x\\k<q>$"}"#, [bson!("'x'")], [(bson!("'x\""), "pattern")]),
        case(r#"{"pattern": "^(a)?\\1b$"}"#, [bson!("b"), bson!("aab")], [(bson!("ab"), "pattern")]),
        case(
            r#"{"pattern": "(?<=a|bc)d(?!e)"}"#,
            [bson!("ad"), bson!("bcd")],
            [(bson!("ade"), "pattern"), (bson!("cd"), "pattern")],
        ),
        case(r#"{"pattern": "^[\\w.\\-\\]&:[~#]+$"}"#, [bson!("a.-]&:[~#")], [(bson!("a,"), "pattern")]),
    ])
    .await;
}

#[tokio::test]
async fn schemas_are_combined() {
    holds(vec![
        case(r#"{"allOf": [{"minimum": 1}, {"maximum": 2}]}"#, [bson!(1)], [(bson!(3), "maximum")]),
        case(
            r#"{"allOf": [{"minimum": 1}], "type": "integer"}"#,
            [bson!(1)],
            [(bson!(1.5), "type"), (bson!(0), "minimum")],
        ),
        case(r#"{"anyOf": [{"type": "string"}, {"minimum": 2}]}"#, [bson!("x"), bson!(2)], [(bson!(1), "anyOf")]),
        case(r#"{"anyOf": [{"type": "string"}], "type": ["integer", "string"]}"#, [bson!("x")], [(bson!(1), "anyOf")]),
        case(r#"{"oneOf": [{"minimum": 1}, {"maximum": 5}]}"#, [bson!(0)], [(bson!(3), "oneOf")]),
        case(r#"{"oneOf": [{"const": 1}, {"const": 2}]}"#, [bson!(2)], [(bson!(3), "oneOf")]),
        case(r#"{"not": {"type": "string"}}"#, [bson!(1)], [(bson!("x"), "not")]),
        case(r#"{"not": {"type": "integer"}, "enum": [1, "x"]}"#, [bson!("x")], [(bson!(1), "not")]),
        case(r##"{"$ref": "#/$defs/isbn"}"##, [bson!("9780060512750")], [(bson!("9780060512750\n"), "pattern")]),
        case(r##"{"$ref": "#/$defs/number"}"##, [bson!("9780060512750")], [(bson!(1), "type")]),
        case(
            r##"{"$ref": "#/$defs/price", "maximum": 0.1}"##,
            [decimal("0.1")],
            [(decimal("-1"), "minimum"), (decimal("0.11"), "maximum")],
        ),
    ])
    .await;
}

#[tokio::test]
async fn parts_are_judged() {
    holds(vec![
        case(r#"{"items": {"type": "string"}}"#, [bson!(["x"]), bson!([]), bson!(1)], [(bson!(["x", 1]), "type")]),
        case(
            r#"{"properties": {"x": {"minimum": 1}}}"#,
            [bson!({"x": 1}), bson!({}), bson!([0])],
            [(bson!({"x": 0}), "minimum")],
        ),
        case(r#"{"required": ["x"]}"#, [bson!({"x": null}), bson!([]), bson!(1)], [(bson!({}), "required")]),
        case(r#"{"required": []}"#, [bson!({})], []),
        case(
            r#"{"additionalProperties": false}"#,
            [bson!({}), bson!([1])],
            [(bson!({"x": 0}), "additionalProperties")],
        ),
        case(
            r#"{"additionalProperties": {"type": "string"}, "properties": {"n": {}}}"#,
            [bson!({"n": 1, "x": "y"})],
            [(bson!({"x": 0}), "type")],
        ),
        case(
            r#"{"properties": {"x.y": {"type": "string"}}, "additionalProperties": false}"#,
            [bson!({"x.y": "z"})],
            [(bson!({"x.y": 1}), "type"), (bson!({"x": {"y": "z"}}), "additionalProperties")],
        ),
        case(r#"{"properties": {"": {"type": "string"}}}"#, [bson!({"": "z"})], [(bson!({"": 1}), "type")]),
        case(
            r#"{"properties": {"$x": {"type": "string"}}, "required": ["$x"]}"#,
            [bson!({"$x": "z"})],
            [(bson!({"$x": 1}), "type"), (bson!({}), "required")],
        ),
        case(
            r#"{"required": ["x.y"]}"#,
            [bson!({"x.y": 1}), bson!(1), bson!([])],
            [(bson!({"x": {"y": 1}}), "required")],
        ),
        case(r#"{"required": [""]}"#, [bson!({"": 1}), bson!("x")], [(bson!({"x": 1}), "required")]),
        case(r#"{"required": ["é.é\n"]}"#, [bson!({"é.é\n": 1})], [(bson!({"é.é": 1}), "required")]),
    ])
    .await;
}

#[tokio::test]
async fn a_document_has_an_id_of_the_declared_type() {
    let test = crate::support::database().await;
    let closed = create(
        &test.db,
        "closed",
        r#"{"type": "object", "properties": {"a": {}}, "additionalProperties": false}"#.into(),
    )
    .await;
    assert!(insert(&test.db, &closed, doc! { "a": 1 }).await.is_empty());
    let [violation] = insert(&test.db, &closed, doc! { "_id": "x" }).await.try_into().unwrap();
    assert_eq!((violation.pointer.as_str(), violation.keyword.as_str()), ("/_id", "bsonType"));
    let split = r##"{"type": "object", "allOf": [{"$ref": "#/$defs/d"}, {"properties": {"_id": {"type": "string"}}}],
                    "$defs": {"d": {"properties": {"a": {}}, "additionalProperties": false}}}"##;
    let parts = create(&test.db, "parts", split.into()).await;
    assert!(insert(&test.db, &parts, doc! { "_id": "x", "a": 1 }).await.is_empty());
    let violations = insert(&test.db, &parts, doc! { "a": 1 }).await;
    assert_eq!(violations[0].rule.as_deref(), Some("#/allOf/1/properties/_id"), "{violations:?}");
}

#[tokio::test]
async fn every_broken_rule_is_named_where_its_author_wrote_it() {
    let test = crate::support::database().await;
    let source = r##"{
        "type": "object", "required": ["title", "isbn", "a.b"], "additionalProperties": false,
        "properties": {
            "title": {"type": "string"}, "isbn": {"$ref": "#/$defs/isbn"}, "a.b": {"minimum": 1},
            "price": {"bsonType": "decimal", "exclusiveMinimum": 0.5},
            "tags": {"type": "array", "items": {"properties": {"n/m": {"type": "integer"}}}}
        },
        "$defs": {"isbn": {"pattern": "^97"}}
    }"##;
    let schema = create(&test.db, "all", source.into()).await;
    let bad = doc! { "isbn": "12", "price": decimal("0.5"), "tags": [{}, {"n/m": 1.5}], "titel": "x" };
    let violations = insert(&test.db, &schema, bad).await;
    let mut rows: Vec<_> = violations
        .iter()
        .map(|v| {
            let rule = v.rule.as_deref().unwrap_or_default();
            let expected = v.expected.as_ref().map_or("", |e| e.get());
            let found = v.found.as_ref().map_or("", |f| f.get());
            [v.pointer.as_str(), &v.keyword, rule, expected, found, &v.detail]
        })
        .collect();
    rows.sort_unstable();
    let all = r#"["title", "isbn", "a.b"]"#;
    assert_eq!(
        rows,
        [
            ["/a.b", "required", "#", all, "", "is required"],
            ["/isbn", "pattern", "#/$defs/isbn", r#""^97""#, r#""12""#, "must match the pattern `^97`"],
            ["/price", "exclusiveMinimum", "#/properties/price", "0.5", r#""0.5""#, "must be greater than 0.5"],
            [
                "/tags/1/n~1m",
                "type",
                "#/properties/tags/items/properties/n~1m",
                r#""integer""#,
                "1.5",
                "must be a whole number"
            ],
            [
                "/titel",
                "additionalProperties",
                "#",
                "false",
                r#""x""#,
                "is not a declared field, did you mean `title`?"
            ],
            ["/title", "required", "#", all, "", "is required"],
        ]
    );
}
