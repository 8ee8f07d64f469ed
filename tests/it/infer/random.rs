//! Random documents of every type: whatever is stored, there is a file that accepts it.

use std::num::NonZeroU64;

use folio::{
    infer::{self, Census, Facts},
    schema::{Field, load},
};
use mongodb::bson::{
    self, Binary, Bson, DateTime, Decimal128, Document, JavaScriptCodeWithScope, Regex, Timestamp, doc, oid::ObjectId,
    spec::BinarySubtype,
};
use proptest::{
    collection::vec,
    prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof},
    sample::select,
    strategy::ValueTree,
    string::string_regex,
    test_runner::TestRunner,
};

use super::{ALL, adopt, keeps_its_promises};
use crate::support;

/// Collections in each run of the test.
const COLLECTIONS: usize = 60;

/// Names that paths, patterns and JSON could trip over.
const NAMES: [&str; 16] = [
    "a",
    "b",
    "c.d",
    ".",
    "$e",
    "$ref",
    "",
    "~/f",
    "\u{e9}\u{1f600}",
    "line\nfeed",
    "2024-01-01",
    "7",
    "550e8400-e29b-41d4-a716-446655440000",
    "_id",
    "required",
    "[^]$",
];

const STRINGS: [&str; 14] = [
    "",
    "a",
    "$a",
    "ab\n",
    "978",
    "\u{1f600}",
    "2024-02-29",
    "2024-02-29T12:00:00Z",
    "12:00:00Z",
    "a@example.org",
    "www.example.org",
    "https://example.org/?q=a%20b#c",
    "10.0.0.1",
    "550e8400-e29b-41d4-a716-446655440000",
];

fn binary() -> impl Strategy<Value = Bson> {
    let subtypes = [BinarySubtype::Generic, BinarySubtype::Uuid, BinarySubtype::Md5, BinarySubtype::UserDefined(0x80)];
    (select(subtypes.to_vec()), select(&[0, 3, 16][..]))
        .prop_map(|(subtype, length)| Bson::Binary(Binary { subtype, bytes: vec![7; length] }))
}

fn number() -> impl Strategy<Value = Bson> {
    let decimals = ["0.10", "19.90", "1E+6000", "NaN", "-Infinity", "5"];
    prop_oneof![
        any::<i32>().prop_map(Bson::Int32),
        any::<i64>().prop_map(Bson::Int64),
        select(&[-0.0, 1.0, 2.5, 1e300, f64::NAN, f64::INFINITY, 9_007_199_254_740_993.0][..]).prop_map(Bson::Double),
        select(decimals.to_vec()).prop_map(|digits| Bson::Decimal128(digits.parse::<Decimal128>().unwrap())),
    ]
}

fn rare() -> impl Strategy<Value = Bson> {
    let regex = Regex { pattern: "^a".try_into().unwrap(), options: "i".try_into().unwrap() };
    let pointer = serde_json::json!({ "$dbPointer": { "$ref": "a.b", "$id": { "$oid": "6650f0000000000000000001" } } });
    let rare = [
        Bson::Undefined,
        Bson::MinKey,
        Bson::MaxKey,
        Bson::Symbol("s".into()),
        Bson::JavaScriptCode("x".into()),
        Bson::JavaScriptCodeWithScope(JavaScriptCodeWithScope { code: "x".into(), scope: doc! { "y": 1 } }),
        Bson::Timestamp(Timestamp { time: 5, increment: 7 }),
        Bson::RegularExpression(regex),
        Bson::try_from(pointer).unwrap(),
    ];
    select(rare.to_vec())
}

fn scalar() -> BoxedStrategy<Bson> {
    prop_oneof![
        4 => select(&STRINGS[..]).prop_map(Bson::from),
        3 => number(),
        1 => any::<bool>().prop_map(Bson::Boolean),
        1 => Just(Bson::Null),
        1 => select(&[i64::MIN, -1, 0, 1_714_564_800_000, i64::MAX][..])
            .prop_map(|millis| Bson::DateTime(DateTime::from_millis(millis))),
        1 => Just(Bson::ObjectId(ObjectId::from_bytes([7; 12]))),
        1 => binary(),
        2 => rare(),
    ]
    .boxed()
}

fn value() -> impl Strategy<Value = Bson> {
    scalar().prop_recursive(4, 40, 6, |value| {
        prop_oneof![
            1 => vec(value.clone(), 0..5).prop_map(Bson::Array),
            2 => members(value).prop_map(Bson::Document),
        ]
    })
}

