//! Row 22: odd keys and values.

use bson::{Bson, doc, oid::ObjectId};
use reqwest::Method;
use serde_json::json;

use super::{JSON, escaped, refused, target};

const ID: &str = "6650f0000000000000000001";

/// Texts that are no document anywhere.
const NEVER: [&[u8]; 26] = [
    b"{\"any\":1,\"any\":2}",
    b"{\"any\":{\"x\":1,\"\\u0078\":2}}",
    b"{\"any\":[{\"x\":1,\"x\":1}]}",
    b"{\"_id\":1,\"_id\":2}",
    b"{\"$x\":1}",
    b"{\"any\":{\"$x\":1}}",
    b"{\"any\":{\"\\u0024x\":1}}",
    b"{\"any\":[[{\"$x\":1}]]}",
    b"{\"any\":{\"a.b\":1}}",
    b"{\"any.b\":1}",
    b"{\"place.city\":\"x\"}",
    b"{\"any\":{\"a\\u0000b\":1}}",
    b"{\"any\\u0000\":1}",
    b"{\"name\":\"\\ud800\"}",
    b"{\"name\":\"\\udc00\\ud800\"}",
    b"{\"\\ud800\":1}",
    b"{\"name\":\"\xff\"}",
    b"{\"name\":\"\xc0\xaf\"}",
    b"{\"name\":\"\xed\xa0\x80\"}",
    b"{\"\xff\":1}",
    b"{\"name\":\"a\x00b\"}",
    b"{\"name\":\"a\nb\"}",
    b"{\"any\":NaN}",
    b"{\"any\":Infinity}",
    b"{\"any\":01}",
    b"\xef\xbb\xbf{}",
];

#[tokio::test]
async fn row_22_odd_texts_are_no_documents() {
    let api = target().await;
    api.post("/v1/things", json!({ "_id": ID, "name": "x" })).await.ok(201);
    api.post("/v1/free", json!({ "_id": ID })).await.ok(201);
    for text in NEVER {
        let what = String::from_utf8_lossy(text);
        for collection in ["things", "free"] {
            let (all, one) = (format!("/v1/{collection}"), format!("/v1/{collection}/{ID}"));
            for (method, path) in [(Method::POST, &all), (Method::PUT, &one), (Method::PATCH, &one)] {
                refused(&api.send(method, path, &[JSON], text).await, &[400], &what);
            }
        }
        // A dotted name leads to a field.
        if text.starts_with(b"{\"any.") || text.starts_with(b"{\"place.") {
            continue;
        }
        let query = [b"{\"filter\":", text, b"}"].concat();
        refused(&api.send(Method::POST, "/v1/things/_query", &[JSON], query).await, &[400], &what);
    }
    assert_eq!(api.get(&format!("/v1/things/{ID}")).await.ok(200), json!({ "_id": ID, "name": "x" }));
    assert_eq!((api.count("things").await, api.count("free").await), (1, 1));
    for query in
        ["name=%ff", "%ff=1", "name=%ed%a0%80", "filter=%ff", "sort=%ff", "fields=%ff", "after=%ff", "name%00=x"]
    {
        refused(&api.get(&format!("/v1/things?{query}")).await, &[400], query);
    }
}

#[tokio::test]
async fn row_22_odd_ids_are_no_ids() {
    let api = target().await;
    for id in [
        "[]",
        "[1]",
        "{}",
        "{\"a\":1}",
        "null",
        "true",
        "1",
        "\"x\"",
        "\"\"",
        "{\"$undefined\":true}",
        "{\"$regularExpression\":{\"pattern\":\"x\",\"options\":\"\"}}",
        "{\"$minKey\":1}",
        "{\"$code\":\"x\"}",
        "{\"$numberLong\":\"1\"}",
        "{\"$oid\":\"x\"}",
    ] {
        let body = format!("{{\"_id\":{id}}}");
        refused(&api.post("/v1/things", &body).await, &[400, 422], &body);
    }
    for id in [
        "[]",
        "{}",
        "null",
        "1",
        "\"\"",
        "\"_x\"",
        "\".\"",
        "\"..\"",
        "{\"$regularExpression\":{\"pattern\":\"x\",\"options\":\"\"}}",
    ] {
        let body = format!("{{\"_id\":{id}}}");
        refused(&api.post("/v1/texts", &body).await, &[400, 422], &body);
    }
    // MongoDB itself has no such ids, whatever the schema says.
    let made = api.collection("free").count_documents(doc! {}).await.unwrap();
    for id in ["[1]", "{\"$regularExpression\":{\"pattern\":\"x\",\"options\":\"\"}}", "{\"$undefined\":true}"] {
        let body = format!("{{\"_id\":{id}}}");
        refused(&api.post("/v1/free", &body).await, &[400, 422], &body);
    }
    assert_eq!((made, api.count("things").await, api.count("texts").await), (0, 0, 0));
}

