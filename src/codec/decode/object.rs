//! Objects, and which names their members may have.

use std::cmp::Ordering;

use bson::spec::ElementType;

use super::Decoder;
use crate::{
    codec::{members::Declared, raw},
    json::SyntaxError,
    schema::Field,
};

/// A name that an object has, to find repeated ones.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key {
    /// Which declared property it is; the greatest number where it is none.
    property: usize,
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
        let mut declared = Declared::of(shape);
        let mut next = self.first_member(&mut declared)?;
        while let Some((slot, shape)) = next {
            let peek = self.reader.peek()?;
            self.out[slot] = self.value(peek, shape.as_sent())? as u8;
            next = self.next_member(&mut declared)?;
        }
        self.refuse_duplicates(first_key)?;
        raw::close(&mut self.out, start);
        self.room += 1;
        Ok(ElementType::EmbeddedDocument)
    }

    /// Reads the name of the first member: where its type belongs, and its shape.
    fn first_member<'s>(&mut self, declared: &mut Declared<'s>) -> Result<Option<Member<'s>>, SyntaxError> {
        let Self { reader, out, keys, .. } = self;
        let text = reader.text;
        reader.first_name()?.map(|name| begin((out, keys), (text, name), declared)).transpose()
    }

    fn next_member<'s>(&mut self, declared: &mut Declared<'s>) -> Result<Option<Member<'s>>, SyntaxError> {
        let Self { reader, out, keys, .. } = self;
        if let Some((name, field)) = declared.expected().filter(|(name, _)| !name.starts_with(b"$"))
            && let [_, quoted @ .., _] = &*field.label
            && let Some(at) = reader.next_named(quoted)
        {
            return Ok(Some((append((out, keys), (at, name), declared.pass()), field)));
        }
        let text = reader.text;
        reader.next_name()?.map(|name| begin((out, keys), (text, name), declared)).transpose()
    }

    /// Whether the object that comes next begins with a `$` key.
    pub(super) fn at_dollar(&self) -> bool {
        let members = self.reader.text.get(self.reader.at() + 1..).unwrap_or_default().trim_ascii_start();
        [&b"\"$"[..], b"\"\\u0024"].into_iter().any(|key| members.starts_with(key))
    }

    /// Looks for repeated names among the keys from `first` on, and forgets the keys.
    ///
    /// Sorted, so that a million members take no square of a million steps. Mostly they are in order: the declared ones,
    /// in the order of their declaration.
    fn refuse_duplicates(&mut self, first: usize) -> Result<(), SyntaxError> {
        let out = &self.out;
        let name = |key: &Key| &out[key.start..key.start + key.length];
        let keys = &mut self.keys[first..];
        let by_name = |a: &Key, b: &Key| match a.property.cmp(&b.property) {
            Ordering::Equal if a.property == usize::MAX => name(a).cmp(name(b)),
            order => order,
        };
        if keys.is_sorted_by(|a, b| a.property < b.property) {
            self.keys.truncate(first);
            return Ok(());
        }
        keys.sort_unstable_by(|a, b| by_name(a, b).then(a.at.cmp(&b.at)));
        let repeated = keys.windows(2).filter(|pair| by_name(&pair[0], &pair[1]).is_eq()).map(|pair| pair[1]);
        if let Some(key) = repeated.min_by_key(|key| key.at) {
            let detail = format!("duplicate key `{}`", String::from_utf8_lossy(name(&key)));
            return Err(self.reader.error(key.at, detail));
        }
        self.keys.truncate(first);
        Ok(())
    }
}

/// Where the type of a member belongs, and the member's shape.
type Member<'s> = (usize, &'s Field);

/// Begins the member of the name that stands at a place of the text.
fn begin<'s>(
    to: (&mut Vec<u8>, &mut Vec<Key>),
    (text, (at, name)): (&[u8], (usize, &str)),
    declared: &mut Declared<'s>,
) -> Result<Member<'s>, SyntaxError> {
    let found = declared.find(name.as_bytes());
    // The names that files declare hold no NUL, and may hold a dot.
    if found.is_none() || name.starts_with('$') {
        check(name, declared.shape).map_err(|detail| SyntaxError::at(text, at, detail))?;
    }
    let (property, shape) = found.unwrap_or_else(|| (usize::MAX, declared.shape.other()));
    Ok((append(to, (at, name.as_bytes()), property), shape))
}

