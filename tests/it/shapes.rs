//! What files say of types beyond `properties` and `items`, through HTTP: positions, patterns, conditions, other files.

use std::fs;

use folio::schema::{Catalog, Field, Kind};
use mongodb::bson::{Bson, DateTime, Document, doc, oid::ObjectId};
use serde_json::{Value, json};

use crate::support::{Api, catalog};

/// Whether the value may stand where `shape` is: what MongoDB takes, the shape must allow.
pub(crate) fn fits(value: &Bson, shape: &Field) -> bool {
    let inside = match value {
        Bson::Document(members) => {
            members.iter().all(|(name, value)| shape.allows(name) && fits(value, shape.member(name)))
                && shape.required.iter().all(|name| name == "_id" || members.contains_key(name))
        }
        Bson::Array(items) => {
            let mut items = items.iter().enumerate();
            items.all(|(index, item)| fits(item, shape.at(index)) && fits(item, shape.item()))
        }
        _ => true,
    };
    inside && shape.kinds.contains(Kind::of(value.element_type()))
}

const DAY: &str = "2024-05-01T00:00:00.000Z";
const ID: &str = "6650f0000000000000000001";

fn things() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "_id": { "type": "string" },
            "pair": {
                "type": "array",
                "prefixItems": [{ "bsonType": "date" }, { "bsonType": "long" }],
                "items": { "bsonType": "objectId" }
            },
            "days": {
                "type": "object",
                "patternProperties": { "^on_": { "bsonType": "date" } },
                "additionalProperties": false
            },
            "either": {
                "if": { "type": "object", "properties": { "at": { "bsonType": "date" } }, "required": ["at"] },
                "else": { "type": "object", "properties": { "at": false, "by": { "bsonType": "objectId" } } }
            },
            "never": false
        }
    })
}

#[tokio::test]
async fn values_have_the_types_of_their_places() {
    let api = Api::things(things()).await;
    let sent = json!({
        "_id": "a", "pair": [DAY, 5, ID, ID], "days": { "on_may": DAY }, "either": { "at": DAY }
    });
    let answer = api.post("/v1/things", &sent).await;
    assert_eq!(answer.ok(201), sent);
    let stored = api.collection("things").find_one(doc! { "_id": "a" }).await.unwrap().unwrap();
    let day: Bson = DateTime::parse_rfc3339_str(DAY).unwrap().into();
    let id: Bson = ObjectId::parse_str(ID).unwrap().into();
    let expected = doc! {
        "_id": "a", "pair": [&day, 5_i64, &id, &id], "days": { "on_may": &day }, "either": { "at": &day }
    };
    assert_eq!(stored, expected);
    assert_eq!(api.get("/v1/things/a").await.ok(200), sent);
    for filter in [
        json!({ "pair.0": DAY }),
        json!({ "pair.1": { "$gte": 5 } }),
        json!({ "pair.2": ID }),
        json!({ "pair": [DAY, 5, ID, ID] }),
        json!({ "days.on_may": { "$lte": DAY } }),
        json!({ "never": { "$exists": false } }),
    ] {
        let found = api.get(&format!("/v1/things?filter={filter}&sort=pair.0,pair.1")).await.ok(200);
        assert_eq!(found["items"].as_array().map(Vec::len), Some(1), "{filter}: {found}");
    }
    for wrong in [json!({ "pair": [5] }), json!({ "days": { "by_may": DAY } }), json!({ "never": 1 })] {
        api.post("/v1/things", &wrong).await.problem(422, "invalid-document");
    }
}

/// The ids of all documents in an order, page by page.
async fn pages(api: &Api, sort: &str, limit: usize) -> Vec<Value> {
    let (mut ids, mut after) = (Vec::new(), String::new());
    loop {
        let page = api.get(&format!("/v1/things?sort={sort}&fields=_id&limit={limit}{after}")).await.ok(200);
        ids.extend(page["items"].as_array().unwrap().iter().map(|item| item["_id"].clone()));
        let Some(next) = page["next"].as_str() else { return ids };
        after = format!("&after={next}");
    }
}

