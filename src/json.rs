//! JSON text as a tree that remembers where each value stood.
//!
//! For collection files and filters, which are looked at more than once. Numbers keep
//! their digits, duplicate keys are refused, depth is bounded. Documents and merge patches do not come this way: `codec`
//! turns their text into BSON in one pass.

use std::{fmt, ops::Range};

use indexmap::{IndexMap, map::Entry};
use jiter::{Jiter, JiterError, JiterErrorType, JsonErrorType, LinePosition, Peek};

/// A JSON value and the bytes of the text it was read from.
#[derive(Debug, Clone, PartialEq)]
pub struct Tree {
    /// Where the value's name begins, if it is a member of an object; where the value does, if it is not.
    pub name_at: usize,
    /// Where the value stands in the text, in bytes.
    pub span: Range<usize>,
    /// The value.
    pub node: Node,
}

/// What a JSON value is.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as written.
    Number(String),
    /// A string, unescaped.
    String(String),
    /// An array.
    Array(Vec<Tree>),
    /// An object, in the order of the text.
    Object(IndexMap<String, Tree>),
}

/// Text that is not JSON, or breaks one of our rules for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// Line, from 1.
    pub line: usize,
    /// Column in bytes, from 1.
    pub column: usize,
    /// Bytes from the start of the text.
    pub offset: usize,
    /// What is wrong.
    pub detail: String,
    /// The [RFC 6901](https://www.rfc-editor.org/rfc/rfc6901) pointer of the value at fault, where that helps.
    pub pointer: Option<String>,
    /// Which rule is broken.
    pub rule: Rule,
}

/// What makes text unusable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// It is not JSON, or not the JSON that is taken here.
    Form,
    /// What it says is larger than a document can be.
    Size,
    /// It is nested more deeply than its [`Bounds`] allow.
    Depth,
    /// It holds more values than its [`Bounds`] allow.
    Count,
}

/// How much of a text is read.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Levels of objects and arrays.
    pub depth: usize,
    /// Values, those in objects and arrays included.
    pub values: usize,
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.detail)
    }
}

impl SyntaxError {
    /// The error `detail` at byte `offset` of `text`.
    pub fn at(text: &[u8], offset: usize, detail: impl Into<String>) -> Self {
        let LinePosition { line, column } = LinePosition::find(text, offset);
        Self { line, column: column.max(1), offset, detail: detail.into(), pointer: None, rule: Rule::Form }
    }

    /// The same, of the value at `pointer`.
    #[must_use]
    pub fn of(self, pointer: String) -> Self {
        Self { pointer: Some(pointer), ..self }
    }

    pub(crate) fn from_jiter(text: &[u8], error: &JiterError) -> Self {
        let detail = match error.error_type {
            JiterErrorType::JsonError(JsonErrorType::EofWhileParsingValue) if text.trim_ascii().is_empty() => {
                "expected JSON, found nothing".into()
            }
            JiterErrorType::JsonError(JsonErrorType::ExpectedSomeIdent) => {
                "expected a JSON value; strings stand in quotes".into()
            }
            _ => error.error_type.to_string(),
        };
        Self::at(text, error.index, detail)
    }
}

impl Tree {
    /// Reads the whole of `text`; objects and arrays nested deeper than `max_depth` are an error.
    pub fn parse(text: &[u8], max_depth: usize) -> Result<Self, SyntaxError> {
        Self::parse_within(text, Bounds { depth: max_depth, values: usize::MAX })
    }

    /// Reads the whole of `text`, which must keep within `bounds`: a tree takes many times the memory of its text.
    pub fn parse_within(text: &[u8], bounds: Bounds) -> Result<Self, SyntaxError> {
        let mut reader = Reader { text, jiter: Jiter::new(text), room: bounds };
        let peek = reader.jiter.peek().map_err(|e| SyntaxError::from_jiter(text, &e))?;
        let tree = reader.value(peek)?;
        reader.jiter.finish().map_err(|e| SyntaxError::from_jiter(text, &e))?;
        Ok(tree)
    }

