//! The command line, through the binary itself.

use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use mongodb::bson::doc;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::support::{TestDatabase, database};

pub(crate) const FOLIO: &str = env!("CARGO_BIN_EXE_folio");

fn folio(args: &[&str]) -> Output {
    Command::new(FOLIO).args(args).output().unwrap()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A folder with one collection file, `things`.
pub(crate) fn files(file: &Value) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("things.json"), file.to_string()).unwrap();
    folder
}

/// A running `folio serve`.
struct Served {
    child: Child,
    base: String,
}

impl Served {
    fn start(database: &TestDatabase, schemas: &Path, more: &[&str]) -> Self {
        let mut command = Command::new(FOLIO);
        command.args(["serve", "--mongodb", &database.uri, "--database", &database.name, "--listen", "127.0.0.1:0"]);
        command.arg("--schemas").arg(schemas).args(more);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let Some(base) = line.trim().strip_prefix("serving ").and_then(|url| url.strip_suffix("/v1")) else {
            let mut error = String::new();
            child.stderr.take().unwrap().read_to_string(&mut error).unwrap();
            panic!("not serving: {error}");
        };
        Self { base: base.to_owned(), child }
    }

    /// Asks it to stop and gives its exit code and log.
    fn stop(mut self, signal: Signal) -> (Option<i32>, String) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
        let mut log = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        (self.child.wait().unwrap().code(), log)
    }
}

#[test]
fn check_accepts_the_sample() {
    let checked = folio(&["check"]);
    assert!(checked.status.success());
    assert!(text(&checked.stdout).contains("schemas/books.json: ok"), "{}", text(&checked.stdout));
}

#[test]
fn check_reports_every_mistake_at_once() {
    let folder = files(&json!({
        "type": "object",
        "properties": { "price": { "bsonType": "decimal", "minimun": 0 }, "kind": { "maxContains": 1 }, "code": { "pattern": "(?i)a" } }
    }));
    std::fs::write(folder.path().join("Bad name.json"), "{}").unwrap();
    std::fs::write(folder.path().join("broken.json"), "{\n  \"type\": }").unwrap();
    let checked = folio(&["check", "--schemas", folder.path().to_str().unwrap()]);
    assert_eq!(checked.status.code(), Some(1));
    let report = text(&checked.stderr);
    let shown = folder.path().display();
    for line in [
        format!("{shown}/things.json#/properties/price/minimun: unknown keyword, did you mean \"minimum\"?"),
        format!("{shown}/things.json#/properties/kind/maxContains: "),
        format!("{shown}/things.json#/properties/code/pattern: "),
        format!("{shown}/Bad name.json#: "),
        format!("{shown}/broken.json#: line 2, column 11"),
    ] {
        assert!(report.contains(&line), "no `{line}` in\n{report}");
    }
    assert!(report.contains("not supported: a MongoDB validator cannot count"), "{report}");
}

/// A folder with three collections and their rules.
fn rules() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let fields = json!({
        "title": { "type": "string" }, "price": { "bsonType": "decimal" }, "tenant": { "bsonType": "int" },
        "status": { "type": "string" }, "member": { "bsonType": "objectId" }, "note": { "type": "string" },
    });
    let read_only = json!(["title", "status"]);
    let books = json!({
        "anonymous": { "ops": ["read"], "filter": { "status": { "$in": ["new", "a, b: c"] } }, "hide": ["price"] },
        "librarian": ["read", "write"],
        "admin": ["*"],
    });
    let loans = json!({
        "member": {
            "ops": ["read", "insert", "update"],
            "filter": { "$or": [{ "member": "$user.id" }, { "tenant": { "$in": "$user.tenants" }, "note": null }] },
            "set": { "member": "$user.id", "tenant": 7 }, "hide": ["price", "note"], "readOnly": read_only,
        },
        "librarian": { "ops": ["read", "delete"], "hide": ["note"] },
    });
    for (name, access) in [("books", Some(books)), ("loans", Some(loans)), ("secrets", None)] {
        let mut file = json!({ "type": "object", "properties": fields });
        if let Some(access) = access {
            file["x-access"] = access;
        }
        std::fs::write(folder.path().join(format!("{name}.json")), format!("{file:#}")).unwrap();
    }
    folder
}

