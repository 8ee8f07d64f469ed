//! Changes that one command of the server makes, where MongoDB can express them: so that whenever the command finds its
//! document, it does to it just what working the change out does, and surely changes it where the service writes the
//! time or the author of the last change. Whatever else there may be, it does not find; then the change is worked out.
//!
//! The only difference is the place of members that are new.

use bson::{Bson, Document, RawBson, RawBsonRef, RawDocument, Timestamp, doc};

use super::{Change, ChangePlan, Operators, Place, Precondition, fill, fill::Stamped, geometry, guard};
use crate::{query, schema::Field};

/// A change as one command.
#[derive(Debug, Clone, PartialEq)]
pub enum Direct {
    /// The document is deleted.
    Delete,
    /// The document is updated.
    Update {
        /// What must hold of it.
        conditions: Option<Document>,
        /// The update operators.
        update: Document,
        /// What picks the items that they name.
        array_filters: Vec<Document>,
    },
}

/// What is known of whether an update changes a document that it can be applied to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Changes {
    /// It does.
    Always,
    /// It does where one of these conditions holds.
    When(Vec<Document>),
    /// Nothing.
    Unknown,
}

/// A step of a patch, to a place that is reached through objects alone.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Edit {
    /// The names on the way, outermost first.
    pub(crate) path: Vec<String>,
    pub(crate) does: Does,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Does {
    /// An object must be there.
    Enter,
    /// Something must be there.
    Find,
    /// This must be there.
    Test(RawBson),
    /// This is put there.
    Set(RawBson),
    /// What is there goes.
    Unset,
}

impl ChangePlan {
    /// The change as one command, where there is one for documents which all have the shape of `place`.
    pub fn direct(&self, place: Place<'_>) -> Option<Direct> {
        if self.precondition != Precondition::default() {
            return None;
        }
        let update = match &self.change {
            Change::Delete => return Some(Direct::Delete),
            Change::Merge(patch) => Draft::of(edits(patch)?, place.0)?,
            Change::Patch(patch) => Draft::of(patch.edits()?, place.0)?,
            Change::Operate(operators) => Draft::operating(operators, place.0)?,
            Change::Create(_) | Change::Replace(_) | Change::Upsert(_) => return None,
        };
        geometry::check_operators(&update.update, &self.schema).ok()?;
        update.stamped(place)
    }

    /// Whether the service writes fields of the document itself on updates.
    pub fn is_stamped(&self) -> bool {
        self.schema.root.properties.values().any(fill::is_stamped)
    }

    /// The update by its operators together with what the service writes on updates; `None` where there is nothing of
    /// that, or it is not fields of the document itself.
    pub fn stamped(&self, place: Place<'_>) -> Option<Document> {
        let stamps = fill::stamps(place).filter(|stamps| !stamps.is_empty())?;
        let mut update = self.operators()?.update().clone();
        add(stamps, &mut update).map(|()| update)
    }
}

/// The steps of a merge patch; `None` where they take more room than they are worth.
fn edits(patch: &RawDocument) -> Option<Vec<Edit>> {
    let mut steps = Steps { edits: Vec::new(), path: Vec::new(), room: ROOM };
    steps.walk(patch)?;
    Some(steps.edits)
}

/// How many bytes the values may come to, and the names of all places, each with those before it: a command takes 16 MiB,
/// and holds each value twice.
pub(super) const ROOM: usize = 1 << 20;

struct Steps {
    edits: Vec<Edit>,
    path: Vec<String>,
    room: usize,
}

impl Steps {
    fn walk(&mut self, patch: &RawDocument) -> Option<()> {
        for element in patch {
            let (name, value) = element.ok()?;
            self.path.push(name.as_str().to_owned());
            self.room = self.room.checked_sub(self.path.iter().map(|name| size_of::<String>() + name.len()).sum())?;
            let does = match value {
                RawBsonRef::Null => Does::Unset,
                RawBsonRef::Document(_) => Does::Enter,
                value => Does::Set(value.into()),
            };
            self.edits.push(Edit { path: self.path.clone(), does });
            if let RawBsonRef::Document(patch) = value {
                self.walk(patch)?;
            }
            self.path.pop();
        }
        Some(())
    }
}

/// An update that is being put together.
struct Draft {
    /// What must hold of the document.
    conditions: Vec<Document>,
    update: Document,
    array_filters: Vec<Document>,
    changes: Changes,
}

