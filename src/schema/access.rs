//! `x-access`: which roles may do what with the documents of a collection. Who has which role is not known here.

use bson::Bson;
use indexmap::IndexMap;
use serde_json::Value as Json;

use super::Field;

mod filter;
mod load;
mod value;

pub(crate) use filter::compare_numbers;
pub(super) use load::{OPTIONS, operation_names};

/// The role of callers without credentials. What it may do, everyone may do.
pub const ANONYMOUS: &str = "anonymous";

/// The role that alone may use a collection whose file has no `x-access`.
pub const ADMIN: &str = "admin";

/// The most roles that one collection file may name.
pub const MAX_ROLES: usize = 64;

/// The grants of a collection, by role, in the file's order; at most [`MAX_ROLES`].
#[derive(Debug, Clone, PartialEq)]
pub struct Access {
    /// What each role may do.
    pub grants: IndexMap<String, Grant>,
}

/// What a role may do.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Grant {
    /// The operations that it may use.
    pub ops: Ops,
    /// The documents that exist for it; all without.
    pub filter: Option<Filter<Value>>,
    /// What is forced on the documents that it writes: dotted names and values.
    pub set: Vec<(String, Value)>,
    /// The dotted names of fields that do not exist for it.
    pub hide: Vec<String>,
    /// The dotted names of fields that it may not write.
    pub read_only: Vec<String>,
}

/// Something that can be done with the documents of a collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Op {
    Read,
    Insert,
    Update,
    Delete,
    Aggregate,
    Changes,
    Export,
    Import,
}

/// A set of operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ops(u8);

/// A value of a rule: `V` is [`Value`] in a collection file, [`Bson`] once it is known who asks.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter<V> {
    /// `$and`, and the members of one object.
    All(Vec<Filter<V>>),
    /// `$or`
    Any(Vec<Filter<V>>),
    /// `$nor`
    None(Vec<Filter<V>>),
    /// `$eq`, `$gt`, … of the field with a dotted name and a value.
    Compare(String, Comparison, V),
    /// `$in` (true) or `$nin` (false) of the field with a dotted name and values.
    In(String, bool, V),
    /// `$exists` of the field with a dotted name.
    Exists(String, bool),
}

/// How a field and a value are compared, as MongoDB does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are MongoDB's own")]
pub enum Comparison {
    Eq,
    Ne,
    Gt,
    Gte,
    Lt,
    Lte,
}

/// A value that a rule compares with or sets.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// The same for every caller; the list of `$in` and `$nin` as an array.
    Constant(Bson),
    /// `$user.…`: what is known of the caller under this name, as a value of this shape.
    User(String, Box<Field>),
}

/// A caller, as rules know it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct User {
    /// `$user.id`: an API key's id or a token's subject.
    pub id: String,
    /// `$user.name`: for people.
    pub name: String,
    /// `$user.…`: what else is known of it.
    pub attributes: IndexMap<String, Json>,
}

impl Op {
    /// The operations with their names in `x-access`.
    pub const NAMES: [(&'static str, Self); 8] = [
        ("read", Self::Read),
        ("insert", Self::Insert),
        ("update", Self::Update),
        ("delete", Self::Delete),
        ("aggregate", Self::Aggregate),
        ("changes", Self::Changes),
        ("export", Self::Export),
        ("import", Self::Import),
    ];

    /// Its name in `x-access`.
    pub fn name(self) -> &'static str {
        Self::NAMES.into_iter().find(|(_, op)| *op == self).map_or("", |(name, _)| name)
    }
}

impl Ops {
    /// Every operation.
    pub const ALL: Self = Self(u8::MAX);

    /// Whether `op` is among them.
    pub fn contain(self, op: Op) -> bool {
        self.0 & (1 << op as u8) != 0
    }

    /// These and `op`.
    #[must_use]
    pub fn with(self, op: Op) -> Self {
        Self(self.0 | 1 << op as u8)
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// These and those.
    #[must_use]
    pub fn union(self, more: Self) -> Self {
        Self(self.0 | more.0)
    }
}

impl Grant {
    /// Whether it hides, protects and forces no field.
    pub fn leaves_all_fields(&self) -> bool {
        self.set.is_empty() && self.hide.is_empty() && self.read_only.is_empty()
    }

    /// The dotted names of the fields that it leaves nobody to write.
    pub fn closed(&self) -> impl Iterator<Item = &str> {
        let set = self.set.iter().map(|(name, _)| name);
        self.hide.iter().chain(&self.read_only).chain(set).map(String::as_str)
    }
}

impl Access {
    /// What a file without `x-access` gives: everything to [`ADMIN`].
    pub fn admin_only() -> Self {
        let grant = Grant { ops: Ops::ALL, ..Grant::default() };
        Self { grants: [(ADMIN.to_owned(), grant)].into_iter().collect() }
    }
}
