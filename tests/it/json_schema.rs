//! The official JSON-Schema-Test-Suite, draft 2020-12: each schema becomes a real validator, each instance is
//! inserted, and MongoDB's verdict is compared. `docs/json-schema.md` has what comes of it.

use std::{collections::BTreeSet, fs};

use bson::{Bson, Document};
use folio::{
    codec::decode,
    error::Mistake,
    schema::{Schema, load},
};
use futures::{StreamExt, stream};
use mongodb::{Database, error::ErrorKind};

mod page;
mod reasons;
mod suite;

use reasons::Reason;
use suite::{Group, Test};

use crate::shapes;

/// How many tests of the required files must be passed. The others are about what no validator can enforce, and about
/// formats that only annotate.
const PASSED: usize = 1001;
/// The file of the suite that takes every `format` for an annotation. Here the formats that are taken assert.
const ANNOTATES: &str = "format";
/// How many collections there are at a time.
const AT_ONCE: usize = 8;

/// What is said of a number that no BSON type holds.
const OUT_OF_RANGE: &str = "number out of range";

/// What comes of one test.
#[derive(Debug, Clone, PartialEq)]
enum Outcome {
    Passed,
    /// The schema does not load, or MongoDB cannot hold the instance.
    Refused(&'static Reason),
    /// The suite's `format.json` takes `format` for an annotation, and here it asserts.
    Asserted,
    Wrong(String),
}

/// A file of the suite, with an outcome for each test, group by group.
struct Judged {
    name: String,
    required: bool,
    groups: Vec<(Group, Vec<Outcome>)>,
}

impl Judged {
    fn outcomes(&self) -> impl Iterator<Item = &Outcome> {
        self.groups.iter().flat_map(|(_, outcomes)| outcomes)
    }

    fn count(&self, holds: fn(&Outcome) -> bool) -> usize {
        self.outcomes().filter(|outcome| holds(outcome)).count()
    }
}

#[tokio::test]
async fn the_official_suite_is_passed_or_refused() {
    let test = crate::support::database().await;
    let mut files = Vec::new();
    for file in suite::read(&suite::fetch()) {
        let groups = stream::iter(file.groups).map(|group| judge(&test.db, &file.name, group));
        let groups = groups.buffered(AT_ONCE).collect().await;
        files.push(Judged { name: file.name, required: file.required, groups });
    }
    let wrong: Vec<_> = files.iter().flat_map(Judged::outcomes).filter_map(wrong).collect();
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    crate::docs::check("docs/json-schema.md", &page::write(&files), "json_schema");
    let passed: usize = files.iter().filter(|file| file.required).map(|file| file.count(is_passed)).sum();
    assert!(passed >= PASSED, "only {passed} of the required tests are passed");
    let met: BTreeSet<_> = files.iter().flat_map(Judged::outcomes).filter_map(reason).map(|met| met.says).collect();
    assert!(reasons::ALL.iter().all(|reason| met.contains(reason.says)), "of the reasons only these are met: {met:?}");
    reasons::are_listed();
}

fn is_passed(outcome: &Outcome) -> bool {
    *outcome == Outcome::Passed
}

fn is_refused(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Refused(_))
}

fn wrong(outcome: &Outcome) -> Option<&str> {
    if let Outcome::Wrong(detail) = outcome { Some(detail) } else { None }
}

fn reason(outcome: &Outcome) -> Option<&'static Reason> {
    if let Outcome::Refused(reason) = outcome { Some(reason) } else { None }
}

/// What comes of each test of the group.
async fn judge(db: &Database, file: &str, group: Group) -> (Group, Vec<Outcome>) {
    let outcomes = match load::parse("schemas/suite.json", "suite", group.file.clone()) {
        Ok(schema) => verdicts(db, file, &schema, &group).await,
        Err(mistakes) => vec![refusal(file, &group, &mistakes); group.tests.len()],
    };
    (group, outcomes)
}

/// The refusal of a schema, for the first of the listed reasons; what else is wrong may follow from that.
fn refusal(file: &str, group: &Group, mistakes: &[Mistake]) -> Outcome {
    match reasons::first_of(mistakes.iter().map(|mistake| mistake.detail.as_str())) {
        Some(first) => Outcome::Refused(first),
        None => Outcome::Wrong(format!("{file}: {}: refused for no listed reason: {mistakes:?}", group.description)),
    }
}

