//! Extended JSON: the names of the wrappers that are read, and both forms as they are written, straight from BSON.
//!
//! See [Extended JSON v2](https://specifications.readthedocs.io/en/latest/extended-json/extended-json/). How a wrapper's
//! text is read is in `decode::wrapper`.

use bson::{
    DateTime, RawDocument, Timestamp,
    oid::ObjectId,
    raw::{RawBinaryRef, RawBsonRef, RawRegexRef},
    spec::ElementType,
};

use super::{
    elements::{Element, Elements},
    encode, raw,
    text::{self, date, decimal},
};
use crate::error::{Error, Result};

/// The two forms of Extended JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Every type can be told from its text.
    Canonical,
    /// Numbers are JSON's numbers, and dates from 1970 to 9999 are text.
    Relaxed,
}

/// The names that a wrapper may begin with.
const NAMES: [&str; 17] = [
    "$oid",
    "$date",
    "$numberInt",
    "$numberLong",
    "$numberDouble",
    "$numberDecimal",
    "$binary",
    "$uuid",
    "$timestamp",
    "$regularExpression",
    "$code",
    "$scope",
    "$symbol",
    "$dbPointer",
    "$undefined",
    "$minKey",
    "$maxKey",
];

/// The wrapper whose first name is `name`.
pub(super) fn named(name: &str) -> Option<&'static str> {
    NAMES.into_iter().find(|known| *known == name)
}

/// Appends `document`, without its member `hidden` if it has one. A document that is not valid BSON, or nested deeper
/// than [`encode::MAX_STORED_DEPTH`], is an [`Error::Internal`], and `out` is then cut off.
pub fn document(out: &mut Vec<u8>, document: &RawDocument, mode: Mode, hidden: Option<&str>) -> Result<()> {
    let room = encode::deeper(encode::MAX_STORED_DEPTH)?;
    let keep = |name: &[u8]| hidden.is_none_or(|hidden| name != hidden.as_bytes());
    members(out, document.as_bytes(), (mode, room), keep)
}

/// Appends `value`. Fails as [`document`] does.
pub fn value(out: &mut Vec<u8>, value: RawBsonRef<'_>, mode: Mode) -> Result<()> {
    let room = encode::MAX_STORED_DEPTH;
    match value {
        RawBsonRef::Document(document) => object(out, document.as_bytes(), mode, room),
        RawBsonRef::Array(values) => array(out, values.as_bytes(), mode, room),
        RawBsonRef::String(text) => encode::quote(out, text),
        value => scalar(out, value, mode, room),
    }
}

/// Appends `value`, which is no document, array or string, as canonical Extended JSON. `room` is how many levels it may
/// still be nested.
pub(super) fn write(out: &mut Vec<u8>, value: RawBsonRef<'_>, room: usize) -> Result<()> {
    scalar(out, value, Mode::Canonical, room)
}

fn object(out: &mut Vec<u8>, document: &[u8], mode: Mode, room: usize) -> Result<()> {
    members(out, document, (mode, encode::deeper(room)?), |_| true)
}

/// As plain JSON's, which would be slower if both shared one.
fn members(
    out: &mut Vec<u8>,
    document: &[u8],
    (mode, room): (Mode, usize),
    keep: impl Fn(&[u8]) -> bool,
) -> Result<()> {
    let mut elements = Elements::of(document)?;
    let mut opening = b'{';
    while let Some(element) = elements.next()? {
        if keep(element.name) {
            out.push(opening);
            opening = b',';
            encode::quote_bytes(out, element.name)?;
            out.push(b':');
            nested(out, element, mode, room)?;
        }
    }
    out.extend_from_slice(if opening == b'{' { b"{}" } else { b"}" });
    Ok(())
}

fn array(out: &mut Vec<u8>, values: &[u8], mode: Mode, room: usize) -> Result<()> {
    let room = encode::deeper(room)?;
    let mut elements = Elements::of(values)?;
    let mut opening = b'[';
    while let Some(element) = elements.next_item()? {
        out.push(opening);
        opening = b',';
        nested(out, element, mode, room)?;
    }
    out.extend_from_slice(if opening == b'[' { b"[]" } else { b"]" });
    Ok(())
}

