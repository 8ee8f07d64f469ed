//! Field parameters: `year[gte]=1970`.

use bson::{Bson, Document, RawBson, doc};

use super::{
    path::Scope,
    value::{expected, operands, takes, to_bson},
};
use crate::{
    codec::decode,
    config::Limits,
    error::{Error, Place, Result, check_limit, invalid_query, nearest},
    schema::{Field, Kind, Kinds},
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
    /// The values stood in one parameter, with commas between them.
    pub split: bool,
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
        Ok(Self { parameter, field, operator, values: vec![value.to_owned()], split: false })
    }

    /// Whether the parameter may be repeated, each time with one more value of its list.
    pub fn is_list(&self) -> bool {
        matches!(self.operator, Operator::In | Operator::Nin)
    }

    /// Makes a list of what was given: once, it is split at its commas; more than once, each is a value of its own.
    pub fn finish(&mut self, limits: &Limits) -> Result<()> {
        let count = match &self.values[..] {
            [list] if self.is_list() => list.split(',').count(),
            values => values.len(),
        };
        check_limit(("--max-in", limits.max_in), count, || format!("a list of {count} values"))?;
        if self.values.len() < count {
            self.values = self.values[0].split(',').map(str::to_owned).collect();
            self.split = true;
        }
        Ok(())
    }

    /// The condition as a filter, its values of the declared type.
    pub fn plan(&self, root: &Field, limits: &Limits) -> Result<Document> {
        let field = Scope::of(root).value(&self.field, &Place::new(&self.parameter, None))?;
        let (operator, value) = match self.operator {
            Operator::Exists => ("$exists", self.boolean()?),
            Operator::Prefix => ("$regex", self.prefix(field, limits)?),
            Operator::In => ("$in", self.list(field)?),
            Operator::Nin => ("$nin", self.list(field)?),
            Operator::Eq => ("$eq", self.value(0, field)?),
            Operator::Ne => ("$ne", self.value(0, field)?),
            Operator::Gt => ("$gt", self.value(0, field)?),
            Operator::Gte => ("$gte", self.value(0, field)?),
            Operator::Lt => ("$lt", self.value(0, field)?),
            Operator::Lte => ("$lte", self.value(0, field)?),
        };
        Ok(doc! { self.field.clone(): { operator: value } })
    }

    fn text(&self, at: usize) -> &str {
        self.values.get(at).map(String::as_str).unwrap_or_default()
    }

    /// The value number `at` in one of the types that may stand in the field, or as the number that it is: those of all
    /// types compare with each other.
    fn value(&self, at: usize, field: &Field) -> Result<Bson> {
        let (text, (own, item)) = (self.text(at), operands(field, false));
        let declared = [Some(own), item, Some(field)].into_iter().flatten().find_map(|shape| decode::text(text, shape));
        let number = || {
            let number = decode::text(text, &Field::any()).filter(is_number);
            number.filter(|_| takes(field, Kinds::NUMBERS))
        };
        let value = declared.or_else(number);
        to_bson(value.ok_or_else(|| self.wrong(at, format!("expected {}, found `{text}`", expected(own.kinds))))?)
    }

    fn list(&self, field: &Field) -> Result<Bson> {
        Ok(Bson::Array((0..self.values.len()).map(|at| self.value(at, field)).collect::<Result<_>>()?))
    }

    /// The error that the value number `at` is not what it should be.
    fn wrong(&self, at: usize, detail: impl Into<String>) -> Error {
        let before = if self.split { &self.values[..at] } else { &[] };
        let offset = before.iter().map(|value| value.len() + 1).sum();
        invalid_query(&self.parameter, Some(offset), detail)
    }

    fn boolean(&self) -> Result<Bson> {
        let text = self.text(0);
        let value = text.parse::<bool>();
        value.map(Bson::Boolean).map_err(|_| self.wrong(0, format!("expected `true` or `false`, found `{text}`")))
    }

    fn prefix(&self, field: &Field, limits: &Limits) -> Result<Bson> {
        let text = self.text(0);
        if !takes(field, Kind::String.into()) {
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

fn is_number(value: &RawBson) -> bool {
    Kinds::NUMBERS.contains(Kind::of(value.element_type()))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn field(kinds: impl IntoIterator<Item = Kind>, item: Option<Kind>) -> Field {
        let items = item.map(|kind| Box::new(Field { kinds: kind.into(), ..Field::any() }));
        Field { kinds: kinds.into_iter().collect(), items, ..Field::any() }
    }

    fn plan(query: &str, field: Field) -> Result<Bson> {
        let (parameter, value) = query.split_once('=').unwrap();
        let root = Field { properties: [("a".to_owned(), field)].into_iter().collect(), ..Field::any() };
        let mut condition = Condition::parse(parameter, value)?;
        condition.finish(&Limits::default())?;
        let planned = condition.plan(&root, &Limits::default())?;
        Ok(planned.get_document("a").unwrap().values().next().unwrap().clone())
    }

    #[test]
    fn values_are_of_a_type_that_the_field_can_hold() {
        let date = Bson::DateTime(bson::DateTime::from_millis(0));
        for (query, field, value) in [
            ("a=1", field([Kind::Int], None), Bson::Int32(1)),
            ("a[gt]=1.5", field([Kind::Int], None), Bson::Double(1.5)),
            ("a[lt]=99999999999", field([Kind::Int], None), Bson::Int64(99_999_999_999)),
            ("a=1", field([Kind::String], None), Bson::from("1")),
            ("a=1", field(Kinds::ANY.iter(), None), Bson::Int32(1)),
            ("a=1970-01-01T00:00:00Z", field([Kind::Array], Some(Kind::Date)), date.clone()),
            ("a=1970-01-01T00:00:00Z", field([Kind::Array, Kind::Int], Some(Kind::Date)), date),
            ("a=5", field([Kind::Array, Kind::Int], Some(Kind::Date)), Bson::Int32(5)),
            ("a=null", field([Kind::Array, Kind::Null], Some(Kind::Date)), Bson::Null),
            ("a[in]=1,2.5", field([Kind::Long], None), Bson::Array(vec![Bson::Int64(1), Bson::Double(2.5)])),
            ("a[prefix]=x", field([Kind::Array, Kind::Int], Some(Kind::String)), Bson::from("^x")),
        ] {
            assert_eq!(plan(query, field).unwrap(), value, "{query}");
        }
    }

    #[test]
    fn points_at_the_value_at_fault() {
        for (query, offset) in [("a=x", 0), ("a[in]=1,20,x,y", 5), ("a[exists]=perhaps", 0)] {
            let error = plan(query, field([Kind::Int], None)).unwrap_err();
            let Error::InvalidQuery { place, .. } = error else { panic!("{error:?}") };
            assert_eq!(place.offset, Some(offset), "{query}");
        }
    }
}
