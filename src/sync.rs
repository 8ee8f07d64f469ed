//! The database made to be as the collection files say: observe → diff → apply, under a lease.
//!
//! `observe` reads what is there, `diff` compares it with the files without touching the database, `apply`
//! carries changes out. [`run`] is the start of the service, [`plan`] shows what it would do. What the service has
//! to remember about itself stands in one collection, [`BOOKKEEPING`]: the lease, the applied files, the secret.

use std::collections::BTreeMap;

use bson::Document;
use mongodb::{
    Collection, Database,
    options::{DatabaseOptions, ReadConcern, ReadPreference, SelectionCriteria, WriteConcern},
};

use crate::{config::Apply, error::Result, schema::Catalog};

mod apply;
mod breaking;
mod change;
mod diff;
mod generation;
mod index;
mod judge;
mod lock;
mod observe;
mod print;
mod run;
mod secret;

pub use breaking::{Breaking, Sample};
pub use change::{Change, Risk, Rules};
use judge::judge;
pub use run::{Report, run};
pub use secret::secret;

/// The collection in which the service keeps its own notes.
pub const BOOKKEEPING: &str = "_folio";

/// What separates the database from the files.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// The differences, those to be left alone among them.
    pub changes: Vec<Change>,
    /// The stored documents that a new validator would refuse, by collection. They keep it from being applied.
    pub breaking: BTreeMap<String, Breaking>,
}

impl Plan {
    /// Whether there is nothing to do; what is only reported does not count.
    pub fn is_empty(&self) -> bool {
        is_settled(&self.changes)
    }

    fn is_covered(&self, apply: Apply) -> bool {
        let covered = |c: &Change| c.risk() == Risk::Report || c.risk().is_covered_by(apply);
        self.breaking.is_empty() && self.changes.iter().all(covered)
    }
}

/// What [`run`] would do, with the stored documents that stand in its way.
pub async fn plan(db: &Database, catalog: &Catalog) -> Result<Plan> {
    let db = &strong(db);
    judge(db, catalog, pending(db, catalog).await?).await
}

async fn pending(db: &Database, catalog: &Catalog) -> Result<Vec<Change>> {
    Ok(diff::diff(catalog, &observe::observe(db, catalog).await?))
}

fn is_settled(changes: &[Change]) -> bool {
    changes.iter().all(|c| c.risk() == Risk::Report)
}

/// The same database, read where writes go and written to a majority, whatever the URI prefers.
fn strong(db: &Database) -> Database {
    let options = DatabaseOptions::builder()
        .selection_criteria(SelectionCriteria::ReadPreference(ReadPreference::Primary))
        .read_concern(ReadConcern::local())
        .write_concern(WriteConcern::majority())
        .build();
    db.client().database_with_options(db.name(), options)
}

fn bookkeeping(db: &Database) -> Collection<Document> {
    db.collection(BOOKKEEPING)
}
