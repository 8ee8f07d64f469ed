//! Field parameters: `year[gte]=1970`.

use bson::{Bson, Document, doc};

use super::{
    path,
    value::{expected, operand, to_bson},
};
use crate::{
    codec::decode,
    config::Limits,
    error::{Place, Result, check_limit, invalid_query, nearest},
    schema::{Field, Kind},
};

/// A field parameter: `year[gte]=1970`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The parameter's name as the client wrote it.
    pub parameter: String,
    /// The field's dotted name.
    pub field: String,
    /// What is compared.
    pub operator: Operator,
    /// With what; just one value but for `in` and `nin`.
    pub values: Vec<String>,
}

/// What a field parameter compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are MongoDB's own")]
pub enum Operator {
    Eq,
    Ne,
    Gt,
    Gte,
    Lt,
    Lte,
    In,
    Nin,
    Exists,
    /// The beginning of a string.
    Prefix,
}

impl Operator {
    const NAMES: [(&'static str, Self); 10] = [
        ("eq", Self::Eq),
        ("ne", Self::Ne),
        ("gt", Self::Gt),
        ("gte", Self::Gte),
        ("lt", Self::Lt),
        ("lte", Self::Lte),
        ("in", Self::In),
        ("nin", Self::Nin),
        ("exists", Self::Exists),
        ("prefix", Self::Prefix),
    ];

    fn named(name: &str) -> Option<Self> {
        Self::NAMES.into_iter().find(|(n, _)| *n == name).map(|(_, operator)| operator)
    }
}

impl Condition {
    /// Reads a parameter's name and value; not yet what the value is.
    pub fn parse(parameter: &str, value: &str) -> Result<Self> {
        let (field, operator) = match parameter.split_once('[') {
            None => (parameter, Operator::Eq),
            Some((field, rest)) => (field, operator(parameter, rest)?),
        };
        if field.is_empty() || (field.starts_with('_') && field != "_id" && !field.starts_with("_id.")) {
            let detail = "there is no such parameter; a field of that name is reached through `filter`";
            return Err(invalid_query(parameter, None, detail));
        }
        let (parameter, field) = (parameter.to_owned(), field.to_owned());
        Ok(Self { parameter, field, operator, values: vec![value.to_owned()] })
    }

    /// Whether the parameter may be repeated, each time with one more value of its list.
    pub fn is_list(&self) -> bool {
        matches!(self.operator, Operator::In | Operator::Nin)
    }

    /// A list given once is split at its commas; given more than once, each is a value of its own.
    pub fn split_single_list(&mut self) {
        if self.is_list() && self.values.len() == 1 {
            self.values = self.values[0].split(',').map(str::to_owned).collect();
        }
    }

    /// The condition as a filter, its values of the declared type.
    pub fn plan(&self, root: &Field, limits: &Limits) -> Result<Document> {
        let field = path::lookup(root, &self.field, &Place::new(&self.parameter, None))?;
        check_limit(("--max-in", limits.max_in), self.values.len(), || {
            format!("a list of {} values", self.values.len())
        })?;
        let first = self.values.first().map(String::as_str).unwrap_or_default();
        let (operator, value) = match self.operator {
            Operator::Exists => ("$exists", self.boolean(first)?),
            Operator::Prefix => ("$regex", self.prefix(first, field, limits)?),
            Operator::In => ("$in", self.list(field)?),
            Operator::Nin => ("$nin", self.list(field)?),
            Operator::Eq => ("$eq", self.value(first, field)?),
            Operator::Ne => ("$ne", self.value(first, field)?),
            Operator::Gt => ("$gt", self.value(first, field)?),
            Operator::Gte => ("$gte", self.value(first, field)?),
            Operator::Lt => ("$lt", self.value(first, field)?),
            Operator::Lte => ("$lte", self.value(first, field)?),
        };
        Ok(doc! { self.field.clone(): { operator: value } })
    }

    fn value(&self, text: &str, field: &Field) -> Result<Bson> {
        let shape = operand(field, false);
        let value = decode::text(text, shape).or_else(|| decode::text(text, field)).ok_or_else(|| {
            invalid_query(&self.parameter, None, format!("expected {}, found `{text}`", expected(shape.kinds)))
        })?;
        to_bson(value)
    }

    fn list(&self, field: &Field) -> Result<Bson> {
        Ok(Bson::Array(self.values.iter().map(|value| self.value(value, field)).collect::<Result<_>>()?))
    }

    fn boolean(&self, text: &str) -> Result<Bson> {
        let value = text.parse::<bool>();
        value
            .map(Bson::Boolean)
            .map_err(|_| invalid_query(&self.parameter, None, format!("expected `true` or `false`, found `{text}`")))
    }

    fn prefix(&self, text: &str, field: &Field, limits: &Limits) -> Result<Bson> {
        if !operand(field, false).kinds.contains(Kind::String) {
            return Err(invalid_query(&self.parameter, None, format!("`{}` is not a string", self.field)));
        }
        check_limit(("--max-regex", limits.max_regex), text.chars().count(), || "a prefix".to_owned())?;
        let mut pattern = String::from("^");
        for c in text.chars() {
            match c {
                // BSON ends a pattern there.
                '\0' => pattern.push_str("\\x00"),
                c if c.is_ascii() && !c.is_ascii_alphanumeric() => pattern.extend(['\\', c]),
                c => pattern.push(c),
            }
        }
        Ok(Bson::String(pattern))
    }
}

fn operator(parameter: &str, rest: &str) -> Result<Operator> {
    let name = rest.strip_suffix(']').ok_or_else(|| invalid_query(parameter, None, "expected `field[operator]`"))?;
    Operator::named(name).ok_or_else(|| {
        let known = Operator::NAMES.map(|(n, _)| n);
        let detail = match nearest(name, known) {
            Some(near) => format!("unknown operator `{name}`, did you mean `{near}`?"),
            None => format!("unknown operator `{name}`, expected one of {}", known.join(", ")),
        };
        invalid_query(parameter, None, detail)
    })
}
