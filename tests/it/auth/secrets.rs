//! Secrets stay secret: in what the program prints and logs, right or wrong, and in `Debug`.

use std::{
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::JoinHandle,
};

use folio::{App, auth::Credential, config::Secret};
use mongodb::bson::doc;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use super::things;
use crate::support::{AUDIENCE, Client, ISSUER, TestDatabase, claims, database, sign};

const PASSWORD: &str = "hunter2-of-the-database";
const SECRET: &str = "hunter2-of-entity-tags-and-cursors";
const JWT: &str = "hunter2-that-tokens-are-signed-with, long enough";

/// What nobody may read anywhere.
const SECRETS: [&str; 1] = ["hunter2"];

/// A connection string with a password that is right: servers check those that are sent, also where none is needed.
async fn uri(database: &TestDatabase) -> String {
    let create = doc! { "createUser": &database.name, "pwd": PASSWORD, "roles": [{ "role": "readWrite", "db": &database.name }, "clusterMonitor"] };
    database.db.client().database("admin").run_command(create).await.unwrap();
    database.uri.replacen("mongodb://", &format!("mongodb://{}:{PASSWORD}@", database.name), 1) + "&authSource=admin"
}

/// The program with a log of everything.
fn folio(args: &[&str], variables: &[(&str, &str)]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_folio"));
    command.args(args).env("FOLIO_LOG", "trace").envs(variables.iter().copied());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// All that the program prints until it ends.
fn printed(args: &[&str], variables: &[(&str, &str)]) -> String {
    let output = folio(args, variables).wait_with_output().unwrap();
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

fn assert_discreet(text: &str, secrets: &[&str]) {
    for secret in SECRETS.iter().chain(secrets) {
        let shown = text.lines().find(|line| line.contains(secret));
        assert!(shown.is_none(), "`{secret}` is in: {shown:?}");
    }
}

/// A file with this text.
fn file(text: &str) -> (tempfile::NamedTempFile, String) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    let path = file.path().to_str().unwrap().to_owned();
    (file, path)
}

/// A running `folio serve` and its log.
pub(super) struct Served {
    child: Child,
    base: String,
    log: JoinHandle<String>,
}

impl Served {
    pub(super) fn on(schemas: &Path, variables: &[(&str, &str)]) -> Self {
        let schemas = schemas.to_str().unwrap();
        let mut child = folio(&["serve", "--listen", "127.0.0.1:0", "--schemas", schemas], variables);
        let mut errors = child.stderr.take().unwrap();
        let log = std::thread::spawn(move || {
            let mut log = String::new();
            errors.read_to_string(&mut log).unwrap();
            log
        });
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let base = line.trim().strip_prefix("serving ").and_then(|url| url.strip_suffix("/v1"));
        let Some(base) = base.map(str::to_owned) else { panic!("not serving: {}", log.join().unwrap()) };
        Self { child, base, log }
    }

    /// Ends it and gives its log.
    pub(super) fn stop(mut self) -> String {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        assert!(self.child.wait().unwrap().success());
        self.log.join().unwrap()
    }
}

#[tokio::test]
async fn a_service_that_runs_shows_none_of_its_secrets_nor_of_its_callers() {
    let database = database().await;
    let (uri, key) = (uri(&database).await, database.key(&["admin"]).await);
    let (wrong_key, forged) =
        (format!("{key}x"), sign(&json!({ "alg": "HS256" }), &claims(&["admin"], "ann"), b"other"));
    let token = sign(&json!({ "alg": "HS256" }), &claims(&["admin"], "ann"), JWT.as_bytes());
    let files = [file(&format!("{uri}\n")), file(SECRET), file(&format!("{JWT}\r\n"))];
    let by_value = [("FOLIO_MONGODB", uri.as_str()), ("FOLIO_SECRET", SECRET), ("FOLIO_JWT_SECRET", JWT)];
    let by_file = [
        ("FOLIO_MONGODB_FILE", files[0].1.as_str()),
        ("FOLIO_SECRET_FILE", &files[1].1),
        ("FOLIO_JWT_SECRET_FILE", &files[2].1),
    ];
    for variables in [by_value, by_file] {
        let more = [("FOLIO_JWT_ISSUER", ISSUER), ("FOLIO_JWT_AUDIENCE", AUDIENCE), ("FOLIO_DATABASE", &database.name)];
        let served = Served::on(Path::new("schemas"), &[variables, more].concat());
        let status = async |credential: &str| Client::at(&served.base).with(credential).get("/v1/books").await;
        let mut answers = Vec::new();
        for (credential, expected) in [(&key, 200), (&token, 200), (&wrong_key, 401), (&forged, 401)] {
            let answer = status(credential).await;
            assert_eq!(answer.status, expected, "{}", answer.text);
            answers.push(format!("{answer:?}"));
        }
        let log = served.stop();
        assert!(log.matches("folio::access").count() == 4, "all requests are logged: {log}");
        let secret = |text: &str| text[text.len() - 20..].to_owned();
        let sent: Vec<_> = [&key, &token, &wrong_key, &forged].map(|text| secret(text)).to_vec();
        let sent: Vec<_> = sent.iter().map(String::as_str).collect();
        assert_discreet(&log, &sent);
        assert_discreet(&answers.join("\n"), &sent);
    }
}

#[tokio::test]
async fn wrong_secrets_are_not_repeated_to_those_who_set_them() {
    let database = database().await;
    let (short, missing) = (file("hunter2"), PathBuf::from("no/such/file"));
    let rest = database.uri.strip_prefix("mongodb://").unwrap();
    let right = [
        ("FOLIO_MONGODB", database.uri.as_str()),
        ("FOLIO_DATABASE", &database.name),
        ("FOLIO_SELECTION_TIMEOUT", "0.5"),
    ];
    let password = format!("mongodb://ann:hunter2@{rest}&authSource=admin");
    let odd = format!("mongodb://ann:hunter2@{rest}&authMechanism=PLAIN&authMechanismProperties=hunter2:x");
    for (name, value, why) in [
        ("FOLIO_MONGODB", password.as_str(), "authenticat"),
        ("FOLIO_MONGODB", odd.as_str(), ""),
        ("FOLIO_MONGODB", "mongodb://ann:hunter2@127.0.0.1:1/?replicaSet=rs0", "127.0.0.1:1"),
        ("FOLIO_MONGODB", "mongodb://ann:hunter2@no-such-host.invalid/", "no-such-host.invalid"),
        ("FOLIO_MONGODB", "mongodb+srv://ann:hunter2@no-such-host.invalid/", ""),
        ("FOLIO_MONGODB", "mongodb://ann:hunter2/x@127.0.0.1/", "connection string"),
        ("FOLIO_MONGODB", "mongodb://ann:%hunter2@127.0.0.1/", "connection string"),
        ("FOLIO_MONGODB", "hunter2", "connection string"),
        ("FOLIO_MONGODB_FILE", &short.1, "connection string"),
        ("FOLIO_SECRET", "hunter2", "shorter than 16"),
        ("FOLIO_SECRET_FILE", &short.1, "shorter than 16"),
        ("FOLIO_SECRET_FILE", missing.to_str().unwrap(), "no/such/file"),
        ("FOLIO_JWT_SECRET", "hunter2", "shorter than 32"),
        ("FOLIO_JWT_SECRET_FILE", &short.1, "shorter than 32"),
        ("FOLIO_JWT_SECRET", JWT, "--jwt-issuer"),
        ("FOLIO_JWT_KEYS", &short.1, "public key"),
    ] {
        let others = right.into_iter().filter(|(other, _)| !name.starts_with(other));
        let issuer = [("FOLIO_JWT_ISSUER", ISSUER), ("FOLIO_JWT_AUDIENCE", AUDIENCE)];
        let issuer = issuer.into_iter().filter(|_| name == "FOLIO_JWT_KEYS");
        let variables: Vec<_> = others.chain(issuer).chain([(name, value)]).collect();
        let printed = printed(&["serve", "--listen", "127.0.0.1:0"], &variables);
        assert!(printed.contains(why), "{name}={value} does not say `{why}`: {printed}");
        assert_discreet(&printed, &[]);
    }
}

#[test]
fn both_forms_of_a_secret_contradict_each_other() {
    let secrets = [("--mongodb", "mongodb://ann:hunter2@h/"), ("--secret", SECRET), ("--jwt-secret", JWT)];
    for (flag, value) in secrets {
        let file = format!("{flag}-file");
        let printed = printed(&["serve", flag, value, &file, "x"], &[]);
        assert!(printed.contains("cannot be used with") && printed.contains(&file), "{printed}");
        assert_discreet(&printed, &[]);
    }
    let printed = printed(&["serve", "--jwt-secret", JWT, "--jwt-keys", "x"], &[]);
    assert!(printed.contains("cannot be used with"), "{printed}");
    assert_discreet(&printed, &[]);
}

#[test]
fn help_shows_no_secret() {
    let variables =
        [("FOLIO_MONGODB", "mongodb://ann:hunter2@h/"), ("FOLIO_SECRET", SECRET), ("FOLIO_JWT_SECRET", JWT)];
    let commands: [&[&str]; 5] = [&["serve"], &["plan"], &["keys", "add"], &["keys", "list"], &["keys", "revoke"]];
    for command in commands {
        for help in ["--help", "-h"] {
            let printed = printed(&[command, &[help]].concat(), &variables);
            assert!(printed.contains("--mongodb-file"), "{printed}");
            assert_discreet(&printed, &[]);
        }
    }
}

#[tokio::test]
async fn nothing_shows_them_for_debugging() {
    let database = database().await;
    let key = database.key(&["admin"]).await;
    let mut settings = database.closed();
    settings.database.mongodb = uri(&database).await.into();
    settings.serving.secret = Some(SECRET.into());
    settings.serving.tokens.jwt_secret = Some(JWT.into());
    let app = App::start_with(things(), &settings).await.unwrap();
    let secret = key.rsplit('_').next().unwrap();
    let hash = blake3::hash(secret.as_bytes()).to_hex();
    let text = format!("{settings:?}\n{app:?}\n{:?}\n{:?}", Credential::Bearer(&key), Secret::from(SECRET));
    assert_discreet(&text, &[secret, hash.as_str()]);
    assert_discreet(&format!("{settings:#?}\n{app:#?}"), &[secret, hash.as_str()]);
}
