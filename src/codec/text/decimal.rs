//! Decimals as text, without a buffer for each.
//!
//! See [BSON Decimal128](https://github.com/mongodb/specifications/blob/master/source/bson-decimal128/decimal128.md).

use bson::Decimal128;

const BIAS: i32 = 6176;
const EXPONENT: u128 = (1 << 14) - 1;
/// The greatest coefficient has 34 digits; greater ones stand for 0.
const GREATEST: u128 = 10_u128.pow(34) - 1;

/// Appends `number` as the specification's "to string" has it.
pub(in crate::codec) fn write(out: &mut Vec<u8>, number: Decimal128) {
    let bits = u128::from_le_bytes(number.bytes());
    let special = bits >> 123 & 0b1111 == 0b1111;
    if special && bits >> 122 & 1 == 1 {
        return out.extend_from_slice(b"NaN");
    }
    if bits >> 127 == 1 {
        out.push(b'-');
    }
    if special {
        return out.extend_from_slice(b"Infinity");
    }
    // Where both of these bits are set, the exponent stands two bits further down, and the coefficient is too great.
    let (exponent, coefficient) =
        if bits >> 125 & 0b11 == 0b11 { (bits >> 111, 0) } else { (bits >> 113, bits & ((1 << 113) - 1)) };
    let coefficient = if coefficient > GREATEST { 0 } else { coefficient };
    finite(out, coefficient, (exponent & EXPONENT) as i32 - BIAS);
}

/// Appends `coefficient` times ten to the `exponent`.
fn finite(out: &mut Vec<u8>, coefficient: u128, exponent: i32) {
    let mut digits = itoa::Buffer::new();
    let digits = digits.format(coefficient).as_bytes();
    let scientific = exponent + coefficient.checked_ilog10().unwrap_or(0).cast_signed();
    if exponent > 0 || scientific < -6 {
        let (first, rest) = digits.split_at(1);
        fraction(out, first, rest);
        out.extend_from_slice(if scientific > 0 { b"E+" } else { b"E" });
        return out.extend_from_slice(itoa::Buffer::new().format(scientific).as_bytes());
    }
    let decimals = exponent.unsigned_abs() as usize;
    match digits.len().checked_sub(decimals) {
        None | Some(0) => {
            out.extend_from_slice(b"0.");
            out.resize(out.len() + decimals - digits.len(), b'0');
            out.extend_from_slice(digits);
        }
        Some(point) => fraction(out, &digits[..point], &digits[point..]),
    }
}

fn fraction(out: &mut Vec<u8>, whole: &[u8], fraction: &[u8]) {
    out.extend_from_slice(whole);
    if !fraction.is_empty() {
        out.push(b'.');
        out.extend_from_slice(fraction);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(number: Decimal128) -> String {
        let mut out = Vec::new();
        write(&mut out, number);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn writes_the_forms_of_the_specification() {
        for text in [
            "0",
            "-0",
            "0E+1",
            "0E-7",
            "0.000000",
            "0.00",
            "1",
            "-12.50",
            "0.001234",
            "0.000001234",
            "1.234E-7",
            "1E+3",
            "1.234E+6",
            "9.999999999999999999999999999999999E+6144",
            "1E-6176",
            "NaN",
            "Infinity",
            "-Infinity",
            "1234567890123456789012345678901234",
            "0.1234567890123456789012345678901234",
        ] {
            assert_eq!(written(text.parse().unwrap()), text);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn writes_any_bits_as_bson_does(
            bits in any::<u128>(),
            (exponent, digits, fewer) in (6100_u128..6200, 0..10_u128.pow(34), 0..35_u32),
        ) {
            let near = (exponent << 113) | (digits / 10_u128.pow(fewer)) | (bits >> 127 << 127);
            for number in [bits, near].map(|bits| Decimal128::from_bytes(bits.to_le_bytes())) {
                prop_assert_eq!(written(number), number.to_string());
            }
        }
    }
}
