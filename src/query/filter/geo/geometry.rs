//! GeoJSON geometries and positions, put together anew from what is known of them.

use bson::{Bson, Document, doc};

use super::stray;
use crate::{
    codec::decode,
    error::{Result, check_limit, invalid_query},
    json::{Node, Tree},
    query::filter::{Planner, list, wrong},
    schema::{Field, Kind},
};

/// How the coordinates of a geometry are nested.
enum Coordinates {
    Position,
    /// At least two positions.
    Line,
    /// At least four positions, the last of them the first.
    Ring,
    /// At least one of those.
    Many(&'static Coordinates),
}

use Coordinates::{Line, Many, Position, Ring};

const TYPES: [(&str, Coordinates); 6] = [
    ("Point", Position),
    ("MultiPoint", Many(&Position)),
    ("LineString", Line),
    ("MultiLineString", Many(&Line)),
    ("Polygon", Many(&Ring)),
    ("MultiPolygon", Many(&Many(&Ring))),
];
const COLLECTION: &str = "GeometryCollection";

/// Longitude and latitude, the same under both names.
const PLAIN: [&str; 2] = ["urn:ogc:def:crs:OGC:1.3:CRS84", "EPSG:4326"];
/// A ring's inside is to its left, be it more than half of the Earth. MongoDB takes it with polygons of one ring, and
/// dies of it inside of collections.
///
/// See [`$geometry`](https://www.mongodb.com/docs/manual/reference/operator/query/geometry/).
const STRICT: &str = "urn:x-mongodb:crs:strictwinding:EPSG:4326";

impl Planner<'_> {
    /// The GeoJSON geometry `tree`, of one of the `allowed` types if any are given.
    pub(super) fn geometry(&self, tree: &Tree, allowed: &[&str]) -> Result<Bson> {
        self.check_positions(positions(tree))?;
        let known = TYPES.iter().map(|(name, _)| *name).chain([COLLECTION]);
        let taken: Vec<_> = known.filter(|name| allowed.is_empty() || allowed.contains(name)).collect();
        let name = tree.get("type").and_then(Tree::as_str).unwrap_or_default();
        if !taken.contains(&name) {
            let at = tree.get("type").unwrap_or(tree);
            return Err(wrong(at, format!("expected GeoJSON with a `type` of {}", taken.join(", "))));
        }
        if name == COLLECTION { self.collection(tree) } else { self.simple(tree, name) }
    }

    fn collection(&self, tree: &Tree) -> Result<Bson> {
        let mut collection = doc! { "type": COLLECTION };
        for (name, value) in tree.as_object().into_iter().flatten() {
            match name.as_str() {
                "type" => {}
                "geometries" => {
                    let parts = list(value)?.iter().map(|part| self.part(part));
                    collection.insert("geometries", parts.collect::<Result<Vec<_>>>()?);
                }
                "crs" => drop(collection.insert("crs", system(value, false)?)),
                name => return Err(stray(value, name, &["type", "geometries", "crs"])),
            }
        }
        complete(tree, collection, "geometries")
    }

    /// A geometry of a collection, which is no collection itself.
    fn part(&self, tree: &Tree) -> Result<Bson> {
        let allowed = TYPES.map(|(name, _)| name);
        let part = self.geometry(tree, &allowed)?;
        let system = tree.pointer("/crs/properties/name");
        match system.filter(|name| name.as_str() == Some(STRICT)) {
            Some(name) => Err(wrong(name, "this coordinate reference system cannot stand in a collection")),
            None => Ok(part),
        }
    }

    fn simple(&self, tree: &Tree, kind: &str) -> Result<Bson> {
        let mut geometry = doc! { "type": kind };
        for (name, value) in tree.as_object().into_iter().flatten() {
            match name.as_str() {
                "type" => {}
                "coordinates" => {
                    let shape = TYPES.iter().find(|(name, _)| *name == kind).map_or(&Position, |(_, shape)| shape);
                    geometry.insert("coordinates", self.coordinates(value, shape)?);
                }
                "crs" => {
                    let rings = tree.get("coordinates").and_then(Tree::as_array).map_or(0, <[_]>::len);
                    geometry.insert("crs", system(value, kind == "Polygon" && rings == 1)?);
                }
                name => return Err(stray(value, name, &["type", "coordinates", "crs"])),
            }
        }
        complete(tree, geometry, "coordinates")
    }

    fn coordinates(&self, tree: &Tree, shape: &Coordinates) -> Result<Bson> {
        let (items, inner) = match shape {
            Position => return self.point(tree, true),
            Line => (line(tree)?, &Position),
            Ring => (ring(tree)?, &Position),
            Many(inner) => (list(tree)?, *inner),
        };
        Ok(Bson::Array(items.iter().map(|item| self.coordinates(item, inner)).collect::<Result<_>>()?))
    }

