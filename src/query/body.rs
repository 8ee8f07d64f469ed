//! A query as a JSON body: the same as in a query string, with values in JSON.

use super::{
    Query,
    fields::{Fields, MOST_NAMES},
    filter::{self, Filter},
    params::RESERVED,
    sort::Key,
};
use crate::{
    config::Limits,
    error::{Error, Place, Result, nearest},
    json::{Bounds, Node, SyntaxError, Tree},
};

const MEMBERS: [&str; 6] = ["filter", "sort", "fields", "limit", "skip", "after"];

impl Query {
    /// Reads a body: `{"filter":{…},"sort":"-year","fields":["title"],"limit":20,"skip":0,"after":"…"}`.
    pub fn parse_body(body: &[u8], limits: &Limits) -> Result<Self> {
        let text = std::str::from_utf8(body)
            .map_err(|e| Error::MalformedBody(SyntaxError::at(body, e.valid_up_to(), "invalid UTF-8")))?;
        let tree = Tree::parse_within(body, bounds(limits))
            .map_err(|error| filter::beyond(&error, limits).unwrap_or(Error::MalformedBody(error)))?;
        let Node::Object(members) = tree.node else {
            return Err(Error::MalformedBody(SyntaxError::at(body, tree.span.start, "expected an object")));
        };
        let mut query = Self::default();
        for (name, value) in members {
            query.member((&name, value), text, limits).map_err(Error::in_body)?;
        }
        Ok(query)
    }

    fn member(&mut self, (name, value): (&str, Tree), text: &str, limits: &Limits) -> Result<()> {
        match name {
            "filter" => self.filter = Some(Filter::of_body(text, value, limits)?),
            "sort" => {
                self.sort = match value.as_str() {
                    Some(list) => Key::parse_list(list)?,
                    None => Key::collect(names(name, &value)?)?,
                }
            }
            "fields" => {
                self.fields = Some(match value.as_str() {
                    Some(list) => Fields::parse(list)?,
                    None => Fields::collect(names(name, &value)?)?,
                });
            }
            "limit" => self.limit = Some(number(name, &value, 1)?),
            "skip" => self.skip = Some(number(name, &value, 0)?),
            "after" => {
                let cursor = value.as_str().map(str::to_owned);
                let expected = "expected a string, the `next` of the page before; after the last page there is none";
                self.after = Some(cursor.ok_or_else(|| at(name).refuse(expected))?);
            }
            name => return Err(unknown(name)),
        }
        Ok(())
    }
}

/// Room for the filter, one level down, and for what else a body may hold.
fn bounds(limits: &Limits) -> Bounds {
    let Bounds { depth, values } = filter::bounds(limits);
    Bounds { depth: depth.saturating_add(1), values: values.saturating_add(2 * MOST_NAMES) }
}

fn at(member: &str) -> Place {
    Place::new(member, None)
}

/// The names in an array, each with its place.
fn names<'t>(member: &str, value: &'t Tree) -> Result<Vec<(&'t str, Place)>> {
    let items = value.as_array().filter(|items| !items.is_empty());
    let items = items.ok_or_else(|| at(member).refuse("expected names, as a string with commas or as an array"))?;
    let name = |(index, item): (usize, &'t Tree)| {
        let place = Place { pointer: Some(format!("/{member}/{index}")), ..at(member) };
        match item.as_str() {
            Some(name) => Ok((name, place)),
            None => Err(place.refuse("expected the name of a field")),
        }
    };
    items.iter().enumerate().map(name).collect()
}

fn number(member: &str, value: &Tree, least: u32) -> Result<u32> {
    let number = value.as_whole().and_then(|number| u32::try_from(number).ok()).filter(|number| *number >= least);
    number.ok_or_else(|| at(member).refuse(format!("expected a whole number of at least {least}")))
}

