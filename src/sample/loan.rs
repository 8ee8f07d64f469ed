//! Who has which book.

use bson::{DateTime, Decimal128, oid::ObjectId};
use serde::{Deserialize, Serialize};

use crate::document::Document;

/// A copy of a book in a member's hands, or the record that it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Loan {
    /// What the receipt shows.
    #[serde(rename = "_id")]
    pub id: ObjectId,
    /// The [`Book`](super::Book) that was borrowed.
    pub book: ObjectId,
    /// The [`Member`](super::Member) who borrowed it.
    pub member: ObjectId,
    /// When it was handed out.
    pub borrowed_at: DateTime,
    /// When it is to be back, renewals included.
    pub due_at: DateTime,
    /// When it came back; `None` while it is out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub returned_at: Option<DateTime>,
    /// How many times the loan was extended.
    #[serde(default)]
    pub renewals: i32,
    /// The state in which it came back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<Condition>,
    /// What was charged for a late or damaged copy, in euros; `None` when nothing was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fine: Option<Decimal128>,
    /// When the record was made; written by the service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<DateTime>,
    /// When the record was last written; written by the service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<DateTime>,
}

impl Loan {
    /// A loan with a new id, handed out now.
    pub fn new(book: ObjectId, member: ObjectId, due_at: DateTime) -> Self {
        Self {
            id: ObjectId::new(),
            book,
            member,
            borrowed_at: DateTime::now(),
            due_at,
            returned_at: None,
            renewals: 0,
            condition: None,
            fine: None,
            created_at: None,
            updated_at: None,
        }
    }
}

impl Document for Loan {
    const COLLECTION: &'static str = "loans";
}

/// The state in which a copy came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Condition {
    Good,
    Worn,
    Damaged,
}
