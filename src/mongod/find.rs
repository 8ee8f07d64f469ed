//! Finds the MongoDB server program to run, and fetches one when there is none.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use rustix::fs::{FlockOperation, flock};
use tokio::process::Command;

use super::failure;
use crate::{Error, Result};

/// Fetches the server into the path that is its first argument; embedded so that the binary alone suffices.
const SCRIPT: &str = include_str!("../../scripts/get-mongod.sh");

/// The oldest server whose validators explain their verdict.
const OLDEST: Version = Version { major: 5, minor: 0 };

/// Where the fetched server stands in the user's cache.
const CACHED: &str = "folio/mongod-6.0.5/mongod";

/// The server to run: `FOLIO_MONGOD`, else `mongod` on `PATH`, else the one in the user's cache, which is fetched there
/// when absent.
pub(super) async fn find() -> Result<PathBuf> {
    Places::from_env().find().await
}

/// The places to look in.
#[derive(Debug, Default)]
struct Places {
    given: Option<PathBuf>,
    path: OsString,
    cache: Option<PathBuf>,
}

impl Places {
    fn from_env() -> Self {
        let variable = |name| env::var_os(name).filter(|value| !value.is_empty());
        // A relative `XDG_CACHE_HOME` is invalid and to be ignored (XDG base directory specification).
        let xdg = variable("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let cache = xdg.or_else(|| variable("HOME").map(|home| Path::new(&home).join(".cache")));
        Self {
            given: variable("FOLIO_MONGOD").map(PathBuf::from),
            path: variable("PATH").unwrap_or_default(),
            cache: cache.map(|cache| cache.join(CACHED)),
        }
    }

    async fn find(&self) -> Result<PathBuf> {
        if let Some(given) = &self.given {
            let told = |error| failure(format!("`FOLIO_MONGOD`: {error}"));
            return usable(given).await.map(|()| given.clone()).map_err(told);
        }
        if let Some(installed) = self.installed().await {
            return Ok(installed);
        }
        let Some(cached) = &self.cache else {
            return Err(failure(
                "there is no folder to fetch MongoDB into: set `HOME`, `XDG_CACHE_HOME` or `FOLIO_MONGOD`",
            ));
        };
        if !cached.exists() {
            fetch(cached).await?;
        }
        usable(cached).await.map(|()| cached.clone())
    }

    /// The first `mongod` on `PATH`, unless it is of no use here.
    async fn installed(&self) -> Option<PathBuf> {
        let candidate = env::split_paths(&self.path).map(|folder| folder.join("mongod")).find(|path| path.is_file())?;
        match usable(&candidate).await {
            Ok(()) => Some(candidate),
            Err(error) => {
                tracing::warn!("{error}; it is passed over");
                None
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Version {
    major: u32,
    minor: u32,
}

impl Version {
    /// Reads what `mongod --version` prints: `db version v6.0.5`.
    fn parse(text: &str) -> Option<Self> {
        let version = text.lines().find_map(|line| line.trim().strip_prefix("db version v"))?;
        let mut numbers = version.split('.').map(|number| number.parse().ok());
        Some(Self { major: numbers.next()??, minor: numbers.next()?? })
    }
}

/// Holds when the program runs here and is new enough.
async fn usable(program: &Path) -> Result<()> {
    let name = program.display();
    let output = Command::new(program).arg("--version").stdin(Stdio::null()).output().await;
    let output = output.map_err(|error| failure(format!("cannot run `{name}`: {}", explained(&error))))?;
    if !output.status.success() {
        return Err(failure(format!("`{name}` does not run here: {}", complaint(&output))));
    }
    match Version::parse(&String::from_utf8_lossy(&output.stdout)) {
        Some(version) if version >= OLDEST => Ok(()),
        Some(Version { major, minor }) => Err(failure(format!("`{name}` is MongoDB {major}.{minor}, 5.0 is needed"))),
        None => Err(failure(format!("`{name}` is no MongoDB server: it does not print its version"))),
    }
}

fn explained(error: &io::Error) -> String {
    match rustix::io::Errno::from_io_error(error) {
        Some(rustix::io::Errno::NOEXEC) => "it is not a program for this machine's processor".to_owned(),
        Some(rustix::io::Errno::ACCESS) => "it is not executable, or not for this user".to_owned(),
        _ => error.to_string(),
    }
}

/// What a program that failed says, with the remedy for the commonest reason.
fn complaint(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    if said.contains("shared librar") {
        return format!("{said}; install that library (`libcrypto.so.3` is OpenSSL 3), or run `docker compose up`");
    }
    if said.is_empty() { output.status.to_string() } else { said }
}

/// Fetches the server, once however many ask for it at the same time.
async fn fetch(destination: &Path) -> Result<()> {
    let _turn = turn(destination).await.map_err(|error| unwritable(destination, &error))?;
    if destination.exists() {
        return Ok(());
    }
    tracing::info!("fetching a MongoDB server (42 MB, once) into `{}`", destination.display());
    let mut script = Command::new("sh");
    script.args(["-c", SCRIPT, "get-mongod.sh"]).arg(destination).stdin(Stdio::null());
    let output = script.output().await.map_err(|error| unfetched(&error.to_string()))?;
    if output.status.success() { Ok(()) } else { Err(unfetched(&complaint(&output))) }
}

/// Waits until no other process fetches into the same folder; the turn ends when the file is closed.
async fn turn(destination: &Path) -> io::Result<File> {
    let path = destination.with_extension("lock");
    let wait = move || {
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        let file = File::create(path)?;
        flock(&file, FlockOperation::LockExclusive)?;
        Ok(file)
    };
    tokio::task::spawn_blocking(wait).await?
}

fn unwritable(destination: &Path, error: &io::Error) -> Error {
    let name = destination.display();
    failure(format!("cannot fetch MongoDB into `{name}`: {error}; set `XDG_CACHE_HOME` to a folder you can write in"))
}

fn unfetched(reason: &str) -> Error {
    failure(format!("there is no MongoDB server on `PATH`, and none could be fetched: {reason}"))
}

#[cfg(test)]
mod tests {
    use std::process;

    use super::*;

    /// Written by a child, so that no program that another thread starts inherits the open file: it could not be run.
    fn program(path: &Path, script: &str) {
        let write = r#"mkdir -p "${1%/*}" && printf '%s\n' "$2" > "$1" && chmod +x "$1""#;
        let written = process::Command::new("sh").args(["-c", write, "sh"]).arg(path).arg(script).status();
        assert!(written.unwrap().success());
    }

    fn printing(version: &str) -> String {
        format!("#!/bin/sh\necho 'db version v{version}'")
    }

    #[tokio::test]
    async fn looks_in_the_places_in_their_order() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        for (name, version) in
            [("given", "5.0.1"), ("bin/mongod", "7.0.2"), ("old/mongod", "4.4.9"), ("cached", "6.0.5")]
        {
            program(&at(name), &printing(version));
        }
        let found = async |given: &str, path: &str| {
            let given = Some(given).filter(|given| !given.is_empty()).map(at);
            Places { given, path: at(path).into(), cache: Some(at("cached")) }.find().await.unwrap()
        };
        assert_eq!(found("given", "bin").await, at("given"));
        assert_eq!(found("", "bin").await, at("bin/mongod"));
        assert_eq!(found("", "old").await, at("cached"));
        assert_eq!(found("", "none").await, at("cached"));
    }

    #[tokio::test]
    async fn says_why_a_program_is_of_no_use() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        program(&at("old"), &printing("4.4.9"));
        program(&at("other"), "#!/bin/sh\necho hello");
        program(&at("foreign"), "\u{7f}ELF, but for another processor");
        let loader = "mongod: error while loading shared libraries: libcrypto.so.3: no such file";
        program(&at("lacking"), &format!("#!/bin/sh\necho '{loader}' >&2; exit 127"));
        fs::write(at("text"), "").unwrap();
        let cases = [
            ("old", "`PROGRAM` is MongoDB 4.4, 5.0 is needed"),
            ("other", "`PROGRAM` is no MongoDB server: it does not print its version"),
            ("foreign", "cannot run `PROGRAM`: it is not a program for this machine's processor"),
            ("text", "cannot run `PROGRAM`: it is not executable, or not for this user"),
            ("absent", "cannot run `PROGRAM`: No such file or directory (os error 2)"),
            (
                "lacking",
                "`PROGRAM` does not run here: LOADER; install that library (`libcrypto.so.3` is OpenSSL 3), \
                 or run `docker compose up`",
            ),
        ];
        for (name, expected) in cases {
            let given = Places { given: Some(at(name)), ..Places::default() };
            let expected = expected.replace("PROGRAM", at(name).to_str().unwrap()).replace("LOADER", loader);
            assert_eq!(given.find().await.unwrap_err().to_string(), format!("`FOLIO_MONGOD`: {expected}"));
        }
    }

    #[tokio::test]
    async fn needs_a_folder_to_fetch_into() {
        let message = Places::default().find().await.unwrap_err().to_string();
        assert!(message.contains("set `HOME`, `XDG_CACHE_HOME` or `FOLIO_MONGOD`"), "{message}");
    }

    #[tokio::test]
    async fn names_a_cache_that_cannot_be_written() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("file");
        fs::write(&file, "").unwrap();
        let places = Places { cache: Some(file.join("mongod")), ..Places::default() };
        let message = places.find().await.unwrap_err().to_string();
        assert!(message.contains("; set `XDG_CACHE_HOME` to a folder you can write in"), "{message}");
    }

    #[tokio::test]
    async fn waits_for_another_that_fetches() {
        let root = tempfile::tempdir().unwrap();
        let cached = root.path().join("mongod");
        let turn = turn(&cached).await.unwrap();
        let waiting = tokio::spawn({
            let cached = cached.clone();
            async move { Places { cache: Some(cached), ..Places::default() }.find().await }
        });
        program(&cached, &printing("6.0.5"));
        drop(turn);
        assert_eq!(waiting.await.unwrap().unwrap(), cached);
    }

    #[test]
    fn reads_versions() {
        let version = |major, minor| Some(Version { major, minor });
        let cases = [
            ("db version v6.0.5\nBuild Info: {", version(6, 0)),
            ("db version v8.2.0-rc1", version(8, 2)),
            ("db version v7", None),
            ("version 7.0", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(Version::parse(text), expected, "{text}");
        }
    }
}
