//! What stays as it is stored: fields that clients may not write (`readOnly` ones, those the service writes or a rule
//! forces), and those that they cannot see and do not name.
//!
//! The law: what is out of sight comes out of a change as it went in, and the rest as if there were nothing else.
//! Objects are gone through member by member. Of two lists nobody can say which items are the same ones, so a list
//! whose items hold something out of sight stays as it is or the change is refused.

use std::collections::HashMap;

use bson::{RawBson, RawBsonRef, RawDocument, RawDocumentBuf, raw::CStr};

use super::{alike, unreadable};
use crate::{
    codec::top,
    error::{Error, Result},
    json::below,
    schema::{Additional, Field, Sight},
};

/// How many fields are named at most: a body may hold them in each of a million items.
pub(super) const MAX_POINTERS: usize = 100;

/// Refuses a body that names hidden fields, at whatever depth.
pub(super) fn refuse_hidden(body: &RawDocument, shape: &Field) -> Result<()> {
    let pointers = named(body, &Sight::of_hidden(shape))?;
    if pointers.is_empty() { Ok(()) } else { Err(Error::HiddenField { pointers }) }
}

/// Whether a body names fields that are out of sight, at whatever depth.
pub(super) fn names_unseen(body: &RawDocument, shape: &Field) -> Result<bool> {
    named(body, &Sight::of(shape)).map(|pointers| !pointers.is_empty())
}

/// Where the body names what is not in sight.
fn named(body: &RawDocument, sight: &Sight<'_>) -> Result<Vec<String>> {
    let mut pointers = Vec::new();
    if !sight.is_clear() {
        name(RawBsonRef::Document(body), (sight, &Way::Root), &mut pointers)?;
    }
    Ok(pointers)
}

/// How a place is reached. Its pointer is made only where it is wanted: those of all places together can be many times the
/// body.
enum Way<'w> {
    Root,
    Below(&'w Self, &'w str),
}

impl Way<'_> {
    fn pointer(&self) -> String {
        match self {
            Self::Root => String::new(),
            Self::Below(way, name) => below(&way.pointer(), name),
        }
    }
}

