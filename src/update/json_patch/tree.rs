//! A document while operations change it, one after the other.

use std::mem;

use bson::{RawBson, RawBsonRef, RawDocument, RawDocumentBuf};

use super::{
    fault::Fault,
    node::{Container, Node, name_size},
    pointer::{Index, MAX_LEVELS, Pointer, written},
    same,
    work::Work,
};
use crate::{
    codec::decode::MAX_DOCUMENT,
    error::{Error, Result},
    schema::Field,
};

/// The document as it is by now.
pub(super) struct Tree<'d> {
    root: Node<'d>,
    shape: &'d Field,
    /// The bytes that it takes, more or less: it may not grow, not even in between, beyond what can be stored.
    bytes: usize,
    work: Work,
    /// Another one has taken its place as a whole.
    is_replaced: bool,
}

impl<'d> Tree<'d> {
    /// The `document` of the shape `shape`.
    pub(super) fn new(document: &'d RawDocument, shape: &'d Field) -> Self {
        Self {
            root: Node::new(RawBsonRef::Document(document), shape),
            shape,
            bytes: document.as_bytes().len(),
            work: Work::new(),
            is_replaced: false,
        }
    }

    /// The document, and whether another one has taken its place as a whole.
    pub(super) fn finish(self) -> Result<(RawDocumentBuf, bool)> {
        match self.root.written(self.shape)? {
            RawBson::Document(document) if document.as_bytes().len() <= MAX_DOCUMENT => {
                Ok((document, self.is_replaced))
            }
            RawBson::Document(_) => Err(too_large()),
            _ => Err(Error::Internal("a patch has made something else of a document".into())),
        }
    }

    /// A value that a client has sent for the place `path`.
    pub(super) fn sent(&self, value: &'d RawBson, path: &Pointer) -> Node<'d> {
        Node::new(value.as_raw_bson_ref(), path.shape(self.shape))
    }

    /// Fails unless there is a value at `path`.
    pub(super) fn find(&mut self, path: &Pointer) -> Result<(), Fault> {
        reach(&mut self.root, path.tokens(), &mut self.work).map(drop)
    }

    /// The value at `path` once more.
    pub(super) fn copied(&mut self, path: &Pointer) -> Result<Node<'d>, Fault> {
        let node = reach(&mut self.root, path.tokens(), &mut self.work)?;
        // How large it is tells what it takes to copy it, before it is.
        node.extent(&mut self.work)?;
        Ok(node.clone())
    }

    /// Adds `value` at `path`: in a list before the item that stands there, in an object in place of the member.
    pub(super) fn add(&mut self, path: &'d Pointer, value: Node<'d>) -> Result<(), Fault> {
        let Some((parent, name)) = path.parent() else { return self.replace(path, value) };
        let size = self.checked_size(path, &value)?;
        let node = unfolded(&mut self.root, parent, &mut self.work)?;
        let container = node.container();
        let before = match node {
            Node::Object(members) => members.insert(name, Some(value)).flatten(),
            Node::List(items) => {
                let index = match Index::parse(name) {
                    Some(Index::At(index)) if index <= items.len() => index,
                    Some(Index::End) => items.len(),
                    _ => return Err(nothing(path.tokens(), container)),
                };
                self.work.shift(items.len() - index)?;
                items.insert(index, value);
                None
            }
            Node::Leaf(_) => return Err(nothing(path.tokens(), container)),
        };
        self.grow(size, before.map(|before| (name, before)))
    }

