//! The places that operations name ([RFC 6901](https://www.rfc-editor.org/rfc/rfc6901)), and what the schema says of them.

use std::fmt;

use crate::{
    json::{below, unescape},
    schema::{Field, Sight},
};

/// How many levels below the document a place may lie, and how deep patches may nest documents.
///
/// See [limits](https://www.mongodb.com/docs/manual/reference/limits/#mongodb-limit-Nested-Depth-for-BSON-Documents).
pub(super) const MAX_LEVELS: usize = 100;

/// What names the place behind the last item of a list.
const END: &str = "-";

/// A place of a document, by the names and indices that lead there.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pointer {
    tokens: Vec<String>,
}

impl Pointer {
    /// Reads a pointer, or tells what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(Self { tokens: Vec::new() });
        }
        let tokens =
            text.strip_prefix('/').ok_or("expected a JSON pointer: an empty one, or names each behind a `/`")?;
        if tokens.split('/').nth(MAX_LEVELS).is_some() {
            return Err(format!("leads deeper than {MAX_LEVELS} levels"));
        }
        let tokens: Vec<_> = tokens.split('/').map(token).collect::<Result<_, _>>()?;
        Ok(Self { tokens })
    }

    /// The names and indices.
    pub(super) fn tokens(&self) -> &[String] {
        &self.tokens
    }

    /// The container that the place is in, and how it is called there; `None` for the whole document.
    pub(super) fn parent(&self) -> Option<(&[String], &str)> {
        self.tokens.split_last().map(|(last, parent)| (parent, last.as_str()))
    }

    /// Whether `other` lies in the value that stands here.
    pub(super) fn holds(&self, other: &Self) -> bool {
        other.tokens.len() > self.tokens.len() && other.tokens.starts_with(&self.tokens)
    }

    /// The shape of what stands here in documents of the shape `root`. Where that depends on what is stored, on whether
    /// a number is a name or an index, it is the likelier one.
    pub(super) fn shape<'f>(&self, root: &'f Field) -> &'f Field {
        shape_at(&self.tokens, root)
    }

    /// Whether nothing on the way is out of `sight`.
    pub(super) fn is_in(&self, sight: &Sight<'_>) -> bool {
        let reached = self.tokens.iter().try_fold(sight.clone(), |sight, token| match token.as_str() {
            // It may be the name of a member too.
            END => sight.member(END).and_then(|_| sight.step("0")),
            name => sight.step(name),
        });
        reached.is_some()
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&written(&self.tokens))
    }
}

/// The shape of what `tokens` lead to, as of [`Pointer::shape`].
pub(super) fn shape_at<'f>(tokens: &[String], root: &'f Field) -> &'f Field {
    tokens.iter().fold(root, |field, token| step(field, token))
}

/// The text of the pointer that goes through `tokens`.
pub(super) fn written(tokens: &[String]) -> String {
    tokens.iter().fold(String::new(), |pointer, token| below(&pointer, token))
}

/// What a token says of a place in a list.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Index {
    At(usize),
    End,
}

impl Index {
    /// Reads a token; `None` for what picks no item.
    pub(super) fn parse(token: &str) -> Option<Self> {
        let is_digits = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_digit());
        match token {
            END => Some(Self::End),
            "0" => Some(Self::At(0)),
            _ if is_digits && !token.starts_with('0') => token.parse().ok().map(Self::At),
            _ => None,
        }
    }
}

fn step<'f>(field: &'f Field, token: &str) -> &'f Field {
    let has_items = field.items.is_some() || field.tuple.is_some();
    match Index::parse(token) {
        Some(index) if has_items && !field.properties.contains_key(token) => match index {
            Index::At(index) => field.at(index),
            Index::End => field.item(),
        },
        _ => field.sent(token),
    }
}

fn token(token: &str) -> Result<String, String> {
    let is_escaped = token.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    is_escaped.then(|| unescape(token)).ok_or_else(|| format!("`{token}`: expected `~0` for `~` and `~1` for `/`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_pointers() {
        for (text, tokens) in [
            ("", vec![]),
            ("/", vec![""]),
            ("/a//b", vec!["a", "", "b"]),
            ("/a~1b/m~0n/~01", vec!["a/b", "m~n", "~1"]),
            ("/ /%41", vec![" ", "%41"]),
        ] {
            let pointer = Pointer::parse(text).unwrap();
            assert_eq!(pointer.tokens(), tokens);
            assert_eq!(pointer.to_string(), text);
        }
        for text in ["a", "#/a", "/~", "/~2", "/a~", &"/a".repeat(MAX_LEVELS + 1)] {
            Pointer::parse(text).expect_err(text);
        }
        Pointer::parse(&"/a".repeat(MAX_LEVELS)).unwrap();
    }

    #[test]
    fn reads_indices() {
        let (at, none) = (|index| Some(Index::At(index)), None);
        for (token, index) in [
            ("0", at(0)),
            ("10", at(10)),
            ("-", Some(Index::End)),
            ("", none),
            ("00", none),
            ("01", none),
            ("-1", none),
            ("+1", none),
            ("1e0", none),
            ("1.0", none),
            ("٣", none),
            ("99999999999999999999999", none),
        ] {
            assert_eq!(Index::parse(token), index, "{token}");
        }
    }
}
