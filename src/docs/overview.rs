//! The page of all collections.

use std::collections::BTreeSet;

use super::{
    Chapter,
    block::{Block, Line, Row, Table, text},
    link::Link,
};
use crate::schema::Kind;

/// How values of the types that JSON does not have are written: the type, its name in words, and its form.
const FORMS: [(Kind, &str, &str); 5] = [
    (Kind::ObjectId, "object id", "a string of 24 hex digits"),
    (Kind::Date, "date", "a string with date, time and offset, such as `2024-05-01T12:00:00.000Z`"),
    (Kind::Decimal, "decimal", "a string of digits, such as `19.90`"),
    (Kind::Long, "64-bit integer", "a number with all its digits; a string of digits is read too"),
    (Kind::BinData, "binary data", "a string in base64; a UUID as a string with hyphens"),
];

/// What there is to say of all collections together.
pub(super) fn page(chapters: &[Chapter<'_>], links: &[Link]) -> Vec<Block> {
    let rows = chapters.iter().map(|chapter| row(chapter, links)).collect();
    let mut blocks = vec![
        Block::Heading(1, text("Collections")),
        Block::Table(Table { head: &["Collection", "Documents", "Description", "Refers to"], rows }),
        Block::Heading(2, text("Diagram")),
        Block::Paragraph(legend()),
        Block::Diagram,
    ];
    blocks.extend(forms(chapters));
    blocks
}

fn legend() -> Line {
    text("Lines are references: they lead from the field that holds an ")
        .code("_id")
        .text(" to the collection of the document that has it. Dashed lines lead to objects inside of documents.")
}

fn row(chapter: &Chapter<'_>, links: &[Link]) -> Row {
    let name = &chapter.schema.name;
    let targets: BTreeSet<_> = links.iter().filter(|link| link.from == *name).map(|link| link.to.as_str()).collect();
    let targets = targets.into_iter().map(|target| Line::default().collection(target));
    let description = chapter.place().text("description").unwrap_or_default();
    Row {
        anchor: None,
        cells: vec![
            Line::default().collection(name),
            text(chapter.place().text("title").unwrap_or_default().to_owned()),
            text(description.split("\n\n").next().unwrap_or_default().to_owned()),
            Line::joined(targets, ", "),
        ],
    }
}

/// How the types that are used, and that JSON does not have, look in it.
fn forms(chapters: &[Chapter<'_>]) -> Vec<Block> {
    let fields = || chapters.iter().flat_map(|chapter| &chapter.fields);
    let used = FORMS.iter().filter(|(kind, ..)| fields().any(|field| field.names(*kind)));
    let row = |(_, name, form): &(Kind, &'static str, &'static str)| {
        let spans = form.split('`').enumerate();
        let form =
            spans.fold(Line::default(), |line, (at, part)| if at % 2 == 1 { line.code(part) } else { line.text(part) });
        Row { anchor: None, cells: vec![text(*name), form] }
    };
    let rows: Vec<_> = used.map(row).collect();
    if rows.is_empty() {
        return Vec::new();
    }
    vec![Block::Heading(2, text("Types in JSON")), Block::Table(Table { head: &["Type", "In JSON"], rows })]
}
