//! One collection as one caller has it.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use bson::{Bson, Document, RawDocument};

use super::{Caller, Rights, narrow, rows};
use crate::{
    error::{Error, Result, nearest},
    query,
    schema::{
        Catalog, Schema,
        access::{Filter, Grant, Op, User},
        index::EVERY_FIELD,
        options::Concurrency,
    },
};

/// Whether callers are held to the rules of the collection files, and what came of the rules before.
#[derive(Debug)]
pub struct Policy {
    is_open: bool,
    /// Collections as some roles have them, by name and roles. A combination is made once, while there is room.
    narrowed: RwLock<HashMap<String, HashMap<Roles, Arc<Schema>>>>,
}

/// The most combinations of the roles of one collection that are kept. Which there are depends on the documents too.
const MAX_NARROWED: usize = 256;

/// A collection as a caller has it: which operations, which documents, which fields.
#[derive(Debug, Clone)]
pub struct View {
    policy: Arc<Policy>,
    /// As its file declares it.
    schema: Arc<Schema>,
    caller: Arc<Caller>,
    /// What each of the caller's roles may do; `None` where nothing is forbidden.
    grants: Option<Arc<[Held]>>,
}

/// A set of the roles of one collection, a bit each, in the order of its file.
pub(super) type Roles = u64;

/// A grant of a role that the caller has.
#[derive(Debug, Clone)]
struct Held {
    /// Which one, in the file's order.
    at: usize,
    /// Its filter, with what is known of the caller.
    filter: Option<Filter<Bson>>,
}

impl Policy {
    /// The rules of the collection files, or none where the service is open.
    pub fn new(is_open: bool) -> Arc<Self> {
        Arc::new(Self { is_open, narrowed: RwLock::default() })
    }

    /// Whether callers may do everything.
    pub fn is_open(&self) -> bool {
        self.is_open
    }

    /// Refuses a caller who may do nothing in any collection of `catalog`, and has no name either.
    pub fn admit(self: &Arc<Self>, catalog: &Catalog, caller: &Arc<Caller>) -> Result<()> {
        if caller.user().is_some() || self.views(catalog, caller).next().is_some() {
            return Ok(());
        }
        Err(caller.refusal(String::new))
    }

    /// The collections in which the caller may do anything.
    pub fn views<'c>(self: &'c Arc<Self>, catalog: &'c Catalog, caller: &'c Arc<Caller>) -> impl Iterator<Item = View> {
        catalog.iter().filter_map(|schema| self.view_of(schema, caller))
    }

    /// The collection `name` as `caller` has it. A caller without credentials is not told which collections there are.
    pub fn view(self: &Arc<Self>, catalog: &Catalog, caller: &Arc<Caller>, name: &str) -> Result<View> {
        let declared = catalog.get(name);
        if let Some(view) = declared.and_then(|schema| self.view_of(schema, caller)) {
            return Ok(view);
        }
        if declared.is_some() || (caller.user().is_none() && self.roles(caller).is_some()) {
            return Err(caller.refusal(|| format!("your roles may do nothing in `{name}`")));
        }
        let seen: Vec<_> = self.views(catalog, caller).map(|view| view.schema.name.clone()).collect();
        Err(Error::UnknownCollection {
            name: name.to_owned(),
            suggestion: nearest(name, seen.iter().map(String::as_str)),
        })
    }

    /// The roles of a caller; `None` where it may do everything.
    fn roles<'c>(&self, caller: &'c Caller) -> Option<&'c [String]> {
        match &caller.rights {
            Rights::Roles(roles) if !self.is_open => Some(roles),
            _ => None,
        }
    }

    fn view_of(self: &Arc<Self>, schema: &Arc<Schema>, caller: &Arc<Caller>) -> Option<View> {
        let (policy, schema, caller) = (Arc::clone(self), Arc::clone(schema), Arc::clone(caller));
        let Some(roles) = self.roles(&caller) else {
            return Some(View { policy, schema, caller, grants: None });
        };
        let all = schema.access.grants.iter().enumerate();
        let held = all.filter(|(_, (role, _))| roles.contains(role));
        let grants: Arc<[_]> = held.filter_map(|(at, (_, grant))| Held::new(at, grant, caller.user())).collect();
        (!grants.is_empty()).then_some(View { policy, schema, caller, grants: Some(grants) })
    }

    /// The collection as these of its roles together have it.
    fn narrowed(&self, schema: &Schema, roles: Roles) -> Arc<Schema> {
        let known = self.narrowed.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(narrowed) = known.get(&schema.name).and_then(|known| known.get(&roles)) {
            return Arc::clone(narrowed);
        }
        drop(known);
        let grants: Vec<_> = granted(schema, roles).collect();
        let narrowed = Arc::new(narrow::narrow(schema, &grants));
        let mut known = self.narrowed.write().unwrap_or_else(PoisonError::into_inner);
        let known = known.entry(schema.name.clone()).or_default();
        if known.len() < MAX_NARROWED {
            known.insert(roles, Arc::clone(&narrowed));
        }
        narrowed
    }
}

