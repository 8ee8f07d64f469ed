//! The mongod process under its supervisor: its command line, its output, its end.

use std::io::pipe;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::unix::pipe::Receiver;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::folder::Folder;
use super::log::{Event, LogFile};
use super::report::Report;
use super::{failure, replica_set};
use crate::Result;

/// How long mongod may take to end by itself before it is killed.
const GRACE: Duration = Duration::from_secs(20);

/// mongod's exit codes that have a remedy (`src/mongo/util/exit_code.h`).
const PORT_TAKEN: i32 = 48;
const UNCAUGHT: i32 = 100;

/// How the start of a server went.
pub(super) enum Opening {
    /// It accepts connections.
    Ready,
    /// Another process has the port.
    PortTaken,
    /// Another mongod has the folder.
    FolderInUse,
    /// It ended, and why.
    Failed(String),
}

/// A running mongod.
pub(super) struct Server {
    /// The loopback port it listens on.
    pub(super) port: u16,
    child: Child,
    output: BufReader<Receiver>,
    log: LogFile,
}

impl Server {
    /// Starts `program` on a port that was free a moment ago.
    pub(super) fn spawn(program: &Path, folder: &mut Folder) -> Result<Self> {
        let port = folder.choose_port()?;
        let log = LogFile::create(folder.log_path())?;
        let broken = |error| failure(format!("cannot run `{}`: {error}", program.display()));
        // One pipe for both streams: the dynamic linker's complaints stand between the log lines, in order.
        let (reader, writer) = pipe().map_err(broken)?;
        let output = Receiver::from_owned_fd(OwnedFd::from(reader)).map_err(broken)?;
        let errors = writer.try_clone().map_err(broken)?;
        let mut command = command(program, folder, port);
        command.stdin(Stdio::null()).stdout(writer).stderr(errors);
        let child = command.spawn().map_err(broken)?;
        Ok(Self { port, child, output: BufReader::new(output), log })
    }

    /// Follows the log until the server accepts connections or has ended.
    pub(super) async fn opening(&mut self) -> Opening {
        let mut complaint = None;
        while let Some(line) = self.next_line().await {
            match Event::parse(&line) {
                Event::Ready => return Opening::Ready,
                Event::Unclean => {
                    Report::Note("the last mongod on this folder did not end cleanly: its data is recovered".into())
                        .send();
                }
                Event::Complaint(text) => complaint = complaint.or(Some(text)),
                Event::Other => {}
            }
        }
        let status = self.child.wait().await;
        let in_use = |text: &String| text.contains("DBPathInUse");
        match status.as_ref().ok().and_then(std::process::ExitStatus::code) {
            Some(PORT_TAKEN) => Opening::PortTaken,
            Some(UNCAUGHT) if complaint.as_ref().is_some_and(in_use) => Opening::FolderInUse,
            _ => Opening::Failed(complaint.unwrap_or_else(|| shown(status))),
        }
    }

    /// Copies the output to the log until mongod closes it, which is at its end.
    pub(super) async fn drain(&mut self) {
        while self.next_line().await.is_some() {}
    }

    /// Asks mongod to end, kills it after a grace, and says how it ended.
    pub(super) async fn end(&mut self) -> String {
        if let Some(pid) = self.child.id().and_then(|id| Pid::from_raw(id.cast_signed())) {
            // It fails only when the process has ended already.
            let _ = kill_process(pid, Signal::TERM);
        }
        // mongod must not be left blocked on a full pipe while it shuts down.
        if timeout(GRACE, self.drain()).await.is_err() {
            let _ = self.child.start_kill();
        }
        shown(self.child.wait().await)
    }

    async fn next_line(&mut self) -> Option<Vec<u8>> {
        let mut line = Vec::new();
        match self.output.read_until(b'\n', &mut line).await {
            Ok(1..) => {
                self.log.append(&line);
                Some(line)
            }
            Ok(0) | Err(_) => None,
        }
    }
}

fn shown(status: std::io::Result<std::process::ExitStatus>) -> String {
    status.map_or_else(|error| error.to_string(), |status| status.to_string())
}

fn command(program: &Path, folder: &Folder, port: u16) -> Command {
    let mut command = Command::new(program);
    command.arg("--dbpath").arg(folder.path()).arg("--port").arg(port.to_string());
    command.args(["--replSet", replica_set::NAME, "--bind_ip", "127.0.0.1", "--nounixsocket"]);
    command.args(["--wiredTigerCacheSizeGB", "0.25", "--oplogSize", "256"]);
    command.args(["--setParameter", "diagnosticDataCollectionEnabled=false"]);
    // There is no other member to hand over to, so nothing is gained by waiting for one.
    command.args(["--setParameter", "shutdownTimeoutMillisForSignaledShutdown=0"]);
    command
}
