//! Where a rule stands in the collection file, and where it is broken in the document.

use bson::{Document, RawDocument, raw::RawBsonRef};

use crate::{
    json::{Tree, push_token, unescape},
    schema::{Field, Source},
};

/// One step into a document.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Member(String),
    Item(usize),
}

/// A place in the document, and the pointer of the rule that speaks of it.
#[derive(Debug, Clone)]
pub(super) struct Place {
    path: Vec<Step>,
    /// How many steps lead to the value that is judged only as it meets a condition.
    condition: Option<usize>,
    description: Option<String>,
    depth: usize,
}

/// What the place of a compiled subschema leads to in the files.
pub(super) enum Rule<'f> {
    /// A schema, given to `keyword` of another one; the root has none.
    Schema { keyword: &'f str },
    /// The schema `false`, given to `keyword` (or its member `name`) of the schema at `schema`.
    Never { schema: String, keyword: &'f str, name: String, value: &'f Tree },
    /// A keyword of the schema at `schema`.
    Keyword { schema: String, keyword: &'f str },
    /// The name `name` that `required`, or the member `beside` of `dependentRequired`, of the schema at `schema` has.
    Name { schema: String, keyword: &'f str, beside: Option<String>, name: String },
}

impl Place {
    pub(super) fn root() -> Self {
        Self { path: Vec::new(), condition: None, description: Some(String::new()), depth: 0 }
    }

    /// The same place, as the rule speaks of it whose entry in the verdict is `entry`.
    pub(super) fn described(&self, entry: &Document) -> Self {
        let description = entry.get_str("description").ok().filter(|place| place.contains('#'));
        let description = description.map(|place| place.strip_prefix('#').unwrap_or(place).to_owned());
        self.ruled(description)
    }

    /// The same place, as the rule at `description` speaks of it.
    pub(super) fn ruled(&self, description: Option<String>) -> Self {
        Self { description, depth: self.depth + 1, ..self.clone() }
    }

    /// The same place, of which a rule speaks only on a condition.
    pub(super) fn conditional(&self) -> Self {
        Self { condition: self.condition.or(Some(self.path.len())), ..self.clone() }
    }

    pub(super) fn member(&self, name: &str) -> Self {
        self.step(Step::Member(name.to_owned()))
    }

    pub(super) fn item(&self, index: usize) -> Self {
        self.step(Step::Item(index))
    }

    fn step(&self, step: Step) -> Self {
        let mut place = self.clone();
        place.path.push(step);
        place
    }

    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    /// The pointer into the document.
    pub(super) fn pointer(&self) -> String {
        pointer(&self.path)
    }

    /// The pointer of the value that is judged only as it meets a condition, here or around.
    pub(super) fn condition(&self) -> Option<String> {
        self.condition.map(|steps| pointer(&self.path[..steps]))
    }

    /// The pointer of the schema that speaks, if MongoDB tells it.
    pub(super) fn schema(&self) -> Option<String> {
        self.description.clone()
    }

    /// The value here.
    pub(super) fn value<'d>(&self, document: &'d RawDocument) -> Option<RawBsonRef<'d>> {
        self.path.iter().try_fold(RawBsonRef::Document(document), |value, step| match (value, step) {
            (RawBsonRef::Document(document), Step::Member(name)) => document.get(name).ok()?,
            (RawBsonRef::Array(array), Step::Item(index)) => array.get(*index).ok()?,
            _ => None,
        })
    }

    /// What is declared of the value here, in a document of the shape `root`.
    pub(super) fn field<'f>(&self, root: &'f Field) -> &'f Field {
        self.path.iter().fold(root, |field, step| match step {
            Step::Member(name) => field.member(name),
            Step::Item(index) => field.at(*index),
        })
    }

    /// What the description leads to in the files; `None` for nothing.
    pub(super) fn rule<'f>(&'f self, source: &'f Source) -> Option<Rule<'f>> {
        let place = self.description.as_deref()?;
        let start = place.split_once('#').map_or(0, |(file, _)| file.len() + 1);
        let tokens: Vec<&str> = place[start..].split('/').skip(1).collect();
        let first = |n: usize| tokens[..n].iter().fold(place[..start].to_owned(), |place, token| place + "/" + token);
        let (mut at, mut holder) = (0, 0);
        while let Some(keyword) = tokens.get(at).copied() {
            let left = tokens.len() - at;
            holder = at;
            at += match keyword {
                "items"
                | "additionalProperties"
                | "not"
                | "if"
                | "then"
                | "else"
                | "unevaluatedProperties"
                | "unevaluatedItems" => 1,
                "contains" | "propertyNames" if left > 1 => 1,
                "properties" | "patternProperties" | "dependentSchemas" | "$defs" | "allOf" | "anyOf" | "oneOf"
                | "prefixItems"
                    if left > 1 =>
                {
                    2
                }
                _ => return keyword_rule(source, first(at), &tokens[at..]),
            };
        }
        let keyword = tokens.get(holder).copied().unwrap_or_default();
        let value = source.at(place)?;
        if value.as_bool() == Some(false) && !tokens.is_empty() {
            let name = unescape(tokens[tokens.len() - 1]);
            return Some(Rule::Never { schema: first(holder), keyword, name, value });
        }
        Some(Rule::Schema { keyword })
    }
}

fn pointer(path: &[Step]) -> String {
    let mut pointer = String::new();
    for step in path {
        match step {
            Step::Member(name) => push_token(&mut pointer, name),
            Step::Item(index) => push_token(&mut pointer, &index.to_string()),
        }
    }
    pointer
}

/// The rule of the first of `tokens` in the schema at `schema`.
fn keyword_rule<'f>(source: &'f Source, schema: String, tokens: &[&'f str]) -> Option<Rule<'f>> {
    let (keyword, rest) = tokens.split_first()?;
    let (list, beside) = (source.at(&schema)?.get(keyword)?, rest.split_last());
    let Some((index, beside)) = beside else { return Some(Rule::Keyword { schema, keyword }) };
    let beside = beside.first().map(|name| unescape(name));
    let list = beside.as_ref().map_or(Some(list), |name| list.get(name))?;
    let name = list.as_array()?.get(index.parse::<usize>().ok()?)?.as_str()?.to_owned();
    Some(Rule::Name { schema, keyword, beside, name })
}
