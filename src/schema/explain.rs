//! MongoDB's verdict (`errInfo`) in the words of the collection file.
//!
//! The `description` of every compiled subschema is the pointer of its source (see [`super::validator`]), so the
//! walk through `errInfo.details` knows at each level which rule speaks. Where the `description` points at a keyword
//! rather than at a schema, all below it is MongoDB's way to express that keyword and is not shown.

mod place;
mod rest;
mod sentence;

use std::collections::HashSet;

use bson::{Bson, Document, RawBson, RawDocument, raw::RawBsonRef};
use serde_json::value::RawValue;

use super::{Field, Kind, Schema, validator};
use crate::{codec, error::Violation, json::Tree};
use place::{Place, Rule};
use rest::{REST, is_never, is_split};

/// Found values whose JSON is longer are left out, in bytes.
const MAX_FOUND: usize = 1024;
/// A document can break rules by the million; what comes after so many violations is left out.
const MAX_VIOLATIONS: usize = 100;
/// The keywords whose schemas judge a value only where it meets a condition.
const CONDITIONAL: [&str; 3] = ["then", "else", "dependentSchemas"];
/// MongoDB's documents nest at most 200 deep; its explanations too.
const MAX_DEPTH: usize = 200;

/// The rules of `schema` that `details` (the server's `errInfo.details`) says `document` breaks: at least one, and
/// every one up to a hundred.
///
/// `document`, if it is at hand, gives the values found where MongoDB does not repeat them. MongoDB itself reports of
/// an array only the first item that breaks `items`, and of other fields the first that breaks `additionalProperties`.
pub fn explain(schema: &Schema, details: &Document, document: Option<&RawDocument>) -> Vec<Violation> {
    let mut verdict = Verdict { schema, document, violations: Vec::new() };
    verdict.operator(details, &Place::root());
    if verdict.violations.is_empty() {
        verdict.violations.push(untranslated(schema, details));
    }
    distinct(verdict.violations)
}

/// Each violation once. Of a required field that is missing MongoDB also says that it breaks rules no value can meet.
fn distinct(mut violations: Vec<Violation>) -> Vec<Violation> {
    let is_missing = |v: &Violation| v.keyword == "required";
    let missing: HashSet<_> = violations.iter().filter(|v| is_missing(v)).map(|v| v.pointer.clone()).collect();
    let mut seen = HashSet::new();
    violations.retain(|v| is_missing(v) || !missing.contains(&v.pointer));
    violations.retain(|v| seen.insert((v.pointer.clone(), v.keyword.clone(), v.rule.clone())));
    violations.truncate(MAX_VIOLATIONS);
    violations
}

/// What is said of a verdict in a form that is not known.
fn untranslated(schema: &Schema, details: &Document) -> Violation {
    let keyword = details.get_str("operatorName").unwrap_or("$jsonSchema").to_owned();
    let detail = format!("MongoDB refuses the document by the rules of `{}`", schema.name);
    Violation { pointer: String::new(), detail, keyword, expected: None, found: None, rule: None, condition: None }
}

/// A rule of the file: a keyword of a schema.
struct Broken<'b> {
    /// The schema's pointer, if it is in the file.
    schema: Option<String>,
    keyword: &'b str,
    /// The keyword's value, or the part of it that speaks of the place.
    value: Option<&'b Tree>,
    detail: String,
}

struct Verdict<'s> {
    schema: &'s Schema,
    document: Option<&'s RawDocument>,
    violations: Vec<Violation>,
}

