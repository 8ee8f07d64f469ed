//! `$near`, `$nearSphere`, `$geoWithin`, `$geoIntersects` and their geometry.
//!
//! See [geospatial queries](https://www.mongodb.com/docs/manual/geospatial-queries/) and
//! [GeoJSON](https://www.rfc-editor.org/rfc/rfc7946). That rings neither cross nor touch is for MongoDB to find out.

use bson::{Bson, Document, doc};

use super::{Level, Planner, Subject, list, misplaced, text::serves, wrong};
use crate::{
    error::{Error, Result, nearest},
    json::Tree,
    schema::Kind,
};

mod geometry;

/// The shapes that MongoDB finds documents within.
const AREAS: [&str; 2] = ["Polygon", "MultiPolygon"];

impl Planner<'_> {
    /// `$near` or `$nearSphere`: a point, and how far from it.
    pub(super) fn near(&mut self, name: &'static str, tree: &Tree, subject: Subject<'_>) -> Result<Bson> {
        if subject.level != Level::Top {
            let detail =
                format!("`{name}` orders what is found: it can only stand at the top of a filter and in `$and`");
            return Err(misplaced(tree, detail));
        }
        self.once(tree, name)?;
        check_field(tree, subject)?;
        let mut indexes = self.schema.iter().flat_map(|schema| &schema.indexes);
        if !indexes.any(|index| serves(index, Some(subject.path), "2dsphere")) {
            let detail = format!(
                "`{name}` needs a `2dsphere` index on `{0}`: add {{\"keys\": {{\"{0}\": \"2dsphere\"}}}} to `x-indexes` \
                 in the collection file",
                subject.path
            );
            return Err(misplaced(tree, detail));
        }
        let mut planned = Document::new();
        for (name, value) in tree.as_object().into_iter().flatten() {
            let value = match name.as_str() {
                "$geometry" => self.geometry(value, &["Point"])?,
                "$minDistance" | "$maxDistance" => Bson::Double(self.at_least_zero(value)?),
                name => return Err(stray(value, name, &["$geometry", "$minDistance", "$maxDistance"])),
            };
            planned.insert(name.clone(), value);
        }
        if planned.contains_key("$geometry") {
            return Ok(Bson::Document(planned));
        }
        Err(wrong(tree, "expected `{\"$geometry\":{\"type\":\"Point\",\"coordinates\":[longitude,latitude]}}`"))
    }

    /// `$geoWithin`: the one shape that what is found lies in.
    pub(super) fn within(&self, tree: &Tree, subject: Subject<'_>) -> Result<Bson> {
        const SHAPES: [&str; 5] = ["$geometry", "$box", "$polygon", "$center", "$centerSphere"];
        check_field(tree, subject)?;
        let members = tree.as_object().filter(|members| members.len() == 1);
        let Some((name, value)) = members.and_then(|members| members.first()) else {
            return Err(wrong(tree, format!("expected an object of one of `{}`", SHAPES.join("`, `"))));
        };
        let shape = match name.as_str() {
            "$geometry" => self.geometry(value, &AREAS)?,
            "$box" => self.corners(value, 2..=2)?,
            "$polygon" => self.corners(value, 3..=usize::MAX)?,
            "$center" => self.circle(value, false)?,
            "$centerSphere" => self.circle(value, true)?,
            name => return Err(stray(value, name, &SHAPES)),
        };
        Ok(Bson::Document(doc! { name.clone(): shape }))
    }

    /// `$geoIntersects`: the geometry that what is found has a point in common with.
    pub(super) fn intersects(&self, tree: &Tree, subject: Subject<'_>) -> Result<Bson> {
        check_field(tree, subject)?;
        let members = tree.as_object().filter(|members| members.len() == 1);
        match members.and_then(|members| members.first()) {
            Some((name, value)) if name == "$geometry" => {
                Ok(Bson::Document(doc! { "$geometry": self.geometry(value, &[])? }))
            }
            Some((name, value)) => Err(stray(value, name, &["$geometry"])),
            None => Err(wrong(tree, "expected an object of `$geometry`")),
        }
    }

    /// Points on a plane.
    fn corners(&self, tree: &Tree, count: std::ops::RangeInclusive<usize>) -> Result<Bson> {
        let corners = list(tree)?;
        if !count.contains(&corners.len()) {
            let count = count.start();
            return Err(wrong(tree, format!("expected {count} points `[x,y]`, found {}", corners.len())));
        }
        self.check_positions(corners.len())?;
        Ok(Bson::Array(corners.iter().map(|corner| self.point(corner, false)).collect::<Result<_>>()?))
    }

    fn circle(&self, tree: &Tree, on_sphere: bool) -> Result<Bson> {
        match tree.as_array() {
            Some([center, radius]) => {
                Ok(Bson::Array(vec![self.point(center, on_sphere)?, Bson::Double(self.at_least_zero(radius)?)]))
            }
            _ => Err(wrong(tree, "expected `[[x,y],radius]`")),
        }
    }
}

/// Refuses a field that can hold neither GeoJSON nor pairs of coordinates.
fn check_field(tree: &Tree, subject: Subject<'_>) -> Result<()> {
    let kinds = subject.scope.field().kinds;
    if kinds.contains(Kind::Object) || kinds.contains(Kind::Array) {
        return Ok(());
    }
    Err(misplaced(tree, format!("`{}` holds neither GeoJSON objects nor coordinates", subject.path)))
}

fn stray(tree: &Tree, name: &str, known: &[&str]) -> Error {
    let detail = match nearest(name, known.iter().copied()) {
        Some(near) => format!("`{name}` cannot stand here, did you mean `{near}`?"),
        None => format!("`{name}` cannot stand here, only `{}`", known.join("`, `")),
    };
    misplaced(tree, detail)
}
