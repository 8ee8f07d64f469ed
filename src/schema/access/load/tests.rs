use std::fmt::Write as _;

use super::*;
use crate::schema::{access::Comparison, access::Filter, field};
use bson::{Bson, bson, oid::ObjectId};

const PROPERTIES: &str = r#"{
    "owner": {"bsonType": "objectId"}, "tenant": {"bsonType": "int"}, "status": {"type": "string"},
    "due": {"bsonType": "date"}, "tags": {"type": "array", "items": {"type": "string"}}, "any": {},
    "publisher": {"type": "object", "properties": {"city": {"type": "string"}, "since": {"bsonType": "date"}}},
    "lines": {"type": "array", "items": {"type": "object", "properties": {"cost": {"bsonType": "decimal"},
        "count": {"bsonType": "int"}}}},
    "stamp": {"bsonType": "date", "x-set": {"insert": "now"}}, "secret": {"type": "string"}
}"#;

fn parse(access: &str) -> (Access, Vec<String>) {
    let text = format!(r#"{{"type": "object", "properties": {PROPERTIES}, "x-access": {access}}}"#);
    let tree = Tree::parse(text.as_bytes(), 64).unwrap();
    let source = Source { path: "x.json".to_owned(), text, tree };
    let mut root = field::derive_root(&source);
    root.properties["secret"].write_only = true;
    let mut report = Report::new("x.json");
    let access = Access::parse(&source, &root.prepared(), &mut report);
    let mistakes = report.finish().into_iter().map(|mistake| format!("{}: {}", mistake.pointer, mistake.detail));
    (access, mistakes.collect())
}

/// The grant of the role `r`.
fn grant(text: &str) -> Grant {
    let (mut access, mistakes) = parse(&format!(r#"{{"r": {text}}}"#));
    assert_eq!(mistakes, Vec::<String>::new(), "{text}");
    access.grants.shift_remove("r").unwrap()
}

#[test]
fn leaves_a_file_without_rules_to_admins() {
    let text = r#"{"type": "object"}"#.to_owned();
    let source = Source { path: "x.json".to_owned(), tree: Tree::parse(text.as_bytes(), 64).unwrap(), text };
    let access = Access::parse(&source, &field::derive_root(&source), &mut Report::new("x.json"));
    assert_eq!(access, Access::admin_only());
    assert_eq!(parse("{}").0.grants.len(), 0);
}

#[test]
fn reads_operations() {
    let ops = |names: &[Op]| names.iter().fold(Ops::default(), |ops, op| ops.with(*op));
    for (text, expected) in [
        (r#"["read"]"#, ops(&[Op::Read])),
        (r#"["write"]"#, ops(&[Op::Insert, Op::Update, Op::Delete])),
        (r#"["*"]"#, Ops::ALL),
        (
            r#"{"ops": ["aggregate", "changes", "export", "import"]}"#,
            ops(&[Op::Aggregate, Op::Changes, Op::Export, Op::Import]),
        ),
    ] {
        assert_eq!(grant(text), Grant { ops: expected, ..Grant::default() }, "{text}");
    }
}

#[test]
fn reads_all_that_a_grant_says() {
    let grant = grant(
        r#"{"ops": ["read"], "filter": {"owner": "$user.id", "due": {"$gt": "2024-05-01T00:00:00Z"}},
            "set": {"owner": "$user.id", "tenant": 7, "tags": [], "publisher.city": "Rome"},
            "hide": ["lines.cost", "publisher"], "readOnly": ["status", "publisher.since"]}"#,
    );
    let object_id = |value: &Value| match value {
        Value::User(name, shape) => (name.clone(), shape.kinds.iter().collect::<Vec<_>>()),
        Value::Constant(value) => panic!("{value}"),
    };
    let Some(Filter::All(filters)) = &grant.filter else { panic!("{grant:?}") };
    let [Filter::Compare(owner, Comparison::Eq, user), due] = &filters[..] else { panic!("{filters:?}") };
    assert_eq!((owner.as_str(), object_id(user)), ("owner", ("id".to_owned(), vec![crate::schema::Kind::ObjectId])));
    let date = bson::DateTime::from_millis(1_714_521_600_000);
    assert_eq!(*due, Filter::Compare("due".into(), Comparison::Gt, Value::Constant(date.into())));
    assert_eq!(object_id(&grant.set[0].1).0, "id");
    let constant = |name: &str, value: Bson| (name.to_owned(), Value::Constant(value));
    assert_eq!(
        grant.set[1..],
        [constant("tenant", bson!(7)), constant("tags", bson!([])), constant("publisher.city", bson!("Rome"))]
    );
    assert_eq!(
        (grant.hide, grant.read_only),
        (
            vec!["lines.cost".to_owned(), "publisher".to_owned()],
            vec!["status".to_owned(), "publisher.since".to_owned()]
        )
    );
}

#[test]
fn reads_filters() {
    let id = ObjectId::parse_str("6650f0000000000000000001").unwrap();
    for (text, expected) in [
        (r#"{"owner": "6650f0000000000000000001"}"#, bson!({"owner": {"$eq": id}})),
        (r#"{"due": null}"#, bson!({"due": {"$eq": null}})),
        (
            r#"{"due": {"$ne": null, "$exists": true}}"#,
            bson!({"$and": [{"due": {"$ne": null}}, {"due": {"$exists": true}}]}),
        ),
        (r#"{"tags": "a"}"#, bson!({"tags": {"$eq": "a"}})),
        (r#"{"lines.count": {"$gte": 3.0}}"#, bson!({"lines.count": {"$gte": 3}})),
        (r#"{"status": {"$in": ["a", null]}}"#, bson!({"status": {"$in": ["a", null]}})),
        (r#"{"tenant": {"$nin": [1, 2]}}"#, bson!({"tenant": {"$nin": [1, 2]}})),
        (r#"{"any": {"$oid": "6650f0000000000000000001"}}"#, bson!({"any": {"$eq": id}})),
        (
            r#"{"$or": [{"tenant": 1}, {"$nor": [{"tenant": 2}], "$and": [{"tenant": 3}]}]}"#,
            bson!({"$or": [{"tenant": {"$eq": 1}}, {"$and": [{"$nor": [{"tenant": {"$eq": 2}}]}, {"$and": [{"tenant": {"$eq": 3}}]}]}]}),
        ),
    ] {
        let filter = grant(&format!(r#"{{"ops": ["read"], "filter": {text}}}"#)).filter.unwrap();
        assert_eq!(Bson::Document(filter.bind(None).unwrap().document()), expected, "{text}");
    }
}
