//! The database goes away and comes back.

use std::time::Duration;

use folio::mongod::Mongod;
use mongodb::{Client, bson::doc};
use serde_json::json;
use tokio::time::{Instant, sleep, timeout};

use crate::support::{Api, TestDatabase, catalog, options};

#[tokio::test]
async fn says_so_while_the_database_is_away_and_recovers_by_itself() {
    let options = options("outage");
    let mongod = Mongod::start(&options).await.unwrap();
    let db = Client::with_uri_str(mongod.uri()).await.unwrap().database("outage");
    db.drop().await.unwrap();
    let database = TestDatabase { uri: mongod.uri().to_owned(), name: "outage".into(), db };
    let mut settings = database.settings();
    settings.database.pool.selection_timeout = Duration::from_millis(300);
    let api = Api::start_with(catalog(&[("things", json!({ "type": "object" }))]), database, settings).await;
    let made = api.post("/v1/things", json!({ "a": 1 })).await.ok(201);
    let path = format!("/v1/things/{}", made["_id"].as_str().unwrap());

    mongod.stop().await;
    for _ in 0..2 {
        let away = api.get(&path).await;
        away.problem(503, "unavailable");
        assert_eq!(away.header("retry-after"), "1");
        assert!(!away.text.contains("127.0.0.1"), "the cause is for the log: {}", away.text);
        api.post("/v1/things", json!({})).await.problem(503, "unavailable");
        api.patch(&path, json!({ "a": 2 })).await.problem(503, "unavailable");
        api.get("/readyz").await.problem(503, "unavailable");
        assert_eq!(api.get("/healthz").await.status, 200);
    }

    let mongod = Mongod::start(&options).await.unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while api.get("/readyz").await.status != 200 {
        assert!(Instant::now() < deadline, "not ready again");
        sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(api.get(&path).await.ok(200)["a"], 1);
    assert_eq!(api.patch(&path, json!({ "a": 2 })).await.ok(200)["a"], 2);
    assert_eq!(api.count("things").await, 1);
    mongod.stop().await;
}

#[tokio::test]
async fn a_database_that_hangs_is_not_waited_for_past_the_deadline() {
    let mongod = Mongod::start(&options("hanging")).await.unwrap();
    let db = Client::with_uri_str(mongod.uri()).await.unwrap().database("hanging");
    db.drop().await.unwrap();
    let status = db.run_command(doc! { "serverStatus": 1 }).await.unwrap();
    let signal = |name: &str| {
        let pid = status.get_i64("pid").unwrap().to_string();
        assert!(std::process::Command::new("kill").args([name, &pid]).status().unwrap().success());
    };
    let database = TestDatabase { uri: mongod.uri().to_owned(), name: "hanging".into(), db: db.clone() };
    let mut settings = database.settings();
    settings.serving.limits.deadline = Duration::from_millis(500);
    let api = Api::start_with(catalog(&[("things", json!({ "type": "object" }))]), database, settings).await;
    let path = format!("/v1/things/{}", api.post("/v1/things", json!({})).await.ok(201)["_id"].as_str().unwrap());

    signal("-STOP");
    // The signal is sent; each of the server's threads stops when it comes to it.
    let ping = || timeout(Duration::from_millis(200), db.run_command(doc! { "ping": 1 }).into_future());
    timeout(Duration::from_secs(5), async { while ping().await.is_ok() {} }).await.expect("the server stops");
    let answers = timeout(Duration::from_secs(5), async {
        [
            api.get(&path).await,
            api.get("/v1/things").await,
            api.get("/v1").await,
            api.post("/v1/things", json!({})).await,
            api.patch(&path, json!({ "a": 1 })).await,
        ]
    })
    .await;
    signal("-CONT");
    for answer in answers.expect("every answer comes in time") {
        answer.problem(504, "deadline-exceeded");
    }
    mongod.stop().await;
}
