//! JSON patches ([RFC 6902](https://www.rfc-editor.org/rfc/rfc6902)) on documents that have their types.
//!
//! A patch is worked out on what the client sees of a document, as if that were its JSON: values are given the types of
//! the places where they end up, those that move too. What has to stay as it is stored is for `guard` to say.

use bson::{RawBson, RawDocument, RawDocumentBuf};

use self::{fault::Fault, pointer::Pointer, tree::Tree};
use super::{direct::Edit, guard, id};
use crate::{
    codec::top,
    error::{Error, Result},
    schema::{Field, Sight},
};

mod edits;
mod fault;
mod node;
mod parse;
mod pointer;
mod same;
mod tree;
mod work;

/// A JSON patch: operations that are done in order, all or none of them.
#[derive(Debug, Clone)]
pub struct JsonPatch {
    operations: Vec<Operation>,
}

#[derive(Debug, Clone)]
struct Operation {
    action: Action,
    path: Pointer,
}

/// What is done at the path of an operation.
#[derive(Debug, Clone)]
enum Action {
    Add(RawBson),
    Remove,
    Replace(RawBson),
    /// From another place.
    Move(Pointer),
    /// From another place.
    Copy(Pointer),
    Test(RawBson),
}

impl JsonPatch {
    /// Reads the JSON `text` of a patch for documents of the shape `shape`.
    ///
    /// # Errors
    /// [`Error::MalformedBody`] for what is no patch, [`Error::TooLarge`] for a value that no document can hold.
    pub fn parse(text: &[u8], shape: &Field) -> Result<Self> {
        parse::operations(text, shape).map(|operations| Self { operations })
    }

    /// Refuses paths into what is hidden in documents of the shape `shape`.
    pub(super) fn check(&self, shape: &Field) -> Result<()> {
        let sight = Sight::of_hidden(shape);
        let named = self.operations.iter().flat_map(Operation::paths);
        let hidden = named.filter(|path| !path.is_in(&sight)).take(guard::MAX_POINTERS).map(ToString::to_string);
        let pointers: Vec<_> = hidden.collect();
        if pointers.is_empty() { Ok(()) } else { Err(Error::HiddenField { pointers }) }
    }

    /// What the patch makes of the document `seen`, which is all that the client sees of the stored one and has the
    /// shape `shape`. Where the patch replaces it as a whole, it keeps its `_id`.
    ///
    /// # Errors
    /// [`Error::PatchFailed`] where an operation cannot be done, or its test fails; [`Error::TooLarge`] where it would
    /// make the document larger than one can be; [`Error::HiddenField`] where what it makes holds hidden fields.
    pub(super) fn apply(&self, seen: &RawDocument, shape: &Field) -> Result<RawDocumentBuf> {
        let mut tree = Tree::new(seen, shape);
        for (index, operation) in self.operations.iter().enumerate() {
            operation.apply(&mut tree).map_err(|fault| fault.of(index))?;
        }
        let (next, is_replaced) = tree.finish()?;
        guard::refuse_hidden(&next, shape)?;
        if is_replaced { top::led(&next, |own| own.map_or_else(|| id::of(seen), Ok)) } else { Ok(next) }
    }

    /// Whether an operation names the `member` of documents, something in it, or whole documents.
    pub(crate) fn names(&self, member: &str) -> bool {
        let mut paths = self.operations.iter().flat_map(Operation::paths);
        paths.any(|path| path.tokens().first().is_none_or(|first| first == member))
    }

    /// The patch as steps that can be taken at once; `None` where it is more than that.
    pub(super) fn edits(&self) -> Option<Vec<Edit>> {
        edits::of(&self.operations)
    }
}

impl Operation {
    fn apply<'d>(&'d self, tree: &mut Tree<'d>) -> Result<(), Fault> {
        let path = &self.path;
        match &self.action {
            Action::Add(value) => tree.add(path, tree.sent(value, path)),
            Action::Remove => tree.remove(path).map(drop),
            Action::Replace(value) => tree.replace(path, tree.sent(value, path)),
            Action::Move(from) if from == path => tree.find(path),
            Action::Move(from) => {
                let value = tree.remove(from)?;
                tree.add(path, value)
            }
            Action::Copy(from) => {
                let value = tree.copied(from)?;
                tree.add(path, value)
            }
            Action::Test(value) => tree.test(path, value.as_raw_bson_ref()),
        }
    }

    /// The places that the operation names.
    fn paths(&self) -> impl Iterator<Item = &Pointer> {
        let from = match &self.action {
            Action::Move(from) | Action::Copy(from) => Some(from),
            Action::Add(_) | Action::Remove | Action::Replace(_) | Action::Test(_) => None,
        };
        from.into_iter().chain([&self.path])
    }
}

#[cfg(test)]
mod tests;
