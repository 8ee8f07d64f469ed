//! Whole documents in Extended JSON, against `bson`'s own writer and reader and the BSON corpus.

use proptest::prelude::*;
use serde_json::{Map, Value};

use super::{
    random::{config, object},
    *,
};
use crate::codec::ejson::{self, Mode};

fn extended(document: &Document, mode: Mode) -> String {
    let mut out = Vec::new();
    ejson::document(&mut out, &RawDocumentBuf::try_from(document).unwrap(), mode, None).unwrap();
    String::from_utf8(out).unwrap()
}

/// The wrapper's text, if `value` is the wrapper `name` of a text.
fn wrapper<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value.as_object().filter(|members| members.len() == 1)?.get(name)?.as_str()
}

/// Whether the two are the same, but for what `bson` writes otherwise than we do:
/// - doubles have other digits (`1e300` in full) of the same number; those below the normal ones it leaves bare;
/// - fractions of a second lose their zeros (`.1Z`), where the specification has three digits;
/// - dates past the year 9999 it writes as the last moment of that year.
fn same(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Array(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| same(ours, theirs))
        }
        (Value::Number(ours), Value::Number(theirs)) => ours == theirs,
        (ours, theirs) => match (wrapper(ours, "$numberDouble"), wrapper(ours, "$date")) {
            (Some(digits), _) => match wrapper(theirs, "$numberDouble") {
                Some(theirs) => same_double(digits, theirs),
                // Ours is read as inexactly as theirs was.
                None => serde_json::from_str::<Value>(digits).is_ok_and(|ours| ours == *theirs),
            },
            (_, Some(text)) => DateTime::parse_rfc3339_str(text).ok().is_some_and(|date| {
                Some(date) == wrapper(theirs, "$date").and_then(|text| DateTime::parse_rfc3339_str(text).ok())
            }),
            _ => match (ours.as_object(), theirs.as_object()) {
                (Some(ours), Some(theirs)) if is_past_9999(ours) => theirs.contains_key("$date"),
                (Some(ours), Some(theirs)) => same_members(ours, theirs),
                _ => ours == theirs,
            },
        },
    }
}

fn is_past_9999(ours: &Map<String, Value>) -> bool {
    let millis = ours.get("$date").and_then(|date| wrapper(date, "$numberLong"));
    millis.is_some_and(|millis| millis.parse().is_ok_and(|millis: i64| millis >= 253_402_300_800_000))
}

fn same_double(ours: &str, theirs: &str) -> bool {
    let bits = |digits: &str| digits.parse::<f64>().unwrap().to_bits();
    bits(ours) == bits(theirs)
}

fn same_members(ours: &Map<String, Value>, theirs: &Map<String, Value>) -> bool {
    ours.len() == theirs.len()
        && ours.iter().all(|(name, ours)| theirs.get(name).is_some_and(|theirs| same(ours, theirs)))
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn both_forms_are_as_bson_writes_them(document in object(&Field::any(), 3)) {
        let canonical = Bson::Document(document.clone()).into_canonical_extjson();
        let relaxed = Bson::Document(document.clone()).into_relaxed_extjson();
        for (mode, theirs) in [(Mode::Canonical, canonical), (Mode::Relaxed, relaxed)] {
            let text = extended(&document, mode);
            let ours: Value = serde_json::from_str(&text).unwrap();
            // `serde_json` does not read every double as exactly as it writes it.
            let theirs = serde_json::from_str(&theirs.to_string()).unwrap();
            prop_assert!(same(&ours, &theirs), "{text}\n{theirs}");
        }
    }

    #[test]
    fn bson_reads_the_canonical_form_back(document in object(&Field::any(), 3)) {
        let text = extended(&document, Mode::Canonical);
        let read = Bson::try_from(serde_json::from_str::<Value>(&text).unwrap());
        let Ok(Bson::Document(read)) = read else { return Err(TestCaseError::fail(text)) };
        let bytes = |document: &Document| RawDocumentBuf::try_from(document).unwrap().into_bytes();
        prop_assert_eq!(bytes(&sorted(read)), bytes(&sorted(document)), "{}", text);
    }
}

/// With its members in the order of their names: `serde_json` does not keep them in their own.
fn sorted(document: Document) -> Document {
    fn inside(value: Bson) -> Bson {
        match value {
            Bson::Document(document) => Bson::Document(sorted(document)),
            Bson::Array(values) => Bson::Array(values.into_iter().map(inside).collect()),
            Bson::JavaScriptCodeWithScope(JavaScriptCodeWithScope { code, scope }) => scoped(&code, sorted(scope)),
            value => value,
        }
    }
    let mut members: Vec<_> = document.into_iter().collect();
    members.sort_by(|(one, _), (other, _)| one.cmp(other));
    members.into_iter().map(|(name, member)| (name, inside(member))).collect()
}

