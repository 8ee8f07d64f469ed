//! Both directions together: the table of faces. The promise that what is read and written back is the same BSON is
//! held by random documents in [`random`].

use bson::{
    Binary, Bson, DateTime, Document, JavaScriptCodeWithScope, RawBson, RawDocument, RawDocumentBuf, Regex, Timestamp,
    doc, oid::ObjectId, rawdoc,
};

use super::{
    decode,
    ejson::{self, Mode},
    encode,
};
use crate::{
    error::Error,
    schema::{Additional, Field, Kind, Kinds},
};

mod extended;
mod random;

fn of(kinds: &[Kind]) -> Field {
    Field { kinds: kinds.iter().copied().collect(), ..Field::any() }
}

fn uuid() -> Field {
    Field { uuid: true, ..of(&[Kind::BinData]) }
}

fn loose() -> Field {
    Field { kinds: Kinds::NUMBERS, loose_number: true, ..Field::any() }
}

fn read(text: &str, shape: &Field) -> Bson {
    decode::value(text.as_bytes(), shape).unwrap_or_else(|e| panic!("{text}: {e}")).try_into().unwrap()
}

fn printed(value: &Bson, shape: &Field) -> String {
    let raw = RawBson::try_from(value.clone()).unwrap();
    let mut out = Vec::new();
    encode::value(&mut out, raw.as_raw_bson_ref(), shape).unwrap();
    String::from_utf8(out).unwrap()
}

fn decimal(text: &str) -> Bson {
    Bson::Decimal128(text.parse().unwrap())
}

fn binary(subtype: u8, bytes: &[u8]) -> Bson {
    Bson::Binary(Binary { subtype: subtype.into(), bytes: bytes.to_vec() })
}

fn id() -> ObjectId {
    ObjectId::parse_str("6650f0000000000000000001").unwrap()
}

fn date(millis: i64) -> Bson {
    Bson::DateTime(DateTime::from_millis(millis))
}

fn pointer() -> Bson {
    Bson::try_from(serde_json::json!({"$dbPointer": {"$ref": "b\n", "$id": {"$oid": id().to_hex()}}})).unwrap()
}

fn regex(pattern: &str, options: &str) -> Bson {
    let (pattern, options) = (pattern.try_into().unwrap(), options.try_into().unwrap());
    Bson::RegularExpression(Regex { pattern, options })
}

fn scoped(code: &str, scope: Document) -> Bson {
    Bson::JavaScriptCodeWithScope(JavaScriptCodeWithScope { code: code.into(), scope })
}

/// Checks that the value prints as the text where that is declared, and is read back from it.
fn both_ways(cases: Vec<(Field, Bson, &str)>) {
    for (shape, value, text) in cases {
        assert_eq!(printed(&value, &shape), text, "{:?}", shape.kinds);
        assert_eq!(read(text, &shape), value, "{text} as {:?}", shape.kinds);
    }
}

fn reads(cases: Vec<(Field, &str, Bson)>) {
    for (shape, text, value) in cases {
        assert_eq!(read(text, &shape), value, "{text} as {:?}", shape.kinds);
    }
}