#[tokio::test]
async fn pages_follow_positions() {
    let api = Api::things(things()).await;
    let day = |n: i64| Bson::from(DateTime::from_millis(n));
    let pairs =
        [None, Some(vec![]), Some(vec![day(1)]), Some(vec![day(1), 5_i64.into()]), Some(vec![day(0), 7_i64.into()])];
    let all = (0..20_usize).map(|n| {
        let pair = pairs[n % pairs.len()].clone().map(|pair| doc! { "pair": pair });
        let mut thing = doc! { "_id": format!("t{n:02}") };
        thing.extend(pair.unwrap_or_default());
        thing
    });
    api.collection("things").insert_many(all).await.unwrap();
    for sort in ["pair.0", "-pair.0", "pair.1,pair.0", "-pair.1,_id", "pair.0,-pair.2", "pair"] {
        let whole = pages(&api, sort, 100).await;
        assert_eq!(whole.len(), 20, "{sort}");
        assert_eq!(pages(&api, sort, 3).await, whole, "{sort}");
    }
}

#[tokio::test]
async fn what_is_hidden_in_tuples_is_nowhere() {
    let cost = json!({ "type": "object", "properties": { "cost": { "bsonType": "int" }, "n": { "type": "string" } } });
    let file = json!({
        "type": "object",
        "properties": { "pair": { "type": "array", "prefixItems": [cost, cost], "items": cost } },
        "dependentRequired": { "pair": ["_id"] },
        "if": { "properties": { "pair": { "contains": { "required": ["cost"] } } } }, "then": true,
        "x-access": { "reader": { "ops": ["read", "insert"], "hide": ["pair.cost"] }, "boss": ["*"] }
    });
    let api = Api::closed(catalog(&[("things", file)])).await;
    let item = |cost: i32| doc! { "cost": cost, "n": "x" };
    api.collection("things").insert_one(doc! { "pair": [item(77), item(78), item(79)] }).await.unwrap();
    let (reader, boss) = (api.caller(&["reader"], "r", json!({})), api.caller(&["boss"], "b", json!({})));
    let all = reader.get("/v1/things").await.ok(200);
    assert_eq!(all["items"][0]["pair"], json!([{ "n": "x" }, { "n": "x" }, { "n": "x" }]));
    assert_eq!(boss.get("/v1/things").await.ok(200)["items"][0]["pair"][1]["cost"], 78);
    for query in ["filter={\"pair.1.cost\":78}", "filter={\"pair.cost\":78}", "sort=pair.0.cost", "fields=pair.cost"] {
        reader.get(&format!("/v1/things?{query}")).await.problem(403, "forbidden-field");
    }
    for body in [json!({ "pair": [{ "cost": 1 }] }), json!({ "pair": [{}, {}, { "cost": { "$oid": ID } }] })] {
        reader.post("/v1/things", &body).await.problem(403, "forbidden-field");
    }
    assert!(boss.get("/v1/things/_schema").await.ok(200).to_string().contains("cost"));
    let schema = reader.get("/v1/things/_schema").await.ok(200);
    assert!(!schema.to_string().contains("cost"), "{schema}");
    assert_eq!(schema["dependentRequired"], json!({ "pair": ["_id"] }));
}

#[tokio::test]
async fn the_schema_holds_what_it_refers_to_in_other_files() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("shared")).unwrap();
    let home = json!({ "type": "object", "properties": { "home": { "$ref": "shared/address.json" } } });
    let address = json!({ "type": "object", "properties": { "since": { "bsonType": "date" }, "in": { "$ref": "#/$defs/city" } },
        "$defs": { "city": { "bsonType": "objectId" } } });
    fs::write(folder.path().join("people.json"), home.to_string()).unwrap();
    fs::write(folder.path().join("shared/address.json"), address.to_string()).unwrap();
    let api = Api::start(Catalog::load(folder.path()).unwrap()).await;
    let schema = api.get("/v1/people/_schema").await.ok(200);
    let target = schema["properties"]["home"]["$ref"].as_str().unwrap().strip_prefix('#').unwrap();
    let home = schema.pointer(target).unwrap();
    assert_eq!(home["properties"]["since"], json!({ "type": "string", "format": "date-time" }));
    let inner = home["properties"]["in"]["$ref"].as_str().unwrap().strip_prefix('#').unwrap().replace("%23", "#");
    assert_eq!(schema.pointer(&inner).unwrap()["pattern"], "^[0-9a-fA-F]{24}$");
    let sent = json!({ "home": { "since": DAY, "in": ID } });
    api.post("/v1/people", &sent).await.ok(201);
    let stored: Document = api.collection("people").find_one(doc! {}).await.unwrap().unwrap();
    let day: Bson = DateTime::parse_rfc3339_str(DAY).unwrap().into();
    assert_eq!(stored.get_document("home").unwrap(), &doc! { "since": day, "in": ObjectId::parse_str(ID).unwrap() });
}
