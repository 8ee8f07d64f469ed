//! JSON text to BSON in one pass, guided by the schema.
//!
//! A value that cannot be given its declared type is sent as it is, so that the validator names the mismatch; only text
//! that is not JSON, or that BSON cannot hold, is an error here.

use bson::{RawBson, RawDocumentBuf, spec::ElementType};
use jiter::Peek;

use self::reader::{Fault, Read, Reader};
use super::{
    ejson,
    number::{self, Number},
    raw, text as face,
};
use crate::{
    json::{Rule, SyntaxError},
    schema::{Field, Kind, Kinds},
};

mod array;
mod object;
mod reader;
mod wrapper;

pub use array::{BrokenArray, Documents, documents, is_array};

/// How deep the objects and arrays of a text may be nested.
pub const MAX_DEPTH: usize = 64;

/// The size in bytes of the largest document that MongoDB stores.
///
/// See [limits](https://www.mongodb.com/docs/manual/reference/limits/#mongodb-limit-BSON-Document-Size).
pub const MAX_DOCUMENT: usize = 16 << 20;

const TOO_LARGE: &str = "larger than a document can be";

/// The object `text` as a document of the shape `shape`.
pub fn document(text: &[u8], shape: &Field) -> Result<RawDocumentBuf, SyntaxError> {
    let mut decoder = Decoder::new(text);
    if decoder.reader.peek()? != Peek::Object {
        return Err(decoder.reader.error(decoder.reader.at(), "expected an object").into());
    }
    decoder.object(shape)?;
    Ok(decoder.finish()?)
}

/// The JSON value `text` as BSON of the shape `shape`.
pub fn value(text: &[u8], shape: &Field) -> Result<RawBson, SyntaxError> {
    let mut decoder = Decoder::new(text);
    let start = raw::open(&mut decoder.out);
    let peek = decoder.reader.peek()?;
    decoder.element(b"", peek, shape)?;
    raw::close(&mut decoder.out, start);
    let document = decoder.finish()?;
    let first = document.iter().next().transpose().ok().flatten().map(|(_, value)| value.into());
    first.ok_or_else(|| too_large(text, 0).into())
}

/// Refuses a name that no member of an object of the shape `shape` may have in JSON, and tells why.
pub fn check_name(name: &str, shape: &Field) -> Result<(), String> {
    object::check(name, shape)
}

/// Whether an object whose first name is `name` is an Extended JSON value.
pub fn is_wrapper(name: &str) -> bool {
    ejson::named(name).is_some()
}

/// Plain text (a path segment, a field parameter) as BSON of the shape `shape`; `None` if it cannot be read as that.
///
/// Where nothing is declared, JSON's numbers and words are what they are in JSON, and all else is a string.
pub fn text(text: &str, shape: &Field) -> Option<RawBson> {
    const TEXTUAL: [Kind; 4] = [Kind::ObjectId, Kind::Date, Kind::Decimal, Kind::BinData];
    let string = || RawBson::String(text.to_owned());
    if shape.kinds != Kinds::ANY && shape.kinds.contains(Kind::String) {
        return Some(string());
    }
    let plain = match text {
        "true" | "false" if shape.kinds.contains(Kind::Bool) => Some(RawBson::Boolean(text == "true")),
        "null" if shape.kinds.contains(Kind::Null) => Some(RawBson::Null),
        _ if number::is_json(text) => number::declared(text, shape).map(RawBson::from),
        _ => None,
    };
    if shape.kinds == Kinds::ANY {
        return plain.or_else(|| Some(string()));
    }
    let textual = || TEXTUAL.into_iter().filter(|kind| shape.kinds.contains(*kind));
    plain.or_else(|| textual().find_map(|kind| face::declared(text, kind, shape.uuid)))
}

/// The text that is read and the BSON that is made of it.
#[derive(Debug)]
struct Decoder<'t> {
    reader: Reader<'t>,
    out: Vec<u8>,
    /// How many levels deeper the text may go.
    room: usize,
}

impl<'t> Decoder<'t> {
    fn new(text: &'t [u8]) -> Self {
        Self::with_room_for(text, text.len() + text.len() / 4)
    }

    fn with_room_for(text: &'t [u8], bytes: usize) -> Self {
        let out = Vec::with_capacity(bytes);
        Self { reader: Reader::new(text), out, room: MAX_DEPTH }
    }

