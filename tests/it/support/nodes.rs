//! Servers of a test's own, with the server's test commands: one node, or several that are one replica set. They are
//! kept by the binary under test, and so end with the test, however that ends.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::Child,
    time::Duration,
};

use mongodb::{
    Client, Database,
    bson::{Document, doc},
    options::{ClientOptions, ServerAddress},
};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use super::{TestDatabase, database};
use crate::mongod::{fake, supervise};

/// The replica set's name, which the keeper gives to every server.
const SET: &str = "folio";

/// A server that can be killed and started again.
pub(crate) struct Node {
    pub(crate) port: u16,
    data: TempDir,
    keeper: Child,
}

impl Node {
    async fn start() -> Self {
        let program = program().await;
        let data = tempfile::tempdir().unwrap();
        let script = format!("exec '{program}' \"$@\" --setParameter enableTestCommands=1");
        fake(data.path(), &script);
        let (keeper, port) = keep(data.path());
        Self { port, data, keeper }
    }

    /// Ends the server with this signal.
    pub(crate) fn end(&mut self, signal: Signal) {
        let lock = fs::read_to_string(self.data.path().join("mongod.lock")).unwrap();
        kill_process(Pid::from_raw(lock.trim().parse().unwrap()).unwrap(), signal).unwrap();
        self.keeper.wait().unwrap();
    }

    /// Starts the ended server again, on what it had stored and where it was.
    pub(crate) async fn revive(&mut self) {
        let data = self.data.path().to_owned();
        let port;
        (self.keeper, port) = tokio::task::spawn_blocking(move || keep(&data)).await.unwrap();
        assert_eq!(port, self.port, "the server is where it was");
    }

    /// The server itself, whatever it is in its set.
    pub(crate) fn admin(&self) -> Database {
        let address = ServerAddress::Tcp { host: "127.0.0.1".into(), port: Some(self.port) };
        let options = ClientOptions::builder().hosts(vec![address]).direct_connection(true).build();
        Client::with_options(options).unwrap().database("admin")
    }
}

/// A keeper of the server in this folder, and the server's port.
fn keep(data: &Path) -> (Child, u16) {
    let mut keeper = supervise(&data.join("fake-mongod"), data);
    let reports = BufReader::new(keeper.stdout.take().unwrap()).lines().map_while(Result::ok);
    let report = reports.into_iter().find(|report| !report.starts_with("note ")).unwrap_or_default();
    let port = report.strip_prefix("ready ").unwrap_or_else(|| panic!("no server: {report}"));
    (keeper, port.parse().unwrap())
}

/// The server's program: that of the server that all tests share.
async fn program() -> String {
    let options = database().await.db.client().database("admin").run_command(doc! { "getCmdLineOpts": 1 }).await;
    options.unwrap().get_array("argv").unwrap()[0].as_str().unwrap().to_owned()
}

/// Nodes that are one replica set.
pub(crate) struct Set {
    pub(crate) nodes: Vec<Node>,
}

impl Set {
    /// A set of that many nodes, once it has a primary and the others follow it.
    pub(crate) async fn start(count: usize) -> Self {
        let nodes = futures::future::join_all((0..count).map(|_| Node::start())).await;
        let member = |(id, node): (i32, &Node)| doc! { "_id": id, "host": format!("127.0.0.1:{}", node.port) };
        let members: Vec<_> = (0..).zip(&nodes).map(member).collect();
        let settings = doc! { "electionTimeoutMillis": 2000, "heartbeatIntervalMillis": 500 };
        let config = doc! { "_id": SET, "members": members, "settings": settings };
        nodes[0].admin().run_command(doc! { "replSetInitiate": config }).await.unwrap();
        let set = Self { nodes };
        set.settled().await;
        set
    }

    /// Waits until one is the primary and all others follow it.
    pub(crate) async fn settled(&self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let states = self.states().await;
            let count = |state: &str| states.iter().filter(|s| **s == state).count();
            if count("PRIMARY") == 1 && count("SECONDARY") == self.nodes.len() - 1 {
                return;
            }
            assert!(Instant::now() < deadline, "the set does not settle: {states:?}");
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// What each node says that it is.
    async fn states(&self) -> Vec<&'static str> {
        let state = async |node: &Node| match node.admin().run_command(doc! { "hello": 1 }).await {
            Ok(hello) if hello.get_bool("isWritablePrimary").unwrap_or_default() => "PRIMARY",
            Ok(hello) if hello.get_bool("secondary").unwrap_or_default() => "SECONDARY",
            _ => "neither",
        };
        futures::future::join_all(self.nodes.iter().map(state)).await
    }

    /// Which node is the primary.
    pub(crate) async fn primary(&self) -> usize {
        self.states().await.iter().position(|state| *state == "PRIMARY").expect("there is a primary")
    }

    pub(crate) fn uri(&self) -> String {
        let hosts: Vec<_> = self.nodes.iter().map(|node| format!("127.0.0.1:{}", node.port)).collect();
        format!("mongodb://{}/?replicaSet={SET}", hosts.join(","))
    }

    /// A database of the set.
    pub(crate) async fn database(&self, name: &str) -> TestDatabase {
        let db = Client::with_uri_str(self.uri()).await.unwrap().database(name);
        TestDatabase { uri: self.uri(), name: name.to_owned(), db }
    }

    /// Stops the nodes other than the primary from following it, or lets them again.
    pub(crate) async fn hold_followers(&self, held: bool) {
        let (primary, mode) = (self.primary().await, if held { "alwaysOn" } else { "off" });
        for (_, node) in self.nodes.iter().enumerate().filter(|(n, _)| *n != primary) {
            let command = doc! { "configureFailPoint": "stopReplProducer", "mode": mode };
            node.admin().run_command(command).await.unwrap();
        }
    }

    /// Makes the first node fail as `what` says whenever the service asks for one of the commands: always, or the next
    /// `times`.
    ///
    /// See [the fail point](https://github.com/mongodb/mongo/wiki/The-failCommand-Fail-Point).
    pub(crate) async fn fail(&self, commands: &[&str], times: Option<i32>, what: &Document) {
        let mut data = doc! { "failCommands": commands, "appName": "folio" };
        data.extend(what.clone());
        let mode = times.map_or("alwaysOn".into(), |times| doc! { "times": times }.into());
        self.fail_point("failCommand", mode, data).await;
    }

    pub(crate) async fn fail_point(&self, name: &str, mode: mongodb::bson::Bson, data: Document) {
        let command = doc! { "configureFailPoint": name, "mode": mode, "data": data };
        self.nodes[0].admin().run_command(command).await.unwrap();
    }

    /// No commands fail any more.
    pub(crate) async fn heal(&self) {
        let command = doc! { "configureFailPoint": "failCommand", "mode": "off" };
        self.nodes[0].admin().run_command(command).await.unwrap();
    }
}
