//! The data folder of a private server: claimed by one supervisor at a time, and keeper of the port last used, so that
//! the replica set's member keeps its address.

use std::fs::{self, File, OpenOptions};
use std::io::{Seek as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::failure;
use crate::{Error, Result};

/// Locked by the supervisor for its life. The lock is the kernel's and goes with its holder: the file may stay behind.
const LOCK: &str = "folio.lock";

/// A claimed data folder.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    lock: File,
    last: Option<u16>,
}

/// What the lock file says of its holder.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Holder {
    /// The process that wanted a server.
    pid: Option<i32>,
    /// The server's port.
    port: Option<u16>,
}

impl Folder {
    /// Makes the folder if there is none and takes it for this process.
    pub(super) fn claim(path: &Path) -> Result<Self> {
        fs::create_dir_all(path).map_err(|error| unusable(path, &error))?;
        let mut options = OpenOptions::new();
        let opened = options.read(true).write(true).create(true).truncate(false).open(path.join(LOCK));
        let lock = opened.map_err(|error| unusable(path, &error))?;
        let holder = Holder::read(path);
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => {
                let holder = Holder::await_signature(path);
                return Err(in_use(path, holder.pid, holder.port));
            }
            Err(error) => return Err(unusable(path, &error.into())),
        }
        let mut folder = Self { path: path.to_owned(), lock, last: holder.port };
        folder.sign()?;
        Ok(folder)
    }

    /// The folder, as the user named it.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Where mongod's log goes.
    pub(super) fn log_path(&self) -> PathBuf {
        self.path.join("mongod.log")
    }

    /// A loopback port that is free now: the one used last, if it is.
    pub(super) fn choose_port(&self) -> Result<u16> {
        let free = self.last.and_then(|port| bind(port).ok()).map_or_else(|| bind(0), Ok);
        let port = free.and_then(|listener| listener.local_addr()).map(|address| address.port());
        port.map_err(|error| failure(format!("no free port on 127.0.0.1: {error}")))
    }

    /// Keeps the port for the next start.
    pub(super) fn remember(&mut self, port: u16) -> Result<()> {
        self.last = Some(port);
        self.sign()
    }

    /// The failure when a mongod without a supervisor has the folder.
    pub(super) fn in_use_by_mongod(&self) -> Error {
        let pid = fs::read_to_string(self.path.join("mongod.lock")).ok().and_then(|pid| pid.trim().parse().ok());
        let port = self.last.filter(|port| bind(*port).is_err());
        in_use(&self.path, pid, port)
    }

    fn sign(&mut self) -> Result<()> {
        let parent = rustix::process::getppid().map(|pid| pid.as_raw_nonzero().get());
        let holder = Holder { pid: parent, port: self.last };
        let text = serde_json::to_vec(&holder).map_err(std::io::Error::from);
        let written = text.and_then(|text| {
            self.lock.set_len(0)?;
            self.lock.rewind()?;
            self.lock.write_all(&text)
        });
        written.map_err(|error| unusable(&self.path, &error))
    }
}

impl Holder {
    /// What a holder says of itself; one that has only just taken the lock gets a moment to write it.
    fn await_signature(folder: &Path) -> Self {
        let mut holder = Self::read(folder);
        for _ in 0..20 {
            if holder.pid.is_some() {
                break;
            }
            thread::sleep(Duration::from_millis(10));
            holder = Self::read(folder);
        }
        holder
    }

    /// Nothing is known of a holder that is just writing the file.
    fn read(folder: &Path) -> Self {
        let text = fs::read(folder.join(LOCK)).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }
}

fn bind(port: u16) -> std::io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
}

fn in_use(path: &Path, pid: Option<i32>, port: Option<u16>) -> Error {
    let port = port.map(|port| format!(" (mongod on port {port})")).unwrap_or_default();
    let (who, how) = match pid {
        Some(pid) => (format!("process {pid}"), format!("stop it (`kill {pid}`)")),
        None => ("another process".to_owned(), "stop it".to_owned()),
    };
    let path = path.display();
    failure(format!("the data folder `{path}` is in use by {who}{port}: {how}, or give another folder with `--data`"))
}

fn unusable(path: &Path, error: &std::io::Error) -> Error {
    let path = path.display();
    failure(format!("the data folder `{path}` cannot be used: {error}; give a folder you can write in with `--data`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_claim_is_told_of_the_first() {
        let root = tempfile::tempdir().unwrap();
        let data = root.path().join("a/b");
        let mut first = Folder::claim(&data).unwrap();
        first.remember(27_117).unwrap();
        let pid = rustix::process::getppid().unwrap().as_raw_nonzero();
        assert_eq!(
            Folder::claim(&data).unwrap_err().to_string(),
            format!(
                "the data folder `{}` is in use by process {pid} (mongod on port 27117): stop it (`kill {pid}`), \
                 or give another folder with `--data`",
                data.display()
            )
        );
        drop(first);
        assert_eq!(Folder::claim(&data).unwrap().last, Some(27_117));
    }

    #[test]
    fn the_last_port_is_chosen_while_it_is_free() {
        let root = tempfile::tempdir().unwrap();
        let mut folder = Folder::claim(root.path()).unwrap();
        let port = folder.choose_port().unwrap();
        folder.remember(port).unwrap();
        assert_eq!(folder.choose_port().unwrap(), port);
        let _taken = bind(port).unwrap();
        assert_ne!(folder.choose_port().unwrap(), port);
    }

    #[test]
    fn a_file_is_no_folder() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("file");
        fs::write(&file, "").unwrap();
        for path in [file.clone(), file.join("below")] {
            let message = Folder::claim(&path).unwrap_err().to_string();
            assert!(
                message.starts_with(&format!("the data folder `{}` cannot be used: ", path.display())),
                "{message}"
            );
            assert!(message.ends_with("with `--data`"), "{message}");
        }
    }
}
