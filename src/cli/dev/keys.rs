//! API keys for the roles of the collection files, other ones at each start.

use std::collections::BTreeSet;

use crate::{
    auth::key::{self, Grant, Text},
    config::Database,
    error::Result,
    sample,
    schema::{Catalog, access::ANONYMOUS},
    store::{Keys, client},
};

/// The role of the sample's files whose rules ask for a member.
const MEMBER: &str = "member";

/// A new key for each role that the files name, in the place of those of earlier starts.
///
/// They are made before the service starts: it knows them from its first request on.
pub(super) async fn make(catalog: &Catalog, database: &Database) -> Result<Vec<(String, Text)>> {
    let connection = client::connect(database).await?;
    let keys = Keys::new(&connection.database);
    let mut made = Vec::new();
    for role in roles(catalog) {
        let (kept, text) = key::make(grant(role))?;
        keys.replace(&kept).await?;
        made.push((role.to_owned(), text));
    }
    connection.database.client().clone().shutdown().await;
    Ok(made)
}

/// The roles that take a key.
fn roles(catalog: &Catalog) -> BTreeSet<&str> {
    catalog.roles().into_iter().filter(|role| *role != ANONYMOUS).collect()
}

fn grant(role: &str) -> Grant {
    let member = ("member".to_owned(), sample::READER.to_owned());
    let attributes = (role == MEMBER).then_some(member).into_iter().collect();
    Grant { name: format!("folio dev: {role}"), roles: vec![role.to_owned()], attributes, expires: None }
}

/// What a shell may call the key of `role`.
pub(super) fn variable(role: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    role.chars().map(letter).collect()
}
