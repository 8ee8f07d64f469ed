//! Fields that clients may not write: `readOnly` ones, those the service writes, and `_id` once it is stored.

use bson::{RawBsonRef, RawDocument, RawDocumentBuf};

use super::{key, unreadable};
use crate::{
    error::{Error, Result},
    json::below,
    schema::Field,
};

/// Refuses a new document that holds a protected field.
pub(super) fn refuse_protected(body: &RawDocument, shape: &Field) -> Result<()> {
    compare(None, body, shape, Absent::Wrong).map(drop)
}

/// `next` with the `stored` values of the protected fields that it leaves out; refuses other values for them.
pub(super) fn keep_protected(stored: &RawDocument, next: &RawDocument, shape: &Field) -> Result<RawDocumentBuf> {
    compare(Some(stored), next, shape, Absent::Kept)
}

/// Refuses a `next` in which `_id` or a protected field is not as `stored`.
pub(super) fn check_protected(stored: &RawDocument, next: &RawDocument, shape: &Field) -> Result<()> {
    if member(Some(next), "_id")? != member(Some(stored), "_id")? {
        return Err(Error::ReadOnlyField { pointers: vec!["/_id".into()] });
    }
    compare(Some(stored), next, shape, Absent::Wrong).map(drop)
}

/// What it means that a protected field is stored and left out.
#[derive(Clone, Copy, PartialEq)]
enum Absent {
    Kept,
    Wrong,
}

fn compare(stored: Option<&RawDocument>, next: &RawDocument, shape: &Field, absent: Absent) -> Result<RawDocumentBuf> {
    if !protects(shape) {
        return Ok(next.to_owned());
    }
    let mut guard = Guard { absent, pointers: Vec::new() };
    let guarded = guard.object(stored, Some(next), (shape, ""))?;
    if guard.pointers.is_empty() { Ok(guarded) } else { Err(Error::ReadOnlyField { pointers: guard.pointers }) }
}

struct Guard {
    absent: Absent,
    /// Where protected fields are not as they must be.
    pointers: Vec<String>,
}

/// An object that may be absent.
type Object<'d> = Option<&'d RawDocument>;

impl Guard {
    fn object(&mut self, stored: Object<'_>, next: Object<'_>, at: (&Field, &str)) -> Result<RawDocumentBuf> {
        let mut out = RawDocumentBuf::new();
        for element in next.into_iter().flatten() {
            let (name, value) = element.map_err(unreadable)?;
            let field = at.0.member(name.as_str());
            if is_protected(field) && member(stored, name.as_str())? != Some(value) {
                self.pointers.push(below(at.1, name.as_str()));
            } else if !is_protected(field) && protects(field) {
                let (before, here) = (object(member(stored, name.as_str())?), below(at.1, name.as_str()));
                match value {
                    RawBsonRef::Document(inner) => {
                        out.append(name, self.object(before, Some(inner), (field, &here))?);
                    }
                    value => {
                        self.lost(before, (field, &here))?;
                        out.append(name, value);
                    }
                }
            } else {
                out.append(name, value);
            }
        }
        for (name, field) in &at.0.properties {
            if let (Some(before), None) = (member(stored, name)?, member(next, name)?) {
                self.left_out(name, before, (field, &below(at.1, name)), &mut out)?;
            }
        }
        Ok(out)
    }

    /// What is protected in an object that something else takes the place of cannot be kept.
    fn lost(&mut self, stored: Object<'_>, at: (&Field, &str)) -> Result<()> {
        let absent = std::mem::replace(&mut self.absent, Absent::Wrong);
        self.object(stored, None, at)?;
        self.absent = absent;
        Ok(())
    }

    fn left_out(
        &mut self,
        name: &str,
        before: RawBsonRef<'_>,
        at: (&Field, &str),
        out: &mut RawDocumentBuf,
    ) -> Result<()> {
        if is_protected(at.0) && self.absent == Absent::Kept {
            out.append(key(name)?, before);
        } else if is_protected(at.0) {
            self.pointers.push(at.1.to_owned());
        } else if protects(at.0) {
            let kept = self.object(object(Some(before)), None, at)?;
            if !kept.is_empty() {
                out.append(key(name)?, kept);
            }
        }
        Ok(())
    }
}

fn member<'d>(object: Object<'d>, name: &str) -> Result<Option<RawBsonRef<'d>>> {
    object.map_or(Ok(None), |object| object.get(name).map_err(unreadable))
}

fn object(value: Option<RawBsonRef<'_>>) -> Object<'_> {
    value.and_then(RawBsonRef::as_document)
}

fn is_protected(field: &Field) -> bool {
    field.read_only || field.set.is_some()
}

/// Whether objects of this shape hold a protected field at any depth.
fn protects(shape: &Field) -> bool {
    shape.properties.values().any(|field| is_protected(field) || protects(field))
}
