//! Where boxes stand and lines run.
//!
//! A collection and the objects in its documents stand below each other, as one block. Blocks that references connect
//! stand in columns, what is referred to on the left, as in
//! [Sugiyama's method](https://en.wikipedia.org/wiki/Layered_graph_drawing): `columns` says in which, with lanes through
//! the columns that a line passes.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Attribute, Diagram, EdgeKind, Entity,
    columns::{Node, columns},
};

/// The height of a line of text in a box; lengths are in pixels.
pub(super) const ROW: i32 = 20;
/// The height of a box above its first line.
pub(super) const HEADER: i32 = 26;
/// Longer names are cut.
pub(super) const MAX_NAME: usize = 32;
/// How far the box of an object stands to the right of what holds it.
const INDENT: i32 = 18;
/// Room around the whole.
const MARGIN: i32 = 12;
const LETTER: i32 = 7;
const BETWEEN_BOXES: i32 = 14;
const BETWEEN_BLOCKS: i32 = 36;
const BETWEEN_COLUMNS: i32 = 96;
const LANE: i32 = 16;
/// What no reference connects is put below rather than make the drawing wider.
const MAX_WIDTH: i32 = 1100;

/// A drawing's measures.
#[derive(Debug, Default)]
pub(super) struct Layout {
    pub(super) width: i32,
    pub(super) height: i32,
    /// The box of each entity.
    pub(super) boxes: Vec<Rect>,
    /// The points by which a reference passes columns, from left to right.
    pub(super) lanes: BTreeMap<usize, Vec<(i32, i32)>>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Rect {
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) width: i32,
    pub(super) height: i32,
}

/// The entities of one collection.
struct Block {
    entities: Vec<usize>,
    width: i32,
    height: i32,
}

/// The layout of `diagram`.
pub(super) fn layout(diagram: &Diagram) -> Layout {
    let blocks = blocks(diagram);
    let mut layout = Layout { boxes: vec![Rect::default(); diagram.entities.len()], ..Layout::default() };
    let (mut x, mut y, mut shelf) = (MARGIN, MARGIN, 0);
    for part in parts(diagram, blocks.len()) {
        let drawing = Drawing::new(diagram, &blocks, &part);
        if x > MARGIN && x + drawing.width > MAX_WIDTH {
            (x, y, shelf) = (MARGIN, y + shelf + BETWEEN_BLOCKS, 0);
        }
        drawing.place((x, y), diagram, &mut layout);
        x += drawing.width + BETWEEN_BLOCKS;
        shelf = shelf.max(drawing.height);
        layout.width = layout.width.max(x - BETWEEN_BLOCKS + MARGIN);
        layout.height = layout.height.max(y + shelf + MARGIN);
    }
    layout
}

/// The blocks, by the numbers of their collections.
fn blocks(diagram: &Diagram) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for (at, entity) in diagram.entities.iter().enumerate() {
        if entity.depth == 0 {
            blocks.push(Block { entities: Vec::new(), width: 0, height: -BETWEEN_BOXES });
        }
        if let Some(block) = blocks.last_mut() {
            let (width, height) = size(entity);
            block.entities.push(at);
            block.width = block.width.max(width + indent(entity));
            block.height += height + BETWEEN_BOXES;
        }
    }
    blocks
}

fn size(entity: &Entity) -> (i32, i32) {
    let row = |attribute: &Attribute| letters(&attribute.name) + letters(&attribute.word) + 4;
    let widest = entity.attributes.iter().map(row).max().unwrap_or_default().max(letters(&entity.name) + 1);
    (widest * LETTER + 24, HEADER + count(entity.attributes.len()) * ROW + 6)
}

fn letters(text: &str) -> i32 {
    count(text.chars().count().min(MAX_NAME))
}

fn indent(entity: &Entity) -> i32 {
    count(entity.depth) * INDENT
}

