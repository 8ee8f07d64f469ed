//! A body of many writes, split into them in one pass. Their documents are looked at only as far as to find their ends.

use std::ops::Range;

use jiter::{Jiter, Peek};

use crate::{
    config::Limits,
    error::{Error, Result, check_limit, nearest},
    json::{SyntaxError, quote_after},
};

/// What a write does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    /// Stores a new document.
    Insert,
    /// Changes a document by a patch or operators.
    Update,
    /// Stores a document in the place of another one.
    Replace,
    /// Stores a document in the place of the one with the same key, or as a new one.
    Upsert,
    /// Deletes a document.
    Delete,
}

/// A write as it was sent.
#[derive(Debug)]
pub struct Sent<'t> {
    /// The whole body.
    pub(super) text: &'t [u8],
    /// Which of the writes it is.
    pub(super) item: usize,
    pub(super) verb: Verb,
    pub(super) members: Members,
}

/// Where the members of a write stand in the body; an empty range where one that is not needed is not there.
#[derive(Debug, Clone, Default)]
pub(super) struct Members {
    pub(super) id: Range<usize>,
    pub(super) document: Range<usize>,
    pub(super) patch: Range<usize>,
    pub(super) filter: Range<usize>,
    pub(super) array_filters: Option<Range<usize>>,
    pub(super) if_match: Option<Range<usize>>,
}

impl Verb {
    const ALL: [Self; 5] = [Self::Insert, Self::Update, Self::Replace, Self::Upsert, Self::Delete];

    /// Its name, as the member of a write that says what to do.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Replace => "replace",
            Self::Upsert => "upsert",
            Self::Delete => "delete",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verb| verb.name() == name)
    }

    /// The members that it must have, and those that it may have. An insert has none: it is the document itself.
    fn members(self) -> (&'static [&'static str], &'static [&'static str]) {
        match self {
            Self::Insert => (&[], &[]),
            Self::Update => (&["id", "patch"], &["arrayFilters", "ifMatch"]),
            Self::Replace => (&["id", "document"], &["ifMatch"]),
            Self::Upsert => (&["filter", "document"], &[]),
            Self::Delete => (&["id"], &["ifMatch"]),
        }
    }
}

impl Members {
    /// The place of the member `name`, one of those that [`Verb::members`] lists.
    fn slot(&mut self, name: &str) -> &mut Range<usize> {
        match name {
            "id" => &mut self.id,
            "document" => &mut self.document,
            "patch" => &mut self.patch,
            "filter" => &mut self.filter,
            "arrayFilters" => self.array_filters.get_or_insert_default(),
            _ => self.if_match.get_or_insert_default(),
        }
    }
}

/// The writes of the body `text`, in its order.
///
/// # Errors
/// [`Error::MalformedBody`] where it is not an array of writes, each an object of one
/// member, and [`Error::LimitExceeded`] for more than there may be.
pub fn split<'t>(text: &'t [u8], limits: &Limits) -> Result<Vec<Sent<'t>>> {
    let mut reader = Reader { text, jiter: Jiter::new(text) };
    if reader.peek()? != Peek::Array {
        return Err(reader.error(reader.at(), "expected an array of writes").into());
    }
    let mut writes = Vec::new();
    let mut next = reader.jiter.known_array().map_err(|e| SyntaxError::from_jiter(text, &e))?;
    while let Some(peek) = next {
        let item = writes.len();
        check_limit(("--max-bulk", limits.max_bulk), item + 1, || format!("a body of more than {item} writes"))?;
        let (verb, members) = reader.write(peek).map_err(|error| Error::from(error).of_item(item))?;
        writes.push(Sent { text, item, verb, members });
        next = reader.jiter.array_step().map_err(|e| SyntaxError::from_jiter(text, &e))?;
    }
    reader.jiter.finish().map_err(|e| SyntaxError::from_jiter(text, &e))?;
    Ok(writes)
}

struct Reader<'t> {
    text: &'t [u8],
    jiter: Jiter<'t>,
}

