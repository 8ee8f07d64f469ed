//! The sample library: its documents as serde types, and its files as part of the program.
//!
//! Each type here is the twin of a collection file: [`Author`] of `schemas/authors.json`, [`Book`] of
//! `schemas/books.json`, and so on. They are meant to be copied:
//!
//! - A [`Document`] names its collection, and its fields have the very BSON types that the file declares:
//!   [`ObjectId`](bson::oid::ObjectId), [`DateTime`](bson::DateTime), [`Decimal128`](bson::Decimal128), `i32`.
//! - A field that the file does not require is an `Option` that is left out when it is `None`; never `null`,
//!   which the validator would refuse. A field with a `default` in the file has the same one here.
//! - `createdAt` and `updatedAt` are written by the service: `None` until a document was stored.
//! - A field that the type does not know is an error, so that reading a document and writing it back never drops one.
//!
//! ```
//! use folio::{document::Document, sample::{Author, Book, Language}};
//!
//! let author = Author::new("Ursula K. Le Guin", "United States");
//! let book = Book { pages: Some(387), ..Book::new("The Dispossessed", author.id, Language::English, 1974) };
//!
//! let stored = bson::serialize_to_document(&book)?;
//! assert_eq!(Book::COLLECTION, "books");
//! assert_eq!(stored.get_object_id("author")?, author.id);
//! assert_eq!(stored.get_i32("pages")?, 387);
//! assert!(!stored.contains_key("isbn"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Document`]: crate::document::Document

mod author;
mod book;
mod fill;
mod loan;
mod member;

pub use author::Author;
pub use book::{Book, Contributor, Language, Publisher, Role};
pub use fill::{catalog, fill};
pub use loan::{Condition, Loan};
pub use member::{Address, Member, Status};

/// The collection files, by collection: the JSON text of each.
pub const SCHEMAS: [(&str, &str); 4] = [
    ("authors", include_str!("../schemas/authors.json")),
    ("books", include_str!("../schemas/books.json")),
    ("members", include_str!("../schemas/members.json")),
    ("loans", include_str!("../schemas/loans.json")),
];

/// The documents, by collection: one a line, in the JSON that the API speaks.
///
/// A collection stands after those that its documents refer to.
pub const FILES: [(&str, &str); 4] = [
    ("authors", include_str!("../examples/library/authors.ndjson")),
    ("books", include_str!("../examples/library/books.ndjson")),
    ("members", include_str!("../examples/library/members.ndjson")),
    ("loans", include_str!("../examples/library/loans.ndjson")),
];

/// The `_id` of a member who has borrowed, and may stand for any member: Ada Quillfeather.
pub const READER: &str = "6650f2000000000000000001";

#[cfg(test)]
mod tests;
