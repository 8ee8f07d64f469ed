//! The service, and the database, killed while clients write: what was acknowledged is there, what was refused is not, and
//! nothing is there in part.

use std::time::Duration;

use folio::mongod::Mongod;
use mongodb::{Client, bson::doc};
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::sleep;

use crate::support::{
    TestDatabase, database, effort, options,
    process::Service,
    writers::{Journal, Load, file},
};

const KILLS: usize = 5;
const CLIENTS: usize = 16;

/// Some time of writing, so that the end comes at any moment of a write.
async fn a_while() {
    sleep(Duration::from_millis(fastrand::u64(100..900))).await;
}

/// Panics if the service said of anything that it is a fault of its own.
fn check_faults(journal: &Journal, service: &Service) {
    let is_fault = |told: &String| told.starts_with("500");
    assert!(!journal.told.keys().any(is_fault), "{:?}\n{}", journal.told, service.faults());
}

#[tokio::test]
async fn a_service_that_is_killed_loses_nothing() {
    let database = database().await;
    let mut service = Service::start(&database, &file());
    let load = Load::start(&service.client, CLIENTS);
    for _ in 0..KILLS * effort() {
        a_while().await;
        service = tokio::task::spawn_blocking(move || {
            service.restart();
            service
        })
        .await
        .unwrap();
    }
    a_while().await;
    let journal = load.end().await;
    println!("{} times killed, {} writes, {:?}", KILLS * effort(), journal.done(), journal.told);
    check_faults(&journal, &service);
    journal.check(&database.db.collection("things")).await;
}

#[tokio::test]
async fn a_database_that_is_killed_loses_nothing() {
    let options = options("killed");
    let mut mongod = Mongod::start(&options).await.unwrap();
    let db = Client::with_uri_str(mongod.uri()).await.unwrap().database("killed");
    db.drop().await.unwrap();
    let database = TestDatabase { uri: mongod.uri().to_owned(), name: "killed".into(), db };
    let service = Service::start(&database, &file());
    let load = Load::start(&service.client, CLIENTS);
    for _ in 0..KILLS * effort() {
        a_while().await;
        let status = database.db.run_command(doc! { "serverStatus": 1 }).await.unwrap();
        let pid = i32::try_from(status.get_i64("pid").unwrap()).unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
        mongod.lost().await;
        let uri = mongod.uri().to_owned();
        mongod = Mongod::start(&options).await.unwrap();
        assert_eq!(mongod.uri(), uri, "it is where it was");
    }
    a_while().await;
    let mut journal = load.end().await;
    let (done, pause) = (journal.done(), journal.pause());
    println!("{} times killed, {done} writes, at most {pause:?} without one, {:?}", KILLS * effort(), journal.told);
    check_faults(&journal, &service);
    journal.check(&database.db.collection("things")).await;
    mongod.stop().await;
}