#[tokio::test]
async fn row_22_odd_numbers_are_kept_or_refused() {
    let api = target().await;
    for number in ["1e400", "-1e400", "1e99999999999", "99999999999999999999", "1.5", "2147483648", "1e309"] {
        let body = format!("{{\"count\":{number}}}");
        refused(&api.post("/v1/things", &body).await, &[400, 422], &body);
        refused(&api.post("/v1/things/_query", format!("{{\"filter\":{{\"when\":{number}}}}}")).await, &[400], number);
    }
    assert_eq!(api.count("things").await, 0);
    for (number, stored) in [
        ("-0", Bson::Int32(0)),
        ("-0.0", Bson::Double(-0.0)),
        ("9223372036854775807", Bson::Int64(i64::MAX)),
        ("-9223372036854775808", Bson::Int64(i64::MIN)),
        ("5e-324", Bson::Double(5e-324)),
        ("1e5", Bson::Double(1e5)),
    ] {
        let made = api.post("/v1/free", format!("{{\"n\":{number}}}")).await.ok(201);
        let id = ObjectId::parse_str(made["_id"].as_str().unwrap()).unwrap();
        let found = api.collection("free").find_one(doc! { "_id": id }).await.unwrap().unwrap();
        let (found, stored) = (found.get("n").unwrap(), &stored);
        let bits = |value: &Bson| value.as_f64().map(f64::to_bits);
        // A zero with a sign may become a plain one, but no other number.
        assert!(found == stored && (bits(found) == bits(stored) || number == "-0"), "{number}: {found:?}");
    }
}

/// Names that mean something in other languages mean nothing here.
#[tokio::test]
async fn row_22_names_of_other_languages_are_names() {
    let api = target().await;
    let odd = json!({ "__proto__": { "x": 1 }, "constructor": { "prototype": { "y": 1 } }, "toString": "z", "": 1, " ": 2,
        "hasOwnProperty": 1, "0": "a", "é": 1, "\u{202e}x": 1, "then": "x" });
    let made = api.post("/v1/free", &odd).await.ok(201);
    let one = format!("/v1/free/{}", made["_id"].as_str().unwrap());
    for (name, value) in odd.as_object().unwrap() {
        assert_eq!(&api.get(&one).await.ok(200)[name], value, "{name}");
    }
    let patched = api.patch(&one, "{\"__proto__\":{\"polluted\":true}}").await.ok(200);
    assert_eq!(patched["__proto__"], json!({ "x": 1, "polluted": true }));
    assert_eq!((&patched["polluted"], &patched["constructor"]["polluted"]), (&json!(null), &json!(null)));
    refused(&api.post("/v1/things", json!({ "__proto__": { "name": "x" } })).await, &[422], "__proto__");
    assert_eq!(api.post("/v1/things", json!({})).await.ok(201).get("name"), None);
}

/// What other programs have stored under names that the service takes from nobody is read as it is, and reached by none.
#[tokio::test]
async fn row_22_odd_stored_keys_do_no_harm() {
    let api = target().await;
    let mut deep = doc! { "end": 1 };
    for _ in 0..55 {
        deep = doc! { "a": [deep] };
    }
    let id = ObjectId::parse_str(ID).unwrap();
    let odd = doc! { "_id": id, "a": { "$where": "sleep(5000)" }, "b": { "x.y": 1 }, "c": { "$ref": "x", "$id": 1 }, "deep": deep,
    "regex": Bson::RegularExpression(bson::Regex { pattern: "(".try_into().unwrap(), options: "".try_into().unwrap() }) };
    let free = api.collection("free");
    let set = doc! { "$replaceWith": { "$literal": odd } };
    free.insert_one(doc! { "_id": id }).await.unwrap();
    free.update_one(doc! { "_id": id }, vec![set]).await.unwrap();
    let one = format!("/v1/free/{ID}");
    for accept in ["application/json", "application/ejson", "application/ejson; mode=canonical"] {
        let answer = api.send(Method::GET, &one, &[("accept", accept)], "").await;
        assert_eq!(answer.ok(200)["a"]["$where"], "sleep(5000)", "{accept}");
    }
    api.get("/v1/free").await.ok(200);
    for name in ["a.$where", "$where"] {
        refused(&api.get(&format!("/v1/free?{}=1", escaped(name))).await, &[400], name);
    }
    // The rest of the document can be changed, and what is odd stays as it is.
    let patched = api.patch(&one, json!({ "name": "x" })).await.ok(200);
    assert_eq!((&patched["a"]["$where"], &patched["b"]["x.y"]), (&json!("sleep(5000)"), &json!(1)));
    refused(&api.put(&one, json!({ "a": { "$where": "sleep(5000)" } })).await, &[400], "sent back");
}
