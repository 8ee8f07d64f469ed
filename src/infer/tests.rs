use bson::{Bson, Document, RawDocumentBuf, doc, oid::ObjectId};

use super::*;
use crate::{json::Tree, schema::load};

fn census(documents: impl IntoIterator<Item = Document>) -> Census {
    let mut census = Census::default();
    for document in documents {
        census.observe(&RawDocumentBuf::try_from(&document).unwrap());
    }
    census
}

/// The file, which must be one that loads.
fn text(census: &Census) -> String {
    let text = file(census, &Facts::default(), &Field::any());
    load::parse("things.json", "things", text.clone()).unwrap_or_else(|mistakes| panic!("{mistakes:?} in {text}"));
    text
}

/// What the file says at `pointer`.
#[track_caller]
fn said(documents: impl IntoIterator<Item = Document>, pointer: &str) -> String {
    let text = text(&census(documents));
    let tree = Tree::parse(text.as_bytes(), 64).unwrap();
    tree.pointer(pointer).map(|tree| tree.text(&text).to_owned()).unwrap_or_default()
}

fn values(values: impl IntoIterator<Item = impl Into<Bson>>) -> Vec<Document> {
    values.into_iter().map(|value| doc! { "_id": ObjectId::new(), "v": value }).collect()
}

#[test]
fn tells_types() {
    let date = Bson::DateTime(bson::DateTime::from_millis(0));
    let decimal = || Bson::Decimal128("1.5".parse().unwrap());
    let cases: [(Vec<Bson>, &str, &str); 14] = [
        (vec!["a".into()], "type", r#""string""#),
        (vec![1.into()], "bsonType", r#""int""#),
        (vec![1.into(), 2_i64.into()], "type", r#""integer""#),
        (vec![1.into(), 2.0.into()], "type", r#""integer""#),
        (vec![1.into(), 1e300.into()], "type", r#""number""#),
        (vec![1.into(), f64::NAN.into()], "type", r#""number""#),
        (vec![1.into(), decimal()], "type", r#""number""#),
        (vec![decimal(), Bson::Null], "bsonType", r#"["decimal", "null"]"#),
        (vec![Bson::Null, "a".into(), true.into()], "type", r#"["string", "boolean", "null"]"#),
        (vec![1.into(), 2_i64.into(), Bson::Null], "type", r#"["integer", "null"]"#),
        (vec![1.into(), "a".into()], "bsonType", r#"["int", "string"]"#),
        (vec![1.into(), 2_i64.into(), date.clone()], "bsonType", r#"["int", "long", "date"]"#),
        (vec![1.into(), 2.5.into(), date], "bsonType", r#"["number", "date"]"#),
        (vec![Bson::MinKey, Bson::Undefined], "bsonType", r#"["undefined", "minKey"]"#),
    ];
    for (seen, keyword, expected) in cases {
        let pointer = format!("/properties/v/{keyword}");
        assert_eq!(said(values(seen.clone()), &pointer), expected, "{seen:?}");
    }
}

#[test]
fn tells_what_strings_have_in_common() {
    let numbered = |text: fn(u32) -> String, count: u32| values((0..count).map(text));
    let cases = [
        (numbered(|n| format!("reader{n}@example.org"), 5), "format", r#""email""#),
        (numbered(|n| format!("reader{n}@example.org"), 4), "format", ""),
        (numbered(|n| format!("978{n:010}"), 30), "pattern", r#""^[0-9]{13}$""#),
        (numbered(|n| format!("978{n:010}"), 29), "pattern", ""),
        (numbered(|n| format!("{n:03} é"), 30), "maxLength", "5"),
        (numbered(|n| format!("{:03}", n % 12), 30), "pattern", ""),
        (numbered(|n| format!("{n} é"), 30), "minLength", "1"),
        (numbered(|n| "é".repeat(n as usize), 30), "minLength", ""),
        (numbered(|n| format!("s{}", n % 5), 50), "enum", r#"["s0", "s1", "s2", "s3", "s4"]"#),
        (numbered(|n| format!("s{}", n % 5), 49), "enum", ""),
        (numbered(|n| format!("s{}", n % 6), 59), "enum", ""),
        (numbered(|n| format!("s{}", n % 13), 500), "enum", ""),
        (numbered(|_| "same".to_owned(), 500), "enum", ""),
    ];
    for (documents, keyword, expected) in cases {
        let first = documents.first().cloned();
        assert_eq!(said(documents, &format!("/properties/v/{keyword}")), expected, "{first:?}");
    }
}

#[test]
fn choices_are_not_held_against_other_types() {
    let texts = |n: u32| Bson::from(if n.is_multiple_of(2) { "a" } else { "b" });
    let with = |other: Bson| values((0..60).map(texts).chain([other]));
    assert_eq!(said(with(Bson::Null), "/properties/v/enum"), r#"["a", "b", null]"#);
    assert_eq!(said(with(Bson::Int32(1)), "/properties/v/enum"), "");
}

#[test]
fn tells_how_long_lists_are() {
    let lists = |lengths: [usize; 2]| values((0..30).map(move |n| vec![Bson::Int32(1); lengths[n % 2]]));
    for (lengths, least, greatest) in [([2, 2], "2", "2"), ([1, 1], "1", ""), ([2, 1], "1", ""), ([0, 2], "", "")] {
        assert_eq!(said(lists(lengths), "/properties/v/minItems"), least, "{lengths:?}");
        assert_eq!(said(lists(lengths), "/properties/v/maxItems"), greatest, "{lengths:?}");
    }
}

#[test]
fn tells_fields_from_maps() {
    let rates = |n: i32| doc! { "rates": { format!("2024-01-{:02}", 1 + n % 28): n } };
    let many = |n: i32| doc! { "words": { format!("w{}", n % 300): n } };
    let fields = |n: i32| {
        if n % 2 == 0 {
            doc! { "v": { "x": n, "y": n } }
        } else {
            doc! { "v": { "x": n } }
        }
    };
    assert_eq!(said((0..9).map(rates), "/properties/rates/additionalProperties/bsonType"), r#""int""#);
    assert_eq!(said((0..900).map(many), "/properties/words/additionalProperties/bsonType"), r#""int""#);
    assert_eq!(said((0..900).map(many), "/properties/words/properties"), "");
    assert_eq!(said((0..9).map(fields), "/properties/v/required"), r#"["x"]"#);
    assert_eq!(said((0..9).map(fields), "/properties/v/additionalProperties"), "false");
}

#[test]
fn an_index_on_a_key_makes_no_field_of_it() {
    let mut census = census((0..9).map(|n| doc! { "v": { format!("{n}"): n } }));
    census.expect(&Index { name: "v.total_1".into(), keys: doc! { "v.total": 1 }, options: doc! {} });
    assert!(text(&census).contains(r#""additionalProperties": { "bsonType": "int""#), "{}", text(&census));
}

#[test]
fn keeps_the_order_of_the_documents() {
    let documents = [doc! { "a": 1, "d": 1 }, doc! { "a": 1, "b": 1, "c": 1, "d": 1 }, doc! { "e": 1, "a": 1 }];
    let text = text(&census(documents));
    let tree = Tree::parse(text.as_bytes(), 64).unwrap();
    let names = tree.get("properties").and_then(Tree::as_object).unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names.join(""), "eabcd");
}

#[test]
fn says_nothing_where_there_is_nothing_to_say() {
    assert_eq!(said([], "/additionalProperties"), "");
    assert_eq!(said([doc! { "_id": 1 }], "/additionalProperties"), "");
    assert_eq!(said(values([doc! {}]), "/properties/v"), r#"{ "type": "object", "$comment": "always empty" }"#);
    let empty: Vec<Bson> = Vec::new();
    assert_eq!(said(values([empty]), "/properties/v"), r#"{ "type": "array", "$comment": "always empty" }"#);
}

#[test]
fn a_plain_file_has_no_guesses() {
    let census = census(values((0..60).map(|n| format!("reader{n}@example.org"))));
    let text = file(&census, &Facts { plain: true, ..Facts::default() }, &Field::any());
    assert!(text.contains(r#""v": { "type": "string""#) && !text.contains("format"), "{text}");
}

/// Documents of the kinds that could fill the memory, or a file.
fn hostile(n: usize) -> Document {
    let lists = || (0..20).fold(Bson::Int32(1), |inner, _| Bson::Array(vec![inner]));
    let deep = (0..90).fold(doc! { "x": 1 }, |inner, _| doc! { "d": [inner] });
    let names = (0..50)
        .map(|i| (format!("{n}-{i}"), doc! { format!("n{n}"): { "\u{1}".repeat(200): "x" }, "l": lists() }.into()));
    let mut document: Document = names.collect();
    document.insert("deep", deep);
    document.insert("\u{1}".repeat(100 + n % 50), "x".repeat(n));
    document.insert("text", "\u{1}".repeat(64));
    document
}

#[test]
fn a_file_has_bounds_whatever_documents_hold() {
    let census = census((0..600).map(hostile));
    let (places, bytes) = census.root.size();
    assert!((MAX_PLACES / 2..=2 * MAX_PLACES).contains(&places) && bytes <= 2 * MAX_NAME_BYTES, "{places} {bytes}");
    assert!(text(&census).len() < 1 << 20);
}

#[test]
fn merging_says_no_more_than_either_side() {
    let one = |names: &[&str]| {
        let mut object = Object::default();
        let document: Document = names.iter().map(|name| ((*name).to_owned(), Bson::Int32(1))).collect();
        let mut room = Room { places: 100, bytes: 100, depth: 4 };
        object.observe(&RawDocumentBuf::try_from(&document).unwrap(), &mut room);
        object
    };
    let (mut a, mut b) = (one(&["x", "y"]), one(&["y", "z"]));
    b.rest = Some(Box::default());
    a.merge(b);
    assert_eq!(a.members.keys().collect::<Vec<_>>(), ["y"]);
    assert_eq!((a.required(), a.rest.is_some()), (vec!["y"], true));
    let mut open = one(&["x"]);
    open.is_open = true;
    a.merge(open);
    assert!(a.members.is_empty() && a.is_open && a.rest.is_none());
}