    /// The document that has been read, if nothing but white space follows.
    fn finish(mut self) -> Read<RawDocumentBuf> {
        self.reader.finish()?;
        RawDocumentBuf::from_bytes(self.out).map_err(|_| too_large(self.reader.text, 0))
    }

    /// Reads the value that begins with `peek` and appends it under `name`.
    fn element(&mut self, name: &[u8], peek: Peek, shape: &Field) -> Read<()> {
        let slot = raw::key(&mut self.out, name);
        self.out[slot] = self.value(peek, shape)? as u8;
        Ok(())
    }

    /// Reads the value that begins with `peek` and appends it without a key.
    fn value(&mut self, peek: Peek, shape: &Field) -> Read<ElementType> {
        // A short text can be a large document: every item of an array has its index for a name.
        if self.out.len() > MAX_DOCUMENT {
            return Err(too_large(self.reader.text, self.reader.at()));
        }
        match peek {
            Peek::Object if self.at_dollar() => self.wrapper(shape),
            Peek::Object => self.object(shape),
            Peek::Array => self.array(shape),
            Peek::String => self.string(shape),
            Peek::True | Peek::False => {
                let truth = self.reader.truth(peek)?;
                Ok(raw::value(&mut self.out, truth.into()))
            }
            Peek::Null => {
                self.reader.null()?;
                Ok(ElementType::Null)
            }
            _ => self.number(peek, shape),
        }
    }

    fn array(&mut self, shape: &Field) -> Read<ElementType> {
        self.descend()?;
        let start = raw::open(&mut self.out);
        let mut name = itoa::Buffer::new();
        let mut index = 0_u32;
        let (item, tuple) = (shape.item(), shape.tuple.as_deref());
        let mut next = self.reader.first_item()?;
        while let Some(peek) = next {
            let item = tuple.map_or(item, |tuple| tuple.at(index as usize));
            self.element(name.format(index).as_bytes(), peek, item)?;
            index += 1;
            next = self.reader.next_item()?;
        }
        raw::close(&mut self.out, start);
        self.room += 1;
        Ok(ElementType::Array)
    }

    fn string(&mut self, shape: &Field) -> Read<ElementType> {
        let text = self.reader.string()?;
        Ok(match face::read(text, shape) {
            Some(value) => raw::value(&mut self.out, value.as_raw_bson_ref()),
            None => raw::string(&mut self.out, text),
        })
    }

    fn number(&mut self, peek: Peek, shape: &Field) -> Read<ElementType> {
        let at = self.reader.at();
        let digits = self.reader.digits(peek)?;
        // Most numbers are whole and small.
        if let Some(number) = number::small(digits, shape) {
            return Ok(Number::Int(number).append(&mut self.out));
        }
        let number = number::read(digits, shape);
        let number = number.ok_or_else(|| self.reader.error(at, "number out of range"))?;
        Ok(number.append(&mut self.out))
    }

    /// Takes one level of the room.
    fn descend(&mut self) -> Read<()> {
        let too_deep = || self.reader.error(self.reader.at(), format!("nested deeper than {MAX_DEPTH} levels"));
        self.room = self.room.checked_sub(1).ok_or_else(too_deep)?;
        Ok(())
    }
}

