//! Who may borrow.

use bson::{DateTime, Decimal128, oid::ObjectId};
use serde::{Deserialize, Serialize};

use crate::document::Document;

/// A person with a library card.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Member {
    /// What loans refer to.
    #[serde(rename = "_id")]
    pub id: ObjectId,
    /// The number printed on the card, as `L-100137`.
    pub card_number: String,
    /// The name in full, as the member writes it.
    pub name: String,
    /// Where reminders go. The file wants an email, a phone or both.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// In international form, as `+12025550101`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Where letters go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// Whether the member may borrow.
    pub status: Status,
    /// When the card was issued.
    pub joined_at: DateTime,
    /// What the member owes, in euros.
    #[serde(default = "zero")]
    pub fees: Decimal128,
    /// Tags of books about which the member would like to hear.
    #[serde(default)]
    pub interests: Vec<String>,
    /// The member has asked for the newsletter.
    #[serde(default)]
    pub newsletter: bool,
    /// A librarian has seen proof of how the member is reached; any change by the member takes it back.
    #[serde(default)]
    pub verified: bool,
    /// What librarians should know; the member does not see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
    /// When the record was made; written by the service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<DateTime>,
    /// When the record was last written; written by the service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<DateTime>,
}

impl Member {
    /// An active member with a new id, who joins now, owes nothing and is reached at `email`.
    pub fn new(card_number: impl Into<String>, name: impl Into<String>, email: impl Into<String>) -> Self {
        Self {
            id: ObjectId::new(),
            card_number: card_number.into(),
            name: name.into(),
            email: Some(email.into()),
            phone: None,
            address: None,
            status: Status::Active,
            joined_at: DateTime::now(),
            fees: zero(),
            interests: Vec::new(),
            newsletter: false,
            verified: false,
            notes: None,
            created_at: None,
            updated_at: None,
        }
    }
}

impl Document for Member {
    const COLLECTION: &'static str = "members";
}

/// A postal address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Address {
    /// The street with the number of the house.
    pub street: String,
    /// A string: some begin with a zero, some hold letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// The city, town or village.
    pub city: String,
    /// The country's ISO 3166-1 code of two letters.
    pub country: String,
}

/// Whether a [`Member`] may borrow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Status {
    /// May borrow.
    Active,
    /// May not borrow until the fees are paid.
    Suspended,
    /// Has given the card back.
    Left,
}

/// The default of `fees`, `0.00`: two digits after the point, as in the file.
///
/// The bytes are those of the [decimal128 format](https://en.wikipedia.org/wiki/Decimal128_floating-point_format),
/// least significant first: coefficient 0, exponent -2, which is stored with 6176 added.
fn zero() -> Decimal128 {
    const EXPONENT: u128 = 6176 - 2;
    Decimal128::from_bytes((EXPONENT << 113).to_le_bytes())
}
