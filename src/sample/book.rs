//! What the library owns.

use bson::{DateTime, Decimal128, oid::ObjectId};
use serde::{Deserialize, Serialize};

use crate::document::Document;

/// A title that the library owns, in one or more copies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Book {
    /// What loans refer to.
    #[serde(rename = "_id")]
    pub id: ObjectId,
    /// The title under which readers ask for it.
    pub title: String,
    /// The title in the language of the original; `None` when that is English.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub original_title: Option<String>,
    /// The [`Author`](super::Author) to whom it is ascribed.
    pub author: ObjectId,
    /// Who else had a hand in the edition. The file wants the field left out when there is nobody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contributors: Vec<Contributor>,
    /// The language in which it was written.
    pub original_language: Language,
    /// The year in which it first appeared; negative before the common era, so -19 is 19 BCE.
    pub year: i32,
    /// The year is an estimate.
    #[serde(default)]
    pub circa: bool,
    /// The day on which it first appeared, at midnight UTC, where the day is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published: Option<DateTime>,
    /// The ISBN-13 of the library's edition, without hyphens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub isbn: Option<String>,
    /// The publisher of the library's edition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publisher: Option<Publisher>,
    /// The number of pages of the library's edition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pages: Option<i32>,
    /// What it is about, in one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Genres and subjects, in lower case.
    #[serde(default)]
    pub tags: Vec<String>,
    /// What a copy costs to replace, in euros.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<Decimal128>,
    /// How many copies the library owns, lent out or not.
    #[serde(default)]
    pub stock: i32,
    /// When the record was made; written by the service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<DateTime>,
    /// When the record was last written; written by the service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<DateTime>,
}

impl Book {
    /// A book with a new id, of which only this is known and no copy is owned yet.
    pub fn new(title: impl Into<String>, author: ObjectId, original_language: Language, year: i32) -> Self {
        Self {
            id: ObjectId::new(),
            title: title.into(),
            original_title: None,
            author,
            contributors: Vec::new(),
            original_language,
            year,
            circa: false,
            published: None,
            isbn: None,
            publisher: None,
            pages: None,
            description: None,
            tags: Vec::new(),
            price: None,
            stock: 0,
            created_at: None,
            updated_at: None,
        }
    }
}

impl Document for Book {
    const COLLECTION: &'static str = "books";
}

/// A person who took part in an edition beside the author.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Contributor {
    /// The name on the title page.
    pub name: String,
    /// What the person did.
    pub role: Role,
}

/// What a [`Contributor`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Role {
    Translator,
    Editor,
    Illustrator,
}

/// A house or imprint, and where it publishes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Publisher {
    /// The house or imprint on the title page.
    pub name: String,
    /// The city on the title page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
}

/// A language, stored as its ISO 639 code: of two letters where there is one, else of three.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Language {
    #[serde(rename = "ar")]
    Arabic,
    #[serde(rename = "bn")]
    Bengali,
    #[serde(rename = "cs")]
    Czech,
    #[serde(rename = "da")]
    Danish,
    #[serde(rename = "de")]
    German,
    #[serde(rename = "el")]
    Greek,
    #[serde(rename = "en")]
    English,
    #[serde(rename = "enm")]
    MiddleEnglish,
    #[serde(rename = "es")]
    Spanish,
    #[serde(rename = "fa")]
    Persian,
    #[serde(rename = "fi")]
    Finnish,
    #[serde(rename = "fr")]
    French,
    #[serde(rename = "grc")]
    AncientGreek,
    #[serde(rename = "he")]
    Hebrew,
    #[serde(rename = "hi")]
    Hindi,
    #[serde(rename = "hu")]
    Hungarian,
    #[serde(rename = "id")]
    Indonesian,
    #[serde(rename = "is")]
    Icelandic,
    #[serde(rename = "it")]
    Italian,
    #[serde(rename = "ja")]
    Japanese,
    #[serde(rename = "ka")]
    Georgian,
    #[serde(rename = "ko")]
    Korean,
    #[serde(rename = "la")]
    Latin,
    #[serde(rename = "nl")]
    Dutch,
    #[serde(rename = "no")]
    Norwegian,
    #[serde(rename = "non")]
    OldNorse,
    #[serde(rename = "pl")]
    Polish,
    #[serde(rename = "pt")]
    Portuguese,
    #[serde(rename = "ru")]
    Russian,
    #[serde(rename = "sa")]
    Sanskrit,
    #[serde(rename = "sq")]
    Albanian,
    #[serde(rename = "sr")]
    Serbian,
    #[serde(rename = "sv")]
    Swedish,
    #[serde(rename = "tr")]
    Turkish,
    #[serde(rename = "vi")]
    Vietnamese,
    #[serde(rename = "zh")]
    Chinese,
}
