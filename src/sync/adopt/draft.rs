//! A draft of the file, with the indexes that it can declare. Touches no database.

use std::collections::BTreeMap;

use super::super::{change::Change, diff, observe::Found, print::Json};
use crate::{
    error::{Error, Mistake, Result},
    infer::{self, Census, Facts},
    schema::{Field, Index, Schema, load},
};

/// The longest validator, in bytes, that is repeated in the file.
const MAX_REPEATED: usize = 1024;

/// How many documents a draft was made of.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Extent {
    /// Not all were read.
    pub(super) sampled: bool,
    /// How many were read at first.
    pub(super) read: u64,
    /// How many more were read because they broke what these had in common.
    pub(super) refitted: u64,
}

/// What a file is drafted from, beside the documents.
#[derive(Debug)]
pub(super) struct Draft {
    name: String,
    pub(super) found: Found,
    pub(super) extent: Extent,
    /// Without anything that is a guess.
    pub(super) plain: bool,
}

/// The names of indexes that are not declared, with the reason.
type LeftOut = BTreeMap<String, String>;

impl Draft {
    pub(super) fn of(name: &str, mut found: Found) -> Self {
        found.indexes.retain(|index| index.name != "_id_");
        Self { name: name.to_owned(), found, extent: Extent::default(), plain: false }
    }

    /// The file, as it is loaded. An index is declared unless the loader refuses it, or would have it built anew.
    ///
    /// # Errors
    /// [`Error::Startup`] if the documents have more fields than a file can hold.
    pub(super) fn write(&mut self, census: &mut Census) -> Result<Schema> {
        let told = |index: &Index| Some((index.name.clone(), infer::undeclarable(index)?));
        let mut left_out: LeftOut = self.found.indexes.iter().filter_map(told).collect();
        for index in self.found.indexes.iter().filter(|index| !left_out.contains_key(&index.name)) {
            census.expect(index);
        }
        loop {
            let (text, declared) = self.text(census, &left_out)?;
            if text.len() as u64 > load::MAX_SIZE && !self.plain {
                self.plain = true;
                continue;
            }
            let more = match self.load(text) {
                Ok(schema) => match self.differing(&schema) {
                    none if none.is_empty() => return Ok(schema),
                    differing => differing,
                },
                Err(mistakes) => refused(&mistakes, &declared).ok_or_else(|| self.fault(mistakes))?,
            };
            left_out.extend(more);
        }
    }

    /// The text with the names of the indexes that it declares.
    fn text(&self, census: &Census, left_out: &LeftOut) -> Result<(String, Vec<String>)> {
        let bare = Facts { plain: self.plain, pre_images: self.found.pre_images, ..Facts::default() };
        let root = self.load(infer::file(census, &bare, &Field::any())).map_err(|mistakes| self.fault(mistakes))?.root;
        let indexes = self.found.indexes.iter().filter(|index| !left_out.contains_key(&index.name)).cloned();
        let facts = Facts { notes: self.notes(left_out), indexes: indexes.collect(), ..bare };
        let names = facts.indexes.iter().map(|index| index.name.clone()).collect();
        Ok((infer::file(census, &facts, &root), names))
    }

    fn load(&self, text: String) -> Result<Schema, Vec<Mistake>> {
        load::parse(&format!("{}.json", self.name), &self.name, text)
    }

    fn fault(&self, mistakes: Vec<Mistake>) -> Error {
        let mistakes = Error::Schemas(mistakes);
        Error::Startup(format!("the documents of `{}` cannot be described:\n{mistakes}", self.name))
    }

    /// The declared indexes that are not quite what there is.
    fn differing(&self, schema: &Schema) -> LeftOut {
        let changes = diff::collection(schema, Some(&self.found)).into_iter();
        let about = changes.filter_map(|change| match change {
            Change::CreateIndex { index, .. } | Change::AlterIndex { to: index, .. } => Some(index.name),
            Change::RebuildIndex { to, .. } => Some(to.name),
            _ => None,
        });
        about.map(|name| (name, "a collection file has no words for one of its options".to_owned())).collect()
    }

    fn notes(&self, left_out: &LeftOut) -> Vec<String> {
        let mut notes = vec![self.origin()];
        if self.plain {
            let why = "with them, some documents did not fit, or the file was too large";
            notes.push(format!("Formats, choices and lengths are left out: {why}"));
        }
        notes.extend(self.present_rules());
        if let Some(locale) = &self.found.locale {
            notes.push(format!(
                "The collection has the collation `{locale}`, with which it cannot be served: copy its documents into \
                 a new one without"
            ));
        }
        let index = |(name, why): (&String, &String)| format!("The index `{name}` is not declared: {why}");
        notes.extend(left_out.iter().map(index));
        notes
    }

    fn origin(&self) -> String {
        let Extent { sampled, read, refitted } = self.extent;
        if read == 0 {
            return "Inferred from an empty collection: there was nothing to learn".to_owned();
        }
        let read = match read {
            _ if sampled => format!("a sample of {read} of about {} documents", self.found.documents),
            1 => "the only document".to_owned(),
            _ => format!("all {read} documents"),
        };
        let others = match refitted {
            0 => String::new(),
            refitted => format!(", and from {refitted} that did not fit what the others have in common"),
        };
        format!("Inferred from {read}{others}; all stored documents fit. Look through it: accidents look like rules")
    }

    /// The validator that there is, which the file's replaces.
    fn present_rules(&self) -> Option<String> {
        let rules = &self.found.rules;
        if rules.validator.is_empty() {
            return None;
        }
        let text = Json(&rules.validator.clone().into()).to_string();
        let text = if text.len() > MAX_REPEATED { "too long to be repeated here".to_owned() } else { text };
        Some(format!(
            "The collection has a validator (level {}, action {}), which applying this file replaces: {text}",
            rules.level, rules.action
        ))
    }
}

/// The indexes that the loader refuses; `None` if it refuses something else.
fn refused(mistakes: &[Mistake], declared: &[String]) -> Option<LeftOut> {
    let index = |mistake: &Mistake| {
        let at = mistake.pointer.strip_prefix("/x-indexes/")?.split('/').next()?.parse::<usize>().ok()?;
        Some((declared.get(at)?.clone(), mistake.detail.clone()))
    };
    let refused: Option<LeftOut> = mistakes.iter().map(index).collect();
    refused.filter(|refused| !refused.is_empty())
}
