//! What the guard remembers of one collection. Asks the server nothing.

use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasher, RandomState},
    time::Instant,
};

use bson::{Bson, Document};

use super::{shape, verdict::Verdict};
use crate::query::FindPlan;

/// How many shapes of query are remembered, twice over.
const SHAPES: usize = 500;

/// What is known of a collection: how large it is, its indexes, and verdicts that hold as long as these stay.
#[derive(Debug, Default)]
pub(super) struct Memory {
    known: Option<Known>,
    verdicts: Verdicts,
    /// The indexes that the verdicts rest on. Some may have come and gone unseen by us.
    relied: HashSet<String>,
    /// Secret, so that nobody can make two shapes look the same.
    hasher: RandomState,
}

#[derive(Debug)]
struct Known {
    documents: u64,
    indexes: Vec<Document>,
    /// The fields whose values decide whether a partial index can be used.
    deciding: Vec<String>,
    /// When to look again.
    due: Instant,
    /// How often the indexes have changed.
    generation: u64,
}

/// A shape of query, as the collection's indexes were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    hash: u64,
    generation: u64,
}

/// What is known of a plan.
#[derive(Debug)]
pub(super) struct Sight {
    pub(super) documents: u64,
    /// `None` where the collection is so small that anything may be done with it.
    pub(super) shape: Option<Shape>,
    pub(super) verdict: Option<Verdict>,
    /// It is time to look again. Said to one caller only.
    pub(super) is_due: bool,
}

impl Memory {
    /// What is known of the plan; `None` before anything was learned.
    pub(super) fn look(&mut self, plan: &FindPlan, now: Instant) -> Option<Sight> {
        let known = self.known.as_mut()?;
        let is_due = known.due <= now;
        if is_due {
            known.due = now + super::REFRESH;
        }
        let documents = known.documents;
        if documents <= plan.bounds.scan.min(plan.bounds.sort) {
            return Some(Sight { documents, shape: None, verdict: None, is_due });
        }
        let mut hasher = self.hasher.build_hasher();
        let hash = shape::hash(plan, &known.deciding, &mut hasher);
        let shape = Some(Shape { hash, generation: known.generation });
        Some(Sight { documents, shape, verdict: self.verdicts.get(hash), is_due })
    }

    /// Takes in what was seen; other indexes than before void all verdicts.
    pub(super) fn learn(&mut self, documents: u64, indexes: Vec<Document>, due: Instant) {
        let generation = match &self.known {
            Some(known) if known.indexes == indexes && rests_on(&self.relied, &indexes) => known.generation,
            known => {
                self.verdicts = Verdicts::default();
                self.relied.clear();
                known.as_ref().map_or(0, |known| known.generation + 1)
            }
        };
        let mut deciding = Vec::new();
        let partial = indexes.iter().filter_map(|index| index.get_document("partialFilterExpression").ok());
        partial.for_each(|filter| name_fields(filter, &mut deciding));
        self.known = Some(Known { documents, indexes, deciding, due, generation });
    }

    /// Remembers the verdict, which rests on these indexes, unless others were seen since the shape was.
    pub(super) fn keep(&mut self, shape: Shape, verdict: Verdict, indexes: Vec<String>) {
        if self.known.as_ref().is_some_and(|known| known.generation == shape.generation) {
            self.verdicts.put(shape.hash, verdict);
            self.relied.extend(indexes);
        }
    }
}

fn rests_on(relied: &HashSet<String>, indexes: &[Document]) -> bool {
    relied.iter().all(|name| indexes.iter().any(|index| index.get_str("name").is_ok_and(|known| known == name)))
}

fn name_fields(filter: &Document, fields: &mut Vec<String>) {
    for (name, value) in filter {
        match value {
            Bson::Array(all) if name.starts_with('$') => {
                all.iter().filter_map(Bson::as_document).for_each(|one| name_fields(one, fields));
            }
            _ => fields.push(name.clone()),
        }
    }
}

/// Verdicts by the hash of their shape. When the young are many they become the old, and what was old and not asked
/// for again is forgotten.
#[derive(Debug, Default)]
struct Verdicts {
    young: HashMap<u64, Verdict>,
    old: HashMap<u64, Verdict>,
}

impl Verdicts {
    fn get(&mut self, shape: u64) -> Option<Verdict> {
        if let Some(verdict) = self.young.get(&shape) {
            return Some(*verdict);
        }
        let verdict = self.old.remove(&shape)?;
        self.put(shape, verdict);
        Some(verdict)
    }