#[test]
fn check_shows_what_roles_may_do() {
    let folder = rules();
    let schemas = folder.path().to_str().unwrap();
    for (name, roles) in [
        ("check_as_everyone", &["--as", "anonymous"][..]),
        ("check_as_librarian", &["--as", "librarian"]),
        ("check_as_several", &["--as", "member, librarian", "--as", "admin"]),
    ] {
        let shown = folio(&[&["check", "--schemas", schemas][..], roles].concat());
        assert!(shown.status.success(), "{shown:?}");
        let shown = text(&shown.stdout);
        assert!(shown.lines().all(|line| line.chars().count() <= 100), "{shown}");
        insta::assert_snapshot!(name, shown);
    }
    let refused = folio(&["check", "--schemas", schemas, "--as", "libarian"]);
    assert_eq!(refused.status.code(), Some(1));
    let expected = "no collection file has the role `libarian`, did you mean `librarian`?; there are `admin`, `anonymous`, \
                    `librarian`, `member`";
    assert_eq!(text(&refused.stderr).trim(), expected);
}

#[tokio::test]
async fn plan_shows_what_would_change_and_changes_nothing() {
    let database = database().await;
    let plan = || {
        let args = ["plan", "--schemas", "schemas", "--mongodb", &database.uri, "--database", &database.name];
        folio(&args)
    };
    let before = plan();
    assert_eq!(before.status.code(), Some(2), "{before:?}");
    assert!(text(&before.stdout).contains("+ collection books"), "{}", text(&before.stdout));
    assert!(database.db.list_collection_names().await.unwrap().iter().all(|name| name.starts_with('_')));
    let served = Served::start(&database, Path::new("schemas"), &[]);
    served.stop(Signal::TERM);
    let after = plan();
    assert_eq!(
        (after.status.code(), text(&after.stdout).trim()),
        (Some(0), "the database is as the collection files say")
    );
}

#[tokio::test]
async fn a_start_that_would_break_stored_documents_says_which() {
    let database = database().await;
    let loose = files(&json!({ "type": "object" }));
    Served::start(&database, loose.path(), &[]).stop(Signal::TERM);
    database.db.collection("things").insert_one(doc! { "_id": "the bad one", "n": -1 }).await.unwrap_err();
    let id = database.db.collection("things").insert_one(doc! { "n": -1 }).await.unwrap().inserted_id;
    let tight = files(&json!({ "type": "object", "properties": { "n": { "minimum": 0 } } }));
    let schemas = tight.path().to_str().unwrap();
    let refused = folio(&["serve", "--mongodb", &database.uri, "--database", &database.name, "--schemas", schemas]);
    let message = text(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1), "{message}");
    let id = id.as_object_id().unwrap().to_hex();
    assert!(message.contains(&id) && message.contains("#/properties/n"), "{message}");
}

#[tokio::test]
async fn two_instances_that_start_at_once_do_the_work_once() {
    let database = database().await;
    let servers = std::thread::scope(|scope| {
        let start = || Served::start(&database, Path::new("schemas"), &["--open"]);
        [scope.spawn(start), scope.spawn(start)].map(|thread| thread.join().unwrap())
    });
    let logs = servers.map(|server| server.stop(Signal::TERM).1);
    let made = |log: &String| log.matches("applied: + collection").count();
    assert_eq!(logs.iter().map(made).sum::<usize>(), 4, "{logs:#?}");
}