/// The grants of these roles.
fn granted(schema: &Schema, roles: Roles) -> impl Iterator<Item = &Grant> {
    let all = schema.access.grants.values().enumerate();
    all.filter(move |(at, _)| roles & 1 << at != 0).map(|(_, grant)| grant)
}

impl Held {
    /// What the grant comes to for this user; `None`, which is nothing, where it has a rule about something that is not
    /// known of the user.
    fn new(at: usize, grant: &Grant, user: Option<&User>) -> Option<Self> {
        let filter = match &grant.filter {
            Some(filter) => Some(filter.bind(user)?),
            None => None,
        };
        grant.set.iter().all(|(_, value)| value.is_known(user)).then_some(Self { at, filter })
    }
}

impl View {
    /// Who asks, with what rights.
    pub fn caller(&self) -> &Arc<Caller> {
        &self.caller
    }

    /// Who asks.
    pub fn user(&self) -> Option<&User> {
        self.caller.user()
    }

    /// The collection's name.
    pub fn name(&self) -> &str {
        &self.schema.name
    }

    /// The collection as its file declares it.
    pub fn declared(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// The collection as it is for `op`: fields that no role with the operation leaves to the caller are out of sight.
    /// An error where the caller may not do that at all.
    pub fn schema(&self, op: Op) -> Result<Arc<Schema>> {
        let Some(grants) = &self.grants else { return Ok(Arc::clone(&self.schema)) };
        match self.roles(grants.iter(), op) {
            0 => Err(self.caller.refusal(|| format!("your roles may not {} in `{}`", op.name(), self.schema.name))),
            roles => Ok(self.narrowed(roles)),
        }
    }

    /// The condition on the documents on which the caller may use one of `ops`; `None` where that is all documents.
    pub fn rows(&self, ops: &[Op]) -> Option<Document> {
        let grants = self.grants.as_ref()?.iter();
        rows::any(grants.filter(|held| ops.iter().any(|op| self.grant(held).ops.contain(*op))).map(|held| &held.filter))
    }

    /// The condition on the documents in which the caller may read all of the fields with these dotted names, beyond
    /// that it may read the documents; `None` where there is no such condition.
    pub fn rows_with<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> Option<Document> {
        let grants = self.grants.as_ref()?;
        let readers = || grants.iter().filter(|held| self.grant(held).ops.contain(Op::Read));
        let hidden = |held: &&Held, name: &str| {
            self.grant(held).hide.iter().any(|hidden| name == EVERY_FIELD || rows::overlap(hidden, name))
        };
        let conditions = names
            .into_iter()
            .filter(|name| readers().any(|held| hidden(&held, name)))
            .filter_map(|name| rows::any(readers().filter(|held| !hidden(held, name)).map(|held| &held.filter)));
        query::all(conditions.collect())
    }

    /// The collection as it is for `op` on this `document`; `None` where the caller may not do that to it.
    pub fn schema_on(&self, op: Op, document: &RawDocument) -> Option<Arc<Schema>> {
        let Some(grants) = &self.grants else { return Some(Arc::clone(&self.schema)) };
        self.roles_among(grants, op, document).map(|roles| self.narrowed(roles))
    }

    /// Whether it depends on the document what the caller may do with it.
    pub(super) fn depends_on_row(&self) -> bool {
        self.grants.iter().flat_map(|grants| grants.iter()).any(|held| held.filter.is_some())
    }

    /// Whether the caller may read every document with every field that any role may read.
    pub fn reads_all(&self) -> bool {
        self.rows(&[Op::Read]).is_none() && self.rows_with(self.hidden()).is_none()
    }

    /// Refuses a change of a document that the caller need not have seen, unless a precondition `is_given`, where the
    /// collection's file wants that. See [RFC 6585, section 3](https://www.rfc-editor.org/rfc/rfc6585#section-3).
    pub fn require_precondition(&self, is_given: bool) -> Result<()> {
        if is_given || self.schema.options.concurrency != Concurrency::Required {
            return Ok(());
        }
        Err(Error::PreconditionRequired { collection: self.schema.name.clone() })
    }

    /// Refuses a caller who may not read everything.
    pub fn require_all(&self) -> Result<()> {
        if self.reads_all() {
            return Ok(());
        }
        Err(self.caller.refusal(|| format!("this takes a role that may read everything in `{}`", self.schema.name)))
    }

    /// The dotted names of the fields that one of the caller's roles with [`Op::Read`] hides.
    pub(super) fn hidden(&self) -> impl Iterator<Item = &str> {
        self.readers().flat_map(|(_, grant)| &grant.hide).map(String::as_str)
    }

    /// The dotted names of the fields on which it depends which of the caller's roles show a document.
    pub(super) fn ruling(&self) -> impl Iterator<Item = &str> {
        self.readers().filter_map(|(held, _)| held.filter.as_ref()).flat_map(Filter::names)
    }

    /// Whether it depends on the document which of its fields the caller may read.
    pub(super) fn is_read_by_row(&self) -> bool {
        let mut hides = self.readers().map(|(_, grant)| &grant.hide);
        let first = hides.next();
        hides.any(|hide| Some(hide) != first)
            && self.readers().any(|(held, _)| held.filter.is_some())
            && !self.readers().any(|(held, grant)| held.filter.is_none() && grant.hide.is_empty())
    }

    /// The caller's roles that may do `op` to the `document`; `None` where no role may.
    pub(super) fn roles_on(&self, op: Op, document: &RawDocument) -> Option<Roles> {
        self.roles_among(self.grants.as_ref()?, op, document)
    }

    fn roles_among(&self, grants: &[Held], op: Op, document: &RawDocument) -> Option<Roles> {
        let there = grants.iter().filter(|held| held.filter.as_ref().is_none_or(|filter| filter.matches(document)));
        Some(self.roles(there, op)).filter(|roles| *roles != 0)
    }

    /// What the caller's roles with [`Op::Read`] may do; none where nothing is forbidden.
    fn readers(&self) -> impl Iterator<Item = (&Held, &Grant)> {
        let held = self.grants.as_deref().unwrap_or_default().iter();
        held.map(|held| (held, self.grant(held))).filter(|(_, grant)| grant.ops.contain(Op::Read))
    }

    fn grant(&self, held: &Held) -> &Grant {
        &self.schema.access.grants[held.at]
    }

    fn roles<'h>(&self, grants: impl Iterator<Item = &'h Held>, op: Op) -> Roles {
        grants.filter(|held| self.grant(held).ops.contain(op)).fold(0, |roles, held| roles | 1 << held.at)
    }

    /// The collection as these roles together have it.
    pub(super) fn narrowed(&self, roles: Roles) -> Arc<Schema> {
        if granted(&self.schema, roles).any(Grant::leaves_all_fields) {
            return Arc::clone(&self.schema);
        }
        self.policy.narrowed(&self.schema, roles)
    }
}

#[cfg(test)]
mod tests;