fn members(value: impl Strategy<Value = Bson>) -> impl Strategy<Value = Document> {
    vec((select(&NAMES[..]), value), 0..6)
        .prop_map(|members| members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// An `_id` that MongoDB takes, if it is not to make one.
fn id() -> impl Strategy<Value = Option<Bson>> {
    prop_oneof![
        4 => Just(None),
        1 => any::<i32>().prop_map(|n| Some(Bson::Int32(n))),
        1 => select(&["x", "_y", ""][..]).prop_map(|text| Some(doc! { "k": text, "n": ObjectId::new() }.into())),
    ]
}

/// Documents that are alike: a few, each several times.
fn documents() -> impl Strategy<Value = Vec<Document>> {
    let one = || prop_oneof![members(value()).boxed(), members(scalar()).boxed()];
    (vec((one(), id()), 1..6), 1..20_usize).prop_map(|(documents, times)| {
        let repeated = documents.iter().cycle().take(documents.len() * times).enumerate();
        let distinct = |(at, (document, id)): (usize, &(Document, Option<Bson>))| {
            let id = id.clone().filter(|_| at < documents.len()).unwrap_or_else(|| ObjectId::new().into());
            let mut document = document.clone();
            document.insert("_id", id);
            document
        };
        repeated.map(distinct).collect()
    })
}

/// Strings that are, or nearly are, of a format.
const NEARLY: [(&str, &str); 9] = [
    ("uuid", "[0-9a-fA-F]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9A-F]{4}-[0-9a-f]{12}"),
    ("date-time", "(0000|1900|2024)-02-2[89]T[012][0-9]:5[0-9]:[05][0-9](\\.[0-9]{1,9})?(Z|[+-][012][0-9]:[0-9]{2})"),
    ("date", "[0-9]{4}-[01][0-9]-[0-3][0-9]"),
    ("time", "[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{0,9})?(Z|[+-][0-2][0-9]:[0-6][0-9])"),
    ("ipv4", "(0|1|25|9)?[0-9]\\.(0|255|256|01)\\.[0-9]{1,3}\\.[1-9][0-9]?"),
    ("ipv6", "([0-9a-fA-F]{1,4}:){0,7}(:([0-9a-f]{1,4}:){0,5})?([0-9a-f]{1,4}|255\\.0\\.1\\.9|)"),
    ("email", "[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,66}@[a-z0-9.-]{1,20}\\.[a-z]{1,4}"),
    ("uri", "[a-z][a-z0-9+.-]{0,3}://[a-z0-9._~-]{1,9}(:[0-9]{0,6})?(/[a-z%0-9._~!$&'()*+,;=:@/?#-]{0,9})?"),
    ("hostname", "[a-zA-Z0-9-]{1,5}\\.[a-z0-9.-]{1,64}\\.[a-z]{1,64}"),
];

/// Strings in each run of the test, for each of the formats.
const FORMATTED: usize = 30;

#[tokio::test]
async fn what_looks_like_a_format_is_of_that_format() {
    let test = support::database().await;
    let mut runner = TestRunner::default();
    for (format, pattern) in NEARLY {
        let strategy = string_regex(pattern).unwrap();
        let mut named = 0;
        for number in 0..FORMATTED * support::effort() {
            let looks = strategy.new_tree(&mut runner).unwrap().current();
            let mut census = Census::default();
            for _ in 0..5 {
                census.observe(&bson::rawdoc! { "_id": ObjectId::new(), "v": looks.as_str() });
            }
            let file = infer::file(&census, &Facts::default(), &Field::any());
            if !file.contains("\"format\": \"") {
                continue;
            }
            named += 1;
            let name = format!("{format}{number}");
            let schema = load::parse("things.json", "things", file.clone()).unwrap();
            test.db.create_collection(&name).validator(schema.validator).await.unwrap();
            let stored = test.db.collection::<Document>(&name);
            let inserted = stored.insert_one(doc! { "v": &looks }).await;
            inserted.unwrap_or_else(|error| panic!("{looks:?} does not fit {file}: {error}"));
            stored.drop().await.unwrap();
        }
        assert!(named > 0, "none of the strings is a {format}: they prove nothing");
    }
}

#[tokio::test]
async fn every_document_fits_the_file_that_is_made_of_it() {
    let test = support::database().await;
    let mut runner = TestRunner::default();
    for number in 0..COLLECTIONS * support::effort() {
        let name = format!("c{number}");
        let documents = documents().new_tree(&mut runner).unwrap().current();
        let stored = test.db.collection::<Document>(&name);
        stored.insert_many(&documents).await.unwrap_or_else(|error| panic!("{error}: {documents:?}"));
        let sample = [ALL, NonZeroU64::new(1 + number as u64 % 7).unwrap()][number % 2];
        let adopted = adopt(&test.db, &name, sample).await;
        let adopted = adopted.unwrap_or_else(|error| panic!("{error}: {documents:?}"));
        let file = &adopted.schema.source.text;
        assert!(sample != ALL || !file.contains("did not fit"), "{file}\nof {documents:?}");
        keeps_its_promises(&test.db, &adopted).await;
        let whole = bson::serialize_to_vec(&doc! { "d": &documents }).unwrap();
        assert!(file.len() < 1000 + 20 * whole.len(), "{file}");
        stored.drop().await.unwrap();
    }
}
