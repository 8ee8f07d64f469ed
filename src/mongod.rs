//! A private local MongoDB server for `folio dev` and for tests: found or fetched, started as a single-node replica
//! set so that transactions and change streams work, and ended with the process that started it, however that ends.
//!
//! A child of this process owns the server (`mongod::supervise`, a hidden subcommand of the binary): it watches a pipe
//! that only this process holds open, so it learns of every end, a `SIGKILL` and a panic too, without `unsafe`.
//! What is done with the server once it runs does not belong here.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::select;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use self::report::Report;
use crate::{Error, Result};

mod find;
mod folder;
mod log;
mod replica_set;
mod report;
mod server;
mod supervise;

use find::find;
pub use supervise::supervise;

/// The hidden subcommand that runs [`supervise()`]: `folio supervise-mongod --mongod <path> --data <dir>`.
pub const SUPERVISE: &str = "supervise-mongod";

/// How long the server may take to accept connections: it may first have to recover what an unclean end left.
const READY_DEADLINE: Duration = Duration::from_secs(60);

/// How a private server is started.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder of its data, log and port; made when absent, one server at a time.
    pub data: PathBuf,
    /// The `folio` binary, which supervises the server: [`std::env::current_exe`] in the binary itself.
    pub supervisor: PathBuf,
}

/// A private server. Dropping it ends the server too, without waiting for the end.
#[derive(Debug)]
pub struct Mongod {
    uri: String,
    lifeline: OwnedFd,
    ended: JoinHandle<String>,
}

impl Mongod {
    /// Finds or fetches a server, starts it, and waits until it is a writable primary.
    ///
    /// # Errors
    /// [`Error::Startup`] when there is no server to run, when the folder cannot be used or is in use by another
    /// server, and when the server does not start; the message says what to do.
    pub async fn start(options: &Options) -> Result<Self> {
        let program = find().await?;
        let mut supervisor = Supervisor::spawn(options, &program)?;
        let port = supervisor.ready().await?;
        select! {
            outcome = replica_set::make_primary(port) => outcome?,
            Err(lost) = supervisor.reported() => return Err(lost),
        }
        Ok(supervisor.into_mongod(port))
    }

    /// The connection string of the server.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// Waits until the server ends without having been told to, and says how that came.
    pub async fn lost(&mut self) -> Error {
        failure((&mut self.ended).await.unwrap_or_else(|error| format!("mongod is not watched any more: {error}")))
    }

    /// Ends the server and waits until it has written everything and is gone.
    pub async fn stop(self) {
        drop(self.lifeline);
        if !self.ended.is_finished() {
            // The task ends by itself; only a runtime that shuts down cancels it, and then nobody waits here.
            let _ = self.ended.await;
        }
    }
}

/// The child that owns the server.
struct Supervisor {
    child: Child,
    lifeline: OwnedFd,
    reports: Lines<BufReader<ChildStdout>>,
}

impl Supervisor {
    fn spawn(options: &Options, program: &Path) -> Result<Self> {
        let mut command = Command::new(&options.supervisor);
        command.arg(SUPERVISE).arg("--mongod").arg(program).arg("--data").arg(&options.data);
        // A group of its own: Ctrl-C at the terminal reaches only this process, which then stops in its own order.
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|error| {
            failure(format!("cannot run `{}` to supervise mongod: {error}", options.supervisor.display()))
        })?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(failure("the supervisor of mongod has no pipes"));
        };
        let lifeline = stdin.into_owned_fd().map_err(|error| failure(format!("cannot keep a pipe open: {error}")))?;
        Ok(Self { child, lifeline, reports: BufReader::new(stdout).lines() })
    }

    /// Waits until the server accepts connections and gives its port.
    async fn ready(&mut self) -> Result<u16> {
        let late = || failure(format!("mongod was not ready within {} s", READY_DEADLINE.as_secs()));
        timeout(READY_DEADLINE, self.reported()).await.map_err(|_| late())?
    }

    async fn reported(&mut self) -> Result<u16> {
        loop {
            match next(&mut self.reports).await {
                Some(Report::Ready(port)) => return Ok(port),
                Some(Report::Failed(reason)) => return Err(Error::Startup(reason)),
                Some(Report::Note(note)) => tracing::warn!("{note}"),
                None => return Err(failure(format!("the supervisor of mongod ended: {}", end(&mut self.child).await))),
            }
        }
    }

    fn into_mongod(self, port: u16) -> Mongod {
        let Self { mut child, lifeline, mut reports } = self;
        let ended = tokio::spawn(async move {
            let mut reason = None;
            while let Some(report) = next(&mut reports).await {
                if let Report::Failed(why) = report {
                    reason = Some(why);
                }
            }
            let end = end(&mut child).await;
            reason.unwrap_or_else(|| format!("the supervisor of mongod ended: {end}"))
        });
        let uri = format!("mongodb://127.0.0.1:{port}/?replicaSet={}", replica_set::NAME);
        Mongod { uri, lifeline, ended }
    }
}

/// The supervisor's next report; `None` once it is gone. What is no report is passed over.
async fn next(reports: &mut Lines<BufReader<ChildStdout>>) -> Option<Report> {
    while let Ok(Some(line)) = reports.next_line().await {
        if let Some(report) = Report::parse(&line) {
            return Some(report);
        }
    }
    None
}

/// Waits for a child, so that it leaves no zombie, and says how it ended.
async fn end(child: &mut Child) -> String {
    child.wait().await.map_or_else(|error| error.to_string(), |status: ExitStatus| status.to_string())
}

fn failure(message: impl Into<String>) -> Error {
    Error::Startup(message.into())
}
