//! Throw-away databases, to try a whole catalog without touching real data.

use std::time::{Duration, SystemTime};

use bson::oid::ObjectId;
use mongodb::{Client, Database, error::Error as DriverError};

use super::is_older;
use crate::store::failure;

/// What stands between the name of the database that is left alone and an `ObjectId`, which holds the age.
const INFIX: &str = "_folio_check_";

/// Bytes of a database's name, [at most](https://www.mongodb.com/docs/manual/reference/limits/#naming-restrictions).
const MAX_NAME: usize = 63;
/// Characters of an `ObjectId`.
const ID: usize = 24;

/// A scratch database older than this was left by a process that was killed. To try a catalog takes seconds, on a
/// server that is far away and busy some minutes.
const LEFTOVER: Duration = Duration::from_secs(1800);

/// A name that no database has, and that tells beside which one the scratch database is made.
pub(crate) fn name(beside: &str) -> String {
    format!("{}{}", prefix(beside), ObjectId::new())
}

fn prefix(beside: &str) -> String {
    let room = MAX_NAME - INFIX.len() - ID;
    let cut = (0..=room.min(beside.len())).rev().find(|at| beside.is_char_boundary(*at)).unwrap_or(0);
    format!("{}{INFIX}", &beside[..cut])
}

/// Drops the scratch database. A failure is logged only: the next one sweeps what is left.
pub(crate) async fn remove(scratch: &Database) {
    if let Err(error) = scratch.drop().await {
        tracing::warn!(database = scratch.name(), cause = failure::reason(&error), "scratch database left behind");
    }
}

/// Drops the scratch databases that killed processes made beside the same one.
pub(crate) async fn sweep(client: &Client, beside: &str) -> Result<(), DriverError> {
    let prefix = prefix(beside);
    for name in client.list_database_names().await? {
        if is_older(&name, &prefix, (SystemTime::now(), LEFTOVER)) {
            client.database(&name).drop().await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_and_tell_beside_which_database_they_are() {
        for beside in ["", "library", &"x".repeat(63), &"ü".repeat(31)] {
            let name = name(beside);
            assert!(name.len() <= MAX_NAME && name.starts_with(&prefix(beside)), "{name}");
        }
        assert!(name("library").starts_with("library_folio_check_"));
    }

    #[test]
    fn tells_leftovers_from_databases_in_use_and_from_others() {
        let (name, now) = (name("library"), ObjectId::new().timestamp().to_system_time());
        let later = |seconds| (now + Duration::from_secs(seconds), LEFTOVER);
        assert!(!is_older(&name, &prefix("library"), later(1700)));
        assert!(is_older(&name, &prefix("library"), later(1802)));
        for other in ["library", "library_folio_check_mine", "archive_folio_check_650000000000000000000000"] {
            assert!(!is_older(other, &prefix("library"), later(9000)), "{other}");
        }
    }
}
