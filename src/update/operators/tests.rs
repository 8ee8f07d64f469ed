//! What operators mean, and what they may reach.

use bson::{DateTime, Decimal128, doc, oid::ObjectId};

use super::*;
use crate::schema::{Schema, load};

mod random;

fn schema() -> Schema {
    let file = r#"{
        "type": "object",
        "properties": {
            "title": { "type": "string" },
            "n": { "bsonType": "long" },
            "i": { "bsonType": "int" },
            "d": { "bsonType": "double" },
            "price": { "bsonType": "decimal" },
            "at": { "bsonType": "date" },
            "tick": { "bsonType": "timestamp" },
            "ref": { "bsonType": "objectId" },
            "tags": { "type": "array", "items": { "type": "string" } },
            "days": { "type": "array", "items": { "bsonType": "date" } },
            "pair": { "type": "array", "prefixItems": [{ "bsonType": "date" }, { "bsonType": "long" }] },
            "lines": { "type": "array", "items": { "type": "object", "properties": {
                "sku": { "bsonType": "objectId" }, "qty": { "bsonType": "long" }, "at": { "bsonType": "date" }
            } } },
            "in": { "type": "object", "properties": {
                "ro": { "readOnly": true }, "x": { "bsonType": "long" }, "more": { "properties": { "y": {} } }
            } },
            "made": { "bsonType": "date", "x-set": { "insert": "now" } },
            "password": { "type": "string", "writeOnly": true },
            "login": { "type": "object", "properties": { "token": { "writeOnly": true }, "name": {} } },
            "loose": { "properties": { "ro": { "readOnly": true } } }
        }
    }"#;
    load::parse("schemas/things.json", "things", file.to_owned()).unwrap()
}

fn parse(update: &str, filters: Option<&str>) -> Result<Operators> {
    Operators::parse(update.as_bytes(), filters, &schema().root, &Limits::default())
}

fn day() -> DateTime {
    DateTime::parse_rfc3339_str("2024-05-01T00:00:00Z").unwrap()
}

