//! The diagram as a [Mermaid](https://mermaid.js.org/syntax/entityRelationshipDiagram.html) `erDiagram`.

use std::fmt::Write;

use super::{Count, Diagram, Edge, EdgeKind, Entity, Key};

/// The diagram's text.
pub(in crate::docs) fn write(diagram: &Diagram) -> String {
    let mut out = String::from("erDiagram\n");
    for edge in &diagram.edges {
        push_edge(&mut out, diagram, edge);
    }
    for entity in &diagram.entities {
        push_entity(&mut out, entity);
    }
    out
}

fn push_edge(out: &mut String, diagram: &Diagram, edge: &Edge) {
    let name = |at: usize| quoted(&diagram.entities[at].name);
    let line = match edge.kind {
        EdgeKind::Reference => "--",
        EdgeKind::Embedding => "..",
    };
    let left = match edge.ends[0] {
        Count::One => "||",
        Count::ZeroOrOne => "|o",
        Count::Many => "}o",
    };
    let right = match edge.ends[1] {
        Count::One => "||",
        Count::ZeroOrOne => "o|",
        Count::Many => "o{",
    };
    // Writing to a string cannot fail.
    let _ = writeln!(out, "    {} {left}{line}{right} {} : {}", name(edge.from), name(edge.to), quoted(&edge.label));
}

fn push_entity(out: &mut String, entity: &Entity) {
    let _ = writeln!(out, "    {} {{", quoted(&entity.name));
    for attribute in &entity.attributes {
        let key = match attribute.key {
            Some(Key::Primary) => " PK",
            Some(Key::Foreign) => " FK",
            None => "",
        };
        let _ = writeln!(out, "        {} {}{key}", attribute.word, word(&attribute.name));
    }
    out.push_str("    }\n");
}

/// A name as a string. Mermaid has no escapes: what would end the string or begin something else is replaced.
fn quoted(name: &str) -> String {
    let allowed = |c: char| if c.is_control() || "\"\\%<>&#;`".contains(c) { '_' } else { c };
    let name: String = name.chars().map(allowed).collect();
    if name.trim().is_empty() { "\"_\"".to_owned() } else { format!("\"{name}\"") }
}

/// A name as the name of an attribute, which is a word of letters, digits, `-` and `_`.
fn word(name: &str) -> String {
    let name: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '_' }).collect();
    if name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') { name } else { format!("_{name}") }
}