#[tokio::test]
async fn stops_when_asked_and_finishes_what_runs() {
    let database = database().await;
    for signal in [Signal::TERM, Signal::INT] {
        let served = Served::start(&database, files(&json!({ "type": "object" })).path(), &["--open", "--grace", "5"]);
        let url = format!("{}/v1/things", served.base);
        let body = futures::stream::unfold(0, |at| async move {
            tokio::time::sleep(Duration::from_millis(400)).await;
            let chunk = ["{\"a\":", "1", "}"].get(at)?;
            Some((Ok::<_, std::io::Error>(*chunk), at + 1))
        });
        let slow = reqwest::Client::new().post(url).header("content-type", "application/json");
        let slow = tokio::spawn(slow.body(reqwest::Body::wrap_stream(body)).send());
        tokio::time::sleep(Duration::from_millis(600)).await;
        let stopped = tokio::task::spawn_blocking(move || served.stop(signal));
        assert_eq!(slow.await.unwrap().unwrap().status(), 201);
        assert_eq!(stopped.await.unwrap().0, Some(0));
    }
}

#[tokio::test]
async fn stops_when_asked_though_it_still_waits_to_start() {
    let database = database().await;
    let lease = doc! { "_id": "lease", "holder": "another", "until": bson::DateTime::MAX };
    database.db.collection(folio::sync::BOOKKEEPING).insert_one(lease).await.unwrap();
    let mut command = Command::new(FOLIO);
    command.args(["serve", "--mongodb", &database.uri, "--database", &database.name, "--schemas", "schemas"]);
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("another instance is changing the database")));
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert!(lines.any(|line| line.contains("stopped before it was ready")));
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[tokio::test]
async fn a_request_that_never_ends_is_cut_off_after_the_grace_time() {
    let database = database().await;
    let served = Served::start(&database, files(&json!({ "type": "object" })).path(), &["--open", "--grace", "0.3"]);
    let never = reqwest::Body::wrap_stream(futures::stream::pending::<Result<&'static str, std::io::Error>>());
    let request = reqwest::Client::new().post(format!("{}/v1/things", served.base));
    let hung = tokio::spawn(request.header("content-type", "application/json").body(never).send());
    tokio::time::sleep(Duration::from_millis(500)).await;
    let begun = Instant::now();
    assert_eq!(tokio::task::spawn_blocking(move || served.stop(Signal::TERM)).await.unwrap().0, Some(0));
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert!(hung.await.unwrap().is_err());
}

#[tokio::test]
async fn deeply_nested_documents_of_other_programs_do_no_harm() {
    let database = database().await;
    let file = json!({ "type": "object", "properties": { "n": { "not": { "type": "object" } } } });
    let served = Served::start(&database, files(&file).path(), &["--open"]);
    let mut nested = doc! { "x": 1 };
    for _ in 0..95 {
        nested = doc! { "x": nested };
    }
    let things = database.db.collection::<mongodb::bson::Document>("things");
    let id = things.insert_one(doc! { "deep": nested.clone() }).await.unwrap().inserted_id.as_object_id().unwrap();
    let url = format!("{}/v1/things/{id}", served.base);
    let http = reqwest::Client::new();
    let read = http.get(&url).send().await.unwrap().text().await.unwrap();
    assert!(read.ends_with(&"}".repeat(97)), "{read}");
    // Refused with an explanation that quotes the deep value.
    database.db.run_command(doc! { "collMod": "things", "validationLevel": "off" }).await.unwrap();
    things.update_one(doc! {}, doc! { "$set": { "n": nested } }).await.unwrap();
    database.db.run_command(doc! { "collMod": "things", "validationLevel": "strict" }).await.unwrap();
    let patched = http.patch(&url).header("content-type", "application/json").body(r#"{"y":1}"#).send().await.unwrap();
    assert_eq!(patched.status(), 422);
    assert_eq!(served.stop(Signal::TERM).0, Some(0));
}

#[test]
fn is_not_open_to_others_by_accident() {
    let refused = folio(&["serve", "--open", "--listen", "0.0.0.0:0"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("`--open=anywhere`"), "{}", text(&refused.stderr));
    for flags in [&[][..], &["--secure"]] {
        let refused = Command::new(FOLIO).arg("dev").args(flags).env("FOLIO_LISTEN", "0.0.0.0:0").output().unwrap();
        assert_eq!(refused.status.code(), Some(1));
        assert!(text(&refused.stderr).contains("listen on 127.0.0.1"), "{}", text(&refused.stderr));
    }
}

#[tokio::test]
async fn says_who_is_served() {
    let database = database().await;
    for (args, expected) in
        [(&["--open"][..], "may read and change everything"), (&[], "callers are known by API keys")]
    {
        let log = Served::start(&database, Path::new("schemas"), args).stop(Signal::TERM).1;
        assert!(log.contains(expected), "{log}");
    }
}

#[test]
fn names_the_host_that_cannot_be_reached() {
    let uri = "mongodb://user:hunter2@127.0.0.1:9/?replicaSet=rs0";
    let refused = folio(&["serve", "--mongodb", uri, "--selection-timeout", "0.5", "--schemas", "schemas"]);
    let message = text(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1));
    assert!(message.contains("127.0.0.1:9") && message.contains("refused"), "{message}");
    assert!(!message.contains("hunter2"), "{message}");
}

/// Scripts take 2 for pending changes.
#[test]
fn a_mistyped_command_line_is_an_error_like_others() {
    for args in [&["plan", "--bogus"][..], &["apply", "--stage=hard"], &["plan", "--sample", "0"], &["unknown"], &[]] {
        let refused = folio(args);
        assert_eq!((refused.status.code(), text(&refused.stdout)), (Some(1), String::new()), "{args:?}");
        assert!(text(&refused.stderr).contains("--help"), "{args:?}: {refused:?}");
    }
    assert_eq!(folio(&["plan", "--help"]).status.code(), Some(0));
    let by_environment = Command::new(FOLIO).arg("serve").env("FOLIO_APPLY", "some").output().unwrap();
    assert_eq!(by_environment.status.code(), Some(1));
}

#[test]
fn help_shows_every_flag_and_no_secret() {
    let help = Command::new(FOLIO)
        .args(["serve", "--help"])
        .env("FOLIO_SECRET", "hunter2hunter2hunter2")
        .env("FOLIO_MONGODB", "mongodb://user:hunter2@db/")
        .output()
        .unwrap();
    let help = text(&help.stdout);
    for flag in [
        "--mongodb",
        "--database",
        "--schemas",
        "--listen",
        "--apply",
        "--secret",
        "--secret-file",
        "--open",
        "--grace",
    ] {
        assert!(help.contains(flag), "no {flag} in\n{help}");
    }
    assert!(!help.contains("hunter2"), "{help}");
}

#[tokio::test]
async fn settings_come_from_the_environment_too() {
    let database = database().await;
    let secret = tempfile::NamedTempFile::new().unwrap();
    let run = |secret_text: &str| {
        std::fs::write(secret.path(), secret_text).unwrap();
        let mut command = Command::new(FOLIO);
        command.arg("serve").env("FOLIO_MONGODB", &database.uri).env("FOLIO_DATABASE", &database.name);
        command.env("FOLIO_SCHEMAS", "schemas").env("FOLIO_LISTEN", "127.0.0.1:0").env("FOLIO_OPEN", "loopback");
        command.env("FOLIO_WEAK_WRITES", "1");
        command.env("FOLIO_SECRET_FILE", secret.path()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    let mut child = run("a secret that is long enough\n");
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("serving http://127.0.0.1:"), "{line}");
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let short = run("short").wait_with_output().unwrap();
    assert!(text(&short.stderr).contains("shorter than 16 characters"), "{}", text(&short.stderr));
}
