//! Which of the values of `format` a string fits.
//!
//! That a string fits is said only where MongoDB's pattern for the format takes it too; of the strings that a format
//! allows in its odder corners, some are not recognized here.

use std::net::{Ipv4Addr, Ipv6Addr};

/// A format and what recognizes it.
type Format = (&'static str, fn(&str) -> bool);

/// The most telling first.
pub(super) const FORMATS: [Format; 9] = [
    ("uuid", is_uuid),
    ("date-time", is_date_time),
    ("date", is_date),
    ("time", is_time),
    ("ipv4", is_ipv4),
    ("ipv6", is_ipv6),
    ("email", is_email),
    ("uri", is_uri),
    ("hostname", is_hostname),
];

/// See [RFC 9562](https://www.rfc-editor.org/rfc/rfc9562#section-4).
pub(super) fn is_uuid(text: &str) -> bool {
    let groups: Vec<_> = text.split('-').collect();
    let lengths = groups.iter().map(|group| group.len());
    lengths.eq([8, 4, 4, 4, 12]) && groups.concat().bytes().all(|b| b.is_ascii_hexdigit())
}

fn is_date_time(text: &str) -> bool {
    let parts = text.split_at_checked(10).and_then(|(date, rest)| Some((date, rest.strip_prefix('T')?)));
    parts.is_some_and(|(date, time)| is_date(date) && is_time(time))
}

/// See [RFC 3339](https://www.rfc-editor.org/rfc/rfc3339#section-5.6), of which leap seconds are left out.
pub(super) fn is_date(text: &str) -> bool {
    let parts: Vec<_> = text.split('-').collect();
    let [year, month, day] = parts[..] else { return false };
    let (Some(year), Some(month), Some(day)) = (digits(year, 4), digits(month, 2), digits(day, 2)) else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    (1..=12).contains(&month) && (1..=days).contains(&day)
}

fn is_time(text: &str) -> bool {
    let Some((clock, rest)) = text.split_at_checked(8) else { return false };
    let rest = match rest.strip_prefix('.') {
        Some(fraction) => {
            let zone = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
            if zone.len() == fraction.len() {
                return false;
            }
            zone
        }
        None => rest,
    };
    let offset = rest.strip_prefix(['+', '-']).is_some_and(|offset| is_clock(offset, &[23, 59]));
    is_clock(clock, &[23, 59, 59]) && (rest == "Z" || offset)
}

/// Whether the text is numbers of two digits with colons between them, none over its limit.
fn is_clock(text: &str, limits: &[u32]) -> bool {
    let parts: Vec<_> = text.split(':').map(|part| digits(part, 2)).collect();
    parts.len() == limits.len() && parts.iter().zip(limits).all(|(part, limit)| part.is_some_and(|n| n <= *limit))
}

fn digits(text: &str, count: usize) -> Option<u32> {
    let fits = text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| fits)
}

fn is_ipv4(text: &str) -> bool {
    text.parse::<Ipv4Addr>().is_ok()
}

fn is_ipv6(text: &str) -> bool {
    text.parse::<Ipv6Addr>().is_ok()
}

/// The form that nearly all have: no quoted names, no addresses in place of a host.
///
/// See [RFC 5321](https://www.rfc-editor.org/rfc/rfc5321#section-4.1.2).
fn is_email(text: &str) -> bool {
    let Some((name, host)) = text.split_once('@') else { return false };
    let atom = |atom: &str| {
        let known = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b);
        !atom.is_empty() && atom.bytes().all(known)
    };
    name.len() <= 64 && name.split('.').all(atom) && is_hostname(host)
}

/// Names of two labels or more, of which the last is a word.
///
/// See [RFC 1123](https://www.rfc-editor.org/rfc/rfc1123#section-2.1).
fn is_hostname(text: &str) -> bool {
    let label = |label: &str| {
        let known = label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let hyphens = label.starts_with('-') || label.ends_with('-') || label.get(2..4) == Some("--");
        (1..=63).contains(&label.len()) && known && !hyphens
    };
    let word = |label: &str| label.len() >= 2 && label.bytes().all(|b| b.is_ascii_alphabetic());
    let last = text.rsplit_once('.').map(|(_, last)| last);
    text.len() <= 253 && text.split('.').all(label) && last.is_some_and(word)
}

/// Those with an authority, such as web addresses. See [RFC 3986](https://www.rfc-editor.org/rfc/rfc3986).
fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (host, port) = authority.split_once(':').unwrap_or((authority, ""));
    let first = scheme.starts_with(|c: char| c.is_ascii_alphabetic());
    first
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
        && !host.is_empty()
        && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
        && port.bytes().all(|b| b.is_ascii_digit())
        && is_path(&rest[authority.len()..])
}

/// Whether the text can be what follows the authority: path, query and one fragment.
fn is_path(text: &str) -> bool {
    let mut pieces = text.split('%');
    let plain = |piece: &str| piece.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?#".contains(&b));
    let escaped = |piece: &str| piece.get(..2).is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
    text.matches('#').count() <= 1 && pieces.next().is_some_and(plain) && pieces.all(|p| escaped(p) && plain(p))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Strings with the formats that they fit.
    pub(crate) const CASES: [(&str, &[&str]); 34] = [
        ("", &[]),
        ("x", &[]),
        ("2024-02-29", &["date"]),
        ("2023-02-29", &[]),
        ("1900-02-29", &[]),
        ("2024-13-01", &[]),
        ("2024-1-01", &[]),
        ("+024-01-01", &[]),
        ("23:59:59Z", &["time"]),
        ("23:59:59.5+01:00", &["time"]),
        ("23:59:59.Z", &[]),
        ("24:00:00Z", &[]),
        ("23:59:59", &[]),
        ("23:59:59+0100", &[]),
        ("2024-02-29T00:00:00Z", &["date-time"]),
        ("2024-02-29 00:00:00Z", &[]),
        ("é024-02-29T00:00:00Z", &[]),
        ("550e8400-e29b-41d4-a716-446655440000", &["uuid"]),
        ("550e8400e29b41d4a716446655440000", &[]),
        ("10.0.0.1", &["ipv4"]),
        ("10.0.0.01", &[]),
        ("::1", &["ipv6"]),
        ("fe80::1%eth0", &[]),
        ("a.b+c@example.org", &["email"]),
        ("a..b@example.org", &[]),
        ("a@localhost", &[]),
        ("a@b@example.org", &[]),
        ("www.example.org", &["hostname"]),
        ("-www.example.org", &[]),
        ("localhost", &[]),
        ("https://example.org:8080/a%20b?c#d", &["uri"]),
        ("https://example.org/a%2", &[]),
        ("https://exa mple.org/", &[]),
        ("mailto:a@example.org", &[]),
    ];

    #[test]
    fn recognizes_formats() {
        for (text, expected) in CASES {
            let found: Vec<_> = FORMATS.iter().filter(|(_, fits)| fits(text)).map(|(name, _)| *name).collect();
            assert_eq!(found, expected, "{text}");
        }
    }
}
