//! What is read over HTTP and written back unchanged is byte for byte what was stored.

use mongodb::bson::{
    self, Binary, Bson, DateTime, Decimal128, Document, JavaScriptCodeWithScope, RawDocumentBuf, Regex, Timestamp, doc,
    oid::ObjectId,
};
use proptest::{
    collection::vec,
    prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof},
    sample::{select, subsequence},
    strategy::{Union, ValueTree},
    test_runner::TestRunner,
};
use serde_json::{Value, json};

use crate::support::{self, Api};

/// Documents in each run of the test.
const DOCUMENTS: usize = 150;

/// BSON's types but for objects and lists.
const SCALARS: [&str; 19] = [
    "double",
    "string",
    "binData",
    "undefined",
    "objectId",
    "bool",
    "date",
    "null",
    "regex",
    "dbPointer",
    "javascript",
    "symbol",
    "javascriptWithScope",
    "int",
    "timestamp",
    "long",
    "decimal",
    "minKey",
    "maxKey",
];
const NUMBERS: [&str; 4] = ["int", "long", "double", "decimal"];
/// Types that could look alike in one field.
const UNIONS: [&[&str]; 8] = [
    &["string", "date"],
    &["objectId", "date", "null"],
    &["decimal", "binData"],
    &["int", "long"],
    &["int", "double"],
    &["long", "double"],
    &["double", "decimal"],
    &["int", "decimal", "string"],
];
/// Names that nothing is said of.
const UNDECLARED: [&str; 8] = ["", "0", "é b", "~/\\\"", "\u{2028}", "__proto__", "a\nb", "id"];

/// A collection with a field for each type and each union, and fields of which little or nothing is said.
fn file() -> Value {
    let mut properties = json!({
        "uuid": { "bsonType": "binData", "format": "uuid" },
        "whole": { "type": "integer" },
        "number": { "type": "number" },
        "dotted.name": { "bsonType": "date" },
        "list": { "type": "array", "items": { "bsonType": ["date", "null"] } },
        "map": { "type": "object", "properties": { "n": { "bsonType": "long" } },
                 "additionalProperties": { "bsonType": "decimal" } },
        "either": { "anyOf": [{ "bsonType": "objectId" }, { "type": "array", "items": { "bsonType": "double" } }] }
    });
    for name in SCALARS {
        properties[name] = json!({ "bsonType": name });
    }
    for union in UNIONS {
        properties[union.join("|")] = json!({ "bsonType": union });
    }
    json!({ "type": "object", "properties": properties })
}

fn scalar(kind: &str) -> BoxedStrategy<Bson> {
    let text = || {
        prop_oneof![
            any::<String>(),
            select(&["", "5", "6650f0000000000000000001", "\0\"\\\u{2028}"][..]).prop_map(str::to_owned)
        ]
    };
    match kind {
        "double" => double().prop_map(Bson::Double).boxed(),
        "string" => text().prop_map(Bson::String).boxed(),
        "binData" => binary().boxed(),
        "undefined" => Just(Bson::Undefined).boxed(),
        "objectId" => any::<[u8; 12]>().prop_map(|bytes| ObjectId::from_bytes(bytes).into()).boxed(),
        "bool" => any::<bool>().prop_map(Bson::Boolean).boxed(),
        "date" => prop_oneof![any::<i64>(), -99_999_999_999_999..299_999_999_999_999_i64].prop_map(date).boxed(),
        "null" => Just(Bson::Null).boxed(),
        "regex" => ("[^\0]{0,6}", "i?l?m?s?u?x?").prop_map(|(pattern, options)| regex(&pattern, &options)).boxed(),
        "dbPointer" => text().prop_map(|namespace| pointer(&namespace)).boxed(),
        "javascript" => text().prop_map(Bson::JavaScriptCode).boxed(),
        "symbol" => text().prop_map(Bson::Symbol).boxed(),
        "javascriptWithScope" => (text(), members(Union::new(SCALARS[..8].iter().map(|kind| scalar(kind)))))
            .prop_map(|(code, scope)| JavaScriptCodeWithScope { code, scope }.into())
            .boxed(),
        "int" => prop_oneof![any::<i32>(), -9..9].prop_map(Bson::Int32).boxed(),
        // The server writes the time in place of a timestamp of nothing but zeros.
        "timestamp" => {
            (1..u32::MAX, any::<u32>()).prop_map(|(time, increment)| Timestamp { time, increment }.into()).boxed()
        }
        "long" => prop_oneof![any::<i64>(), -9..9_i64].prop_map(Bson::Int64).boxed(),
        "decimal" => decimal().prop_map(Bson::Decimal128).boxed(),
        "minKey" => Just(Bson::MinKey).boxed(),
        "maxKey" => Just(Bson::MaxKey).boxed(),
        other => unreachable!("{other}"),
    }
}

fn one_of(kinds: &[&str]) -> Union<BoxedStrategy<Bson>> {
    Union::new(kinds.iter().map(|kind| scalar(kind)))
}

fn double() -> impl Strategy<Value = f64> {
    let special = vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, 5e-324, 1e15, 1e16];
    let bits = any::<u64>().prop_map(f64::from_bits).prop_filter("JSON has one NaN", |number| !number.is_nan());
    prop_oneof![4 => bits, 2 => (-9..9).prop_map(f64::from), 1 => select(special)]
}

fn decimal() -> impl Strategy<Value = Decimal128> {
    let finite = (any::<i64>(), 0..19_u32, prop_oneof![-6176..6093, -9..9])
        .prop_map(|(digits, fewer, exponent)| format!("{}E{exponent}", digits / 10_i64.pow(fewer)));
    let special = select(&["NaN", "Infinity", "-Infinity", "-0", "0E-6176", "0E+6111"][..]).prop_map(str::to_owned);
    prop_oneof![8 => finite, 1 => special].prop_map(|text| text.parse().unwrap())
}

