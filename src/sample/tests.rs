use std::collections::HashSet;

use bson::{Bson, DateTime, Decimal128, oid::ObjectId};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::*;
use crate::document::Document;

/// A document as it is stored, from its JSON; the names stand for the types, which the files declare.
fn stored(name: &str, value: &Value) -> Bson {
    match value {
        Value::Null => Bson::Null,
        Value::Bool(flag) => (*flag).into(),
        Value::Number(number) => i32::try_from(number.as_i64().unwrap()).unwrap().into(),
        Value::Array(items) => items.iter().map(|item| stored("", item)).collect::<Vec<_>>().into(),
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), stored(name, value))).collect::<bson::Document>().into()
        }
        Value::String(text) => match name {
            "_id" | "author" | "book" | "member" => ObjectId::parse_str(text).unwrap().into(),
            "price" | "fees" | "fine" => text.parse::<Decimal128>().unwrap().into(),
            _ if name == "published" || name.ends_with("At") => DateTime::parse_rfc3339_str(text).unwrap().into(),
            _ => text.as_str().into(),
        },
    }
}

fn text<'a>(files: &[(&str, &'a str)], collection: &str) -> &'a str {
    files.iter().find(|(name, _)| *name == collection).unwrap().1
}

fn schema(collection: &str) -> Value {
    serde_json::from_str(text(&SCHEMAS, collection)).unwrap()
}

fn documents(collection: &str) -> Vec<bson::Document> {
    let parse = |line| serde_json::from_str::<Value>(line).unwrap();
    text(&FILES, collection).lines().map(|line| stored("", &parse(line)).as_document().unwrap().clone()).collect()
}

fn read<T: Document>() -> Vec<T> {
    documents(T::COLLECTION).into_iter().map(|document| bson::deserialize_from_document(document).unwrap()).collect()
}

fn ids(collection: &str) -> HashSet<ObjectId> {
    documents(collection).iter().map(|document| document.get_object_id("_id").unwrap()).collect()
}

fn assert_twin<T: Document>() {
    let schema = schema(T::COLLECTION);
    let examples = schema["examples"].as_array().unwrap();
    assert!(!examples.is_empty());
    let examples = examples.iter().map(|example| stored("", example).as_document().unwrap().clone());
    for document in examples.chain(documents(T::COLLECTION)) {
        let twin: T = bson::deserialize_from_document(document.clone()).unwrap_or_else(|e| panic!("{document}: {e}"));
        assert_eq!(bson::serialize_to_document(&twin).unwrap(), document);
    }
}

#[test]
fn types_give_back_every_document_and_example_as_it_was() {
    assert_twin::<Author>();
    assert_twin::<Book>();
    assert_twin::<Member>();
    assert_twin::<Loan>();
}

#[test]
fn enums_hold_the_values_that_the_files_list() {
    fn assert_variants<T: DeserializeOwned>(collection: &str, pointer: &str) {
        let schema = schema(collection);
        for value in schema.pointer(pointer).unwrap().as_array().unwrap() {
            serde_json::from_value::<T>(value.clone()).unwrap_or_else(|e| panic!("{collection}#{pointer}: {e}"));
        }
    }
    assert_variants::<Language>("books", "/properties/originalLanguage/enum");
    assert_variants::<Role>("books", "/$defs/contributor/properties/role/enum");
    assert_variants::<Status>("members", "/properties/status/enum");
    assert_variants::<Condition>("loans", "/properties/condition/enum");
}

#[test]
fn defaults_are_those_of_the_files() {
    let new = [
        ("books", bson::serialize_to_document(&Book::new("t", ObjectId::new(), Language::English, 1)).unwrap()),
        ("members", bson::serialize_to_document(&Member::new("L-000001", "n", "n@example.org")).unwrap()),
        ("loans", bson::serialize_to_document(&Loan::new(ObjectId::new(), ObjectId::new(), DateTime::MAX)).unwrap()),
        ("authors", bson::serialize_to_document(&Author::new("n", "c")).unwrap()),
    ];
    for (collection, document) in new {
        for (name, property) in schema(collection)["properties"].as_object().unwrap() {
            if let Some(default) = property.get("default") {
                assert_eq!(document.get(name), Some(&stored(name, default)), "{collection}.{name}");
            }
        }
    }
}

#[test]
fn the_library_is_large_enough_to_browse() {
    let least = [("authors", 90), ("books", 170), ("members", 25), ("loans", 60)];
    for (collection, least) in least {
        let found = documents(collection).len();
        assert!(found >= least, "{collection}: {found}");
        assert_eq!(ids(collection).len(), found, "{collection}: an `_id` stands twice");
    }
}

#[test]
fn references_lead_to_documents() {
    for (collection, _) in SCHEMAS {
        for (name, property) in schema(collection)["properties"].as_object().unwrap() {
            let Some(target) = property.pointer("/x-ref/collection") else { continue };
            let targets = ids(target.as_str().unwrap());
            for document in documents(collection) {
                assert!(targets.contains(&document.get_object_id(name).unwrap()), "{document}");
            }
        }
    }
}

#[test]
fn isbns_are_well_formed_and_unique() {
    let mut seen = HashSet::new();
    for isbn in read::<Book>().into_iter().filter_map(|book| book.isbn) {
        let digits: Vec<u32> = isbn.chars().map(|c| c.to_digit(10).unwrap()).collect();
        assert_eq!(digits.len(), 13, "{isbn}");
        let sum: u32 = digits.iter().zip([1, 3].into_iter().cycle()).map(|(digit, weight)| digit * weight).sum();
        assert_eq!(sum % 10, 0, "{isbn}: wrong check digit");
        assert!(seen.insert(isbn.clone()), "{isbn} stands twice");
    }
    assert!(seen.len() >= 60);
}

#[test]
fn lives_and_loans_run_forward() {
    for author in read::<Author>() {
        assert!(author.born.zip(author.died).is_none_or(|(born, died)| born < died), "{}", author.name);
    }
    for loan in read::<Loan>() {
        assert!(loan.borrowed_at <= loan.due_at, "{}", loan.id);
        assert!(loan.returned_at.is_none_or(|returned| loan.borrowed_at <= returned), "{}", loan.id);
    }
}

#[test]
fn the_member_who_stands_for_any_has_a_book_and_has_brought_one_back() {
    let reader = ObjectId::parse_str(READER).unwrap();
    let loans: Vec<_> = read::<Loan>().into_iter().filter(|loan| loan.member == reader).collect();
    assert!(loans.iter().any(|loan| loan.returned_at.is_none()) && loans.iter().any(|loan| loan.returned_at.is_some()));
    let member = read::<Member>().into_iter().find(|member| member.id == reader).unwrap();
    assert!(member.verified && member.notes.is_some());
}
