//! The documents that many writes are about: how they are looked for, and which write a document is of.

use std::collections::{BTreeMap, HashMap};

use bson::{Bson, Document, RawDocument, RawDocumentBuf, doc};
use mongodb::{SessionCursor, options::Collation};

use super::Job;
use crate::{
    access::{Permitted, Write},
    error::Result,
    query,
    schema::{Schema, access::Op},
    store::{
        left,
        write::transaction::{Failed, Transaction},
    },
    update::{
        bulk::{Key, Token, Upsert, key_tokens},
        unreadable,
    },
};

/// A batch of all documents that there can be: the server sends as many of them at once as fit into 16 MiB.
pub(super) const WHOLE: u32 = u32::MAX >> 1;

/// What the documents of some writes are looked for by.
#[derive(Default)]
pub(super) struct Lookup<'j> {
    /// The writes to the document with an `_id`.
    by_id: HashMap<Token, usize>,
    /// Those to the document with a key, by the name of the index.
    by_key: HashMap<(&'j str, Token), Vec<usize>>,
    /// The indexes of these keys, by their names.
    indexes: BTreeMap<&'j str, &'j Key>,
    searches: Vec<Search>,
}

/// A command that looks for documents.
pub(super) struct Search {
    filter: Document,
    collation: Option<Document>,
    /// The write that alone it is for.
    alone: Option<usize>,
}

impl<'j> Lookup<'j> {
    /// What the writes at the places `items` look for.
    pub(super) fn of(job: &Job<'j>, items: &[usize]) -> Result<Self> {
        let (mut lookup, mut ids, mut keyed) = (Self::default(), BTreeMap::<&str, _>::new(), Vec::new());
        for item in items {
            match job.writes[*item] {
                Some(Write::Change(change)) => {
                    let (id, op) = (&change.plan().id, change.plan().op());
                    lookup.by_id.insert(Token::of_bson(id)?, *item);
                    ids.entry(op.name()).or_insert_with(|| (op, Vec::new())).1.push(id.clone());
                }
                Some(Write::Upsert(upsert)) => keyed.push((*item, upsert)),
                Some(Write::Insert(_)) | None => {}
            }
        }
        let by_id = |(op, ids)| restricted(doc! { "_id": { "$in": ids } }, job.view.rows(&[Op::Read, op]));
        let mut branches: Vec<_> = ids.into_values().map(by_id).collect();
        branches.extend(lookup.keyed(keyed)?);
        lookup.searches.extend(either(branches).map(|filter| Search { filter, collation: None, alone: None }));
        Ok(lookup)
    }

    /// The conditions on documents with keys, all in one search but for those that an index compares in its own way.
    fn keyed(&mut self, upserts: Vec<(usize, &'j Permitted<Upsert>)>) -> Result<Vec<Document>> {
        let (mut branches, mut lists) = (Vec::new(), BTreeMap::<&str, (Vec<Bson>, Option<Document>)>::new());
        for (item, upsert) in upserts {
            let key = &upsert.plan().key;
            if let Some(collation) = key.collation.clone() {
                let filter = restricted(equal(key), upsert.rows());
                self.searches.push(Search { filter, collation: Some(collation), alone: Some(item) });
                continue;
            }
            let index = key.index.as_str();
            self.indexes.insert(index, key);
            self.by_key.entry((index, key.token()?)).or_default().push(item);
            match key.values.iter().next().filter(|_| key.values.len() == 1) {
                Some((path, value)) => {
                    lists.entry(path).or_insert_with(|| (Vec::new(), upsert.rows())).0.push(value.clone());
                }
                None => branches.push(restricted(equal(key), upsert.rows())),
            }
        }
        let among = |(path, (values, rows)): (&str, _)| restricted(doc! { path: { "$in": values } }, rows);
        branches.extend(lists.into_iter().map(among));
        Ok(branches)
    }

    /// The commands by which the documents are found.
    pub(super) fn searches(&self) -> &[Search] {
        &self.searches
    }

    /// The writes that the document which `search` has `found` is of.
    pub(super) fn wanted_by(&self, search: &Search, found: &RawDocument) -> Result<Vec<usize>> {
        if let Some(item) = search.alone {
            return Ok(vec![item]);
        }
        if let Some(item) = self.by_id.get(&Token::of_id(found)?) {
            return Ok(vec![*item]);
        }
        let mut items = Vec::new();
        for (index, key) in &self.indexes {
            for token in key_tokens(found, key.paths.iter().map(String::as_str)) {
                items.extend(self.by_key.get(&(*index, token)).into_iter().flatten());
            }
        }
        Ok(items)
    }
}

fn equal(key: &Key) -> Document {
    key.values.iter().map(|(path, value)| (path.clone(), doc! { "$eq": value.clone() }.into())).collect()
}

fn restricted(filter: Document, rows: Option<Document>) -> Document {
    query::all([Some(filter), rows].into_iter().flatten().collect()).unwrap_or_default()
}

fn either(mut branches: Vec<Document>) -> Option<Document> {
    match branches.len() {
        0 | 1 => branches.pop(),
        _ => Some(doc! { "$or": branches }),
    }
}

/// Looks for documents in the transaction.
pub(super) async fn find(
    transaction: &mut Transaction<'_>,
    schema: &Schema,
    search: &Search,
) -> Result<SessionCursor<RawDocumentBuf>, Failed> {
    let collection = transaction.store.collection(schema);
    let mut find = collection.find(search.filter.clone()).max_time(left(transaction.deadline)).batch_size(WHOLE);
    if let Some(collation) = search.collation.clone() {
        find = find.collation(bson::deserialize_from_document::<Collation>(collation).map_err(unreadable)?);
    }
    Ok(find.session(&mut transaction.session).await?)
}