impl Reader<'_> {
    /// Reads a write, an object of one member.
    fn write(&mut self, peek: Peek) -> Result<(Verb, Members), SyntaxError> {
        const EXPECTED: &str = "expected an object of one member: `insert`, `update`, `replace`, `upsert` or `delete`";
        let start = self.at();
        if peek != Peek::Object {
            return Err(self.error(start, EXPECTED));
        }
        let Some(name) = self.first_key()? else { return Err(self.error(start, EXPECTED)) };
        let Some(verb) = Verb::named(&name) else {
            let hint = match nearest(&name, Verb::ALL.map(Verb::name)) {
                Some(near) => format!(", did you mean `{near}`?"),
                None => ": expected `insert`, `update`, `replace`, `upsert` or `delete`".to_owned(),
            };
            let detail = format!("there is no write `{}`{hint}", name.escape_debug());
            return Err(self.error(quote_after(self.text, start), detail));
        };
        let members = self.members(verb)?;
        match self.next_key()? {
            None => Ok((verb, members)),
            Some((_, at)) => Err(self.error(at, EXPECTED)),
        }
    }

    fn members(&mut self, verb: Verb) -> Result<Members, SyntaxError> {
        let (mut members, peek, start) = (Members::default(), self.peek()?, self.at());
        if verb == Verb::Insert {
            members.document = self.skip(peek)?;
            return Ok(members);
        }
        if peek != Peek::Object {
            return Err(self.error(start, format!("expected an object, what to {}", verb.name())));
        }
        let (mut seen, (required, optional)) = (Vec::new(), verb.members());
        let mut next = self.first_key()?.map(|name| (name, quote_after(self.text, start)));
        while let Some((name, at)) = next {
            let Some(known) = required.iter().chain(optional).find(|known| **known == name) else {
                return Err(self.error(at, unknown(verb, &name)));
            };
            if seen.contains(known) {
                return Err(self.error(at, format!("duplicate key `{known}`")));
            }
            seen.push(*known);
            let peek = self.peek()?;
            *members.slot(known) = self.skip(peek)?;
            next = self.next_key()?;
        }
        match required.iter().find(|name| !seen.contains(name)) {
            Some(missing) => Err(self.error(start, format!("`{}` needs `{missing}`", verb.name()))),
            None => Ok(members),
        }
    }

    /// The bytes of the value that begins with `peek`.
    fn skip(&mut self, peek: Peek) -> Result<Range<usize>, SyntaxError> {
        let start = self.at();
        self.jiter.known_skip(peek).map_err(|e| SyntaxError::from_jiter(self.text, &e))?;
        Ok(start..self.at())
    }

    fn first_key(&mut self) -> Result<Option<String>, SyntaxError> {
        let key = self.jiter.known_object().map(|key| key.map(str::to_owned));
        key.map_err(|e| SyntaxError::from_jiter(self.text, &e))
    }

    /// The next name of an object, and where it stands.
    fn next_key(&mut self) -> Result<Option<(String, usize)>, SyntaxError> {
        let from = self.at();
        let key = self.jiter.next_key().map(|key| key.map(|key| (key.to_owned(), quote_after(self.text, from))));
        key.map_err(|e| SyntaxError::from_jiter(self.text, &e))
    }

    fn peek(&mut self) -> Result<Peek, SyntaxError> {
        self.jiter.peek().map_err(|e| SyntaxError::from_jiter(self.text, &e))
    }

    fn at(&self) -> usize {
        self.jiter.current_index()
    }

    fn error(&self, at: usize, detail: impl Into<String>) -> SyntaxError {
        SyntaxError::at(self.text, at, detail)
    }
}

