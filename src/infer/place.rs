//! What is known of one place of the documents: a field, the items of a list, the values of a map.

use bson::{RawArray, raw::RawBsonRef, spec::BinarySubtype};

use super::{object::Object, text::Texts};
use crate::schema::{Kind, Kinds};

/// What may still be kept, and how much deeper documents are looked into.
#[derive(Debug, Clone)]
pub(super) struct Room {
    /// Places.
    pub(super) places: usize,
    /// Bytes of names.
    pub(super) bytes: usize,
    /// Levels of objects and lists.
    pub(super) depth: usize,
}

impl Room {
    /// Takes a place with a name of `bytes` bytes, if there is room for it.
    pub(super) fn take(&mut self, bytes: usize) -> bool {
        let (places, bytes) = (self.places.checked_sub(1), self.bytes.checked_sub(bytes));
        let (Some(places), Some(bytes)) = (places, bytes) else { return false };
        (self.places, self.bytes) = (places, bytes);
        true
    }

    /// Looks into something one level deeper; `None` where that is too deep.
    pub(super) fn enter<T>(&mut self, look: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.depth = self.depth.checked_sub(1)?;
        let seen = look(self);
        self.depth += 1;
        Some(seen)
    }
}

/// The least and the greatest of what was seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Span<T>(pub(super) Option<(T, T)>);

impl<T> Default for Span<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: PartialOrd + Copy> Span<T> {
    pub(super) fn widen(&mut self, value: T) {
        self.merge(Self(Some((value, value))));
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.0 = match (self.0, other.0) {
            (Some((a, b)), Some((c, d))) => Some((if c < a { c } else { a }, if d > b { d } else { b })),
            (one, other) => one.or(other),
        };
    }

    /// The one value there is, if there is just one.
    pub(super) fn single(self) -> Option<T> {
        self.0.filter(|(least, greatest)| least == greatest).map(|(value, _)| value)
    }
}

/// The values seen at one place.
#[derive(Debug, Clone, Default)]
pub(super) struct Place {
    /// How many there were of each type.
    counts: [u64; Kind::NAMES.len()],
    /// Some could not be read: nothing can be said of the place.
    pub(super) unknown: bool,
    /// The numbers, without those that are not finite.
    pub(super) numbers: Span<f64>,
    /// One of the doubles and decimals is not known to be a whole number.
    pub(super) fractions: bool,
    /// The dates, in milliseconds since 1970.
    pub(super) dates: Span<i64>,
    pub(super) texts: Texts,
    /// Some binary data is no UUID.
    pub(super) plain_bytes: bool,
    pub(super) object: Option<Box<Object>>,
    pub(super) list: Option<Box<List>>,
}

/// The arrays seen at one place.
#[derive(Debug, Clone, Default)]
pub(super) struct List {
    /// How many items they have.
    pub(super) lengths: Span<u64>,
    pub(super) item: Place,
}

impl Place {
    /// A place of which nothing can be said.
    pub(super) fn unknown() -> Self {
        Self { unknown: true, ..Self::default() }
    }

    /// The types of the values.
    pub(super) fn kinds(&self) -> Kinds {
        Kind::NAMES.into_iter().map(|(kind, _)| kind).filter(|kind| self.count(*kind) > 0).collect()
    }

    /// How many values of the type there were.
    pub(super) fn count(&self, kind: Kind) -> u64 {
        self.counts[kind as usize]
    }

    /// How many values there were.
    pub(super) fn seen(&self) -> u64 {
        self.counts.iter().sum()
    }

    pub(super) fn observe(&mut self, value: RawBsonRef<'_>, room: &mut Room) {
        if self.unknown {
            return;
        }
        self.counts[Kind::of(value.element_type()) as usize] += 1;
        match value {
            RawBsonRef::Int32(number) => self.numbers.widen(number.into()),
            #[expect(clippy::cast_precision_loss, reason = "it is shown to people only")]
            RawBsonRef::Int64(number) => self.numbers.widen(number as f64),
            RawBsonRef::Double(number) => self.number(number, is_whole(number)),
            RawBsonRef::Decimal128(number) => self.number(number.to_string().parse().unwrap_or(f64::NAN), false),
            RawBsonRef::DateTime(date) => self.dates.widen(date.timestamp_millis()),
            RawBsonRef::String(text) => self.texts.observe(text),
            RawBsonRef::Binary(data) => {
                self.plain_bytes |= data.subtype != BinarySubtype::Uuid || data.bytes.len() != 16;
            }
            RawBsonRef::Document(document) => {
                let object = self.object.get_or_insert_default();
                if room.enter(|room| object.observe(document, room)).is_none() {
                    object.give_up();
                }
            }
            RawBsonRef::Array(items) => {
                let list = self.list.get_or_insert_with(|| Box::new(List::within(room)));
                if room.enter(|room| list.observe(items, room)).is_none() {
                    list.item = Self::unknown();
                }
            }
            _ => {}
        }
    }

    fn number(&mut self, number: f64, whole: bool) {
        self.fractions |= !whole;
        if number.is_finite() {
            self.numbers.widen(number);
        }
    }

    /// Takes all that was seen at another place into account.
    pub(super) fn merge(&mut self, other: Self) {
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count += more;
        }
        self.unknown |= other.unknown;
        self.numbers.merge(other.numbers);
        self.fractions |= other.fractions;
        self.dates.merge(other.dates);
        self.texts.merge(other.texts);
        self.plain_bytes |= other.plain_bytes;
        match (&mut self.object, other.object) {
            (Some(object), Some(other)) => object.merge(*other),
            (object, other) => *object = object.take().or(other),
        }
        match (&mut self.list, other.list) {
            (Some(list), Some(other)) => list.merge(*other),
            (list, other) => *list = list.take().or(other),
        }
    }

    /// How much room it takes, its own name not counted.
    pub(super) fn size(&self) -> (usize, usize) {
        let object = self.object.as_ref().map_or((0, 0), |object| object.size());
        let list = self.list.as_ref().map_or((0, 0), |list| list.item.size());
        (1 + object.0 + list.0, object.1 + list.1)
    }

    /// Makes room for a field below, which documents need not have.
    pub(super) fn expect(&mut self, path: &[&str], room: &mut Room) {
        if let Some(object) = &mut self.object {
            object.expect(path, room);
        }
        if let (Some(list), Some((name, rest))) = (&mut self.list, path.split_first()) {
            let numbered = name.parse::<u32>().is_ok();
            list.item.expect(if numbered { rest } else { path }, room);
        }
    }
}

impl List {
    /// A list of whose items something can be said if there is room for it.
    fn within(room: &mut Room) -> Self {
        let item = if room.take(0) { Place::default() } else { Place::unknown() };
        Self { item, ..Self::default() }
    }

    fn observe(&mut self, items: &RawArray, room: &mut Room) {
        let mut length = 0;
        for item in items {
            length += 1;
            match item {
                Ok(value) => self.item.observe(value, room),
                Err(_) => self.item.unknown = true,
            }
        }
        self.lengths.widen(length);
    }

    fn merge(&mut self, other: Self) {
        self.lengths.merge(other.lengths);
        self.item.merge(other.item);
    }
}

/// Whether the number is whole for certain, for MongoDB as well: above 2^53 every double is.
fn is_whole(number: f64) -> bool {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    number.fract() == 0.0 && number.abs() < EXACT
}
