//! The types that are written as JSON strings: `objectId`, `date`, `binData`, `decimal`, and `long` on the way in.

use base64::{Engine, engine::general_purpose::STANDARD};
use bson::{Binary, DateTime, RawBson, RawBsonRef, Uuid, oid::ObjectId, spec::BinarySubtype};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::number;
use crate::schema::{Field, Kind};

pub(super) mod date;
pub(super) mod decimal;

/// The string `text` as the type that strings stand for in `shape`; `None` where it stands for itself.
pub(super) fn read(text: &str, shape: &Field) -> Option<RawBson> {
    match shape.text_kind() {
        Some(Kind::String) => None,
        Some(kind) => declared(text, kind, shape.uuid),
        None => (shape.number_kind() == Some(Kind::Long)).then(|| number::whole(text).map(RawBson::Int64))?,
    }
}

/// The string `text` as a value of the type `kind`.
pub(super) fn declared(text: &str, kind: Kind, as_uuid: bool) -> Option<RawBson> {
    match kind {
        Kind::ObjectId => ObjectId::parse_str(text).ok().map(RawBson::ObjectId),
        Kind::Date => date(text).map(RawBson::DateTime),
        Kind::Decimal => number::decimal(text).map(RawBson::Decimal128),
        Kind::BinData if as_uuid => uuid(text).map(RawBson::Binary),
        Kind::BinData => bytes(text).map(|bytes| RawBson::Binary(Binary { subtype: BinarySubtype::Generic, bytes })),
        _ => None,
    }
}

/// Base64 with padding.
pub(super) fn bytes(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// A UUID with its hyphens, [RFC 9562](https://www.rfc-editor.org/rfc/rfc9562).
pub(super) fn uuid(text: &str) -> Option<Binary> {
    // The parser takes braces and bare digits too.
    let uuid = Uuid::parse_str(text).ok().filter(|_| text.len() == 36)?;
    Some(Binary { subtype: BinarySubtype::Uuid, bytes: uuid.bytes().to_vec() })
}

/// A date and time of [RFC 3339](https://www.rfc-editor.org/rfc/rfc3339#section-5.6) that whole milliseconds hold.
pub(super) fn date(text: &str) -> Option<DateTime> {
    const SEPARATOR: usize = 10;
    const SECOND: std::ops::Range<usize> = 17..19;
    const FRACTION: usize = 20;
    let ascii = text.as_bytes();
    // The parser takes any separator, squeezes a leap second into the one before and drops digits after the ninth.
    let leap = ascii.get(SECOND)? == b"60";
    let fraction = ascii.iter().skip(FRACTION).take_while(|b| b.is_ascii_digit());
    if !matches!(ascii[SEPARATOR], b'T' | b't') || leap || fraction.skip(3).any(|digit| *digit != b'0') {
        return None;
    }
    let date = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    Some(DateTime::from_millis(date.unix_timestamp() * 1000 + i64::from(date.millisecond())))
}

/// Appends `value` as the JSON string that it is in `shape`; `false`, and nothing, where it needs a wrapper.
pub(super) fn write(out: &mut Vec<u8>, value: RawBsonRef<'_>, shape: &Field) -> bool {
    if shape.text_kind() != Some(Kind::of(value.element_type())) {
        return false;
    }
    match value {
        RawBsonRef::ObjectId(id) => quoted(out, |out| hex(out, id.bytes())),
        RawBsonRef::DateTime(date) => return date::write(out, date),
        RawBsonRef::Decimal128(number) => quoted(out, |out| decimal::write(out, number)),
        RawBsonRef::Binary(data) => match data.subtype {
            BinarySubtype::Generic if !shape.uuid => quoted(out, |out| base64(out, data.bytes)),
            BinarySubtype::Uuid if shape.uuid && data.bytes.len() == 16 => quoted(out, |out| hyphened(out, data.bytes)),
            _ => return false,
        },
        _ => return false,
    }
    true
}

fn quoted(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    out.push(b'"');
    write(out);
    out.push(b'"');
}

/// Appends hex digits.
pub(super) fn hex<const N: usize>(out: &mut Vec<u8>, bytes: [u8; N]) {
    static PAIRS: [[u8; 2]; 256] = {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut pairs = [[0; 2]; 256];
        let mut byte = 0;
        while byte < pairs.len() {
            pairs[byte] = [DIGITS[byte >> 4], DIGITS[byte & 15]];
            byte += 1;
        }
        pairs
    };
    out.extend_from_slice(bytes.map(|byte| PAIRS[usize::from(byte)]).as_flattened());
}

fn hyphened(out: &mut Vec<u8>, uuid: &[u8]) {
    for (index, byte) in uuid.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            out.push(b'-');
        }
        hex(out, [*byte]);
    }
}

/// Appends base64 with padding.
pub(super) fn base64(out: &mut Vec<u8>, bytes: &[u8]) {
    let start = out.len();
    out.resize(start + bytes.len().div_ceil(3) * 4, 0);
    let written = STANDARD.encode_slice(bytes, &mut out[start..]).unwrap_or_default();
    out.truncate(start + written);
}
