//! A plan as JSON, for programs. The shape is documented in `docs/changes.md` and only grows: what is there keeps its
//! name and meaning as long as [`VERSION`] stays.

use bson::{Bson, Document};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    Breaking, Change, Count, Duplicates, Plan, Risk, Status, Step,
    print::{Json, Written},
    rules::RuleChange,
    stage,
};
use crate::{
    config::Apply,
    error::{Error, Result, Violation},
    schema::Index,
};

/// The version of the shape.
pub const VERSION: u32 = 1;

/// A plan as it is written.
#[derive(Debug, Serialize)]
pub struct Shown<'p> {
    version: u32,
    status: &'static str,
    apply: Option<&'static str>,
    older: bool,
    steps: Vec<ShownStep<'p>>,
}

impl<'p> From<&'p Plan> for Shown<'p> {
    fn from(plan: &'p Plan) -> Self {
        let status = plan.status();
        Self {
            version: VERSION,
            status: status.name(),
            apply: plan.admitted_by().filter(|_| status != Status::InStep).map(level),
            older: plan.older,
            steps: plan.steps().map(ShownStep::of).collect(),
        }
    }
}

impl Status {
    /// The status as a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::InStep => "in-step",
            Self::Pending => "pending",
            Self::Blocked => "blocked",
        }
    }
}

fn level(apply: Apply) -> &'static str {
    match apply {
        Apply::None => "none",
        Apply::Safe => "safe",
        Apply::All => "all",
    }
}

#[derive(Debug, Serialize)]
struct ShownStep<'p> {
    collection: &'p str,
    change: &'static str,
    risk: Option<&'static str>,
    apply: Option<&'static str>,
    blocked: bool,
    #[serde(flatten)]
    detail: Detail<'p>,
    #[serde(skip_serializing_if = "Option::is_none")]
    breaking: Option<ShownBreaking<'p>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duplicates: Option<ShownDuplicates>,
}

impl<'p> ShownStep<'p> {
    fn of(step: Step<'p>) -> Self {
        let (risk, detail) = (step.change.risk(), Detail::of(step.change));
        Self {
            collection: step.change.collection(),
            change: detail.name(),
            risk: (risk != Risk::Report).then(|| risk.name()),
            apply: risk.admitted_by().map(level),
            blocked: step.is_blocked(),
            detail,
            breaking: step.breaking.map(ShownBreaking::of),
            duplicates: step.duplicates.map(ShownDuplicates::of),
        }
    }
}