    /// Takes away the value at `path`.
    pub(super) fn remove(&mut self, path: &Pointer) -> Result<Node<'d>, Fault> {
        let Some((parent, name)) = path.parent() else {
            return Err(Fault::failed("a patch cannot remove the document itself: use `DELETE`"));
        };
        let node = unfolded(&mut self.root, parent, &mut self.work)?;
        let container = node.container();
        let removed = match node {
            Node::Object(members) => members.get_mut(name).and_then(Option::take),
            Node::List(items) => {
                let index = index_below(items.len(), name);
                self.work.shift(index.map_or(0, |index| items.len() - index))?;
                index.map(|index| items.remove(index))
            }
            Node::Leaf(_) => None,
        };
        let removed = removed.ok_or_else(|| nothing(path.tokens(), container))?;
        let size = name_size(name) + removed.extent(&mut self.work)?.bytes;
        self.bytes = self.bytes.saturating_sub(size);
        Ok(removed)
    }

    /// Puts `value` in place of the one at `path`.
    pub(super) fn replace(&mut self, path: &Pointer, value: Node<'d>) -> Result<(), Fault> {
        let size = self.checked_size(path, &value)?;
        let name = path.parent().map_or("", |(_, name)| name);
        if path.tokens().is_empty() {
            if !value.is_object() {
                return Err(Fault::failed("a document is an object, and nothing else can take its place"));
            }
            self.is_replaced = true;
        }
        let before = mem::replace(reach(&mut self.root, path.tokens(), &mut self.work)?, value);
        self.grow(size, Some((name, before)))
    }

    /// Fails unless the value at `path` is `expected`.
    pub(super) fn test(&mut self, path: &Pointer, expected: RawBsonRef<'_>) -> Result<(), Fault> {
        let node = reach(&mut self.root, path.tokens(), &mut self.work)?;
        let extent = node.extent(&mut self.work)?;
        self.work.spend(extent.bytes / 4)?;
        let shape = path.shape(self.shape);
        if same::values(node.written(shape)?.as_raw_bson_ref(), expected, shape)? {
            Ok(())
        } else {
            Err(Fault::failed(format!("the value at `{path}` is not the one that the test expects")))
        }
    }

    /// The bytes that `value` takes at `path`, where it must not lie too deep.
    fn checked_size(&mut self, path: &Pointer, value: &Node<'d>) -> Result<usize, Fault> {
        let extent = value.extent(&mut self.work)?;
        if path.tokens().len() + extent.levels > MAX_LEVELS {
            return Err(Fault::failed(format!(
                "at `{path}` the value would be nested deeper than {MAX_LEVELS} levels"
            )));
        }
        Ok(extent.bytes + path.parent().map_or(0, |(_, name)| name_size(name)))
    }

    /// Counts `size` bytes more, and those of what was there `before` less.
    fn grow(&mut self, size: usize, before: Option<(&str, Node<'d>)>) -> Result<(), Fault> {
        let before = match before {
            Some((name, node)) => name_size(name) + node.extent(&mut self.work)?.bytes,
            None => 0,
        };
        self.bytes = (self.bytes + size).saturating_sub(before);
        if self.bytes <= MAX_DOCUMENT { Ok(()) } else { Err(too_large().into()) }
    }
}

/// The value that `tokens` lead to from `node`, taken apart.
fn unfolded<'n, 'd>(node: &'n mut Node<'d>, tokens: &[String], work: &mut Work) -> Result<&'n mut Node<'d>, Fault> {
    let node = reach(node, tokens, work)?;
    node.unfold(work)?;
    Ok(node)
}

/// The value that `tokens` lead to from `node`.
fn reach<'n, 'd>(mut node: &'n mut Node<'d>, tokens: &[String], work: &mut Work) -> Result<&'n mut Node<'d>, Fault> {
    for (depth, token) in tokens.iter().enumerate() {
        node.unfold(work)?;
        let container = node.container();
        let part = match node {
            Node::Object(members) => members.get_mut(token.as_str()).and_then(Option::as_mut),
            Node::List(items) => index_below(items.len(), token).and_then(|index| items.get_mut(index)),
            Node::Leaf(_) => None,
        };
        node = part.ok_or_else(|| nothing(&tokens[..=depth], container))?;
    }
    Ok(node)
}

/// The index that `token` is in a list of `length` items, where it picks one.
fn index_below(length: usize, token: &str) -> Option<usize> {
    match Index::parse(token)? {
        Index::At(index) if index < length => Some(index),
        Index::At(_) | Index::End => None,
    }
}

/// There is no place that `tokens` lead to, as `container`, where the last of them should lead on, does not have it.
fn nothing(tokens: &[String], container: Container) -> Fault {
    let (path, parent) = (written(tokens), written(tokens.split_last().map_or(&[], |(_, parent)| parent)));
    Fault::failed(match container {
        Container::Object => format!("there is nothing at `{path}`"),
        Container::List(length) => format!("there is no place `{path}`: the list at `{parent}` has {length} items"),
        Container::Neither => format!("there is no place `{path}`: `{parent}` is neither an object nor a list"),
    })
}

fn too_large() -> Error {
    Error::TooLarge { what: "document", limit: MAX_DOCUMENT }
}
