//! In which rounds many writes are made: what each of them touches.

use std::collections::{HashMap, HashSet};

use bson::{Bson, Document, RawDocument};

use super::{
    Job,
    lookup::{Lookup, find},
};
use crate::{
    access::Write,
    error::Result,
    store::write::transaction::{Failed, Transaction},
    update::{
        Change,
        bulk::{Key, Token, Touch, key_tokens, rounds as in_rounds},
    },
};

/// The places of the writes of each round.
pub(super) async fn rounds(transaction: &mut Transaction<'_>, job: &Job<'_>) -> Result<Vec<Vec<usize>>, Failed> {
    let indexes = Indexes::of(job)?;
    let touched = job.writes.iter().map(|write| write.map_or_else(|| Ok(Vec::new()), |write| indexes.touched(write)));
    let mut touched = touched.collect::<Result<Vec<_>>>()?;
    for (item, id) in found(transaction, job).await? {
        touched[item].push(Touch::Id(id));
    }
    inherit(&mut touched, job);
    let there = |round: Vec<usize>| round.into_iter().filter(|item| job.writes[*item].is_some()).collect();
    Ok(in_rounds(&touched).into_iter().map(there).filter(|round: &Vec<_>| !round.is_empty()).collect())
}

/// The `_id`s of the documents that are looked for by other keys, as they are before anything is written.
async fn found(transaction: &mut Transaction<'_>, job: &Job<'_>) -> Result<Vec<(usize, Token)>, Failed> {
    let keyed = job.writes.iter().enumerate().filter(|(_, write)| matches!(write, Some(Write::Upsert(_))));
    let keyed: Vec<_> = keyed.map(|(item, _)| item).collect();
    let (mut found, lookup) = (Vec::new(), Lookup::of(job, &keyed)?);
    for search in lookup.searches() {
        let mut cursor = find(transaction, job.schema(), search).await?;
        while cursor.advance(&mut transaction.session).await? {
            let stored = cursor.current();
            let id = Token::of_id(stored)?;
            found.extend(lookup.wanted_by(search, stored)?.into_iter().map(|item| (item, id.clone())));
        }
    }
    Ok(found)
}

/// More keys of one document, or documents of one key, than that are not told apart: who touches one, touches any.
const MANY: usize = 16;

/// A write that looks for a document may find one that a write before it has given the key, so it touches that one too.
fn inherit(touched: &mut [Vec<Touch>], job: &Job<'_>) {
    let (mut given, mut unknown) = (HashMap::<Touch, HashSet<Touch>>::new(), HashSet::new());
    for (write, touches) in job.writes.iter().zip(touched) {
        if matches!(write, Some(Write::Upsert(_))) {
            let before: Vec<_> = touches.iter().filter_map(|touch| given.get(touch)).collect();
            let is_unknown =
                |touch: &Touch| matches!(touch, Touch::Key(at, _) | Touch::AnyKey(at) if unknown.contains(at));
            let is_any = touches.iter().any(is_unknown) || before.iter().any(|ids| ids.len() > MANY);
            let found = before.into_iter().filter(|_| !is_any).flatten().cloned().collect::<HashSet<_>>();
            touches.extend(found.into_iter().chain(is_any.then_some(Touch::Any)));
        }
        for touch in touches.iter() {
            match touch {
                Touch::Key(..) => {
                    let ids = given.entry(touch.clone()).or_default();
                    let all = touches.iter().filter(|touch| matches!(touch, Touch::Id(_)));
                    ids.extend(all.take((MANY + 1).saturating_sub(ids.len())).cloned());
                }
                Touch::AnyKey(at) => drop(unknown.insert(*at)),
                Touch::Id(_) | Touch::Any => {}
            }
        }
    }
}

/// The indexes by whose keys documents are looked for.
struct Indexes<'j>(Vec<Index<'j>>);

