//! MongoDB's update operators, from an allow-list, with values of the declared types.
//!
//! See [update operators](https://www.mongodb.com/docs/manual/reference/mql/update/). What the operators make of a
//! document is for the server to say; what they may reach is told from their paths alone.

use bson::{Bson, Document};

use self::{
    array_filters::ArrayFilters,
    operand::Place,
    text::{Member, Piece, Room},
};
use super::direct::Changes;
use crate::{
    config::Limits,
    error::{Error, Result, check_limit, nearest},
    json::{below, push_token},
    schema::Field,
};

mod array_filters;
mod effect;
mod list;
mod operand;
mod path;
mod permitted;
mod text;

/// How many fields an error names at most.
const MAX_POINTERS: usize = 100;

/// An update by operators.
#[derive(Debug, Clone)]
pub struct Operators {
    /// The operators, each with what it does at which paths. Never empty: that would replace a document.
    update: Document,
    array_filters: ArrayFilters,
    /// How many values they hold.
    values: usize,
}

/// An operator that is let through. Nothing else that begins with `$` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Set,
    Unset,
    SetOnInsert,
    Inc,
    Mul,
    Min,
    Max,
    Rename,
    CurrentDate,
    Push,
    AddToSet,
    Pull,
    PullAll,
    Pop,
    Bit,
}

impl Operator {
    const NAMES: [(&'static str, Self); 15] = [
        ("$set", Self::Set),
        ("$unset", Self::Unset),
        ("$setOnInsert", Self::SetOnInsert),
        ("$inc", Self::Inc),
        ("$mul", Self::Mul),
        ("$min", Self::Min),
        ("$max", Self::Max),
        ("$rename", Self::Rename),
        ("$currentDate", Self::CurrentDate),
        ("$push", Self::Push),
        ("$addToSet", Self::AddToSet),
        ("$pull", Self::Pull),
        ("$pullAll", Self::PullAll),
        ("$pop", Self::Pop),
        ("$bit", Self::Bit),
    ];

    fn named(name: &str) -> Option<Self> {
        Self::NAMES.into_iter().find(|(known, _)| *known == name).map(|(_, operator)| operator)
    }

    fn name(self) -> &'static str {
        Self::NAMES[self as usize].0
    }
}

impl Operators {
    /// Reads the JSON object `update` of operators for documents of the shape `shape`, and the JSON array of
    /// `array_filters` on the items that its paths name.
    ///
    /// # Errors
    /// [`Error::MalformedBody`] for what is no such object, [`Error::InvalidQuery`] and the other errors of a filter for
    /// what is wrong in a condition, [`Error::LimitExceeded`] for more than `limits` allow.
    pub fn parse(update: &[u8], array_filters: Option<&str>, shape: &Field, limits: &Limits) -> Result<Self> {
        let room = Room::new(limits.max_values);
        let (whole, mut update, mut paths) = (Piece::of(update, &room), Document::new(), Vec::new());
        for Member { name, at, value } in members(whole)? {
            let operator = Operator::named(&name);
            let operator = operator.ok_or_else(|| pointed(value.wrong_at(at, unknown(&name)), below("", &name)))?;
            update.insert(name, operands(operator, value, &mut paths, (shape, limits))?);
        }
        refuse_conflicts(whole, &paths)?;
        let paths: Vec<_> = paths.iter().map(|(path, _)| path.as_str()).collect();
        let array_filters = array_filters::parse(array_filters, &paths, (shape, limits))?;
        Ok(Self { update, array_filters, values: room.taken() })
    }

    /// Refuses what reaches something hidden, or something that is not for clients to write, in documents of the shape
    /// `shape`.
    pub(super) fn check(&self, shape: &Field) -> Result<()> {
        let looked = self.array_filters.looked.iter().map(|path| (None, path.as_str()));
        let reached = || self.reached().map(|(operator, path)| (Some(operator), path));
        let hidden = reached().chain(looked).filter(|(operator, path)| !permitted::is_in_sight(shape, path, *operator));
        let pointers: Vec<_> = hidden.map(|(_, path)| pointer(path)).take(MAX_POINTERS).collect();
        if !pointers.is_empty() {
            return Err(Error::HiddenField { pointers });
        }
        let protected = self.reached().filter_map(|(_, path)| permitted::protected(shape, path));
        let pointers: Vec<_> = protected.take(MAX_POINTERS).collect();
        if pointers.is_empty() { Ok(()) } else { Err(Error::ReadOnlyField { pointers }) }
    }

    /// The operators, as MongoDB takes them.
    pub fn update(&self) -> &Document {
        &self.update
    }

    /// What holds for the items that `$[name]` in a path stands for, as MongoDB takes it.
    pub fn array_filters(&self) -> &[Document] {
        &self.array_filters.filters
    }

