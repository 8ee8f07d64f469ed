use bson::{Bson, Document, RawDocumentBuf, doc};

use super::*;
use crate::{error::Error, schema::load};

fn schema() -> Schema {
    let file = r#"{
        "type": "object",
        "x-indexes": [{ "keys": { "spot": "2dsphere" } }, { "keys": { "kind": 1, "parts.at": "2dsphere" } }]
    }"#;
    load::parse("schemas/things.json", "things", file.to_owned()).unwrap()
}

/// A list of lists of positions, one for each of these numbers, of so many.
fn rings(positions: &[usize]) -> Bson {
    let ring = |count: &usize| {
        Bson::Array(
            (0..*count).map(|at| Bson::from(vec![Bson::from(i32::try_from(at).unwrap()), Bson::from(1)])).collect(),
        )
    };
    Bson::Array(positions.iter().map(ring).collect())
}

fn polygon(positions: usize) -> Document {
    doc! { "type": "Polygon", "coordinates": rings(&[positions]) }
}

fn strict() -> Document {
    doc! { "type": "name", "properties": { "name": STRICT } }
}

/// Where the document, or the update, is refused.
fn refusal(checked: Result<()>) -> Option<(String, String)> {
    match checked {
        Ok(()) => None,
        Err(Error::InvalidDocument { violations, .. }) => {
            Some((violations[0].pointer.clone(), violations[0].keyword.clone()))
        }
        Err(error) => panic!("{error:?}"),
    }
}

fn checked(document: &Document) -> Option<(String, String)> {
    refusal(check(&RawDocumentBuf::try_from(document).unwrap(), &schema()))
}

fn operated(update: &Document) -> Option<(String, String)> {
    refusal(check_operators(update, &schema()))
}

#[test]
fn strict_winding_is_refused_wherever_it_stands() {
    let part = doc! { "type": "Polygon", "coordinates": rings(&[4]), "crs": strict() };
    for (document, pointer) in [
        (part.clone(), "/crs"),
        (doc! { "any": { "type": "GeometryCollection", "geometries": [part.clone()] } }, "/any/geometries/0/crs"),
        (doc! { "a": [[1, { "b": part.clone() }]] }, "/a/0/1/b/crs"),
        (doc! { "crs": { "properties": { "name": STRICT } } }, "/crs"),
    ] {
        assert_eq!(checked(&document), Some((pointer.into(), "format".into())), "{document}");
        assert_eq!(operated(&doc! { "$set": { "a": document } }).unwrap().1, "format");
    }
    for document in [
        doc! { "name": STRICT },
        doc! { "crs": STRICT, "about": format!("what {STRICT} is") },
        doc! { "crs": { "type": "name", "properties": { "name": "EPSG:4326" } } },
        doc! { "srs": strict() },
    ] {
        assert_eq!(checked(&document), None, "{document}");
    }
    for update in [
        doc! { "$set": { "spot.geometries.0.crs.properties.name": STRICT } },
        doc! { "$push": { "spot.geometries": { "$each": [part.clone()] } } },
        doc! { "$set": { "name": STRICT } },
    ] {
        assert_eq!(operated(&update).unwrap().1, "format", "{update}");
    }
}

/// Pointers to all of its places would be thirty billion bytes.
#[test]
fn long_names_above_many_items_are_no_burden() {
    let (name, items) = ("n".repeat(100_000), vec![bson::Bson::Document(doc! {}); 300_000]);
    assert_eq!(checked(&doc! { "about": STRICT, name: items }), None);
}

#[test]
fn polygons_under_an_index_are_bounded() {
    let (many, more) = (polygon(MAX_POSITIONS), polygon(MAX_POSITIONS + 1));
    let half = doc! { "at": polygon(MAX_POSITIONS / 2 + 1) };
    for document in [
        doc! { "spot": many.clone() },
        doc! { "other": more.clone(), "parts": { "spot": more.clone() } },
        doc! { "parts": [{ "at": polygon(5000) }, { "at": polygon(5000) }] },
        doc! { "spot": { "type": "LineString", "coordinates": rings(&[20_000]).as_array().unwrap()[0].clone() } },
    ] {
        assert_eq!(checked(&document), None);
    }
    for (document, pointer) in [
        (doc! { "spot": more.clone() }, "/spot"),
        (doc! { "spot": { "coordinates": rings(&[6000, 6000]) } }, "/spot"),
        (doc! { "spot": { "coordinates": [rings(&[6000]), rings(&[6000])] } }, "/spot"),
        (doc! { "spot": { "geometries": [many.clone(), polygon(1)] } }, "/spot"),
        (doc! { "parts": { "at": more.clone() } }, "/parts/at"),
        (doc! { "parts": [half.clone(), half] }, "/parts/at"),
    ] {
        assert_eq!(checked(&document), Some((pointer.into(), "x-indexes".into())));
    }
}