impl<'s> Verdict<'s> {
    /// An entry that has an `operatorName`, of the schema at `place`.
    fn operator(&mut self, entry: &Document, place: &Place) {
        if self.violations.len() >= MAX_VIOLATIONS {
            return;
        }
        match entry.get_str("operatorName").unwrap_or_default() {
            "$jsonSchema" if entry.contains_key("specifiedAs") => self.never(entry, place),
            "$jsonSchema" => self.entries(entry, "schemaRulesNotSatisfied", &place.described(entry)),
            "properties" => self.members(entry, "propertiesNotSatisfied", place),
            "patternProperties" => self.members(entry, "details", place),
            "allOf" => documents(entry, "schemasNotSatisfied").for_each(|branch| self.branch(branch, place)),
            "items" | "additionalItems" if entry.contains_key("itemIndex") => self.item(entry, &place.described(entry)),
            "items" => documents(entry, "details").for_each(|item| self.positioned(item, place)),
            "additionalItems" => self.surplus(place),
            "additionalProperties" if entry.contains_key("failingProperty") => {
                let name = entry.get_str("failingProperty").unwrap_or_default();
                self.entries(entry, "details", &place.member(name).described(entry));
            }
            "additionalProperties" => self.unexpected(entry, place),
            "required" => self.missing(entry, place),
            "anyOf" if self.rest(place).is_some() && is_split(entry, place) => self.case(entry, place),
            "" => {}
            operator => self.rule(operator, entry, place),
        }
    }

    fn entries(&mut self, parent: &Document, list: &str, place: &Place) {
        if place.depth() > MAX_DEPTH {
            return;
        }
        match place.rule(&self.schema.source) {
            Some(Rule::Name { schema, keyword, beside, name }) => {
                let value = self.value(Some(&schema), keyword);
                let value = beside.as_ref().map_or(value, |beside| value?.get(beside));
                let detail = sentence::missing(beside.as_deref());
                self.broken(&place.member(&name), Broken { schema: Some(schema), keyword, value, detail }, None);
            }
            Some(Rule::Keyword { schema, keyword: "propertyNames" }) => self.misnamed(parent, &schema, place),
            Some(Rule::Keyword { schema, keyword }) => {
                let value = self.value(Some(&schema), keyword);
                let detail = sentence::rule(keyword, value, &self.schema.source.text);
                self.broken(place, Broken { schema: Some(schema), keyword, value, detail }, considered(parent, 0));
            }
            Some(Rule::Never { keyword, .. }) if REST.contains(&keyword) && !is_never(parent, list) => {
                documents(parent, list).for_each(|entry| self.operator(entry, place));
            }
            Some(Rule::Never { schema, keyword, name, value }) => {
                let detail = sentence::never(keyword, &name);
                self.broken(place, Broken { schema: Some(schema), keyword, value: Some(value), detail }, None);
            }
            _ => documents(parent, list).for_each(|entry| self.operator(entry, place)),
        }
    }

    /// A branch of `allOf`: a schema, or what a keyword became. A rule that holds on a condition is told as such, not as
    /// the choice between the condition and the rule that it is to MongoDB.
    fn branch(&mut self, branch: &Document, outer: &Place) {
        let place = outer.described(branch);
        let is_conditional = matches!(
            place.rule(&self.schema.source),
            Some(Rule::Schema { keyword } | Rule::Never { keyword, .. }) if CONDITIONAL.contains(&keyword)
        );
        let entry = documents(branch, "details").next().filter(|_| is_conditional);
        if let Some(rule) = entry.and_then(|entry| documents(entry, "schemasNotSatisfied").nth(1)) {
            self.entries(rule, "details", &place.conditional().described(rule));
        } else if let Some(rule) = entry.and_then(|entry| documents(entry, "failingDependencies").next()) {
            self.entries(rule, "details", &self.referred(&place.conditional()));
        } else {
            self.entries(branch, "details", &place);
        }
    }

    /// The same place, as the schema speaks of it to which the one at its description refers. MongoDB does not say which
    /// one a member of `dependentSchemas` or `prefixItems` is.
    fn referred(&self, place: &Place) -> Place {
        place.ruled(place.schema().map(|schema| validator::target(&self.schema.source, schema)))
    }

    /// A schema whose types do not let any document in: MongoDB looks at nothing else in it.
    fn never(&mut self, entry: &Document, place: &Place) {
        let specified = entry.get_document("specifiedAs").and_then(|specified| specified.get_document("$jsonSchema"));
        let Ok(schema) = specified else { return };
        let place = place.described(schema);
        match place.rule(&self.schema.source) {
            Some(Rule::Schema { .. }) => {
                let operator = if schema.contains_key("bsonType") { "bsonType" } else { "type" };
                self.rule(operator, schema, &place);
            }
            _ => self.entries(schema, "", &place),
        }
    }

