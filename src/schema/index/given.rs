//! Numbers and flags of an index as the server gives them back: in whatever BSON type somebody wrote them.

use bson::Bson;

/// Whether an option is on: `true`, or a number that is not 0.
pub(crate) fn is_true(value: &Bson) -> bool {
    value.as_bool().unwrap_or_else(|| whole(value).is_some_and(|number| number != 0))
}

/// The whole number that `value` is, of whatever type.
pub(crate) fn whole(value: &Bson) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        Bson::Int32(number) => Some((*number).into()),
        Bson::Int64(number) => Some(*number),
        #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^53 is exact")]
        Bson::Double(number) if number.fract() == 0.0 && number.abs() < EXACT => Some(*number as i64),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_numbers_and_flags_of_every_type() {
        let cases = [
            (Bson::Int32(-1), Some(-1), true),
            (Bson::Int64(0), Some(0), false),
            (Bson::Double(2.0), Some(2), true),
            (Bson::Double(0.5), None, false),
            (Bson::Double(1e300), None, false),
            (Bson::Double(f64::NAN), None, false),
            (Bson::Boolean(true), None, true),
            (Bson::Boolean(false), None, false),
            (Bson::Null, None, false),
        ];
        for (value, number, on) in cases {
            assert_eq!((whole(&value), is_true(&value)), (number, on), "{value}");
        }
    }
}
