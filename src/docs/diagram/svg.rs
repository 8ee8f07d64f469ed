//! The diagram as SVG, to stand in an HTML page whose style sheet colors it.

use std::fmt::Write;

use super::{
    Count, Diagram, Edge, EdgeKind, Entity, Key,
    layout::{HEADER, Layout, MAX_NAME, ROW, Rect, layout},
};
use crate::docs::html::escaped;

/// How far a line runs straight before it turns.
const STRAIGHT: i32 = 18;
/// How far a line that leads back bulges to the right.
const BULGE: i32 = 30;

/// The diagram's element; the names of its boxes are links to the collections' sections.
pub(in crate::docs) fn write(diagram: &Diagram) -> String {
    let layout = layout(diagram);
    let (width, height) = (layout.width, layout.height);
    let mut out = format!(
        "<svg class=\"diagram\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\" \
         aria-label=\"Diagram of the collections\">\n"
    );
    for (at, edge) in diagram.edges.iter().enumerate() {
        match edge.kind {
            EdgeKind::Embedding => push_branch(&mut out, &layout, edge),
            EdgeKind::Reference => push_reference(&mut out, diagram, &layout, at),
        }
    }
    for (entity, rect) in diagram.entities.iter().zip(&layout.boxes) {
        push_entity(&mut out, entity, *rect);
    }
    out + "</svg>\n"
}

fn push_entity(out: &mut String, entity: &Entity, Rect { x, y, width, height }: Rect) {
    let class = if entity.depth == 0 { "entity" } else { "entity inner" };
    // Writing to a string cannot fail.
    let _ = writeln!(
        out,
        "<g class=\"{class}\"><rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"6\"/>\
         <path d=\"M{x} {}h{width}\"/>",
        y + HEADER
    );
    let (left, right) = (x + 10, x + width - 10);
    let (collection, name) = (escaped(&entity.collection), cut(&entity.name));
    let name = format!("<text class=\"name\" x=\"{left}\" y=\"{}\">{name}</text>", y + 18);
    let _ = writeln!(out, "<a href=\"#{collection}\">{name}</a>");
    for (row, attribute) in (0..).zip(&entity.attributes) {
        let base = y + HEADER + ROW * row + 17;
        let class = match attribute.key {
            Some(Key::Primary) => "key",
            Some(Key::Foreign) => "key foreign",
            None => "field",
        };
        let (name, word) = (cut(&attribute.name), cut(&attribute.word));
        let _ = writeln!(out, "<text class=\"{class}\" x=\"{left}\" y=\"{base}\">{name}</text>");
        let _ = writeln!(out, "<text class=\"type\" x=\"{right}\" y=\"{base}\">{word}</text>");
    }
    out.push_str("</g>\n");
}

fn cut(text: &str) -> String {
    if text.chars().count() <= MAX_NAME {
        return escaped(text);
    }
    escaped(&text.chars().take(MAX_NAME - 1).chain(['…']).collect::<String>())
}

/// The line from what holds an object down to it.
fn push_branch(out: &mut String, layout: &Layout, edge: &Edge) {
    let (from, to) = (layout.boxes[edge.from], layout.boxes[edge.to]);
    let (x, top, bottom) = (from.x + 8, from.y + from.height, to.y + HEADER / 2);
    let _ = writeln!(out, "<path class=\"branch\" d=\"M{x} {top}V{bottom}H{}\"/>", to.x);
}

/// The line from a field to what it refers to: leftwards out of the left side and into the right one; back, or to
/// itself, from right side to right side.
fn push_reference(out: &mut String, diagram: &Diagram, layout: &Layout, at: usize) {
    let edge = &diagram.edges[at];
    let (from, to) = (layout.boxes[edge.from], layout.boxes[edge.to]);
    let rows = &diagram.entities[edge.from].attributes;
    let row = (0..).zip(rows).find(|(_, attribute)| attribute.name == edge.label).map_or(0, |(row, _)| row);
    let leftwards = to.x + to.width < from.x;
    let side = if leftwards { -1 } else { 1 };
    let start = (if leftwards { from.x } else { from.x + from.width }, from.y + HEADER + ROW * row + 13);
    let end = (to.x + to.width, to.y + HEADER / 2);
    let lanes = layout.lanes.get(&at).filter(|_| leftwards).into_iter().flatten().rev().copied();
    let points = [start, (start.0 + STRAIGHT * side, start.1)].into_iter().chain(lanes);
    let points: Vec<_> = points.chain([(end.0 + STRAIGHT, end.1), end]).collect();
    let _ = writeln!(out, "<g class=\"reference\"><path d=\"{}\"/>", way(&points, leftwards));
    push_end(out, edge.ends[0], (start, side));
    push_end(out, edge.ends[1], (end, 1));
    out.push_str("</g>\n");
}

/// A line through `points`, level at each of them.
fn way(points: &[(i32, i32)], leftwards: bool) -> String {
    let mut d = String::new();
    for (at, (x, y)) in points.iter().enumerate() {
        let _ = match at.checked_sub(1).and_then(|before| points.get(before)) {
            None => write!(d, "M{x} {y}"),
            Some((_, before)) if before == y => write!(d, "H{x}"),
            Some((from, before)) => {
                let turn = if leftwards { from.midpoint(*x) } else { from.max(x) + BULGE };
                write!(d, "C{turn} {before} {turn} {y} {x} {y}")
            }
        };
    }
    d
}

/// How many there may be: a crow's foot for many, a bar for one, with a ring for none.
fn push_end(out: &mut String, count: Count, ((x, y), side): ((i32, i32), i32)) {
    let (foot, bar, ring) = (x + 10 * side, x + 7 * side, x + 13 * side);
    let _ = match count {
        Count::Many => writeln!(out, "<path d=\"M{x} {}L{foot} {y}L{x} {}\"/>", y - 6, y + 6),
        Count::One => writeln!(out, "<path d=\"M{bar} {}v10\"/>", y - 5),
        Count::ZeroOrOne => {
            writeln!(out, "<path d=\"M{bar} {}v10\"/><circle cx=\"{ring}\" cy=\"{y}\" r=\"4\"/>", y - 5)
        }
    };
}