fn binary() -> impl Strategy<Value = Bson> {
    let subtype = prop_oneof![Just(0), Just(2), Just(4), any::<u8>()];
    (subtype, prop_oneof![vec(any::<u8>(), 0..9), vec(any::<u8>(), 16)])
        .prop_map(|(subtype, bytes)| Binary { subtype: subtype.into(), bytes }.into())
}

fn date(millis: i64) -> Bson {
    DateTime::from_millis(millis).into()
}

fn regex(pattern: &str, options: &str) -> Bson {
    Regex { pattern: pattern.try_into().unwrap(), options: options.try_into().unwrap() }.into()
}

fn pointer(namespace: &str) -> Bson {
    json!({ "$dbPointer": { "$ref": namespace, "$id": { "$oid": "6650f0000000000000000001" } } }).try_into().unwrap()
}

fn whole() -> impl Strategy<Value = Bson> {
    let numbers = [Bson::Int32(7), Bson::Int64(7), Bson::Int64(i64::MIN), Bson::Double(-0.0), Bson::Double(1e300)];
    let decimals = ["7", "7.0", "1E+6000"].map(|text| Bson::Decimal128(text.parse().unwrap()));
    select([&numbers[..], &decimals].concat())
}

/// A value of any type.
fn anything() -> impl Strategy<Value = Bson> {
    one_of(&SCALARS).prop_recursive(3, 12, 4, |value| {
        prop_oneof![vec(value.clone(), 0..4).prop_map(Bson::Array), members(value).prop_map(Bson::Document)]
    })
}

/// Some of the undeclared names with values.
fn members(value: impl Strategy<Value = Bson>) -> impl Strategy<Value = Document> {
    (subsequence(&UNDECLARED[..], 0..4).prop_shuffle(), vec(value, 4))
        .prop_map(|(names, values)| names.into_iter().map(str::to_owned).zip(values).collect())
}

fn map() -> impl Strategy<Value = Document> {
    (members(scalar("decimal")), scalar("long")).prop_map(|(mut map, long)| {
        map.insert("n", long);
        map
    })
}

/// Some of the declared fields and some others, in any order.
fn document() -> impl Strategy<Value = Document> {
    let single = SCALARS.iter().map(|kind| ((*kind).to_owned(), scalar(kind)));
    let union = UNIONS.iter().map(|kinds| (kinds.join("|"), one_of(kinds).boxed()));
    let doubles = vec(scalar("double"), 0..3).prop_map(Bson::Array);
    let special = [
        ("uuid", binary().boxed()),
        ("whole", whole().boxed()),
        ("number", one_of(&NUMBERS).boxed()),
        ("dotted.name", scalar("date")),
        ("list", vec(one_of(&["date", "null"]), 0..3).prop_map(Bson::Array).boxed()),
        ("map", map().prop_map(Bson::Document).boxed()),
        ("either", prop_oneof![scalar("objectId"), doubles].boxed()),
    ];
    let special = special.map(|(name, value)| (name.to_owned(), value));
    let declared: Vec<_> = single.chain(union).chain(special).collect();
    let declared = subsequence(declared, 0..9).prop_flat_map(|fields| {
        let (names, values): (Vec<_>, Vec<_>) = fields.into_iter().unzip();
        values.prop_map(move |values| names.iter().cloned().zip(values).collect::<Vec<_>>())
    });
    let others = members(anything()).prop_map(|members| members.into_iter().collect::<Vec<_>>());
    let fields = (declared, others).prop_map(|(declared, others)| [declared, others].concat()).prop_shuffle();
    fields.prop_map(|fields| [("_id".to_owned(), ObjectId::new().into())].into_iter().chain(fields).collect())
}

/// The document with each number whose value alone is promised as what it is read as.
fn promised(mut document: Document) -> Document {
    for name in ["whole", "number"] {
        if let Some(value @ Bson::Int64(_)) = document.get_mut(name)
            && let Some(small) = value.as_i64().and_then(|long| i32::try_from(long).ok())
        {
            *value = small.into();
        }
    }
    document
}

async fn stored(api: &Api, id: &Bson) -> RawDocumentBuf {
    let raw = api.collection("things").clone_with_type::<RawDocumentBuf>();
    raw.find_one(doc! { "_id": id.clone() }).await.unwrap().unwrap()
}

#[tokio::test]
async fn what_is_read_and_written_back_is_the_same_bytes() {
    let api = Api::things(file()).await;
    let mut runner = TestRunner::default();
    let document = document();
    for _ in 0..DOCUMENTS * support::effort() {
        let document = document.new_tree(&mut runner).unwrap().current();
        api.collection("things").insert_one(&document).await.unwrap_or_else(|error| panic!("{document}: {error}"));
        let (id, before) = (&document["_id"], stored(&api, &document["_id"]).await);
        let path = format!("/v1/things/{}", id.as_object_id().unwrap());
        let shown = api.get(&path).await.text;
        let written = api.put(&path, &shown).await;
        assert_eq!(written.status, 200, "{}\n  on {shown}\n  of {document}", written.text);
        let expected = promised(bson::deserialize_from_slice(before.as_bytes()).unwrap());
        let expected = RawDocumentBuf::try_from(&expected).unwrap();
        let after = stored(&api, id).await;
        assert_eq!(after.as_bytes(), expected.as_bytes(), "{shown}\n  stored again as {after:?}\n  of {document}");
    }
}
