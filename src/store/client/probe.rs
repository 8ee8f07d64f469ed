//! Whether the server can do the work: its age, its kind, and a document that it must refuse and explain.

use bson::{Bson, Document, doc, rawdoc};
use mongodb::{Database, error::Error as DriverError};

use super::topology::{NOT_INITIATED, standalone};
use crate::{
    error::{Error, Result},
    store::{
        failure::{self, codes},
        scratch,
    },
};

/// What the server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// What it calls itself: `MongoDB`, `FerretDB`, ….
    pub engine: &'static str,
    /// Its version, `6.0.5`.
    pub version: String,
}

/// The server's answers to `hello` and `buildInfo`.
pub(super) async fn identify(db: &Database) -> Result<(Document, Document), DriverError> {
    let ask = |command| db.run_command(command).into_future();
    futures::try_join!(ask(doc! { "hello": 1 }), ask(doc! { "buildInfo": 1 }))
}

/// Reads those answers; the error says what is missing and what to do.
pub(super) fn judge(hello: &Document, build: &Document) -> Result<Server, String> {
    let server = Server { engine: engine(hello, build), version: build.get_str("version").unwrap_or("?").to_owned() };
    let major = server.version.split('.').next().and_then(|major| major.parse::<u32>().ok());
    if server.engine == "MongoDB" && major.is_some_and(|major| major < 5) {
        return Err(format!(
            "it is MongoDB {}, and 5.0 or later is needed to explain refused documents",
            server.version
        ));
    }
    if hello.get_bool("isreplicaset").unwrap_or(false) {
        return Err(NOT_INITIATED.to_owned());
    }
    let replicated = hello.contains_key("setName") || hello.get_str("msg").is_ok_and(|msg| msg == "isdbgrid");
    if !replicated {
        return Err(standalone(server.engine));
    }
    if !hello.get_bool("isWritablePrimary").unwrap_or(true) {
        return Err("it is not the primary; leave `directConnection` out of the URI, or name the primary".to_owned());
    }
    Ok(server)
}

/// The engines that speak MongoDB's protocol, by the marks they leave in their answers.
fn engine(hello: &Document, build: &Document) -> &'static str {
    let me = hello.get_str("me").or_else(|_| hello.get_str("primary")).unwrap_or_default();
    if build.keys().any(|key| key.to_ascii_lowercase().starts_with("ferretdb")) {
        "FerretDB"
    } else if me.contains(".docdb.") {
        "Amazon DocumentDB"
    } else if me.contains(".cosmos.azure.com") || me.contains(".documents.azure.com") {
        "Azure Cosmos DB"
    } else {
        "MongoDB"
    }
}

/// Has the server refuse and explain a document, and sweeps what earlier probes left behind.
pub(super) async fn show_verdicts(db: &Database, server: &Server) -> Result<()> {
    const RULE: &str = "#/properties/probe";
    let rule = doc! { "bsonType": "string", "description": RULE };
    let validator = doc! { "$jsonSchema": { "properties": { "probe": rule } } };
    let probe = async {
        let (scratch, ()) = futures::try_join!(scratch::create(db, &validator), scratch::sweep(db))?;
        let details = scratch::judge(&scratch, &rawdoc! { "probe": 1 }).await;
        scratch::remove(scratch).await;
        details
    };
    let missing = match probe.await {
        Ok(Some(details)) if explains(&details, RULE) => return Ok(()),
        Ok(Some(_)) => {
            "does not name the rule that a refused document breaks (`description` in `errInfo.details`)".to_owned()
        }
        Ok(None) => "does not explain refused documents (`errInfo.details`)".to_owned(),
        Err(error) if failure::code(&error) == Some(codes::UNAUTHORIZED) => {
            return Err(Error::Startup(format!(
                "the user that `--mongodb` names, if any, may not make collections in the database `{}`: it needs the \
                 roles `readWrite` and `dbAdmin` there",
                db.name()
            )));
        }
        Err(error) => format!("cannot hold documents to a `$jsonSchema` validator: {}", failure::reason(&error)),
    };
    Err(Error::Startup(format!("the database server ({} {}) {missing}", server.engine, server.version)))
}

fn explains(details: &Document, rule: &str) -> bool {
    let rules = details.get_array("schemaRulesNotSatisfied").ok().and_then(|rules| rules.first()?.as_document());
    let properties = rules.and_then(|r| r.get_array("propertiesNotSatisfied").ok()?.first()?.as_document());
    properties.and_then(|p| p.get("description")).and_then(Bson::as_str) == Some(rule)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_replica_sets_and_mongos_from_5_0_and_says_what_others_lack() {
        let member = || doc! { "setName": "rs0", "isWritablePrimary": true };
        let cases = [
            (member(), doc! { "version": "6.0.5" }, Ok("MongoDB")),
            (doc! { "msg": "isdbgrid", "isWritablePrimary": true }, doc! { "version": "7.0.1" }, Ok("MongoDB")),
            (member(), doc! { "version": "4.4.29" }, Err("5.0 or later")),
            (doc! { "isWritablePrimary": true }, doc! { "version": "6.0.5" }, Err("--replSet")),
            (doc! { "isreplicaset": true }, doc! { "version": "6.0.5" }, Err("rs.initiate()")),
            (
                doc! { "setName": "rs0", "isWritablePrimary": false },
                doc! { "version": "6.0.5" },
                Err("not the primary"),
            ),
            (doc! {}, doc! { "version": "7.0.42", "ferretdbVersion": "v1.2" }, Err("FerretDB here is a standalone")),
            (
                doc! { "setName": "rs0", "me": "x.cluster.eu-west-1.docdb.amazonaws.com:27017" },
                doc! { "version": "5.0.0" },
                Ok("Amazon DocumentDB"),
            ),
        ];
        for (hello, build, expected) in cases {
            match (judge(&hello, &build), expected) {
                (Ok(server), Ok(engine)) => assert_eq!(server.engine, engine),
                (Err(why), Err(part)) => assert!(why.contains(part), "{why}"),
                (got, _) => panic!("{hello} {build}: {got:?}"),
            }
        }
    }

    #[test]
    fn wants_the_rule_named() {
        let details =
            |property: Document| doc! { "schemaRulesNotSatisfied": [{ "propertiesNotSatisfied": [property] }] };
        assert!(explains(&details(doc! { "description": "#/a" }), "#/a"));
        assert!(!explains(&details(doc! { "propertyName": "a" }), "#/a"));
        assert!(!explains(&doc! {}, "#/a"));
    }
}
