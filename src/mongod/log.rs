//! mongod's log: the lines that the supervisor acts on, and the file they are kept in.
//! The format is <https://www.mongodb.com/docs/manual/reference/log-messages/>.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;

use super::failure;
use crate::Result;

/// A file of this many bytes is put aside as `mongod.log.1` and a new one begun.
const MAX_BYTES: usize = 16 << 20;

/// `Waiting for connections`.
const READY: u32 = 23_016;
/// `Detected unclean shutdown - Lock file is not empty`.
const UNCLEAN: u32 = 22_271;

/// What a line means to the supervisor.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// The server accepts connections.
    Ready,
    /// The folder was left without a clean end.
    Unclean,
    /// An error of the server, or text of the dynamic linker, in one sentence.
    Complaint(String),
    /// Anything else.
    Other,
}

#[derive(Deserialize)]
struct Line {
    s: String,
    id: u32,
    msg: String,
    #[serde(default)]
    attr: Value,
}

impl Event {
    /// Reads one line of output.
    pub(super) fn parse(line: &[u8]) -> Self {
        match serde_json::from_slice::<Line>(line) {
            Ok(Line { id: READY, .. }) => Self::Ready,
            Ok(Line { id: UNCLEAN, .. }) => Self::Unclean,
            Ok(line) if line.s == "E" || line.s == "F" => Self::Complaint(line.sentence()),
            Ok(_) => Self::Other,
            Err(_) => Self::Complaint(String::from_utf8_lossy(line).trim().to_owned()),
        }
    }
}

impl Line {
    fn sentence(&self) -> String {
        let error = &self.attr["error"];
        match error.as_str().or_else(|| error["errmsg"].as_str()) {
            Some(error) => format!("{}: {error}", self.msg),
            None => self.msg.clone(),
        }
    }
}

/// The file `mongod.log`; the one before it is kept as `mongod.log.1`.
#[derive(Debug)]
pub(super) struct LogFile {
    path: PathBuf,
    file: File,
    written: usize,
}

impl LogFile {
    /// Puts the last file aside and begins a new one.
    pub(super) fn create(path: PathBuf) -> Result<Self> {
        match rotated(&path) {
            Ok(file) => Ok(Self { path, file, written: 0 }),
            Err(error) => Err(failure(format!("cannot write `{}`: {error}", path.display()))),
        }
    }

    /// Adds a line. A full disk costs log lines only: mongod itself says more of it.
    pub(super) fn append(&mut self, line: &[u8]) {
        if self.written + line.len() > MAX_BYTES
            && let Ok(file) = rotated(&self.path)
        {
            (self.file, self.written) = (file, 0);
        }
        self.written += line.len();
        let _ = self.file.write_all(line);
    }
}

fn rotated(path: &PathBuf) -> std::io::Result<File> {
    if path.exists() {
        fs::rename(path, path.with_extension("log.1"))?;
    }
    File::create(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_the_lines_apart() {
        let cases = [
            (r#"{"s":"I","c":"NETWORK","id":23016,"msg":"Waiting for connections","attr":{"port":1}}"#, Event::Ready),
            (r#"{"s":"W","id":22271,"msg":"Detected unclean shutdown - Lock file is not empty"}"#, Event::Unclean),
            (r#"{"s":"I","id":20565,"msg":"Now exiting"}"#, Event::Other),
            (
                r#"{"s":"E","id":20557,"msg":"terminating","attr":{"error":"DBPathInUse: locked"}}"#,
                Event::Complaint("terminating: DBPathInUse: locked".into()),
            ),
            (
                r#"{"s":"E","id":20568,"msg":"no listener","attr":{"error":{"errmsg":"Address already in use"}}}"#,
                Event::Complaint("no listener: Address already in use".into()),
            ),
            (r#"{"s":"F","id":1,"msg":"wrong version"}"#, Event::Complaint("wrong version".into())),
            ("error while loading shared libraries\n", Event::Complaint("error while loading shared libraries".into())),
        ];
        for (line, event) in cases {
            assert_eq!(Event::parse(line.as_bytes()), event, "{line}");
        }
    }

    #[test]
    fn a_full_file_is_put_aside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mongod.log");
        fs::write(&path, "the run before").unwrap();
        let mut log = LogFile::create(path.clone()).unwrap();
        let aside = || fs::read(folder.path().join("mongod.log.1")).unwrap();
        assert_eq!(aside(), b"the run before");
        log.append(&vec![b'x'; MAX_BYTES]);
        log.append(b"next\n");
        assert_eq!(aside().len(), MAX_BYTES);
        assert_eq!(fs::read(&path).unwrap(), b"next\n");
    }
}
