//! Stored documents in, a first collection file for them out.
//!
//! A [`Census`] is shown documents one by one and keeps, in bounded memory, what they have in common; [`file()`] writes
//! that down as a collection file. `place` is what is known of one place of the documents, `object` and `text` of the
//! objects and strings there; `format` and `alphabet` know what strings look like; `schema` turns places into keywords,
//! `comment` into words; `index` declares an index that exists; `layout` prints.
//!
//! Nothing is read from a database here, and nothing is checked: see `sync::adopt`.

use bson::RawDocument;

use crate::schema::{Field, Index, keywords};

mod alphabet;
mod comment;
mod format;
mod index;
mod layout;
mod object;
mod place;
mod schema;
mod text;

pub use index::undeclarable;
use layout::{Members, Value};
use object::Object;
use place::Room;

/// How many places of the documents are kept apart. A file may have 10,000 schemas.
const MAX_PLACES: usize = 1500;

/// How many bytes the names of all places may take together. A file may have 1 MiB.
const MAX_NAME_BYTES: usize = 64 << 10;

/// How deep objects and lists are looked into. Schemas may stand 32 deep in each other.
const MAX_DEPTH: usize = 16;

/// What a number of documents have in common.
///
/// Whatever it has been shown, the file made of it accepts.
#[derive(Debug, Clone)]
pub struct Census {
    root: Object,
    room: Room,
}

impl Default for Census {
    fn default() -> Self {
        let room = Room { places: MAX_PLACES, bytes: MAX_NAME_BYTES, depth: MAX_DEPTH };
        Self { root: Object::of_documents(), room }
    }
}

impl Census {
    /// Takes one more document into account.
    pub fn observe(&mut self, document: &RawDocument) {
        self.root.observe(document, &mut self.room);
    }

    /// Makes room for the fields that an index is on, which documents need not have.
    pub fn expect(&mut self, index: &Index) {
        for path in index::paths(index) {
            let path: Vec<_> = path.split('.').collect();
            self.root.expect(&path, &mut self.room);
        }
    }
}

/// What goes into a file beside the documents' shape.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// What is to be known of the file as a whole; each a sentence without its full stop.
    pub notes: Vec<String>,
    /// Whether change streams of the collection tell what documents were before.
    pub pre_images: bool,
    /// The indexes to declare, with the shape of the documents, which gives their values their form.
    pub indexes: Vec<Index>,
    /// Only types, names and which of them are always there: nothing that is a guess.
    pub plain: bool,
}

/// The file: JSON text with a line feed at its end. `root` is the shape of the documents by a file without indexes.
pub fn file(census: &Census, facts: &Facts, root: &Field) -> String {
    let mut file = Members::default();
    file.put("$schema", Value::text(keywords::DRAFT));
    let notes: Vec<_> =
        facts.notes.iter().map(String::as_str).chain(comment::undeclared(&census.root)).map(capitalized).collect();
    if !notes.is_empty() {
        file.put("$comment", Value::text(&format!("{}.", notes.join(". "))));
    }
    file.put("type", Value::text("object"));
    schema::members(&census.root, facts.plain, &mut file);
    if facts.pre_images {
        let options = [("preImages".to_owned(), Value::Raw("true".to_owned()))];
        file.put("x-collection", Value::Object(options.into_iter().collect()));
    }
    if !facts.indexes.is_empty() {
        let indexes = facts.indexes.iter().map(|index| Value::Object(index::declaration(index, root)));
        file.put("x-indexes", Value::List(indexes.collect()));
    }
    layout::print(&file)
}

fn capitalized(sentence: &str) -> String {
    let mut rest = sentence.chars();
    rest.next().map(|first| first.to_uppercase().chain(rest).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
