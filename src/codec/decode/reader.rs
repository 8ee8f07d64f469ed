//! JSON text, token by token. What is written plainly is read here, most of it by comparing it with what is expected; all
//! else, and all that is wrong, `jiter` reads.

use jiter::{Jiter, JiterError, JiterResult, Peek};

use crate::{
    codec::plain,
    json::{SyntaxError, quote_after},
    schema::Field,
};

pub(super) type Read<T> = Result<T, Fault>;

/// What is wrong with a text. It is small: every value of a text carries a result out of several functions.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault(Box<SyntaxError>);

impl From<SyntaxError> for Fault {
    #[cold]
    fn from(error: SyntaxError) -> Self {
        Self(error.into())
    }
}

impl From<Fault> for SyntaxError {
    fn from(fault: Fault) -> Self {
        *fault.0
    }
}

/// Which member of an object is meant, by what stands before it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    First = b'{' as isize,
    Next = b',' as isize,
}

/// A text, and how far it has been read.
#[derive(Debug)]
pub(super) struct Reader<'t> {
    pub(super) text: &'t [u8],
    /// The text up to where it is no UTF-8.
    utf8: &'t str,
    at: usize,
    /// The last string that is not in the text as it is.
    unescaped: String,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t [u8]) -> Self {
        let utf8 = simdutf8::compat::from_utf8(text);
        let utf8 = utf8.or_else(|error| str::from_utf8(&text[..error.valid_up_to()])).unwrap_or_default();
        Self { text, utf8, at: 0, unescaped: String::new() }
    }

    /// How many bytes have been read.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// What kind of value comes next.
    #[inline]
    pub(super) fn peek(&mut self) -> Read<Peek> {
        let rest = self.ahead();
        let Some(first) = rest.first() else { return self.by_jiter(Jiter::peek) };
        self.leave(rest);
        Ok(Peek::new(*first))
    }

    pub(super) fn null(&mut self) -> Read<()> {
        self.by_jiter(Jiter::known_null)
    }

    pub(super) fn truth(&mut self, peek: Peek) -> Read<bool> {
        self.by_jiter(|jiter| jiter.known_bool(peek))
    }

    /// Reads the digits of a number.
    #[inline]
    pub(super) fn digits(&mut self, peek: Peek) -> Read<&'t str> {
        let start = self.at;
        match plain::number(self.rest()) {
            Some(length) => self.at += length,
            None => self.by_jiter(|jiter| jiter.known_number_bytes(peek).map(drop))?,
        }
        Ok(self.utf8.get(start..self.at).unwrap_or_default())
    }

    #[inline]
    pub(super) fn string(&mut self) -> Read<&str> {
        if let Some((text, rest)) = self.plain(self.rest()) {
            self.leave(rest);
            return Ok(text);
        }
        self.unescaped(|jiter| jiter.known_str().map(Some)).map(Option::unwrap_or_default)
    }

    /// Begins the array that comes next, and tells how its first item begins; `None` where there is none.
    pub(super) fn first_item(&mut self) -> Read<Option<Peek>> {
        match self.rest().strip_prefix(b"[").map(after_space) {
            Some([b']', rest @ ..]) => {
                self.leave(rest);
                Ok(None)
            }
            Some(rest @ [first, ..]) => {
                self.leave(rest);
                Ok(Some(Peek::new(*first)))
            }
            _ => self.by_jiter(Jiter::known_array),
        }
    }

    #[inline]
    pub(super) fn next_item(&mut self) -> Read<Option<Peek>> {
        match self.ahead() {
            [b',', rest @ ..] => match after_space(rest) {
                rest @ [first, ..] if *first != b']' => {
                    self.leave(rest);
                    Ok(Some(Peek::new(*first)))
                }
                _ => self.by_jiter(Jiter::array_step),
            },
            [b']', rest @ ..] => {
                self.leave(rest);
                Ok(None)
            }
            _ => self.by_jiter(Jiter::array_step),
        }
    }

    /// Reads the name of the next member if it is one of these, as its label has it, and tells how many come before it.
    #[inline]
    pub(super) fn declared<'s>(
        &mut self,
        place: Place,
        fields: impl Iterator<Item = &'s Field>,
    ) -> Option<(usize, &'s Field)> {
        let rest = after_space(self.ahead().strip_prefix(&[place as u8])?);
        for (before, field) in fields.enumerate() {
            // Names that begin with `$` have to be looked at.
            let [_, label @ ..] = &*field.label else { return None };
            if let Some(rest) = rest.strip_prefix(label).filter(|_| label.get(1) != Some(&b'$')) {
                self.leave(rest);
                return Some((before, field));
            }
        }
        None
    }

    /// Reads the name of the next member, if there is one, and where it stands.
    pub(super) fn name(&mut self, place: Place) -> Read<Option<(usize, &str)>> {
        let ahead = self.ahead();
        let rest = ahead.strip_prefix(&[place as u8]).map(after_space);
        if let Some([b'}', after @ ..]) = if matches!(place, Place::First) { rest } else { Some(ahead) } {
            self.leave(after);
            return Ok(None);
        }
        if let Some(rest) = rest
            && let Some((name, after)) = self.plain(rest)
            && let [b':', after @ ..] = after_space(after)
        {
            self.leave(after);
            return Ok(Some((self.text.len() - rest.len(), name)));
        }
        let at = quote_after(self.text, self.at);
        let name = self.unescaped(match place {
            Place::First => Jiter::known_object,
            Place::Next => Jiter::next_key,
        })?;
        Ok(name.map(|name| (at, name)))
    }

    /// Where the name of the member `nth`, from 0, stands in the object that begins at `object`.
    #[cold]
    pub(super) fn name_at(&self, object: usize, nth: usize) -> Read<usize> {
        let mut reader = Reader { at: object, unescaped: String::new(), ..*self };
        let mut at = reader.name(Place::First)?.map(|(at, _)| at);
        for _ in 0..nth {
            reader.by_jiter(Jiter::next_skip)?;
            at = reader.name(Place::Next)?.map(|(at, _)| at);
        }
        Ok(at.unwrap_or(object))
    }

    /// Refuses what is more than white space behind the value.
    pub(super) fn finish(&mut self) -> Read<()> {
        self.by_jiter(Jiter::finish)
    }

    #[cold]
    pub(super) fn error(&self, at: usize, detail: impl Into<String>) -> Fault {
        SyntaxError::at(self.text, at, detail).into()
    }

    fn rest(&self) -> &'t [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// What comes after white space.
    fn ahead(&self) -> &'t [u8] {
        after_space(self.rest())
    }

    /// Takes all for read but the `rest`.
    fn leave(&mut self, rest: &[u8]) {
        self.at = self.text.len() - rest.len();
    }

    /// The string that `rest` begins with, if it stands there as it is, and what comes after it.
    #[inline]
    fn plain(&self, rest: &'t [u8]) -> Option<(&'t str, &'t [u8])> {
        let start = self.text.len() - rest.len() + 1;
        let quoted = rest.strip_prefix(b"\"")?;
        let (_, [b'"', after @ ..]) = quoted.split_at(plain::length(quoted)) else { return None };
        Some((self.utf8.get(start..self.text.len() - after.len() - 1)?, after))
    }

    #[cold]
    fn by_jiter<T>(&mut self, read: impl FnOnce(&mut Jiter<'t>) -> JiterResult<T>) -> Read<T> {
        let mut jiter = Jiter::new(self.rest());
        let value = read(&mut jiter).map_err(|error| self.fault(error))?;
        self.at += jiter.current_index();
        Ok(value)
    }

    #[cold]
    fn unescaped(
        &mut self,
        read: impl for<'j> FnOnce(&'j mut Jiter<'t>) -> JiterResult<Option<&'j str>>,
    ) -> Read<Option<&str>> {
        let mut jiter = Jiter::new(self.rest());
        let Some(text) = read(&mut jiter).map_err(|error| self.fault(error))? else {
            self.at += jiter.current_index();
            return Ok(None);
        };
        text.clone_into(&mut self.unescaped);
        self.at += jiter.current_index();
        Ok(Some(&self.unescaped))
    }

    /// The error of a `jiter` that began where this one is.
    fn fault(&self, error: JiterError) -> Fault {
        SyntaxError::from_jiter(self.text, &JiterError { index: self.at + error.index, ..error }).into()
    }
}

