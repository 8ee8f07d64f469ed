//! The changes of many writes as statements for the server.

use std::borrow::Cow;

use bson::{RawBson, RawDocument, RawDocumentBuf, rawdoc};

use crate::{
    access::{Permitted, Shape},
    error::{Error, Result},
    schema::Schema,
    store::{
        discretion::discreet,
        failure::{self, Refusal},
        write::{
            statements::{self, Applied, Ran, Verb},
            transaction::{Failed, Transaction},
        },
    },
    update::ChangePlan,
};

/// A change of one document.
pub(super) struct Statement<'j> {
    /// The place of the write that it is of.
    pub(super) item: usize,
    pub(super) id: RawBson,
    pub(super) plan: Cow<'j, Permitted<ChangePlan>>,
    /// The document as the caller may change it.
    pub(super) shape: Shape,
    pub(super) what: What,
}

/// What becomes of the document.
pub(super) enum What {
    /// This takes its place.
    Replace(RawDocumentBuf),
    /// The server applies the plan's operators to it as it is stored here.
    Operate(RawDocumentBuf),
}

impl What {
    pub(super) fn into_document(self) -> RawDocumentBuf {
        let (Self::Replace(document) | Self::Operate(document)) = self;
        document
    }
}

impl Statement<'_> {
    /// A document that is in memory for it.
    pub(super) fn document(&self) -> &RawDocument {
        let (What::Replace(document) | What::Operate(document)) = &self.what;
        document
    }

    /// The statement as a command has it.
    fn written(&self) -> Result<RawDocumentBuf> {
        let by_id = rawdoc! { "_id": self.id.clone() };
        match (&self.what, self.plan.plan().operators()) {
            (What::Operate(_), Some(operators)) => {
                Ok(Applied::of(operators.update(), operators.array_filters())?.to(by_id))
            }
            (What::Replace(document) | What::Operate(document), _) => Ok(rawdoc! { "q": by_id, "u": document.clone() }),
        }
    }

    /// What it means that the server refuses it, as the caller may know it.
    fn refused(&self, refusal: &Refusal) -> Error {
        // Operators reach nothing that is out of sight, so all that is, is where it was.
        let known = if let What::Replace(next) = &self.what { Some(&**next) } else { None };
        let told = failure::of_statement(refusal, &self.plan.plan().schema, known);
        discreet(told, (self.document(), self.shape.root())).of_item(self.item)
    }
}

/// Runs the statements in the transaction, which has nothing in it any more if one of them is refused.
pub(super) async fn run(
    transaction: &mut Transaction<'_>,
    schema: &Schema,
    statements: &[Statement<'_>],
) -> Result<(), Failed> {
    let written = statements.iter().map(Statement::written).collect::<Result<Vec<_>>>()?;
    match statements::run(transaction, (Verb::Update, schema), &written).await? {
        Ran::All(_) => Ok(()),
        Ran::Refused(at, refusal) => match statements.get(at) {
            Some(statement) => Err(statement.refused(&refusal).into()),
            None => Err(failure::of_statement(&refusal, schema, None).into()),
        },
    }
}
