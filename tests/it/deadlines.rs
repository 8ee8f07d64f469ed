//! `Request-Timeout`, and what happens on the server when time is up or the client has gone.

use std::time::Duration;

use folio::config::Limits;
use mongodb::{
    ClientSession,
    bson::{Document, doc},
};
use reqwest::Method;
use serde_json::json;
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    time::{Instant, sleep, timeout},
};

use crate::support::{Answer, Api, catalog};

/// A list that no index serves: the regular expression tries many ways on each string, for longer than any test waits.
const SLOW: &str = "/v1/things?filter=%7B%22s%22:%7B%22$regex%22:%22(a|aa)*a*[bc]%22%7D%7D";
/// How much later than its deadline an answer may come, on a machine with other things to do.
const LATE: Duration = Duration::from_millis(400);

async fn with(limits: Limits) -> Api {
    let things = json!({
        "type": "object",
        "properties": { "s": { "type": "array", "items": { "type": "string" } }, "k": { "bsonType": "int" } },
        "x-indexes": [{ "keys": { "k": 1 }, "unique": true, "sparse": true }]
    });
    Api::with_limits(catalog(&[("things", things)]), limits).await
}

async fn slow() -> Api {
    let api = with(Limits::default()).await;
    fill(&api).await;
    api
}

async fn fill(api: &Api) {
    let text = vec!["a".repeat(60); 4];
    let things = (0..20_000).map(|_| doc! { "s": &text });
    api.collection("things").insert_many(things).await.unwrap();
}

/// The operations on the test's collection that run on the server now, without those of `currentOp` itself.
async fn operations(api: &Api) -> Vec<Document> {
    let name = format!("{}.things", api.database.name);
    let admin = api.database.db.client().database("admin");
    let found = admin.run_command(doc! { "currentOp": 1, "ns": name, "active": true }).await.unwrap();
    found.get_array("inprog").unwrap().iter().map(|op| op.as_document().unwrap().clone()).collect()
}