    /// How many values they hold, those in arrays and objects included.
    pub fn values(&self) -> usize {
        self.values
    }

    /// What is known of whether a document changes that the operators can be applied to.
    pub(super) fn changes(&self) -> Changes {
        effect::changes(&self.update)
    }

    /// Whether they name something that is out of sight in documents of the shape `shape`: what they make of it must not
    /// be told by what happens.
    pub(super) fn names_unseen(&self, shape: &Field) -> bool {
        self.reached().any(|(_, path)| !permitted::is_in_sight(shape, path, None))
    }

    /// Every path that is changed, with the operator that does.
    fn reached(&self) -> impl Iterator<Item = (Operator, &str)> {
        steps(&self.update).flat_map(|(operator, path, operand)| {
            let target = operand.as_str().filter(|_| operator == Operator::Rename);
            [Some(path), target].into_iter().flatten().map(move |path| (operator, path))
        })
    }
}

/// The operators of an update, each with a path and what it does there.
fn steps(update: &Document) -> impl Iterator<Item = (Operator, &str, &Bson)> {
    update
        .iter()
        .filter_map(|(name, steps)| Some((Operator::named(name)?, steps.as_document()?)))
        .flat_map(|(operator, steps)| steps.iter().map(move |(path, operand)| (operator, path.as_str(), operand)))
}

fn members(update: Piece<'_>) -> Result<Vec<Member<'_>>> {
    match update.first_name() {
        Some(_) => update.members(Operator::NAMES.len()),
        None => Err(update.wrong("expected an object of update operators, as in `{\"$set\":{\"year\":1970}}`")),
    }
}

/// What the schema says, and what an update may ask for at most.
type Context<'c> = (&'c Field, &'c Limits);

/// What `operator` does, by the paths where it does it; these are added to `paths`, with their places in the text.
fn operands(
    operator: Operator,
    steps: Piece<'_>,
    paths: &mut Vec<(String, usize)>,
    (shape, limits): Context<'_>,
) -> Result<Document> {
    let members = if steps.is_object() {
        steps.members(limits.max_paths)
    } else {
        Err(steps.wrong("expected an object of paths, as in `{\"year\":1970}`"))
    };
    let steps = members.map_err(|error| pointed(error, below("", operator.name())))?;
    check_limit(("--max-paths", limits.max_paths), paths.len() + steps.len(), || {
        "the number of paths in the update".to_owned()
    })?;
    let mut operands = Document::new();
    for Member { name: path, at, value } in steps {
        let operand = step(operator, (&path, at), value, (shape, limits));
        let operand = operand.map_err(|error| pointed(error, below(&below("", operator.name()), &path)))?;
        if let (Operator::Rename, Bson::String(target)) = (operator, &operand) {
            paths.push((target.clone(), at));
        }
        paths.push((path.clone(), at));
        operands.insert(path, operand);
    }
    Ok(operands)
}

/// What `operator` does at a path that stands `at` a place in the text.
fn step(
    operator: Operator,
    (path, at): (&str, usize),
    operand: Piece<'_>,
    (shape, limits): Context<'_>,
) -> Result<Bson> {
    let is_fine = path::check(path).and_then(|()| match operator {
        Operator::Rename => operand::check_renamed(path),
        _ => Ok(()),
    });
    is_fine.map_err(|detail| operand.wrong_at(at, detail))?;
    operand::read(operand, Place { operator, path, field: path::reach(shape, path), limits })
}

fn refuse_conflicts(update: Piece<'_>, paths: &[(String, usize)]) -> Result<()> {
    let mut paths: Vec<_> = paths.iter().map(|(path, at)| (path.as_str(), *at)).collect();
    match path::conflict(&mut paths) {
        None => Ok(()),
        Some([(first, _), (second, at)]) => {
            let detail = if first == second {
                format!("`{}` is changed twice: name it once", second.escape_debug())
            } else {
                format!("`{}` cannot be changed together with `{}`", second.escape_debug(), first.escape_debug())
            };
            Err(update.wrong_at(at, detail))
        }
    }
}

fn unknown(name: &str) -> String {
    let known = Operator::NAMES.map(|(name, _)| name);
    let shown = name.escape_debug();
    match nearest(name, known) {
        Some(near) => format!("unknown operator `{shown}`, did you mean `{near}`?"),
        None => format!("the operator `{shown}` is not allowed, only `{}`", known.join("`, `")),
    }
}

/// The error with the pointer of the member of the update that it is about.
fn pointed(error: Error, pointer: String) -> Error {
    match error {
        Error::MalformedBody(error) => Error::MalformedBody(error.of(pointer)),
        error => error,
    }
}

/// The pointer of what `path` names.
fn pointer(path: &str) -> String {
    path.split('.').fold(String::new(), |mut pointer, name| {
        push_token(&mut pointer, name);
        pointer
    })
}

#[cfg(test)]
mod tests;
