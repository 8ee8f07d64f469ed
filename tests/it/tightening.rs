//! Random pairs of validators: what is told of the rules between them is what MongoDB then does with documents.

use std::collections::BTreeSet;

use folio::{
    schema::load,
    sync::{
        Rules,
        rules::{self, Kind},
    },
};
use futures::TryStreamExt;
use mongodb::{
    Database,
    bson::{Document, doc},
};
use proptest::{
    collection::{btree_map, vec},
    prelude::{BoxedStrategy, Strategy, any, prop_oneof},
    sample::{Index, select},
    strategy::ValueTree,
    test_runner::TestRunner,
};
use serde_json::{Value, json};

use crate::{rules::random, support};

/// Pairs in each run of the test, and the documents that all of them judge.
const PAIRS: usize = 150;
const DOCUMENTS: usize = 250;

/// One way to write a file differently.
#[derive(Debug, Clone)]
enum Edit {
    Remove(Index),
    Number(Index, i8),
    Insert(Index, (&'static str, Value)),
    Replace(Index, Value),
}

fn edit() -> BoxedStrategy<Edit> {
    prop_oneof![
        3 => any::<Index>().prop_map(Edit::Remove),
        3 => (any::<Index>(), -1..=1_i8).prop_map(|(at, by)| Edit::Number(at, by)),
        2 => (any::<Index>(), random::assertion()).prop_map(|(at, keyword)| Edit::Insert(at, keyword)),
        1 => (any::<Index>(), random::schema(1)).prop_map(|(at, schema)| Edit::Replace(at, schema)),
    ]
    .boxed()
}

impl Edit {
    fn make(&self, file: &mut Value) {
        match self {
            Self::Remove(at) => on(file, *at, Value::is_object, |object| {
                let members = object.as_object_mut().unwrap();
                let name = members.keys().nth(at.index(members.len().max(1))).cloned();
                name.map(|name| members.remove(&name));
            }),
            Self::Number(at, by) => on(file, *at, Value::is_number, |number| {
                *number = json!(number.as_f64().unwrap() + f64::from(*by));
            }),
            Self::Insert(at, (keyword, value)) => on(file, *at, Value::is_object, |object| {
                object[*keyword] = value.clone();
            }),
            Self::Replace(at, schema) => on(file, *at, Value::is_object, |object| *object = schema.clone()),
        }
    }
}

/// Edits one of the values in `file` that are of this kind.
fn on(file: &mut Value, at: Index, is: fn(&Value) -> bool, edit: impl FnOnce(&mut Value)) {
    let mut found: Vec<String> = Vec::new();
    walk(file, "", &mut |pointer, value| {
        if is(value) && !pointer.is_empty() {
            found.push(pointer.to_owned());
        }
    });
    if !found.is_empty() {
        edit(file.pointer_mut(at.get::<String>(&found)).unwrap());
    }
}

fn walk(value: &Value, pointer: &str, visit: &mut impl FnMut(&str, &Value)) {
    visit(pointer, value);
    match value {
        Value::Object(members) => members.iter().for_each(|(name, member)| {
            let name = name.replace('~', "~0").replace('/', "~1");
            walk(member, &format!("{pointer}/{name}"), visit);
        }),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, item)| walk(item, &format!("{pointer}/{at}"), visit));
        }
        _ => {}
    }
}

/// A file whose rules are few enough that one of them decides.
fn small_file() -> impl Strategy<Value = Value> {
    let properties = btree_map(select(&["a", "b", "c.d"][..]), random::schema(1), 1..3);
    (properties, random::assertion()).prop_map(|(properties, (keyword, value))| {
        let mut file = json!({ "properties": properties, "$defs": { "plain": { "type": "integer" }, "odd/name": {} } });
        file[keyword] = value;
        file["type"] = "object".into();
        file
    })
}

/// A file and the same edited a little.
fn pair() -> impl Strategy<Value = (Value, Value)> {
    let file = prop_oneof![4 => small_file(), 1 => random::file()];
    (file, vec(edit(), 1..3)).prop_filter_map("it does not load or is the same", |(file, edits)| {
        let mut edited = file.clone();
        for edit in &edits {
            edit.make(&mut edited);
        }
        (edited != file && validator(&file).is_some() && validator(&edited).is_some()).then_some((file, edited))
    })
}

fn validator(file: &Value) -> Option<Document> {
    load::parse("schemas/random.json", "random", file.to_string()).ok().map(|schema| schema.validator)
}

/// Which documents the validator lets in.
async fn let_in(db: &Database, validator: &Document) -> BTreeSet<i32> {
    let documents = db.collection::<Document>("documents");
    let found = documents.find(validator.clone()).projection(doc! { "n": 1 });
    let found: Vec<_> = found.await.unwrap().try_collect().await.unwrap();
    found.iter().map(|document| document.get_i32("n").unwrap()).collect()
}

/// What is claimed of the changes in vain.
fn fault(kinds: &[Kind], (old, new): (&BTreeSet<i32>, &BTreeSet<i32>)) -> Option<&'static str> {
    let loosens = kinds.iter().all(|kind| !kind.tightens());
    let tightens = kinds.iter().all(|kind| matches!(kind, Kind::Added | Kind::Tightened));
    match () {
        () if loosens && !old.is_subset(new) => Some("said to loosen, and keeps out what was let in"),
        () if tightens && !new.is_subset(old) => Some("said to tighten, and lets in what was kept out"),
        () => None,
    }
}

#[tokio::test]
async fn what_is_said_to_loosen_keeps_nothing_out() {
    let test = support::database().await;
    let mut runner = TestRunner::default();
    let documents = vec(random::members(random::value()), DOCUMENTS).new_tree(&mut runner).unwrap().current();
    let numbered = documents.into_iter().enumerate().map(|(n, mut document)| {
        document.insert("n", i32::try_from(n).unwrap());
        document
    });
    test.db.collection("documents").insert_many(numbered).await.unwrap();
    let (mut faults, mut loosened, mut tightened, mut told_apart) = (Vec::new(), 0, 0, 0);
    let pairs = PAIRS * support::effort();
    for _ in 0..pairs {
        let (from, to) = pair().new_tree(&mut runner).unwrap().current();
        let strict = |file: &Value| Rules {
            validator: validator(file).unwrap(),
            level: "strict".to_owned(),
            action: "error".to_owned(),
        };
        let (old, new) = (strict(&from), strict(&to));
        let changes = rules::compare(&old, &new);
        let kinds: Vec<_> = changes.iter().map(|change| change.kind).collect();
        let verdicts = (let_in(&test.db, &old.validator).await, let_in(&test.db, &new.validator).await);
        if let Some(fault) = fault(&kinds, (&verdicts.0, &verdicts.1)) {
            faults.push(format!("{fault}: {changes:#?}\n{from}\n{to}"));
        }
        loosened += usize::from(!kinds.is_empty() && kinds.iter().all(|kind| !kind.tightens()));
        tightened += usize::from(!kinds.is_empty() && kinds.iter().all(|kind| kind.tightens()));
        told_apart += usize::from(verdicts.0 != verdicts.1);
    }
    assert!(faults.is_empty(), "{} faults, the first: {}", faults.len(), faults[0]);
    let enough = [loosened, tightened, told_apart].iter().all(|count| *count > pairs / 20);
    assert!(enough, "of {pairs}: {loosened} loosen, {tightened} tighten, {told_apart} tell documents apart");
    println!("of {pairs}: {loosened} loosen, {tightened} tighten, {told_apart} tell documents apart");
}
