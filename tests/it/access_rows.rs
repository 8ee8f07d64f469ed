//! Row filters: the service and MongoDB judge every document alike, since both decide what a caller gets.

use std::{collections::BTreeSet, str::FromStr};

use folio::schema::access::{Comparison, Filter};
use futures::TryStreamExt;
use mongodb::{
    Collection,
    bson::{
        Binary, Bson, DateTime, Decimal128, Document, JavaScriptCodeWithScope, RawDocumentBuf, Regex, Timestamp, doc,
        oid::ObjectId, raw::cstr, spec::BinarySubtype,
    },
};
use proptest::{
    collection::{btree_map, vec},
    prelude::{BoxedStrategy, Strategy, any, prop_oneof},
    sample::{select, subsequence},
    strategy::ValueTree,
    test_runner::TestRunner,
};

use crate::support::{database, effort};

/// Collections in each run of the test, the documents of each, and the filters that each is searched by.
const ROUNDS: usize = 12;
const DOCUMENTS: usize = 80;
const FILTERS: usize = 60;
const NAMES: [&str; 3] = ["a", "b", "c"];

fn decimal(text: impl AsRef<str>) -> Bson {
    Bson::Decimal128(Decimal128::from_str(text.as_ref()).unwrap())
}

/// Numbers that are equal, or nearly so, across types.
fn numbers() -> Vec<Bson> {
    let mut numbers: Vec<Bson> = [0, -1, 1, 2, i32::MAX].map(Bson::Int32).into();
    numbers.extend([0, 1, (1 << 53) + 1, i64::MAX, i64::MIN].map(Bson::Int64));
    let doubles = [-0.0, 1.0, 1.5, 0.1, 1e-7, 1e22, 9.007_199_254_740_992e15, 9.223_372_036_854_776e18, f64::MAX];
    numbers.extend(doubles.map(Bson::Double));
    numbers.extend([f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 5e-324, -9.223_372_036_854_776e18].map(Bson::Double));
    let decimals =
        ["NaN", "Infinity", "-Infinity", "-0", "0E+10", "1", "1.00", "1.5", "0.1", "1E-7", "1E+22", "1E+400"];
    numbers.extend(decimals.map(decimal));
    let exact = [
        "0.1000000000000000055511151231257827",
        "0.1000000000000000055511151231257828",
        "9007199254740993",
        "9223372036854775807.5",
        "9223372036854775808",
        "4.940656458412465441765687928682213E-324",
        "4.940656458412465441765687928682214E-324",
        "1.797693134862315708145274237317043E+308",
        "1.797693134862315708145274237317044E+308",
        "9.999999999999999999999999999999999E+6144",
        "1E-6176",
        "-1E-6176",
    ];
    numbers.extend(exact.map(decimal));
    // Greater coefficients than 34 digits stand for zero, and so do those of the other form.
    let odd = [((1 << 113) - 1) | (6000 << 113), (0b11 << 125) | (6000 << 111) | 5_u128];
    numbers.extend(odd.map(|bits| Bson::Decimal128(Decimal128::from_bytes(bits.to_le_bytes()))));
    numbers
}

/// What a rule can compare with.
fn scalars() -> Vec<Bson> {
    let mut scalars = numbers();
    scalars.extend(["", "a", "a\0", "A", "ä", "b", "\u{ffff}", "\u{10000}"].map(Bson::from));
    scalars.extend([true.into(), false.into(), Bson::Null]);
    scalars.extend([1, 2].map(|byte| ObjectId::from_bytes([byte; 12]).into()));
    scalars.extend([i64::MIN, -1, 0, 1].map(|ms| DateTime::from_millis(ms).into()));
    scalars.extend(
        [(0, 0), (1, u32::MAX), (2, 0), (u32::MAX, 1)].map(|(time, increment)| Timestamp { time, increment }.into()),
    );
    let binary = |(subtype, bytes): (BinarySubtype, &[u8])| Binary { subtype, bytes: bytes.to_vec() }.into();
    let binaries: [(BinarySubtype, &[u8]); 6] = [
        (BinarySubtype::Generic, &[]),
        (BinarySubtype::Generic, &[255]),
        (BinarySubtype::Generic, &[1, 2, 3, 4, 5]),
        (BinarySubtype::BinaryOld, &[1]),
        (BinarySubtype::UserDefined(200), &[1]),
        (BinarySubtype::Uuid, &[7; 16]),
    ];
    scalars.extend(binaries.map(binary));
    scalars
}

/// Scalars that stand in documents only.
fn strangers() -> Vec<Bson> {
    let code = JavaScriptCodeWithScope { code: "a".into(), scope: doc! { "a": 1 } };
    vec![
        Bson::Undefined,
        Bson::MinKey,
        Bson::MaxKey,
        Bson::Symbol("a".into()),
        Bson::JavaScriptCode("a".into()),
        code.into(),
        Regex { pattern: cstr!("a").into(), options: cstr!("").into() }.into(),
    ]
}

