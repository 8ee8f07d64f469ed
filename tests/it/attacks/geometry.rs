//! Row 24: geometry that the database would die of, or be busy with for hours.

use bson::doc;
use reqwest::Method;
use serde_json::{Value, json};

use super::{JSON, refused};
use crate::support::{Api, catalog};

const OPERATORS: (&str, &str) = JSON;
const MERGE: (&str, &str) = ("content-type", "application/merge-patch+json");
const PATCH: (&str, &str) = ("content-type", "application/json-patch+json");

fn places() -> Value {
    json!({
        "type": "object",
        "properties": { "_id": { "type": "string" } },
        "x-indexes": [{ "keys": { "spot": "2dsphere" } }, { "keys": { "parts.at": "2dsphere" } }]
    })
}

fn strict() -> Value {
    json!({ "type": "name", "properties": { "name": "urn:x-mongodb:crs:strictwinding:EPSG:4326" } })
}

/// Teeth from pole to pole, each of which may cross every other one.
fn comb(teeth: usize) -> Value {
    let x = |tooth: usize| f64::from(u32::try_from(tooth).unwrap()) / 1000.0;
    let tooth = |at: usize| json!([x(at), if at.is_multiple_of(2) { 80 } else { -80 }]);
    let ring: Vec<_> = (0..teeth).map(tooth).chain([json!([x(teeth), -85]), json!([0, -85]), tooth(0)]).collect();
    json!({ "type": "Polygon", "coordinates": [ring] })
}

