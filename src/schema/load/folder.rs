//! The files of a folder, as text.

use std::{
    fs::{self, DirEntry, File},
    io::{self, Read},
    path::Path,
};

use crate::error::{Error, Mistake, Result};

/// The size that a collection file may have, in bytes.
const MAX_SIZE: u64 = 1 << 20;
const NAME_RULE: &str = "a collection is named by its file: a small letter, then up to 62 letters, digits, `_` or `-`";
const ADVICE: &str =
    "put one JSON Schema per collection into it, such as `books.json`, or name another with `--schemas`";

/// A file that should describe a collection.
#[derive(Debug)]
pub(super) struct Candidate {
    /// The collection's name.
    pub(super) name: String,
    /// The path as it is shown.
    pub(super) path: String,
    /// What stands in it, or why that cannot be read.
    pub(super) text: Result<String, Mistake>,
}

/// Every `*.json` directly in the folder by name, and the mistakes in the names of others.
pub(super) fn read(folder: &Path) -> Result<(Vec<Candidate>, Vec<Mistake>)> {
    let shown = folder.display();
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => Error::Startup(format!("there is no folder `{shown}`: make it and {ADVICE}")),
        _ => Error::Startup(format!("cannot read the folder `{shown}`: {error}")),
    };
    let home = fs::canonicalize(folder).map_err(failed)?;
    let (mut files, mut mistakes) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(folder).map_err(failed)? {
        match candidate(&entry.map_err(failed)?, &home) {
            Some(Ok(file)) => files.push(file),
            Some(Err(mistake)) => mistakes.push(mistake),
            None => {}
        }
    }
    if files.is_empty() && mistakes.is_empty() {
        return Err(Error::Startup(format!("the folder `{shown}` has no collection files: {ADVICE}")));
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok((files, mistakes))
}

/// The collection file that `entry` is; `None` if it is none of ours.
fn candidate(entry: &DirEntry, home: &Path) -> Option<Result<Candidate, Mistake>> {
    let file = entry.file_name();
    let file = file.to_string_lossy();
    let name = file.strip_suffix(".json")?;
    let path = entry.path().display().to_string();
    // A folder is not ours; a link that leads nowhere is, and fails below.
    if fs::metadata(entry.path()).is_ok_and(|metadata| metadata.is_dir()) {
        return None;
    }
    if !is_collection_name(name) {
        return Some(Err(mistake(&path, NAME_RULE)));
    }
    let text = contents(&entry.path(), home).map_err(|detail| mistake(&path, detail));
    Some(Ok(Candidate { name: name.to_owned(), path, text }))
}

fn is_collection_name(name: &str) -> bool {
    let rest = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    name.len() <= 63 && name.starts_with(|c: char| c.is_ascii_lowercase()) && name.bytes().all(rest)
}

fn contents(path: &Path, home: &Path) -> Result<String, String> {
    let failed = |error: io::Error| format!("cannot be read: {error}");
    let real = fs::canonicalize(path).map_err(failed)?;
    if !real.starts_with(home) {
        return Err("is a link that leads out of the folder; copy the file into it".to_owned());
    }
    // Opening a pipe would wait for its writer.
    if !fs::metadata(&real).map_err(failed)?.is_file() {
        return Err("is not a regular file".to_owned());
    }
    let mut bytes = Vec::new();
    File::open(&real).and_then(|file| file.take(MAX_SIZE + 1).read_to_end(&mut bytes)).map_err(failed)?;
    if bytes.len() as u64 > MAX_SIZE {
        return Err(format!("is over the limit of {MAX_SIZE} bytes"));
    }
    if bytes.starts_with(b"\xef\xbb\xbf") {
        return Err("begins with a byte order mark; save it as UTF-8 without one".to_owned());
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        crate::json::SyntaxError::at(error.as_bytes(), at, "not UTF-8").to_string()
    })
}

fn mistake(path: &str, detail: impl Into<String>) -> Mistake {
    Mistake { path: path.to_owned(), pointer: String::new(), detail: detail.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_collection_names() {
        let long = "a".repeat(64);
        let cases = [
            ("books", true),
            ("b", true),
            ("bookLoans_2-x", true),
            (&long[1..], true),
            (&long, false),
            ("", false),
            ("Books", false),
            ("2books", false),
            ("_books", false),
            ("books.old", false),
            ("bücher", false),
        ];
        for (name, fits) in cases {
            assert_eq!(is_collection_name(name), fits, "{name}");
        }
    }
}
