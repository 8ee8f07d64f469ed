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
    "stamp": {"bsonType": "date", "x-set": {"insert": "now"}}, "secret": {"type": "string"},
    "loose": {"properties": {"owner": {"type": "string"}}}
}"#;

fn parse(access: &str) -> (Access, Vec<String>) {
    let text = format!(r#"{{"type": "object", "properties": {PROPERTIES}, "x-access": {access}}}"#);
    let source = Source::parse("x.json", text, 64).unwrap();
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
    let source = Source::parse("x.json", text, 64).unwrap();
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

/// What the role `r` may do, and the one mistake in it.
const MISTAKES: &[(&str, &str)] = &[
    ("7", ": must be a list of operations, such as [\"read\", \"insert\"]"),
    ("[]", ": names no operation; leave the role out"),
    (r#"["raed"]"#, r#"/0: unknown operation `raed`, did you mean "read"?"#),
    (
        r#"["read", "fly"]"#,
        "/1: unknown operation `fly`; there are `read`, `insert`, `update`, `delete`, `aggregate`, `changes`, `export`, `import`, `write`, `*`",
    ),
    (
        "[1]",
        "/0: must be one of `read`, `insert`, `update`, `delete`, `aggregate`, `changes`, `export`, `import`, `write`, `*`",
    ),
    ("{}", ": needs `ops`, the list of what the role may do"),
    (r#"{"ops": []}"#, "/ops: names no operation; leave the role out"),
    (r#"{"ops": "read"}"#, "/ops: must be a list of operations, such as [\"read\", \"insert\"]"),
    (r#"{"ops": ["read"], "filters": {}}"#, r#"/filters: unknown option, did you mean "filter"?"#),
    (
        r#"{"ops": ["read"], "limit": 5}"#,
        "/limit: unknown option; there are `ops`, `filter`, `set`, `hide`, `readOnly`",
    ),
    (r#"{"ops": ["read"], "hide": "a"}"#, "/hide: must be a list of fields, such as [\"price\"]"),
    (r#"{"ops": ["read"], "hide": [1]}"#, "/hide/0: must be the name of a field, such as `publisher.city`"),
    (r#"{"ops": ["read"], "hide": [""]}"#, "/hide/0: must be the name of a field, such as `publisher.city`"),
    (r#"{"ops": ["read"], "hide": ["statsu"]}"#, r#"/hide/0: no field `statsu` is declared, did you mean "status"?"#),
    (
        r#"{"ops": ["read"], "hide": ["publisher.ciyt"]}"#,
        r#"/hide/0: no field `publisher.ciyt` is declared, did you mean "publisher.city"?"#,
    ),
    (r#"{"ops": ["read"], "hide": ["any.thing"]}"#, "/hide/0: no field `any.thing` is declared"),
    (
        r#"{"ops": ["read"], "hide": ["lines.0.cost"]}"#,
        "/hide/0: `0` picks an item of a list, and rules are about all of them: leave it out",
    ),
    (
        r#"{"ops": ["read"], "hide": ["_id"]}"#,
        "/hide/0: an `_id` can neither be hidden nor set nor read-only: all that is said of a document needs it",
    ),
    (r#"{"ops": ["read"], "hide": ["status", "status"]}"#, "/hide/1: `status` is named twice"),
    (
        r#"{"ops": ["read"], "hide": ["publisher.city", "publisher"]}"#,
        "/hide/0: `publisher` is named too, and all of it with it; leave one of them out",
    ),
    (
        r#"{"ops": ["read"], "readOnly": ["lines.cost"]}"#,
        "/readOnly/0: `lines` is a list; only fields outside lists can be set or read-only, or `lines` as a whole",
    ),
    (
        r#"{"ops": ["read"], "set": ["a"]}"#,
        "/set: must be an object of fields and values, such as {\"owner\": \"$user.id\"}",
    ),
    (r#"{"ops": ["write"], "set": {"tenant": "x"}}"#, "/set/tenant: is of type `string`, and the field holds `int`"),
    (r#"{"ops": ["write"], "set": {"tenant": null}}"#, "/set/tenant: is of type `null`, and the field holds `int`"),
    (
        r#"{"ops": ["write"], "set": {"stamp": "2024-05-01T00:00:00Z"}}"#,
        "/set/stamp: the service writes this field already, by its `x-set`",
    ),
    (
        r#"{"ops": ["write"], "set": {"publisher": {"city": "Rome"}}}"#,
        "/set/publisher: cannot be an object: set its members by their names, such as `publisher.city`",
    ),
    (
        r#"{"ops": ["write"], "set": {"publisher": "$user.place"}}"#,
        "/set/publisher: `$user.…` is one value, and the field holds none but objects or lists",
    ),
    (
        r#"{"ops": ["write"], "set": {"loose.owner": "$user.id"}}"#,
        "/set/loose.owner: `loose` need not be an object: declare it with \"type\": \"object\", or set it as a whole",
    ),
    (
        r#"{"ops": ["write"], "set": {"tags": ["$user.id"]}}"#,
        "/set/tags: `$user.…` stands alone as a value; it cannot be part of a longer text, a list or an object",
    ),
    (
        r#"{"ops": ["read"], "filter": []}"#,
        "/filter: must be an object of at least one condition, such as {\"owner\": \"$user.id\"}",
    ),
    (
        r#"{"ops": ["read"], "filter": {}}"#,
        "/filter: must be an object of at least one condition, such as {\"owner\": \"$user.id\"}",
    ),
    (r#"{"ops": ["read"], "filter": {"$or": []}}"#, "/filter/$or: must be a list of at least one filter"),
    (
        r#"{"ops": ["read"], "filter": {"$and": [{"tenant": 1}, {}]}}"#,
        "/filter/$and/1: must be an object of at least one condition, such as {\"owner\": \"$user.id\"}",
    ),
    (
        r#"{"ops": ["read"], "filter": {"$where": "1"}}"#,
        "/filter/$where: rules have no operator `$where`; there are `$and`, `$or`, `$nor`",
    ),
    (
        r#"{"ops": ["read"], "filter": {"$gt": 1}}"#,
        "/filter/$gt: `$gt` stands on a field, such as {\"owner\": {\"$gt\": …}}",
    ),
    (
        r#"{"ops": ["read"], "filter": {"status": {"$regex": "a"}}}"#,
        "/filter/status/$regex: rules have no operator `$regex`; there are `$eq`, `$ne`, `$in`, `$nin`, `$gt`, `$gte`, `$lt`, `$lte`, `$exists`",
    ),
    (
        r#"{"ops": ["read"], "filter": {"status": {"$gtee": 1}}}"#,
        r#"/filter/status/$gtee: rules have no operator `$gtee`, did you mean "$gte"?"#,
    ),
    (
        r#"{"ops": ["read"], "filter": {"status": {"$or": []}}}"#,
        "/filter/status/$or: `$or` stands between conditions, not on a field",
    ),
    (
        r#"{"ops": ["read"], "filter": {"statsu": "a"}}"#,
        r#"/filter/statsu: no field `statsu` is declared, did you mean "status"?"#,
    ),
    (
        r#"{"ops": ["read"], "filter": {"lines.0.count": 1}}"#,
        "/filter/lines.0.count: `0` picks an item of a list, and rules are about all of them: leave it out",
    ),
    (
        r#"{"ops": ["read"], "filter": {"publisher": null}}"#,
        "/filter/publisher: `publisher` holds objects or lists; name a field in it that holds single values",
    ),
    (
        r#"{"ops": ["read"], "filter": {"secret": {"$exists": true}}}"#,
        "/filter/secret: `secret` is `writeOnly`: which documents are there would tell what it holds",
    ),
    (
        r#"{"ops": ["read"], "filter": {"tenant": "x"}}"#,
        "/filter/tenant: is of type `string`, and the field holds `int`",
    ),
    (
        r#"{"ops": ["read"], "filter": {"tenant": {"$lt": null}}}"#,
        "/filter/tenant/$lt: nothing is above or below `null`",
    ),
    (
        r#"{"ops": ["read"], "filter": {"tags": ["a"]}}"#,
        "/filter/tags: rules compare with single values, neither with lists nor with objects",
    ),
    (
        r#"{"ops": ["read"], "filter": {"any": {"a": 1}}}"#,
        "/filter/any: rules compare with single values, neither with lists nor with objects",
    ),
    (
        r#"{"ops": ["read"], "filter": {"tenant": {"$in": []}}}"#,
        "/filter/tenant/$in: must be a list of at least one value, or `$user.…`",
    ),
    (r#"{"ops": ["read"], "filter": {"status": {"$in": "a"}}}"#, "/filter/status/$in: must be a list, or `$user.…`"),
    (
        r#"{"ops": ["read"], "filter": {"tenant": {"$in": [1, 1.5]}}}"#,
        "/filter/tenant/$in/1: is of type `double`, and the field holds `int`",
    ),
    (
        r#"{"ops": ["read"], "filter": {"status": {"$in": ["$user.id"]}}}"#,
        "/filter/status/$in/0: `$user.…` stands alone as a value; it cannot be part of a longer text, a list or an object",
    ),
    (r#"{"ops": ["read"], "filter": {"status": {"$exists": 1}}}"#, "/filter/status/$exists: must be `true` or `false`"),
    (
        r#"{"ops": ["read"], "filter": {"status": "$user."}}"#,
        "/filter/status: what of the caller? Say `$user.id`, `$user.name` or `$user.` and the name of an attribute",
    ),
    (
        r#"{"ops": ["read"], "filter": {"status": "$user.org.id"}}"#,
        "/filter/status: `$user.org.id` reaches into an attribute, which is one value or a list of them: say `$user.id`, `$user.name` or `$user.` and the name of an attribute",
    ),
    (
        r#"{"ops": ["read"], "filter": {"status": "by $user.id"}}"#,
        "/filter/status: `$user.…` stands alone as a value; it cannot be part of a longer text, a list or an object",
    ),
    (
        r#"{"ops": ["read"], "filter": {"status": "$user.id!"}}"#,
        "/filter/status: `$user.…` stands alone as a value; it cannot be part of a longer text, a list or an object",
    ),
    (
        r#"{"ops": ["read"], "filter": {"status": "$owner"}}"#,
        "/filter/status: a text that begins with `$` is no constant; there is `$user.id`, `$user.name` or `$user.` and the name of an attribute",
    ),
];

#[test]
fn names_what_is_wrong_and_where() {
    for (role, mistake) in MISTAKES {
        assert_eq!(parse(&format!(r#"{{"r": {role}}}"#)).1, [format!("/x-access/r{mistake}")], "{role}");
    }
}

#[test]
fn takes_sets_of_fields_that_are_hidden_or_read_only_too() {
    grant(
        r#"{"ops": ["write"], "set": {"tenant": 1, "status": "$user.x-y:z"}, "hide": ["tenant"], "readOnly": ["status"]}"#,
    );
}

#[test]
fn names_every_mistake_at_once() {
    let mistakes =
        parse(r#"{"a": ["red", "x"], "b": {"opps": 1, "hide": ["_id", "no"], "filter": {"x": 1, "$or": [{"y": 1}]}}}"#);
    let places: Vec<_> = mistakes.1.iter().map(|mistake| mistake.split(':').next().unwrap()).collect();
    assert_eq!(
        places,
        [
            "/x-access/a/0",
            "/x-access/a/1",
            "/x-access/b",
            "/x-access/b/filter/$or/0/y",
            "/x-access/b/filter/x",
            "/x-access/b/hide/0",
            "/x-access/b/hide/1",
            "/x-access/b/opps"
        ]
    );
}

#[test]
fn bounds_the_names_and_the_number_of_roles() {
    for (role, fine) in [
        ("a", true),
        ("A.b:c-d_9", true),
        (&"a".repeat(64), true),
        (&"a".repeat(65), false),
        ("", false),
        ("9", false),
        ("a b", false),
        ("ä", false),
    ] {
        assert_eq!(parse(&format!(r#"{{"{role}": ["read"]}}"#)).1.is_empty(), fine, "{role}");
    }
    let roles = |count| {
        let mut text = String::from("{");
        for n in 0..count {
            write!(text, r#""r{n}": ["read"],"#).unwrap();
        }
        text.replace_range(text.len() - 1.., "}");
        parse(&text).1
    };
    assert_eq!(roles(64), Vec::<String>::new());
    assert_eq!(roles(65), ["/x-access: has 65 roles, and there can be 64"]);
}
