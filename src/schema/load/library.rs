//! Every file that is read, once, by its path below the schemas folder.

use std::collections::{BTreeMap, BTreeSet};

use super::{MAX_DEPTH, folder::Folder};
use crate::{error::Mistake, json::Tree};

/// The files read so far.
pub(super) struct Library {
    /// Where more files are; none where one file stands alone.
    folder: Option<Folder>,
    files: BTreeMap<String, Entry>,
}

/// What there is under a path.
pub(super) enum Entry {
    /// JSON.
    Read { text: String, tree: Tree },
    /// A file that cannot be read, or is not JSON.
    Broken(Mistake),
    /// No file.
    Missing,
}

impl Library {
    pub(super) fn of(folder: Folder) -> Self {
        Self { folder: Some(folder), files: BTreeMap::new() }
    }

    /// Only the file `file` with this text, which messages call `path`.
    pub(super) fn of_one(file: &str, path: &str, text: String) -> Self {
        Self { folder: None, files: BTreeMap::from([(file.to_owned(), Entry::parse(path, text))]) }
    }

    pub(super) fn get(&mut self, file: &str) -> &Entry {
        let folder = self.folder.as_ref();
        self.files.entry(file.to_owned()).or_insert_with(|| {
            match folder.and_then(|folder| Some((folder, folder.read(file)?))) {
                Some((folder, Ok(text))) => Entry::parse(&folder.shown(file), text),
                Some((_, Err(mistake))) => Entry::Broken(mistake),
                None => Entry::Missing,
            }
        })
    }

    /// The path of the file as messages show it.
    pub(super) fn shown(&self, file: &str) -> String {
        self.folder.as_ref().map_or_else(|| file.to_owned(), |folder| folder.shown(file))
    }

    /// The files that could be read, but for those of `known`.
    pub(super) fn beside(&self, known: &BTreeSet<String>) -> Vec<String> {
        let read = self.files.iter().filter(|(_, entry)| matches!(entry, Entry::Read { .. }));
        read.map(|(file, _)| file).filter(|file| !known.contains(*file)).cloned().collect()
    }

    /// The mistakes of the files that could not be read.
    pub(super) fn mistakes(&self) -> impl Iterator<Item = &Mistake> {
        self.files.values().filter_map(|entry| if let Entry::Broken(mistake) = entry { Some(mistake) } else { None })
    }
}

impl Entry {
    fn parse(path: &str, text: String) -> Self {
        match Tree::parse(text.as_bytes(), MAX_DEPTH) {
            Ok(tree) => Self::Read { text, tree },
            Err(error) => {
                Self::Broken(Mistake { path: path.to_owned(), pointer: String::new(), detail: error.to_string() })
            }
        }
    }
}
