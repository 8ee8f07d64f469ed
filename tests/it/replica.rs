//! Three nodes, of which the primary goes away while clients write, or the others do not follow it.

use std::time::Duration;

use mongodb::bson::doc;
use rustix::process::Signal;
use serde_json::json;
use tokio::time::sleep;

use crate::support::{
    Api, catalog, effort,
    nodes::Set,
    process::Service,
    writers::{Load, file},
};

const CLIENTS: usize = 16;

/// How a primary goes away.
#[derive(Debug, Clone, Copy)]
enum Loss {
    StepsDown,
    ShutsDown,
    IsKilled,
}

impl Loss {
    /// Makes the primary go away, and come back once there is another one.
    async fn happen(self, set: &mut Set) {
        let primary = set.primary().await;
        let node = &mut set.nodes[primary];
        match self {
            Self::StepsDown => drop(node.admin().run_command(doc! { "replSetStepDown": 5 }).await),
            Self::ShutsDown => node.end(Signal::TERM),
            Self::IsKilled => node.end(Signal::KILL),
        }
        sleep(Duration::from_secs(5)).await;
        if !matches!(self, Self::StepsDown) {
            set.nodes[primary].revive().await;
        }
        set.settled().await;
    }
}

#[tokio::test]
async fn a_primary_that_goes_away_costs_a_pause_and_nothing_else() {
    let mut set = Set::start(3).await;
    let database = set.database("replica").await;
    let service = Service::start(&database, &file());
    for loss in [Loss::StepsDown, Loss::ShutsDown, Loss::IsKilled].repeat(effort()) {
        let load = Load::start(&service.client, CLIENTS);
        sleep(Duration::from_millis(fastrand::u64(500..1500))).await;
        loss.happen(&mut set).await;
        sleep(Duration::from_millis(500)).await;
        let mut journal = load.end().await;
        let pause = journal.pause();
        println!("the primary {loss:?}: {} writes, at most {pause:?} without one, {:?}", journal.done(), journal.told);
        assert!(pause < Duration::from_secs(10), "nothing was written for {pause:?}");
        let is_allowed = |told: &String| told.starts_with('2') || told.starts_with("503 ");
        assert!(journal.told.keys().all(is_allowed), "{:?}", journal.told);
        let stored = database.db.collection("things");
        journal.check(&stored).await;
        stored.delete_many(doc! {}).await.unwrap();
    }
}

#[tokio::test]
async fn a_write_that_no_majority_has_is_not_confirmed() {
    let set = Set::start(3).await;
    let mut database = set.database("alone").await;
    database.uri.push_str("&wtimeoutMS=300");
    let settings = database.settings();
    let api = Api::start_with(catalog(&[("things", json!({ "type": "object" }))]), database, settings).await;
    let made = api.post("/v1/things", json!({ "n": 1 })).await.ok(201);
    let path = format!("/v1/things/{}", made["_id"].as_str().unwrap());

    set.hold_followers(true).await;
    let answer = api.post("/v1/things", json!({ "n": 2 })).await;
    answer.problem(503, "unconfirmed");
    assert!(!answer.headers.contains_key("retry-after"), "it may be there: {answer:?}");
    let headers = [("content-type", "application/merge-patch+json"), ("request-timeout", "2"), ("if-match", "*")];
    let answer = api.send(reqwest::Method::PATCH, &path, &headers, r#"{"n":3}"#).await;
    answer.problem(504, "deadline-exceeded");
    set.hold_followers(false).await;

    assert_eq!(api.put(&path, json!({ "n": 4 })).await.ok(200)["n"], 4);
    assert_eq!(api.count("things").await, 2, "what was not confirmed is there all the same");
}
