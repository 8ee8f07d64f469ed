//! Doubles: the shortest digits that read back as them, always with a point or an exponent.

/// Appends a finite double.
pub(in crate::codec) fn float(out: &mut Vec<u8>, number: f64) {
    if !thousandths(out, number) {
        out.extend_from_slice(ryu::Buffer::new().format_finite(number).as_bytes());
    }
}

/// Appends a number of at most three decimals, as prices and measures are; `false`, and nothing, for any other.
///
/// Its digits are no more than 15, and no two numbers of so few digits are the same double. So those that are found by
/// one multiplication are right if dividing them gives the number back, as the quotient of two numbers that doubles
/// hold exactly is the double nearest to it; and there are no shorter ones but without their last zeros.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    clippy::float_cmp,
    reason = "what is cast is positive and has at most 15 digits, and what is compared has to be the same number"
)]
fn thousandths(out: &mut Vec<u8>, number: f64) -> bool {
    const MOST: f64 = 1e12;
    let size = number.abs();
    if size >= MOST {
        return false;
    }
    let all = (size * 1e3 + 0.5) as u64;
    if all as f64 / 1e3 != size {
        return false;
    }
    if number.is_sign_negative() {
        out.push(b'-');
    }
    out.extend_from_slice(itoa::Buffer::new().format(all / 1000).as_bytes());
    let decimals = all % 1000;
    let digit = |value: u64| b'0' + (value % 10) as u8;
    let text = [b'.', digit(decimals / 100), digit(decimals / 10), digit(decimals)];
    let zeros = if decimals.is_multiple_of(100) { 2 } else { usize::from(decimals.is_multiple_of(10)) };
    out.extend_from_slice(&text[..text.len() - zeros]);
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn agrees(number: f64) {
        let mut out = Vec::new();
        float(&mut out, number);
        assert_eq!(String::from_utf8(out).unwrap(), ryu::Buffer::new().format_finite(number), "{number:?}");
    }

    #[test]
    fn writes_what_ryu_does() {
        for number in
            [0.0_f64, -0.0, 0.001, -0.001, 0.1, 0.25, 0.29, 1.0, 12.3, -19.99, 999.999, 1e11, 1e12, 1e15, 1e16]
        {
            for number in [number, number.next_up(), number.next_down()] {
                agrees(number);
            }
        }
    }

    proptest! {
        #[test]
        fn writes_few_decimals_as_ryu_does(digits in 0..10_u64.pow(17), decimals in 0..6, negative: bool) {
            let sign = if negative { "-" } else { "" };
            agrees(format!("{sign}{digits}e-{decimals}").parse().unwrap());
        }

        #[test]
        fn writes_any_double_as_ryu_does(number in any::<f64>().prop_filter("finite", |number| number.is_finite())) {
            agrees(number);
        }
    }
}
