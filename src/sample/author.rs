//! Who wrote the books.

use bson::{DateTime, oid::ObjectId};
use serde::{Deserialize, Serialize};

use crate::document::Document;

/// A person, or a name that tradition has handed down, to whom books are ascribed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Author {
    /// What books refer to.
    #[serde(rename = "_id")]
    pub id: ObjectId,
    /// The name on the title page, given name first.
    pub name: String,
    /// The year of birth, where it is known; negative before the common era, so -19 is 19 BCE.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub born: Option<i32>,
    /// The year of death, counted alike; `None` for the living, and where it is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub died: Option<i32>,
    /// The country, as it is called today, with which the author is most associated.
    pub country: String,
    /// Who this is, in one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// When the record was made; written by the service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<DateTime>,
    /// When the record was last written; written by the service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<DateTime>,
}

impl Author {
    /// An author with a new id, of whom only this is known.
    pub fn new(name: impl Into<String>, country: impl Into<String>) -> Self {
        Self {
            id: ObjectId::new(),
            name: name.into(),
            born: None,
            died: None,
            country: country.into(),
            note: None,
            created_at: None,
            updated_at: None,
        }
    }
}

impl Document for Author {
    const COLLECTION: &'static str = "authors";
}