#[test]
fn operators_put_together_no_polygon() {
    let (small, large, ring) = (polygon(MAX_ADDED), polygon(MAX_ADDED + 1), rings(&[4]));
    let line = rings(&[4]).as_array().unwrap()[0].clone();
    for update in [
        doc! { "$set": { "spot": polygon(MAX_POSITIONS) } },
        doc! { "$set": { "spot.coordinates": rings(&[MAX_POSITIONS]), "spot.type": "Polygon" } },
        doc! { "$set": { "parts": [{ "at": large.clone() }], "other": polygon(20_000) } },
        doc! { "$set": { "spot.coordinates.0": 5.0, "spot.coordinates.0.1.0": 7 }, "$inc": { "spot.coordinates.1": 1 } },
        doc! { "$push": { "parts": { "at": small.clone() } } },
        doc! { "$set": { "parts.$[].at": small.clone(), "parts.3.at": small } },
        doc! { "$push": { "spot.coordinates": line.as_array().unwrap()[0].clone() } },
        doc! { "$push": { "spot.coordinates": { "$each": line.clone() }, "other.coordinates": ring.clone() } },
        doc! { "$pop": { "spot.coordinates.0": 1 }, "$unset": { "spot": true } },
        doc! { "$rename": { "spot": "old" } },
    ] {
        assert_eq!(operated(&update), None, "{update}");
    }
    for (update, pointer) in [
        (doc! { "$set": { "spot": polygon(MAX_POSITIONS + 1) } }, "/spot"),
        (doc! { "$setOnInsert": { "parts": { "at": polygon(MAX_POSITIONS + 1) } } }, "/parts"),
        (doc! { "$set": { "spot.coordinates.0": ring.as_array().unwrap()[0].clone() } }, "/spot/coordinates/0"),
        (doc! { "$set": { "spot.coordinates.0.5": [1, 2] } }, "/spot/coordinates/0/5"),
        (doc! { "$set": { "parts.0.at": large.clone() } }, "/parts/0/at"),
        (doc! { "$set": { "parts.$[].at": large.clone() } }, "/parts/$[]/at"),
        (doc! { "$set": { "parts.$[x].at.coordinates": ring.clone() } }, "/parts/$[x]/at/coordinates"),
        (doc! { "$push": { "parts": { "$each": [{ "at": large.clone() }] } } }, "/parts"),
        (doc! { "$addToSet": { "parts": { "at": large } } }, "/parts"),
        (doc! { "$push": { "spot.coordinates": line.clone() } }, "/spot/coordinates"),
        (doc! { "$push": { "spot.coordinates": { "$each": ring } } }, "/spot/coordinates"),
        (doc! { "$push": { "spot.coordinates.0": { "$each": line } } }, "/spot/coordinates/0"),
        (doc! { "$rename": { "old": "spot" } }, "/spot"),
        (doc! { "$rename": { "old": "spot.coordinates" } }, "/spot/coordinates"),
        (doc! { "$rename": { "old": "parts" } }, "/parts"),
    ] {
        assert_eq!(operated(&update), Some((pointer.into(), "x-indexes".into())), "{update}");
    }
}

#[test]
fn depth_is_no_way_around() {
    for in_list in [false, true] {
        let mut value = Bson::Document(doc! { "crs": strict() });
        for depth in 0..90 {
            assert!(checked(&doc! { "a": value.clone() }).is_some(), "{depth}");
            value = if in_list { Bson::Array(vec![value]) } else { Bson::Document(doc! { "a": value }) };
        }
    }
}
