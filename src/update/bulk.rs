//! Many different writes in one body: `[{"insert":{…}},{"delete":{"id":…}},…]`.
//!
//! First the body is [`split()`] into writes whose members are still JSON, and refused as a whole if it is not of that
//! form. Then each is [read](Sent::read), and what is wrong with one is that one's alone. Who may do what, and running
//! them, is not this module's business.

use std::{ops::Range, str::Utf8Error, sync::Arc};

use bson::{Bson, RawBson, RawDocumentBuf};

use super::{Change, ChangePlan, Form, Insert, Operators, Precondition};
use crate::{
    codec::decode,
    config::Limits,
    error::{Error, Place, Result},
    etag::Tags,
    json::{SyntaxError, below},
    query::{filter::Filter, value::expected},
    schema::{Field, Kind, Schema, access::Op},
};

mod key;
mod rounds;
mod split;
mod token;

pub use key::Key;
pub(crate) use rounds::{Touch, rounds};
use split::Verb;
pub use split::{Sent, split};
pub(crate) use token::{Token, key_tokens};

/// One write of many, read.
#[derive(Debug)]
pub enum Write {
    /// A new document.
    Insert(Insert),
    /// A change to the document with an `_id`.
    Change(ChangePlan),
    /// A change to the document with some other key, or a new one.
    Upsert(Upsert),
}

impl Write {
    /// How many values its operators hold, if it has any.
    pub fn values(&self) -> usize {
        let Self::Change(change) = self else { return 0 };
        change.operators().map_or(0, Operators::values)
    }
}

/// A document that is to be stored in the place of the one with a key, or as a new one.
#[derive(Debug, Clone)]
pub struct Upsert {
    /// The collection.
    pub schema: Arc<Schema>,
    /// By what the stored document is found.
    pub key: Key,
    /// What is to be stored; it has the key.
    pub document: RawDocumentBuf,
}

/// The collection as a caller has it for an operation.
pub type Views<'v> = &'v dyn Fn(Op) -> Result<Arc<Schema>>;

impl Sent<'_> {
    /// The write, its values of the types that are declared where they stand.
    ///
    /// # Errors
    /// [`Error::MalformedBody`] and [`Error::InvalidQuery`] for what is wrong in the write, with its place in the body,
    /// and what `views` says of a caller who may not do that at all.
    pub fn read(&self, (declared, views): (&Arc<Schema>, Views<'_>), limits: &Limits) -> Result<Write> {
        let change = match self.verb {
            Verb::Insert => return Ok(Write::Insert(Insert { body: self.document(&*views(Op::Insert)?)? })),
            Verb::Upsert => return self.upsert((declared, views), limits),
            Verb::Update => self.patch(&*views(Op::Update)?, limits)?,
            Verb::Replace => Change::Replace(self.document(&*views(Op::Update)?)?),
            Verb::Delete => Change::Delete,
        };
        let (schema, id) = (Arc::clone(declared), self.id(declared)?);
        Ok(Write::Change(ChangePlan { schema, id, change, precondition: self.precondition()? }))
    }

    fn document(&self, schema: &Schema) -> Result<RawDocumentBuf> {
        let at = &self.members.document;
        decode::document(self.slice(at), &schema.root).map_err(|error| self.locate(error.into(), at))
    }

    /// An array is a JSON patch; an object has operators or is a merge patch, as it is in `application/json`.
    fn patch(&self, schema: &Schema, limits: &Limits) -> Result<Change> {
        let at = &self.members.patch;
        let text = self.slice(at);
        let form = if text.starts_with(b"[") { Ok(Form::Json) } else { Form::of(text) };
        let filters = self.members.array_filters.as_ref().map(|at| String::from_utf8_lossy(self.slice(at)));
        let change = form.and_then(|form| Change::patch(form, text, filters.as_deref(), (&schema.root, limits)));
        change.map_err(|error| self.locate(error, at))
    }

    /// By its `_id` a document is found as in a path; by another key, it is to be looked for.
    fn upsert(&self, (declared, views): (&Arc<Schema>, Views<'_>), limits: &Limits) -> Result<Write> {
        let (reads, _) = (views(Op::Read)?, views(Op::Update)?);
        let key = self.key(&reads, limits)?;
        let document = key::fill(&key, self.document(&*views(Op::Insert)?)?, declared)?;
        let schema = Arc::clone(declared);
        let Some(id) = key.id().cloned() else { return Ok(Write::Upsert(Upsert { schema, key, document })) };
        let change = Change::Upsert(document);
        Ok(Write::Change(ChangePlan { schema, id, change, precondition: Precondition::default() }))
    }

    fn key(&self, reads: &Schema, limits: &Limits) -> Result<Key> {
        let at = &self.members.filter;
        let unreadable = |error: Utf8Error| SyntaxError::at(self.slice(at), error.valid_up_to(), "invalid UTF-8");
        let text = str::from_utf8(self.slice(at)).map_err(|error| self.locate(unreadable(error).into(), at))?;
        let key = Filter::of_member(text, limits).and_then(|filter| key::plan(&filter, reads, limits));
        key.map_err(|error| self.locate(error, at))
    }

    fn id(&self, schema: &Schema) -> Result<Bson> {
        let (at, shape) = (&self.members.id, schema.id());
        let id = decode::value(self.slice(at), shape).map_err(|error| self.locate(error.into(), at))?;
        let declared = Some(id).filter(|id| shape.kinds.contains(Kind::of(id.element_type())));
        let place = || Place { pointer: Some("/id".into()), ..Place::new("id", None) };
        let wrong = || place().refuse(format!("expected {}", expected(shape.kinds)));
        declared.and_then(|id| Bson::try_from(id).ok()).ok_or_else(|| self.locate(wrong(), at))
    }

    fn precondition(&self) -> Result<Precondition> {
        let Some(at) = &self.members.if_match else { return Ok(Precondition::default()) };
        let tags = decode::value(self.slice(at), &Field::any()).map_err(|error| self.locate(error.into(), at))?;
        let RawBson::String(tags) = tags else {
            let error = SyntaxError::at(self.slice(at), 0, "expected a string, entity tags as in `If-Match`");
            return Err(self.locate(error.into(), at));
        };
        Ok(Precondition { if_match: Some(Tags::parse(&tags, false)), if_none_match: None })
    }

    fn slice(&self, at: &Range<usize>) -> &[u8] {
        self.text.get(at.clone()).unwrap_or_default()
    }

    /// The `error` of the member at a place, with its own place in the whole body.
    fn locate(&self, mut error: Error, member: &Range<usize>) -> Error {
        match &mut error {
            Error::MalformedBody(at) => {
                let detail = std::mem::take(&mut at.detail);
                let rule = at.rule;
                *at = SyntaxError { rule, ..SyntaxError::at(self.text, member.start + at.offset, detail) };
            }
            Error::InvalidQuery { place, .. }
            | Error::UnknownField { place, .. }
            | Error::ForbiddenField { place, .. } => {
                let inner = place.pointer.get_or_insert_with(|| below("", &place.parameter));
                *inner = format!("/{}/{}{inner}", self.item, self.verb.name());
            }
            _ => {}
        }
        error
    }
}

#[cfg(test)]
mod tests;
