//! Documents without what is out of sight, made of their bytes: what is left stays as it is stored, byte for byte.

use std::borrow::Cow;

use bson::{RawDocument, RawDocumentBuf, spec::ElementType};

use super::{
    elements::{Element, Elements},
    encode, raw,
};
use crate::{
    error::Result,
    schema::{Field, Sight},
};

/// The `document` of the shape `shape` without the members that are out of sight. It is borrowed where the shape has
/// none.
///
/// # Errors
/// [`Error::Internal`](crate::Error::Internal) for bytes that are no document, and below
/// [`MAX_STORED_DEPTH`](encode::MAX_STORED_DEPTH) levels.
pub fn document<'d>(document: &'d RawDocument, shape: &Field) -> Result<Cow<'d, RawDocument>> {
    if !shape.conceals {
        return Ok(Cow::Borrowed(document));
    }
    let mut out = Vec::with_capacity(document.as_bytes().len());
    members(&mut out, document.as_bytes(), (&Sight::of(shape), encode::deeper(encode::MAX_STORED_DEPTH)?))?;
    let shown = RawDocumentBuf::from_bytes(out).map_err(|error| encode::corrupt(&error))?;
    Ok(Cow::Owned(shown))
}

fn members(out: &mut Vec<u8>, bytes: &[u8], (sight, room): (&Sight<'_>, usize)) -> Result<()> {
    let start = raw::open(out);
    let mut elements = Elements::of(bytes)?;
    while let Some(element) = elements.next()? {
        // What is no text is no declared name either.
        if let Some(below) = sight.member(&String::from_utf8_lossy(element.name)) {
            append(out, element, (&below, room))?;
        }
    }
    raw::close(out, start);
    Ok(())
}

fn items(out: &mut Vec<u8>, bytes: &[u8], (sight, room): (&Sight<'_>, usize)) -> Result<()> {
    let start = raw::open(out);
    let mut elements = Elements::of(bytes)?;
    while let Some(element) = elements.next()? {
        append(out, element, (sight, room))?;
    }
    raw::close(out, start);
    Ok(())
}

/// Appends what is in sight of an element that stands where `sight` is.
fn append(out: &mut Vec<u8>, element: Element<'_>, (sight, room): (&Sight<'_>, usize)) -> Result<()> {
    let slot = raw::key(out, element.name);
    out[slot] = element.kind as u8;
    match element.kind {
        ElementType::EmbeddedDocument if !sight.is_clear() => {
            members(out, element.bytes, (sight, encode::deeper(room)?))
        }
        ElementType::Array if !sight.is_clear() => items(out, element.bytes, (sight, encode::deeper(room)?)),
        _ => {
            out.extend_from_slice(element.bytes);
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use bson::{Bson, Document, doc};
    use proptest::prelude::*;

    use super::*;

    fn shown(stored: &Document, shape: &Field) -> Document {
        let raw = RawDocumentBuf::try_from(stored).unwrap();
        Document::try_from(&*document(&raw, shape).unwrap()).unwrap()
    }

    #[test]
    fn leaves_out_what_is_hidden_whatever_stands_in_its_place() {
        let shape = Field::hiding(["secret", "in.secret", "in.deep.secret"]);
        for (stored, expected) in [
            (doc! { "secret": 1, "a": 2 }, doc! { "a": 2 }),
            (doc! { "in": { "secret": { "x": 1 }, "b": 1 } }, doc! { "in": { "b": 1 } }),
            (doc! { "in": [{ "secret": 1, "b": 1 }, 5, [{ "secret": 2 }]] }, doc! { "in": [{ "b": 1 }, 5, [{}]] }),
            (doc! { "in": { "deep": [[{ "secret": 1 }]] } }, doc! { "in": { "deep": [[{}]] } }),
            (doc! { "in": [{ "deep": { "secret": 1, "c": [1] } }] }, doc! { "in": [{ "deep": { "c": [1] } }] }),
            (doc! { "in": "secret", "other": { "secret": 1 } }, doc! { "in": "secret", "other": { "secret": 1 } }),
            (doc! { "in.secret": 1 }, doc! { "in.secret": 1 }),
        ] {
            assert_eq!(shown(&stored, &shape), expected, "{stored}");
        }
    }

    #[test]
    fn what_is_said_of_items_holds_for_an_object_in_their_place() {
        let list = Field { items: Some(Field::hiding(["secret"]).into()), ..Field::any() };
        let shape = Field { properties: [("list".to_owned(), list)].into_iter().collect(), ..Field::any() }.prepared();
        for (stored, expected) in [
            (doc! { "list": [{ "secret": 1, "b": 2 }] }, doc! { "list": [{ "b": 2 }] }),
            (doc! { "list": { "secret": 1, "b": 2 } }, doc! { "list": { "b": 2 } }),
        ] {
            assert_eq!(shown(&stored, &shape), expected, "{stored}");
        }
    }

    #[test]
    fn borrows_where_nothing_is_hidden() {
        let stored = RawDocumentBuf::try_from(&doc! { "a": 1 }).unwrap();
        assert!(matches!(document(&stored, &Field::hiding([""; 0])).unwrap(), Cow::Borrowed(_)));
    }

    #[test]
    fn goes_as_deep_as_documents_are_printed() {
        let nest = |depth| (1..depth).fold(doc! { "secret": 1 }, |inner, _| doc! { "a": [inner] });
        // Of which shape the levels are does not matter here.
        let shape = Field::hiding(["a.secret"]);
        let deep = |depth| document(&RawDocumentBuf::try_from(&nest(depth)).unwrap(), &shape).map(drop);
        deep(50).unwrap();
        let items = |depth| (1..depth).fold(Bson::from(doc! { "secret": 1 }), |inner, _| Bson::Array(vec![inner]));
        let lists = |depth| document(&RawDocumentBuf::try_from(&doc! { "a": items(depth) }).unwrap(), &shape).map(drop);
        lists(encode::MAX_STORED_DEPTH - 1).unwrap();
        assert!(matches!(lists(encode::MAX_STORED_DEPTH), Err(crate::Error::Internal(_))));
    }

    /// Documents of few names, so that hidden ones are met.
    fn documents() -> impl Strategy<Value = Document> {
        let leaf = prop_oneof![any::<i32>().prop_map(Bson::from), "[a-c]{0,2}".prop_map(Bson::from), Just(Bson::Null)];
        let value = leaf.prop_recursive(5, 40, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Bson::from),
                proptest::collection::vec(("[a-d]", inner), 0..4)
                    .prop_map(|members| Bson::from(members.into_iter().collect::<Document>())),
            ]
        });
        proptest::collection::vec(("[a-d]", value), 0..5).prop_map(|members| members.into_iter().collect())
    }

    /// The same in the plainest way: `paths` are hidden, relative to where the value stands.
    fn plainly(value: Bson, paths: &[&str]) -> Bson {
        match value {
            Bson::Array(items) => items.into_iter().map(|item| plainly(item, paths)).collect::<Vec<_>>().into(),
            Bson::Document(members) => {
                let kept = members.into_iter().filter(|(name, _)| !paths.contains(&name.as_str()));
                let inner = |name: &str| -> Vec<&str> {
                    paths.iter().filter_map(|path| path.strip_prefix(name)?.strip_prefix('.')).collect()
                };
                Bson::from(
                    kept.map(|(name, value)| {
                        let paths = inner(&name);
                        (name, plainly(value, &paths))
                    })
                    .collect::<Document>(),
                )
            }
            value => value,
        }
    }

    proptest! {
        #[test]
        fn nothing_hidden_is_left_and_all_else_is(
            stored in documents(),
            paths in proptest::collection::vec("[a-d](\\.[a-d]){0,3}", 0..4),
        ) {
            let paths: Vec<_> = paths.iter().map(String::as_str).collect();
            let raw = RawDocumentBuf::try_from(&stored).unwrap();
            let expected = plainly(stored.into(), &paths);
            let expected = RawDocumentBuf::try_from(expected.as_document().unwrap()).unwrap();
            let shape = Field::hiding(&paths);
            let shown = document(&raw, &shape).unwrap();
            prop_assert_eq!(shown.as_bytes(), expected.as_bytes());
        }
    }
}
