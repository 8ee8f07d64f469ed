//! What the driver saw of each server while it looked for one that can be used, to say why it found none.

use std::{
    collections::BTreeMap,
    fmt::Write,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bson::Document;
use mongodb::{
    error::{Error as DriverError, ErrorKind},
    event::{EventHandler, sdam::SdamEvent},
    options::ClientOptions,
};

use crate::store::failure;

/// What to do about a member of a replica set that does not exist yet.
pub(super) const NOT_INITIATED: &str =
    "it was started with `--replSet` but is not initiated; run `rs.initiate()` there";

/// The servers that were looked at, and what is wrong with each.
#[derive(Debug, Default)]
pub(super) struct Topology {
    seeds: Vec<String>,
    replica_set: Option<String>,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    /// What is wrong with each server that cannot be used.
    faults: BTreeMap<String, String>,
    /// Why a server did not let us in. Its heartbeats, which need no password, go on as if nothing was wrong.
    locked_out: Option<String>,
}

impl Topology {
    /// Has the client report what it sees.
    pub(super) fn watch(settings: &mut ClientOptions) -> Arc<Self> {
        let seeds = settings.hosts.iter().map(ToString::to_string).collect();
        let replica_set = settings.repl_set_name.clone();
        let topology = Arc::new(Self { seeds, replica_set, seen: Mutex::default() });
        let watcher = Arc::clone(&topology);
        settings.sdam_event_handler = Some(EventHandler::callback(move |event| watcher.note(event)));
        topology
    }

    fn note(&self, event: SdamEvent) {
        match event {
            SdamEvent::ServerHeartbeatSucceeded(heartbeat) => {
                let fault = unusable(&heartbeat.reply, self.replica_set.as_deref());
                self.set(heartbeat.server_address.to_string(), fault);
            }
            SdamEvent::ServerHeartbeatFailed(failed) => {
                self.set(failed.server_address.to_string(), Some(heartbeat_reason(&failed.failure)));
            }
            SdamEvent::ServerDescriptionChanged(change) => {
                if let Some(ErrorKind::Authentication { message, .. }) =
                    change.new_description.error().map(|error| error.kind.as_ref())
                {
                    self.seen().locked_out = Some(locked_out(message));
                }
            }
            _ => {}
        }
    }

    fn set(&self, server: String, fault: Option<String>) {
        let faults = &mut self.seen().faults;
        match fault {
            Some(fault) => drop(faults.insert(server, fault)),
            None => drop(faults.remove(&server)),
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why no server can be used: `why`, if one that was reached said so itself, else what is wrong with each.
    pub(super) fn explain(&self, why: Option<String>) -> String {
        let seeds = self.seeds.iter().map(|s| format!("`{s}`")).collect::<Vec<_>>().join(", ");
        let Seen { faults, locked_out } = &*self.seen();
        if let Some(why) = why.or_else(|| locked_out.clone()) {
            return format!("MongoDB at {seeds} cannot be used: {why}");
        }
        let mut text = format!("no usable MongoDB at {seeds}");
        match faults.iter().next() {
            None => text.push_str(": no answer in time"),
            Some((server, fault)) if self.seeds == [server.as_str()] && faults.len() == 1 => {
                let _ = write!(text, ": {fault}");
            }
            Some(_) => faults.iter().for_each(|(server, fault)| {
                let _ = write!(text, "\n  `{server}`: {fault}");
            }),
        }
        if faults.keys().any(|server| !self.seeds.contains(server)) {
            text.push_str(
                "\n  the replica set names its members like this; make the names known here, or add \
                 `directConnection=true` to the URI to use just the server given",
            );
        }
        text
    }
}

/// Why a server that answers `hello` like this cannot be used; `replica_set` is the one that the URI asks for.
fn unusable(hello: &Document, replica_set: Option<&str>) -> Option<String> {
    let is = |name| hello.get_bool(name).unwrap_or(false);
    let fault = match (hello.get_str("setName").ok(), replica_set) {
        _ if is("isreplicaset") => NOT_INITIATED,
        (None, None) => return None,
        (None, Some(_)) if hello.get_str("msg").is_ok_and(|msg| msg == "isdbgrid") => {
            "it is a `mongos`; leave `replicaSet` out of the URI"
        }
        (None, Some(_)) => return Some(standalone("MongoDB")),
        (Some(name), Some(wanted)) if name != wanted => {
            return Some(format!("its replica set is `{name}`, not `{wanted}`; write `replicaSet={name}` in the URI"));
        }
        _ if is("isWritablePrimary") || is("ismaster") => return None,
        _ if is("secondary") => "it is a secondary and sees no primary",
        _ if is("arbiterOnly") => "it is an arbiter and holds no data",
        _ => "it is starting up or recovering",
    };
    Some(fault.to_owned())
}

/// What to do about a server that stands alone.
pub(super) fn standalone(engine: &str) -> String {
    format!(
        "{engine} here is a standalone server, and transactions need a replica set or `mongos`; start it with \
         `mongod --replSet rs0` and run `rs.initiate()` once (one member is enough)"
    )
}

/// What a server that refuses the user name or the password said.
pub(super) fn locked_out(message: &str) -> String {
    format!(
        "authentication failed ({message}); check user name and password in the URI, and `authSource`, the database \
         that knows the user"
    )
}

fn heartbeat_reason(error: &DriverError) -> String {
    match error.kind.as_ref() {
        ErrorKind::Io(io) => io_reason(io),
        ErrorKind::DnsResolve { message, .. } => format!("the name cannot be resolved ({message})"),
        ErrorKind::InvalidTlsConfig { message, .. } => format!("TLS cannot be set up ({message})"),
        _ => failure::reason(error),
    }
}

/// Why a connection failed, in the words people search for.
pub(super) fn io_reason(error: &io::Error) -> String {
    let text = error.to_string();
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused; is it running, and is the port right?".to_owned(),
        io::ErrorKind::TimedOut => "no answer in time".to_owned(),
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => {
            format!("the connection broke ({text}); does one side use TLS and the other not?")
        }
        _ if text.contains("lookup") || text.contains("resolve") => format!("the name cannot be resolved ({text})"),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::*;

    fn seeing(faults: &[(&str, &str)]) -> Topology {
        let faults = faults.iter().map(|(server, why)| ((*server).to_owned(), (*why).to_owned())).collect();
        let seen = Mutex::new(Seen { faults, locked_out: None });
        Topology { seeds: vec!["localhost:27017".to_owned()], replica_set: None, seen }
    }

    #[test]
    fn names_hosts_and_reasons() {
        assert_eq!(seeing(&[]).explain(None), "no usable MongoDB at `localhost:27017`: no answer in time");
        assert_eq!(
            seeing(&[("localhost:27017", "connection refused")]).explain(None),
            "no usable MongoDB at `localhost:27017`: connection refused"
        );
        assert_eq!(
            seeing(&[("localhost:27017", "x")]).explain(Some("it is too old".to_owned())),
            "MongoDB at `localhost:27017` cannot be used: it is too old"
        );
        let renamed = seeing(&[("mongodb:27017", "the name cannot be resolved")]).explain(None);
        assert!(renamed.contains("`mongodb:27017`: the name") && renamed.contains("directConnection"), "{renamed}");
    }

    #[test]
    fn says_what_keeps_a_server_from_use() {
        let member = |name: &str| doc! { "setName": name, "isWritablePrimary": true };
        let cases = [
            (member("rs0"), Some("rs0"), None),
            (member("rs0"), None, None),
            (doc! { "isWritablePrimary": true }, None, None),
            (doc! { "setName": "rs0", "ismaster": true }, Some("rs0"), None),
            (member("folio"), Some("rs0"), Some("`replicaSet=folio`")),
            (doc! { "isWritablePrimary": true }, Some("rs0"), Some("standalone")),
            (doc! { "isWritablePrimary": true, "msg": "isdbgrid" }, Some("rs0"), Some("`mongos`")),
            (doc! { "isreplicaset": true }, Some("rs0"), Some("rs.initiate()")),
            (doc! { "setName": "rs0", "secondary": true }, Some("rs0"), Some("no primary")),
            (doc! { "setName": "rs0", "arbiterOnly": true }, None, Some("arbiter")),
            (doc! { "setName": "rs0" }, None, Some("recovering")),
        ];
        for (hello, wanted, expected) in cases {
            match (unusable(&hello, wanted), expected) {
                (None, None) => {}
                (Some(why), Some(part)) => assert!(why.contains(part), "{hello}: {why}"),
                (got, _) => panic!("{hello}: {got:?}"),
            }
        }
    }
}