struct Index<'j> {
    key: &'j Key,
    /// The keys that documents are looked for by.
    wanted: HashSet<Token>,
    /// Documents are looked for that lack one.
    wants_absent: bool,
}

impl<'j> Indexes<'j> {
    fn of(job: &Job<'j>) -> Result<Self> {
        let mut indexes = HashMap::<&str, Index<'j>>::new();
        for write in job.writes.iter().flatten() {
            if let Write::Upsert(upsert) = write {
                let key = &upsert.plan().key;
                let new = || Index { key, wanted: HashSet::new(), wants_absent: false };
                let index = indexes.entry(&key.index).or_insert_with(new);
                index.wanted.insert(key.token()?);
                index.wants_absent |= key.values.values().any(|value| *value == Bson::Null);
            }
        }
        Ok(Self(indexes.into_values().collect()))
    }

    fn touched(&self, write: &Write) -> Result<Vec<Touch>> {
        let change = match write {
            Write::Insert(insert) => return Ok(self.stored(&insert.plan().document)),
            Write::Upsert(upsert) => return Ok(self.stored(&upsert.plan().document)),
            Write::Change(change) => change.plan(),
        };
        let mut touched = vec![Touch::Id(Token::of_bson(&change.id)?)];
        match &change.change {
            Change::Replace(body) | Change::Create(body) | Change::Upsert(body) => touched.extend(self.stored(body)),
            Change::Merge(patch) => touched.extend(self.any(|path| names(patch, path))),
            Change::Patch(patch) => touched.extend(self.any(|path| patch.names(first(path)))),
            Change::Operate(operators) => touched.extend(self.any(|path| operates(operators.update(), first(path)))),
            Change::Delete => {}
        }
        Ok(touched)
    }

    /// What is touched by storing a document with the members of `body`.
    fn stored(&self, body: &RawDocument) -> Vec<Touch> {
        let mut touched: Vec<_> =
            body.get("_id").ok().flatten().map(|id| Touch::Id(Token::of(id))).into_iter().collect();
        touched.extend(self.0.iter().enumerate().flat_map(|(at, index)| index.keys_of(body, at)));
        touched
    }

    /// What is touched where it is not known which keys come of it, in indexes on paths that are `concerned`.
    fn any(&self, concerned: impl Fn(&str) -> bool) -> impl Iterator<Item = Touch> {
        let indexes = self.0.iter().enumerate();
        indexes
            .filter(move |(_, index)| index.key.paths.iter().any(|path| concerned(path)))
            .map(|(at, _)| Touch::AnyKey(at))
    }
}

impl Index<'_> {
    /// The keys of a document with the members of `body` that are looked for; the index is the one with the number `at`.
    fn keys_of(&self, body: &RawDocument, at: usize) -> Vec<Touch> {
        let paths = || self.key.paths.iter().map(String::as_str);
        if self.key.collation.is_some() {
            let is_concerned = self.wants_absent || paths().any(|path| names(body, path));
            return is_concerned.then_some(Touch::AnyKey(at)).into_iter().collect();
        }
        let keys = key_tokens(body, paths()).into_iter().filter(|token| self.wanted.contains(token));
        let keys: Vec<_> = keys.take(MANY + 1).map(|token| Touch::Key(at, token)).collect();
        if keys.len() > MANY { vec![Touch::AnyKey(at)] } else { keys }
    }
}

/// Whether the body says something of the member in which the dotted name `path` begins.
fn names(body: &RawDocument, path: &str) -> bool {
    body.get(first(path)).ok().flatten().is_some()
}

/// Whether one of the operators of `update` reaches the `member` of documents, or gives its name to something.
fn operates(update: &Document, member: &str) -> bool {
    let mut paths = update.values().filter_map(Bson::as_document).flatten();
    paths.any(|(path, operand)| first(path) == member || operand.as_str().map(first) == Some(member))
}

fn first(path: &str) -> &str {
    path.split('.').next().unwrap_or_default()
}
