//! Objects, and which names their members may have.

use bson::spec::ElementType;

use super::{
    Decoder,
    reader::{Place, Read},
    too_large,
};
use crate::{
    codec::{elements::Elements, members::Declared, raw},
    json::SyntaxError,
    schema::Field,
};

impl Decoder<'_> {
    /// Reads an object that is no wrapper.
    pub(super) fn object(&mut self, shape: &Field) -> Read<ElementType> {
        self.descend()?;
        let (begun, start) = (self.reader.at(), raw::open(&mut self.out));
        let mut declared = Declared::of(shape);
        let mut next = self.member(Place::First, &mut declared)?;
        while let Some((slot, shape)) = next {
            let peek = self.reader.peek()?;
            self.out[slot] = self.value(peek, shape.as_sent())? as u8;
            next = self.member(Place::Next, &mut declared)?;
        }
        raw::close(&mut self.out, start);
        if !declared.are_in_order {
            self.refuse_repeated((begun, start))?;
        }
        self.room += 1;
        Ok(ElementType::EmbeddedDocument)
    }

    /// Reads the name of the next member, if there is one: where its type belongs, and its shape.
    #[inline]
    fn member<'s>(&mut self, place: Place, declared: &mut Declared<'s>) -> Read<Option<(usize, &'s Field)>> {
        if let Some((absent, field)) = self.reader.declared(place, declared.ahead()) {
            declared.pass(absent);
            return Ok(Some((raw::prepared_key(&mut self.out, &field.key), field)));
        }
        self.named(place, declared)
    }

    /// The same of any member, by its name.
    fn named<'s>(&mut self, place: Place, declared: &mut Declared<'s>) -> Read<Option<(usize, &'s Field)>> {
        let text = self.reader.text;
        let Some((at, name)) = self.reader.name(place)? else { return Ok(None) };
        let found = declared.find(name.as_bytes());
        // The names that files declare hold no NUL, and may hold a dot.
        if found.is_none() || name.starts_with('$') {
            check(name, declared.shape).map_err(|detail| SyntaxError::at(text, at, detail))?;
        }
        let slot = raw::key(&mut self.out, name.as_bytes());
        Ok(Some((slot, found.unwrap_or_else(|| declared.shape.other()))))
    }

    /// Whether the object that comes next begins with a `$` key.
    pub(super) fn at_dollar(&self) -> bool {
        let members = self.reader.text.get(self.reader.at() + 1..).unwrap_or_default().trim_ascii_start();
        [&b"\"$"[..], b"\"\\u0024"].into_iter().any(|key| members.starts_with(key))
    }

    /// Refuses the first name that is there twice in the object that begins at these places of the text and of the BSON.
    ///
    /// Sorted, so that a million members take no square of a million steps.
    #[cold]
    fn refuse_repeated(&self, (text, start): (usize, usize)) -> Read<()> {
        let too_large = |_| too_large(self.reader.text, text);
        let (mut elements, mut names) = (Elements::of(&self.out[start..]).map_err(too_large)?, Vec::new());
        while let Some(element) = elements.next().map_err(too_large)? {
            names.push((element.name, names.len()));
        }
        names.sort_unstable();
        let repeated = names.windows(2).filter(|pair| pair[0].0 == pair[1].0).map(|pair| pair[1]);
        let Some((name, nth)) = repeated.min_by_key(|(_, nth)| *nth) else { return Ok(()) };
        let detail = format!("duplicate key `{}`", String::from_utf8_lossy(name));
        Err(self.reader.error(self.reader.name_at(text, nth)?, detail))
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