/// What MongoDB says of each instance that it can hold.
async fn verdicts(db: &Database, file: &str, schema: &Schema, group: &Group) -> Vec<Outcome> {
    let instances: Vec<_> = group.tests.iter().map(|test| instance(test, schema)).collect();
    let held: Vec<_> = instances.iter().flatten().collect();
    let refused = match broken(db, schema, &held).await {
        Ok(refused) => refused,
        Err(error) => {
            let detail = format!("{file}: {}: MongoDB fails: {error}\n  {}", group.description, schema.validator);
            return vec![Outcome::Wrong(detail); group.tests.len()];
        }
    };
    let mut position = 0..;
    let outcome = |(test, instance): (&Test, &Result<Document, &'static Reason>)| match instance {
        Err(reason) => Outcome::Refused(reason),
        Ok(document) => {
            let accepted = !position.next().is_some_and(|at| refused.contains(&at));
            if accepted && !shapes::fits(&Bson::from(document.clone()), &schema.root) {
                let detail = format!("{file}: {}: the shape has no place for {}", group.description, test.data);
                return Outcome::Wrong(detail);
            }
            compare(file, group, test, accepted)
        }
    };
    group.tests.iter().zip(&instances).map(outcome).collect()
}

fn compare(file: &str, group: &Group, test: &Test, accepted: bool) -> Outcome {
    let annotates = file == ANNOTATES && test.description.ends_with("only an annotation by default");
    match (accepted, test.valid) {
        (false, true) if annotates => Outcome::Asserted,
        (accepted, valid) if accepted == valid => Outcome::Passed,
        (_, valid) => Outcome::Wrong(format!(
            "{file}: {}: {}: {} must be {}\n  {}",
            group.description,
            test.description,
            test.data,
            if valid { "valid" } else { "invalid" },
            group.file
        )),
    }
}

/// The instance as the value of the field `v`, of the types that the service would give it.
fn instance(test: &Test, schema: &Schema) -> Result<Document, &'static Reason> {
    let object = format!(r#"{{"v":{}}}"#, test.data);
    match decode::document(object.as_bytes(), &schema.root) {
        Ok(document) => Ok(Document::try_from(&document).unwrap()),
        Err(error) if error.detail == OUT_OF_RANGE => Err(reasons::first_of([OUT_OF_RANGE]).unwrap()),
        // Names with a dot or a dollar are not taken in plain JSON.
        Err(_) => Ok(suite::plain(&object)),
    }
}

/// Which of the documents the collection's validator refuses.
async fn broken(db: &Database, schema: &Schema, documents: &[&Document]) -> mongodb::error::Result<BTreeSet<usize>> {
    let name = bson::oid::ObjectId::new().to_hex();
    db.create_collection(&name).validator(schema.validator.clone()).await?;
    let collection = db.collection::<Document>(&name);
    let inserted = match documents {
        [] => Ok(BTreeSet::new()),
        _ => match collection.insert_many(documents.iter().copied()).ordered(false).await {
            Ok(_) => Ok(BTreeSet::new()),
            Err(error) => refused(error),
        },
    };
    collection.drop().await?;
    inserted
}

/// The positions of the documents that the validator refuses, where nothing else is wrong.
fn refused(error: mongodb::error::Error) -> mongodb::error::Result<BTreeSet<usize>> {
    const VALIDATION: i32 = 121;
    if let ErrorKind::InsertMany(many) = &*error.kind
        && let Some(errors) = &many.write_errors
        && errors.iter().all(|error| error.code == VALIDATION)
    {
        return Ok(errors.iter().map(|error| error.index).collect());
    }
    Err(error)
}

#[test]
fn another_folder_of_the_suite_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("one.json"),
        r##"[{"description": "d", "schema": {"$schema": "s", "$ref": "#/$defs/a", "const": {"$ref": "#"},
            "$defs": {"$ref": {"$ref": "#"}, "a": true}}, "tests": [{"description": "t", "data": 1.50, "valid": true}]}]"##,
    )
    .unwrap();
    let files = suite::read(folder.path());
    let group = &files[0].groups[0];
    let expected = r##"{"$schema":"s","type":"object","properties":{"v":{"$ref":"#/properties/v/$defs/a","const":{"$ref": "#"},"$defs":{"$ref":{"$ref":"#/properties/v"},"a":true}}}}"##;
    assert_eq!((files[0].name.as_str(), group.file.as_str()), ("one", expected));
    assert_eq!(group.tests[0].data, "1.50");
}
