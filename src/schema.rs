//! The vocabulary: what a collection file says, as the rest of the crate needs it.
//!
//! [`Catalog`] holds one [`Schema`] per collection; a [`Field`] says which BSON types stand at a place of a
//! document and who writes it. How a file is read is in [`load`], how it becomes MongoDB's validator in
//! [`validator`], how MongoDB's verdict is put back into the author's words in [`explain`].

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, LazyLock},
};

use bson::{Document, RawBson};
use indexmap::IndexMap;
use percent_encoding::percent_decode_str;

use crate::json::{SyntaxError, Tree};

pub mod access;
pub mod advice;
pub mod explain;
pub mod face;
pub mod field;
mod format;
pub mod index;
pub mod keywords;
mod kind;
pub mod load;
pub mod meta;
pub mod options;
pub mod pattern;
mod sight;
mod tuple;
pub mod validator;

pub use access::Access;
pub use index::Index;
pub use kind::{Kind, Kinds};
pub use options::Options;
pub(crate) use sight::Sight;
pub use tuple::Tuple;

/// All collections, by name.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    collections: BTreeMap<String, Arc<Schema>>,
}

impl Catalog {
    /// The schema of the collection `name`, if it is declared.
    pub fn get(&self, name: &str) -> Option<&Arc<Schema>> {
        self.collections.get(name)
    }

    /// The same, where documents of the collections with these names may break their validators.
    #[must_use]
    pub fn not_enforcing(mut self, names: &BTreeSet<String>) -> Self {
        for (_, schema) in self.collections.iter_mut().filter(|(name, _)| names.contains(*name)) {
            Arc::make_mut(schema).is_enforced = false;
        }
        self
    }

    /// Every collection, in order of name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Schema>> {
        self.collections.values()
    }

    /// Every role that a file names, each once: `anonymous` too, where one gives it something.
    pub fn roles(&self) -> BTreeSet<&str> {
        self.iter().flat_map(|schema| schema.access.grants.keys()).map(String::as_str).collect()
    }
}

impl FromIterator<Schema> for Catalog {
    fn from_iter<I: IntoIterator<Item = Schema>>(schemas: I) -> Self {
        let prepared = |schema: Schema| Schema { root: schema.root.prepared(), ..schema };
        Self { collections: schemas.into_iter().map(prepared).map(|s| (s.name.clone(), Arc::new(s))).collect() }
    }
}

/// One collection: its documents' shape, its validator and its indexes.
#[derive(Debug, Clone)]
pub struct Schema {
    /// The collection's name.
    pub name: String,
    /// The file as its author wrote it.
    pub source: Source,
    /// The shape of a whole document; its kinds are `object` alone, and `_id` is always among its properties.
    pub root: Field,
    /// `{"$jsonSchema": …}`, as the collection's validator has it.
    pub validator: Document,
    /// The declared indexes; the one on `_id` is not among them.
    pub indexes: Vec<Index>,
    /// Who may do what.
    pub access: Access,
    /// How the collection is kept beside that.
    pub options: Options,
    /// Whether every stored document is known to fulfill the validator. Where it is not, as long as the database holds
    /// writes to another one or to this one not strictly, a page relies on nothing that the file says of sort keys.
    pub is_enforced: bool,
}

impl Schema {
    /// The dotted names of the fields that decide what `$text` finds: those whose words it searches, and those that say
    /// which language these are of; [`index::EVERY_FIELD`] stands for all.
    pub fn text_keys(&self) -> impl Iterator<Item = Cow<'_, str>> {
        self.indexes.iter().flat_map(Index::text_keys)
    }

    /// The shape of `_id`.
    #[expect(clippy::missing_panics_doc, clippy::expect_used, reason = "the loader declares `_id` in every schema")]
    pub fn id(&self) -> &Field {
        let properties = &self.root.properties;
        // Where a file does not speak of it, it comes first.
        let first = properties.first().filter(|(name, _)| *name == "_id").map(|(_, field)| field);
        first.or_else(|| properties.get("_id")).expect("every loaded schema declares `_id`")
    }
}

