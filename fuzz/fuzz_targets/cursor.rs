//! Cursors: no text that this service has not sealed is opened, what it has sealed opens to the same position, and no
//! position makes seeking panic.

#![no_main]

use std::sync::{Arc, LazyLock};

use bson::{Document, RawArrayBuf, RawDocument, doc};
use folio::{
    query::{CursorKey, List, Position, seek, sort},
    sample,
    schema::{Schema, load},
};
use libfuzzer_sys::fuzz_target;

static CURSORS: LazyLock<CursorKey> = LazyLock::new(|| CursorKey::derive(b"fuzz"));
static SORTED: LazyLock<Vec<(Arc<Schema>, Document)>> = LazyLock::new(|| {
    let types = load::parse("types.json", "types", include_str!("types.json").to_owned()).unwrap();
    let books = Arc::clone(sample::catalog().unwrap().get("books").unwrap());
    let sorts = |schema: Arc<Schema>, texts: &[&str]| -> Vec<_> {
        let keys = texts.iter().map(|text| sort::Key::parse_list(text).unwrap());
        keys.map(|keys| (Arc::clone(&schema), sort::plan(&schema, &keys).unwrap())).collect()
    };
    let mut all = sorts(books, &["title,-year", "-tags,price", "publisher.city"]);
    all.extend(sorts(Arc::new(types), &["any", "-union,int", "list.n", "map.x,-double,id"]));
    all
});

fuzz_target!(|data: &[u8]| {
    let (filter, sort) = (doc! { "year": { "$gt": 1900 } }, doc! { "year": 1, "_id": 1 });
    let list = List { collection: "books", filter: &filter, sort: &sort };
    if let Ok(text) = std::str::from_utf8(data) {
        assert!(CURSORS.open(list, text).is_err(), "nobody has sealed this");
    }
    let keys = values(data);
    for position in [Position::Count(keys.as_bytes().len() as u32), Position::Key(keys.clone())] {
        let sealed = CURSORS.seal(list, &position).unwrap();
        assert_eq!(CURSORS.open(list, &sealed).unwrap(), position);
    }
    for (schema, sort) in SORTED.iter() {
        let _ = seek::after(schema, sort, &keys);
    }
});

/// The values of the elements that `data` begins with.
fn values(data: &[u8]) -> RawArrayBuf {
    let length = i32::try_from(data.len() + 5).unwrap().to_le_bytes();
    let framed = [length.as_slice(), data, &[0]].concat();
    let document = RawDocument::from_bytes(&framed).unwrap();
    let mut keys = RawArrayBuf::new();
    document.iter().map_while(Result::ok).for_each(|(_, value)| keys.push(value));
    keys
}