/// A double, a decimal or a whole number near others.
fn number() -> BoxedStrategy<Bson> {
    let double = any::<f64>();
    prop_oneof![
        double.prop_map(Bson::Double),
        any::<f64>()
            .prop_filter("a decimal has no payload", |d| d.is_finite())
            .prop_map(|d| decimal(format!("{d:.33e}"))),
        (any::<f64>(), -1..2)
            .prop_filter("finite", |(d, _)| d.is_finite())
            .prop_map(|(d, step)| decimal(near(d, step))),
        any::<i64>().prop_map(Bson::Int64),
    ]
    .boxed()
}

/// The double in 34 digits, its last one moved.
fn near(double: f64, step: i32) -> String {
    let text = format!("{double:.33e}");
    let (mantissa, exponent) = text.split_once('e').unwrap();
    let (start, last) = mantissa.split_at(mantissa.len() - 1);
    let last = (last.parse::<i32>().unwrap() + step).clamp(0, 9);
    format!("{start}{last}E{exponent}")
}

fn value(of: Vec<Bson>) -> BoxedStrategy<Bson> {
    let scalar = select(of);
    scalar
        .prop_recursive(4, 24, 4, |value| {
            prop_oneof![vec(value.clone(), 0..4).prop_map(Bson::Array), members(value).prop_map(Bson::Document)]
        })
        .boxed()
}

fn members(value: impl Strategy<Value = Bson>) -> impl Strategy<Value = Document> {
    btree_map(select(&NAMES[..]), value, 0..4)
        .prop_map(|members| members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn filter(of: &[Bson], depth: u32) -> BoxedStrategy<Filter<Bson>> {
    let path = || vec(select(&NAMES[..]), 1..4).prop_map(|names| names.join("."));
    let comparison = select(Comparison::OPERATORS.map(|(_, comparison)| comparison).to_vec());
    let values = vec(select(of.to_vec()), 0..4).prop_map(Bson::Array);
    let condition = prop_oneof![
        6 => (path(), comparison, select(of.to_vec())).prop_map(|(path, by, value)| Filter::Compare(path, by, value)),
        2 => (path(), any::<bool>(), values).prop_map(|(path, among, values)| Filter::In(path, among, values)),
        1 => (path(), any::<bool>()).prop_map(|(path, there)| Filter::Exists(path, there)),
    ];
    let Some(below) = depth.checked_sub(1) else { return condition.boxed() };
    let parts = || vec(filter(of, below), 1..4);
    prop_oneof![
        6 => condition,
        1 => parts().prop_map(Filter::All),
        1 => parts().prop_map(Filter::Any),
        1 => parts().prop_map(Filter::None),
    ]
    .boxed()
}

/// The `_id`s of the documents that MongoDB finds by the filter.
async fn found(collection: &Collection<RawDocumentBuf>, filter: &Filter<Bson>) -> BTreeSet<i32> {
    let documents = collection.find(filter.document()).await.unwrap().try_collect::<Vec<_>>().await.unwrap();
    documents.iter().map(|document| document.get_i32("_id").unwrap()).collect()
}

fn sample<T>(strategy: &impl Strategy<Value = T>, runner: &mut TestRunner) -> T {
    strategy.new_tree(runner).unwrap().current()
}

#[tokio::test]
async fn mongodb_and_the_service_find_the_same_documents() {
    let test = database().await;
    let mut runner = TestRunner::default();
    let (mut judged, mut matched) = (0, 0);
    // Few values make ties. Some stand in documents only.
    let pools = (subsequence(scalars(), 4..14), vec(number(), 0..6), subsequence(strangers(), 0..4));
    for round in 0..ROUNDS * effort() {
        let (some, more, strange) = sample(&pools, &mut runner);
        let known = [some, more].concat();
        let documents = vec(members(value([known.clone(), strange].concat())), DOCUMENTS);
        let collection = test.db.collection::<RawDocumentBuf>(&format!("c{round}"));
        let documents = (0_i32..).zip(sample(&documents, &mut runner)).map(|(id, mut document)| {
            document.insert("_id", id);
            RawDocumentBuf::try_from(&document).unwrap()
        });
        collection.insert_many(documents).await.unwrap();
        let documents: Vec<_> = collection.find(doc! {}).await.unwrap().try_collect().await.unwrap();
        for filter in sample(&vec(filter(&known, 2), FILTERS), &mut runner) {
            let found = found(&collection, &filter).await;
            for document in &documents {
                let expected = found.contains(&document.get_i32("_id").unwrap());
                assert_eq!(filter.matches(document), expected, "{}\n  on {document:?}", filter.document());
            }
            (judged, matched) = (judged + documents.len(), matched + found.len());
        }
        collection.drop().await.unwrap();
    }
    assert!(matched > judged / 10 && matched < judged, "{matched} of {judged} match: the filters prove little");
    println!("{judged} judgments, {matched} of them yes");
}