/// The values that the [BSON corpus](https://github.com/mongodb/specifications/tree/master/source/bson-corpus) has of
/// each type, as it writes them.
#[test]
fn writes_what_the_corpus_writes() {
    let cases: Vec<(Bson, &str, &str)> = vec![
        (1.into(), r#"{"$numberInt":"1"}"#, "1"),
        (i32::MIN.into(), r#"{"$numberInt":"-2147483648"}"#, "-2147483648"),
        (i64::MAX.into(), r#"{"$numberLong":"9223372036854775807"}"#, "9223372036854775807"),
        (1.0.into(), r#"{"$numberDouble":"1.0"}"#, "1.0"),
        ((-0.0).into(), r#"{"$numberDouble":"-0.0"}"#, "-0.0"),
        (f64::NAN.into(), r#"{"$numberDouble":"NaN"}"#, r#"{"$numberDouble":"NaN"}"#),
        (f64::NEG_INFINITY.into(), r#"{"$numberDouble":"-Infinity"}"#, r#"{"$numberDouble":"-Infinity"}"#),
        (date(0), r#"{"$date":{"$numberLong":"0"}}"#, r#"{"$date":"1970-01-01T00:00:00Z"}"#),
        (
            date(1_356_351_330_501),
            r#"{"$date":{"$numberLong":"1356351330501"}}"#,
            r#"{"$date":"2012-12-24T12:15:30.501Z"}"#,
        ),
        (
            date(1_356_351_330_500),
            r#"{"$date":{"$numberLong":"1356351330500"}}"#,
            r#"{"$date":"2012-12-24T12:15:30.500Z"}"#,
        ),
        (
            date(-284_643_869_501),
            r#"{"$date":{"$numberLong":"-284643869501"}}"#,
            r#"{"$date":{"$numberLong":"-284643869501"}}"#,
        ),
        (
            date(253_402_300_799_999),
            r#"{"$date":{"$numberLong":"253402300799999"}}"#,
            r#"{"$date":"9999-12-31T23:59:59.999Z"}"#,
        ),
        (
            date(253_402_300_800_000),
            r#"{"$date":{"$numberLong":"253402300800000"}}"#,
            r#"{"$date":{"$numberLong":"253402300800000"}}"#,
        ),
        (Bson::Null, "null", "null"),
        (true.into(), "true", "true"),
        (
            scoped("f", doc! {"x": 1}),
            r#"{"$code":"f","$scope":{"x":{"$numberInt":"1"}}}"#,
            r#"{"$code":"f","$scope":{"x":1}}"#,
        ),
    ];
    for (value, canonical, relaxed) in cases {
        let document = doc! {"a": [value.clone()]};
        assert_eq!(extended(&document, Mode::Canonical), format!(r#"{{"a":[{canonical}]}}"#), "{value}");
        assert_eq!(extended(&document, Mode::Relaxed), format!(r#"{{"a":[{relaxed}]}}"#), "{value}");
    }
}

#[test]
fn writes_alike_what_has_one_form() {
    let cases = vec![
        (id().into(), r#"{"$oid":"6650f0000000000000000001"}"#),
        (decimal("1E+3"), r#"{"$numberDecimal":"1E+3"}"#),
        (binary(0x80, b"\xff\xff"), r#"{"$binary":{"base64":"//8=","subType":"80"}}"#),
        (binary(4, &[0x73; 16]), r#"{"$binary":{"base64":"c3Nzc3Nzc3Nzc3Nzc3Nzcw==","subType":"04"}}"#),
        (Timestamp { time: 123, increment: u32::MAX }.into(), r#"{"$timestamp":{"t":123,"i":4294967295}}"#),
        (regex("a\"b", "im"), r#"{"$regularExpression":{"pattern":"a\"b","options":"im"}}"#),
        (Bson::JavaScriptCode("a\"".into()), r#"{"$code":"a\""}"#),
        (Bson::Symbol("s".into()), r#"{"$symbol":"s"}"#),
        (pointer(), r#"{"$dbPointer":{"$ref":"b\n","$id":{"$oid":"6650f0000000000000000001"}}}"#),
        (Bson::Undefined, r#"{"$undefined":true}"#),
        (Bson::MinKey, r#"{"$minKey":1}"#),
        (Bson::MaxKey, r#"{"$maxKey":1}"#),
    ];
    for (value, text) in cases {
        for mode in [Mode::Canonical, Mode::Relaxed] {
            assert_eq!(extended(&doc! {"a": value.clone()}, mode), format!(r#"{{"a":{text}}}"#));
        }
    }
}

#[test]
fn leaves_out_what_is_hidden_and_no_more() {
    let stored = rawdoc! {"_id": 1, "key": [2], "nested": {"key": 3}};
    let mut out = Vec::new();
    ejson::document(&mut out, &stored, Mode::Relaxed, Some("key")).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), r#"{"_id":1,"nested":{"key":3}}"#);
}

#[test]
fn depth_is_bounded() {
    let nest = |levels: usize| (1..levels).fold(rawdoc! {}, |inner, _| rawdoc! {"a": inner});
    let written = |levels| ejson::document(&mut Vec::new(), &nest(levels), Mode::Relaxed, None);
    written(encode::MAX_STORED_DEPTH).unwrap();
    assert!(matches!(written(encode::MAX_STORED_DEPTH + 1), Err(Error::Internal(_))));
}