/// Waits until as many operations run as `wanted` says, and tells how long that took.
async fn until(api: &Api, wanted: impl Fn(usize) -> bool) -> Duration {
    let started = Instant::now();
    let come = async {
        while !wanted(operations(api).await.len()) {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(10), come).await.expect("the operations come and go");
    started.elapsed()
}

async fn timed(api: &Api, (method, path, body): (Method, &str, &str), seconds: &str) -> (Answer, Duration) {
    let started = Instant::now();
    let headers = [("request-timeout", seconds), ("content-type", "application/json")];
    (api.send(method, path, &headers, body.to_owned()).await, started.elapsed())
}

#[tokio::test]
async fn a_list_ends_at_its_deadline_on_both_sides() {
    let api = slow().await;
    for (seconds, millis) in [("0.3", 300), ("1", 1000), ("0.0001", 1)] {
        let (answer, took) = timed(&api, (Method::GET, SLOW, ""), seconds).await;
        answer.problem(504, "deadline-exceeded");
        let deadline = Duration::from_millis(millis);
        assert!(took >= deadline && took < deadline + LATE, "{seconds} s came to {took:?}");
        assert!(until(&api, |running| running == 0).await < LATE);
    }
    assert_eq!(timed(&api, (Method::GET, "/v1/things?limit=1", ""), "5").await.0.status, 200);
}

#[tokio::test]
async fn no_request_gets_more_than_the_service_gives() {
    let api = with(Limits { deadline: Duration::from_millis(300), ..Limits::default() }).await;
    fill(&api).await;
    for seconds in ["60", "99999999999999999999999"] {
        let (answer, took) = timed(&api, (Method::GET, SLOW, ""), seconds).await;
        answer.problem(504, "deadline-exceeded");
        assert!(took < Duration::from_millis(300) + LATE, "{took:?}");
    }
}

#[tokio::test]
async fn a_service_may_give_any_time() {
    for deadline in [Duration::MAX, Duration::from_secs(1 << 40), Duration::from_nanos(1)] {
        let api = with(Limits { deadline, ..Limits::default() }).await;
        let path = "/v1/things/6650f0000000000000000001";
        for request in [
            (Method::POST, "/v1/things", r#"{"_id":"6650f0000000000000000001"}"#),
            (Method::PUT, path, r#"{"k":1}"#),
            (Method::GET, path, ""),
            (Method::GET, "/v1/things", ""),
            (Method::GET, "/v1/things/_explain", ""),
            (Method::GET, "/v1/things/_indexes", ""),
            (Method::GET, "/v1", ""),
        ] {
            let answer = api.send(request.0, request.1, &[("content-type", "application/json")], request.2).await;
            let in_time = (200..=201).contains(&answer.status);
            // Nothing is done in a millisecond for certain.
            assert!(in_time || (deadline < LATE && answer.status == 504), "{deadline:?}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn what_is_no_time_is_refused() {
    let api = with(Limits::default()).await;
    for seconds in ["", "0", "0.0", "-1", "1s", "1e3", "inf", "NaN", "1,5"] {
        for request in [(Method::GET, "/v1/things", ""), (Method::GET, "/v1", ""), (Method::POST, "/v1/things", "{}")] {
            let (answer, _) = timed(&api, request, seconds).await;
            let problem = answer.problem(400, "invalid-query");
            assert_eq!(problem["parameter"], "Request-Timeout", "{seconds}: {problem}");
        }
    }
    assert_eq!(api.count("things").await, 0);
}

/// A transaction of another client that holds the values `k`.
async fn holding(api: &Api, k: i32) -> ClientSession {
    let mut session = api.database.db.client().start_session().await.unwrap();
    session.start_transaction().await.unwrap();
    api.collection("things").insert_one(doc! { "k": k }).session(&mut session).await.unwrap();
    session
}

#[tokio::test]
async fn a_write_that_waits_ends_at_its_deadline_on_both_sides() {
    let api = with(Limits::default()).await;
    api.post("/v1/things", json!({ "_id": "6650f0000000000000000001" })).await.ok(201);
    let mut other = holding(&api, 1).await;
    let (answer, took) = timed(&api, (Method::POST, "/v1/things", r#"{"k":1}"#), "0.5").await;
    answer.problem(504, "deadline-exceeded");
    assert!(took >= Duration::from_millis(500) && took < Duration::from_millis(500) + LATE, "{took:?}");
    assert!(until(&api, |running| running == 0).await < LATE);
    // In a transaction the server does not wait but says so, and the service tries again.
    let path = "/v1/things/6650f0000000000000000001";
    for (method, body) in [(Method::PUT, r#"{"k":1}"#), (Method::PATCH, r#"{"k":1}"#)] {
        let (answer, took) = timed(&api, (method, path, body), "0.5").await;
        // The last try may have been slower than those before it.
        match answer.status {
            504 => answer.problem(504, "deadline-exceeded"),
            _ => answer.problem(409, "conflict"),
        };
        assert!(took < Duration::from_millis(500) + LATE, "{took:?}");
    }
    other.abort_transaction().await.unwrap();
    sleep(Duration::from_millis(100)).await;
    assert_eq!(api.count("things").await, 1, "what was answered with 504 is not done later");
    api.post("/v1/things", json!({ "k": 1 })).await.ok(201);
}

/// Sends the request on a connection of its own: its first line, and what comes after the host.
async fn begin(api: &Api, line: &str, rest: &str) -> TcpStream {
    let address = api.base.strip_prefix("http://").unwrap();
    let mut connection = TcpStream::connect(address).await.unwrap();
    let request = format!("{line} HTTP/1.1\r\nhost: {address}\r\n{rest}");
    connection.write_all(request.as_bytes()).await.unwrap();
    connection
}

/// Whether the operation is the query itself, not one of the short ones before it, and has a time limit.
fn is_slow(operation: &Document) -> bool {
    let runs = operation.get_i64("microsecs_running").unwrap_or_default() > 20_000;
    runs && operation.get("command").is_some_and(|command| command.to_string().contains("maxTimeMS"))
}

#[tokio::test]
async fn a_client_that_goes_away_takes_its_query_along() {
    let api = slow().await;
    let filter = r#"{"filter":{"s":{"$regex":"(a|aa)*a*[bc]"}}}"#;
    let body = format!("content-type: application/json\r\ncontent-length: {}\r\n\r\n{filter}", filter.len());
    for (line, rest) in [
        (format!("GET {SLOW}"), "\r\n"),
        (format!("GET {}", SLOW.replace('?', "/_explain?")), "\r\n"),
        ("POST /v1/things/_query".to_owned(), &body),
        // A body that nobody reads.
        (format!("GET {SLOW}"), "content-length: 2\r\n\r\n{}"),
    ] {
        let connection = begin(&api, &line, rest).await;
        let bounded = async {
            while !operations(&api).await.iter().any(is_slow) {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(Duration::from_secs(10), bounded).await.expect("the query runs, and with a bound");
        drop(connection);
        let took = until(&api, |running| running == 0).await;
        assert!(took < Duration::from_secs(3), "{line} {rest}: {took:?}");
    }
}

/// The gauges of the pool: connections in use, and operations that wait for one.
async fn pool(api: &Api) -> Vec<String> {
    let text = api.get("/metrics").await.text;
    let gauges = ["folio_mongodb_pool_in_use ", "folio_mongodb_pool_waiting "];
    text.lines().filter(|line| gauges.iter().any(|gauge| line.starts_with(gauge))).map(str::to_owned).collect()
}

#[tokio::test]
async fn clients_that_go_away_leave_the_pool_as_it_was() {
    let api = slow().await;
    assert_eq!(api.get("/v1/things?limit=1").await.status, 200);
    let before = pool(&api).await;
    assert_eq!(before.len(), 2, "{before:?}");
    for _ in 0..10 {
        let mut connections = Vec::new();
        for _ in 0..10 {
            connections.push(begin(&api, &format!("GET {SLOW}"), "\r\n").await);
        }
        until(&api, |running| running == 10).await;
        drop(connections);
    }
    until(&api, |running| running == 0).await;
    assert_eq!(api.get("/v1/things?limit=1").await.status, 200);
    let settled = async {
        while pool(&api).await != before {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(5), settled).await.expect("no connection stays in use");
}
