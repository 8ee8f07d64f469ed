//! Makes a freshly started server the primary of a replica set of its own, whatever its folder held before.

use std::time::Duration;

use bson::{Bson, Document, doc};
use mongodb::Client;
use mongodb::error::Error as DriverError;
use mongodb::options::{ClientOptions, ServerAddress};
use tokio::time::{sleep, timeout};

use super::failure;
use crate::Result;
use crate::store::failure::code;

/// The replica set's name.
pub(super) const NAME: &str = "folio";

/// How long it may take until an election of one. A server whose port changed first looks whether it is still found at
/// its old address, and waits up to 30 s for whoever listens there now.
const DEADLINE: Duration = Duration::from_secs(60);
const INTERVAL: Duration = Duration::from_millis(10);

/// `NotYetInitialized`.
const NOT_YET_INITIALIZED: i32 = 94;

/// Configures the server on `port` as the one member and waits until it takes writes.
pub(super) async fn make_primary(port: u16) -> Result<()> {
    let client = connect(port).map_err(|error| failure(format!("cannot connect to the private mongod: {error}")))?;
    let member = format!("127.0.0.1:{port}");
    let mut obstacle = "it was not elected".to_owned();
    let steps = async {
        loop {
            match step(&client, &member).await {
                Ok(true) => break,
                Ok(false) => {}
                Err(error) => obstacle = error.to_string(),
            }
            sleep(INTERVAL).await;
        }
    };
    let outcome = timeout(DEADLINE, steps).await;
    client.shutdown().immediate(true).await;
    outcome.map_err(|_| {
        failure(format!("the private mongod was not writable within {} s: {obstacle}", DEADLINE.as_secs()))
    })
}

fn connect(port: u16) -> Result<Client, DriverError> {
    let address = ServerAddress::Tcp { host: "127.0.0.1".to_owned(), port: Some(port) };
    let options = ClientOptions::builder().hosts(vec![address]).direct_connection(true).app_name("folio".to_owned());
    Client::with_options(options.server_selection_timeout(Duration::from_secs(5)).build())
}

/// Looks at the server and does what is missing; true once it takes writes.
/// Every step may fail while the server is between two states, and is then simply taken again.
async fn step(client: &Client, member: &str) -> Result<bool, DriverError> {
    let hello = admin(client, doc! { "hello": 1 }).await?;
    if hello.get_bool("isWritablePrimary").is_ok_and(|primary| primary)
        && hello.get_str("me").is_ok_and(|me| me == member)
    {
        return Ok(true);
    }
    match admin(client, doc! { "replSetGetConfig": 1 }).await {
        Ok(answer) => move_member(client, answer, member).await?,
        Err(error) if code(&error) == Some(NOT_YET_INITIALIZED) => initiate(client, member).await?,
        Err(error) => return Err(error),
    }
    Ok(false)
}

/// Makes the set, unless the folder holds one that the server is still loading: initiating would block it then.
async fn initiate(client: &Client, member: &str) -> Result<(), DriverError> {
    let stored = client.database("local").collection::<Document>("system.replset");
    if stored.find_one(doc! {}).await?.is_none() {
        let config = doc! { "_id": NAME, "members": [{ "_id": 0, "host": member }] };
        admin(client, doc! { "replSetInitiate": config }).await?;
    }
    Ok(())
}

/// Gives the one member its new address after the port changed. The set has no primary then, hence `force`.
async fn move_member(client: &Client, answer: Document, member: &str) -> Result<(), DriverError> {
    let config = answer.get_document("config").cloned().unwrap_or_default();
    let members = config.get_array("members").cloned().unwrap_or_default();
    let Some(Bson::Document(mut first)) = members.into_iter().next() else { return Ok(()) };
    if first.get_str("host").is_ok_and(|host| host == member) {
        return Ok(());
    }
    first.insert("host", member);
    let version = config.get_i32("version").unwrap_or_default();
    let mut moved = config;
    moved.insert("members", vec![first]);
    moved.insert("version", version.saturating_add(1));
    admin(client, doc! { "replSetReconfig": moved, "force": true }).await.map(drop)
}

async fn admin(client: &Client, command: Document) -> Result<Document, DriverError> {
    client.database("admin").run_command(command).await
}
