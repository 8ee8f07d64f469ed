//! Objects, and which names their members may have.

use bson::spec::ElementType;

use super::Decoder;
use crate::{
    codec::raw,
    json::{SyntaxError, quote_after},
    schema::Field,
};

/// A name that an object has, to find repeated ones.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key {
    /// Where it stands in the text.
    at: usize,
    /// Where it stands in the BSON bytes, and how long it is there.
    start: usize,
    length: usize,
}

impl Decoder<'_> {
    /// Reads an object that is no wrapper.
    pub(super) fn object(&mut self, shape: &Field) -> Result<ElementType, SyntaxError> {
        self.descend()?;
        let (start, first_key) = (raw::open(&mut self.out), self.keys.len());
        let mut from = self.at();
        let mut next = self.jiter.known_object();
        while let Some(name) = next.map_err(|e| SyntaxError::from_jiter(self.text, &e))? {
            let at = quote_after(self.text, from);
            check(name, shape).map_err(|detail| SyntaxError::at(self.text, at, detail))?;
            let shape = shape.sent(name);
            let slot = raw::key(&mut self.out, name.as_bytes());
            self.keys.push(Key { at, start: slot + 1, length: name.len() });
            let peek = self.peek()?;
            self.out[slot] = self.value(peek, shape)? as u8;
            from = self.at();
            next = self.jiter.next_key();
        }
        self.refuse_duplicates(first_key)?;
        raw::close(&mut self.out, start);
        self.room += 1;
        Ok(ElementType::EmbeddedDocument)
    }

    /// Whether the object that comes next begins with a `$` key.
    pub(super) fn at_dollar(&self) -> bool {
        let members = self.text.get(self.at() + 1..).unwrap_or_default().trim_ascii_start();
        [&b"\"$"[..], b"\"\\u0024"].into_iter().any(|key| members.starts_with(key))
    }

    /// Looks for repeated names among the keys from `first` on, and forgets the keys.
    ///
    /// Sorted, so that a million members take no square of a million steps.
    fn refuse_duplicates(&mut self, first: usize) -> Result<(), SyntaxError> {
        let out = &self.out;
        let name = |key: &Key| &out[key.start..key.start + key.length];
        let keys = &mut self.keys[first..];
        keys.sort_unstable_by(|a, b| name(a).cmp(name(b)).then(a.at.cmp(&b.at)));
        let repeated = keys.windows(2).filter(|pair| name(&pair[0]) == name(&pair[1])).map(|pair| pair[1]);
        if let Some(key) = repeated.min_by_key(|key| key.at) {
            let detail = format!("duplicate key `{}`", String::from_utf8_lossy(name(&key)));
            return Err(self.error(key.at, detail));
        }
        self.keys.truncate(first);
        Ok(())
    }
}

/// Refuses names that BSON cannot hold or that mean something else to MongoDB.
pub(super) fn check(name: &str, shape: &Field) -> Result<(), String> {
    if name.starts_with('$') {
        return Err(foreign(name, "begin with `$`"));
    }
    if name.contains('\0') {
        return Err(format!("`{}` holds a NUL character, which BSON names cannot hold", name.escape_default()));
    }
    if name.contains('.') && !shape.properties.contains_key(name) {
        return Err(foreign(name, "hold a dot"));
    }
    Ok(())
}

/// What is wrong with a name that only Extended JSON documents may have.
pub(super) fn foreign(name: &str, which: &str) -> String {
    let name = name.escape_debug();
    format!(
        "`{name}`: names that {which} are not taken here; update operators and their paths are, at the top of a PATCH as `application/json`"
    )
}
