//! The law of what is out of sight: it comes out of a change as it went in, and the rest as if there were nothing else,
//! but for the objects that stay for what is kept in them: they may be there or not, and to remove or add them alone is
//! no change.

use bson::{Bson, Document, RawDocumentBuf, doc};
use proptest::prelude::*;

use crate::{
    codec::visible,
    error::Error,
    schema::{Field, access::Value, load},
    update::{Change, ChangePlan, Next, Precondition},
};

const HIDDEN: [&[&str]; 7] = [&["a"], &["b"], &["o", "x"], &["o", "y"], &["o", "i", "z"], &["l", "p"], &["o"]];

fn schema() -> crate::schema::Schema {
    let file = r#"{"type": "object", "properties": {
        "_id": {"bsonType": "int"}, "a": {"default": 7}, "b": {}, "f": {},
        "o": {"properties": {"x": {}, "y": {"default": 1}, "i": {"properties": {"z": {"default": 2}, "w": {}}}}},
        "l": {"items": {"properties": {"p": {}, "q": {}}}}
    }}"#;
    load::parse("schemas/things.json", "things", file.to_owned()).unwrap()
}

fn at<'f>(field: &'f mut Field, path: &[&str]) -> Vec<&'f mut Field> {
    let Some((name, rest)) = path.split_first() else { return vec![field] };
    let item = field.items.as_mut().and_then(|item| item.properties.get_mut(*name));
    field.properties.get_mut(*name).into_iter().chain(item).flat_map(|member| at(member, rest)).collect()
}

/// The shape of documents for who does not see the fields chosen by the bits of `chosen`; and for who could not know
/// that there are any.
fn shapes(chosen: u8, forced: bool) -> (Field, Field) {
    let (mut narrowed, mut ignorant) = (schema().root, schema().root);
    for (_, path) in HIDDEN.iter().enumerate().filter(|(bit, _)| chosen & 1 << bit != 0) {
        for field in at(&mut narrowed, path) {
            // A default that nobody sees makes a difference in new objects, where it is meant to.
            (field.hidden, field.default) = (true, None);
        }
        for field in at(&mut ignorant, path) {
            *field = Field::any();
        }
    }
    for field in [&mut narrowed, &mut ignorant].into_iter().flat_map(|root| at(root, &["f"])) {
        field.forced = forced.then(|| Value::Constant(Bson::Int32(100)));
    }
    (narrowed.prepared(), ignorant.prepared())
}

fn scalar() -> impl Strategy<Value = Bson> {
    (0..3).prop_map(Bson::Int32)
}

fn object(members: Vec<(&'static str, BoxedStrategy<Bson>)>) -> BoxedStrategy<Bson> {
    let member = |(name, value): (&'static str, BoxedStrategy<Bson>)| {
        prop::option::of(value.prop_map(move |value| (name.to_owned(), value)))
    };
    let members = members.into_iter().map(member).collect::<Vec<_>>();
    let shuffled = members.prop_map(|members| members.into_iter().flatten().collect::<Vec<_>>()).prop_shuffle();
    shuffled.prop_map(|members| Bson::Document(members.into_iter().collect())).boxed()
}

fn document(absent: bool) -> BoxedStrategy<Document> {
    let leaf = move || if absent { prop_oneof![scalar(), Just(Bson::Null)].boxed() } else { scalar().boxed() };
    let inner = object(vec![("z", leaf()), ("w", leaf())]);
    let inner = prop_oneof![4 => inner, 1 => leaf()].boxed();
    let list = prop::collection::vec(object(vec![("p", scalar().boxed()), ("q", scalar().boxed())]), 0..3);
    let list = list.prop_map(Bson::Array).boxed();
    let outer = object(vec![("x", leaf()), ("y", leaf()), ("i", inner)]);
    let outer = prop_oneof![6 => outer, 1 => leaf(), 1 => list.clone()].boxed();
    let list = prop_oneof![4 => list, 1 => leaf()].boxed();
    let root = object(vec![("a", leaf()), ("b", leaf()), ("f", leaf()), ("o", outer), ("l", list)]);
    root.prop_map(|root| root.as_document().unwrap().clone()).boxed()
}

fn raw(document: &Document) -> RawDocumentBuf {
    RawDocumentBuf::try_from(document).unwrap()
}

fn seen(document: &Document, shape: &Field) -> Document {
    visible::document(&raw(document), shape).unwrap().into_owned().try_into().unwrap()
}

/// What is out of sight alone.
fn unseen(document: &Document, shape: &Field) -> Document {
    fn part(value: &Bson, shape: &Field) -> Option<Bson> {
        match value {
            _ if shape.is_out_of_sight() => Some(value.clone()),
            Bson::Document(object) => {
                Some(Bson::Document(members(object, shape))).filter(|v| *v != Bson::Document(doc! {}))
            }
            Bson::Array(items) => {
                let items: Vec<_> = items.iter().filter_map(|item| part(item, shape.item())).collect();
                (!items.is_empty()).then_some(Bson::Array(items))
            }
            _ => None,
        }
    }
    fn members(object: &Document, shape: &Field) -> Document {
        object.iter().filter_map(|(name, inner)| Some((name.clone(), part(inner, shape.member(name))?))).collect()
    }
    members(document, shape)
}

/// Without objects that hold nothing.
fn pruned(document: Document) -> Document {
    let prune = |(name, value)| match value {
        Bson::Document(object) => {
            let object = pruned(object);
            (!object.is_empty()).then_some((name, Bson::Document(object)))
        }
        value => Some((name, value)),
    };
    document.into_iter().filter_map(prune).collect()
}

fn unforced(document: &Document) -> Document {
    document.iter().filter(|(name, _)| *name != "f").map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn next(stored: &Document, change: Change, shape: &Field) -> Result<Option<Document>, Error> {
    let plan =
        ChangePlan { schema: schema().into(), id: Bson::Int32(1), change, precondition: Precondition::default() };
    match plan.next(&raw(stored), (shape, None))? {
        Next::Keep => Ok(None),
        Next::Store(document) => Ok(Some(document.try_into().unwrap())),
        other => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn what_is_out_of_sight_makes_no_difference(
        (chosen, forced) in (0_u8..128, any::<bool>()),
        stored in document(false),
        (whole, patch) in (document(false), document(true)),
        merges in any::<bool>(),
    ) {
        let (narrowed, ignorant) = shapes(chosen, forced);
        let stored: Document = [("_id".to_owned(), Bson::Int32(1))].into_iter().chain(stored).collect();
        let body = raw(&seen(if merges { &patch } else { &whole }, &narrowed));
        let change = || if merges { Change::Merge(body.clone()) } else { Change::Replace(body.clone()) };
        let plain = next(&seen(&stored, &narrowed), change(), &ignorant).unwrap();
        match next(&stored, change(), &narrowed) {
            Err(Error::HiddenField { pointers }) => {
                let named = |pointer: &String| body.get(pointer.split('/').nth(1).unwrap()).unwrap().is_some();
                prop_assert!(!merges || pointers.iter().all(named), "{pointers:?}");
            }
            Err(error) => prop_assert!(false, "{error:?}"),
            Ok(became) => {
                let after = became.as_ref().unwrap_or(&stored);
                prop_assert_eq!(unseen(after, &narrowed), unseen(&stored, &narrowed));
                let before = pruned(seen(&stored, &narrowed));
                let expected = pruned(plain.unwrap_or_else(|| before.clone()));
                let shown = pruned(seen(after, &narrowed));
                prop_assert!(shown == expected || (unforced(&expected) == unforced(&before) && shown == before));
            }
        }
    }
}
