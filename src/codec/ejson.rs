//! Extended JSON wrappers: the names that are read, and the canonical form that is written.
//!
//! See [Extended JSON v2](https://specifications.readthedocs.io/en/latest/extended-json/extended-json/). How a wrapper's
//! text is read is in `decode::wrapper`.

use std::{fmt, io::Write as _};

use bson::{
    DateTime, Timestamp,
    oid::ObjectId,
    raw::{RawBinaryRef, RawBsonRef, RawRegexRef},
};

use super::{encode, raw, text};
use crate::error::{Error, Result};

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

/// Appends `value` as canonical Extended JSON. `room` is how many levels it may still be nested.
pub(super) fn write(out: &mut Vec<u8>, value: RawBsonRef<'_>, room: usize) -> Result<()> {
    match value {
        RawBsonRef::Document(document) => {
            let room = encode::deeper(room)?;
            encode::members(out, document, |out, _, value| write(out, value, room))
        }
        RawBsonRef::Array(values) => {
            let room = encode::deeper(room)?;
            encode::items(out, values, |out, value| write(out, value, room))
        }
        RawBsonRef::JavaScriptCodeWithScope(code) => {
            print(out, format_args!(r#"{{"$code":"#))?;
            encode::quote(out, code.code)?;
            print(out, format_args!(r#","$scope":"#))?;
            write(out, RawBsonRef::Document(code.scope), room)?;
            print(out, format_args!("}}"))
        }
        value => scalar(out, value),
    }
}

fn scalar(out: &mut Vec<u8>, value: RawBsonRef<'_>) -> Result<()> {
    match value {
        RawBsonRef::String(text) => encode::quote(out, text),
        RawBsonRef::Boolean(truth) => print(out, format_args!("{truth}")),
        RawBsonRef::Int32(number) => print(out, format_args!(r#"{{"$numberInt":"{number}"}}"#)),
        RawBsonRef::Int64(number) => print(out, format_args!(r#"{{"$numberLong":"{number}"}}"#)),
        RawBsonRef::Double(number) => double(out, number),
        RawBsonRef::Decimal128(number) => print(out, format_args!(r#"{{"$numberDecimal":"{number}"}}"#)),
        RawBsonRef::DateTime(date) => date_time(out, date),
        RawBsonRef::ObjectId(id) => print(out, format_args!(r#"{{"$oid":"{id}"}}"#)),
        RawBsonRef::Timestamp(Timestamp { time, increment }) => {
            print(out, format_args!(r#"{{"$timestamp":{{"t":{time},"i":{increment}}}}}"#))
        }
        RawBsonRef::Binary(data) => binary(out, data),
        RawBsonRef::RegularExpression(regex) => pattern(out, regex),
        RawBsonRef::JavaScriptCode(code) => labeled(out, "$code", code),
        RawBsonRef::Symbol(text) => labeled(out, "$symbol", text),
        RawBsonRef::DbPointer(_) => pointer(out, value),
        RawBsonRef::Undefined => print(out, format_args!(r#"{{"$undefined":true}}"#)),
        RawBsonRef::MinKey => print(out, format_args!(r#"{{"$minKey":1}}"#)),
        RawBsonRef::MaxKey => print(out, format_args!(r#"{{"$maxKey":1}}"#)),
        // Only `null` is left: what holds other values is written before this is called.
        _ => print(out, format_args!("null")),
    }
}

fn double(out: &mut Vec<u8>, number: f64) -> Result<()> {
    let sign = if number.is_sign_negative() { "-" } else { "" };
    if number.is_nan() {
        return print(out, format_args!(r#"{{"$numberDouble":"{sign}NaN"}}"#));
    }
    if number.is_infinite() {
        return print(out, format_args!(r#"{{"$numberDouble":"{sign}Infinity"}}"#));
    }
    print(out, format_args!(r#"{{"$numberDouble":""#))?;
    encode::float(out, number);
    print(out, format_args!(r#""}}"#))
}

fn date_time(out: &mut Vec<u8>, date: DateTime) -> Result<()> {
    let millis = date.timestamp_millis();
    print(out, format_args!(r#"{{"$date":{{"$numberLong":"{millis}"}}}}"#))
}

fn binary(out: &mut Vec<u8>, data: RawBinaryRef<'_>) -> Result<()> {
    print(out, format_args!(r#"{{"$binary":{{"base64":""#))?;
    text::base64(out, data.bytes);
    print(out, format_args!(r#"","subType":"{:02x}"}}}}"#, u8::from(data.subtype)))
}

fn pattern(out: &mut Vec<u8>, regex: RawRegexRef<'_>) -> Result<()> {
    print(out, format_args!(r#"{{"$regularExpression":{{"pattern":"#))?;
    encode::quote(out, regex.pattern.as_str())?;
    print(out, format_args!(r#","options":"#))?;
    encode::quote(out, regex.options.as_str())?;
    print(out, format_args!("}}}}"))
}

fn pointer(out: &mut Vec<u8>, value: RawBsonRef<'_>) -> Result<()> {
    // `bson` does not give the parts away, so they are taken from the bytes: a string with its length, then the id.
    let bytes = raw::payload(value);
    let parts = bytes.split_last_chunk::<12>().and_then(|(text, id)| Some((text.get(4..)?.strip_suffix(b"\0")?, id)));
    let (namespace, id) = parts.ok_or_else(|| Error::Internal("a stored dbPointer is not valid BSON".to_owned()))?;
    print(out, format_args!(r#"{{"$dbPointer":{{"$ref":"#))?;
    encode::quote(out, &String::from_utf8_lossy(namespace))?;
    print(out, format_args!(r#","$id":{{"$oid":"{}"}}}}}}"#, ObjectId::from_bytes(*id)))
}

fn labeled(out: &mut Vec<u8>, name: &str, text: &str) -> Result<()> {
    print(out, format_args!(r#"{{"{name}":"#))?;
    encode::quote(out, text)?;
    print(out, format_args!("}}"))
}

fn print(out: &mut Vec<u8>, text: fmt::Arguments<'_>) -> Result<()> {
    out.write_fmt(text).map_err(|error| Error::Internal(error.to_string()))
}