/// Reads updates in which `DAY` stands for a date.
fn means<const N: usize>(cases: [(&str, Document); N]) {
    for (update, expected) in cases {
        let update = update.replace("DAY", r#""2024-05-01T00:00:00Z""#);
        let read = parse(&update, None).unwrap_or_else(|error| panic!("{update}: {error}"));
        assert_eq!(*read.update(), expected, "{update}");
        read.check(&Field::any()).unwrap();
    }
}

#[test]
fn values_have_their_declared_types() {
    let id = ObjectId::parse_str("6650f0000000000000000001").unwrap();
    let amount: Decimal128 = "0.10".parse().unwrap();
    means([
        (r#"{"$set":{"at":DAY,"n":1,"title":null}}"#, doc! { "$set": { "at": day(), "n": 1_i64, "title": null } }),
        (
            r#"{"$set":{"in.x":1,"in.more.y":1,"free.x":1}}"#,
            doc! { "$set": { "in.x": 1_i64, "in.more.y": 1, "free.x": 1 } },
        ),
        (
            r#"{"$set":{"lines.0.at":DAY,"pair.0":DAY,"pair.1":3}}"#,
            doc! { "$set": { "lines.0.at": day(), "pair.0": day(), "pair.1": 3_i64 } },
        ),
        (r#"{"$set":{"lines.$[].sku":"6650f0000000000000000001"}}"#, doc! { "$set": { "lines.$[].sku": id } }),
        (
            r#"{"$setOnInsert":{"n":1}, "$unset":{"title":"","i":7}}"#,
            doc! { "$setOnInsert": { "n": 1_i64 }, "$unset": { "title": "", "i": "" } },
        ),
        (
            r#"{"$inc":{"n":1,"i":1,"d":1,"price":"0.10","free":1}}"#,
            doc! { "$inc": { "n": 1_i64, "i": 1, "d": 1.0, "price": amount, "free": 1 } },
        ),
        (r#"{"$mul":{"n":{"$numberLong":"2"},"i":1.5}}"#, doc! { "$mul": { "n": 2_i64, "i": 1.5 } }),
        (r#"{"$min":{"at":DAY},"$max":{"n":5}}"#, doc! { "$min": { "at": day() }, "$max": { "n": 5_i64 } }),
        (r#"{"$rename":{"title":"in.x"}}"#, doc! { "$rename": { "title": "in.x" } }),
        (
            r#"{"$currentDate":{"at":true,"tick":{"$type":"timestamp"}}}"#,
            doc! { "$currentDate": { "at": { "$type": "date" }, "tick": { "$type": "timestamp" } } },
        ),
        (
            r#"{"$bit":{"n":{"and":5,"xor":1},"i":{"or":4}}}"#,
            doc! { "$bit": { "n": { "and": 5_i64, "xor": 1_i64 }, "i": { "or": 4 } } },
        ),
        (r#"{"$set":{}}"#, doc! { "$set": {} }),
    ]);
}

#[test]
fn items_have_their_declared_types() {
    means([
        (
            r#"{"$push":{"days":DAY,"tags":{"$each":["b","a"],"$position":0,"$slice":-5,"$sort":1}}}"#,
            doc! { "$push": {
                "days": { "$each": [day()] },
                "tags": { "$each": ["b", "a"], "$position": 0, "$slice": -5, "$sort": 1 },
            } },
        ),
        (
            r#"{"$push":{"lines":{"$each":[{"qty":1}],"$sort":{"qty":-1}}}}"#,
            doc! { "$push": { "lines": { "$each": [{ "qty": 1_i64 }], "$sort": { "qty": -1 } } } },
        ),
        (r#"{"$push":{"days":{"$date":DAY}}}"#, doc! { "$push": { "days": { "$each": [day()] } } }),
        (
            r#"{"$addToSet":{"days":{"$each":[DAY]},"tags":"x"}}"#,
            doc! { "$addToSet": { "days": { "$each": [day()] }, "tags": { "$each": ["x"] } } },
        ),
        (
            r#"{"$pull":{"days":DAY,"tags":{"$in":["a"]},"lines":{"qty":{"$lt":1}}}}"#,
            doc! { "$pull": { "days": day(), "tags": { "$in": ["a"] }, "lines": { "qty": { "$lt": 1_i64 } } } },
        ),
        (
            r#"{"$pull":{"days":{"$gte":DAY},"tags":{"$not":{"$regex":"^a"}}}}"#,
            doc! { "$pull": { "days": { "$gte": day() }, "tags": { "$exists": true, "$not": { "$regex": "^a" } } } },
        ),
        (
            r#"{"$pull":{"lines":{"$or":[{"qty":1},{"sku":null}]}}}"#,
            doc! { "$pull": { "lines": { "$or": [{ "qty": 1_i64 }, { "sku": null }] } } },
        ),
        (
            r#"{"$pullAll":{"days":[DAY]},"$pop":{"tags":-1,"lines":1}}"#,
            doc! { "$pullAll": { "days": [day()] }, "$pop": { "tags": -1, "lines": 1 } },
        ),
    ]);
}

#[test]
fn refuses_what_is_no_update() {
    for (update, column, detail) in [
        ("[]", 1, "expected an object of update operators, as in `{\"$set\":{\"year\":1970}}`"),
        ("{}", 1, "expected an object of update operators, as in `{\"$set\":{\"year\":1970}}`"),
        (r#"{"$sett":{}}"#, 2, "unknown operator `$sett`, did you mean `$set`?"),
        (r#"{"$set":{"a":1},"$set":{"b":1}}"#, 17, "duplicate key `$set`"),
        (r#"{"$set":{"a":1,"a":2}}"#, 16, "duplicate key `a`"),
        (r#"{"$set":1}"#, 9, "expected an object of paths, as in `{\"year\":1970}`"),
        (r#"{"$set":{"a..b":1}}"#, 10, "`a..b`: a name in a path cannot be empty"),
        (
            r#"{"$set":{"a.$":1}}"#,
            10,
            "`a.$`: nothing says which item `$` is; say `$[name]`, and what holds for it with `arrayFilters`",
        ),
        (r#"{"$set":{"a":{"$gt":1}}}"#, 15, "`$gt`"),
        (r#"{"$set":{"a":1},"$inc":{"a":1}}"#, 25, "`a` is changed twice: name it once"),
        (r#"{"$set":{"a.b":1},"$inc":{"a":1}}"#, 27, "`a` cannot be changed together with `a.b`"),
        (r#"{"$rename":{"a":"a.b"}}"#, 13, "cannot be changed together"),
        (r#"{"$rename":{"a.$[]":"b"}}"#, 13, "`a.$[]`: `$rename` does not reach into arrays"),
        (r#"{"$rename":{"a":5}}"#, 17, "`$rename` takes the new name of a field, as a string"),
        (r#"{"$inc":{"n":"x"}}"#, 14, "`$inc` of `n` takes a number"),
        (r#"{"$bit":{"n":{}}}"#, 14, "`$bit` takes an object of `and`, `or` or `xor`, as in `{\"or\":4}`"),
        (r#"{"$bit":{"n":{"ands":1}}}"#, 15, "`$bit` takes no `ands`, did you mean `and`?"),
        (r#"{"$bit":{"n":{"or":1.5}}}"#, 20, "`or` takes a whole number"),
        (
            r#"{"$currentDate":{"at":false}}"#,
            23,
            "`$currentDate` takes `true`, `{\"$type\":\"date\"}` or `{\"$type\":\"timestamp\"}`",
        ),
        (r#"{"$currentDate":{"title":true}}"#, 26, "`$currentDate` writes a date here, and `title` holds none"),
        (r#"{"$push":{"tags":{"$slice":1}}}"#, 18, "expected `$each` beside it, the items to add; `[]` adds none"),
        (
            r#"{"$push":{"tags":{"$each":[],"$sort":2}}}"#,
            38,
            "expected `1`, `-1`, or an object such as `{\"year\":-1}`",
        ),
        (r#"{"$push":{"tags":{"$each":[],"$sorted":1}}}"#, 30, "`$push` takes no `$sorted`, did you mean `$sort`?"),
        (r#"{"$push":{"tags":{"$each":1}}}"#, 27, "expected an array of items"),
        (r#"{"$addToSet":{"tags":{"$each":[],"$slice":1}}}"#, 34, "`$addToSet` takes no `$slice`, only `$each`"),
        (r#"{"$pop":{"tags":2}}"#, 17, "`$pop` takes `1` for the last item or `-1` for the first one"),
        (r#"{"$set":{"a":1}"#, 15, "EOF"),
        (r#"{"$set":{"a":1}} x"#, 18, "trailing characters"),
    ] {
        let Err(Error::MalformedBody(error)) = parse(update, None) else { panic!("{update}") };
        assert!(error.detail.contains(detail), "{update}: {}", error.detail);
        assert_eq!(error.column, column, "{update}");
    }
}

#[test]
fn mistakes_have_pointers() {
    for (update, pointer) in [
        (r#"{"$sett":{}}"#, Some("/$sett")),
        (r#"{"$set":1}"#, Some("/$set")),
        (r#"{"$inc":{"a/b.c":"x"}}"#, Some("/$inc/a~1b.c")),
        (r#"{"$push":{"tags":{"$each":1}}}"#, Some("/$push/tags")),
        ("[]", None),
    ] {
        let Err(Error::MalformedBody(error)) = parse(update, None) else { panic!("{update}") };
        assert_eq!(error.pointer.as_deref(), pointer, "{update}");
    }
}

#[test]
fn refuses_conditions_as_filters_do() {
    for (update, pointer, detail) in [
        (r#"{"$pull":{"days":{"$gte":"soon"}}}"#, "/$pull/days/$gte", "expected a date"),
        (r#"{"$pull":{"tags":{"$where":"1"}}}"#, "/$pull/tags/$where", "the operator `$where` is not allowed"),
        (r#"{"$pull":{"lines":{"$text":{"$search":"x"}}}}"#, "/$pull/lines/$text", "`$text` cannot stand here"),
        (r#"{"$pull":{"lines":{"a/b":{"$near":[0,0]}}}}"#, "/$pull/lines/a~1b/$near", "`$near` orders what is found"),
    ] {
        let Err(Error::InvalidQuery { place, detail: found }) = parse(update, None) else { panic!("{update}") };
        assert!(found.contains(detail), "{update}: {found}");
        assert_eq!(place.pointer.as_deref(), Some(pointer), "{update}");
    }
}

#[test]
fn array_filters_are_typed_and_match_the_paths() {
    let set = r#"{"$set":{"lines.$[x].qty":1,"tags.$[y]":"z"}}"#;
    let read = parse(set, Some(r#"[{"x.at":{"$gte":"2024-05-01T00:00:00Z"}},{"$or":[{"y":"a"},{"y":{"$gt":"b"}}]}]"#));
    let read = read.unwrap();
    let expected = [doc! { "x.at": { "$gte": day() } }, doc! { "$or": [{ "y": "a" }, { "y": { "$gt": "b" } }] }];
    assert_eq!(read.array_filters(), expected);
    assert_eq!(read.array_filters.looked, ["lines.$[x].at", "tags.$[y]"]);
    for (filters, detail) in [
        (None, "expected a filter for `$[x]`, as in `[{\"x.year\":{\"$gte\":1970}}]`"),
        (Some("{}"), "expected an array of filters"),
        (Some("[1]"), "expected a filter on the items that a path names"),
        (Some("[{}]"), "expected a filter on the items that a path names"),
        (Some(r#"[{"x.qty":1},{"y":"a"},{"z":1}]"#), "`z`: no path has `$[z]`"),
        (
            Some(r#"[{"x.qty":1},{"x.qty":1},{"y":"a"}]"#),
            "`x`: no path has `$[x]`, or there is a filter for it already",
        ),
        (Some(r#"[{"x.qty":1,"y":"a"}]"#), "`y`: each filter is on the items of one name, and this one is on `x`"),
        (Some(r#"[{"x.at":"soon"},{"y":"a"}]"#), "expected a date"),
        (Some(r#"[{"x.at":{"$where":1}},{"y":"a"}]"#), "the operator `$where` is not allowed"),
        (Some("[{"), "EOF"),
    ] {
        let Err(Error::InvalidQuery { place, detail: found }) = parse(set, filters) else { panic!("{filters:?}") };
        assert!(found.contains(detail), "{filters:?}: {found}");
        assert_eq!(place.parameter, "arrayFilters");
    }
    let one = r#"{"$set":{"tags.$[x]":"a","days.$[x]":null}}"#;
    assert!(parse(one, Some(r#"[{"x":null}]"#)).is_ok());
    assert!(parse(one, Some(r#"[{"x":"a"}]"#)).is_err());
}

#[test]
fn what_the_service_keeps_is_reached_by_no_path() {
    let shape = &schema().root;
    let operators = |path: &str| {
        [
            format!(r#"{{"$set":{{"{path}":1}}}}"#),
            format!(r#"{{"$unset":{{"{path}":1}}}}"#),
            format!(r#"{{"$setOnInsert":{{"{path}":1}}}}"#),
            format!(r#"{{"$inc":{{"{path}":1}}}}"#),
            format!(r#"{{"$mul":{{"{path}":1}}}}"#),
            format!(r#"{{"$min":{{"{path}":1}}}}"#),
            format!(r#"{{"$max":{{"{path}":1}}}}"#),
            format!(r#"{{"$rename":{{"{path}":"free"}}}}"#),
            format!(r#"{{"$rename":{{"free":"{path}"}}}}"#),
            format!(r#"{{"$bit":{{"{path}":{{"or":1}}}}}}"#),
            format!(r#"{{"$push":{{"{path}":1}}}}"#),
            format!(r#"{{"$addToSet":{{"{path}":1}}}}"#),
            format!(r#"{{"$pull":{{"{path}":null}}}}"#),
            format!(r#"{{"$pullAll":{{"{path}":[1]}}}}"#),
            format!(r#"{{"$pop":{{"{path}":1}}}}"#),
        ]
    };
    let check = |update: &str| parse(update, None).unwrap().check(shape);
    for (path, pointer) in [
        ("_id", "/_id"),
        ("_id.x", "/_id"),
        ("made", "/made"),
        ("made.x", "/made"),
        ("in", "/in/ro"),
        ("in.ro", "/in/ro"),
        ("in.ro.x.y", "/in/ro"),
        ("in.0.ro", "/in/0/ro"),
        ("loose", "/loose/ro"),
        ("loose.0", "/loose/0/ro"),
        ("loose.7.ro", "/loose/7/ro"),
    ] {
        for update in operators(path) {
            let error = check(&update).unwrap_err();
            let Error::ReadOnlyField { pointers } = error else { panic!("{update}: {error:?}") };
            assert_eq!(pointers, [pointer], "{update}");
        }
    }
    for path in ["loose.$[]", "loose.$[].ro", "in.$[].ro"] {
        let error = check(&format!(r#"{{"$set":{{"{path}":1}}}}"#)).unwrap_err();
        assert!(matches!(error, Error::ReadOnlyField { .. }), "{path}: {error:?}");
    }
    for path in ["in.x", "in.more", "in.more.y", "title", "free.ro", "lines", "lines.0", "loose.x"] {
        check(&format!(r#"{{"$set":{{"{path}":1}}}}"#)).unwrap_or_else(|error| panic!("{path}: {error}"));
    }
}

#[test]
fn what_nobody_may_read_is_written_as_a_whole_or_not_at_all() {
    let shape = &schema().root;
    let check = |update: &str| parse(update, None).unwrap().check(shape);
    for (update, is_fine) in [
        (r#"{"$set":{"password":"x"}}"#, true),
        (r#"{"$unset":{"login.token":1}}"#, true),
        (r#"{"$set":{"login.name":"x"}}"#, true),
        (r#"{"$set":{"login":{"name":"x"}}}"#, false),
        (r#"{"$unset":{"login":1}}"#, false),
        (r#"{"$set":{"password.x":1}}"#, false),
        (r#"{"$set":{"password.0":1}}"#, false),
        (r#"{"$set":{"password.$[]":1}}"#, false),
        (r#"{"$set":{"login.0":1}}"#, false),
        (r#"{"$inc":{"password":1}}"#, false),
        (r#"{"$min":{"password":"a"}}"#, false),
        (r#"{"$push":{"password":1}}"#, false),
        (r#"{"$pull":{"password":{"$gt":"a"}}}"#, false),
        (r#"{"$rename":{"password":"title"}}"#, false),
        (r#"{"$rename":{"title":"password"}}"#, false),
        (r#"{"$rename":{"login":"shown"}}"#, false),
    ] {
        match check(update) {
            Ok(()) => assert!(is_fine, "{update}"),
            Err(Error::HiddenField { .. }) => assert!(!is_fine, "{update}"),
            Err(error) => panic!("{update}: {error:?}"),
        }
    }
    let seen = |update: &str| !parse(update, None).unwrap().names_unseen(shape);
    assert!(seen(r#"{"$set":{"title":"x"}}"#));
    assert!(!seen(r#"{"$set":{"password":"x"}}"#));
}

#[test]
fn what_is_hidden_is_neither_written_nor_looked_at() {
    let shape = Field::hiding(["secret", "in.secret", "list.secret"]);
    for (update, filters) in [
        (r#"{"$set":{"secret":1}}"#, None),
        (r#"{"$unset":{"in":1}}"#, None),
        (r#"{"$set":{"in.secret.x":1}}"#, None),
        (r#"{"$set":{"list.0.secret":1}}"#, None),
        (r#"{"$set":{"list.$[].secret":1}}"#, None),
        (r#"{"$set":{"list.$[]":1}}"#, None),
        (r#"{"$push":{"list":{"secret":1}}}"#, None),
        (r#"{"$rename":{"a":"in.secret"}}"#, None),
        (r#"{"$set":{"list.$[x].a":1}}"#, Some(r#"[{"x.secret":1}]"#)),
        (r#"{"$set":{"list.$[x].a":1}}"#, Some(r#"[{"$nor":[{"x.b":1},{"x.secret":{"$gt":1}}]}]"#)),
        (r#"{"$set":{"list.$[x].a":1}}"#, Some(r#"[{"x":{"a":1}}]"#)),
    ] {
        let any = Operators::parse(update.as_bytes(), filters, &Field::any(), &Limits::default()).unwrap();
        assert!(matches!(any.check(&shape), Err(Error::HiddenField { .. })), "{update} {filters:?}");
    }
    let fine = Operators::parse(
        br#"{"$set":{"list.$[x].a":1,"in.a":1}}"#,
        Some(r#"[{"x.b":1}]"#),
        &Field::any(),
        &Limits::default(),
    );
    fine.unwrap().check(&shape).unwrap();
}

#[test]
fn the_number_of_paths_and_of_values_is_bounded() {
    let limits = Limits { max_paths: 2, max_values: 5, max_in: 1, ..Limits::default() };
    for (update, limit) in [
        (r#"{"$set":{"a":1,"b":1},"$inc":{"c":1}}"#, "--max-paths"),
        (r#"{"$set":{"a":1,"b":1,"c":1,"d":1},"$inc":{}}"#, "--max-paths"),
        (r#"{"$set":{"a":[1,{"x":2}]},"$push":{"b":[1]}}"#, "--max-values"),
        (r#"{"$pullAll":{"a":[1,2]}}"#, "--max-in"),
        (r#"{"$addToSet":{"a":{"$each":[1,2]}}}"#, "--max-in"),
        (r#"{"$pull":{"a":{"$in":[1,2]}}}"#, "--max-in"),
    ] {
        let error = Operators::parse(update.as_bytes(), None, &Field::any(), &limits).unwrap_err();
        assert!(matches!(error, Error::LimitExceeded { name, .. } if name == limit), "{update}: {error:?}");
    }
    let deep = format!(r#"{{"$set":{{"a":{}1{}}}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    assert!(parse(&deep, None).is_err());
}