fn unknown(name: &str) -> Error {
    let detail = match nearest(name, MEMBERS) {
        _ if RESERVED.contains(&name) => "the member is not supported".to_owned(),
        Some(near) => format!("there is no such member, did you mean `{near}`? conditions go into `filter`"),
        None => format!("there is no such member, only `{}`; conditions go into `filter`", MEMBERS.join("`, `")),
    };
    at(name).refuse(detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &str) -> Result<Query> {
        Query::parse_body(body.as_bytes(), &Limits::default())
    }

    #[test]
    fn names_are_given_in_a_string_or_an_array() {
        let (string, array) = (r#"{"sort":"-a,b","fields":"-c,-d"}"#, r#"{"sort":["-a","b"],"fields":["-c","-d"]}"#);
        for body in [string, array] {
            let query = parse(body).unwrap();
            let sort: Vec<_> = query.sort.iter().map(|key| (key.field.as_str(), key.descending)).collect();
            let fields = query.fields.unwrap();
            let names: Vec<_> = fields.names.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(
                (sort, names, fields.without),
                (vec![("a", true), ("b", false)], vec!["c", "d"], true),
                "{body}"
            );
        }
        assert_eq!(parse(r#"{"fields":["a,b"]}"#).unwrap().fields.unwrap().names[0].0, "a,b");
    }

    #[test]
    fn points_at_what_is_wrong() {
        for (body, pointer, message) in [
            (r#"{"sort":["a","a"]}"#, "/sort/1", "sort: `a` is named twice"),
            (r#"{"sort":"a,a"}"#, "/sort", "sort: `a` is named twice"),
            (r#"{"sort":[]}"#, "/sort", "sort: expected names, as a string with commas or as an array"),
            (r#"{"sort":{"a":1}}"#, "/sort", "sort: expected names, as a string with commas or as an array"),
            (r#"{"fields":["a",1]}"#, "/fields/1", "fields: expected the name of a field"),
            (r#"{"limit":"20"}"#, "/limit", "limit: expected a whole number of at least 1"),
            (r#"{"limit":0}"#, "/limit", "limit: expected a whole number of at least 1"),
            (r#"{"skip":-1}"#, "/skip", "skip: expected a whole number of at least 0"),
            (
                r#"{"after":null}"#,
                "/after",
                "after: expected a string, the `next` of the page before; after the last page there is none",
            ),
            (r#"{"filter":[]}"#, "/filter", "filter: expected an object, as in `{\"year\":{\"$gte\":1970}}`"),
            (r#"{"count":1}"#, "/count", "count: the member is not supported"),
            (
                r#"{"filters":{}}"#,
                "/filters",
                "filters: there is no such member, did you mean `filter`? conditions go into `filter`",
            ),
            (
                r#"{"a/b":1}"#,
                "/a~1b",
                "a/b: there is no such member, only `filter`, `sort`, `fields`, `limit`, `skip`, `after`; conditions go \
                 into `filter`",
            ),
        ] {
            let error = parse(body).unwrap_err();
            assert_eq!(error.to_string(), message, "{body}");
            let Error::InvalidQuery { place, .. } = error else { panic!("{error:?}") };
            assert_eq!(place.pointer.as_deref(), Some(pointer), "{body}");
        }
    }

    #[test]
    fn refuses_what_is_no_query() {
        for body in ["", "[]", "1", "{\"limit\":1,\"limit\":1}", "{\"limit\":1}x"] {
            assert!(matches!(parse(body), Err(Error::MalformedBody(_))), "{body}");
        }
        assert!(matches!(Query::parse_body(b"{\"after\":\"\xff\"}", &Limits::default()), Err(Error::MalformedBody(_))));
    }

    #[test]
    fn keeps_within_the_limits() {
        let (deep, shallow) =
            (format!("{}1{}", "[".repeat(15), "]".repeat(15)), "[".repeat(14) + "1" + &"]".repeat(14));
        let filter = |value: &str| parse(&format!(r#"{{"filter":{{"a":{value}}}}}"#)).map_err(|e| e.to_string());
        assert!(filter(&shallow).is_ok() && filter(&deep).is_ok());
        let refused = filter(&format!("[{deep}]")).unwrap_err();
        assert_eq!(refused, "the depth of the filter is over the limit of 16 (`--max-filter-depth`)");
        let refused = filter(&format!("[{}1]", "1,".repeat(300_000))).unwrap_err();
        let limit = "the number of values in the filter is over the limit of 256000 (`--max-filter-nodes × --max-in`)";
        assert_eq!(refused, limit);
    }
}
