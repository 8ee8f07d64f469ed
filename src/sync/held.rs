//! A validator as a collection has it: which writes it is held against, and how.

use bson::{Document, doc};

use crate::{
    config::Stage,
    schema::{
        Schema,
        options::{Action, Level},
    },
};

/// A validator, and what is done with documents that break it.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// The validator; empty where there is none.
    pub validator: Document,
    /// [`validationLevel`](https://www.mongodb.com/docs/manual/core/schema-validation/specify-validation-level/).
    pub level: String,
    /// [`validationAction`](https://www.mongodb.com/docs/manual/core/schema-validation/handle-invalid-documents/).
    pub action: String,
}

impl Rules {
    /// What the collection's file declares.
    pub(super) fn declared(schema: &Schema) -> Self {
        let validation = schema.options.validation;
        Self::new(schema.validator.clone(), validation.level, validation.action)
    }

    pub(super) fn new(validator: Document, level: Level, action: Action) -> Self {
        Self { validator, level: level.name().to_owned(), action: action.name().to_owned() }
    }

    /// The options of a collection that has these rules, as `create` and `collMod` take them.
    pub(super) fn options(&self) -> Document {
        doc! { "validator": &self.validator, "validationLevel": &self.level, "validationAction": &self.action }
    }

    /// The same validator in the stage.
    pub(super) fn softened(&self, stage: Stage) -> Self {
        let (level, action) = match stage {
            Stage::Moderate => (Level::Moderate, Action::Error),
            Stage::Warn => (Level::Strict, Action::Warn),
        };
        Self::new(self.validator.clone(), level, action)
    }

    /// The same validator, held against every write.
    pub(super) fn held(&self) -> Self {
        Self::new(self.validator.clone(), Level::Strict, Action::Error)
    }

    /// Whether every write is held to the validator, so that no stored document comes to break it.
    pub fn is_held(&self) -> bool {
        self.level == Level::Strict.name() && self.action == Action::Error.name()
    }
}
