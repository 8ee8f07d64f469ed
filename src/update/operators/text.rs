//! The text of an update, read no further than to the operands: each is then read as its operator and its path say.

use std::{cell::Cell, collections::HashSet};

use bson::{Bson, RawBsonRef};
use jiter::Jiter;

use crate::{
    codec::decode,
    error::{Error, Result, check_limit},
    json::{SyntaxError, Tree, quote_after},
    schema::Field,
    update::unreadable,
};

/// How many values the operands may hold together: one takes up to a hundred times the memory of its text.
#[derive(Debug)]
pub(super) struct Room {
    limit: usize,
    taken: Cell<usize>,
}

/// A JSON value of a text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece<'t> {
    whole: &'t [u8],
    room: &'t Room,
    start: usize,
    end: usize,
}

/// A member of an object.
#[derive(Debug, Clone)]
pub(super) struct Member<'t> {
    pub(super) name: String,
    /// Where the name stands.
    pub(super) at: usize,
    pub(super) value: Piece<'t>,
}

impl Room {
    /// Room for `limit` values.
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, taken: Cell::new(0) }
    }

    /// How many values have been taken in.
    pub(super) fn taken(&self) -> usize {
        self.taken.get()
    }

    fn take(&self, value: RawBsonRef<'_>) -> Result<()> {
        self.taken.set(self.taken.get() + 1);
        check_limit(("--max-values", self.limit), self.taken.get(), || {
            "the number of values in the update".to_owned()
        })?;
        match value {
            RawBsonRef::Array(items) => items.into_iter().try_for_each(|item| self.take(item.map_err(unreadable)?)),
            RawBsonRef::Document(members) => {
                members.into_iter().try_for_each(|member| self.take(member.map_err(unreadable)?.1))
            }
            _ => Ok(()),
        }
    }
}

impl<'t> Piece<'t> {
    /// The whole of `text`.
    pub(super) fn of(text: &'t [u8], room: &'t Room) -> Self {
        Self { whole: text, room, start: 0, end: text.len() }
    }

    /// The members, if this is an object; its values are not looked into. Of more than `most` members, one more is given
    /// and the others are not read.
    pub(super) fn members(self, most: usize) -> Result<Vec<Member<'t>>> {
        let mut jiter = Jiter::new(self.bytes());
        if !self.is_object() {
            return Err(self.wrong("expected an object"));
        }
        let fault = |index, detail: String| self.wrong_at(self.start + index, detail);
        let (mut members, mut names, mut from) = (Vec::new(), HashSet::new(), 0);
        let mut next = jiter.next_object().map(|name| name.map(str::to_owned));
        while let Some(name) = next.map_err(|e| fault(e.index, e.error_type.to_string()))? {
            let at = self.start + quote_after(self.bytes(), from);
            let peek = jiter.peek().map_err(|e| fault(e.index, e.error_type.to_string()))?;
            let start = self.start + jiter.current_index();
            jiter.known_skip(peek).map_err(|e| fault(e.index, e.error_type.to_string()))?;
            if !names.insert(name.clone()) {
                return Err(self.wrong_at(at, format!("duplicate key `{name}`")));
            }
            from = jiter.current_index();
            members.push(Member { name, at, value: Self { start, end: self.start + from, ..self } });
            if members.len() > most {
                return Ok(members);
            }
            next = jiter.next_key().map(|name| name.map(str::to_owned));
        }
        jiter.finish().map_err(|e| fault(e.index, e.error_type.to_string()))?;
        Ok(members)
    }

    /// The name of the first member, if this is an object that has any.
    pub(super) fn first_name(self) -> Option<String> {
        let mut jiter = Jiter::new(self.bytes());
        jiter.next_object().ok().flatten().map(str::to_owned)
    }

    /// The value as the place `shape` has it.
    pub(super) fn decode(self, shape: &Field) -> Result<Bson> {
        let value = decode::value(self.bytes(), shape).map_err(|error| {
            let offset = self.start + error.offset;
            Error::from(SyntaxError { rule: error.rule, ..SyntaxError::at(self.whole, offset, error.detail) })
        })?;
        self.room.take(value.as_raw_bson_ref())?;
        Bson::try_from(value).map_err(unreadable)
    }

    /// The whole number in 32 bits, if this is one.
    pub(super) fn whole_number(self) -> Option<i32> {
        Tree::parse(self.bytes(), 1).ok()?.as_whole()
    }

    /// The text.
    pub(super) fn text(self) -> Result<&'t str> {
        std::str::from_utf8(self.bytes()).map_err(|e| self.wrong_at(self.start + e.valid_up_to(), "invalid UTF-8"))
    }

    /// The error that the value is not what it should be.
    pub(super) fn wrong(self, detail: impl Into<String>) -> Error {
        self.wrong_at(self.start, detail)
    }

    /// The error that what stands at byte `at` of the text is not what it should be.
    pub(super) fn wrong_at(self, at: usize, detail: impl Into<String>) -> Error {
        SyntaxError::at(self.whole, at, detail).into()
    }

    fn bytes(self) -> &'t [u8] {
        &self.whole[self.start..self.end]
    }

    /// Whether this is an object, or a text that would be one.
    pub(super) fn is_object(self) -> bool {
        self.first_byte() == Some(b'{')
    }

    fn first_byte(self) -> Option<u8> {
        self.bytes().trim_ascii_start().first().copied()
    }
}