    fn members(&mut self, entry: &Document, list: &str, place: &Place) {
        for member in documents(entry, list) {
            let name = member.get_str("propertyName").unwrap_or_default();
            self.entries(member, "details", &place.member(name).described(member));
        }
    }

    fn item(&mut self, entry: &Document, place: &Place) {
        self.entries(entry, "details", &place.item(index(entry)));
    }

    /// An item that has a schema of its own.
    fn positioned(&mut self, entry: &Document, place: &Place) {
        let schema = place.schema().map(|schema| format!("{schema}/prefixItems/{}", index(entry)));
        self.item(entry, &self.referred(&place.ruled(schema)));
    }

    /// Items after those that have schemas of their own, where there may be none.
    fn surplus(&mut self, place: &Place) {
        let (schema, keyword) = (place.schema(), "items");
        let value = self.value(schema.as_deref(), keyword);
        let allowed = self.value(schema.as_deref(), "prefixItems").and_then(Tree::as_array).unwrap_or_default().len();
        let detail = sentence::surplus(allowed);
        self.broken(&place.item(allowed), Broken { schema, keyword, value, detail }, None);
    }

    /// Names that `propertyNames` of the schema at `schema` does not let in.
    fn misnamed(&mut self, piece: &Document, schema: &str, place: &Place) {
        let keyword = "propertyNames";
        let value = self.value(Some(schema), keyword);
        let names = documents(piece, "details").flat_map(|entry| strings(entry, "additionalProperties"));
        for name in names.take(MAX_VIOLATIONS) {
            let detail = sentence::named(value, &self.schema.source.text);
            let broken = Broken { schema: Some(schema.to_owned()), keyword, value, detail };
            self.broken(&place.member(name), broken, Some(&name.into()));
        }
    }

    fn missing(&mut self, entry: &Document, place: &Place) {
        for name in strings(entry, "missingProperties").take(MAX_VIOLATIONS) {
            let (schema, keyword) = (place.schema(), "required");
            let value = self.value(schema.as_deref(), keyword);
            let broken = Broken { schema, keyword, value, detail: sentence::missing(None) };
            self.broken(&place.member(name), broken, None);
        }
    }

    fn unexpected(&mut self, entry: &Document, place: &Place) {
        let operator = "additionalProperties";
        let rest = self.rest(place).filter(|rest| rest.is_never);
        let (schema, keyword) = rest.map_or((place.schema(), operator), |rest| (Some(rest.schema), rest.keyword));
        let value = self.value(schema.as_deref(), keyword);
        for name in strings(entry, operator).take(MAX_VIOLATIONS) {
            let detail = sentence::unexpected(name, place.field(&self.schema.root));
            let broken = Broken { schema: schema.clone(), keyword, value, detail };
            self.broken(&place.member(name), broken, None);
        }
    }

    /// Any rule that says nothing of further rules below it.
    fn rule(&mut self, operator: &str, entry: &Document, place: &Place) {
        let schema = place.schema();
        let has = |keyword: &str| self.value(schema.as_deref(), keyword).is_some();
        let keyword = authored(operator, entry, has);
        let value = self.value(schema.as_deref(), keyword);
        let detail = match operator {
            "anyOf" | "oneOf" => self.alternatives(entry, place),
            _ if value.is_none() => sentence::server(operator, entry),
            _ => sentence::rule(keyword, value, &self.schema.source.text),
        };
        self.broken(place, Broken { schema, keyword, value, detail }, entry.get("consideredValue"));
    }

    /// Why none of the alternatives, or more than one, is met.
    fn alternatives(&self, entry: &Document, place: &Place) -> String {
        if let Ok(matching) = entry.get_array("matchingSchemaIndexes") {
            return sentence::several(matching.iter().filter_map(whole));
        }
        let explain = |branch: &Document| {
            let mut verdict = Verdict { schema: self.schema, document: None, violations: Vec::new() };
            verdict.entries(branch, "details", &place.described(branch));
            sentence::join(&place.pointer(), &verdict.violations)
        };
        sentence::none_of(&documents(entry, "schemasNotSatisfied").map(explain).collect::<Vec<_>>())
    }

