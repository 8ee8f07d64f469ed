//! The query string as text: which parameters there are and what belongs to each.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::{condition::Condition, fields::Fields, filter::Filter, sort::Key};
use crate::{
    config::Limits,
    error::{Place, Result, check_limit, invalid_query},
};

/// What a list asks for, as text.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// The field parameters, all and-ed.
    pub conditions: Vec<Condition>,
    /// The `filter` parameter.
    pub filter: Option<Filter>,
    /// The `sort` parameter's keys.
    pub sort: Vec<Key>,
    /// The `fields` parameter.
    pub fields: Option<Fields>,
    /// The `limit` parameter.
    pub limit: Option<u32>,
    /// The `skip` parameter.
    pub skip: Option<u32>,
    /// The `after` parameter: the cursor of the page before.
    pub after: Option<String>,
}

/// Parameters that are kept for later versions, and so never taken for fields.
pub(super) const RESERVED: [&str; 9] =
    ["count", "expand", "ordered", "upsert", "all", "arrayFilters", "dryRun", "mode", "key"];

impl Query {
    /// Reads a query string, without the `?`.
    pub fn parse(text: &str, limits: &Limits) -> Result<Self> {
        let mut query = Self::default();
        for pair in pairs(text) {
            let (_, name, value) = pair?;
            query.take(&name, &value, limits)?;
        }
        query.conditions.iter_mut().try_for_each(|condition| condition.finish(limits))?;
        Ok(query)
    }

    fn take(&mut self, name: &str, value: &str, limits: &Limits) -> Result<()> {
        match name {
            "filter" => once(&mut self.filter, name, Filter::parse(value, limits)?),
            "fields" => once(&mut self.fields, name, Fields::parse(value)?),
            "limit" => once(&mut self.limit, name, number(name, value, 1)?),
            "skip" => once(&mut self.skip, name, number(name, value, 0)?),
            "after" => once(&mut self.after, name, value.to_owned()),
            "sort" if !self.sort.is_empty() => Err(invalid_query(name, None, "the parameter is given twice")),
            "sort" => Key::parse_list(value).map(|keys| self.sort = keys),
            _ if RESERVED.contains(&name) => Err(invalid_query(name, None, "the parameter is not supported")),
            _ => self.condition(name, value, limits),
        }
    }

    fn condition(&mut self, parameter: &str, value: &str, limits: &Limits) -> Result<()> {
        let condition = Condition::parse(parameter, value)?;
        let same = self.conditions.iter_mut().find(|c| c.is_list() && c.parameter == parameter);
        match same {
            Some(same) => same.values.extend(condition.values),
            None => self.conditions.push(condition),
        }
        check_limit(("--max-filter-nodes", limits.max_filter_nodes), self.conditions.len(), || {
            format!("a query of {} field parameters", self.conditions.len())
        })
    }
}

/// The parameters of a query string, each as it stands there, its name and its value.
pub(super) fn pairs(text: &str) -> impl Iterator<Item = Result<(&str, Cow<'_, str>, Cow<'_, str>)>> {
    text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = unescape(name).ok_or_else(|| invalid_query(name, None, "the name is not UTF-8"))?;
        let value = unescape(value).ok_or_else(|| invalid_query(&name, None, "the value is not UTF-8"))?;
        Ok((pair, name, value))
    })
}

/// The parts of a list with commas, each with its place in the parameter's value.
pub(super) fn split<'t>(parameter: &str, list: &'t str) -> impl Iterator<Item = (&'t str, Place)> {
    let mut offset = 0;
    list.split(',').map(move |part| {
        let place = Place::new(parameter, Some(offset));
        offset += part.len() + 1;
        (part, place)
    })
}

pub(super) fn once<T>(slot: &mut Option<T>, name: &str, value: T) -> Result<()> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(invalid_query(name, None, "the parameter is given twice")),
    }
}

fn number(name: &str, value: &str, least: u32) -> Result<u32> {
    let number = value.parse().ok().filter(|n| *n >= least);
    number.ok_or_else(|| {
        invalid_query(name, None, format!("expected a whole number of at least {least}, found `{value}`"))
    })
}

/// Undoes percent-encoding, and `+` for a space as HTML forms write it; `None` for what is not UTF-8.
fn unescape(text: &str) -> Option<Cow<'_, str>> {
    if text.contains('+') {
        let spaced = text.replace('+', " ");
        return percent_decode_str(&spaced).decode_utf8().ok().map(|text| text.into_owned().into());
    }
    percent_decode_str(text).decode_utf8().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::condition::Operator;

    fn parse(text: &str) -> Result<Query> {
        Query::parse(text, &Limits::default())
    }

    #[test]
    fn reads_field_parameters() {
        let query = parse("author=a%26b&year[gte]=1970&tags[in]=x,y&isbn[nin]=1,2&isbn[nin]=3").unwrap();
        let read: Vec<_> =
            query.conditions.iter().map(|c| (c.field.as_str(), c.operator, c.values.join("|"))).collect();
        assert_eq!(
            read,
            [
                ("author", Operator::Eq, "a&b".to_owned()),
                ("year", Operator::Gte, "1970".to_owned()),
                ("tags", Operator::In, "x|y".to_owned()),
                ("isbn", Operator::Nin, "1,2|3".to_owned()),
            ]
        );
    }

    #[test]
    fn names_the_parameter_at_fault() {
        for (text, message) in [
            ("year[gtee]=1", "year[gtee]: unknown operator `gtee`, did you mean `gte`?"),
            ("year[gte=1", "year[gte: expected `field[operator]`"),
            ("limit=0", "limit: expected a whole number of at least 1, found `0`"),
            ("limit=1&limit=2", "limit: the parameter is given twice"),
            ("count=x", "count: the parameter is not supported"),
            ("_next=1", "_next: there is no such parameter; a field of that name is reached through `filter`"),
            ("title=%ff", "title: the value is not UTF-8"),
            ("sort=a&sort=b", "sort: the parameter is given twice"),
        ] {
            assert_eq!(parse(text).unwrap_err().to_string(), message, "{text}");
        }
    }

    #[test]
    fn bounds_what_is_repeated() {
        let many = |part: &str, count: usize| vec![part; count].join("&");
        for (text, message) in [
            (many("a=1", 257), "a query of 257 field parameters is over the limit of 256 (`--max-filter-nodes`)"),
            (many("a[in]=1", 1001), "a list of 1001 values is over the limit of 1000 (`--max-in`)"),
            (format!("a[in]={}", ",".repeat(1000)), "a list of 1001 values is over the limit of 1000 (`--max-in`)"),
            (format!("sort={}", names(100_000)), "sort: expected fewer than 32 fields"),
            (format!("fields={}", names(100_000)), "fields: expected at most 1000 fields"),
        ] {
            assert_eq!(parse(&text).unwrap_err().to_string(), message);
        }
    }

    fn names(count: usize) -> String {
        (0..count).map(|n| format!("a{n}")).collect::<Vec<_>>().join(",")
    }
}