fn nested(out: &mut Vec<u8>, element: Element<'_>, mode: Mode, room: usize) -> Result<()> {
    match element.kind {
        ElementType::String => Ok(encode::quote_bytes(out, element.text()?)?),
        ElementType::EmbeddedDocument => object(out, element.bytes, mode, room),
        ElementType::Array => array(out, element.bytes, mode, room),
        _ => match element.value()? {
            Some(value) => scalar(out, value, mode, room),
            None => rare(out, element, mode, room),
        },
    }
}

fn rare(out: &mut Vec<u8>, element: Element<'_>, mode: Mode, room: usize) -> Result<()> {
    let alone = element.alone()?;
    let write = |element: bson::error::Result<(_, _)>| {
        scalar(out, element.map_err(|error| encode::corrupt(&error))?.1, mode, room)
    };
    alone.iter().try_for_each(write)
}

fn scalar(out: &mut Vec<u8>, value: RawBsonRef<'_>, mode: Mode, room: usize) -> Result<()> {
    match value {
        RawBsonRef::JavaScriptCodeWithScope(code) => {
            out.extend_from_slice(br#"{"$code":"#);
            encode::quote(out, code.code)?;
            out.extend_from_slice(br#","$scope":"#);
            object(out, code.scope.as_bytes(), mode, room)?;
            out.push(b'}');
            Ok(())
        }
        value if mode == Mode::Relaxed && plain(out, value) => Ok(()),
        value => wrapper(out, value),
    }
}

/// Appends `value` as the number or the text that it is in relaxed form; `false`, and nothing, where it needs a wrapper.
fn plain(out: &mut Vec<u8>, value: RawBsonRef<'_>) -> bool {
    match value {
        RawBsonRef::Int32(number) => integer(out, number),
        RawBsonRef::Int64(number) => integer(out, number),
        RawBsonRef::Double(number) if number.is_finite() => encode::float(out, number),
        RawBsonRef::DateTime(date) if date.timestamp_millis() >= 0 => return moment(out, date),
        _ => return false,
    }
    true
}

/// Appends `{"$date":"…"}`, with a fraction only where it is not zero; `false`, and nothing, beyond the year 9999.
fn moment(out: &mut Vec<u8>, date: DateTime) -> bool {
    const WHOLE: &[u8] = b".000Z\"";
    let start = out.len();
    out.extend_from_slice(br#"{"$date":"#);
    if !date::write(out, date) {
        out.truncate(start);
        return false;
    }
    if out.ends_with(WHOLE) {
        out.truncate(out.len() - WHOLE.len());
        out.extend_from_slice(b"Z\"");
    }
    out.push(b'}');
    true
}

/// Appends `value` as canonical Extended JSON, where it has no parts.
fn wrapper(out: &mut Vec<u8>, value: RawBsonRef<'_>) -> Result<()> {
    match value {
        RawBsonRef::RegularExpression(regex) => return pattern(out, regex),
        RawBsonRef::JavaScriptCode(code) => return labeled(out, br#"{"$code":"#, code),
        RawBsonRef::Symbol(text) => return labeled(out, br#"{"$symbol":"#, text),
        RawBsonRef::DbPointer(_) => return pointer(out, value),
        RawBsonRef::Decimal128(number) => {
            wrapped(out, br#"{"$numberDecimal":""#, |out| decimal::write(out, number));
        }
        RawBsonRef::Boolean(true) => out.extend_from_slice(b"true"),
        RawBsonRef::Boolean(false) => out.extend_from_slice(b"false"),
        RawBsonRef::Int32(number) => wrapped(out, br#"{"$numberInt":""#, |out| integer(out, number)),
        RawBsonRef::Int64(number) => wrapped(out, br#"{"$numberLong":""#, |out| integer(out, number)),
        RawBsonRef::Double(number) => wrapped(out, br#"{"$numberDouble":""#, |out| double(out, number)),
        RawBsonRef::ObjectId(id) => object_id(out, id),
        RawBsonRef::DateTime(date) => {
            wrapped(out, br#"{"$date":{"$numberLong":""#, |out| integer(out, date.timestamp_millis()));
            out.push(b'}');
        }
        RawBsonRef::Timestamp(stamp) => timestamp(out, stamp),
        RawBsonRef::Binary(data) => binary(out, data),
        RawBsonRef::Undefined => out.extend_from_slice(br#"{"$undefined":true}"#),
        RawBsonRef::MinKey => out.extend_from_slice(br#"{"$minKey":1}"#),
        RawBsonRef::MaxKey => out.extend_from_slice(br#"{"$maxKey":1}"#),
        // Only `null` is left: what holds other values is written before this is called.
        _ => out.extend_from_slice(b"null"),
    }
    Ok(())
}

/// Appends a wrapper of one member, from its `opening` up to the quote on, around what needs no escaping.
fn wrapped(out: &mut Vec<u8>, opening: &[u8], write: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(opening);
    write(out);
    out.extend_from_slice(br#""}"#);
}

fn labeled(out: &mut Vec<u8>, opening: &[u8], text: &str) -> Result<()> {
    out.extend_from_slice(opening);
    encode::quote(out, text)?;
    out.push(b'}');
    Ok(())
}

fn integer(out: &mut Vec<u8>, number: impl itoa::Integer) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// The sign of a NaN is kept, as it is part of the stored value.
fn double(out: &mut Vec<u8>, number: f64) {
    if number.is_finite() {
        return encode::float(out, number);
    }
    if number.is_sign_negative() {
        out.push(b'-');
    }
    out.extend_from_slice(if number.is_nan() { b"NaN" } else { b"Infinity" });
}

fn object_id(out: &mut Vec<u8>, id: ObjectId) {
    wrapped(out, br#"{"$oid":""#, |out| text::hex(out, id.bytes()));
}

fn timestamp(out: &mut Vec<u8>, Timestamp { time, increment }: Timestamp) {
    out.extend_from_slice(br#"{"$timestamp":{"t":"#);
    integer(out, time);
    out.extend_from_slice(br#","i":"#);
    integer(out, increment);
    out.extend_from_slice(b"}}");
}

fn binary(out: &mut Vec<u8>, data: RawBinaryRef<'_>) {
    out.extend_from_slice(br#"{"$binary":{"base64":""#);
    text::base64(out, data.bytes);
    wrapped(out, br#"","subType":""#, |out| text::hex(out, [u8::from(data.subtype)]));
    out.push(b'}');
}

fn pattern(out: &mut Vec<u8>, regex: RawRegexRef<'_>) -> Result<()> {
    out.extend_from_slice(br#"{"$regularExpression":{"pattern":"#);
    encode::quote(out, regex.pattern.as_str())?;
    labeled(out, br#","options":"#, regex.options.as_str())?;
    out.push(b'}');
    Ok(())
}

fn pointer(out: &mut Vec<u8>, value: RawBsonRef<'_>) -> Result<()> {
    // `bson` does not give the parts away, so they are taken from the bytes: a string with its length, then the id.
    let bytes = raw::payload(value);
    let parts = bytes.split_last_chunk::<12>().and_then(|(text, id)| Some((text.get(4..)?.strip_suffix(b"\0")?, id)));
    let (namespace, id) = parts.ok_or_else(|| Error::Internal("a stored dbPointer is not valid BSON".to_owned()))?;
    out.extend_from_slice(br#"{"$dbPointer":{"$ref":"#);
    encode::quote(out, &String::from_utf8_lossy(namespace))?;
    out.extend_from_slice(br#","$id":"#);
    object_id(out, ObjectId::from_bytes(*id));
    out.extend_from_slice(b"}}");
    Ok(())
}