    fn broken(&mut self, place: &Place, broken: Broken<'_>, considered: Option<&Bson>) {
        let source = &self.schema.source;
        let schema = broken.schema.filter(|schema| source.at(schema).is_some());
        let violation = Violation {
            pointer: place.pointer(),
            detail: broken.detail,
            keyword: broken.keyword.to_owned(),
            expected: broken.value.and_then(|value| raw(value.text(&source.text).to_owned())),
            found: self.found(place, considered),
            condition: place.condition(),
            rule: schema.map(|schema| if schema.contains('#') { schema } else { format!("#{schema}") }),
        };
        self.violations.push(violation);
    }

    /// What the file has under `keyword` in the schema at `schema`.
    fn value(&self, schema: Option<&str>, keyword: &str) -> Option<&'s Tree> {
        self.schema.source.at(schema?)?.get(keyword)
    }

    fn found(&self, place: &Place, considered: Option<&Bson>) -> Option<Box<RawValue>> {
        let considered = considered.and_then(|value| RawBson::try_from(value.clone()).ok());
        let stored = || self.document.and_then(|document| place.value(document));
        let value = considered.as_ref().map(RawBson::as_raw_bson_ref).or_else(stored)?;
        let mut json = Vec::new();
        if size(value) > MAX_FOUND {
            return None;
        }
        // A value of another type than declared is shown as plain JSON, not as something that could be sent back.
        let (field, any) = (place.field(&self.schema.root), Field::any());
        let shape = if field.kinds.contains(Kind::of(value.element_type())) { field } else { &any };
        codec::encode::value(&mut json, value, shape).ok()?;
        String::from_utf8(json).ok().filter(|json| json.len() <= MAX_FOUND).and_then(raw)
    }
}

/// The author's keyword for MongoDB's `operator`.
fn authored<'o>(operator: &'o str, entry: &Document, has: impl Fn(&str) -> bool) -> &'o str {
    let specified = entry.get_document("specifiedAs");
    let exclusive = |flag: &str| specified.as_ref().is_ok_and(|s| s.contains_key(flag));
    match operator {
        "minimum" if exclusive("exclusiveMinimum") => "exclusiveMinimum",
        "maximum" if exclusive("exclusiveMaximum") => "exclusiveMaximum",
        "enum" if !has("enum") && has("const") => "const",
        operator => operator,
    }
}

/// Which item of its list the entry speaks of.
fn index(entry: &Document) -> usize {
    entry.get("itemIndex").and_then(whole).unwrap_or_default()
}

/// The value that MongoDB says it looked at, somewhere below `entry`.
fn considered(entry: &Document, depth: usize) -> Option<&Bson> {
    if let Some(value) = entry.get("consideredValue") {
        return Some(value);
    }
    if depth > MAX_DEPTH {
        return None;
    }
    ["details", "schemasNotSatisfied"]
        .iter()
        .flat_map(|list| documents(entry, list))
        .find_map(|inner| considered(inner, depth + 1))
}

/// The documents of the list, or the one that stands in its place.
fn documents<'d>(parent: &'d Document, list: &str) -> impl Iterator<Item = &'d Document> {
    let values = match parent.get(list) {
        Some(Bson::Array(values)) => values,
        other => other.map(std::slice::from_ref).unwrap_or_default(),
    };
    values.iter().filter_map(Bson::as_document)
}

fn strings<'d>(parent: &'d Document, list: &str) -> impl Iterator<Item = &'d str> {
    parent.get_array(list).into_iter().flatten().filter_map(Bson::as_str)
}

fn whole(value: &Bson) -> Option<usize> {
    let value = value.as_i64().or_else(|| value.as_i32().map(i64::from))?;
    usize::try_from(value).ok()
}

fn size(value: RawBsonRef<'_>) -> usize {
    match value {
        RawBsonRef::String(text) => text.len(),
        RawBsonRef::Document(document) => document.as_bytes().len() / 4,
        RawBsonRef::Array(array) => array.as_bytes().len() / 4,
        RawBsonRef::Binary(binary) => binary.bytes.len(),
        _ => 0,
    }
}

fn raw(json: String) -> Option<Box<RawValue>> {
    RawValue::from_string(json).ok()
}

#[cfg(test)]
mod tests;
