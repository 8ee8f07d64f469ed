//! BSON bytes to relaxed Extended JSON, with no tree in between. Knows the types that the benchmark's books have.

type Result<T> = std::result::Result<T, &'static str>;

const CUT: &str = "the BSON is cut off";
const HEX: &[u8; 16] = b"0123456789abcdef";
/// 1 in each byte.
const ONES: u64 = u64::MAX / 255;

/// Appends the BSON document.
pub fn object(bson: &[u8], out: &mut Vec<u8>) -> Result<()> {
    out.push(b'{');
    elements(bson, out, |name, out| {
        quote(name, out);
        out.push(b':');
    })?;
    out.push(b'}');
    Ok(())
}

/// Appends the BSON array.
pub fn array(bson: &[u8], out: &mut Vec<u8>) -> Result<()> {
    out.push(b'[');
    elements(bson, out, |_, _| {})?;
    out.push(b']');
    Ok(())
}

#[inline(always)]
fn elements(bson: &[u8], out: &mut Vec<u8>, begin: impl Fn(&[u8], &mut Vec<u8>)) -> Result<()> {
    let mut rest = bson.get(4..).ok_or(CUT)?;
    let mut first = true;
    loop {
        let (&kind, after) = rest.split_first().ok_or(CUT)?;
        if kind == 0 {
            return Ok(());
        }
        if !first {
            out.push(b',');
        }
        first = false;
        let end = after.iter().position(|&byte| byte == 0).ok_or(CUT)?;
        begin(&after[..end], out);
        let value = &after[end + 1..];
        let used = element(kind, value, out)?;
        rest = &value[used..];
    }
}

/// Appends the value at the start of `bson`; returns how many bytes it has.
#[inline(always)]
fn element(kind: u8, bson: &[u8], out: &mut Vec<u8>) -> Result<usize> {
    match kind {
        0x01 => {
            let number = f64::from_le_bytes(fixed(bson)?);
            out.extend_from_slice(ryu::Buffer::new().format_finite(number).as_bytes());
            Ok(8)
        }
        0x02 => {
            let end = 4 + length(bson)?;
            quote(bson.get(4..end - 1).ok_or(CUT)?, out);
            Ok(end)
        }
        0x03 | 0x04 => {
            let end = length(bson)?;
            let nested = bson.get(..end).ok_or(CUT)?;
            if kind == 0x03 {
                object(nested, out)?
            } else {
                array(nested, out)?
            }
            Ok(end)
        }
        0x07 => {
            out.extend_from_slice(b"{\"$oid\":\"");
            for byte in fixed::<12>(bson)? {
                out.extend_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
            }
            out.extend_from_slice(b"\"}");
            Ok(12)
        }
        0x09 => {
            date(i64::from_le_bytes(fixed(bson)?), out);
            Ok(8)
        }
        0x10 => {
            integer(i32::from_le_bytes(fixed(bson)?), out);
            Ok(4)
        }
        0x12 => {
            integer(i64::from_le_bytes(fixed(bson)?), out);
            Ok(8)
        }
        _ => Err("no book has this BSON type"),
    }
}

#[inline(always)]
fn fixed<const N: usize>(bson: &[u8]) -> Result<[u8; N]> {
    bson.first_chunk().copied().ok_or(CUT)
}

#[inline(always)]
fn length(bson: &[u8]) -> Result<usize> {
    usize::try_from(i32::from_le_bytes(fixed(bson)?)).ok().filter(|&length| length > 0).ok_or(CUT)
}

fn integer(number: impl itoa::Integer, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

fn quote(text: &[u8], out: &mut Vec<u8>) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    let mut from = 0;
    loop {
        let at = plain_until(text, from);
        out.extend_from_slice(&text[from..at]);
        let Some(&byte) = text.get(at) else { break };
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            _ => out.extend_from_slice(&[
                b'\\',
                b'u',
                b'0',
                b'0',
                HEX[usize::from(byte >> 4)],
                HEX[usize::from(byte & 15)],
            ]),
        }
        from = at + 1;
    }
    out.push(b'"');
}

/// The first byte from `at` on that a JSON string does not have as it is: below 0x20, `"` or `\`. Eight at a time.
#[inline(always)]
pub fn plain_until(text: &[u8], mut at: usize) -> usize {
    while let Some(&eight) = text.get(at..).and_then(|rest| rest.first_chunk()) {
        // The high bit of a byte says that it is special; exact for the lowest such byte, which is the one wanted.
        let word = u64::from_le_bytes(eight);
        let (quote, backslash) = (word ^ (ONES * u64::from(b'"')), word ^ (ONES * u64::from(b'\\')));
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        let special = control | (quote.wrapping_sub(ONES) & !quote) | (backslash.wrapping_sub(ONES) & !backslash);
        let special = special & (ONES * 0x80);
        if special != 0 {
            return at + (special.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    let special = |byte: &u8| *byte < 0x20 || *byte == b'"' || *byte == b'\\';
    text[at..].iter().position(special).map_or(text.len(), |found| at + found)
}

/// By [the days-to-civil algorithm](https://howardhinnant.github.io/date_algorithms.html); relaxed Extended JSON has
/// digits for what is before 1970.
fn date(milliseconds: i64, out: &mut Vec<u8>) {
    if milliseconds < 0 {
        out.extend_from_slice(b"{\"$date\":{\"$numberLong\":\"");
        integer(milliseconds, out);
        return out.extend_from_slice(b"\"}}");
    }
    let (days, time) = (milliseconds / 86_400_000, milliseconds % 86_400_000);
    let shifted = days + 719_468;
    let (era, day) = (shifted / 146_097, shifted % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    let two = |number: i64| [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8];
    out.extend_from_slice(b"{\"$date\":\"");
    out.extend_from_slice(&two(year / 100));
    let parts = [year % 100, month, day, time / 3_600_000, time / 60_000 % 60, time / 1000 % 60];
    for (part, after) in parts.into_iter().zip(b"--T::.") {
        out.extend_from_slice(&two(part));
        out.push(*after);
    }
    match time % 1000 {
        0 => drop(out.pop()),
        fraction => {
            out.push(b'0' + (fraction / 100) as u8);
            out.extend_from_slice(&two(fraction % 100));
        }
    }
    out.extend_from_slice(b"Z\"}");
}
