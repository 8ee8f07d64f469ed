//! The values of a document that is being patched: taken apart as far as paths reach, and no further.
//!
//! A value keeps the BSON that it came as together with the shape that it had there, which tell how it looks in JSON.
//! Where it ends up in a place of another shape, as when it has moved, its JSON is read again as that place has it.

use std::ptr;

use bson::{RawArray, RawArrayBuf, RawBson, RawBsonRef, RawDocument, RawDocumentBuf};
use indexmap::IndexMap;

use super::{fault::Fault, work::Work};
use crate::{
    codec::{decode, encode},
    error::Result,
    schema::Field,
    update::{key, unreadable},
};

/// A value.
#[derive(Debug, Clone)]
pub(super) enum Node<'d> {
    /// One that is whole.
    Leaf(Leaf<'d>),
    /// An object that was taken apart. What is removed leaves its place to what may be added under its name.
    Object(IndexMap<&'d str, Option<Node<'d>>>),
    /// A list that was taken apart.
    List(Vec<Node<'d>>),
}

/// A value as it was stored or sent, and the shape that it had there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Leaf<'d> {
    value: RawBsonRef<'d>,
    shape: &'d Field,
}

/// What parts a value has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Container {
    Object,
    /// So many items.
    List(usize),
    /// It has none.
    Neither,
}

/// How large a value is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extent {
    /// The bytes that it takes, more or less.
    pub(super) bytes: usize,
    /// How deep it is nested: 0 for what has no parts.
    pub(super) levels: usize,
}

impl<'d> Node<'d> {
    /// The value of a place of the shape `shape`.
    pub(super) fn new(value: RawBsonRef<'d>, shape: &'d Field) -> Self {
        Self::Leaf(Leaf { value, shape })
    }

    /// Takes the value apart, if it has parts.
    pub(super) fn unfold(&mut self, work: &mut Work) -> Result<(), Fault> {
        if let Self::Leaf(Leaf { value, shape }) = *self {
            match value {
                RawBsonRef::Document(object) => *self = members(object, shape, work)?,
                RawBsonRef::Array(list) => *self = items(list, shape, work)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// What parts the value has, once it is taken apart.
    pub(super) fn container(&self) -> Container {
        match self {
            Self::Leaf(_) => Container::Neither,
            Self::Object(_) => Container::Object,
            Self::List(items) => Container::List(items.len()),
        }
    }

    /// Whether the value is an object.
    pub(super) fn is_object(&self) -> bool {
        matches!(self, Self::Object(_) | Self::Leaf(Leaf { value: RawBsonRef::Document(_), .. }))
    }

    /// The value as it is in a place of the shape `shape`.
    pub(super) fn written(&self, shape: &Field) -> Result<RawBson> {
        match self {
            Self::Leaf(leaf) => Ok(leaf.written(shape)),
            Self::Object(members) => {
                let mut out = RawDocumentBuf::new();
                for (name, member) in members {
                    if let Some(member) = member {
                        out.append(key(name)?, member.written(shape.sent(name))?);
                    }
                }
                Ok(RawBson::Document(out))
            }
            Self::List(items) => {
                let mut out = RawArrayBuf::new();
                for (index, item) in items.iter().enumerate() {
                    out.push(item.written(shape.at(index))?);
                }
                Ok(RawBson::Array(out))
            }
        }
    }

    /// How large the value is.
    pub(super) fn extent(&self, work: &mut Work) -> Result<Extent, Fault> {
        let mut whole = Extent::EMPTY;
        match self {
            Self::Leaf(leaf) => return leaf.extent(work),
            Self::Object(members) => {
                work.spend(members.len())?;
                for (name, member) in members {
                    if let Some(member) = member {
                        whole.hold(name, member.extent(work)?);
                    }
                }
            }
            Self::List(items) => {
                work.spend(items.len())?;
                for item in items {
                    whole.hold("", item.extent(work)?);
                }
            }
        }
        Ok(whole)
    }
}

impl Extent {
    /// That of an object or a list that holds nothing.
    const EMPTY: Self = Self { bytes: 5, levels: 1 };

    /// Makes room for a part with this name.
    fn hold(&mut self, name: &str, part: Self) {
        self.bytes += name_size(name) + part.bytes;
        self.levels = self.levels.max(part.levels + 1);
    }
}

/// What the name of a member takes, and its type.
pub(super) fn name_size(name: &str) -> usize {
    name.len() + 2
}

impl Leaf<'_> {
    fn written(&self, shape: &Field) -> RawBson {
        let moved = if ptr::eq(self.shape, shape) { None } else { self.read_again(shape) };
        moved.unwrap_or_else(|| self.value.into())
    }

    /// The value that its JSON stands for in a place of the shape `shape`. What cannot be read there stays what it is,
    /// so that the validator names the mismatch.
    fn read_again(&self, shape: &Field) -> Option<RawBson> {
        let mut text = Vec::new();
        encode::value(&mut text, self.value, self.shape).ok()?;
        decode::value(&text, shape).ok()
    }

    fn extent(&self, work: &mut Work) -> Result<Extent, Fault> {
        let bytes = match self.value {
            RawBsonRef::Document(object) => object.as_bytes().len(),
            RawBsonRef::Array(items) => items.as_bytes().len(),
            RawBsonRef::String(text) => text.len() + Extent::EMPTY.bytes,
            RawBsonRef::Binary(data) => data.bytes.len() + Extent::EMPTY.bytes,
            _ => size_of::<u64>(),
        };
        work.look_at(bytes)?;
        Ok(Extent { bytes, levels: levels(self.value)? })
    }
}

fn members<'d>(object: &'d RawDocument, shape: &'d Field, work: &mut Work) -> Result<Node<'d>, Fault> {
    let mut members = IndexMap::new();
    for element in object {
        let (name, value) = element.map_err(unreadable)?;
        let name = name.as_str();
        members.insert(name, Some(Node::new(value, shape.sent(name))));
        work.spend(1)?;
    }
    Ok(Node::Object(members))
}

fn items<'d>(list: &'d RawArray, shape: &'d Field, work: &mut Work) -> Result<Node<'d>, Fault> {
    let mut items = Vec::new();
    for item in list {
        items.push(Node::new(item.map_err(unreadable)?, shape.at(items.len())));
        work.spend(1)?;
    }
    Ok(Node::List(items))
}

/// How deep a value is nested. None that was stored or sent is deeper than can be gone down to.
fn levels(value: RawBsonRef<'_>) -> Result<usize> {
    let mut deepest = 0;
    match value {
        RawBsonRef::Document(object) => {
            for element in object {
                deepest = deepest.max(levels(element.map_err(unreadable)?.1)?);
            }
        }
        RawBsonRef::Array(items) => {
            for item in items {
                deepest = deepest.max(levels(item.map_err(unreadable)?)?);
            }
        }
        _ => return Ok(0),
    }
    Ok(deepest + 1)
}
