//! The documents of a JSON array, one after the other: a long array is never in memory as a whole, but for its text.

use std::mem;

use bson::RawDocument;
use jiter::Peek;

use super::{Decoder, SyntaxError, reader::Fault, too_large};
use crate::schema::Field;

/// The documents that are still to be read. After an error there are none. All are read into the same piece of memory.
#[derive(Debug)]
pub struct Documents<'t, 's> {
    decoder: Decoder<'t>,
    shape: &'s Field,
    next: Next,
    /// How many have been read.
    count: usize,
}

#[derive(Debug, Clone, Copy)]
enum Next {
    /// An item, which begins so.
    Item(Peek),
    /// The array is closed; nothing but white space may follow.
    Close,
    Nothing,
}

/// Why an array could not be read to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenArray {
    /// The item that is at fault, from 0; `None` if it is what stands between items or after them.
    pub item: Option<usize>,
    /// What is wrong, and where in the whole text.
    pub error: SyntaxError,
}

/// Whether `text` is a JSON array, or would be if it were JSON.
pub fn is_array(text: &[u8]) -> bool {
    text.trim_ascii_start().starts_with(b"[")
}

/// The items of the array `text`, which must be objects, as documents of the shape `shape`.
pub fn documents<'t, 's>(text: &'t [u8], shape: &'s Field) -> Result<Documents<'t, 's>, SyntaxError> {
    let mut decoder = Decoder::with_room_for(text, 0);
    if decoder.reader.peek()? != Peek::Array {
        return Err(decoder.reader.error(decoder.reader.at(), "expected an array").into());
    }
    let first = decoder.reader.first_item()?;
    Ok(Documents { decoder, shape, next: first.map_or(Next::Close, Next::Item), count: 0 })
}

impl Documents<'_, '_> {
    /// The next document, if there is one; it is there until the one after it is read.
    pub fn read_next(&mut self) -> Option<Result<&RawDocument, BrokenArray>> {
        match mem::replace(&mut self.next, Next::Nothing) {
            Next::Item(peek) => Some(self.item(peek)),
            Next::Close => {
                let closed = self.decoder.reader.finish();
                closed.map_err(between).err().map(Err)
            }
            Next::Nothing => None,
        }
    }

    fn item(&mut self, peek: Peek) -> Result<&RawDocument, BrokenArray> {
        let (decoder, item) = (&mut self.decoder, Some(self.count));
        let begun = decoder.reader.at();
        let of_item = |fault: Fault| BrokenArray { item, error: fault.into() };
        if peek != Peek::Object {
            return Err(of_item(decoder.reader.error(begun, "expected an object")));
        }
        decoder.out.clear();
        decoder.object(self.shape).map_err(of_item)?;
        let document = RawDocument::from_bytes(&decoder.out);
        let document = document.map_err(|_| of_item(too_large(decoder.reader.text, begun)))?;
        let next = decoder.reader.next_item();
        self.next = next.map_err(between)?.map_or(Next::Close, Next::Item);
        self.count += 1;
        Ok(document)
    }
}

fn between(fault: Fault) -> BrokenArray {
    BrokenArray { item: None, error: fault.into() }
}

#[cfg(test)]
mod tests {
    use bson::{RawDocumentBuf, rawdoc};

    use super::*;
    use crate::{
        codec::decode::{MAX_DEPTH, MAX_DOCUMENT},
        json::Rule,
    };

    fn read(text: &str) -> Result<Vec<RawDocumentBuf>, BrokenArray> {
        let any = Field::any();
        let mut documents = documents(text.as_bytes(), &any).map_err(|error| between(error.into()))?;
        let mut read = Vec::new();
        while let Some(document) = documents.read_next() {
            read.push(document?.to_owned());
        }
        Ok(read)
    }

    #[test]
    fn reads_one_document_after_the_other() {
        assert_eq!(read(" [ ] \n"), Ok(vec![]));
        let expected = vec![rawdoc! { "a": 1, "b": ["x"] }, rawdoc! {}, rawdoc! { "a": 1 }];
        assert_eq!(read(r#" [{"a":1,"b":["x"]}, {} ,{"a":1}] "#), Ok(expected));
        for (text, array) in [(" \n[", true), ("{\"a\":[]}", false), ("", false), ("\"[\"", false)] {
            assert_eq!(is_array(text.as_bytes()), array, "{text}");
        }
    }

    #[test]
    fn tells_which_item_is_at_fault_and_where() {
        for (text, item, place, detail) in [
            ("{}", None, (1, 1), "expected an array"),
            ("[{},\n{\"a\":1,\"a\":2}]", Some(1), (2, 8), "duplicate key `a`"),
            ("[{}, 1]", Some(1), (1, 6), "expected an object"),
            ("[[]]", Some(0), (1, 2), "expected an object"),
            ("[{\"a\": tru}]", Some(0), (1, 11), "expected a JSON value; strings stand in quotes"),
            ("[{},]", None, (1, 5), "trailing comma"),
            ("[{} {}]", None, (1, 5), "expected `,` or `]`"),
            ("[{}", None, (1, 3), "EOF while parsing a list"),
            ("[", None, (1, 1), "EOF while parsing a list"),
            ("[{}]]", None, (1, 5), "trailing characters"),
        ] {
            let BrokenArray { item: found, error } = read(text).unwrap_err();
            let found = (found, (error.line, error.column), error.detail.as_str());
            assert_eq!(found, (item, place, detail), "{text}");
        }
    }

    #[test]
    fn nothing_follows_an_error() {
        let any = Field::any();
        let mut items = documents(b"[{}, 1, {}]", &any).unwrap();
        assert!(items.read_next().unwrap().is_ok());
        assert!(items.read_next().unwrap().is_err());
        assert!(items.read_next().is_none());
    }

    #[test]
    fn each_item_has_the_bounds_of_a_document() {
        let nested = |levels: usize| format!("[{{\"a\":{}{}}}]", "[".repeat(levels), "]".repeat(levels));
        read(&nested(MAX_DEPTH - 1)).unwrap();
        assert_eq!(read(&nested(MAX_DEPTH)).unwrap_err().item, Some(0));
        let half = format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_DOCUMENT / 2));
        assert_eq!(read(&format!("[{half},{half},{half}]")).unwrap().len(), 3);
        // Each item of a list has a name of its own in BSON.
        let long = format!("[{{}},{{\"a\":[{}0]}}]", "0,".repeat(MAX_DOCUMENT / 8));
        let broken = read(&long).unwrap_err();
        assert_eq!((broken.item, broken.error.rule), (Some(1), Rule::Size));
    }
}