fn append((out, keys): (&mut Vec<u8>, &mut Vec<Key>), (at, name): (usize, &[u8]), property: usize) -> usize {
    let slot = raw::key(out, name);
    keys.push(Key { property, at, start: slot + 1, length: name.len() });
    slot
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

#[cfg(test)]
mod tests {
    use bson::rawdoc;

    use crate::{codec::decode::document, schema::Field};

    fn shape() -> Field {
        let properties = ["_id", "a", "b", "c.d", "$e", "f"].map(|name| (name.to_owned(), Field::any()));
        let hidden = ("h".to_owned(), Field { hidden: true, ..Field::any() });
        Field { properties: properties.into_iter().chain([hidden]).collect(), ..Field::any() }.prepared()
    }

    #[test]
    fn members_are_the_same_in_any_order_and_any_space() {
        let expected = rawdoc! { "a": 1, "b": { "a": [2] }, "c.d": "x", "f": null, "g": true };
        for text in [
            r#"{"a":1,"b":{"a":[2]},"c.d":"x","f":null,"g":true}"#,
            "{ \"a\" : 1 , \"b\" : {\"a\":[2]} ,\"c.d\": \"x\",\n\"f\":\tnull,\"g\":true}",
            r#"{"\u0061":1,"b": {"a" :[2]},"c\u002ed":"x","f":null,"g":true}"#,
        ] {
            assert_eq!(document(text.as_bytes(), &shape()).unwrap(), expected, "{text}");
        }
        let turned = rawdoc! { "g": true, "f": null, "b": 2, "_id": 3, "a": 1 };
        assert_eq!(document(br#"{"g":true,"f":null,"b":2,"_id":3,"a":1}"#, &shape()).unwrap(), turned);
    }

    #[test]
    fn repeated_and_foreign_names_are_refused_wherever_they_stand() {
        for (text, column, detail) in [
            (r#"{"a":1,"b":2,"b":3}"#, 14, "duplicate key `b`"),
            (r#"{"a":1,"b":2,"a":3}"#, 14, "duplicate key `a`"),
            (r#"{"b":1,"a":2,"b":3}"#, 14, "duplicate key `b`"),
            (r#"{"a":1,"\u0062":2,"b":3}"#, 19, "duplicate key `b`"),
            (r#"{"a":1,"b":2,"\u0062":3}"#, 14, "duplicate key `b`"),
            (r#"{"x":1,"a":2,"x":3}"#, 14, "duplicate key `x`"),
            (r#"{"a":1,"a":2,"a":3}"#, 8, "duplicate key `a`"),
            (r#"{"f":1,"_id":2,"f":3}"#, 16, "duplicate key `f`"),
            (r#"{"h":1,"a":2,"h":3}"#, 14, "duplicate key `h`"),
            (r#"{"a":1,"b\u0000":2}"#, 8, "`b\\u{0}` holds a NUL character"),
            (r#"{"a":1,"x":{"a":1,"b":2,"b":3}}"#, 25, "duplicate key `b`"),
            (r#"{"c.d":1,"$e":2}"#, 10, "`$e`: names that begin with `$`"),
            (r#"{"f":1,"$e":2}"#, 8, "`$e`: names that begin with `$`"),
            (r#"{"a":1,"b.c":2}"#, 8, "`b.c`: names that hold a dot"),
            (r#"{"a":1,"b":2,"c.d"}"#, 19, "expected `:`"),
            (r#"{"a":1,"b":}"#, 12, "expected value"),
            (r#"{"a":1,"b":2,}"#, 14, "trailing comma"),
        ] {
            let error = document(text.as_bytes(), &shape()).unwrap_err();
            assert_eq!((error.line, error.column), (1, column), "{text}: {}", error.detail);
            assert!(error.detail.starts_with(detail), "{text}: {}", error.detail);
        }
    }
}
