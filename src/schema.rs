//! The vocabulary: what a collection file says, as the rest of the crate needs it.
//!
//! [`Catalog`] holds one [`Schema`] per collection; a [`Field`] says which BSON types stand at a place of a
//! document and who writes it. How a file is read is in [`load`], how it becomes MongoDB's validator in
//! [`validator`], how MongoDB's verdict is put back into the author's words in [`explain`].

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, LazyLock},
};

use bson::{Document, RawBson, spec::ElementType};
use indexmap::IndexMap;
use percent_encoding::percent_decode_str;

use crate::json::Tree;

pub mod explain;
pub mod face;
pub mod field;
pub mod index;
pub mod keywords;
pub mod load;
pub mod pattern;
pub mod validator;

pub use index::Index;

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

    /// Every collection, in order of name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Schema>> {
        self.collections.values()
    }
}

impl FromIterator<Schema> for Catalog {
    fn from_iter<I: IntoIterator<Item = Schema>>(schemas: I) -> Self {
        Self { collections: schemas.into_iter().map(|s| (s.name.clone(), Arc::new(s))).collect() }
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
}

impl Schema {
    /// The shape of `_id`.
    #[expect(clippy::missing_panics_doc, clippy::expect_used, reason = "the loader declares `_id` in every schema")]
    pub fn id(&self) -> &Field {
        self.root.properties.get("_id").expect("every loaded schema declares `_id`")
    }
}

/// A file's text and its tree, kept to name rules in its author's words.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// The path as it is shown in messages, `schemas/books.json`.
    pub path: String,
    /// The text.
    pub text: String,
    /// The text's tree.
    pub tree: Tree,
}

impl Source {
    /// What a local `$ref` (`#`, `#/$defs/isbn`, percent-encoded or not) leads to: the RFC 6901 pointer and the value.
    pub fn resolve(&self, reference: &str) -> Option<(String, &Tree)> {
        let pointer = percent_decode_str(reference.strip_prefix('#')?).decode_utf8().ok()?.into_owned();
        if !(pointer.is_empty() || pointer.starts_with('/')) {
            return None;
        }
        let tree = self.tree.pointer(&pointer)?;
        Some((pointer, tree))
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
    /// The shape of the items, where an array may stand; `None` where nothing is said of them.
    pub items: Option<Box<Field>>,
    /// The members that an object here must have.
    pub required: Vec<String>,
    /// Filled in when the field is absent.
    pub default: Option<RawBson>,
    /// Clients may not write it.
    pub read_only: bool,
    /// Clients may not read it.
    pub write_only: bool,
    /// The service writes it.
    pub set: Option<Set>,
    /// The value is the `_id` of a document of another collection.
    pub reference: Option<Reference>,
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
            required: Vec::new(),
            default: None,
            read_only: false,
            write_only: false,
            set: None,
            reference: None,
        }
    }

    /// The shape of the member `name` of an object here, a place of which nothing is said when it is not declared.
    pub fn member(&self, name: &str) -> &Field {
        match (self.properties.get(name), &self.additional) {
            (Some(field), _) => field,
            (None, Additional::Shape(field)) => field,
            (None, Additional::Any | Additional::Forbidden) => &UNKNOWN,
        }
    }

    /// The shape of an item of an array here.
    pub fn item(&self) -> &Field {
        self.items.as_deref().unwrap_or(&UNKNOWN)
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

static UNKNOWN: LazyLock<Field> = LazyLock::new(Field::any);

/// A BSON type, by the name that `$type` and `bsonType` give it.
///
/// See [BSON types](https://www.mongodb.com/docs/manual/reference/bson-types/).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are MongoDB's own")]
pub enum Kind {
    Double,
    String,
    Object,
    Array,
    BinData,
    Undefined,
    ObjectId,
    Bool,
    Date,
    Null,
    Regex,
    DbPointer,
    JavaScript,
    Symbol,
    JavaScriptWithScope,
    Int,
    Timestamp,
    Long,
    Decimal,
    MinKey,
    MaxKey,
}

impl Kind {
    /// Every type with its name.
    pub const NAMES: [(Kind, &'static str); 21] = [
        (Kind::Double, "double"),
        (Kind::String, "string"),
        (Kind::Object, "object"),
        (Kind::Array, "array"),
        (Kind::BinData, "binData"),
        (Kind::Undefined, "undefined"),
        (Kind::ObjectId, "objectId"),
        (Kind::Bool, "bool"),
        (Kind::Date, "date"),
        (Kind::Null, "null"),
        (Kind::Regex, "regex"),
        (Kind::DbPointer, "dbPointer"),
        (Kind::JavaScript, "javascript"),
        (Kind::Symbol, "symbol"),
        (Kind::JavaScriptWithScope, "javascriptWithScope"),
        (Kind::Int, "int"),
        (Kind::Timestamp, "timestamp"),
        (Kind::Long, "long"),
        (Kind::Decimal, "decimal"),
        (Kind::MinKey, "minKey"),
        (Kind::MaxKey, "maxKey"),
    ];

    /// The type called `name`.
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.into_iter().find(|(_, n)| *n == name).map(|(kind, _)| kind)
    }

    /// The type's name.
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize].1
    }

    /// The type of a BSON value.
    pub fn of(element: ElementType) -> Self {
        match element {
            ElementType::Double => Self::Double,
            ElementType::String => Self::String,
            ElementType::EmbeddedDocument => Self::Object,
            ElementType::Array => Self::Array,
            ElementType::Binary => Self::BinData,
            ElementType::Undefined => Self::Undefined,
            ElementType::ObjectId => Self::ObjectId,
            ElementType::Boolean => Self::Bool,
            ElementType::DateTime => Self::Date,
            ElementType::Null => Self::Null,
            ElementType::RegularExpression => Self::Regex,
            ElementType::DbPointer => Self::DbPointer,
            ElementType::JavaScriptCode => Self::JavaScript,
            ElementType::Symbol => Self::Symbol,
            ElementType::JavaScriptCodeWithScope => Self::JavaScriptWithScope,
            ElementType::Int32 => Self::Int,
            ElementType::Timestamp => Self::Timestamp,
            ElementType::Int64 => Self::Long,
            ElementType::Decimal128 => Self::Decimal,
            ElementType::MinKey => Self::MinKey,
            ElementType::MaxKey => Self::MaxKey,
        }
    }
}

