//! The files of the schemas folder, as text.

use std::{
    fs::{self, DirEntry, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use crate::error::{Error, Mistake, Result};

/// The size that a file may have, in bytes.
pub(crate) const MAX_SIZE: u64 = 1 << 20;
/// Where fragments stand that describe no collection.
const SHARED: &str = "shared";
const NAME_RULE: &str = "a collection is named by its file: a small letter, then up to 62 letters, digits, `_` or `-`";
const ADVICE: &str =
    "put one JSON Schema per collection into it, such as `books.json`, or name another with `--schemas`";

/// The folder that all files are read from. A file goes by its path below it, `shared/address.json`.
#[derive(Debug)]
pub(super) struct Folder {
    shown: PathBuf,
    home: PathBuf,
}

impl Folder {
    pub(super) fn open(folder: &Path) -> Result<Self> {
        let home = fs::canonicalize(folder).map_err(|error| failed(folder, &error))?;
        Ok(Self { shown: folder.to_owned(), home })
    }

    /// The names of the collections that have a file directly in the folder, in order, and the mistakes in others' names.
    pub(super) fn collections(&self) -> Result<(Vec<String>, Vec<Mistake>)> {
        let (mut names, mut mistakes) = (Vec::new(), Vec::new());
        let failed = |error: io::Error| failed(&self.shown, &error);
        for entry in fs::read_dir(&self.shown).map_err(failed)? {
            let Some(file) = json_file(&entry.map_err(failed)?) else { continue };
            match file.strip_suffix(".json").filter(|name| is_collection_name(name)) {
                Some(name) => names.push(name.to_owned()),
                None => mistakes.push(self.mistake(&file, NAME_RULE)),
            }
        }
        if names.is_empty() && mistakes.is_empty() {
            let shown = self.shown.display();
            return Err(Error::Startup(format!("the folder `{shown}` has no collection files: {ADVICE}")));
        }
        names.sort();
        Ok((names, mistakes))
    }

    /// The fragments that every collection may refer to, in order.
    pub(super) fn fragments(&self) -> Result<Vec<String>> {
        let (mut open, mut files) = (vec![SHARED.to_owned()], Vec::new());
        while let Some(folder) = open.pop() {
            let path = self.shown.join(&folder);
            if !path.is_dir() {
                continue;
            }
            for entry in fs::read_dir(&path).map_err(|error| failed(&path, &error))? {
                let entry = entry.map_err(|error| failed(&path, &error))?;
                open.extend(inner_folder(&entry).map(|name| format!("{folder}/{name}")));
                files.extend(json_file(&entry).map(|file| format!("{folder}/{file}")));
            }
        }
        files.sort();
        Ok(files)
    }

    /// What stands in the file; `None` if there is no such file.
    pub(super) fn read(&self, file: &str) -> Option<Result<String, Mistake>> {
        let path = self.shown.join(file);
        fs::symlink_metadata(&path).ok()?;
        Some(contents(&path, &self.home).map_err(|detail| self.mistake(file, detail)))
    }

    /// The path of the file as messages show it.
    pub(super) fn shown(&self, file: &str) -> String {
        self.shown.join(file).display().to_string()
    }

    fn mistake(&self, file: &str, detail: impl Into<String>) -> Mistake {
        Mistake { path: self.shown(file), pointer: String::new(), detail: detail.into() }
    }
}

fn failed(folder: &Path, error: &io::Error) -> Error {
    let shown = folder.display();
    Error::Startup(match error.kind() {
        io::ErrorKind::NotFound => format!("there is no folder `{shown}`: make it and {ADVICE}"),
        _ => format!("cannot read the folder `{shown}`: {error}"),
    })
}

/// The name of the entry if it is a file of ours. A folder is none; a link that leads nowhere is, and cannot be read.
fn json_file(entry: &DirEntry) -> Option<String> {
    let name = entry.file_name().to_string_lossy().into_owned();
    let is_json = Path::new(&name).extension().is_some_and(|extension| extension == "json");
    let is_folder = || fs::metadata(entry.path()).is_ok_and(|metadata| metadata.is_dir());
    (is_json && !is_folder()).then_some(name)
}

/// The name of the entry if it is a folder of its own. One that a link leads to may be looked at again and again, and
/// files are not at home in a hidden one: Kubernetes mounts them as links into such a folder.
fn inner_folder(entry: &DirEntry) -> Option<String> {
    let name = entry.file_name().to_string_lossy().into_owned();
    let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
    (is_folder && !name.starts_with('.')).then_some(name)
}

/// Says what is wrong with the name of a collection that no file could describe.
pub(crate) fn check_name(name: &str) -> Result<(), &'static str> {
    if is_collection_name(name) { Ok(()) } else { Err(NAME_RULE) }
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