/// A collection file and the files that it refers to, kept to name rules in their authors' words.
///
/// A place in them is written as it is in a rule's `description`, but without the `#` for the collection's own file:
/// `/properties/isbn`, `shared/address.json#/properties/city`.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// The path of the collection's own file as it is shown in messages, `schemas/books.json`.
    pub path: String,
    /// The texts of all files, one after another, its own first: the spans of all trees are of it.
    pub text: String,
    /// The tree of its own file.
    pub tree: Tree,
    /// The trees of the other files, by their paths below the folder: `shared/address.json`.
    pub files: BTreeMap<String, Tree>,
}

impl Source {
    /// Reads the text of a file that refers to no other.
    ///
    /// # Errors
    /// What is not JSON, or nested deeper than `max_depth`.
    pub fn parse(path: &str, text: String, max_depth: usize) -> Result<Self, SyntaxError> {
        let tree = Tree::parse(text.as_bytes(), max_depth)?;
        Ok(Self { path: path.to_owned(), text, tree, files: BTreeMap::new() })
    }

    /// What a `$ref` (`#`, `#/$defs/isbn`, percent-encoded or not) leads to: the place and the value.
    pub fn resolve(&self, reference: &str) -> Option<(String, &Tree)> {
        let (file, pointer) = reference.split_once('#').unwrap_or((reference, ""));
        let pointer = percent_decode_str(pointer).decode_utf8().ok()?;
        if !(pointer.is_empty() || pointer.starts_with('/')) {
            return None;
        }
        let place = if file.is_empty() { pointer.into_owned() } else { format!("{file}#{pointer}") };
        let tree = self.at(&place)?;
        Some((place, tree))
    }

    /// The value at a place of the files.
    pub fn at(&self, place: &str) -> Option<&Tree> {
        match place.split_once('#').filter(|(file, _)| !file.starts_with('/')) {
            Some((file, pointer)) => self.files.get(file)?.pointer(pointer),
            None => self.tree.pointer(place),
        }
    }
}

/// What is known of the value at one place of a document.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each says one independent thing of a place")]
pub struct Field {
    /// The BSON types that may stand here.
    pub kinds: Kinds,
    /// Declared `type: integer` or `type: number` only: the value is promised, not the BSON type that holds it.
    pub loose_number: bool,
    /// Binary data here is a UUID (subtype 4) rather than plain bytes (subtype 0).
    pub uuid: bool,
    /// The declared members, where an object may stand.
    pub properties: IndexMap<String, Field>,
    /// What other members there may be.
    pub additional: Additional,
    /// The shape of the items, where an array may stand, whichever they are; `None` where nothing is said of them.
    pub items: Option<Box<Field>>,
    /// The shapes of the items by their position, where they differ; [`items`](Self::items) is what any of them has.
    pub tuple: Option<Box<Tuple>>,
    /// The members that an object here must have.
    pub required: Vec<String>,
    /// Filled in when the field is absent.
    pub default: Option<RawBson>,
    /// Clients may not write it.
    pub read_only: bool,
    /// Clients may not read it.
    pub write_only: bool,
    /// It is not there for those who ask: they may neither read nor write it.
    pub hidden: bool,
    /// Something here or below, in members or items, is out of sight.
    pub conceals: bool,
    /// Something here or below, in members, is read-only, or the service writes it, by itself or by a rule. This and the two
    /// beside it are known of the shapes of a [`Catalog`].
    pub owned: bool,
    /// Something here or below, in members, has a default.
    pub defaulted: bool,
    /// What is written here whenever a document is, whatever clients send.
    pub forced: Option<access::Value>,
    /// The service writes it.
    pub set: Option<Set>,
    /// The value is the `_id` of a document of another collection.
    pub reference: Option<Reference>,
    /// How a declared member's name begins it in JSON after another one, `,"name":`; empty where that is not prepared.
    pub label: Box<[u8]>,
    /// How it begins it in BSON: room for the type, the name, a NUL; empty where that is not prepared.
    pub key: Box<[u8]>,
}

/// `x-set`: what the service writes, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Set {
    /// On insert.
    pub insert: Option<Stamp>,
    /// On every update.
    pub update: Option<Stamp>,
}

/// A value that the service makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stamp {
    /// The time of the write.
    Now,
    /// A random UUID (version 4).
    Uuid,
    /// The `$user.id` of the caller.
    User,
}

/// `x-ref`: where a reference points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The collection whose `_id` the field holds.
    pub collection: String,
}

/// What members an object may have beside its declared properties.
#[derive(Debug, Clone, PartialEq)]
pub enum Additional {
    /// Any.
    Any,
    /// None.
    Forbidden,
    /// Those of this shape.
    Shape(Box<Field>),
}

