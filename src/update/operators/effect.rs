//! When operators surely change a document that they can be applied to.
//!
//! Conditions say less rather than too much: what they do not find is looked at in a transaction.

use bson::{Bson, Document, doc};

use super::{Operator, path};
use crate::{schema::Kind, update::direct::Changes};

/// Conditions on larger values would make the command much larger than the update.
const MAX_VALUE: usize = 64 << 10;
/// One condition that holds is enough; this many are tried.
const MAX_CONDITIONS: usize = 32;

/// What is known of whether `update` changes a document that it can be applied to.
pub(super) fn changes(update: &Document) -> Changes {
    let mut conditions = Vec::new();
    for (operator, path, operand) in super::steps(update) {
        match change(operator, path, operand) {
            Some(condition) if condition.is_empty() => return Changes::Always,
            Some(condition) if conditions.len() < MAX_CONDITIONS => conditions.push(condition),
            _ => {}
        }
    }
    if conditions.is_empty() { Changes::Unknown } else { Changes::When(conditions) }
}

/// A condition under which the operator surely changes what is at `path`, an empty one where it always does; `None`
/// where that cannot be told.
fn change(operator: Operator, path: &str, operand: &Bson) -> Option<Document> {
    if path.contains("$[") || path::is_padded(path) || !is_small(operand) {
        return None;
    }
    match operator {
        Operator::CurrentDate => Some(Document::new()),
        Operator::Push => push(operand),
        Operator::Set => Some(other(path, operand)),
        // A number may pick an item. In a condition it may be a name in each of the items too, and the item is not gone
        // into if it is an array itself.
        _ if !path::is_plain(path) => None,
        Operator::AddToSet => Some(doc! { path: { "$not": { "$all": each(operand)? } } }),
        Operator::Inc => inc(path, operand),
        Operator::Mul => mul(path, operand),
        Operator::Max => Some(beyond(path, "$lt", operand)),
        Operator::Min => Some(beyond(path, "$gt", operand)),
        Operator::Unset | Operator::Rename => Some(there(path)),
        Operator::Pop => Some(doc! { "$and": [there(path), { format!("{path}.0"): { "$exists": true } }] }),
        // In a condition, null is undefined too.
        Operator::PullAll if operand.as_array()?.contains(&Bson::Null) => None,
        Operator::PullAll => {
            Some(doc! { "$and": [there(path), { path: { "$elemMatch": { "$in": operand.clone() } } }] })
        }
        Operator::Pull | Operator::Bit | Operator::SetOnInsert => None,
    }
}

/// Whether the value is small, and nothing that means more than itself in a condition.
fn is_small(value: &Bson) -> bool {
    let mut room = MAX_VALUE;
    weigh(value, &mut room).is_some()
}

fn weigh(value: &Bson, room: &mut usize) -> Option<()> {
    let size = match value {
        Bson::RegularExpression(_) | Bson::Undefined => return None,
        Bson::String(text) => text.len(),
        Bson::Binary(data) => data.bytes.len(),
        Bson::Array(items) => return items.iter().try_for_each(|item| weigh(item, room)),
        Bson::Document(object) => return object.iter().try_for_each(|(_, member)| weigh(member, room)),
        _ => 16,
    };
    *room = room.checked_sub(size)?;
    Some(())
}

fn each(operand: &Bson) -> Option<&Vec<Bson>> {
    operand.as_document()?.get_array("$each").ok().filter(|items| !items.is_empty())
}

fn push(operand: &Bson) -> Option<Document> {
    let is_cut = operand.as_document()?.contains_key("$slice");
    each(operand).filter(|_| !is_cut).map(|_| Document::new())
}

/// Another value stands there, or an equal one of another type.
fn other(path: &str, value: &Bson) -> Document {
    let kind = Kind::of(value.element_type()).name();
    doc! { "$or": [{ path: { "$ne": value.clone() } }, { path: { "$not": { "$type": kind } } }] }
}

/// A whole number that is not zero always changes a whole number. Of others it may be too small a part to be seen: of a
/// double, what is less than half of its last binary place.
fn inc(path: &str, amount: &Bson) -> Option<Document> {
    const PLACES: f64 = 4_503_599_627_370_496.0; // 2⁵²
    match amount {
        Bson::Int32(0) | Bson::Int64(0) => None,
        Bson::Int32(_) | Bson::Int64(_) => Some(doc! { path: whole_or_absent() }),
        Bson::Double(amount) if *amount != 0.0 && amount.is_finite() => {
            let bound = amount.abs() * PLACES;
            Some(doc! { path: { "$gt": -bound, "$lt": bound, "$not": { "$type": ["array", "decimal"] } } })
        }
        _ => None,
    }
}

fn mul(path: &str, factor: &Bson) -> Option<Document> {
    match factor {
        Bson::Int32(1) | Bson::Int64(1) => None,
        Bson::Int32(_) | Bson::Int64(_) => Some(doc! { "$and": [{ path: whole_or_absent() }, { path: { "$ne": 0 } }] }),
        _ => None,
    }
}

fn whole_or_absent() -> Document {
    doc! { "$not": { "$type": ["double", "decimal"] } }
}

/// Nothing stands there, or what comparing puts on the other side of the value. An array compares by its items in a
/// condition, and as a whole otherwise.
fn beyond(path: &str, side: &str, value: &Bson) -> Document {
    let apart = doc! { path: { side: value.clone(), "$not": { "$type": "array" } } };
    doc! { "$or": [{ path: { "$exists": false } }, apart] }
}

/// Something stands there. In a condition a name reaches through arrays, and these operators pass them over.
fn there(path: &str) -> Document {
    let around = path.match_indices('.').map(|(end, _)| doc! { &path[..end]: { "$not": { "$type": "array" } } });
    let conditions: Vec<_> = around.chain([doc! { path: { "$exists": true } }]).map(Bson::Document).collect();
    doc! { "$and": conditions }
}
