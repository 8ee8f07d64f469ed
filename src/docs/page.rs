//! The page of one collection.

use super::{
    Chapter, access,
    block::{Block, Line, Row, Table, code, text},
    fields::{Described, Step},
    indexes, json,
    link::Link,
    rule::{Rule, Verb},
    table,
};
use crate::json::Tree;

/// What there is to say of a collection; `links` are those of all of them.
pub(super) fn page(chapter: &Chapter<'_>, links: &[Link]) -> Vec<Block> {
    let schema = chapter.schema;
    let mut blocks = introduction(chapter);
    blocks.extend(section("Fields", [Block::Table(table::fields(&chapter.fields))]));
    blocks.extend(section("Rules", rules(&chapter.fields).map(Block::Rules)));
    blocks.extend(section("References", references(&schema.name, links).map(Block::Rules)));
    blocks.extend(section("Indexes", indexes::table(schema).map(Block::Table)));
    blocks.extend(section("Access", [Block::Table(access::table(schema))]));
    blocks.extend(section("Settings", settings(&schema.source.tree).map(Block::Table)));
    blocks.extend(section("Examples", documents(&schema.source.tree, "examples")));
    blocks.extend(section("Documents that are refused", documents(&schema.source.tree, "x-counterexamples")));
    blocks
}

/// `blocks` under a heading; nothing, if there are none.
fn section(title: &'static str, blocks: impl IntoIterator<Item = Block>) -> Vec<Block> {
    let mut blocks: Vec<_> = blocks.into_iter().collect();
    if !blocks.is_empty() {
        blocks.insert(0, Block::Heading(2, text(title)));
    }
    blocks
}

fn introduction(chapter: &Chapter<'_>) -> Vec<Block> {
    let (name, place) = (&chapter.schema.name, chapter.place());
    let facts = text("The collection ").code(name).text(", as ").code(format!("{name}.json")).text(" describes it.");
    let facts = if place.says("deprecated") { facts.text(" It is ").mark("deprecated").text(".") } else { facts };
    let mut blocks = vec![Block::Heading(1, text(chapter.title().to_owned()))];
    blocks.extend(paragraphs(place.text("description").unwrap_or_default()));
    blocks.push(Block::Paragraph(facts));
    blocks
}

/// An author's text; an empty line parts paragraphs.
fn paragraphs(text: &str) -> impl Iterator<Item = Block> {
    let text = text.replace("\r\n", "\n");
    let paragraphs: Vec<_> =
        text.split("\n\n").map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect();
    paragraphs.into_iter().map(|part| Block::Paragraph(Line::default().text(part)))
}

/// The rules of the document, and those of fields that have no room in their row.
fn rules(fields: &[Described<'_>]) -> Option<Vec<Rule>> {
    let listed = fields.iter().filter(|field| !field.folded).flat_map(|field| {
        let root = field.step == Step::Root;
        let subject = if root { text("A document") } else { code(&field.path) };
        let rules = field.rules().into_iter().filter(move |rule| root || !rule.is_short());
        rules.map(move |rule| match rule.verb {
            Verb::Sentence => Rule { words: subject.clone().text(": ").line(rule.words), ..rule },
            _ => rule.after(Verb::Sentence, subject.clone()),
        })
    });
    let listed: Vec<_> = listed.collect();
    (!listed.is_empty()).then_some(listed)
}

/// Where the collection's fields lead, and which fields lead to it.
fn references(name: &str, links: &[Link]) -> Option<Vec<Rule>> {
    let out = links.iter().filter(|link| link.from == name);
    let out = out
        .map(|link| code(&link.path).text(if link.many { " refer to " } else { " refers to " }).collection(&link.to));
    let back = links.iter().filter(|link| link.to == name);
    let back = back.map(|link| {
        code(&link.path).text(" of ").collection(&link.from).text(if link.many {
            " refer here"
        } else {
            " refers here"
        })
    });
    let rules: Vec<_> = out.chain(back).map(|line| Rule::new(Verb::Sentence, line)).collect();
    (!rules.is_empty()).then_some(rules)
}

/// What `x-collection` says, as its author wrote it.
fn settings(tree: &Tree) -> Option<Table> {
    let settings = tree.get("x-collection")?.as_object()?;
    let rows = settings.iter().map(|(name, value)| {
        let value = value.as_str().map_or_else(|| json::inline(value), str::to_owned);
        Row { anchor: None, cells: vec![code(name), code(value)] }
    });
    let rows: Vec<_> = rows.collect();
    (!rows.is_empty()).then_some(Table { head: &["Setting", "Value"], rows })
}

fn documents<'t>(tree: &'t Tree, keyword: &str) -> impl Iterator<Item = Block> + use<'t> {
    let documents = tree.get(keyword).and_then(Tree::as_array).unwrap_or_default();
    documents.iter().map(|document| Block::Json(json::pretty(document)))
}
