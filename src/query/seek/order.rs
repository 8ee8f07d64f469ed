//! MongoDB's order over all types, as sets of sort keys that a filter can ask for.

use bson::{Bson, Document, doc};

use crate::schema::{Kind, Kinds};

/// The types in MongoDB's order; those of one bracket compare with each other.
///
/// See [comparison and sort order](https://www.mongodb.com/docs/manual/reference/bson-type-comparison-order/).
const BRACKETS: [&[Kind]; 17] = [
    &[Kind::MinKey],
    &[Kind::Undefined],
    &[Kind::Null],
    &[Kind::Double, Kind::Int, Kind::Long, Kind::Decimal],
    &[Kind::String, Kind::Symbol],
    &[Kind::Object],
    &[Kind::Array],
    &[Kind::BinData],
    &[Kind::ObjectId],
    &[Kind::Bool],
    &[Kind::Date],
    &[Kind::Timestamp],
    &[Kind::Regex],
    &[Kind::DbPointer],
    &[Kind::JavaScript],
    &[Kind::JavaScriptWithScope],
    &[Kind::MaxKey],
];

/// The types that are neither containers nor have one value only, and can be compared with.
const SCALARS: [Kind; 11] = [
    Kind::Double,
    Kind::Int,
    Kind::Long,
    Kind::Decimal,
    Kind::String,
    Kind::BinData,
    Kind::ObjectId,
    Kind::Bool,
    Kind::Date,
    Kind::Timestamp,
    Kind::JavaScript,
];

/// A place in the order of types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bracket(usize);

impl Bracket {
    /// Where missing fields and `null` stand.
    pub(super) const NULL: Self = Self(2);
    const UNDEFINED: Self = Self(1);
    const NUMBERS: Self = Self(3);
    const ARRAY: Self = Self(6);

    /// Where the value stands.
    pub(super) fn of(value: &Bson) -> Self {
        Self::of_kind(Kind::of(value.element_type()))
    }

    /// Where the types stand, if they are scalars of one place; `null` may be among them.
    pub(super) fn of_scalars(kinds: Kinds) -> Option<Self> {
        let mut scalars = kinds.iter().filter(|kind| *kind != Kind::Null);
        let bracket = Self::of_kind(scalars.next().filter(|kind| SCALARS.contains(kind))?);
        scalars.all(|kind| Self::of_kind(kind) == bracket).then_some(bracket)
    }

    fn of_kind(kind: Kind) -> Self {
        Self(BRACKETS.iter().position(|kinds| kinds.contains(&kind)).unwrap_or_default())
    }

    fn kinds(self) -> &'static [Kind] {
        BRACKETS[self.0]
    }
}

/// A set of sort keys.
#[derive(Debug, Clone, Default)]
pub(super) struct Keys {
    /// `null` is in it, the key of what is missing too.
    pub(super) null: bool,
    /// Conditions on a field, one of which its value or, in an array, an item meets if it is in the set; but for `null`.
    pub(super) operators: Vec<Document>,
}

impl Keys {
    /// The keys that are equal to `key`.
    pub(super) fn equal(key: &Bson) -> Self {
        let bracket = Bracket::of(key);
        let mut keys = Self::default();
        match bracket {
            Bracket::ARRAY => keys.operators.push(doc! { "$elemMatch": { "$eq": key.clone() } }),
            // As an operand each of these has a meaning of its own.
            _ if matches!(key, Bson::Null | Bson::Undefined | Bson::MinKey | Bson::MaxKey) => keys.add([bracket]),
            _ => keys.operators.push(doc! { "$eq": key.clone() }),
        }
        keys
    }

    /// The keys that come before `key` where the order is ascending, after it where it is `descending`.
    pub(super) fn passed(key: &Bson, descending: bool) -> Self {
        let bracket = Bracket::of(key);
        let brackets = if descending { bracket.0 + 1..BRACKETS.len() } else { 0..bracket.0 };
        let mut keys = Self::default();
        keys.add(brackets.map(Bracket));
        keys.add_within(key, descending);
        keys
    }

    /// Whether no key is in the set.
    pub(super) fn is_empty(&self) -> bool {
        !self.null && self.operators.is_empty()
    }

    /// Adds all keys of the brackets.
    fn add(&mut self, brackets: impl IntoIterator<Item = Bracket>) {
        let mut types = Vec::new();
        for bracket in brackets {
            match bracket {
                Bracket::NULL => self.null = true,
                // The type alone would be that of the whole array.
                Bracket::ARRAY => self.operators.push(doc! { "$elemMatch": { "$type": Kind::Array.name() } }),
                _ => types.extend(bracket.kinds().iter().map(|kind| kind.name())),
            }
            if bracket == Bracket::UNDEFINED {
                // The key of an array without items.
                self.operators.push(doc! { "$size": 0 });
            }
        }
        if !types.is_empty() {
            self.operators.push(doc! { "$type": types });
        }
    }

    /// Adds the keys of the bracket of `key` on the one side of it.
    fn add_within(&mut self, key: &Bson, descending: bool) {
        let operator = if descending { "$gt" } else { "$lt" };
        match Bracket::of(key) {
            _ if matches!(key, Bson::Null | Bson::Undefined | Bson::MinKey | Bson::MaxKey) => {}
            Bracket::ARRAY => self.operators.push(doc! { "$elemMatch": { operator: key.clone() } }),
            Bracket::NUMBERS if is_nan(key) && descending => self.operators.push(doc! { "$gte": f64::NEG_INFINITY }),
            Bracket::NUMBERS if is_nan(key) => {}
            Bracket::NUMBERS if !descending => {
                self.operators.extend([doc! { "$lt": key.clone() }, doc! { "$eq": f64::NAN }]);
            }
            _ => self.operators.push(doc! { operator: key.clone() }),
        }
    }
}

/// Whether the value is no number, which sorts below all numbers and compares with itself only.
pub(super) fn is_nan(value: &Bson) -> bool {
    match value {
        Bson::Double(number) => number.is_nan(),
        // IEEE 754: the five bits after the sign are set.
        Bson::Decimal128(number) => number.bytes()[15] & 0x7c == 0x7c,
        _ => false,
    }
}