/// What stands behind the white space of [RFC 8259](https://www.rfc-editor.org/rfc/rfc8259#section-2).
#[inline]
fn after_space(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t' | b'\n' | b'\r', rest @ ..] = text {
        text = rest;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str) -> Field {
        Field { label: format!(",\"{name}\":").into_bytes().into(), ..Field::any() }
    }

    #[test]
    fn all_ways_of_reading_keep_the_place() {
        let [a, b, c, dollar] = ["a", "b", "c", "$d"].map(field);
        let mut reader = Reader::new(b"{\"a\": 1\t, \"b\"\r: \"x\\n\",\n\"c\": [2, {\"$d\":0, \"b\":tru}]}");
        let found = |reader: &mut Reader<'_>, place, fields: &[&Field]| {
            reader.declared(place, fields.iter().copied()).map(|(before, _)| before)
        };
        assert_eq!(found(&mut reader, Place::Next, &[&a]), None);
        assert_eq!(found(&mut reader, Place::First, &[&b, &c, &a]), Some(2));
        assert_eq!(reader.peek().and_then(|peek| reader.digits(peek)), Ok("1"));
        assert_eq!(found(&mut reader, Place::Next, &[&a, &b, &Field::any()]), None);
        assert_eq!(reader.name(Place::Next), Ok(Some((10, "b"))));
        assert_eq!((reader.peek(), reader.at()), (Ok(Peek::String), 16));
        assert_eq!(reader.string(), Ok("x\n"));
        assert_eq!(found(&mut reader, Place::Next, &[&Field::any(), &c]), None);
        assert_eq!(found(&mut reader, Place::Next, &[&b, &c]), Some(1));
        reader.peek().unwrap();
        reader.first_item().unwrap();
        assert_eq!(reader.at(), 29);
        reader.digits(Peek::new(b'2')).unwrap();
        assert_eq!((reader.next_item(), reader.at()), (Ok(Some(Peek::Object)), 32));
        assert_eq!(found(&mut reader, Place::First, &[&dollar]), None);
        assert_eq!(reader.name(Place::First), Ok(Some((33, "$d"))));
        reader.digits(Peek::new(b'0')).unwrap();
        assert_eq!(found(&mut reader, Place::Next, &[&b]), Some(0));
        let error = SyntaxError::from(reader.truth(Peek::True).unwrap_err());
        assert_eq!((error.line, error.column), (2, 26));
    }

    #[test]
    fn names_are_found_again() {
        let reader = Reader::new(b" {\"a\": {\"x\": [1, {}]}, \"\\u0062\" : 2,\"c\":\"\\\"\",\"d\":4}");
        assert_eq!([0, 1, 2, 3].map(|nth| reader.name_at(1, nth)), [2, 23, 36, 45].map(Ok));
    }
}