    /// A position: longitude and latitude, or two coordinates of a plane. A height is passed on, MongoDB does not
    /// look at it.
    pub(super) fn point(&self, tree: &Tree, on_sphere: bool) -> Result<Bson> {
        let numbers = match tree.as_array() {
            Some(numbers) if numbers.len() == 2 || (on_sphere && numbers.len() == 3) => numbers,
            _ => {
                let expected = if on_sphere { "[longitude,latitude]" } else { "[x,y]" };
                return Err(wrong(tree, format!("expected a position `{expected}`")));
            }
        };
        let bounds = if on_sphere { [180.0, 90.0, f64::MAX] } else { [f64::MAX; 3] };
        let number = |(tree, bound): (&Tree, f64)| match self.number(tree)? {
            number if number.abs() <= bound => Ok(Bson::Double(number)),
            _ => Err(wrong(tree, format!("expected a number from -{bound} to {bound}"))),
        };
        Ok(Bson::Array(numbers.iter().zip(bounds).map(number).collect::<Result<_>>()?))
    }

    /// A distance or a radius.
    pub(super) fn at_least_zero(&self, tree: &Tree) -> Result<f64> {
        match self.number(tree)? {
            number if number >= 0.0 => Ok(number),
            _ => Err(wrong(tree, "expected a number of at least 0")),
        }
    }

    fn number(&self, tree: &Tree) -> Result<f64> {
        let shape = Field { kinds: Kind::Double.into(), ..Field::any() };
        let value = decode::value(tree.text(self.text).as_bytes(), &shape)
            .map_err(|e| invalid_query("filter", Some(tree.span.start + e.offset), e.detail))?;
        let number = value.as_raw_bson_ref().as_f64().filter(|number| number.is_finite());
        number.ok_or_else(|| wrong(tree, "expected a number"))
    }

    pub(super) fn check_positions(&self, count: usize) -> Result<()> {
        check_limit(("--max-in", self.limits.max_in), count, || format!("a geometry of {count} positions"))
    }
}

/// How many positions there are in a geometry, whatever its type: arrays that do not begin with an array.
fn positions(tree: &Tree) -> usize {
    match &tree.node {
        Node::Array(items)
            if items.first().is_none_or(|first| first.as_array().is_none() && first.as_object().is_none()) =>
        {
            1
        }
        Node::Array(items) => items.iter().map(positions).sum(),
        Node::Object(members) => members.values().map(positions).sum(),
        _ => 0,
    }
}

fn line(tree: &Tree) -> Result<&[Tree]> {
    let positions = list(tree)?;
    if positions.len() < 2 {
        return Err(wrong(tree, "expected a line of at least 2 positions"));
    }
    Ok(positions)
}

fn ring(tree: &Tree) -> Result<&[Tree]> {
    match list(tree)? {
        positions @ [first, .., last] if positions.len() >= 4 && numbers(first) == numbers(last) => Ok(positions),
        _ => Err(wrong(tree, "expected a ring of at least 4 positions, the last of them the same as the first")),
    }
}

/// A position's numbers, to compare.
fn numbers(tree: &Tree) -> Vec<Option<f64>> {
    let number = |tree: &Tree| if let Node::Number(digits) = &tree.node { digits.parse().ok() } else { None };
    tree.as_array().unwrap_or_default().iter().map(number).collect()
}

/// The [coordinate reference system](https://geojson.org/geojson-spec.html#coordinate-reference-system-objects) `tree`.
fn system(tree: &Tree, allow_strict: bool) -> Result<Document> {
    let is_named = tree.get("type").and_then(Tree::as_str) == Some("name");
    let member = |name| tree.get(name).filter(|member| member.as_object().is_none_or(|members| members.len() == 1));
    let name = member("properties").and_then(|properties| properties.get("name")?.as_str());
    let exact = tree.as_object().is_some_and(|members| members.len() == 2);
    match name.filter(|name| PLAIN.contains(name) || (allow_strict && *name == STRICT)) {
        Some(name) if is_named && exact => Ok(doc! { "type": "name", "properties": { "name": name } }),
        _ if name == Some(STRICT) => {
            Err(wrong(tree, "this coordinate reference system goes with a `Polygon` of one ring"))
        }
        _ => {
            let detail = format!(
                "expected `{{\"type\":\"name\",\"properties\":{{\"name\":…}}}}` with one of `{}`, `{STRICT}`",
                PLAIN.join("`, `")
            );
            Err(wrong(tree, detail))
        }
    }
}

fn complete(tree: &Tree, geometry: Document, member: &str) -> Result<Bson> {
    if geometry.contains_key(member) {
        return Ok(Bson::Document(geometry));
    }
    Err(wrong(tree, format!("expected `{member}`")))
}
