//! How MongoDB compares a stored value with the scalar of a filter.
//!
//! See [comparison order](https://www.mongodb.com/docs/manual/reference/bson-type-comparison-order/). Only values of one
//! type compare, but all numbers do, and strings with symbols.

use std::cmp::Ordering;

use bson::{Bson, Decimal128, raw::RawBsonRef, spec::BinarySubtype};

/// The order of what was `found`, `None` if it is missing, and the value of a filter; `None` where they do not compare.
pub(super) fn compare(found: Option<RawBsonRef<'_>>, with: &Bson) -> Option<Ordering> {
    use RawBsonRef::{Binary, Boolean, DateTime, Null, ObjectId, String, Symbol, Timestamp, Undefined};
    match (found.unwrap_or(Null), with) {
        (Null | Undefined, Bson::Null) => Some(Ordering::Equal),
        (String(a) | Symbol(a), Bson::String(b)) => Some(a.cmp(b)),
        (Boolean(a), Bson::Boolean(b)) => Some(a.cmp(b)),
        (ObjectId(a), Bson::ObjectId(b)) => Some(a.cmp(b)),
        (DateTime(a), Bson::DateTime(b)) => Some(a.cmp(b)),
        (Timestamp(a), Bson::Timestamp(b)) => Some((a.time, a.increment).cmp(&(b.time, b.increment))),
        (Binary(a), Bson::Binary(b)) => Some(binary((a.subtype, a.bytes)).cmp(&binary((b.subtype, &b.bytes)))),
        (found, with) => Number::stored(found)?.compare(Number::given(with)?),
    }
}

/// The order of two numbers, exact whatever their types; `None` for what is none, and of NaN and a number.
pub(crate) fn compare_numbers(a: &Bson, b: &Bson) -> Option<Ordering> {
    Number::given(a)?.compare(Number::given(b)?)
}

/// What binary data is ordered by: length, subtype, bytes.
fn binary((subtype, bytes): (BinarySubtype, &[u8])) -> (usize, u8, &[u8]) {
    // The bytes of this subtype begin with their length once more, which counts.
    let twice = if subtype == BinarySubtype::BinaryOld { size_of::<i32>() } else { 0 };
    (bytes.len() + twice, subtype.into(), bytes)
}

/// A number of any type.
#[derive(Debug, Clone, Copy)]
enum Number {
    Whole(i64),
    Double(f64),
    Decimal(Decimal128),
}

impl Number {
    fn stored(value: RawBsonRef<'_>) -> Option<Self> {
        match value {
            RawBsonRef::Int32(number) => Some(Self::Whole(number.into())),
            RawBsonRef::Int64(number) => Some(Self::Whole(number)),
            RawBsonRef::Double(number) => Some(Self::Double(number)),
            RawBsonRef::Decimal128(number) => Some(Self::Decimal(number)),
            _ => None,
        }
    }

    fn given(value: &Bson) -> Option<Self> {
        match value {
            Bson::Int32(number) => Some(Self::Whole((*number).into())),
            Bson::Int64(number) => Some(Self::Whole(*number)),
            Bson::Double(number) => Some(Self::Double(*number)),
            Bson::Decimal128(number) => Some(Self::Decimal(*number)),
            _ => None,
        }
    }

    /// Exact, whatever the types. NaN equals NaN and does not compare with other numbers.
    fn compare(self, other: Self) -> Option<Ordering> {
        match (self.is_nan(), other.is_nan()) {
            (true, true) => return Some(Ordering::Equal),
            (false, false) => {}
            _ => return None,
        }
        match (self, other) {
            (Self::Whole(a), Self::Whole(b)) => Some(a.cmp(&b)),
            (Self::Double(a), Self::Double(b)) => a.partial_cmp(&b),
            (Self::Whole(a), Self::Double(b)) => whole_and_double(a, b),
            (Self::Double(a), Self::Whole(b)) => whole_and_double(b, a).map(Ordering::reverse),
            (Self::Decimal(a), Self::Double(b)) => decimal_and_double(a, b),
            (Self::Double(a), Self::Decimal(b)) => decimal_and_double(b, a).map(Ordering::reverse),
            (a, b) => Some(Digits::of(&a.exactly()).compare(&Digits::of(&b.exactly()))),
        }
    }

