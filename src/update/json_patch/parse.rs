//! The text of a patch. What cannot be said of any document is refused here.

use bson::RawBson;
use jiter::{Jiter, JiterError, Peek};

use super::{
    Action, Operation,
    pointer::{Pointer, shape_at},
};
use crate::{
    codec::decode,
    error::{Error, Result},
    json::{Rule, SyntaxError, below, quote_after},
    schema::Field,
};

/// How many operations a patch may have.
const MAX_OPERATIONS: usize = 10_000;

/// The operations of the patch `text` for documents of the shape `shape`.
pub(super) fn operations(text: &[u8], shape: &Field) -> Result<Vec<Operation>> {
    let mut reader = Reader { text, jiter: Jiter::new(text), shape, index: 0 };
    let operations = reader.array()?;
    reader.jiter.finish().map_err(|e| reader.fault(&e))?;
    Ok(operations)
}

struct Reader<'t> {
    text: &'t [u8],
    jiter: Jiter<'t>,
    shape: &'t Field,
    /// Which operation is being read.
    index: usize,
}

/// The members of an operation, each with where its value stands.
#[derive(Default)]
struct Members<'t> {
    op: Option<(usize, String)>,
    path: Option<(usize, String)>,
    from: Option<(usize, String)>,
    value: Option<(usize, &'t [u8])>,
}

impl<'t> Reader<'t> {
    fn array(&mut self) -> Result<Vec<Operation>> {
        if self.peek()? != Peek::Array {
            let detail = "expected a JSON patch: an array of operations";
            return Err(SyntaxError::at(self.text, self.jiter.current_index(), detail).into());
        }
        let mut operations = Vec::new();
        let mut next = self.jiter.known_array().map_err(|e| self.fault(&e))?;
        while let Some(peek) = next {
            if operations.len() == MAX_OPERATIONS {
                let detail = format!("more than {MAX_OPERATIONS} operations");
                let at = SyntaxError::at(self.text, self.jiter.current_index(), detail);
                return Err(SyntaxError { rule: Rule::Count, ..at }.into());
            }
            operations.push(self.operation(peek)?);
            self.index += 1;
            next = self.jiter.array_step().map_err(|e| self.fault(&e))?;
        }
        Ok(operations)
    }

    fn operation(&mut self, peek: Peek) -> Result<Operation> {
        let start = self.jiter.current_index();
        if peek != Peek::Object {
            return Err(self.wrong(
                "",
                start,
                "expected an operation: an object of `op`, `path` and what belongs to it",
            ));
        }
        let members = self.members()?;
        let path = self.pointer(("path", start), members.path.as_ref())?;
        let action = self.action(start, &members, &path)?;
        self.check_target(&action, &path).map_err(|detail| self.wrong("path", start, detail))?;
        Ok(Operation { action, path })
    }

    fn action(&self, start: usize, members: &Members<'_>, path: &Pointer) -> Result<Action> {
        let value = || self.value(start, members.value, path);
        let from = || self.pointer(("from", start), members.from.as_ref());
        let (at, op) = members.op.as_ref().ok_or_else(|| self.wrong("", start, "`op` is missing"))?;
        Ok(match op.as_str() {
            "add" => Action::Add(value()?),
            "remove" => Action::Remove,
            "replace" => Action::Replace(value()?),
            "move" => Action::Move(from()?),
            "copy" => Action::Copy(from()?),
            "test" => Action::Test(value()?),
            _ => return Err(self.wrong("op", *at, "expected `add`, `remove`, `replace`, `move`, `copy` or `test`")),
        })
    }

    /// Refuses a path where nothing new can be, or not from where it comes.
    fn check_target(&self, action: &Action, path: &Pointer) -> Result<(), String> {
        match (action, path.parent()) {
            (Action::Move(from), _) if from.holds(path) => Err(format!("`{from}` cannot be moved into itself")),
            (Action::Add(_) | Action::Move(_) | Action::Copy(_), Some((parent, name))) => {
                decode::check_name(name, shape_at(parent, self.shape))
            }
            _ => Ok(()),
        }
    }

    /// Members of other names mean nothing ([section 4](https://www.rfc-editor.org/rfc/rfc6902#section-4)).
    fn members(&mut self) -> Result<Members<'t>> {
        let mut members = Members::default();
        let mut from = self.jiter.current_index();
        let mut next = self.jiter.known_object();
        while let Some(name) = next.map_err(|e| SyntaxError::from_jiter(self.text, &e))? {
            let (name, at) = (name.to_owned(), quote_after(self.text, from));
            let peek = self.peek()?;
            let value_at = self.jiter.current_index();
            let is_new = match name.as_str() {
                "op" => members.op.replace((value_at, self.string("op", peek)?)).is_none(),
                "path" => members.path.replace((value_at, self.string("path", peek)?)).is_none(),
                "from" => members.from.replace((value_at, self.string("from", peek)?)).is_none(),
                name => {
                    self.jiter.known_skip(peek).map_err(|e| self.fault(&e))?;
                    let text = self.jiter.slice_to_current(value_at);
                    name != "value" || members.value.replace((value_at, text)).is_none()
                }
            };
            if !is_new {
                return Err(self.wrong("", at, format!("duplicate key `{name}`")));
            }
            from = self.jiter.current_index();
            next = self.jiter.next_key();
        }
        Ok(members)
    }

    fn string(&mut self, name: &str, peek: Peek) -> Result<String> {
        if peek != Peek::String {
            return Err(self.wrong(name, self.jiter.current_index(), "expected a string"));
        }
        let text = self.jiter.known_str().map(str::to_owned);
        Ok(text.map_err(|e| self.fault(&e))?)
    }

    fn pointer(&self, (name, start): (&str, usize), found: Option<&(usize, String)>) -> Result<Pointer> {
        let (at, text) = found.ok_or_else(|| self.wrong("", start, format!("`{name}` is missing")))?;
        Pointer::parse(text).map_err(|detail| self.wrong(name, *at, detail))
    }

    /// The value, as it is to stand at `path`.
    fn value(&self, start: usize, found: Option<(usize, &[u8])>, path: &Pointer) -> Result<RawBson> {
        let (at, text) = found.ok_or_else(|| self.wrong("", start, "`value` is missing"))?;
        decode::value(text, path.shape(self.shape)).map_err(|error| {
            let whole = SyntaxError::at(self.text, at + error.offset, error.detail);
            SyntaxError { rule: error.rule, ..whole }.into()
        })
    }

    fn peek(&mut self) -> Result<Peek, SyntaxError> {
        self.jiter.peek().map_err(|e| self.fault(&e))
    }

    fn fault(&self, error: &JiterError) -> SyntaxError {
        SyntaxError::from_jiter(self.text, error)
    }

    /// What is wrong with the member `name` of the operation, or with the whole of it, at byte `at` of the text.
    fn wrong(&self, name: &str, at: usize, detail: impl Into<String>) -> Error {
        let operation = below("", &self.index.to_string());
        let pointer = if name.is_empty() { operation } else { below(&operation, name) };
        SyntaxError::at(self.text, at, detail).of(pointer).into()
    }
}