#[cold]
fn too_large(text: &[u8], at: usize) -> Fault {
    SyntaxError { rule: Rule::Size, ..SyntaxError::at(text, at, TOO_LARGE) }.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOT: &str = "names that hold a dot are not taken here; update operators and their paths are, at the top of a PATCH as `application/json`";
    const DOLLAR: &str = "names that begin with `$` are not taken here; update operators and their paths are, at the top of a PATCH as `application/json`";

    fn fails(text: &[u8], shape: &Field) -> (usize, usize, String) {
        let error = document(text, shape).expect_err(&String::from_utf8_lossy(text));
        (error.line, error.column, error.detail)
    }

    fn refuses(cases: &[(&[u8], usize, usize, &str)]) {
        for (text, line, column, detail) in cases {
            let expected = (*line, *column, (*detail).to_owned());
            assert_eq!(fails(text, &Field::any()), expected, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn refuses_what_is_not_json() {
        refuses(&[
            (b"", 1, 1, "expected JSON, found nothing"),
            (b"[]", 1, 1, "expected an object"),
            (b"\xEF\xBB\xBF{}", 1, 1, "expected an object"),
            (b"{} {}", 1, 4, "trailing characters"),
            (b"{\"a\": 1,\n}", 2, 1, "trailing comma"),
            (b"{\"a\": [1,]}", 1, 10, "trailing comma"),
            (b"{a: 1}", 1, 2, "key must be a string"),
            (b"{\"a\" 1}", 1, 6, "expected `:`"),
            (b"{\"a\": 01}", 1, 8, "invalid number"),
            (b"{\"a\": NaN}", 1, 7, "expected value"),
            (b"{\"a\": 1", 1, 7, "EOF while parsing an object"),
            (b"{\"a\": \"\xff\"}", 1, 8, "invalid unicode code point"),
            (b"{\"\xc3\x28\": 1}", 1, 3, "invalid unicode code point"),
            (b"{\"a\\n\": \"\xed\xa0\x80\"}", 1, 10, "invalid unicode code point"),
            (b"{\"a\": \"\\n\xff\"}", 1, 9, "invalid unicode code point"),
            (b"{\"\\n\xff\": 1}", 1, 4, "invalid unicode code point"),
            (b"{\"a\": \"\\ud800\"}", 1, 14, "unexpected end of hex escape"),
            (b"{\"a\": \"\\udc00\"}", 1, 13, "lone leading surrogate in hex escape"),
            (b"{\"a\": \"\t\"}", 1, 8, "control character (\\u0000-\\u001F) found while parsing a string"),
            (b"{\"a\": 1,\n \"b\": 2, \"a\": 2}", 2, 10, "duplicate key `a`"),
            (b"{\"a\": {\"x\": 1,\n\"\\u0078\": 2}}", 2, 1, "duplicate key `x`"),
            (b"{\"a\": 1e99999}", 1, 7, "number out of range"),
            (b"{\"a\": 12345678901234567890123456789012345}", 1, 7, "number out of range"),
        ]);
    }

    #[test]
    fn refuses_foreign_names_and_inexact_wrappers() {
        let stray_b = "`b` is out of place: `$oid` takes no other members";
        let stray_t = "`t` is out of place: expected an object of `t` and `i`";
        refuses(&[
            (b"{\"a\\u0000\": 1}", 1, 2, "`a\\u{0}` holds a NUL character, which BSON names cannot hold"),
            (b"{\"a.b\": 1}", 1, 2, &format!("`a.b`: {DOT}")),
            (b"{\"$oid\": 1}", 1, 2, &format!("`$oid`: {DOLLAR}")),
            (b"{\"a\": {\"b\": 1, \"$c\": 1}}", 1, 16, &format!("`$c`: {DOLLAR}")),
            (b"{\"a\": {\"$gt\": 1}}", 1, 8, &format!("`$gt`: {DOLLAR}")),
            (b"{\"a\": {\"$oid\": \"x\"}}", 1, 16, "expected 24 hex digits"),
            (b"{\"a\": {\"$oid\": \"6650f0000000000000000001\", \"b\": 1}}", 1, 44, stray_b),
            (b"{\"a\": {\"$date\": 5}}", 1, 17, "expected an object of `$numberLong`"),
            (b"{\"a\": {\"$minKey\": 2}}", 1, 19, "expected `1`"),
            (b"{\"a\": {\"$scope\": {}}}", 1, 20, "`$scope` needs a `$code` beside it"),
            (b"{\"a\": {\"$code\": \"\", \"$scope\": 1}}", 1, 31, "expected an object"),
            (b"{\"a\": {\"$timestamp\": {\"t\": 1}}}", 1, 22, "expected an object of `t` and `i`"),
            (b"{\"a\": {\"$timestamp\": {\"t\": 1, \"t\": 1}}}", 1, 31, stray_t),
        ]);
    }

    #[test]
    fn refuses_other_forms_of_wrappers() {
        let wrappers = [
            r#"{"$numberInt": 5}"#,
            r#"{"$numberInt": "5.0"}"#,
            r#"{"$numberInt": "2147483648"}"#,
            r#"{"$numberInt": "+5"}"#,
            r#"{"$numberLong": ""}"#,
            r#"{"$numberDouble": "1e400"}"#,
            r#"{"$numberDouble": "inf"}"#,
            r#"{"$numberDouble": ""}"#,
            r#"{"$numberDecimal": ""}"#,
            r#"{"$numberDecimal": "E5"}"#,
            r#"{"$numberDecimal": "12345678901234567890123456789012345"}"#,
            r#"{"$date": "2024-05-01"}"#,
            r#"{"$date": {"$numberLong": 5}}"#,
            r#"{"$binary": "YWJj"}"#,
            r#"{"$binary": {"base64": "YWJj", "subType": "+5"}}"#,
            r#"{"$binary": {"base64": "YWJj", "subType": "005"}}"#,
            r#"{"$binary": {"base64": "YWJj", "subType": ""}}"#,
            r#"{"$binary": {"base64": "YWJ", "subType": "00"}}"#,
            r#"{"$binary": {"base64": "YWJj", "subType": "00", "x": 1}}"#,
            r#"{"$uuid": "000102030405060708090a0b0c0d0e0f"}"#,
            r#"{"$timestamp": {"t": -1, "i": 0}}"#,
            r#"{"$timestamp": {"t": 1.0, "i": 0}}"#,
            r#"{"$timestamp": {"t": 4294967296, "i": 0}}"#,
            r#"{"$regularExpression": {"pattern": "a\u0000", "options": ""}}"#,
            r#"{"$regex": "a", "$options": ""}"#,
            r#"{"$undefined": false}"#,
            r#"{"$undefined": 1}"#,
            r#"{"$maxKey": "1"}"#,
            r#"{"$dbPointer": {"$ref": "a", "$id": "6650f0000000000000000001"}}"#,
            r#"{"$ref": "a", "$id": 1}"#,
            r#"{"$symbol": 1}"#,
            r#"{"$code": "", "$code": ""}"#,
            r#"{"$code": "", "$scope": {"$oid": "6650f0000000000000000001"}}"#,
            r#"{"$code": "", "$scope": {"a": 1, "a": 1}}"#,
        ];
        for text in wrappers {
            assert!(value(text.as_bytes(), &Field::any()).is_err(), "{text}");
        }
    }

    #[test]
    fn only_wrappers_of_declared_types_are_values() {
        let long = Field { kinds: Kind::Long.into(), ..Field::any() };
        let error = value(br#" {"$numberInt": "5"}"#, &long).unwrap_err();
        assert_eq!((error.column, error.detail.as_str()), (3, "`$numberInt` gives int, but `long` is declared here"));
        assert_eq!(value(br#"{"$numberLong": "5"}"#, &long).unwrap(), RawBson::Int64(5));
    }

    #[test]
    fn declared_names_may_hold_dots() {
        let shape = Field { properties: [("a.b".to_owned(), Field::any())].into_iter().collect(), ..Field::any() };
        assert_eq!(document(br#"{"a.b": 1}"#, &shape).unwrap().get_i32("a.b").unwrap(), 1);
        assert!(document(br#"{"a.c": 1}"#, &shape).is_err());
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |levels: usize| {
            let (open, close) = ("[".repeat(levels - 1), "]".repeat(levels - 1));
            format!("{{\"a\":{open}{{\"$date\":{{\"$numberLong\":\"5\"}}}}{close}}}")
        };
        document(nested(MAX_DEPTH).as_bytes(), &Field::any()).unwrap();
        let (_, column, detail) = fails(nested(MAX_DEPTH + 1).as_bytes(), &Field::any());
        assert_eq!((column, detail.as_str()), (69, "nested deeper than 64 levels"));
        fails(format!("{}1", "{\"a\":".repeat(100_000)).as_bytes(), &Field::any());
        let scopes = format!("{}1", "{\"a\":{\"$code\":\"\",\"$scope\":".repeat(100_000));
        assert_eq!(fails(scopes.as_bytes(), &Field::any()).2, "nested deeper than 64 levels");
    }

    #[test]
    fn large_texts_are_read() {
        let members: Vec<_> = (0..200_000).map(|i| format!("\"k{i}\":{i}")).collect();
        let read = document(format!("{{{}}}", members.join(",")).as_bytes(), &Field::any()).unwrap();
        assert_eq!(read.iter().count(), members.len());
        let repeated = format!("{{{},\"k7\":1}}", members.join(","));
        assert_eq!(fails(repeated.as_bytes(), &Field::any()).2, "duplicate key `k7`");
        let long = format!("{{\"a\":\"{}\"}}", "\\n".repeat(8 << 20));
        assert_eq!(document(long.as_bytes(), &Field::any()).unwrap().get_str("a").unwrap().len(), 8 << 20);
    }
}
