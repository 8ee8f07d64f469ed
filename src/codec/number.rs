//! Numbers: which BSON type holds the digits of a JSON number. No digits are ever lost in silence.

use bson::{Decimal128, RawBson, spec::ElementType};
use jiter::Jiter;

use crate::schema::{Field, Kind, Kinds};

/// A number of one of BSON's types.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Number {
    Int(i32),
    Long(i64),
    Double(f64),
    Decimal(Decimal128),
}

impl Number {
    /// Appends the value without its key.
    #[inline]
    pub(super) fn append(self, out: &mut Vec<u8>) -> ElementType {
        match self {
            Self::Int(number) => out.extend_from_slice(&number.to_le_bytes()),
            Self::Long(number) => out.extend_from_slice(&number.to_le_bytes()),
            Self::Double(number) => out.extend_from_slice(&number.to_le_bytes()),
            Self::Decimal(number) => out.extend_from_slice(&number.bytes()),
        }
        match self {
            Self::Int(_) => ElementType::Int32,
            Self::Long(_) => ElementType::Int64,
            Self::Double(_) => ElementType::Double,
            Self::Decimal(_) => ElementType::Decimal128,
        }
    }
}

impl From<Number> for RawBson {
    fn from(number: Number) -> Self {
        match number {
            Number::Int(number) => Self::Int32(number),
            Number::Long(number) => Self::Int64(number),
            Number::Double(number) => Self::Double(number),
            Number::Decimal(number) => Self::Decimal128(number),
        }
    }
}

/// The number `digits` (by JSON's grammar) if the place `shape` has it as an int: [`read`] gives the same.
#[inline]
pub(super) fn small(digits: &str, shape: &Field) -> Option<i32> {
    if shape.kinds.contains(Kind::Int) { digits.parse().ok() } else { None }
}

/// The number `digits` (by JSON's grammar) as the place `shape` has it; as if nothing were declared when it cannot be
/// given a declared type, so that the validator names the mismatch. `None` if nothing can hold it.
pub(super) fn read(digits: &str, shape: &Field) -> Option<Number> {
    declared(digits, shape).or_else(|| fitting(digits, Kinds::ANY))
}

/// The number `digits` as one of the declared types.
pub(super) fn declared(digits: &str, shape: &Field) -> Option<Number> {
    match shape.number_kind() {
        Some(Kind::Double) => double(digits).map(Number::Double),
        Some(kind) => exactly(digits, kind),
        None => fitting(digits, shape.kinds),
    }
}

/// The first of `kinds` that holds `digits`: of whole ones int, long, decimal; of others double, the nearest.
fn fitting(digits: &str, kinds: Kinds) -> Option<Number> {
    let whole = !digits.bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E'));
    let order = if whole {
        [Kind::Int, Kind::Long, Kind::Decimal, Kind::Double]
    } else {
        [Kind::Double, Kind::Decimal, Kind::Int, Kind::Long]
    };
    order.into_iter().filter(|kind| kinds.contains(*kind)).find_map(|kind| match kind {
        Kind::Double if !whole => double(digits).map(Number::Double),
        kind => exactly(digits, kind),
    })
}

fn exactly(digits: &str, kind: Kind) -> Option<Number> {
    match kind {
        Kind::Int => integral(digits)?.try_into().ok().map(Number::Int),
        Kind::Long => integral(digits).map(Number::Long),
        Kind::Decimal => decimal(digits).map(Number::Decimal),
        Kind::Double => double(digits).filter(|number| format!("{number:.0}") == digits).map(Number::Double),
        _ => None,
    }
}

/// The nearest double; `None` where it would be infinite, or zero though the number is not.
pub(super) fn double(digits: &str) -> Option<f64> {
    let number: f64 = digits.parse().ok()?;
    let is_zero = || split_exponent(digits).0.bytes().all(|b| !matches!(b, b'1'..=b'9'));
    (number.is_finite() && (number != 0.0 || is_zero())).then_some(number)
}

