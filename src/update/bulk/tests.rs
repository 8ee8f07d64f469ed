use bson::{Document, doc};

use super::*;
use crate::schema::load;

fn schema() -> Arc<Schema> {
    let file = r#"{"type": "object", "additionalProperties": false, "properties": {
        "_id": {"bsonType": "objectId"}, "isbn": {"type": "string"}, "day": {"bsonType": "date"}
    }, "x-indexes": [{"keys": {"isbn": 1}, "unique": true}]}"#;
    Arc::new(load::parse("schemas/things.json", "things", file.to_owned()).unwrap())
}

const ID: &str = "6650f0000000000000000001";

fn read(body: &str) -> Result<Write> {
    let (schema, limits) = (schema(), Limits::default());
    let views = |_| Ok(Arc::clone(&schema));
    split(body.as_bytes(), &limits).unwrap().remove(0).read((&schema, &views), &limits)
}

#[test]
fn reads_each_kind_of_write() {
    let id = Bson::ObjectId(ID.parse().unwrap());
    let Write::Insert(insert) = read(r#"[{"insert":{"day":"2024-05-01T00:00:00Z"}}]"#).unwrap() else { panic!() };
    assert!(insert.body.get_datetime("day").is_ok());
    for (body, matches) in [
        (r#"{"update":{"id":"ID","patch":{"isbn":null}}}"#, (|c| matches!(c, Change::Merge(_))) as fn(&Change) -> bool),
        (r#"{"update":{"id":"ID","patch":{"$set":{"isbn":"1"}}}}"#, |c| matches!(c, Change::Operate(_))),
        (r#"{"update":{"id":{"$oid":"ID"},"patch":[]}}"#, |c| matches!(c, Change::Patch(_))),
        (r#"{"replace":{"id":"ID","document":{}}}"#, |c| matches!(c, Change::Replace(_))),
        (r#"{"upsert":{"filter":{"_id":"ID"},"document":{}}}"#, |c| matches!(c, Change::Upsert(_))),
        (r#"{"delete":{"id":"ID"}}"#, |c| matches!(c, Change::Delete)),
    ] {
        let Write::Change(plan) = read(&format!("[{}]", body.replace("ID", ID))).unwrap() else { panic!("{body}") };
        assert!(matches(&plan.change) && plan.id == id, "{plan:?}");
    }
    let Write::Upsert(upsert) = read(r#"[{"upsert":{"filter":{"isbn":"1"},"document":{}}}]"#).unwrap() else {
        panic!()
    };
    assert_eq!(Document::try_from(&*upsert.document).unwrap(), doc! { "isbn": "1" });
}

#[test]
fn a_precondition_is_a_text_of_entity_tags() {
    let with = |tags: &str| read(&format!(r#"[{{"delete":{{"id":"{ID}","ifMatch":{tags}}}}}]"#));
    let Write::Change(plan) = with(r#""*""#).unwrap() else { panic!() };
    assert_eq!(plan.precondition.if_match, Some(Tags::Any));
    assert!(with("[]").is_err());
}

#[test]
fn what_is_wrong_in_a_write_is_told_with_its_place() {
    for (body, column, detail) in [
        (r#"[{"insert":{"a":1,"a":2}}]"#, 19, "duplicate key `a`"),
        (r#"[{"insert":[]}]"#, 12, "expected an object"),
        (r#"[{"replace":{"id":1,"document":{"x":1e99999}}}]"#, 37, "number out of range"),
        (r#"[{"update":{"id":1,"patch":{"a":1,"$set":{}}}}]"#, 35, "names of operators"),
        (r#"[{"delete":{"id":"ID","ifMatch":5}}]"#, 55, "expected a string"),
    ] {
        let error = read(&body.replace("ID", ID)).unwrap_err();
        let Error::MalformedBody(error) = &error else { panic!("{body}: {error}") };
        assert!(error.column == column && error.detail.starts_with(detail), "{body}: {error}");
    }
    for (body, pointer) in [
        (r#"[{"delete":{"id":"x"}}]"#, "/0/delete/id"),
        (r#"[{"delete":{"id":null}}]"#, "/0/delete/id"),
        (r#"[{"upsert":{"filter":{"isbm":"1"},"document":{}}}]"#, "/0/upsert/filter/isbm"),
        (r#"[{"upsert":{"filter":{"isbn":{"$gt":"1"}},"document":{}}}]"#, "/0/upsert/filter"),
        (r#"[{"upsert":{"filter":{"day":"never"},"document":{}}}]"#, "/0/upsert/filter/day"),
    ] {
        let (Error::InvalidQuery { place, .. } | Error::UnknownField { place, .. }) = read(body).unwrap_err() else {
            panic!("{body}")
        };
        assert_eq!(place.pointer.as_deref(), Some(pointer), "{body}");
    }
}
