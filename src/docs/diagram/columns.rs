//! Which blocks and lanes stand in which column, and in which order.

use std::collections::{BTreeMap, BTreeSet};

/// How often the order is improved.
const SWEEPS: usize = 8;

/// What stands in a column: a block, or a line on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Node {
    Block(usize),
    /// Of that edge, in that column.
    Lane(usize, usize),
}

/// The columns from left to right, of the blocks `part` and the references `edges` between them: a number, the block
/// that refers, and the one that is referred to.
pub(super) fn columns(part: &BTreeSet<usize>, edges: &[(usize, usize, usize)]) -> Vec<Vec<Node>> {
    let column = ranks(part, edges);
    let mut columns = vec![Vec::new(); column.values().max().map_or(0, |last| last + 1)];
    for (block, at) in &column {
        columns[*at].push(Node::Block(*block));
    }
    let mut neighbors: BTreeMap<Node, Vec<Node>> = BTreeMap::new();
    for (edge, from, to) in edges {
        let (left, right) = if column[to] < column[from] { (to, from) } else { (from, to) };
        let lanes = (column[left] + 1..column[right]).map(|at| Node::Lane(*edge, at));
        let ends = [Node::Block(*left), Node::Block(*right)];
        let chain: Vec<_> = std::iter::once(ends[0]).chain(lanes).chain([ends[1]]).collect();
        for pair in chain.windows(2) {
            neighbors.entry(pair[0]).or_default().push(pair[1]);
            neighbors.entry(pair[1]).or_default().push(pair[0]);
        }
        for lane in &chain[1..chain.len() - 1] {
            if let Node::Lane(_, at) = lane {
                columns[*at].push(*lane);
            }
        }
    }
    (0..SWEEPS).for_each(|sweep| order(&mut columns, &neighbors, sweep % 2 == 0));
    columns
}

/// The column of each block: to the right of all that it refers to, and next to what refers to it where it refers to
/// nothing.
fn ranks(part: &BTreeSet<usize>, edges: &[(usize, usize, usize)]) -> BTreeMap<usize, usize> {
    let mut column: BTreeMap<usize, usize> = part.iter().map(|block| (*block, 0)).collect();
    let kept = acyclic(edges);
    // Without circles, no way is longer than there are blocks.
    for _ in part {
        for (from, to) in &kept {
            let right = column[to] + 1;
            column.entry(*from).and_modify(|at| *at = (*at).max(right));
        }
    }
    for block in part.iter().filter(|block| !kept.iter().any(|(from, _)| from == *block)) {
        let nearest = kept.iter().filter(|(_, to)| to == block).map(|(from, _)| column[from] - 1).min();
        column.entry(*block).and_modify(|at| *at = nearest.unwrap_or(*at));
    }
    column
}

/// The references but for those that close a circle.
fn acyclic(edges: &[(usize, usize, usize)]) -> BTreeSet<(usize, usize)> {
    let mut kept: BTreeSet<(usize, usize)> = BTreeSet::new();
    for (_, from, to) in edges {
        if !leads(&kept, *to, *from) {
            kept.insert((*from, *to));
        }
    }
    kept
}

/// Whether references lead from one block to another, or they are the same.
fn leads(edges: &BTreeSet<(usize, usize)>, from: usize, to: usize) -> bool {
    let (mut reached, mut next) = (BTreeSet::from([from]), vec![from]);
    while let Some(block) = next.pop() {
        let further = edges.range((block, 0)..=(block, usize::MAX)).map(|(_, further)| *further);
        next.extend(further.filter(|further| reached.insert(*further)));
    }
    reached.contains(&to)
}

/// Orders each column but the first by where, in the column before it, the neighbors of its nodes have their middle.
fn order(columns: &mut [Vec<Node>], neighbors: &BTreeMap<Node, Vec<Node>>, rightwards: bool) {
    let mut way: Vec<_> = (0..columns.len()).collect();
    if !rightwards {
        way.reverse();
    }
    for pair in way.windows(2) {
        let position: BTreeMap<_, _> = columns[pair[0]].iter().zip(0_usize..).map(|(node, at)| (*node, at)).collect();
        let middle = |(at, node): (usize, &Node)| {
            let known = neighbors.get(node).into_iter().flatten().filter_map(|other| position.get(other));
            let (sum, count) = known.fold((0, 0), |(sum, count), at| (sum + at, count + 1));
            (sum * 1000).checked_div(count).unwrap_or(at * 1000)
        };
        let mut sorted: Vec<_> =
            columns[pair[1]].iter().enumerate().map(|(at, node)| (middle((at, node)), *node)).collect();
        sorted.sort_by_key(|(middle, _)| *middle);
        columns[pair[1]] = sorted.into_iter().map(|(_, node)| node).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Node::{Block, Lane};

    #[test]
    fn what_is_referred_to_stands_on_the_left() {
        // Loans refer to books and members, books to authors.
        let found = columns(&[0, 1, 2, 3].into(), &[(0, 1, 0), (1, 2, 1), (2, 2, 3)]);
        assert_eq!(found, [vec![Block(0)], vec![Block(1), Block(3)], vec![Block(2)]]);
    }

    #[test]
    fn lines_pass_columns_in_lanes() {
        let found = columns(&[0, 1, 2].into(), &[(0, 1, 0), (1, 2, 1), (2, 2, 0)]);
        assert_eq!(found, [vec![Block(0)], vec![Block(1), Lane(2, 1)], vec![Block(2)]]);
    }

    #[test]
    fn circles_are_opened() {
        let found = columns(&[0, 1].into(), &[(0, 0, 1), (1, 1, 0)]);
        assert_eq!(found, [vec![Block(1)], vec![Block(0)]]);
    }
}
