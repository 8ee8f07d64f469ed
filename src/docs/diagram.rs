//! The entity diagram of all collections: boxes for documents and for the objects in them, lines for references.
//!
//! What it shows is decided here. `mermaid` writes it for Markdown; `layout` and `svg` draw it for HTML.

use super::{
    Chapter,
    fields::{Described, Step},
    link::Link,
};

mod columns;
mod layout;
mod mermaid;
mod svg;

pub(super) use mermaid::write as mermaid;
pub(super) use svg::write as svg;

/// Boxes and lines.
#[derive(Debug, Default)]
pub(super) struct Diagram {
    pub(super) entities: Vec<Entity>,
    edges: Vec<Edge>,
}

/// A document, or an object in one.
#[derive(Debug)]
pub(super) struct Entity {
    /// The collection's number, and the field's among its fields.
    at: (usize, usize),
    collection: String,
    /// The collection's name; of an object in a document, also its dotted name.
    name: String,
    /// How many entities hold it, one in the other.
    depth: usize,
    attributes: Vec<Attribute>,
}

#[derive(Debug)]
struct Attribute {
    name: String,
    /// Its types in one word.
    word: String,
    key: Option<Key>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    /// `_id`
    Primary,
    /// It holds the `_id` of another document.
    Foreign,
}

/// A line between two entities.
#[derive(Debug)]
struct Edge {
    kind: EdgeKind,
    /// Which entity refers to another, or holds one.
    from: usize,
    /// Which one.
    to: usize,
    /// By which of its attributes.
    label: String,
    /// How many there may be at the end `from` for one at the other end, and the reverse.
    ends: [Count; 2],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EdgeKind {
    Reference,
    Embedding,
}

/// How many there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Count {
    One,
    ZeroOrOne,
    Many,
}

/// The diagram of `chapters`, whose references `links` are.
pub(super) fn diagram(chapters: &[Chapter<'_>], links: &[Link]) -> Diagram {
    let numbered = || chapters.iter().enumerate();
    let entities = numbered().flat_map(|(number, chapter)| {
        let objects = (0..chapter.fields.len()).filter(|at| chapter.fields[*at].is_object());
        objects.map(move |at| entity(number, chapter, at))
    });
    let mut diagram = Diagram { entities: entities.collect(), edges: Vec::new() };
    for at in 0..diagram.entities.len() {
        diagram.edges.extend(embedding(&diagram, chapters, at));
    }
    let references: Vec<_> = links.iter().filter_map(|link| reference(&diagram, chapters, link)).collect();
    diagram.edges.extend(references);
    diagram
}

fn entity(number: usize, chapter: &Chapter<'_>, at: usize) -> Entity {
    let (collection, path) = (&chapter.schema.name, &chapter.fields[at].path);
    let members = chapter.fields.iter().filter(|field| field.holder == Some(at));
    Entity {
        at: (number, at),
        collection: collection.clone(),
        name: if path.is_empty() { collection.clone() } else { format!("{collection}.{path}") },
        depth: chapter.holders(at).skip(1).filter(|at| chapter.fields[*at].is_object()).count(),
        attributes: members.filter_map(attribute).collect(),
    }
}

fn attribute(field: &Described<'_>) -> Option<Attribute> {
    let Step::Member(name) = field.step else { return None };
    let key = match &field.reference {
        _ if field.path == "_id" => Some(Key::Primary),
        Some(_) => Some(Key::Foreign),
        None => None,
    };
    Some(Attribute { name: name.to_owned(), word: field.word.clone(), key })
}

/// The line between an object in a document and what holds it.
fn embedding(diagram: &Diagram, chapters: &[Chapter<'_>], to: usize) -> Option<Edge> {
    let (number, at) = diagram.entities[to].at;
    let chapter = &chapters[number];
    let (from, label) = diagram.owner(number, chapter, chapter.fields[at].holder?)?;
    let holder = diagram.entities[from].at.1;
    let way = || chapter.holders(at).take_while(move |at| *at != holder).map(|at| &chapter.fields[at]);
    let end = count(way().any(|field| field.step.is_many()), way().all(|field| field.required));
    let label = if let Step::Member(name) = chapter.fields[at].step { name.to_owned() } else { label };
    Some(Edge { kind: EdgeKind::Embedding, from, to, label, ends: [Count::One, end] })
}

fn reference(diagram: &Diagram, chapters: &[Chapter<'_>], link: &Link) -> Option<Edge> {
    let number = chapters.iter().position(|chapter| chapter.schema.name == link.from)?;
    let target = chapters.iter().position(|chapter| chapter.schema.name == link.to)?;
    let (from, label) = diagram.owner(number, &chapters[number], link.at)?;
    let ends = [if link.unique { Count::ZeroOrOne } else { Count::Many }, count(link.many, link.required)];
    Some(Edge { kind: EdgeKind::Reference, from, to: diagram.find((target, 0))?, label, ends })
}

const fn count(many: bool, required: bool) -> Count {
    match (many, required) {
        (true, _) => Count::Many,
        (false, true) => Count::One,
        (false, false) => Count::ZeroOrOne,
    }
}

impl Diagram {
    /// The entity that has the field at `at`, and the name of its attribute that the field is or is in.
    fn owner(&self, number: usize, chapter: &Chapter<'_>, at: usize) -> Option<(usize, String)> {
        let mut name = "";
        for at in chapter.holders(at) {
            if let Some(entity) = self.find((number, at)) {
                return Some((entity, name.to_owned()));
            }
            if let Step::Member(member) = chapter.fields[at].step {
                name = member;
            }
        }
        None
    }

    /// The entity of the field at `at`, which its collection's number and its own are.
    fn find(&self, at: (usize, usize)) -> Option<usize> {
        self.entities.binary_search_by_key(&at, |entity| entity.at).ok()
    }
}

#[cfg(test)]
mod tests;