    /// The member `name`, if this is an object that has it.
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.as_object()?.get(name)
    }

    /// The value an [RFC 6901](https://www.rfc-editor.org/rfc/rfc6901) pointer (`/a/0`, no `#`) leads to.
    pub fn pointer(&self, pointer: &str) -> Option<&Self> {
        tokens(pointer).try_fold(self, |tree, token| match &tree.node {
            Node::Object(members) => members.get(&token),
            Node::Array(items) => items.get(token.parse::<usize>().ok()?),
            _ => None,
        })
    }

    /// The [RFC 6901](https://www.rfc-editor.org/rfc/rfc6901) pointer of the innermost value whose bytes, or whose
    /// name's, hold `offset`.
    pub fn pointer_at(&self, offset: usize) -> String {
        let (mut tree, mut pointer) = (self, String::new());
        loop {
            let inner = match &tree.node {
                Node::Array(items) => {
                    let at = items.partition_point(|item| item.span.end <= offset);
                    items.get(at).map(|item| (at.to_string(), item))
                }
                Node::Object(members) => {
                    members.iter().find(|(_, value)| offset < value.span.end).map(|(name, value)| (name.clone(), value))
                }
                _ => None,
            };
            match inner {
                Some((token, value)) if value.name_at <= offset => {
                    push_token(&mut pointer, &token);
                    tree = value;
                }
                _ => return pointer,
            }
        }
    }

    /// The string, if this is one.
    pub fn as_str(&self) -> Option<&str> {
        if let Node::String(text) = &self.node { Some(text) } else { None }
    }

    /// The members, if this is an object.
    pub fn as_object(&self) -> Option<&IndexMap<String, Self>> {
        if let Node::Object(members) = &self.node { Some(members) } else { None }
    }

    /// The items, if this is an array.
    pub fn as_array(&self) -> Option<&[Self]> {
        if let Node::Array(items) = &self.node { Some(items) } else { None }
    }

    /// The boolean, if this is one.
    pub fn as_bool(&self) -> Option<bool> {
        if let Node::Bool(value) = self.node { Some(value) } else { None }
    }

    /// The whole number in 32 bits, if this is one; `5.0` and `5e0` are.
    pub fn as_whole(&self) -> Option<i32> {
        let Node::Number(digits) = &self.node else { return None };
        let number: f64 = digits.parse().ok()?;
        let fits = number.fract() == 0.0 && (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&number);
        #[expect(clippy::cast_possible_truncation, reason = "a whole number in range")]
        fits.then_some(number as i32)
    }

    /// The piece of `source`, the text this was read from, that this value is.
    pub fn text<'s>(&self, source: &'s str) -> &'s str {
        source.get(self.span.clone()).unwrap_or_default()
    }
}

/// Where the next string of `text` begins.
pub(crate) fn quote_after(text: &[u8], from: usize) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    from + rest.iter().position(|b| *b == b'"').unwrap_or_default()
}

/// The pointer of the member `token` of the value at `pointer`.
pub fn below(pointer: &str, token: &str) -> String {
    let mut longer = pointer.to_owned();
    push_token(&mut longer, token);
    longer
}

/// Appends one token to an RFC 6901 pointer, escaped.
pub fn push_token(pointer: &mut String, token: &str) {
    pointer.push('/');
    for c in token.chars() {
        match c {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            c => pointer.push(c),
        }
    }
}

/// The names that an RFC 6901 pointer goes through, unescaped.
pub fn tokens(pointer: &str) -> impl Iterator<Item = String> {
    pointer.split('/').skip(1).map(unescape)
}

/// One token of an RFC 6901 pointer, unescaped.
pub fn unescape(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}

struct Reader<'t> {
    text: &'t [u8],
    jiter: Jiter<'t>,
    /// How much more may come.
    room: Bounds,
}

