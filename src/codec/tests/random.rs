//! Random shapes and documents: what is read and written back is the same BSON.

use bson::{Bson, Decimal128, Document, RawDocument, RawDocumentBuf, Timestamp, doc, oid::ObjectId};
use indexmap::IndexMap;
use proptest::{collection, option, prelude::*, sample};

use super::*;
use crate::{
    json::{SyntaxError, Tree},
    schema::Tuple,
};

pub(super) fn config() -> ProptestConfig {
    let effort = std::env::var("FOLIO_EFFORT").ok().and_then(|effort| effort.parse().ok()).unwrap_or(1);
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256 * effort) }
}

fn kinds() -> impl Strategy<Value = Kinds> {
    let all: Vec<Kind> = Kind::NAMES.into_iter().map(|(kind, _)| kind).collect();
    let several = |most| sample::subsequence(all.clone(), 1..=most).prop_map(|kinds| kinds.into_iter().collect());
    let numeric = sample::subsequence(Kinds::NUMBERS.iter().collect::<Vec<_>>(), 1..=4).prop_map(Kinds::from_iter);
    prop_oneof![3 => several(1), 3 => several(4), 1 => several(20), 2 => numeric, 2 => Just(Kinds::ANY)]
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[a-c]{1,2}", Just(String::new()), "[^\0$.][^\0.]{0,4}"]
}

fn shape() -> BoxedStrategy<Field> {
    let leaf = (kinds(), any::<bool>(), prop::bool::weighted(0.2)).prop_map(|(kinds, uuid, loose)| Field {
        kinds: if loose { kinds.union(Kinds::NUMBERS) } else { kinds },
        loose_number: loose,
        uuid,
        ..Field::any()
    });
    let nested = leaf.prop_recursive(3, 16, 4, |inner| {
        let key = prop_oneof![3 => name(), 1 => Just("a.b".to_owned())];
        let properties = collection::vec((key, inner.clone()), 0..4).prop_map(IndexMap::from_iter);
        let additional = prop_oneof![
            Just(Additional::Any),
            Just(Additional::Forbidden),
            inner.clone().prop_map(|shape| Additional::Shape(Box::new(shape))),
        ];
        let tuple = (collection::vec(inner.clone(), 1..3), inner.clone());
        let tuple = tuple.prop_map(|(prefix, rest)| Box::new(Tuple { prefix, rest }));
        let items = (option::of(inner.clone()), option::weighted(0.3, tuple));
        (inner, properties, additional, items).prop_map(|(field, properties, additional, (items, tuple))| {
            let kinds = field.kinds.union(Kind::Object.into()).union(Kind::Array.into());
            Field { kinds, properties, additional, items: items.map(Box::new), tuple, ..field }
        })
    });
    let members = collection::vec((name(), nested), 2..6).prop_map(IndexMap::from_iter);
    let root = members.prop_map(|properties| Field { properties, ..of(&[Kind::Object]) });
    (root, any::<bool>()).prop_map(|(root, is_prepared)| if is_prepared { root.prepared() } else { root }).boxed()
}

