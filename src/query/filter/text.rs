//! `$text`: a search in the collection's text index.
//!
//! See [`$text`](https://www.mongodb.com/docs/manual/reference/operator/query/text/).

use bson::{Bson, Document};

use super::{Level, Planner, misplaced, wrong};
use crate::{
    error::{Place, Result, check_limit, nearest},
    json::Tree,
    schema::{
        Schema, Sight,
        index::{EVERY_FIELD, Index},
    },
};

const MEMBERS: [&str; 4] = ["$search", "$language", "$caseSensitive", "$diacriticSensitive"];

/// The [languages](https://www.mongodb.com/docs/manual/reference/text-search-languages/) of text indexes; `none` knows
/// no endings and no stop words.
const LANGUAGES: [&str; 31] = [
    "none",
    "danish",
    "da",
    "dutch",
    "nl",
    "english",
    "en",
    "finnish",
    "fi",
    "french",
    "fr",
    "german",
    "de",
    "hungarian",
    "hu",
    "italian",
    "it",
    "norwegian",
    "nb",
    "portuguese",
    "pt",
    "romanian",
    "ro",
    "russian",
    "ru",
    "spanish",
    "es",
    "swedish",
    "sv",
    "turkish",
    "tr",
];

impl Planner<'_> {
    /// `$text` with the operand `tree`.
    pub(super) fn text(&mut self, tree: &Tree, level: Level) -> Result<Bson> {
        let Some(schema) = self.schema.filter(|_| level != Level::Inner) else {
            return Err(misplaced(tree, "`$text` searches whole documents: it cannot stand in `$nor` or `$elemMatch`"));
        };
        self.once(tree, "$text")?;
        if schema.text_keys().any(|name| conceals(schema, &name)) {
            return Err(self.root.refuse("$text", &Place::new("filter", Some(tree.name_at)), None));
        }
        if !schema.indexes.iter().any(|index| serves(index, None, "text")) {
            let detail = format!(
                "`$text` needs a text index, and `{}` has none: add one to `x-indexes` in its collection file, such \
                 as {{\"keys\": {{\"title\": \"text\"}}}}",
                schema.name
            );
            return Err(misplaced(tree, detail));
        }
        let members = tree.as_object().ok_or_else(|| wrong(tree, "expected an object with `$search`"))?;
        let mut planned = Document::new();
        for (name, value) in members {
            planned.insert(name.clone(), self.member(name, value)?);
        }
        if !planned.contains_key("$search") {
            return Err(wrong(tree, "expected `$search`, the words to look for"));
        }
        Ok(Bson::Document(planned))
    }

    fn member(&self, name: &str, value: &Tree) -> Result<Bson> {
        match name {
            "$search" => {
                let text = value.as_str().ok_or_else(|| wrong(value, "expected a string"))?;
                // Each word is looked up in the index.
                let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).count();
                check_limit(("--max-in", self.limits.max_in), words, || format!("a search for {words} words"))?;
                Ok(text.into())
            }
            "$language" => language(value),
            "$caseSensitive" | "$diacriticSensitive" => {
                value.as_bool().map(Bson::Boolean).ok_or_else(|| wrong(value, "expected `true` or `false`"))
            }
            name => {
                let detail = match nearest(name, MEMBERS) {
                    Some(near) => format!("`$text` takes no `{name}`, did you mean `{near}`?"),
                    None => format!("`$text` takes no `{name}`, only `{}`", MEMBERS.join("`, `")),
                };
                Err(misplaced(value, detail))
            }
        }
    }
}

/// Whether what `$text` finds tells of `name`, and that is out of sight. `$**` has the words of every field.
fn conceals(schema: &Schema, name: &str) -> bool {
    let root = &schema.root;
    root.conceals && (name == EVERY_FIELD || !Sight::of(root).sees(name))
}

/// Whether queries can use `index`, and it has a key of the kind `kind`, on the field `path` if one is given.
pub(super) fn serves(index: &Index, path: Option<&str>, kind: &str) -> bool {
    let keys = index.keys.iter().filter(|(name, _)| path.is_none_or(|path| path == *name));
    !index.options.get_bool("hidden").unwrap_or(false)
        && keys.into_iter().any(|(_, value)| value.as_str() == Some(kind))
}

fn language(tree: &Tree) -> Result<Bson> {
    let name = tree.as_str().ok_or_else(|| wrong(tree, "expected the name of a language, as in `\"english\"`"))?;
    if LANGUAGES.contains(&name.to_lowercase().as_str()) {
        return Ok(name.into());
    }
    let detail = match nearest(name, LANGUAGES) {
        Some(near) => format!("unknown language `{name}`, did you mean `{near}`?"),
        None => format!("unknown language `{name}`; `none` takes words as they are"),
    };
    Err(wrong(tree, detail))
}
