//! The supervisor: owns one mongod and ends it as soon as the process that started the supervisor is gone.

use std::io;
use std::os::fd::AsFd as _;
use std::path::Path;
use std::process::ExitCode;

use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe;
use tokio::select;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::failure;
use super::folder::Folder;
use super::report::Report;
use super::server::{Opening, Server};
use crate::Result;

/// How many ports are tried when others take them between choosing and listening.
const ATTEMPTS: usize = 10;

/// Runs the server `program` on the folder `data` until standard input, a pipe from the parent, is closed.
/// Reports to standard output: `ready <port>` or `failed <reason>`, after any number of `note <text>`.
pub async fn supervise(program: &Path, data: &Path) -> ExitCode {
    match run(program, data).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            Report::Failed(error.to_string()).send();
            ExitCode::FAILURE
        }
    }
}

async fn run(program: &Path, data: &Path) -> Result<()> {
    let mut orders = Orders::listen()?;
    let mut folder = Folder::claim(data)?;
    let Some(mut server) = open(program, &mut folder, &mut orders).await? else { return Ok(()) };
    folder.remember(server.port)?;
    Report::Ready(server.port).send();
    let stopped = select! {
        () = orders.stop() => true,
        () = server.drain() => false,
    };
    let status = server.end().await;
    let early = || failure(format!("mongod ended by itself ({status}): see `{}`", folder.log_path().display()));
    if stopped { Ok(()) } else { Err(early()) }
}

/// Starts the server on the first port that it gets; `None` when the order to stop came first.
async fn open(program: &Path, folder: &mut Folder, orders: &mut Orders) -> Result<Option<Server>> {
    for _ in 0..ATTEMPTS {
        let mut server = Server::spawn(program, folder)?;
        let opening = select! {
            () = orders.stop() => None,
            opening = server.opening() => Some(opening),
        };
        match opening {
            Some(Opening::Ready) => return Ok(Some(server)),
            Some(Opening::PortTaken) => {}
            Some(Opening::FolderInUse) => return Err(folder.in_use_by_mongod()),
            Some(Opening::Failed(reason)) => {
                let log = folder.log_path();
                return Err(failure(format!("mongod did not start: {reason}; its log is `{}`", log.display())));
            }
            None => {
                server.end().await;
                return Ok(None);
            }
        }
    }
    Err(failure(format!("{ATTEMPTS} free ports in a row were taken before mongod could listen on them; try again")))
}

/// What tells the supervisor to stop: the end of its parent, or `SIGTERM`.
struct Orders {
    parent: pipe::Receiver,
    terminate: Signal,
    // Handled by doing nothing: the parent decides what Ctrl-C and a closed terminal mean.
    _ignored: [Signal; 2],
}

impl Orders {
    fn listen() -> Result<Self> {
        let alone = |error| failure(format!("the supervisor of mongod is run by `folio` itself, not by hand: {error}"));
        let stdin = io::stdin().as_fd().try_clone_to_owned().map_err(alone)?;
        let parent = pipe::Receiver::from_owned_fd(stdin).map_err(alone)?;
        let listen = |kind| signal(kind).map_err(|error| failure(format!("cannot handle signals: {error}")));
        let ignored = [listen(SignalKind::interrupt())?, listen(SignalKind::hangup())?];
        Ok(Self { parent, terminate: listen(SignalKind::terminate())?, _ignored: ignored })
    }

    async fn stop(&mut self) {
        select! {
            () = closed(&mut self.parent) => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Waits for the end of the pipe; whatever comes through it is passed over.
async fn closed(pipe: &mut pipe::Receiver) {
    let mut buffer = [0; 64];
    while matches!(pipe.read(&mut buffer).await, Ok(1..)) {}
}
