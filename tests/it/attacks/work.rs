//! Row 8: work without bounds. Each request is refused before it costs anything.

use std::{
    io::Write,
    time::{Duration, Instant},
};

use flate2::{Compression, write::GzEncoder};
use reqwest::{Method, header::HeaderMap};
use serde_json::json;

use super::{JSON, escaped, refused, target};
use crate::support::Answer;

/// How long a refusal may take, with its body on the way, on a machine with other things to do.
const SOON: Duration = Duration::from_secs(20);

fn nested(open: &str, close: &str, levels: usize) -> String {
    format!("{}1{}", open.repeat(levels), close.repeat(levels))
}

fn list(item: &str, count: usize) -> String {
    vec![item; count].join(",")
}

#[tokio::test]
async fn row_08_filters_without_bounds() {
    let api = target().await;
    let polygon = list("[0,0]", 1001);
    for filter in [
        format!("{{\"any\":{}}}", nested("{\"a\":", "}", 17)),
        format!("{{\"any\":{}}}", nested("[", "]", 17)),
        format!("{{\"any\":{}}}", nested("[", "]", 100_000)),
        nested("{\"$and\":[", "]}", 20),
        format!("{{\"name\":{}}}", nested("{\"$not\":", "}", 100_000)),
        nested("{\"$nor\":[", "]}", 200_000),
        format!("{{\"$or\":[{}]}}", list("{\"count\":1}", 300)),
        format!("{{\"$and\":[{}]}}", list("{\"$or\":[{\"count\":1},{\"count\":2}]}", 100)),
        format!("{{\"count\":{{\"$in\":[{}]}}}}", list("1", 1001)),
        format!("{{\"count\":{{\"$nin\":[{}]}}}}", list("1", 1001)),
        format!("{{\"tags\":{{\"$all\":[{}]}}}}", list("\"x\"", 1001)),
        format!("{{\"any\":{{\"$eq\":[{}]}}}}", list("1", 300_000)),
        format!("{{\"$text\":{{\"$search\":\"{}\"}}}}", "word ".repeat(1001)),
        format!("{{\"spot\":{{\"$geoWithin\":{{\"$polygon\":[{polygon}]}}}}}}"),
        format!(
            "{{\"spot\":{{\"$geoIntersects\":{{\"$geometry\":{{\"type\":\"LineString\",\"coordinates\":[{polygon}]}}}}}}}}"
        ),
    ] {
        let started = Instant::now();
        refused(&api.post("/v1/things/_query", format!("{{\"filter\":{filter}}}")).await, &[400], &filter);
        if filter.len() < 10_000 {
            refused(&api.get(&format!("/v1/things?filter={}", escaped(&filter))).await, &[400], &filter);
        }
        assert!(started.elapsed() < SOON, "{filter:.100}: {:?}", started.elapsed());
    }
}

#[tokio::test]
async fn row_08_parameters_without_bounds() {
    let api = target().await;
    let names: Vec<_> = (0..2000).map(|n| format!("a{n}")).collect();
    for query in [
        "limit=1001".to_owned(),
        "limit=0".to_owned(),
        "limit=-1".to_owned(),
        "limit=99999999999999999999".to_owned(),
        "skip=10001".to_owned(),
        "skip=-1".to_owned(),
        "skip=99999999999999999999".to_owned(),
        format!("count[in]={}", list("1", 1001)),
        vec!["count[in]=1"; 1001].join("&"),
        vec!["count=1"; 257].join("&"),
        format!("sort={}", names[..40].join(",")),
        format!("fields={}", names[..1001].join(",")),
        format!("after={}", "A".repeat(10_000)),
        format!("name={}", "x".repeat(17 << 10)),
        format!("{}=1", "x.".repeat(8000)),
        format!("sort={}", "any.".repeat(4000)),
    ] {
        let started = Instant::now();
        refused(&api.get(&format!("/v1/things?{query}")).await, &[400], &query);
        refused(&api.get(&format!("/v1/free?{query}")).await, &[400], &query);
        assert!(started.elapsed() < SOON, "{query:.100}: {:?}", started.elapsed());
    }
    for member in [
        json!({ "limit": 1001 }),
        json!({ "limit": 1e300 }),
        json!({ "skip": 10_001 }),
        json!({ "sort": names[..40] }),
        json!({ "fields": names[..1001] }),
    ] {
        refused(&api.post("/v1/free/_query", &member).await, &[400], &member.to_string());
    }
}

#[tokio::test]
async fn row_08_bodies_without_bounds() {
    let api = target().await;
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    bomb.write_all(&vec![b' '; 32 << 20]).unwrap();
    let bomb = bomb.finish().unwrap();
    let bodies = [
        (format!("{{\"any\":{}}}", nested("[", "]", 65)), 400),
        (format!("{{\"any\":{}}}", nested("{\"a\":", "}", 65)), 400),
        (format!("{{\"any\":{}}}", nested("[", "]", 1_000_000)), 400),
        (nested("{\"any\":", "}", 1_000_000), 400),
        (format!("{{\"any\":{}", "{\"$code\":\"\",\"$scope\":".repeat(200_000)), 400),
        (format!("{{\"any\":\"{}\"}}", "x".repeat(17 << 20)), 413),
        (format!("{{\"any\":[{}1]}}", "1,".repeat(5 << 20)), 413),
        (format!("{{\"count\":1{}}}", "0".repeat(1 << 20)), 400),
    ];
    for (body, status) in bodies {
        let one = "/v1/things/6650f0000000000000000001";
        for (method, path) in [(Method::POST, "/v1/things"), (Method::PUT, one), (Method::PATCH, one)] {
            let started = Instant::now();
            let answer = api.send(method.clone(), path, &[JSON], body.clone()).await;
            // Numbers beyond all types are a matter for the validator where they can be stored at all.
            refused(&answer, &[status, 404, 422], &body);
            assert!(answer.status == status || method != Method::POST, "{body:.60}: {:.300}", answer.text);
            assert!(started.elapsed() < SOON, "{method} {body:.60}: {:?}", started.elapsed());
        }
    }
    let headers = [JSON, ("content-encoding", "gzip")];
    refused(&api.send(Method::POST, "/v1/things", &headers, bomb).await, &[400, 415], "a bomb");
    assert_eq!(api.count("things").await, 0);
}

#[tokio::test]
async fn row_08_heads_without_bounds() {
    let api = target().await;
    let send = async |headers: HeaderMap, path: String| {
        let sent = api.http.get(format!("{}{path}", api.base)).headers(headers).send().await;
        // The connection may be closed before all is sent.
        match sent {
            Ok(response) => Answer::read(response).await.status,
            Err(_) => 431,
        }
    };
    let mut many = HeaderMap::new();
    for n in 0..500 {
        many.append("x-many", format!("{n}").parse().unwrap());
    }
    assert_eq!(send(many, "/v1".into()).await, 431);
    let mut long = HeaderMap::new();
    long.insert("x-long", "x".repeat(1 << 20).parse().unwrap());
    assert_eq!(send(long, "/v1".into()).await, 431);
    let status = send(HeaderMap::new(), format!("/v1/things/{}", "x".repeat(17 << 10))).await;
    assert_eq!(status, 400);
    let status = send(HeaderMap::new(), format!("/v1/things?name={}", "x".repeat(60_000))).await;
    assert!([400, 414].contains(&status), "{status}");
    // After all that it serves on.
    api.get("/v1/things").await.ok(200);
}
