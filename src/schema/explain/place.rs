//! Where a rule stands in the collection file, and where it is broken in the document.

use bson::{Document, RawDocument, raw::RawBsonRef};

use crate::{
    json::{Tree, push_token},
    schema::Field,
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
    description: Option<String>,
    depth: usize,
}

/// What the pointer of a compiled subschema leads to in the file.
pub(super) enum Rule<'f> {
    /// A schema.
    Schema,
    /// The schema `false`, given to `keyword` of the schema at `schema`.
    Never { schema: String, keyword: &'f str, value: &'f Tree },
    /// A keyword of the schema at `schema`, and the name of which it speaks, if the pointer leads to one.
    Keyword { schema: String, keyword: String, name: Option<String> },
}

impl Place {
    pub(super) fn root() -> Self {
        Self { path: Vec::new(), description: Some(String::new()), depth: 0 }
    }

    /// The same place, as the rule speaks of it whose entry in the verdict is `entry`.
    pub(super) fn described(&self, entry: &Document) -> Self {
        let description = entry.get_str("description").ok().and_then(|d| d.strip_prefix('#')).map(str::to_owned);
        Self { path: self.path.clone(), description, depth: self.depth + 1 }
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
        let mut pointer = String::new();
        for step in &self.path {
            match step {
                Step::Member(name) => push_token(&mut pointer, name),
                Step::Item(index) => push_token(&mut pointer, &index.to_string()),
            }
        }
        pointer
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
            Step::Item(_) => field.item(),
        })
    }

    /// What the description leads to in `file`; `None` for nothing.
    pub(super) fn rule<'f>(&'f self, file: &'f Tree) -> Option<Rule<'f>> {
        let pointer = self.description.as_deref()?;
        let tokens: Vec<&str> = pointer.split('/').skip(1).collect();
        let first = |n: usize| tokens[..n].iter().fold(String::new(), |pointer, token| pointer + "/" + token);
        let (mut at, mut holder) = (0, 0);
        while let Some(keyword) = tokens.get(at).copied() {
            holder = at;
            at += match keyword {
                "items" | "additionalProperties" | "not" => 1,
                "properties" | "$defs" | "allOf" | "anyOf" | "oneOf" if at + 1 < tokens.len() => 2,
                _ => return keyword_rule(file, first(at), &tokens[at..]),
            };
        }
        match file.pointer(pointer)? {
            value if value.as_bool() == Some(false) && !tokens.is_empty() => {
                Some(Rule::Never { schema: first(holder), keyword: tokens[holder], value })
            }
            _ => Some(Rule::Schema),
        }
    }
}

/// The rule of the first of `tokens` in the schema at `schema`.
fn keyword_rule<'f>(file: &'f Tree, schema: String, tokens: &[&str]) -> Option<Rule<'f>> {
    let (keyword, rest) = tokens.split_first()?;
    let value = file.pointer(&schema)?.get(keyword)?;
    let name = rest.first().and_then(|index| value.as_array()?.get(index.parse::<usize>().ok()?)?.as_str());
    Some(Rule::Keyword { schema, keyword: (*keyword).to_owned(), name: name.map(str::to_owned) })
}