/// The value if it is a whole number: `3`, `3.0`, `30e-1`.
fn integral(digits: &str) -> Option<i64> {
    // Hardly any has a fraction or an exponent.
    if let Ok(value) = digits.parse() {
        return Some(value);
    }
    let (mantissa, exponent) = split_exponent(digits);
    let (negative, mantissa) = mantissa.strip_prefix('-').map_or((false, mantissa), |rest| (true, rest));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let significant = match fraction.trim_end_matches('0') {
        "" => whole.trim_end_matches('0').len(),
        fraction => whole.len() + fraction.len(),
    };
    if significant == 0 {
        return Some(0);
    }
    // How many digits stand before the point once the exponent has moved it.
    let places = exponent.saturating_add(i64::try_from(whole.len()).ok()?);
    let places = usize::try_from(places).ok().filter(|places| *places >= significant)?;
    let mut value: i128 = 0;
    for digit in whole.bytes().chain(fraction.bytes()).chain(std::iter::repeat(b'0')).take(places) {
        value = value.checked_mul(10)?.checked_add((digit - b'0').into())?;
        if value > 1 << 64 {
            return None;
        }
    }
    i64::try_from(if negative { -value } else { value }).ok()
}

/// The digits before the exponent, and the exponent, saturated.
fn split_exponent(digits: &str) -> (&str, i64) {
    let Some((mantissa, exponent)) = digits.split_once(['e', 'E']) else { return (digits, 0) };
    let extreme = if exponent.starts_with('-') { i64::MIN } else { i64::MAX };
    (mantissa, exponent.parse().unwrap_or(extreme))
}

/// A whole number written as a string: digits, maybe a minus.
pub(super) fn whole<T: std::str::FromStr>(text: &str) -> Option<T> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    digits.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}

/// A decimal as [BSON Decimal128](https://specifications.readthedocs.io/en/latest/bson-decimal128/decimal128/) writes
/// it, exactly: the scale is kept, a number that would have to be rounded is refused.
pub(super) fn decimal(text: &str) -> Option<Decimal128> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let special = ["NaN", "Infinity", "Inf"].iter().any(|name| unsigned.eq_ignore_ascii_case(name));
    // The parser takes "" and "." for zero.
    (special || is_numeric(unsigned)).then(|| text.parse().ok())?
}

/// A double as Extended JSON writes it. The sign of a NaN is kept: it is part of the stored value.
pub(super) fn wrapped_double(text: &str) -> Option<f64> {
    match text {
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        "NaN" => Some(f64::from_bits(NAN)),
        "-NaN" => Some(f64::from_bits(NAN | 1 << 63)),
        _ => is_numeric(text.strip_prefix(['-', '+']).unwrap_or(text)).then(|| double(text))?,
    }
}

/// The quiet NaN without payload.
const NAN: u64 = 0x7ff8_0000_0000_0000;

fn is_numeric(unsigned: &str) -> bool {
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    digits(whole) && digits(fraction) && digits(exponent) && !exponent.is_empty() && whole.len() + fraction.len() > 0
}

/// Whether `text` is a JSON number and nothing else.
pub(super) fn is_json(text: &str) -> bool {
    Jiter::new(text.as_bytes()).next_number_bytes().is_ok_and(|digits| digits.len() == text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_numbers_are_read_as_all_are() {
        let kinds = [Kind::Int, Kind::Long, Kind::Double, Kind::Decimal].map(Kinds::from);
        let shapes =
            kinds.iter().flat_map(|one| kinds.map(|other| one.union(other))).chain([Kinds::NUMBERS, Kinds::ANY]);
        let mut small_ones = 0;
        for kinds in shapes {
            let shape = Field { kinds, ..Field::any() };
            for digits in ["0", "-0", "7", "-2147483648", "2147483647", "2147483648", "1.0", "10e-1", "1e2", "0.5"] {
                if let Some(number) = small(digits, &shape) {
                    assert_eq!(read(digits, &shape), Some(Number::Int(number)), "{digits} as {kinds:?}");
                    small_ones += 1;
                }
            }
        }
        assert_eq!(small_ones, 9 * 5);
    }
}
