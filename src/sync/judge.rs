//! The stored documents that stand in the way of changes.

use futures::future::try_join_all;
use mongodb::Database;

use super::{Change, Plan, breaking};
use crate::{
    error::{Error, Result},
    schema::Catalog,
};

/// Counts the stored documents that stand in the way of the changes.
pub(super) async fn judge(db: &Database, catalog: &Catalog, changes: Vec<Change>) -> Result<Plan> {
    let tightened = changes.iter().filter(|c| matches!(c, Change::SetValidator { .. }));
    let schemas = tightened.filter_map(|c| catalog.get(c.collection()));
    let counts = schemas.map(|schema| async {
        let breaking = breaking::find(db, schema).await?;
        Ok::<_, Error>(breaking.map(|breaking| (schema.name.clone(), breaking)))
    });
    let breaking = try_join_all(counts).await?.into_iter().flatten().collect();
    Ok(Plan { changes, breaking })
}
