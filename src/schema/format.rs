//! The values of `format` as PCRE patterns: in collection files `format` asserts, and MongoDB does not know it.
//!
//! What may repeat does so possessively (`++`, `*+`) or is bounded, so that no text takes long to refuse. No group
//! captures: patterns of names are put together from these.

/// "No character follows": `$` would accept a line feed.
const END: &str = r"(?![\s\S])";
const HOUR: &str = "(?:[01][0-9]|2[0-3])";
const FRACTION: &str = r"(?:\.[0-9]++)?";
const HEX: &str = "[0-9A-Fa-f]";
/// A letter, digit or hyphen, as the labels of host names have them; 63 of them at most.
const LABEL: &str = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?";

/// The pattern that texts of the format match, and no others; `None` for a format that is not known.
pub(super) fn pattern(format: &str) -> Option<String> {
    let whole = match format {
        "date" => date(),
        "time" => time(),
        "date-time" => format!("{}[Tt]{}", date(), time()),
        "email" => email(),
        "hostname" => hostname(),
        "ipv4" => ipv4(),
        "ipv6" => ipv6(),
        "uri" => uri(),
        "uuid" => format!("{HEX}{{8}}(?:-{HEX}{{4}}){{3}}-{HEX}{{12}}"),
        _ => return None,
    };
    Some(format!("^{whole}{END}"))
}

/// `full-date` of [RFC 3339](https://www.rfc-editor.org/rfc/rfc3339#section-5.6): months and leap years are right.
fn date() -> String {
    let long = "(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])";
    let short = "(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)";
    let february = "02-(?:0[1-9]|1[0-9]|2[0-8])";
    let leap = "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)";
    format!("(?:[0-9]{{4}}-(?:{long}|{short}|{february})|{leap}-02-29)")
}

/// `full-time` of [RFC 3339](https://www.rfc-editor.org/rfc/rfc3339#section-5.6).
fn time() -> String {
    let usual = format!("{HOUR}:[0-5][0-9]:[0-5][0-9]{FRACTION}(?:[Zz]|[+-]{HOUR}:[0-5][0-9])");
    format!("(?:{usual}|{})", leap_second())
}

/// A leap second ends a day of UTC: less the offset, the time is 23:59:60. Each part of the offset is looked ahead to.
fn leap_second() -> String {
    let zulu = format!("23:59:60{FRACTION}[Zz]");
    let hours = either(24, |hour| format!(r"{hour:02}(?=[^+]*\+{:02})", (hour + 1) % 24));
    let ahead_by_hours = format!(r"{hours}:59:60{FRACTION}\+{HOUR}:00");
    let same = either(24, |hour| format!(r"{hour:02}(?=[^+]*\+{hour:02})"));
    let tens = either(6, |ten| format!(r"{ten}(?=[^+]*\+..:{ten})"));
    let next = either(9, |digit| format!(r"{digit}(?=[^+]*\+..:.{})", digit + 1));
    let carry = either(5, |ten| format!(r"{ten}9(?=[^+]*\+..:{}0)", ten + 1));
    let ahead = format!(r"{same}:(?:{tens}{next}|{carry}):60{FRACTION}\+{HOUR}:[0-5][0-9]");
    let hours = either(24, |hour| format!("{hour:02}(?=[^-]*-{:02})", 23 - hour));
    let tens = either(6, |ten| format!("{ten}(?=[^-]*-..:{})", 5 - ten));
    let digits = either(10, |digit| format!("{digit}(?=[^-]*-..:.{})", 9 - digit));
    let behind = format!("{hours}:{tens}{digits}:60{FRACTION}-{HOUR}:[0-5][0-9]");
    format!("{zulu}|{ahead_by_hours}|{ahead}|{behind}")
}

fn either(count: u8, alternative: impl Fn(u8) -> String) -> String {
    format!("(?:{})", (0..count).map(alternative).collect::<Vec<_>>().join("|"))
}

/// `Mailbox` of [RFC 5321](https://www.rfc-editor.org/rfc/rfc5321#section-4.1.2), its local part of 64 characters at most.
fn email() -> String {
    let atom = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]++";
    let quoted = r#""(?:[ !#-\[\]-~]++|\\[ -~])*+""#;
    let literal = format!(r"\[(?:{}|[Ii][Pp][Vv]6:{})\]", ipv4(), ipv6());
    let domain = format!("(?:{}|{literal})", hostname());
    format!(r"(?=[ -~]{{1,64}}@[^@]*+{END})(?:{atom}(?:\.{atom})*+|{quoted})@{domain}")
}

/// A host's name of [RFC 1123](https://www.rfc-editor.org/rfc/rfc1123#section-2.1), of 253 characters at most.
fn hostname() -> String {
    format!(r"(?=[A-Za-z0-9.-]{{1,253}}{END}){LABEL}(?:\.{LABEL})*")
}

/// `dotted-decimal` without leading zeros, [RFC 2673](https://www.rfc-editor.org/rfc/rfc2673#section-3.2).
fn ipv4() -> String {
    let octet = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
    format!(r"{octet}(?:\.{octet}){{3}}")
}

/// `IPv6address` of [RFC 3986](https://www.rfc-editor.org/rfc/rfc3986#section-3.2.2), as RFC 4291 has it in words.
fn ipv6() -> String {
    let group = format!("{HEX}{{1,4}}");
    let last = format!("(?:{group}:{group}|{})", ipv4());
    // `::` stands for at least one group: so many may stand before it where `after` stand behind.
    let shortened = |after: usize| {
        let before = match 7 - after {
            1 => format!("(?:{group})?"),
            most => format!("(?:(?:{group}:){{0,{}}}{group})?", most - 1),
        };
        match after {
            0 => format!("{before}::"),
            1 => format!("{before}::{group}"),
            _ => format!("{before}::(?:{group}:){{{}}}{last}", after - 2),
        }
    };
    let shortened: Vec<_> = (0..7).rev().map(shortened).collect();
    format!("(?:(?:{group}:){{6}}{last}|::(?:{group}:){{5}}{last}|{})", shortened.join("|"))
}

/// `URI` of [RFC 3986](https://www.rfc-editor.org/rfc/rfc3986#appendix-A): with a scheme.
fn uri() -> String {
    // MongoDB repeats a group some ten thousand times, a class as often as it takes.
    let some = |more: &str| {
        let plain = format!("[A-Za-z0-9._~!$&'()*+,;={more}-]*+");
        format!("{plain}(?:%{HEX}{{2}}{plain})*+")
    };
    let (user, name, path, query) = (some(":"), some(""), some(":@/"), some(":@/?"));
    let host = format!(r"(?:\[(?:{}|[Vv]{HEX}++\.[A-Za-z0-9._~!$&'()*+,;=:-]++)\]|{name})", ipv6());
    let authority = format!("(?:{user}@)?{host}(?::[0-9]*+)?");
    let hierarchy = format!("(?://{authority}(?:/{path})?|(?!//){path})");
    format!(r"[A-Za-z][A-Za-z0-9+.-]*+:{hierarchy}(?:\?{query})?(?:\#{query})?")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::keywords::FORMATS;

    #[test]
    fn every_format_has_a_pattern() {
        assert!(FORMATS.into_iter().all(|format| pattern(format).is_some_and(|pattern| pattern.len() < 8192)));
        assert_eq!(pattern("idn-email"), None);
    }
}