fn unknown(verb: Verb, name: &str) -> String {
    let (required, optional) = verb.members();
    let known = || required.iter().chain(optional).copied();
    let (verb, shown) = (verb.name(), name.escape_debug());
    match nearest(name, known()) {
        Some(near) => format!("`{verb}` has no member `{shown}`, did you mean `{near}`?"),
        None => format!("`{verb}` has no member `{shown}`, only `{}`", known().collect::<Vec<_>>().join("`, `")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(body: &str) -> Vec<(Verb, Vec<&str>)> {
        let shown = |sent: Sent<'_>| {
            let Members { id, document, patch, filter, array_filters, if_match } = sent.members;
            let all = [Some(id), Some(document), Some(patch), Some(filter), array_filters, if_match];
            let texts = all.into_iter().flatten().map(|at| &body[at]).filter(|text| !text.is_empty());
            (sent.verb, texts.collect())
        };
        split(body.as_bytes(), &Limits::default()).unwrap().into_iter().map(shown).collect()
    }

    #[test]
    fn finds_the_members_of_each_write() {
        let body = r#" [ {"insert": {"a": [1, "]"]} },
            {"update":{"arrayFilters":[{}],"patch":{"$set":{}} ,"id": 5,"ifMatch":"\"x\""}}, {"delete":{"id":"6"}},
            {"replace":{"id":{"$oid":"0"},"document":{}}},{"upsert":{"filter":{"a":1},"document":{"b":2}}}] "#;
        assert_eq!(
            sent(body),
            [
                (Verb::Insert, vec![r#"{"a": [1, "]"]}"#]),
                (Verb::Update, vec!["5", r#"{"$set":{}}"#, "[{}]", r#""\"x\"""#]),
                (Verb::Delete, vec![r#""6""#]),
                (Verb::Replace, vec![r#"{"$oid":"0"}"#, "{}"]),
                (Verb::Upsert, vec![r#"{"b":2}"#, r#"{"a":1}"#]),
            ]
        );
        assert_eq!(sent("[]"), []);
    }

    #[test]
    fn points_at_what_is_no_write() {
        let form = "expected an object of one member: `insert`, `update`, `replace`, `upsert` or `delete`";
        for (body, column, detail) in [
            ("{}", 1, "expected an array of writes"),
            ("", 1, "expected JSON, found nothing"),
            ("[1]", 2, form),
            ("[{}]", 2, form),
            (r#"[{"insert":{},"delete":{"id":1}}]"#, 15, form),
            (
                r#"[{"remove":{}}]"#,
                3,
                "there is no write `remove`: expected `insert`, `update`, `replace`, `upsert` or `delete`",
            ),
            (r#"[{"Update":{}}]"#, 3, "there is no write `Update`, did you mean `update`?"),
            (r#"[{"delete":5}]"#, 12, "expected an object, what to delete"),
            (r#"[{"delete":{}}]"#, 12, "`delete` needs `id`"),
            (r#"[{"update":{"id":1}}]"#, 12, "`update` needs `patch`"),
            (r#"[{"delete":{"id":1,"id":2}}]"#, 20, "duplicate key `id`"),
            (r#"[{"delete":{"_id":1}}]"#, 13, "`delete` has no member `_id`, did you mean `id`?"),
            (r#"[{"delete":{"id":1,"why":2}}]"#, 20, "`delete` has no member `why`, only `id`, `ifMatch`"),
            (r#"[{"upsert":{"ifMatch":""}}]"#, 13, "`upsert` has no member `ifMatch`, only `filter`, `document`"),
            (r#"[{"insert":{]}]"#, 13, "key must be a string"),
            ("[{\"insert\":{}}] x", 17, "trailing characters"),
        ] {
            let error = split(body.as_bytes(), &Limits::default()).unwrap_err();
            let Error::MalformedBody(error) = error.inner() else { panic!("{body}: {error}") };
            assert_eq!((error.column, error.detail.as_str()), (column, detail), "{body}");
        }
    }

    #[test]
    fn counts_the_writes() {
        let limits = Limits { max_bulk: 2, ..Limits::default() };
        let body = |count: usize| format!("[{}]", vec![r#"{"insert":{}}"#; count].join(","));
        assert_eq!(split(body(2).as_bytes(), &limits).unwrap().len(), 2);
        let error = split(body(3).as_bytes(), &limits).unwrap_err();
        assert_eq!(error.to_string(), "a body of more than 2 writes is over the limit of 2 (`--max-bulk`)");
    }

    #[test]
    fn deep_nesting_is_an_error() {
        let body = format!("[{{\"insert\":{}", "[".repeat(1 << 20));
        assert!(split(body.as_bytes(), &Limits::default()).is_err());
    }
}