impl Reader<'_> {
    fn value(&mut self, peek: Peek) -> Result<Tree, SyntaxError> {
        let start = self.jiter.current_index();
        self.room.values =
            self.room.values.checked_sub(1).ok_or_else(|| self.beyond(Rule::Count, "too many values"))?;
        let node = match peek {
            Peek::Null => self.jiter.known_null().map(|()| Node::Null).map_err(|e| self.at(&e))?,
            Peek::True | Peek::False => self.jiter.known_bool(peek).map(Node::Bool).map_err(|e| self.at(&e))?,
            Peek::String => {
                let text = self.jiter.known_str().map(str::to_owned);
                Node::String(text.map_err(|e| self.at(&e))?)
            }
            Peek::Array => self.nested(Self::array)?,
            Peek::Object => self.nested(Self::object)?,
            _ => {
                let digits = self.jiter.known_number_bytes(peek).map(|d| String::from_utf8_lossy(d).into_owned());
                Node::Number(digits.map_err(|e| self.at(&e))?)
            }
        };
        Ok(Tree { name_at: start, span: start..self.jiter.current_index(), node })
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Node, SyntaxError>) -> Result<Node, SyntaxError> {
        let too_deep = || self.beyond(Rule::Depth, "nested too deeply");
        self.room.depth = self.room.depth.checked_sub(1).ok_or_else(too_deep)?;
        let node = read(self)?;
        self.room.depth += 1;
        Ok(node)
    }

    fn array(&mut self) -> Result<Node, SyntaxError> {
        let mut items = Vec::new();
        let mut next = self.jiter.known_array().map_err(|e| self.at(&e))?;
        while let Some(peek) = next {
            items.push(self.value(peek)?);
            next = self.jiter.array_step().map_err(|e| self.at(&e))?;
        }
        Ok(Node::Array(items))
    }

    fn object(&mut self) -> Result<Node, SyntaxError> {
        let mut members = IndexMap::new();
        let mut from = self.jiter.current_index();
        let mut key = self.jiter.known_object().map(|k| k.map(str::to_owned)).map_err(|e| self.at(&e))?;
        while let Some(name) = key {
            let name_at = quote_after(self.text, from);
            let at = self.jiter.current_index();
            let peek = self.jiter.peek().map_err(|e| self.at(&e))?;
            let value = Tree { name_at, ..self.value(peek)? };
            match members.entry(name) {
                Entry::Vacant(slot) => drop(slot.insert(value)),
                Entry::Occupied(slot) => {
                    return Err(SyntaxError::at(self.text, at, format!("duplicate key `{}`", slot.key())));
                }
            }
            from = self.jiter.current_index();
            key = self.jiter.next_key().map(|k| k.map(str::to_owned)).map_err(|e| self.at(&e))?;
        }
        Ok(Node::Object(members))
    }

    fn beyond(&self, rule: Rule, detail: &str) -> SyntaxError {
        SyntaxError { rule, ..SyntaxError::at(self.text, self.jiter.current_index(), detail) }
    }

    fn at(&self, error: &JiterError) -> SyntaxError {
        SyntaxError::from_jiter(self.text, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_order_digits_and_places() {
        let text = br#"{"b": 1.50, "a": [true, "x\n"]}"#;
        let tree = Tree::parse(text, 8).unwrap();
        assert_eq!(tree.as_object().unwrap().keys().collect::<Vec<_>>(), ["b", "a"]);
        assert_eq!(tree.get("b").unwrap().node, Node::Number("1.50".into()));
        assert_eq!(tree.pointer("/a/1").unwrap().text(std::str::from_utf8(text).unwrap()), r#""x\n""#);
    }

    #[test]
    fn points_at_values_and_names() {
        let text = r#" {"a/b" : [1, {"c": "x"}] , "d": {}}"#;
        let tree = Tree::parse(text.as_bytes(), 8).unwrap();
        for (needle, pointer) in [
            ("{\"a", ""),
            ("\"a/b", "/a~1b"),
            ("[1", "/a~1b"),
            ("1,", "/a~1b/0"),
            ("{\"c", "/a~1b/1"),
            ("\"c", "/a~1b/1/c"),
            ("\"x", "/a~1b/1/c"),
            (" , \"d", ""),
            ("\"d", "/d"),
            ("{}", "/d"),
        ] {
            assert_eq!(tree.pointer_at(text.find(needle).unwrap()), pointer, "{needle}");
        }
        assert_eq!((tree.pointer_at(0), tree.pointer_at(99)), (String::new(), String::new()));
    }

    #[test]
    fn keeps_within_bounds() {
        let read =
            |text: &[u8]| Tree::parse_within(text, Bounds { depth: 2, values: 4 }).map_err(|e| (e.rule, e.offset));
        assert!(read(br#"{"a": [1, 2]}"#).is_ok());
        assert_eq!(read(br#"{"a": [1, 2, 3]}"#), Err((Rule::Count, 13)));
        assert_eq!(read(br#"{"a": [[1]]}"#), Err((Rule::Depth, 7)));
    }

    #[test]
    fn tells_whole_numbers() {
        let cases = [
            ("2", Some(2)),
            ("20e-1", Some(2)),
            ("-2.0", Some(-2)),
            ("-0", Some(0)),
            ("2147483647", Some(i32::MAX)),
            ("2147483648", None),
            ("1.5", None),
            ("1e99", None),
            ("\"2\"", None),
        ];
        for (text, whole) in cases {
            assert_eq!(Tree::parse(text.as_bytes(), 1).unwrap().as_whole(), whole, "{text}");
        }
    }

    #[test]
    fn refuses_with_line_and_column() {
        let cases: [(&[u8], usize, usize, &str); 6] = [
            (b"{\"a\": 1,\n \"a\": 2}", 2, 6, "duplicate key `a`"),
            (b"[1, 2", 1, 5, "EOF while parsing a list"),
            (b"[[[[[]]]]]", 1, 5, "nested too deeply"),
            (b"\"\\ud800\"", 1, 8, "unexpected end of hex escape"),
            (b"NaN", 1, 1, "expected value"),
            (b"1 2", 1, 3, "trailing characters"),
        ];
        for (text, line, column, detail) in cases {
            let error = Tree::parse(text, 4).unwrap_err();
            assert_eq!((error.line, error.column, error.detail.as_str()), (line, column, detail), "{text:?}");
        }
    }
}
