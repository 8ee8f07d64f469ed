//! The service as a process of its own, which can be killed and started again where it was.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use serde_json::Value;
use tempfile::{NamedTempFile, TempDir};

use super::{Client, TestDatabase};
use crate::cli::FOLIO;

/// A `folio serve` of one collection, `things`, that everybody may do everything in.
pub(crate) struct Service {
    pub(crate) client: Client,
    process: Process,
    uri: String,
    database: String,
    schemas: TempDir,
    log: NamedTempFile,
}

/// Ends when it is dropped.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Service {
    pub(crate) fn start(database: &TestDatabase, file: &Value) -> Self {
        let schemas = tempfile::tempdir().unwrap();
        fs::write(schemas.path().join("things.json"), file.to_string()).unwrap();
        let (uri, database) = (database.uri.clone(), database.name.clone());
        let log = NamedTempFile::new().unwrap();
        let (process, base) = serve((&uri, &database), (&schemas, &log), "127.0.0.1:0");
        Self { client: Client::at(&base), process, uri, database, schemas, log }
    }

    /// Kills it, and starts it again at the same address.
    pub(crate) fn restart(&mut self) {
        self.process.0.kill().unwrap();
        self.process.0.wait().unwrap();
        let address = self.client.base.trim_start_matches("http://");
        let (process, base) = serve((&self.uri, &self.database), (&self.schemas, &self.log), address);
        assert_eq!(base, self.client.base);
        self.process = process;
    }

    /// What it logged of faults of its own, since it was started first.
    pub(crate) fn faults(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// Bytes of memory that it has.
    pub(crate) fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.0.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }
}

fn serve(
    (uri, database): (&str, &str),
    (schemas, log): (&TempDir, &NamedTempFile),
    address: &str,
) -> (Process, String) {
    let mut command = Command::new(FOLIO);
    command.args(["serve", "--open", "--mongodb", uri, "--database", database, "--listen", address, "--schemas"]);
    command
        .arg(schemas.path())
        .env("FOLIO_LOG", "error")
        .stdout(Stdio::piped())
        .stderr(log.as_file().try_clone().unwrap());
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let base = line.trim().strip_prefix("serving ").and_then(|url| url.strip_suffix("/v1"));
    let base = base.unwrap_or_else(|| panic!("not serving: {line}")).to_owned();
    (Process(child), base)
}