fn collection(crs: bool) -> Value {
    let mut part = json!({ "type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]] });
    if crs {
        part["crs"] = strict();
    }
    json!({ "type": "GeometryCollection", "geometries": [part] })
}

async fn api() -> Api {
    let api = Api::start(catalog(&[("things", places())])).await;
    let stored = json!({ "_id": "x", "spot": collection(false), "parts": [{ "at": collection(false) }], "other": collection(false) });
    api.post("/v1/things", stored).await.ok(201);
    api
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table of what is tried")]
async fn row_24_geometry_that_ends_the_database_is_refused() {
    let api = api().await;
    // Any field will do: a query for places looks at it without an index too.
    for field in ["spot", "other"] {
        let whole = json!({ field: collection(true) });
        let part = collection(true)["geometries"][0].clone();
        let at = |rest: &str| format!("{field}.{rest}");
        let step = |op: &str, rest: &str, value: &Value| json!([{ "op": op, "path": format!("/{field}{rest}"), "value": value }]);
        let patches = [
            (MERGE, whole.clone()),
            (MERGE, json!({ "list": [[{ "deep": collection(true) }]] })),
            (OPERATORS, json!({ "$set": whole })),
            (OPERATORS, json!({ "$set": { at("geometries"): [part] } })),
            (OPERATORS, json!({ "$set": { at("geometries.0"): part } })),
            (OPERATORS, json!({ "$set": { at("geometries.0.crs"): strict() } })),
            (OPERATORS, json!({ "$set": { at("geometries.$[].crs"): strict() } })),
            (
                OPERATORS,
                json!({ "$set": { at("geometries.0.crs.type"): "name",
                at("geometries.0.crs.properties.name"): strict()["properties"]["name"] } }),
            ),
            (OPERATORS, json!({ "$push": { at("geometries"): part } })),
            (OPERATORS, json!({ "$push": { at("geometries"): { "$each": [part] } } })),
            (OPERATORS, json!({ "$addToSet": { at("geometries"): part } })),
            (PATCH, step("add", "", &collection(true))),
            (PATCH, step("replace", "/geometries/0", &part)),
            (PATCH, step("add", "/geometries/-", &part)),
            (PATCH, step("add", "/geometries/0/crs", &strict())),
            (
                PATCH,
                json!([
                    { "op": "add", "path": "/name", "value": strict()["properties"]["name"] },
                    { "op": "add", "path": format!("/{field}/geometries/0/crs"), "value": { "type": "name", "properties": {} } },
                    { "op": "move", "from": "/name", "path": format!("/{field}/geometries/0/crs/properties/name") }
                ]),
            ),
        ];
        for (media_type, body) in patches {
            for path in ["/v1/things/x", "/v1/things?_id=x"] {
                let answer = api.send(Method::PATCH, path, &[media_type], body.to_string()).await;
                refused(&answer, &[422], &body.to_string());
            }
        }
        for (method, path, body) in [
            (Method::POST, "/v1/things", whole.clone()),
            (Method::POST, "/v1/things", json!([{ "_id": "a" }, whole])),
            (Method::PUT, "/v1/things/x", whole.clone()),
            (Method::PUT, "/v1/things/y?upsert=true", whole.clone()),
        ] {
            refused(&api.send(method, path, &[JSON], body.to_string()).await, &[422], path);
        }
        let create = api.send(Method::PUT, "/v1/things/y", &[JSON, ("if-none-match", "*")], whole.to_string()).await;
        refused(&create, &[422], "create");
    }
    let asked = json!({ "other": { "$geoIntersects": { "$geometry": collection(false) } } });
    assert_eq!(api.get(&format!("/v1/things?filter={asked}")).await.ok(200)["items"].as_array().unwrap().len(), 1);
    assert_eq!(api.collection("things").count_documents(doc! {}).await.unwrap(), 1);
}

#[tokio::test]
async fn row_24_polygons_without_end_are_refused() {
    let api = api().await;
    let (large, ring) = (comb(10_000), comb(200)["coordinates"][0].clone());
    let half = comb(6_000);
    for (method, path, media_type, body) in [
        (Method::POST, "/v1/things", JSON, json!({ "spot": large })),
        (Method::POST, "/v1/things", JSON, json!([{ "spot": large }])),
        (Method::POST, "/v1/things", JSON, json!({ "parts": [{ "at": half }, { "at": half }] })),
        (Method::PUT, "/v1/things/x", JSON, json!({ "spot": large })),
        (
            Method::PATCH,
            "/v1/things/x",
            MERGE,
            json!({ "spot": { "type": "Polygon", "coordinates": large["coordinates"] } }),
        ),
        (Method::PATCH, "/v1/things/x", PATCH, json!([{ "op": "add", "path": "/spot", "value": large }])),
        (
            Method::PATCH,
            "/v1/things/x",
            PATCH,
            json!([{ "op": "add", "path": "/old", "value": large },
            { "op": "move", "from": "/old", "path": "/spot" }]),
        ),
        (Method::PATCH, "/v1/things/x", OPERATORS, json!({ "$set": { "spot": large } })),
        (Method::PATCH, "/v1/things/x", OPERATORS, json!({ "$rename": { "other": "spot" } })),
        (Method::PATCH, "/v1/things/x", OPERATORS, json!({ "$push": { "parts": { "at": half } } })),
        (Method::PATCH, "/v1/things/x", OPERATORS, json!({ "$push": { "spot.geometries.0.coordinates": ring } })),
        (
            Method::PATCH,
            "/v1/things/x",
            OPERATORS,
            json!({ "$push": { "spot.geometries.0.coordinates.0": { "$each": ring } } }),
        ),
        (Method::PATCH, "/v1/things?_id=x", OPERATORS, json!({ "$set": { "spot.geometries.0.coordinates.0": ring } })),
    ] {
        refused(&api.send(method, path, &[media_type], body.to_string()).await, &[422], path);
    }
    // Without an index it is a value as any other.
    api.patch("/v1/things/x", json!({ "other": large })).await.ok(200);
    api.patch("/v1/things/x", json!({ "spot": comb(100), "parts": [{ "at": comb(100) }] })).await.ok(200);
    let moved = json!({ "$set": { "spot.coordinates": comb(200)["coordinates"] } });
    api.send(Method::PATCH, "/v1/things/x", &[OPERATORS], moved.to_string()).await.ok(200);
}
