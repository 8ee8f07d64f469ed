//! The values of keywords, in the BSON types that their place declares.

use std::{collections::HashSet, fmt::Write};

use bson::{Bson, Decimal128};

use crate::{
    codec,
    schema::{Additional, Field, Kind, Kinds},
};

/// What is known of a place where both `own` and `outer` hold.
pub(super) fn narrow(mut own: Field, outer: &Field) -> Field {
    own.loose_number = match (own.kinds, outer.kinds) {
        (Kinds::ANY, _) => outer.loose_number,
        (_, Kinds::ANY) => own.loose_number,
        _ => own.loose_number && outer.loose_number,
    };
    let both = own.kinds.intersection(outer.kinds);
    if both != Kinds::NONE {
        own.kinds = both;
    }
    own.uuid |= outer.uuid;
    for (name, outer) in &outer.properties {
        let member = own.properties.swap_remove(name).map_or_else(|| outer.clone(), |own| narrow(own, outer));
        own.properties.insert(name.clone(), member);
    }
    if own.items.is_none() && own.tuple.is_none() {
        own.tuple.clone_from(&outer.tuple);
    }
    own.items = match (own.items.take(), &outer.items) {
        (Some(own), Some(outer)) => Some(Box::new(narrow(*own, outer))),
        (own, outer) => own.or_else(|| outer.clone()),
    };
    if own.additional == Additional::Any {
        own.additional = outer.additional.clone();
    }
    own
}

/// The shape of members that are not declared.
pub(super) fn additional(shape: &Field) -> Field {
    match &shape.additional {
        Additional::Shape(field) => (**field).clone(),
        Additional::Any | Additional::Forbidden => Field::any(),
    }
}

/// The number `text` as the bound of values at `shape`, and the same as a decimal where that is another number.
///
/// 0.1 is not the same number as a double and as a decimal; where both may stand, each is held to its own.
pub(super) fn bound(text: &str, shape: &Field) -> Result<(Bson, Option<Bson>), String> {
    let numeric = shape.kinds.intersection(Kinds::NUMBERS);
    let mut shape = shape.clone();
    if numeric != Kinds::NONE {
        shape.kinds = numeric;
    }
    let bound = decode(text, &shape)?;
    if exact(&bound).is_none() {
        return Err("must be a number".to_owned());
    }
    let decimal = twin(text, &bound, &shape);
    Ok((bound, decimal))
}

/// The values `texts`, each once as MongoDB compares them.
pub(super) fn choices<'t>(texts: impl Iterator<Item = &'t str>, shape: &Field) -> Result<Vec<Bson>, String> {
    let (mut choices, mut seen) = (Vec::new(), HashSet::new());
    for text in texts {
        let value = decode(text, shape)?;
        let twin = twin(text, &value, shape);
        for value in [Some(value), twin].into_iter().flatten() {
            if seen.insert(key(&value)) {
                choices.push(value);
            }
        }
    }
    Ok(choices)
}

fn decode(text: &str, shape: &Field) -> Result<Bson, String> {
    let raw = codec::decode::value(text.as_bytes(), shape).map_err(|e| e.detail)?;
    Bson::try_from(raw).map_err(|e| format!("is no BSON value: {e}"))
}

/// The number `text` as a decimal, where a decimal may stand and `value`, a double, is not quite that number.
fn twin(text: &str, value: &Bson, shape: &Field) -> Option<Bson> {
    let inexact = matches!(value, Bson::Double(_)) && exact(value) != Exact::read(text);
    let decimal = text.parse::<Decimal128>().ok().filter(|_| inexact && shape.kinds.contains(Kind::Decimal))?;
    Some(Bson::Decimal128(decimal))
}

/// A text that two values share just when MongoDB takes them for equal: numbers by value, objects in any order.
fn key(value: &Bson) -> String {
    match value {
        Bson::Array(items) => format!("[{}]", items.iter().map(key).collect::<Vec<_>>().join(",")),
        Bson::Document(document) => {
            let mut members: Vec<_> = document.iter().map(|(name, value)| format!("{name:?}:{}", key(value))).collect();
            members.sort();
            format!("{{{}}}", members.join(","))
        }
        value => match (exact(value), value) {
            (Some(number), _) => {
                let sign = if number.negative && !number.digits.is_empty() { "-" } else { "" };
                format!("{sign}{}e{}", number.digits, number.exponent)
            }
            (None, Bson::Double(number)) => number.to_string().to_lowercase(),
            (None, Bson::Decimal128(number)) => number.to_string().to_lowercase().replace("infinity", "inf"),
            (None, other) => format!("{other:?}"),
        },
    }
}

/// The exact value of a number; `None` for what is none, or not finite.
fn exact(value: &Bson) -> Option<Exact> {
    let mut text = String::new();
    match value {
        Bson::Int32(n) => write!(text, "{n}"),
        Bson::Int64(n) => write!(text, "{n}"),
        Bson::Decimal128(n) => write!(text, "{n}"),
        // 1074 places hold any double.
        Bson::Double(n) => write!(text, "{n:.1074}"),
        _ => return None,
    }
    .ok()?;
    Exact::read(&text)
}

/// A decimal number of any size: its digits without zeros at the ends, and the power of ten of the last one.
#[derive(Debug, PartialEq, Eq)]
struct Exact {
    negative: bool,
    digits: String,
    exponent: i64,
}

impl Exact {
    /// Reads JSON's and BSON's spellings of finite numbers.
    fn read(text: &str) -> Option<Self> {
        let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}");
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let exponent = exponent.parse::<i64>().ok()?.checked_sub(i64::try_from(fraction.len()).ok()?)?;
        let trimmed = digits.trim_end_matches('0');
        let zeros = i64::try_from(digits.len() - trimmed.len()).ok()?;
        let digits = trimmed.trim_start_matches('0').to_owned();
        let exponent = if digits.is_empty() { 0 } else { exponent.checked_add(zeros)? };
        Some(Self { negative: negative && !digits.is_empty(), digits, exponent })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_one_key_by_value() {
        let half = "0.5".parse::<Decimal128>().unwrap();
        let tenth = "0.10".parse::<Decimal128>().unwrap();
        assert_eq!(key(&Bson::Double(0.5)), key(&Bson::Decimal128(half)));
        assert_eq!(key(&Bson::Int32(100)), key(&Bson::Double(1e2)));
        assert_eq!(key(&Bson::Double(-0.0)), key(&Bson::Int64(0)));
        assert_eq!(key(&Bson::Double(f64::NAN)), key(&Bson::Decimal128("NaN".parse().unwrap())));
        assert_ne!(key(&Bson::Double(0.1)), key(&Bson::Decimal128(tenth)));
        assert_ne!(key(&Bson::Boolean(true)), key(&Bson::Int32(1)));
        assert_ne!(key(&Bson::String("1e0".into())), key(&Bson::Int32(1)));
        let (a, b) = (bson::doc! { "x": 1, "y": [2] }, bson::doc! { "y": [2.0], "x": 1_i64 });
        assert_eq!(key(&a.into()), key(&b.into()));
    }
}
