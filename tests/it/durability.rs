//! Clients that hang up while their request is served: what has begun is finished or undone, and nothing is left open.

use std::time::Duration;

use futures::future::join_all;
use mongodb::bson::doc;
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::support::{
    effort,
    nodes::Set,
    process::Service,
    writers::{Journal, Kind, file, tag},
};

const CLIENTS: usize = 200;
const ROUNDS: usize = 5;

/// Sends a request, often but a part of it, and hangs up after some time.
async fn leave(address: &str, text: &str) {
    let mut connection = TcpStream::connect(address).await.unwrap();
    let sent = if fastrand::u8(..8) == 0 { &text[..fastrand::usize(..text.len())] } else { text };
    connection.write_all(sent.as_bytes()).await.unwrap();
    sleep(Duration::from_micros(fastrand::u64(..30_000))).await;
}

/// A write by a client that hangs up, and what it may have come to.
async fn hang_up(service: &Service) -> (Kind, Option<String>, Option<String>) {
    let address = service.client.base.trim_start_matches("http://");
    let (kind, first) = (*fastrand::choice(&Kind::ALL).unwrap(), tag());
    let create = kind.create(&first);
    if fastrand::bool() {
        leave(address, &create.text(address)).await;
        return (kind, None, Some(first));
    }
    let made = service.client.post(&create.path, create.body()).await;
    assert!(made.status < 300, "{made:?}");
    let next = (fastrand::u8(..4) != 0).then(tag);
    let id = made.json()["_id"].as_str().unwrap_or_default().to_owned();
    leave(address, &kind.change((&id, &first, &first), next.as_deref()).text(address)).await;
    (kind, Some(first), next)
}

/// A gauge of the service.
async fn gauge(service: &Service, name: &str) -> i64 {
    let metrics = service.client.get("/metrics").await.text;
    let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).unwrap();
    line.parse().unwrap()
}

/// What is open on either side: transactions on the server, and connections to it that are in use or waited for.
async fn open(set: &Set, service: &Service) -> [i64; 3] {
    let status = set.nodes[0].admin().run_command(doc! { "serverStatus": 1 }).await.unwrap();
    let transactions = status.get_document("transactions").unwrap().get_i64("currentOpen").unwrap();
    let pool = |name| gauge(service, name);
    let (in_use, waiting) = (pool("folio_mongodb_pool_in_use").await, pool("folio_mongodb_pool_waiting").await);
    [transactions, in_use, waiting]
}

/// Sessions that the server knows of.
async fn sessions(set: &Set) -> i64 {
    let status = set.nodes[0].admin().run_command(doc! { "serverStatus": 1 }).await.unwrap();
    let cache = status.get_document("logicalSessionRecordCache").unwrap();
    cache.get_i64("activeSessionsCount").or_else(|_| cache.get_i32("activeSessionsCount").map(i64::from)).unwrap()
}

#[tokio::test]
async fn clients_that_hang_up_leave_nothing_half_done_and_nothing_open() {
    let set = Set::start(1).await;
    let database = set.database("leaving").await;
    let service = Service::start(&database, &file());
    let mut journal = Journal::default();
    let mut memory = 0;
    for round in 0..ROUNDS * effort() {
        for (kind, before, after) in join_all((0..CLIENTS).map(|_| hang_up(&service))).await {
            journal.note(kind, before, after);
        }
        let settle = async {
            while open(&set, &service).await != [0; 3] {
                sleep(Duration::from_millis(20)).await;
            }
        };
        let settled = timeout(Duration::from_secs(10), settle).await;
        assert!(settled.is_ok(), "transactions, connections in use and waited for: {:?}", open(&set, &service).await);
        if round == 0 {
            memory = service.memory();
        }
    }
    journal.check(&database.db.collection("things")).await;
    let (sessions, grown) = (sessions(&set).await, service.memory().saturating_sub(memory) >> 20);
    println!("{} clients hung up; {sessions} sessions, {grown} MiB more", ROUNDS * effort() * CLIENTS);
    // As many as there may be at the same time, and those of the tests themselves.
    assert!(sessions < 2 * i64::try_from(CLIENTS).unwrap(), "{sessions} sessions");
    assert!(grown < 64, "{grown} MiB more than after the first round");
}