/// A collection file has at most some ten thousand of anything.
fn count(of: usize) -> i32 {
    i32::try_from(of).unwrap_or(i32::from(i16::MAX)).min(i32::from(i16::MAX))
}

/// The references from one block to another: the edge, and the blocks.
fn references(diagram: &Diagram) -> impl Iterator<Item = (usize, usize, usize)> {
    let edges = diagram.edges.iter().enumerate().filter(|(_, edge)| edge.kind == EdgeKind::Reference);
    let block = |at: usize| diagram.entities[at].at.0;
    edges.map(move |(at, edge)| (at, block(edge.from), block(edge.to))).filter(|(_, from, to)| from != to)
}

/// The blocks in sets that no reference connects, the largest set first.
fn parts(diagram: &Diagram, count: usize) -> Vec<BTreeSet<usize>> {
    let mut part: Vec<usize> = (0..count).collect();
    for (_, from, to) in references(diagram) {
        let (kept, gone) = (part[from].min(part[to]), part[from].max(part[to]));
        part.iter_mut().filter(|p| **p == gone).for_each(|p| *p = kept);
    }
    let mut parts: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for (block, part) in part.into_iter().enumerate() {
        parts.entry(part).or_default().insert(block);
    }
    let mut parts: Vec<_> = parts.into_values().collect();
    parts.sort_by_key(|part| std::cmp::Reverse(part.len()));
    parts
}

/// One part of the diagram in its columns.
struct Drawing<'b> {
    blocks: &'b [Block],
    columns: Vec<Vec<Node>>,
    widths: Vec<i32>,
    width: i32,
    height: i32,
}

impl<'b> Drawing<'b> {
    fn new(diagram: &Diagram, blocks: &'b [Block], part: &BTreeSet<usize>) -> Self {
        let edges: Vec<_> = references(diagram).filter(|(_, from, _)| part.contains(from)).collect();
        let columns = columns(part, &edges);
        let width = |nodes: &Vec<Node>| nodes.iter().map(|node| size_of(*node, blocks).0).max().unwrap_or_default();
        let widths: Vec<_> = columns.iter().map(width).collect();
        let height = columns.iter().map(|nodes| height(nodes, blocks)).max().unwrap_or_default();
        let width = widths.iter().sum::<i32>() + BETWEEN_COLUMNS * count(widths.len().saturating_sub(1));
        Self { blocks, columns, widths, width, height }
    }

    /// Puts the part at a point; columns have their middle at the same height.
    fn place(&self, (left, top): (i32, i32), diagram: &Diagram, layout: &mut Layout) {
        let mut x = left;
        for (nodes, width) in self.columns.iter().zip(&self.widths) {
            let mut y = top + (self.height - height(nodes, self.blocks)) / 2;
            for node in nodes {
                match node {
                    Node::Block(block) => self.blocks[*block].place((x, y), diagram, layout),
                    Node::Lane(edge, _) => layout.lanes.entry(*edge).or_default().extend([(x, y), (x + width, y)]),
                }
                y += size_of(*node, self.blocks).1 + BETWEEN_BLOCKS;
            }
            x += width + BETWEEN_COLUMNS;
        }
    }
}

impl Block {
    fn place(&self, (x, mut y): (i32, i32), diagram: &Diagram, layout: &mut Layout) {
        for at in &self.entities {
            let entity = &diagram.entities[*at];
            let (width, height) = size(entity);
            layout.boxes[*at] = Rect { x: x + indent(entity), y, width, height };
            y += height + BETWEEN_BOXES;
        }
    }
}

fn size_of(node: Node, blocks: &[Block]) -> (i32, i32) {
    match node {
        Node::Block(block) => (blocks[block].width, blocks[block].height),
        Node::Lane(..) => (0, LANE),
    }
}

fn height(nodes: &[Node], blocks: &[Block]) -> i32 {
    let gaps = BETWEEN_BLOCKS * count(nodes.len().saturating_sub(1));
    nodes.iter().map(|node| size_of(*node, blocks).1).sum::<i32>() + gaps
}
