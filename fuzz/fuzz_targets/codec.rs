//! JSON of the declared types that is read, written and read again is the same BSON; and whatever bytes stand for a
//! document, writing them does not panic, makes valid JSON, and succeeds where `bson` can read them.

#![no_main]

use std::sync::LazyLock;

use bson::{Document, RawBsonRef, RawDocument};
use folio::{
    codec::{decode, ejson, ejson::Mode, encode},
    sample,
    schema::{Field, Kind, load},
};
use libfuzzer_sys::fuzz_target;
use serde::de::IgnoredAny;

static SHAPES: LazyLock<Vec<Field>> = LazyLock::new(|| {
    let types = load::parse("types.json", "types", include_str!("types.json").to_owned()).unwrap();
    let sample = sample::catalog().unwrap();
    let sample = sample.iter().map(|schema| schema.root.clone());
    sample.chain([types.root, Field::any()]).collect()
});

fuzz_target!(|data: &[u8]| {
    for shape in SHAPES.iter() {
        round_trip(data, shape);
        write(data, |out, document| encode::document(out, document, shape));
    }
    for mode in [Mode::Relaxed, Mode::Canonical] {
        write(data, |out, document| ejson::document(out, document, mode, None));
    }
});

fn round_trip(text: &[u8], shape: &Field) {
    let Ok(first) = decode::document(text, shape) else { return };
    let mut written = Vec::new();
    encode::document(&mut written, &first, shape).unwrap();
    // What is not of a declared type is shown to the validator, which refuses it, so it is never read back.
    if !fits(RawBsonRef::Document(&first), shape) {
        return;
    }
    let second = decode::document(&written, shape).unwrap();
    assert_eq!(first, second, "{}", written.escape_ascii());
}

fn fits(value: RawBsonRef<'_>, shape: &Field) -> bool {
    shape.kinds.contains(Kind::of(value.element_type()))
        && match value {
            RawBsonRef::Document(members) => {
                members.iter().flatten().all(|(name, value)| fits(value, shape.member(name.as_str())))
            }
            RawBsonRef::Array(items) => items.into_iter().flatten().all(|value| fits(value, shape.item())),
            _ => true,
        }
}

/// Writes a document of the elements `data`.
fn write(data: &[u8], write: impl Fn(&mut Vec<u8>, &RawDocument) -> folio::Result<()>) {
    let length = i32::try_from(data.len() + 5).unwrap().to_le_bytes();
    let framed = [length.as_slice(), data, &[0]].concat();
    let document = RawDocument::from_bytes(&framed).unwrap();
    let mut written = Vec::new();
    match write(&mut written, document) {
        Ok(()) => {
            serde_json::from_slice::<IgnoredAny>(&written).unwrap();
        }
        Err(folio::Error::Internal(detail)) => {
            let readable = Document::try_from(document).is_ok();
            assert!(!readable || detail.contains("deeper"), "{detail}: {document:?}");
        }
        Err(error) => panic!("{error}"),
    }
}