#[test]
fn plain_faces() {
    use Kind::{Bool, Decimal, Double, Int, Long, Null, Object, ObjectId, String};
    both_ways(vec![
        (of(&[String]), "a\"\n\u{0}é😀".into(), r#""a\"\n\u0000é😀""#),
        (of(&[Bool]), true.into(), "true"),
        (of(&[Bool]), false.into(), "false"),
        (of(&[Null]), Bson::Null, "null"),
        (of(&[Object]), doc! {"b": 1, "": [true, {}]}.into(), r#"{"b":1,"":[true,{}]}"#),
        (of(&[Double]), 5.0.into(), "5.0"),
        (of(&[Double]), (-0.0).into(), "-0.0"),
        (of(&[Double]), 1e300.into(), "1e300"),
        (of(&[Double]), 0.1.into(), "0.1"),
        (of(&[Double]), f64::INFINITY.into(), r#"{"$numberDouble":"Infinity"}"#),
        (of(&[Double]), f64::NEG_INFINITY.into(), r#"{"$numberDouble":"-Infinity"}"#),
        (of(&[Int]), 5.into(), "5"),
        (of(&[Int]), i32::MIN.into(), "-2147483648"),
        (of(&[Long]), 5_i64.into(), "5"),
        (of(&[Long]), i64::MAX.into(), "9223372036854775807"),
        (of(&[Long]), i64::MIN.into(), "-9223372036854775808"),
        (of(&[Decimal]), decimal("19.90"), r#""19.90""#),
        (of(&[Decimal]), decimal("-0"), r#""-0""#),
        (of(&[Decimal]), decimal("NaN"), r#""NaN""#),
        (of(&[Decimal]), decimal("-Infinity"), r#""-Infinity""#),
        (of(&[Decimal]), decimal("1E+3"), r#""1E+3""#),
        (of(&[ObjectId]), id().into(), r#""6650f0000000000000000001""#),
    ]);
}

#[test]
fn date_and_binary_faces() {
    use Kind::{BinData, Date, Timestamp as Stamp};
    let uuid_bytes: Vec<u8> = (0..16).collect();
    both_ways(vec![
        (of(&[Date]), date(1_714_564_800_000), r#""2024-05-01T12:00:00.000Z""#),
        (of(&[Date]), date(-1), r#""1969-12-31T23:59:59.999Z""#),
        (of(&[Date]), date(-62_167_219_200_000), r#""0000-01-01T00:00:00.000Z""#),
        (of(&[Date]), date(253_402_300_799_999), r#""9999-12-31T23:59:59.999Z""#),
        (of(&[Date]), date(-62_167_219_200_001), r#"{"$date":{"$numberLong":"-62167219200001"}}"#),
        (of(&[Date]), date(253_402_300_800_000), r#"{"$date":{"$numberLong":"253402300800000"}}"#),
        (of(&[Date]), date(i64::MIN), r#"{"$date":{"$numberLong":"-9223372036854775808"}}"#),
        (of(&[BinData]), binary(0, b"hello"), r#""aGVsbG8=""#),
        (of(&[BinData]), binary(0, b""), r#""""#),
        (of(&[BinData]), binary(5, b"hello"), r#"{"$binary":{"base64":"aGVsbG8=","subType":"05"}}"#),
        (of(&[BinData]), binary(2, b"hello"), r#"{"$binary":{"base64":"aGVsbG8=","subType":"02"}}"#),
        (uuid(), binary(4, &uuid_bytes), r#""00010203-0405-0607-0809-0a0b0c0d0e0f""#),
        (uuid(), binary(4, b"abc"), r#"{"$binary":{"base64":"YWJj","subType":"04"}}"#),
        (uuid(), binary(0, b"abc"), r#"{"$binary":{"base64":"YWJj","subType":"00"}}"#),
        (
            of(&[Stamp]),
            Bson::Timestamp(Timestamp { time: 1, increment: u32::MAX }),
            r#"{"$timestamp":{"t":1,"i":4294967295}}"#,
        ),
    ]);
}

#[test]
fn faces_in_unions() {
    use Kind::{Date, Decimal, Double, Int, Long, Null, ObjectId, String};
    both_ways(vec![
        (of(&[String, Date]), date(0), r#"{"$date":{"$numberLong":"0"}}"#),
        (of(&[Date, Null]), date(0), r#""1970-01-01T00:00:00.000Z""#),
        (of(&[Date, ObjectId]), id().into(), r#"{"$oid":"6650f0000000000000000001"}"#),
        (of(&[Int, Long]), 5.into(), "5"),
        (of(&[Int, Long]), 5_i64.into(), r#"{"$numberLong":"5"}"#),
        (of(&[Int, Long]), 5_000_000_000_i64.into(), "5000000000"),
        (of(&[Long, Double]), 5_i64.into(), "5"),
        (of(&[Long, Double]), 5.0.into(), "5.0"),
        (of(&[Double, Decimal]), decimal("5"), r#""5""#),
        (of(&[String, Decimal]), decimal("5"), r#"{"$numberDecimal":"5"}"#),
        (loose(), 5.into(), "5"),
        (loose(), 5.0.into(), "5.0"),
        (loose(), decimal("5.00"), r#"{"$numberDecimal":"5.00"}"#),
    ]);
}

#[test]
fn faces_where_nothing_is_declared() {
    let any = Field::any();
    both_ways(vec![
        (any.clone(), 5.into(), "5"),
        (any.clone(), 5.0.into(), "5.0"),
        (any.clone(), 5_i64.into(), r#"{"$numberLong":"5"}"#),
        (any.clone(), i64::MAX.into(), "9223372036854775807"),
        (any.clone(), decimal("5"), r#"{"$numberDecimal":"5"}"#),
        (any.clone(), "x".into(), r#""x""#),
        (any.clone(), id().into(), r#"{"$oid":"6650f0000000000000000001"}"#),
        (any.clone(), binary(0x80, b"abc"), r#"{"$binary":{"base64":"YWJj","subType":"80"}}"#),
        (any.clone(), regex("a\"b", "im"), r#"{"$regularExpression":{"pattern":"a\"b","options":"im"}}"#),
        (any.clone(), Bson::JavaScriptCode("a\"".into()), r#"{"$code":"a\""}"#),
        (
            any.clone(),
            scoped("f", doc! {"x": 1, "y": [2_i64, {"z": 0.5}]}),
            r#"{"$code":"f","$scope":{"x":{"$numberInt":"1"},"y":[{"$numberLong":"2"},{"z":{"$numberDouble":"0.5"}}]}}"#,
        ),
        (any.clone(), Bson::Symbol("s".into()), r#"{"$symbol":"s"}"#),
        (any.clone(), pointer(), r#"{"$dbPointer":{"$ref":"b\n","$id":{"$oid":"6650f0000000000000000001"}}}"#),
        (any.clone(), Bson::Undefined, r#"{"$undefined":true}"#),
        (any.clone(), Bson::MinKey, r#"{"$minKey":1}"#),
        (any, Bson::MaxKey, r#"{"$maxKey":1}"#),
    ]);
}

#[test]
fn reads_other_spellings() {
    use Kind::{BinData, Date, Decimal, Double, Int, Long, ObjectId};
    let noon = date(1_714_564_800_000);
    reads(vec![
        (of(&[Int]), "3.0", 3.into()),
        (of(&[Int]), "30e-1", 3.into()),
        (of(&[Int]), "0.3E+1", 3.into()),
        (of(&[Int]), "-0", 0.into()),
        (of(&[Int]), "0e99999999999999999999", 0.into()),
        (of(&[Long]), "3e0", 3_i64.into()),
        (of(&[Long]), r#""9007199254740993""#, 9_007_199_254_740_993_i64.into()),
        (of(&[Long]), r#""-5""#, (-5_i64).into()),
        (of(&[Long]), "9007199254740993.0", 9_007_199_254_740_993_i64.into()),
        (of(&[Double]), "5", 5.0.into()),
        (of(&[Double]), "-0", (-0.0).into()),
        (of(&[Double]), "12345678901234567890", 12_345_678_901_234_567_890_f64.into()),
        (of(&[Decimal]), "19.90", decimal("19.90")),
        (of(&[Decimal]), "0.1000000000000000055511151231257827", decimal("0.1000000000000000055511151231257827")),
        (of(&[Decimal]), "-0.0", decimal("-0.0")),
        (of(&[Decimal]), r#""1e3""#, decimal("1E+3")),
        (of(&[ObjectId]), r#""6650F0000000000000000001""#, id().into()),
        (of(&[ObjectId]), r#"{ "$oid" : "6650f0000000000000000001" }"#, id().into()),
        (of(&[Date]), r#""2024-05-01T14:00:00+02:00""#, noon.clone()),
        (of(&[Date]), r#""2024-05-01t12:00:00z""#, noon.clone()),
        (of(&[Date]), r#""2024-05-01T12:00:00.0000000000000Z""#, noon.clone()),
        (of(&[Date]), r#""2024-05-01T12:00:00.1Z""#, date(1_714_564_800_100)),
        (of(&[Date]), r#"{"$date":"2024-05-01T12:00:00Z"}"#, noon.clone()),
        (
            of(&[BinData]),
            r#"{"$uuid":"00010203-0405-0607-0809-0A0B0C0D0E0F"}"#,
            binary(4, &(0..16).collect::<Vec<u8>>()),
        ),
        (of(&[BinData]), r#"{"$binary":{"subType":"5","base64":"YWJj"}}"#, binary(5, b"abc")),
    ]);
}

#[test]
fn reads_numbers_and_wrappers_where_much_may_stand() {
    use Kind::{Decimal, Double, Int, Long};
    let any = Field::any();
    reads(vec![
        (any.clone(), "-0", 0.into()),
        (any.clone(), "2147483648", 2_147_483_648_i64.into()),
        (any.clone(), "9223372036854775808", decimal("9223372036854775808")),
        (any.clone(), "-9223372036854775808", i64::MIN.into()),
        (any.clone(), "-9223372036854775809", decimal("-9223372036854775809")),
        (of(&[Long]), "9223372036854775807.0", i64::MAX.into()),
        (any.clone(), "1e2", 100.0.into()),
        (any.clone(), "1e400", decimal("1E+400")),
        (any.clone(), "1e-400", decimal("1E-400")),
        (any.clone(), r#""2024-05-01T12:00:00Z""#, "2024-05-01T12:00:00Z".into()),
        (any.clone(), r#"{"$scope":{"a":1},"$code":"f"}"#, scoped("f", doc! {"a": 1})),
        (any.clone(), r#"{"\u0024numberInt":"7"}"#, 7.into()),
        (any.clone(), r#"{"$numberDouble":"-0.0"}"#, (-0.0).into()),
        (any.clone(), r#"{"$numberDouble":"1e3"}"#, 1000.0.into()),
        (any, "1606938044258990275541962092341162602522202993782792835301376", 2.0_f64.powi(200).into()),
        (of(&[Int, Double]), "3000000000", 3e9.into()),
        (of(&[Int, Double]), "3.0", 3.0.into()),
        (of(&[Int, Long]), "3.0", 3.into()),
        (of(&[Double, Decimal]), "5", decimal("5")),
        (of(&[Long, Kind::Null]), r#""5""#, 5_i64.into()),
    ]);
}

/// The validator is to see, and name, what does not fit.
#[test]
fn sends_what_does_not_fit_as_it_is() {
    use Kind::{BinData, Date, Decimal, Double, Int, Long, ObjectId, String};
    reads(vec![
        (of(&[Int]), "3.5", 3.5.into()),
        (of(&[Int]), "2147483648", 2_147_483_648_i64.into()),
        (of(&[Int]), r#""3""#, "3".into()),
        (of(&[Long]), r#""+5""#, "+5".into()),
        (of(&[Long]), r#""""#, "".into()),
        (of(&[Long]), r#""9223372036854775808""#, "9223372036854775808".into()),
        (of(&[Double]), "1e400", decimal("1E+400")),
        (of(&[Double]), r#""5""#, "5".into()),
        (of(&[Decimal]), r#""""#, "".into()),
        (of(&[Decimal]), r#"".""#, ".".into()),
        (of(&[Decimal]), r#""5 ""#, "5 ".into()),
        (of(&[Decimal]), r#""12345678901234567890123456789012345""#, "12345678901234567890123456789012345".into()),
        (of(&[ObjectId]), r#""6650f00000000000000000""#, "6650f00000000000000000".into()),
        (of(&[ObjectId]), "{}", doc! {}.into()),
        (of(&[Date]), r#""2024-05-01""#, "2024-05-01".into()),
        (of(&[Date]), r#""2024-05-01T12:00:00.0001Z""#, "2024-05-01T12:00:00.0001Z".into()),
        (of(&[Date]), r#""2024-05-01T12:00:00.0000000001Z""#, "2024-05-01T12:00:00.0000000001Z".into()),
        (of(&[Date]), r#""2024-05-01 12:00:00Z""#, "2024-05-01 12:00:00Z".into()),
        (of(&[Date]), r#""2024-05-01T12:00:60Z""#, "2024-05-01T12:00:60Z".into()),
        (of(&[Date]), r#""2016-12-31T23:59:60Z""#, "2016-12-31T23:59:60Z".into()),
        (of(&[Date]), r#""2024-02-30T12:00:00Z""#, "2024-02-30T12:00:00Z".into()),
        (of(&[Date]), r#""2024-05-01T12:00:00""#, "2024-05-01T12:00:00".into()),
        (of(&[Date]), r#""2024-05-01T12:00:00+00:60""#, "2024-05-01T12:00:00+00:60".into()),
        (of(&[Date]), r#""2024-05-01é12:00:00Z""#, "2024-05-01é12:00:00Z".into()),
        (of(&[Date]), r#""ééééééééééééé""#, "ééééééééééééé".into()),
        (of(&[BinData]), r#""aGVsbG8""#, "aGVsbG8".into()),
        (uuid(), r#""000102030405060708090a0b0c0d0e0f""#, "000102030405060708090a0b0c0d0e0f".into()),
        (of(&[Date, ObjectId]), r#""6650f0000000000000000001""#, "6650f0000000000000000001".into()),
        (of(&[String]), "5", 5.into()),
        (of(&[String]), "null", Bson::Null),
    ]);
}

/// What is stored against the schema is shown for what it is.
#[test]
fn prints_undeclared_types_as_wrappers() {
    use Kind::{Date, Double, Int, Long, ObjectId, String};
    let cases: Vec<(Field, Bson, &str)> = vec![
        (of(&[Long]), 5.into(), r#"{"$numberInt":"5"}"#),
        (of(&[Int]), 5_i64.into(), r#"{"$numberLong":"5"}"#),
        (of(&[Int]), 5.0.into(), r#"{"$numberDouble":"5.0"}"#),
        (of(&[Double]), decimal("5"), r#"{"$numberDecimal":"5"}"#),
        (of(&[String]), date(0), r#"{"$date":{"$numberLong":"0"}}"#),
        (of(&[Date]), "x".into(), r#""x""#),
        (of(&[ObjectId]), true.into(), "true"),
        (of(&[ObjectId]), doc! {"a": [5]}.into(), r#"{"a":[5]}"#),
    ];
    for (shape, value, text) in cases {
        assert_eq!(printed(&value, &shape), text, "{:?}", shape.kinds);
    }
}

#[test]
fn reads_plain_text_by_the_declared_types() {
    use Kind::{BinData, Bool, Date, Decimal, Double, Int, Long, Null, Object, ObjectId, String};
    let any = Field::any();
    let cases: Vec<(Field, &str, Option<Bson>)> = vec![
        (any.clone(), "5", Some(5.into())),
        (any.clone(), "5.0", Some(5.0.into())),
        (any.clone(), " 5", Some(" 5".into())),
        (any.clone(), "05", Some("05".into())),
        (any.clone(), "NaN", Some("NaN".into())),
        (any.clone(), "true", Some(true.into())),
        (any.clone(), "null", Some(Bson::Null)),
        (any.clone(), "nul", Some("nul".into())),
        (any.clone(), "", Some("".into())),
        (any, r#"{"$oid":"6650f0000000000000000001"}"#, Some(r#"{"$oid":"6650f0000000000000000001"}"#.into())),
        (of(&[String]), "5", Some("5".into())),
        (of(&[String, Int]), "5", Some("5".into())),
        (of(&[Int]), "5", Some(5.into())),
        (of(&[Int]), "5.0", Some(5.into())),
        (of(&[Int]), "5.5", None),
        (of(&[Int]), "", None),
        (of(&[Long]), "5", Some(5_i64.into())),
        (of(&[Double]), "5", Some(5.0.into())),
        (of(&[Decimal]), "5.00", Some(decimal("5.00"))),
        (of(&[Decimal]), "NaN", Some(decimal("NaN"))),
        (loose(), "5", Some(5.into())),
        (of(&[Bool]), "true", Some(true.into())),
        (of(&[Bool]), "1", None),
        (of(&[Date]), "2024-05-01T12:00:00Z", Some(date(1_714_564_800_000))),
        (of(&[Date]), "null", None),
        (of(&[Date, Null]), "null", Some(Bson::Null)),
        (of(&[Date, ObjectId]), "6650f0000000000000000001", Some(id().into())),
        (of(&[ObjectId]), "6650f0000000000000000001", Some(id().into())),
        (of(&[ObjectId]), r#"{"$oid":"6650f0000000000000000001"}"#, None),
        (of(&[BinData]), "YWJj", Some(binary(0, b"abc"))),
        (uuid(), "YWJj", None),
        (of(&[Object]), "{}", None),
    ];
    for (shape, text, value) in cases {
        let read = decode::text(text, &shape).map(|value| Bson::try_from(value).unwrap());
        assert_eq!(read, value, "{text} as {:?}", shape.kinds);
    }
}

#[test]
fn stored_depth_is_bounded() {
    let nest = |levels: usize| (1..levels).fold(rawdoc! {}, |inner, _| rawdoc! {"a": inner});
    let mut out = Vec::new();
    encode::document(&mut out, &nest(encode::MAX_STORED_DEPTH), &Field::any()).unwrap();
    let error = encode::document(&mut out, &nest(encode::MAX_STORED_DEPTH + 1), &Field::any()).unwrap_err();
    assert!(matches!(error, Error::Internal(detail) if detail.contains("deeper than 200")));
    let scope: RawDocumentBuf = nest(300);
    let scope = scoped("", Document::try_from(scope).unwrap());
    let deep = RawBson::try_from(scope).unwrap();
    assert!(encode::value(&mut out, deep.as_raw_bson_ref(), &Field::any()).is_err());
}

#[test]
fn the_names_of_items_are_text_too() {
    let mut bytes = rawdoc! { "a": [true] }.into_bytes();
    let name = bytes.iter().position(|byte| *byte == b'0').unwrap();
    bytes[name] = 0xff;
    let document = RawDocument::from_bytes(&bytes).unwrap();
    assert!(encode::document(&mut Vec::new(), document, &Field::any()).is_err());
    assert!(ejson::document(&mut Vec::new(), document, Mode::Canonical, None).is_err());
}
