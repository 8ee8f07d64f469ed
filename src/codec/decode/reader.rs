//! JSON text, token by token. `jiter` reads it, but for what can be told without looking at each byte: most members stand
//! in the order of their declaration, under names that are known.

use jiter::{Jiter, JiterError, Peek};

use crate::json::{SyntaxError, quote_after};

type Result<T, E = SyntaxError> = std::result::Result<T, E>;

/// A text, and how far it has been read.
#[derive(Debug)]
pub(super) struct Reader<'t> {
    pub(super) text: &'t [u8],
    jiter: Jiter<'t>,
    /// Where in the text `jiter` began.
    base: usize,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t [u8]) -> Self {
        Self { text, jiter: Jiter::new(text), base: 0 }
    }

    /// How many bytes have been read.
    pub(super) fn at(&self) -> usize {
        self.base + self.jiter.current_index()
    }

    /// Reads the name of the next member if it is written as `quoted`, byte by byte, and tells where it stands.
    #[inline]
    pub(super) fn next_named(&mut self, quoted: &[u8]) -> Option<usize> {
        let rest = self.text.get(self.at()..)?;
        let rest = after_space(after_space(rest).strip_prefix(b",")?);
        let at = self.text.len() - rest.len();
        let rest = after_space(rest.strip_prefix(quoted)?).strip_prefix(b":")?;
        (self.jiter, self.base) = (Jiter::new(rest), self.text.len() - rest.len());
        Some(at)
    }

    /// What kind of value comes next.
    pub(super) fn peek(&mut self) -> Result<Peek> {
        self.jiter.peek().map_err(|e| fault((self.text, self.base), e))
    }

    pub(super) fn null(&mut self) -> Result<()> {
        self.jiter.known_null().map_err(|e| fault((self.text, self.base), e))
    }

    pub(super) fn truth(&mut self, peek: Peek) -> Result<bool> {
        self.jiter.known_bool(peek).map_err(|e| fault((self.text, self.base), e))
    }

    /// Reads the digits of a number.
    pub(super) fn digits(&mut self, peek: Peek) -> Result<&'t str> {
        let start = self.jiter.current_index();
        self.jiter.known_number_bytes(peek).map(drop).map_err(|e| fault((self.text, self.base), e))?;
        Ok(str::from_utf8(self.jiter.slice_to_current(start)).unwrap_or_default())
    }

    pub(super) fn string(&mut self) -> Result<&str> {
        self.jiter.known_str().map_err(|e| fault((self.text, self.base), e))
    }

    /// Begins the array that comes next, and tells how its first item begins; `None` where there is none.
    pub(super) fn first_item(&mut self) -> Result<Option<Peek>> {
        self.jiter.known_array().map_err(|e| fault((self.text, self.base), e))
    }

    pub(super) fn next_item(&mut self) -> Result<Option<Peek>> {
        self.jiter.array_step().map_err(|e| fault((self.text, self.base), e))
    }

    /// Begins the object that comes next, and reads the name of its first member and where it stands.
    pub(super) fn first_name(&mut self) -> Result<Option<(usize, &str)>> {
        let at = quote_after(self.text, self.at());
        let name = self.jiter.known_object().map_err(|e| fault((self.text, self.base), e))?;
        Ok(name.map(|name| (at, name)))
    }

    pub(super) fn next_name(&mut self) -> Result<Option<(usize, &str)>> {
        let at = quote_after(self.text, self.at());
        let name = self.jiter.next_key().map_err(|e| fault((self.text, self.base), e))?;
        Ok(name.map(|name| (at, name)))
    }

    /// Refuses what is more than white space behind the value.
    pub(super) fn finish(&mut self) -> Result<()> {
        self.jiter.finish().map_err(|e| fault((self.text, self.base), e))
    }

    pub(super) fn error(&self, at: usize, detail: impl Into<String>) -> SyntaxError {
        SyntaxError::at(self.text, at, detail)
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

/// The error of a `jiter` that began at `base`.
#[cold]
fn fault((text, base): (&[u8], usize), error: JiterError) -> SyntaxError {
    SyntaxError::from_jiter(text, &JiterError { index: base + error.index, ..error })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_skipped_changes_no_place() {
        let mut reader = Reader::new(b"{\"a\": 1\t, \"b\"\r: \"x\\n\",\n\"c\": [2, tru]}");
        assert_eq!(reader.first_name(), Ok(Some((1, "a"))));
        assert_eq!(reader.next_named(b"\"b\""), None);
        assert_eq!(reader.peek().and_then(|peek| reader.digits(peek)), Ok("1"));
        assert_eq!(["\"c\"", "\"", "b\""].map(|name| reader.next_named(name.as_bytes())), [None; 3]);
        assert_eq!(reader.next_named(b"\"b\""), Some(10));
        assert_eq!((reader.at(), reader.peek()), (15, Ok(Peek::String)));
        assert_eq!(reader.string(), Ok("x\n"));
        assert_eq!(reader.next_name(), Ok(Some((23, "c"))));
        reader.peek().unwrap();
        reader.first_item().unwrap();
        assert_eq!(reader.at(), 29);
        reader.digits(Peek::new(b'2')).unwrap();
        let peek = reader.next_item().unwrap().unwrap();
        let error = reader.truth(peek).unwrap_err();
        assert_eq!((error.line, error.column), (2, 13));
    }
}