    fn is_nan(self) -> bool {
        match self {
            Self::Whole(_) => false,
            Self::Double(number) => number.is_nan(),
            // IEEE 754: the five bits after the sign are set.
            Self::Decimal(number) => number.bytes()[15] & 0x7c == 0x7c,
        }
    }

    /// All of its digits.
    fn exactly(self) -> String {
        match self {
            Self::Whole(number) => number.to_string(),
            // No double has more than 767 digits.
            Self::Double(number) => format!("{number:.766e}"),
            Self::Decimal(number) => number.to_string(),
        }
    }
}

fn whole_and_double(whole: i64, double: f64) -> Option<Ordering> {
    // The first double beyond all of them.
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    if !(-BEYOND..BEYOND).contains(&double) {
        return 0.0.partial_cmp(&double);
    }
    #[expect(clippy::cast_possible_truncation, reason = "without its fraction, a double in this range is an i64")]
    let order = whole.cmp(&(double.trunc() as i64));
    Some(order.then(0.0.partial_cmp(&double.fract())?))
}

fn decimal_and_double(decimal: Decimal128, double: f64) -> Option<Ordering> {
    let text = decimal.to_string();
    // Rounding keeps the order, and for most pairs it tells them apart.
    match text.parse::<f64>().ok()?.partial_cmp(&double)? {
        Ordering::Equal => Some(Digits::of(&text).compare(&Digits::of(&Number::Double(double).exactly()))),
        order => Some(order),
    }
}

/// A number as decimal digits.
#[derive(Debug)]
struct Digits<'t> {
    negative: bool,
    /// How many of the digits stand before the point, or zeros between it and them if negative; the greatest of all
    /// for infinity.
    point: i64,
    /// What stands before and after the point in the text, without zeros at either end of both together; nothing in
    /// zero.
    parts: [&'t str; 2],
}

impl<'t> Digits<'t> {
    /// What `text` says, which is a number as Rust or `bson` prints it.
    fn of(text: &'t str) -> Self {
        let unsigned = text.trim_start_matches('-');
        let negative = unsigned.len() < text.len();
        let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
        if !unsigned.starts_with(|c: char| c.is_ascii_digit()) {
            return Self { negative, point: i64::MAX, parts: ["1", ""] };
        }
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let fraction = fraction.trim_end_matches('0');
        let whole = whole.trim_start_matches('0');
        let exponent = exponent.trim_start_matches('+').parse().unwrap_or(0_i64);
        let (point, parts) = if whole.is_empty() {
            let digits = fraction.trim_start_matches('0');
            let zeros = fraction.len() - digits.len();
            (exponent - i64::try_from(zeros).unwrap_or(i64::MAX), [digits, ""])
        } else {
            let length = i64::try_from(whole.len()).unwrap_or(i64::MAX);
            let whole = if fraction.is_empty() { whole.trim_end_matches('0') } else { whole };
            (exponent + length, [whole, fraction])
        };
        Self { negative, point, parts }
    }

    fn compare(&self, other: &Self) -> Ordering {
        let digits = |number: &Self| number.parts.map(str::bytes).into_iter().flatten();
        let magnitude = || self.point.cmp(&other.point).then_with(|| digits(self).cmp(digits(other)));
        match self.sign().cmp(&other.sign()) {
            Ordering::Equal if self.sign() == 0 => Ordering::Equal,
            Ordering::Equal if self.negative => magnitude().reverse(),
            Ordering::Equal => magnitude(),
            order => order,
        }
    }

    fn sign(&self) -> i8 {
        match (self.parts, self.negative) {
            (["", _], _) => 0,
            (_, true) => -1,
            (_, false) => 1,
        }
    }
}
