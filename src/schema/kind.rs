//! BSON types, and sets of them.

use std::fmt;

use bson::spec::ElementType;

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
    pub(super) const TEXTUAL: Self = Self(
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
    pub(super) const fn without(self, kind: Kind) -> Self {
        Self(self.0 & !(1 << kind as u32))
    }

    /// The only type in the set, if there is just one.
    pub(super) fn single(self) -> Option<Kind> {
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