impl Draft {
    /// The update that takes these steps in documents of the shape `shape`.
    fn of(edits: Vec<Edit>, shape: &Field) -> Option<Self> {
        let (mut conditions, mut changes) = (Vec::new(), Vec::new());
        let (mut set, mut unset, mut room) = (Document::new(), Document::new(), ROOM);
        for Edit { path, does } in edits {
            is_free(&path, &does, shape).then_some(())?;
            let path = path.join(".");
            match does {
                Does::Enter => conditions.push(doc! { path: { "$type": "object", "$not": { "$type": "array" } } }),
                Does::Find => conditions.push(doc! { path: { "$exists": true } }),
                Does::Test(value) => conditions.push(equals(path, value)?),
                Does::Unset => {
                    changes.push(doc! { &path: { "$exists": true } });
                    unset.insert(path, "");
                }
                Does::Set(value) => {
                    room = room.checked_sub(size(&value))?;
                    let value = plain(value)?;
                    changes.push(doc! { &path: { "$ne": &value } });
                    set.insert(path, value);
                }
            }
        }
        let parts = [("$set", set), ("$unset", unset)];
        let update = parts.into_iter().filter(|(_, paths)| !paths.is_empty());
        let update: Document = update.map(|(operator, paths)| (operator.to_owned(), paths.into())).collect();
        let changes = Changes::When(changes);
        (!update.is_empty()).then_some(Self { conditions, update, array_filters: Vec::new(), changes })
    }

    /// The update of these operators, which may be applied to documents of the shape `shape`.
    fn operating(operators: &Operators, shape: &Field) -> Option<Self> {
        operators.check(shape).ok()?;
        let (update, array_filters) = (operators.update().clone(), operators.array_filters().to_vec());
        let update = Self { conditions: Vec::new(), update, array_filters, changes: operators.changes() };
        (!operators.names_unseen(shape)).then_some(update)
    }

    /// The command: with what the service writes on updates, where it surely changes something.
    fn stamped(self, place: Place<'_>) -> Option<Direct> {
        let Self { mut conditions, mut update, array_filters, changes } = self;
        let stamps = fill::stamps(place)?;
        if !stamps.is_empty() {
            match changes {
                Changes::Always => {}
                Changes::When(mut any) if any.len() == 1 => conditions.extend(any.pop()),
                Changes::When(any) if !any.is_empty() => conditions.push(doc! { "$or": any }),
                Changes::When(_) | Changes::Unknown => return None,
            }
        }
        add(stamps, &mut update)?;
        Some(Direct::Update { conditions: query::all(conditions), update, array_filters })
    }
}

/// Has `update` write the stamps too.
fn add(stamps: Vec<Stamped<'_>>, update: &mut Document) -> Option<()> {
    for (name, value) in stamps {
        let (operator, value) = match value {
            Some(value) => ("$set", Bson::try_from(value).ok()?),
            None => ("$unset", Bson::from("")),
        };
        let part = update.entry(operator.to_owned()).or_insert_with(|| Document::new().into());
        part.as_document_mut()?.insert(name, value);
    }
    Some(())
}

/// Whether a step is such as a path can express, and takes nothing that is not for the client to write freely.
fn is_free(path: &[String], does: &Does, shape: &Field) -> bool {
    let is_plain = |name: &String| !name.is_empty() && !name.starts_with('$') && !name.contains(['.', '\0']);
    if !path.iter().all(is_plain) || path.first().is_none_or(|name| name == "_id") {
        return false;
    }
    let (mut field, mut is_open) = (shape, true);
    for name in path {
        field = field.member(name);
        is_open &= !guard::is_own(field);
    }
    is_open && (*does == Does::Enter || !guard::is_guarded(field))
}

/// The condition that there is this value. Strings are compared as the collection does it, an array is taken for each of
/// its items, and a decimal is no number in JSON: so only of some values it says what JSON does.
fn equals(path: String, value: RawBson) -> Option<Document> {
    matches!(
        value,
        RawBson::Int32(_) | RawBson::Int64(_) | RawBson::Boolean(_) | RawBson::ObjectId(_) | RawBson::DateTime(_)
    )
    .then_some(())?;
    Some(doc! { path: { "$eq": plain(value)?, "$not": { "$type": ["array", "decimal"] } } })
}

/// The bytes of what can be large.
fn size(value: &RawBson) -> usize {
    match value {
        RawBson::String(text) => text.len(),
        RawBson::Binary(data) => data.bytes.len(),
        RawBson::Document(object) => object.as_bytes().len(),
        RawBson::Array(items) => items.as_bytes().len(),
        _ => 0,
    }
}

/// The value as an operator takes it. A timestamp of zero is the server's to fill in, in whole documents alone.
fn plain(value: RawBson) -> Option<Bson> {
    const ZERO: RawBson = RawBson::Timestamp(Timestamp { time: 0, increment: 0 });
    if value == ZERO { None } else { Bson::try_from(value).ok() }
}
