//! Who asks: API keys and tokens, right and wrong ones, over HTTP.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{Api, catalog, token};

#[tokio::test]
async fn a_token_names_its_holder_and_his_roles() {
    let api = Api::closed(catalog(&[("things", json!({ "type": "object" }))])).await;
    api.get("/v1/things").await.problem(401, "unauthenticated");
    api.with(token(&["admin"], "ann", json!({}))).get("/v1/things").await.ok(200);
    api.caller(&["other"], "ann", json!({})).get("/v1/things").await.problem(403, "forbidden");
}

#[tokio::test]
async fn a_new_key_is_good_within_seconds() {
    let api = Api::closed(catalog(&[("things", json!({ "type": "object" }))])).await;
    let key = api.database.key(&["admin"]).await;
    let start = Instant::now();
    while api.with(&key).get("/v1/things").await.status != 200 {
        assert!(start.elapsed() < Duration::from_secs(3));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