/// A set of BSON types.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Kinds(u32);

impl Kinds {
    /// Every type.
    pub const ANY: Self = Self((1 << Kind::NAMES.len()) - 1);
    /// No type.
    pub const NONE: Self = Self(0);
    /// `int`, `long`, `double` and `decimal`.
    pub const NUMBERS: Self =
        Self(1 << Kind::Int as u32 | 1 << Kind::Long as u32 | 1 << Kind::Double as u32 | 1 << Kind::Decimal as u32);

    /// The types beside `string` that JSON has as strings.
    const TEXTUAL: Self = Self(
        1 << Kind::ObjectId as u32 | 1 << Kind::Date as u32 | 1 << Kind::BinData as u32 | 1 << Kind::Decimal as u32,
    );

    /// Whether `kind` is in the set.
    pub const fn contains(self, kind: Kind) -> bool {
        self.0 & (1 << kind as u32) != 0
    }

    /// The types in both sets.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The types in either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The set without `kind`.
    const fn without(self, kind: Kind) -> Self {
        Self(self.0 & !(1 << kind as u32))
    }

    /// The only type in the set, if there is just one.
    fn single(self) -> Option<Kind> {
        self.0.is_power_of_two().then(|| Kind::NAMES[self.0.trailing_zeros() as usize].0)
    }

    /// The types in the set.
    pub fn iter(self) -> impl Iterator<Item = Kind> {
        Kind::NAMES.into_iter().map(|(kind, _)| kind).filter(move |kind| self.contains(*kind))
    }
}

impl From<Kind> for Kinds {
    fn from(kind: Kind) -> Self {
        Self(1 << kind as u32)
    }
}

impl FromIterator<Kind> for Kinds {
    fn from_iter<I: IntoIterator<Item = Kind>>(kinds: I) -> Self {
        kinds.into_iter().fold(Self::NONE, |set, kind| set.union(kind.into()))
    }
}

impl fmt::Debug for Kinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::ANY {
            f.write_str("any")
        } else {
            f.debug_set().entries(self.iter().map(Kind::name)).finish()
        }
    }
}