fn name(value: RawBsonRef<'_>, (sight, at): (&Sight<'_>, &Way<'_>), pointers: &mut Vec<String>) -> Result<()> {
    match value {
        _ if sight.is_clear() || pointers.len() >= MAX_POINTERS => {}
        RawBsonRef::Document(object) => {
            for element in object {
                let (key, value) = element.map_err(unreadable)?;
                let here = Way::Below(at, key.as_str());
                match sight.member(key.as_str()) {
                    Some(sight) => name(value, (&sight, &here), pointers)?,
                    None => pointers.push(here.pointer()),
                }
            }
        }
        RawBsonRef::Array(items) => {
            for (index, item) in items.into_iter().enumerate() {
                let index = index.to_string();
                name(item.map_err(unreadable)?, (sight, &Way::Below(at, &index)), pointers)?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// Refuses a new document that holds a protected field.
pub(super) fn refuse_protected(body: &RawDocument, shape: &Field) -> Result<()> {
    // Hardly any does, which is seen at once.
    if !is_guarded(shape) || !top::any(body, shape, is_guarded)? {
        return Ok(());
    }
    guarded(Sides { stored: None, next: Some(body), sent: Some(body) }, shape, Absent::Wrong).map(drop)
}

/// `next`, sent as a whole, with the `stored` values of what it leaves out and may not, or cannot know of.
pub(super) fn keep(stored: &RawDocument, next: &RawDocument, shape: &Field) -> Result<RawDocumentBuf> {
    guarded(Sides { stored: Some(stored), next: Some(next), sent: Some(next) }, shape, Absent::Kept)
}

/// `next`, which is `stored` with `patch` merged in, with the stored values of what the patch cannot know of.
pub(super) fn keep_merged(
    (stored, patch): (&RawDocument, &RawDocument),
    next: &RawDocument,
    shape: &Field,
) -> Result<RawDocumentBuf> {
    guarded(Sides { stored: Some(stored), next: Some(next), sent: Some(patch) }, shape, Absent::Wrong)
}

/// `next`, made of what can be seen of `stored`, with the stored values of what cannot.
pub(super) fn keep_patched(stored: &RawDocument, next: &RawDocument, shape: &Field) -> Result<RawDocumentBuf> {
    guarded(Sides { stored: Some(stored), next: Some(next), sent: Some(next) }, shape, Absent::Wrong)
}

fn guarded(objects: Sides<&RawDocument>, shape: &Field, absent: Absent) -> Result<RawDocumentBuf> {
    if !guards_members(shape) {
        return Ok(objects.next.map(RawDocument::to_owned).unwrap_or_default());
    }
    let mut guard = Guard { absent, hidden: Vec::new(), protected: Vec::new() };
    let guarded = guard.object(objects, (shape, ""))?;
    guard.hidden.truncate(MAX_POINTERS);
    guard.protected.truncate(MAX_POINTERS);
    match (guard.hidden.is_empty(), guard.protected.is_empty()) {
        (true, true) => Ok(guarded),
        (true, false) => Err(Error::ReadOnlyField { pointers: guard.protected }),
        (false, _) => Err(Error::HiddenField { pointers: guard.hidden }),
    }
}

/// What it means that a protected field is stored and left out.
#[derive(Clone, Copy, PartialEq)]
enum Absent {
    Kept,
    Wrong,
}

struct Guard {
    absent: Absent,
    /// Where something is out of sight that cannot be kept.
    hidden: Vec<String>,
    /// Where protected fields are not as they must be.
    protected: Vec<String>,
}

/// Something as it is stored, as it would become, and as it was sent: whole, or as a patch.
#[derive(Clone, Copy)]
struct Sides<T> {
    stored: Option<T>,
    next: Option<T>,
    sent: Option<T>,
}

/// A shape, and where it stands.
type At<'a> = (&'a Field, &'a str);

impl Guard {
    fn object(&mut self, objects: Sides<&RawDocument>, (shape, at): At<'_>) -> Result<RawDocumentBuf> {
        let (stored, next, sent) = (members(objects.stored)?, members(objects.next)?, members(objects.sent)?);
        let (mut kept, mut place) = (Kept::default(), None);
        for element in objects.stored.into_iter().flatten() {
            let (name, before) = element.map_err(unreadable)?;
            let field = shape.member(name.as_str());
            if next.contains_key(name) {
                place = Some(name);
            } else if is_guarded(field) {
                let sides = Sides { stored: Some(before), next: None, sent: sent.get(name).copied() };
                kept.push(place, name, self.value(sides, (field, &below(at, name.as_str())))?);
            }
        }
        let mut out = RawDocumentBuf::new();
        kept.put(None, &mut out);
        for element in objects.next.into_iter().flatten() {
            let (name, value) = element.map_err(unreadable)?;
            let field = shape.member(name.as_str());
            if is_guarded(field) {
                let (stored, sent) = (stored.get(name).copied(), sent.get(name).copied());
                let sides = Sides { stored, next: Some(value), sent };
                if let Some(value) = self.value(sides, (field, &below(at, name.as_str())))? {
                    out.append(name, value);
                }
            } else {
                out.append(name, value);
            }
            kept.put(Some(name), &mut out);
        }
        Ok(out)
    }

    /// What stands here afterwards.
    fn value(&mut self, sides: Sides<RawBsonRef<'_>>, at: At<'_>) -> Result<Option<RawBson>> {
        let (field, stored) = (at.0, sides.stored.map(RawBson::from));
        let unseen = field.is_out_of_sight();
        let untouched = sides.sent.is_none() && (unseen || sides.next == sides.stored);
        if field.forced.is_some() || untouched {
            return Ok(stored);
        }
        if is_protected(field) {
            let is_fine = match (sides.stored, sides.next) {
                // Whether a value that cannot be seen was guessed is not told.
                _ if unseen => false,
                (Some(before), Some(next)) => alike::values(before, next, field)?,
                (None, None) => true,
                (Some(_), None) => self.absent == Absent::Kept,
                (None, Some(_)) => false,
            };
            if !is_fine {
                self.protected.push(at.1.to_owned());
            }
            return Ok(stored);
        }
        match (sides.stored, sides.next) {
            (Some(before), next) if is_opaque(before, field) => {
                let is_seen = match next {
                    Some(next) if !unseen => alike::values(before, next, field)?,
                    _ => false,
                };
                if !is_seen {
                    self.hidden.push(at.1.to_owned());
                }
                Ok(stored)
            }
            (before, Some(next)) if next.as_document().is_none() => {
                self.lost(object(before), at)?;
                if !before.map_or(Ok(false), |before| alike::values(before, next, field))? {
                    self.listed(next, at)?;
                }
                Ok(Some(next.into()))
            }
            (_, next) => {
                let objects = Sides { stored: object(sides.stored), next: object(next), sent: object(sides.sent) };
                let object = self.object(objects, at)?;
                Ok((next.is_some() || !object.is_empty()).then_some(RawBson::Document(object)))
            }
        }
    }

    /// Where an object is expected and a list stands, the items may not hold what the object may not.
    fn listed(&mut self, value: RawBsonRef<'_>, (shape, at): At<'_>) -> Result<()> {
        for (index, item) in value.as_array().into_iter().flatten().enumerate() {
            let (item, at) = (item.map_err(unreadable)?, || below(at, &index.to_string()));
            match item {
                RawBsonRef::Document(new) => {
                    let sides = Sides { stored: None, next: Some(new), sent: Some(new) };
                    self.object(sides, (shape, &at()))?;
                }
                RawBsonRef::Array(_) => self.listed(item, (shape, &at()))?,
                _ => {}
            }
        }
        Ok(())
    }

    /// What is guarded in an object that something else takes the place of cannot be kept. Whether something is there
    /// that is out of sight is not told.
    fn lost(&mut self, stored: Option<&RawDocument>, at: At<'_>) -> Result<()> {
        if stored.is_some() && conceals_members(at.0) {
            self.hidden.push(at.1.to_owned());
            return Ok(());
        }
        let absent = std::mem::replace(&mut self.absent, Absent::Wrong);
        self.object(Sides { stored, next: None, sent: None }, at)?;
        self.absent = absent;
        Ok(())
    }
}

/// Values that are kept, by the name of the field that they stand behind: where they stood, as far as that is there.
#[derive(Default)]
struct Kept<'d>(HashMap<Option<&'d CStr>, Vec<(&'d CStr, RawBson)>>);

impl<'d> Kept<'d> {
    fn push(&mut self, place: Option<&'d CStr>, name: &'d CStr, value: Option<RawBson>) {
        if let Some(value) = value {
            self.0.entry(place).or_default().push((name, value));
        }
    }

    fn put(&mut self, place: Option<&'d CStr>, out: &mut RawDocumentBuf) {
        for (name, value) in self.0.remove(&place).unwrap_or_default() {
            out.append(name, value);
        }
    }
}

/// The members of an object that may be absent, by name. Looking names up in the object itself would take the square of
/// their number.
fn members(object: Option<&RawDocument>) -> Result<HashMap<&CStr, RawBsonRef<'_>>> {
    object.into_iter().flatten().collect::<Result<_, _>>().map_err(unreadable)
}

fn object(value: Option<RawBsonRef<'_>>) -> Option<&RawDocument> {
    value.and_then(RawBsonRef::as_document)
}

fn is_protected(field: &Field) -> bool {
    field.read_only || field.set.is_some()
}

/// Whether what stands at a place of this shape itself is not for clients to write freely.
pub(super) fn is_own(field: &Field) -> bool {
    is_protected(field) || field.forced.is_some() || field.is_out_of_sight()
}

/// Whether something at or below a place of this shape is not for clients to write freely.
pub(super) fn is_guarded(field: &Field) -> bool {
    field.owned || field.conceals
}

fn guards_members(shape: &Field) -> bool {
    conceals_members(shape) || shape.properties.values().any(is_guarded)
}

/// Whether something out of sight may be in the `stored` value, of which nobody could say where it belongs in another
/// one: it is in the items of a list, or where the shape has a list and not an object.
fn is_opaque(stored: RawBsonRef<'_>, shape: &Field) -> bool {
    match stored {
        RawBsonRef::Array(items) => !items.is_empty() && (shape.item().conceals || conceals_members(shape)),
        RawBsonRef::Document(object) => !object.is_empty() && shape.item().conceals,
        _ => false,
    }
}

/// Whether objects of this shape have members that hold something out of sight.
fn conceals_members(shape: &Field) -> bool {
    let others = if let Additional::Shape(field) = &shape.additional { field.conceals } else { false };
    others || shape.properties.values().any(|field| field.conceals)
}