impl Field {
    /// A place of which nothing is said.
    pub fn any() -> Self {
        Self {
            kinds: Kinds::ANY,
            loose_number: false,
            uuid: false,
            properties: IndexMap::new(),
            additional: Additional::Any,
            items: None,
            tuple: None,
            required: Vec::new(),
            default: None,
            read_only: false,
            write_only: false,
            hidden: false,
            conceals: false,
            owned: false,
            defaulted: false,
            forced: None,
            set: None,
            reference: None,
            label: Box::default(),
            key: Box::default(),
        }
    }

    /// Whether clients may not read what stands here.
    #[inline]
    pub fn is_out_of_sight(&self) -> bool {
        self.hidden || self.write_only
    }

    /// Prepares the names of all declared members, which every answer repeats for every document, and what is known of
    /// all that is below.
    #[must_use]
    pub(crate) fn prepared(mut self) -> Self {
        self.conceals = self.is_out_of_sight();
        self.owned = self.read_only || self.set.is_some() || self.forced.is_some();
        self.defaulted = self.default.is_some();
        for (name, field) in &mut self.properties {
            let label = format!(",{}:", serde_json::Value::from(name.as_str())).into_bytes().into();
            let key = format!("\0{name}\0").into_bytes().into();
            *field = Self { label, key, ..take(field).prepared() };
            self.conceals |= field.conceals;
            self.owned |= field.owned;
            self.defaulted |= field.defaulted;
        }
        if let Additional::Shape(field) = &mut self.additional {
            **field = take(field).prepared();
            self.conceals |= field.conceals;
        }
        self.items = self.items.map(|items| Box::new(items.prepared()));
        self.conceals |= self.items.as_ref().is_some_and(|items| items.conceals);
        for field in self.tuple.iter_mut().flat_map(|tuple| tuple.shapes_mut()) {
            *field = take(field).prepared();
        }
        self
    }

    /// Whether an object here may have the member `name`, declared or not. Whether an object may stand here is another
    /// question, for [`kinds`](Self::kinds).
    pub fn allows(&self, name: &str) -> bool {
        self.properties.contains_key(name) || self.additional != Additional::Forbidden
    }

    /// The shape of the member `name` of an object here, a place of which nothing is said when it is not declared.
    pub fn member(&self, name: &str) -> &Field {
        self.properties.get(name).unwrap_or_else(|| self.other())
    }

    /// The shape of the members that are not declared.
    pub(crate) fn other(&self) -> &Field {
        match &self.additional {
            Additional::Shape(field) => field,
            Additional::Any | Additional::Forbidden => &UNKNOWN,
        }
    }

    /// The shape of the member `name` as a client sends it.
    pub fn sent(&self, name: &str) -> &Field {
        self.member(name).as_sent()
    }

    /// The shape of what clients send here: of what is hidden nothing is said.
    #[inline]
    pub(crate) fn as_sent(&self) -> &Field {
        if self.hidden { &UNKNOWN } else { self }
    }

    /// The shape of an item of an array here, whichever it is.
    pub fn item(&self) -> &Field {
        self.items.as_deref().unwrap_or(&UNKNOWN)
    }

    /// The shape of the item at `index`, from 0, of an array here.
    pub fn at(&self, index: usize) -> &Field {
        self.tuple.as_ref().map_or_else(|| self.item(), |tuple| tuple.at(index))
    }

    /// The type that a JSON string stands for here: the only declared type that is written as a string,
    /// or `string` itself wherever it may stand. Other types are then written as Extended JSON.
    #[inline]
    pub fn text_kind(&self) -> Option<Kind> {
        if self.kinds.contains(Kind::String) {
            return Some(Kind::String);
        }
        let textual = if self.loose_number { Kinds::TEXTUAL.without(Kind::Decimal) } else { Kinds::TEXTUAL };
        self.kinds.intersection(textual).single()
    }

    /// The one numeric type that may stand here, if there is just one.
    pub fn number_kind(&self) -> Option<Kind> {
        self.kinds.intersection(Kinds::NUMBERS).single()
    }
}

fn take(field: &mut Field) -> Field {
    std::mem::replace(field, Field::any())
}

static UNKNOWN: LazyLock<Field> = LazyLock::new(Field::any);