/// JSON texts, and what comes of them when a few of their bytes are others.
fn texts() -> impl Strategy<Value = Vec<u8>> {
    const LEAVES: [&str; 13] = [
        "0",
        "-1.5",
        "12e1",
        "1.25E-2",
        "true",
        "null",
        r#""""#,
        r#""a b""#,
        r#""\n\u00e9\"""#,
        "\"é\"",
        "[]",
        "{ }",
        "17",
    ];
    const NAMES: [&str; 6] = [r#""a""#, r#""b""#, r#""c""#, r#""\u0062""#, "\"é\"", r#""a longer name""#];
    const BYTES: &[u8] = b"{}[],:\"\\au0eE-.1 \n\x1f\x7f\xc3\xff";
    let space = || sample::select(vec!["", "", " ", "\n\t"]);
    let value = sample::select(LEAVES.to_vec()).prop_map(str::to_owned).prop_recursive(4, 24, 4, move |inner| {
        let items = collection::vec((space(), inner.clone(), space()), 0..4);
        let items =
            items.prop_map(|items| items.iter().map(|(a, item, b)| format!("{a}{item}{b}")).collect::<Vec<_>>());
        let member = (sample::select(NAMES.to_vec()), inner, space(), space());
        let members = collection::vec(member.prop_map(|(name, value, a, b)| format!("{a}{name}{b}:{a}{value}")), 0..5);
        prop_oneof![
            items.prop_map(|items| format!("[{}]", items.join(","))),
            (members, space()).prop_map(|(members, end)| format!("{{{}{end}}}", members.join(","))),
        ]
    });
    let damage = collection::vec((any::<sample::Index>(), sample::select(BYTES)), 0..3);
    (value, damage).prop_map(|(text, damage)| {
        let mut text = text.into_bytes();
        for (index, byte) in damage {
            let at = index.index(text.len());
            text[at] = byte;
        }
        text
    })
}

pub(super) fn object(shape: &Field, depth: u32) -> BoxedStrategy<Document> {
    let declared: Vec<_> = shape.properties.iter().map(|(name, field)| member(name.clone(), field, depth)).collect();
    let known: Vec<String> = shape.properties.keys().cloned().collect();
    let other = match &shape.additional {
        Additional::Forbidden => Just(Vec::new()).boxed(),
        Additional::Any => others(&Field::any(), depth),
        Additional::Shape(shape) => others(shape, depth),
    };
    (declared, other)
        .prop_map(move |(declared, other)| {
            let other = other.into_iter().filter(|(name, _)| !known.contains(name));
            declared.into_iter().flatten().chain(other).collect()
        })
        .boxed()
}

fn member(name: String, shape: &Field, depth: u32) -> BoxedStrategy<Option<(String, Bson)>> {
    option::weighted(0.8, value(shape, depth).prop_map(move |value| (name.clone(), value))).boxed()
}

fn others(shape: &Field, depth: u32) -> BoxedStrategy<Vec<(String, Bson)>> {
    let most = if depth == 0 { 0 } else { 3 };
    if most == 0 {
        return Just(Vec::new()).boxed();
    }
    collection::vec((name(), value(shape, depth)), 0..most).boxed()
}

/// A value of one of the declared types.
fn value(shape: &Field, depth: u32) -> BoxedStrategy<Bson> {
    let deeper = depth.saturating_sub(1);
    let of_kind = |kind| match kind {
        Kind::Object if depth == 0 => Just(doc! {}.into()).boxed(),
        Kind::Array if depth == 0 => Just(Bson::Array(Vec::new())).boxed(),
        Kind::Object => object(shape, deeper).prop_map(Bson::Document).boxed(),
        Kind::Array => array(shape, deeper),
        kind => scalar(kind, deeper),
    };
    proptest::strategy::Union::new(shape.kinds.iter().map(of_kind)).boxed()
}

/// An array whose items have the types that are declared for their positions.
fn array(shape: &Field, depth: u32) -> BoxedStrategy<Bson> {
    let items: Vec<_> = (0..4).map(|index| value(shape.at(index), depth)).collect();
    (items, 0..4_usize).prop_map(|(items, count)| items.into_iter().take(count).collect::<Vec<_>>().into()).boxed()
}

fn scalar(kind: Kind, depth: u32) -> BoxedStrategy<Bson> {
    let text = || prop_oneof![any::<String>(), "[0-9a-f]{24}", "-?[0-9]{1,3}", Just("\0\"\\\u{2028}".to_owned())];
    match kind {
        Kind::Double => double().prop_map(Bson::Double).boxed(),
        Kind::String => text().prop_map(Bson::String).boxed(),
        Kind::Symbol => text().prop_map(Bson::Symbol).boxed(),
        Kind::JavaScript => text().prop_map(Bson::JavaScriptCode).boxed(),
        Kind::BinData => bytes().boxed(),
        Kind::ObjectId => any::<[u8; 12]>().prop_map(|bytes| ObjectId::from_bytes(bytes).into()).boxed(),
        Kind::Bool => any::<bool>().prop_map(Bson::Boolean).boxed(),
        Kind::Date => prop_oneof![any::<i64>(), -100_000_000_000_000..300_000_000_000_000_i64].prop_map(date).boxed(),
        Kind::Null => Just(Bson::Null).boxed(),
        Kind::Undefined => Just(Bson::Undefined).boxed(),
        Kind::MinKey => Just(Bson::MinKey).boxed(),
        Kind::MaxKey => Just(Bson::MaxKey).boxed(),
        Kind::Regex => ("[^\0]{0,6}", "i?l?m?s?u?x?").prop_map(|(p, o)| regex(&p, &o)).boxed(),
        Kind::DbPointer => Just(pointer()).boxed(),
        Kind::JavaScriptWithScope => {
            let scope = if depth == 0 { Just(doc! {}).boxed() } else { object(&Field::any(), depth - 1) };
            (text(), scope).prop_map(|(code, scope)| scoped(&code, scope)).boxed()
        }
        Kind::Int => prop_oneof![any::<i32>(), -9..9].prop_map(Bson::Int32).boxed(),
        Kind::Long => prop_oneof![any::<i64>(), -9..9_i64].prop_map(Bson::Int64).boxed(),
        Kind::Timestamp => {
            any::<(u32, u32)>().prop_map(|(time, increment)| Timestamp { time, increment }.into()).boxed()
        }
        Kind::Decimal => decimals().prop_map(Bson::Decimal128).boxed(),
        Kind::Object | Kind::Array => unreachable!("not a scalar"),
    }
}

fn double() -> impl Strategy<Value = f64> {
    let nan = f64::from_bits(0x7ff8_0000_0000_0000);
    prop_oneof![
        8 => any::<u64>().prop_map(f64::from_bits).prop_filter("no payload", |number| !number.is_nan()),
        2 => (-9_i32..9).prop_map(f64::from),
        2 => sample::select(vec![nan, -nan, f64::INFINITY, f64::NEG_INFINITY, -0.0, 5e-324, 1e16, 1e15]),
    ]
}

fn bytes() -> impl Strategy<Value = Bson> {
    let bytes = prop_oneof![collection::vec(any::<u8>(), 0..20), collection::vec(any::<u8>(), 16)];
    (prop_oneof![Just(0), Just(2), Just(4), any::<u8>()], bytes).prop_map(|(subtype, bytes)| binary(subtype, &bytes))
}

fn decimals() -> impl Strategy<Value = Decimal128> {
    let finite = (any::<bool>(), 0..10_u128.pow(34), 0_u32..35, prop_oneof![-6176..=6111_i32, -40..10]);
    let finite = finite.prop_map(|(negative, digits, fewer, exponent)| {
        let sign = if negative { "-" } else { "" };
        format!("{sign}{}E{exponent}", digits / 10_u128.pow(fewer))
    });
    let special =
        sample::select(vec!["NaN", "Infinity", "-Infinity", "-0", "0E-6176", "0E+6111"]).prop_map(str::to_owned);
    prop_oneof![8 => finite, 1 => special].prop_map(|text| text.parse().unwrap())
}

/// `value` as it comes back: where only the number is promised, a small long comes back as an int.
fn promised(value: Bson, shape: &Field) -> Bson {
    match value {
        Bson::Int64(number) if shape.loose_number => i32::try_from(number).map_or(Bson::Int64(number), Bson::Int32),
        Bson::Document(document) => Bson::Document(promised_members(document, shape)),
        Bson::Array(values) => {
            let values = values.into_iter().enumerate().map(|(index, value)| promised(value, shape.at(index)));
            Bson::Array(values.collect())
        }
        value => value,
    }
}

fn promised_members(document: Document, shape: &Field) -> Document {
    document.into_iter().map(|(name, value)| (name.clone(), promised(value, shape.member(&name)))).collect()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_is_read_and_written_back_is_the_same(
        (shape, document) in shape().prop_flat_map(|shape| (Just(shape.clone()), object(&shape, 3)))
    ) {
        let stored = RawDocumentBuf::try_from(&document).unwrap();
        let mut text = Vec::new();
        encode::document(&mut text, &stored, &shape).unwrap();
        let again = decode::document(&text, &shape).map_err(|e| TestCaseError::fail(format!("{e}: {}", text.escape_ascii())))?;
        let expected = RawDocumentBuf::try_from(&promised_members(document, &shape)).unwrap();
        prop_assert!(again.as_bytes() == expected.as_bytes(), "{}\n{again:?}\n{expected:?}", text.escape_ascii());
    }

    /// `json::Tree` reads each token by `jiter`.
    #[test]
    fn what_is_no_json_is_told_as_jiter_tells_it(text in texts(), is_known in any::<bool>()) {
        let names = ["a", "b", "c"].map(|name| (name.to_owned(), Field::any()));
        let known = Field { properties: names.into_iter().collect(), ..Field::any() };
        let read = decode::value(&text, &if is_known { known.prepared() } else { known });
        // What only documents may not hold; and a name that is there twice is told of once its object has been read.
        let is_own = |error: &SyntaxError| error.detail.contains("names that") || error.detail.starts_with("duplicate key");
        match (read, Tree::parse(&text, 64)) {
            (Err(error), expected) if is_own(&error) || expected.as_ref().is_err_and(is_own) => {}
            (Err(error), Err(expected)) => {
                let [error, expected] = [error, expected].map(|error| (error.line, error.column, error.detail));
                prop_assert_eq!(error, expected, "{}", text.escape_ascii());
            }
            (read, expected) => prop_assert!(read.is_ok() && expected.is_ok(), "{expected:?}: {}", text.escape_ascii()),
        }
    }

    #[test]
    fn no_text_panics(text in r#"[\[\]{}:,"$.a0-9eE+\\-]{0,40}"#, shape in shape()) {
        let _ = decode::document(text.as_bytes(), &shape);
        let _ = decode::value(text.as_bytes(), &shape);
        let _ = decode::text(&text, &shape);
    }

    #[test]
    fn corrupt_bytes_are_refused_as_bson_refuses_them(
        document in object(&Field::any(), 2),
        damage in collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = RawDocumentBuf::try_from(&document).unwrap().into_bytes();
        for (index, byte) in damage {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(document) = RawDocument::from_bytes(&bytes) {
            let done = encode::document(&mut Vec::new(), document, &Field::any());
            prop_assert!(matches!(done, Ok(()) | Err(Error::Internal(_))));
            prop_assert_eq!(done.is_ok(), Document::try_from(document).is_ok(), "{}", bytes.escape_ascii());
        }
    }
}