/// What only changes of one kind have.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Detail<'p> {
    NotACollection { kind: &'p str },
    Collated { locale: &'p str },
    CreateCollection { indexes: Vec<ShownIndex<'p>> },
    SetValidator { rules: Vec<ShownRule>, documents: u64 },
    EndStage { rules: Vec<ShownRule>, stage: &'static str },
    Lenient { level: &'p str, action: &'p str },
    SetPreImages { to: bool },
    UnknownPreImages {},
    CreateIndex { index: ShownIndex<'p>, documents: u64 },
    AlterIndex { from: ShownIndex<'p>, to: ShownIndex<'p> },
    RebuildIndex { from: ShownIndex<'p>, to: ShownIndex<'p>, documents: u64 },
    UnknownIndex { index: ShownIndex<'p> },
    MissingTieBreak { index: ShownIndex<'p> },
}

impl<'p> Detail<'p> {
    fn of(change: &'p Change) -> Self {
        match change {
            Change::NotACollection { kind, .. } => Self::NotACollection { kind },
            Change::Collated { locale, .. } => Self::Collated { locale },
            Change::CreateCollection { indexes, .. } => {
                Self::CreateCollection { indexes: indexes.iter().map(ShownIndex::of).collect() }
            }
            Change::SetValidator { documents, .. } => {
                Self::SetValidator { rules: change.rules().iter().map(ShownRule::of).collect(), documents: *documents }
            }
            Change::EndStage { stage, .. } => {
                Self::EndStage { rules: change.rules().iter().map(ShownRule::of).collect(), stage: stage::name(*stage) }
            }
            Change::Lenient { rules, .. } => Self::Lenient { level: &rules.level, action: &rules.action },
            Change::SetPreImages { to, .. } => Self::SetPreImages { to: *to },
            Change::UnknownPreImages { .. } => Self::UnknownPreImages {},
            Change::CreateIndex { index, documents, .. } => {
                Self::CreateIndex { index: ShownIndex::of(index), documents: *documents }
            }
            Change::AlterIndex { from, to, .. } => {
                Self::AlterIndex { from: ShownIndex::of(from), to: ShownIndex::of(to) }
            }
            Change::RebuildIndex { from, to, documents, .. } => {
                Self::RebuildIndex { from: ShownIndex::of(from), to: ShownIndex::of(to), documents: *documents }
            }
            Change::UnknownIndex { index, .. } => Self::UnknownIndex { index: ShownIndex::of(index) },
            Change::MissingTieBreak { index, .. } => Self::MissingTieBreak { index: ShownIndex::of(index) },
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::NotACollection { .. } => "not-a-collection",
            Self::Collated { .. } => "collated",
            Self::CreateCollection { .. } => "create-collection",
            Self::SetValidator { .. } => "set-validator",
            Self::EndStage { .. } => "end-stage",
            Self::Lenient { .. } => "lenient",
            Self::SetPreImages { .. } => "set-pre-images",
            Self::UnknownPreImages {} => "unknown-pre-images",
            Self::CreateIndex { .. } => "create-index",
            Self::AlterIndex { .. } => "alter-index",
            Self::RebuildIndex { .. } => "rebuild-index",
            Self::UnknownIndex { .. } => "unknown-index",
            Self::MissingTieBreak { .. } => "missing-tie-break",
        }
    }
}

#[derive(Debug, Serialize)]
struct ShownIndex<'p> {
    name: &'p str,
    keys: Option<Box<RawValue>>,
    options: Option<Box<RawValue>>,
}

impl<'p> ShownIndex<'p> {
    fn of(index: &'p Index) -> Self {
        Self { name: &index.name, keys: document(&index.keys), options: document(&index.options) }
    }
}

#[derive(Debug, Serialize)]
struct ShownRule {
    pointer: String,
    keyword: String,
    kind: &'static str,
    from: Option<Box<RawValue>>,
    to: Option<Box<RawValue>>,
}

impl ShownRule {
    fn of(rule: &RuleChange) -> Self {
        let RuleChange { pointer, keyword, kind, from, to } = rule;
        let written = |value: &Option<Bson>| value.as_ref().and_then(|value| raw(Written(value).to_string()));
        let (from, to) = (written(from), written(to));
        Self { pointer: pointer.clone(), keyword: keyword.clone(), kind: kind.name(), from, to }
    }
}

#[derive(Debug, Serialize)]
struct ShownBreaking<'p> {
    documents: u64,
    exact: bool,
    /// How many documents the estimate was made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    sampled: Option<u64>,
    samples: Vec<ShownSample<'p>>,
}

impl<'p> ShownBreaking<'p> {
    fn of(breaking: &'p Breaking) -> Self {
        let sampled = if let Count::Estimated { sampled, .. } = breaking.count { Some(sampled) } else { None };
        let sample = |sample: &'p super::Sample| ShownSample { id: value(&sample.id), violations: &sample.violations };
        Self {
            documents: breaking.count.value(),
            exact: sampled.is_none(),
            sampled,
            samples: breaking.samples.iter().map(sample).collect(),
        }
    }
}

#[derive(Debug, Serialize)]
struct ShownSample<'p> {
    #[serde(rename = "_id")]
    id: Option<Box<RawValue>>,
    violations: &'p [Violation],
}

#[derive(Debug, Serialize)]
struct ShownDuplicates {
    keys: u64,
    documents: u64,
    samples: Vec<ShownShared>,
}

#[derive(Debug, Serialize)]
struct ShownShared {
    key: Option<Box<RawValue>>,
    documents: u64,
    #[serde(rename = "_ids")]
    ids: Vec<Option<Box<RawValue>>>,
}

impl ShownDuplicates {
    fn of(duplicates: &Duplicates) -> Self {
        let shared = |shared: &super::Shared| ShownShared {
            key: document(&shared.key),
            documents: shared.documents,
            ids: shared.ids.iter().map(value).collect(),
        };
        let samples = duplicates.samples.iter().map(shared).collect();
        Self { keys: duplicates.keys, documents: duplicates.documents, samples }
    }
}

/// A value of a document, in relaxed Extended JSON with its members in order.
fn value(value: &Bson) -> Option<Box<RawValue>> {
    raw(Json(value).to_string())
}

fn document(document: &Document) -> Option<Box<RawValue>> {
    value(&Bson::Document(document.clone()))
}

fn raw(json: String) -> Option<Box<RawValue>> {
    RawValue::from_string(json).ok()
}

/// The plan as the text of one JSON object.
///
/// # Errors
/// [`Error::Internal`] if a value cannot be written.
pub fn text(plan: &Plan) -> Result<String> {
    serde_json::to_string_pretty(&Shown::from(plan))
        .map_err(|e| Error::Internal(format!("the plan cannot be written as JSON: {e}")))
}
