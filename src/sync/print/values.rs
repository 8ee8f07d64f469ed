//! Values of documents, files and indexes on one line.

use std::fmt::{self, Write};

use bson::{Bson, Document, RawBson};

use crate::{
    codec,
    schema::{Field, Index, Kind},
};

/// An index as one line: `books.isbn_1 {"isbn":1} unique`.
pub(super) struct Shown<'i>(pub(super) &'i str, pub(super) &'i Index);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(collection, index) = self;
        write!(f, "{collection}.{} {}", Clean(&index.name), object(&index.keys))?;
        index.options.iter().try_for_each(|(name, value)| match value {
            Bson::Boolean(true) => write!(f, " {name}"),
            value => write!(f, " {name}: {}", Json(value)),
        })
    }
}

/// A value as compact JSON with its members in order; what JSON has no type for is Extended JSON.
pub(in crate::sync) struct Json<'v>(pub(in crate::sync) &'v Bson);

impl fmt::Display for Json<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(f, self.0, &|f, leaf| quiet(f, &leaf.clone().into_relaxed_extjson().to_string()))
    }
}

/// A value of a rule as a collection file has it, in the JSON of its own type: a decimal is `"19.90"`.
pub(in crate::sync) struct Written<'v>(pub(in crate::sync) &'v Bson);

impl fmt::Display for Written<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(f, self.0, &|f, leaf| match face(leaf) {
            Some(json) => quiet(f, &json),
            None => write!(f, "{}", Json(leaf)),
        })
    }
}

fn face(leaf: &Bson) -> Option<String> {
    let raw = RawBson::try_from(leaf.clone()).ok()?;
    let kind = Kind::of(leaf.element_type());
    let mut json = Vec::new();
    codec::encode::value(&mut json, raw.as_raw_bson_ref(), &Field { kinds: kind.into(), ..Field::any() }).ok()?;
    String::from_utf8(json).ok()
}

/// JSON in which nothing speaks to the terminal: it may have some control characters as they are, in strings only.
fn quiet(f: &mut fmt::Formatter<'_>, json: &str) -> fmt::Result {
    json.chars().try_for_each(|c| if c.is_control() { write!(f, "\\u{:04x}", u32::from(c)) } else { f.write_char(c) })
}

/// A document as compact JSON.
pub(in crate::sync) fn object(members: &Document) -> String {
    Json(&Bson::Document(members.clone())).to_string()
}

/// Writes what stands in objects and arrays with `leaf`. BSON nesting is bounded by the server.
fn write(
    f: &mut fmt::Formatter<'_>,
    value: &Bson,
    leaf: &dyn Fn(&mut fmt::Formatter<'_>, &Bson) -> fmt::Result,
) -> fmt::Result {
    let comma = |i: usize| if i > 0 { "," } else { "" };
    match value {
        Bson::Document(members) => {
            f.write_str("{")?;
            for (i, (name, value)) in members.iter().enumerate() {
                write!(f, "{}{}:", comma(i), Json(&Bson::from(name.as_str())))?;
                write(f, value, leaf)?;
            }
            f.write_str("}")
        }
        Bson::Array(items) => {
            f.write_str("[")?;
            for (i, item) in items.iter().enumerate() {
                f.write_str(comma(i))?;
                write(f, item, leaf)?;
            }
            f.write_str("]")
        }
        value => leaf(f, value),
    }
}

/// A text from documents or other programs, in which no line ends and nothing speaks to the terminal.
pub(super) struct Clean<'t>(pub(super) &'t str);

impl fmt::Display for Clean<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .chars()
            .try_for_each(|c| if c.is_control() { write!(f, "{}", c.escape_unicode()) } else { f.write_char(c) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_values_speaks_to_the_terminal() {
        let spoken = Bson::from("\u{1b}[2J\u{9b}2J\u{7f}é");
        let expected = r#""\u001b[2J\u009b2J\u007fé""#;
        assert_eq!(
            (Json(&spoken).to_string(), Written(&spoken).to_string()),
            (expected.to_owned(), expected.to_owned())
        );
        assert_eq!(serde_json::from_str::<String>(expected).unwrap(), spoken.as_str().unwrap());
        let name = Document::from_iter([("\u{9b}".to_owned(), Bson::Int32(1))]);
        assert_eq!(object(&name), r#"{"\u009b":1}"#);
    }
}
