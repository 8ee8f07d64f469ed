//! Whole plans, from the text of a query to what MongoDB is asked for.

use std::{fmt::Write, sync::Arc};

use crate::{
    config::Limits,
    query::{CursorKey, Draft, Position, Query, plan},
    schema::{Schema, load},
};

fn books() -> Arc<Schema> {
    let file = r#"{
        "type": "object",
        "additionalProperties": false,
        "required": ["isbn", "title"],
        "properties": {
            "isbn": { "type": "string" },
            "title": { "type": "string" },
            "author": { "bsonType": "objectId" },
            "year": { "bsonType": "int" },
            "price": { "bsonType": "decimal" },
            "published": { "bsonType": "date" },
            "tags": { "type": "array", "items": { "type": "string" } },
            "publisher": { "type": "object", "properties": { "city": { "type": "string" } } }
        },
        "x-indexes": [{ "keys": { "isbn": 1 }, "unique": true }]
    }"#;
    Arc::new(load::parse("schemas/books.json", "books", file.to_owned()).unwrap())
}

#[test]
fn plans_are_as_their_queries_say() {
    let (schema, limits) = (books(), Limits::default());
    let mut shown = String::new();
    for text in [
        "",
        "limit=5&skip=10",
        "author=6650f0000000000000000001&sort=year",
        "sort=-year,title",
        "sort=isbn",
        "sort=_id",
        "year[gte]=1970&year[lt]=1980&fields=title,year",
        "price[gt]=9.99&fields=-tags,-publisher.city",
        "published[lte]=2024-05-01T00:00:00%2B02:00",
        "tags[in]=a,b&tags[in]=c&tags[nin]=d,e",
        "title[prefix]=C.&publisher.country=FR&publisher[exists]=false",
        r#"filter={"$or":[{"year":{"$gt":1}},{"tags":{"$elemMatch":{"$eq":"x"}}}],"price":{"$in":[1,"2.50",{"$numberDecimal":"3"}]}}"#,
        r#"filter={"title":{"$not":{"$regex":"^a","$options":"i"}},"publisher":{"city":"Paris"}}&year=1"#,
    ] {
        let (query, cursors) = (Query::parse(text, &limits).unwrap(), CursorKey::derive(b"secret"));
        let plan = plan(&schema, &query, &limits, &cursors).and_then(Draft::settle).unwrap();
        writeln!(shown, "?{text}\n  filter {}\n  sort {}", plan.filter, plan.sort).unwrap();
        if let Some(projection) = plan.projection {
            writeln!(shown, "  projection {projection}").unwrap();
        }
        writeln!(shown, "  limit {} skip {}\n", plan.limit, plan.skip).unwrap();
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn pages_that_are_counted_end_where_skip_does() {
    let (schema, limits, cursors) = (near(), Limits::default(), CursorKey::derive(b"secret"));
    let near = r#"filter={"place":{"$near":{"$geometry":{"type":"Point","coordinates":[1,2]}}}}"#;
    let planned = |text: &str| plan(&schema, &Query::parse(text, &limits).unwrap(), &limits, &cursors)?.settle();
    let first = planned(near).unwrap();
    for (count, reached) in [(20, Ok(20)), (10_000, Ok(10_000)), (10_001, Err(()))] {
        let after = cursors.seal(first.list(), &Position::Count(count)).unwrap();
        let page = planned(&format!("{near}&after={after}"));
        assert_eq!(page.map(|page| page.skip).map_err(|_| ()), reached);
    }
}

fn near() -> Arc<Schema> {
    let file = r#"{ "type": "object", "x-indexes": [{ "keys": { "place": "2dsphere" } }] }"#;
    Arc::new(load::parse("schemas/places.json", "places", file.to_owned()).unwrap())
}
