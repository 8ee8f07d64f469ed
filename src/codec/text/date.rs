//! Dates as text, without a general formatter: a list has several in every document.

use bson::DateTime;

/// From `0000-01-01T00:00:00.000Z` up to `9999-12-31T23:59:59.999Z`: RFC 3339 has four digits for a year.
const YEARS: std::ops::Range<i64> = -62_167_219_200_000..253_402_300_800_000;
const DAY: u64 = 86_400_000;

/// Appends `date` as a JSON string of [RFC 3339](https://www.rfc-editor.org/rfc/rfc3339#section-5.6) with three digits
/// of fraction; `false`, and nothing, where it has no such form.
#[expect(clippy::cast_possible_truncation, reason = "the range has fewer than 2^32 days, and a day fewer milliseconds")]
pub(in crate::codec) fn write(out: &mut Vec<u8>, date: DateTime) -> bool {
    let millis = date.timestamp_millis();
    if !YEARS.contains(&millis) {
        return false;
    }
    // Within the range nothing is negative. Numbers of 32 bits divide faster than those of 64.
    let since_zero = (millis - YEARS.start).cast_unsigned();
    let (year, month, day) = civil((since_zero / DAY) as u32);
    let time = (since_zero % DAY) as u32;
    let mut text = *b"\"0000-00-00T00:00:00.000Z\"";
    let pairs: [(usize, u32); 7] = [
        (1, year / 100),
        (3, year % 100),
        (6, month),
        (9, day),
        (12, time / 3_600_000),
        (15, time / 60_000 % 60),
        (18, time / 1000 % 60),
    ];
    for (start, value) in pairs {
        text[start] = digit(value / 10);
        text[start + 1] = digit(value % 10);
    }
    let fraction = time % 1000;
    text[21..24].copy_from_slice(&[digit(fraction / 100), digit(fraction / 10 % 10), digit(fraction % 10)]);
    out.extend_from_slice(&text);
    true
}

#[expect(clippy::cast_possible_truncation, reason = "a digit is below 10")]
fn digit(value: u32) -> u8 {
    b'0' + value as u8
}

/// Year, month and day of the day that lies `days` after the first of the year 0, after
/// [Hinnant](https://howardhinnant.github.io/date_algorithms.html#civil_from_days): years begin in March, so that the
/// leap day comes last, and repeat every 400.
fn civil(days: u32) -> (u32, u32, u32) {
    const ERA: u32 = 146_097;
    // January and February of the year 0 belong to the era before.
    let days = days + ERA - 60;
    let day = days % ERA;
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (next, month) = if month < 10 { (0, month + 3) } else { (1, month - 9) };
    (days / ERA * 400 + year + next - 400, month, day)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::{OffsetDateTime, format_description::BorrowedFormatItem, macros::format_description};

    use super::*;

    const FORM: &[BorrowedFormatItem<'_>] = format_description!(
        "\"[year repr:full base:calendar]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z\""
    );

    fn agrees(millis: i64) {
        let mut out = Vec::new();
        assert!(write(&mut out, DateTime::from_millis(millis)));
        let moment = OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), moment.format(FORM).unwrap());
    }

    /// Years repeat every 400; the first and the last of them are looked at day by day.
    #[test]
    fn every_day_is_right() {
        let first = (YEARS.start..).step_by(86_400_000).take(146_097);
        let last = (YEARS.start..YEARS.end).rev().step_by(86_400_000).take(366);
        first.chain(last).for_each(agrees);
    }

    proptest! {
        #[test]
        fn every_moment_is_right(millis in YEARS) {
            agrees(millis);
        }
    }
}
