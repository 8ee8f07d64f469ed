//! Pages that describe the collections: one in Markdown for each, one with a diagram of all, and all of it as one HTML
//! file that needs nothing else.
//!
//! From a catalog to texts; what becomes of them is the command line's business. `page` and `overview` decide what is
//! said, in `block`s; `markdown` and `html` write these. What authors write is text to both, never markup.
//!
//! The pages are for those who run the service: they show all that the collection files say, also what is hidden from
//! some callers, but for `$comment`s, which are notes among authors.

use std::iter::successors;

use crate::schema::{Catalog, Schema};
use block::Block;
use fields::Described;
use place::Place;

mod access;
mod block;
mod diagram;
mod fields;
mod html;
mod indexes;
mod json;
mod link;
mod markdown;
mod overview;
mod page;
mod place;
mod rule;
mod sentences;
mod table;
mod types;

/// How each page begins: whoever finds a file can tell that it was written by a program, and so can the program.
pub const MARK: &str = "<!-- Written by `folio docs` from the collection files; changes are lost. -->";

/// A page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The name of its file.
    pub name: String,
    /// Its text, which begins with [`MARK`] or, in HTML, has it in its second line.
    pub text: String,
}

/// What is known of one collection.
struct Chapter<'s> {
    schema: &'s Schema,
    /// The document and all fields below it.
    fields: Vec<Described<'s>>,
}

/// Every page: `README.md`, the collections' in order of name, `index.html`.
pub fn render(catalog: &Catalog) -> Vec<Page> {
    let chapters: Vec<_> = catalog.iter().map(|schema| Chapter { schema, fields: fields::fields(schema) }).collect();
    let links: Vec<_> = chapters.iter().flat_map(link::links).collect();
    let overview = overview::page(&chapters, &links);
    let pages: Vec<_> = chapters.iter().map(|chapter| page::page(chapter, &links)).collect();
    let diagram = diagram::diagram(&chapters, &links);

    let markdown = |blocks: &[Block]| markdown::write(blocks, &diagram);
    let mut files = vec![Page { name: "README.md".to_owned(), text: markdown(&overview) }];
    for (chapter, blocks) in chapters.iter().zip(&pages) {
        files.push(Page { name: markdown::file(&chapter.schema.name), text: markdown(blocks) });
    }
    let mut sections = vec![html::Section { name: "", title: "", blocks: &overview }];
    for (chapter, blocks) in chapters.iter().zip(&pages) {
        sections.push(html::Section { name: &chapter.schema.name, title: chapter.title(), blocks });
    }
    files.push(Page { name: "index.html".to_owned(), text: html::write(&sections, &diagram) });
    files
}

impl<'s> Chapter<'s> {
    /// What is said of the document as a whole.
    fn place(&self) -> &Place<'s> {
        &self.fields[0].place
    }

    /// What it calls its documents, or else its name.
    fn title(&self) -> &str {
        self.place().text("title").filter(|title| !title.trim().is_empty()).unwrap_or(&self.schema.name)
    }

    /// Where the field at `at` stands, then what holds it, and so on up to the document.
    fn holders(&self, at: usize) -> impl Iterator<Item = usize> {
        successors(Some(at), |at| self.fields[*at].holder)
    }
}