    fn put(&mut self, shape: u64, verdict: Verdict) {
        if self.young.len() == SHAPES {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(shape, verdict);
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use bson::doc;

    use super::*;
    use crate::{query::Bounds, schema::load};

    const READS: Verdict = Verdict { reads: true, sorts: false };

    fn plan(filter: Document) -> FindPlan {
        let schema = load::parse("schemas/things.json", "things", r#"{"type":"object"}"#.to_owned()).unwrap();
        FindPlan {
            schema: Arc::new(schema),
            filter,
            after: None,
            sort: doc! { "_id": 1 },
            projection: None,
            cut: None,
            limit: 20,
            page: None,
            skip: 0,
            bounds: Bounds { bytes: usize::MAX, scan: 10, sort: 5 },
        }
    }

    fn index(name: &str) -> Document {
        doc! { "name": name, "key": { "a": 1 } }
    }

    #[test]
    fn remembers_until_the_indexes_change() {
        let (mut memory, now, plan) = (Memory::default(), Instant::now(), plan(doc! { "a": 1 }));
        let later = now + Duration::from_secs(1);
        assert!(memory.look(&plan, now).is_none());
        memory.learn(5, vec![index("a_1")], later);
        assert!(memory.look(&plan, now).unwrap().shape.is_none(), "small");
        memory.learn(6, vec![index("a_1")], later);
        let shape = memory.look(&plan, now).unwrap().shape.unwrap();
        memory.keep(shape, READS, vec![]);
        assert_eq!(memory.look(&plan, now).unwrap().verdict, Some(READS));
        memory.learn(7, vec![index("a_1")], later);
        assert_eq!(memory.look(&plan, now).unwrap().verdict, Some(READS), "the same indexes");
        memory.learn(7, vec![], later);
        assert_eq!(memory.look(&plan, now).unwrap().verdict, None);
        memory.keep(shape, READS, vec![]);
        assert_eq!(memory.look(&plan, now).unwrap().verdict, None, "asked for under other indexes");
    }

    #[test]
    fn forgets_with_an_index_that_came_and_went_unseen() {
        let (mut memory, now, plan) = (Memory::default(), Instant::now(), plan(doc! { "b": 1 }));
        for (relied, kept) in [("a_1", Some(Verdict::default())), ("b_1", None)] {
            memory.learn(6, vec![index("a_1")], now + Duration::from_secs(1));
            let shape = memory.look(&plan, now).unwrap().shape.unwrap();
            memory.keep(shape, Verdict::default(), vec![relied.to_owned()]);
            memory.learn(6, vec![index("a_1")], now + Duration::from_secs(1));
            assert_eq!(memory.look(&plan, now).unwrap().verdict, kept, "{relied}");
        }
    }

    #[test]
    fn sends_one_request_to_look_again() {
        let (mut memory, now, plan) = (Memory::default(), Instant::now(), plan(doc! {}));
        memory.learn(1, vec![], now + Duration::from_secs(1));
        assert!(!memory.look(&plan, now).unwrap().is_due);
        let later = now + Duration::from_secs(1);
        assert!(memory.look(&plan, later).unwrap().is_due);
        assert!(!memory.look(&plan, later).unwrap().is_due);
        assert!(memory.look(&plan, later + super::super::REFRESH).unwrap().is_due);
    }

    #[test]
    fn tells_values_apart_where_a_partial_index_does() {
        let (mut memory, now) = (Memory::default(), Instant::now());
        let partial = doc! { "partialFilterExpression": { "$and": [{ "a": { "$gt": 5 } }] } };
        memory.learn(100, vec![partial], now + Duration::from_secs(1));
        let mut shape = |filter| memory.look(&plan(filter), now).unwrap().shape;
        assert_ne!(shape(doc! { "a": { "$gt": 1 } }), shape(doc! { "a": { "$gt": 6 } }));
        assert_eq!(shape(doc! { "b": { "$gt": 1 } }), shape(doc! { "b": { "$gt": 6 } }));
    }

    #[test]
    fn forgets_what_is_not_asked_for() {
        let mut verdicts = Verdicts::default();
        for shape in 0..10_000 {
            verdicts.put(shape, READS);
            assert_eq!(verdicts.get(0), Some(READS), "asked for all the time, at {shape}");
            assert!(verdicts.young.len() + verdicts.old.len() <= 2 * SHAPES);
        }
        assert_eq!(verdicts.get(1), None);
    }
}
