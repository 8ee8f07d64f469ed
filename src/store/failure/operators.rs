//! Why the server could not apply update operators to a document, in our words: its own quote what is stored.

use super::Refusal;
use crate::error::Error;

/// What operators meet in documents: types that they do not take, paths that lead nowhere, items too far off, and items
/// that two paths lead to.
const CODES: [i32; 4] = [14, 28, 34, 40];

/// How the server's messages begin, and what they mean; what stands between two `'` is the name of a field.
const MEANINGS: [(&str, &str); 16] = [
    ("Cannot apply $inc ", "`$inc` needs a number, and what is stored is none"),
    ("Cannot apply $mul ", "`$mul` needs a number, and what is stored is none"),
    ("Failed to apply $inc ", "`$inc` would leave the range of 64-bit whole numbers"),
    ("Failed to apply $mul ", "`$mul` would leave the range of 64-bit whole numbers"),
    ("Cannot apply $bit ", "`$bit` needs a whole number, and what is stored is none"),
    ("The field 'NAME' must be an array", "`$push` needs an array, and `NAME` is none"),
    ("Cannot apply $addToSet ", "`$addToSet` needs an array, and what is stored is none"),
    ("Cannot apply $pull ", "`$pull` and `$pullAll` need an array, and what is stored is none"),
    ("Path 'NAME' contains an element of non-array type", "`$pop` needs an array, and `NAME` is none"),
    ("The path 'NAME' must exist", "`$[]` and `$[name]` need an array, and there is no `NAME`"),
    ("Cannot apply array updates to non-array", "`$[]` and `$[name]` need an array, and what is stored is none"),
    ("The source field cannot be an array element", "`$rename` does not reach into arrays"),
    ("The destination field cannot be an array element", "`$rename` does not reach into arrays"),
    ("Cannot create field 'NAME' in element", "there can be no `NAME` there: what holds it is no object"),
    ("can't backfill", "a position is too far behind the end of its array"),
    ("Update created a conflict", "two paths lead to the same item"),
];

/// The failure of operators, if that is what the refusal is.
pub(super) fn failed(refusal: &Refusal) -> Option<Error> {
    let message = refusal.message.split_once(" :: caused by :: ").map_or(&*refusal.message, |(_, message)| message);
    let known = MEANINGS.iter().find_map(|(begins, meaning)| meant(message, begins, meaning));
    let any = || "an operator cannot be applied to what is stored where its path leads".to_owned();
    let detail = known.or_else(|| CODES.contains(&refusal.code).then(any))?;
    Some(Error::PatchFailed { operation: None, detail })
}

fn meant(message: &str, begins: &str, meaning: &str) -> Option<String> {
    let Some((before, after)) = begins.split_once("NAME") else {
        return message.starts_with(begins).then(|| meaning.to_owned());
    };
    let (name, rest) = message.strip_prefix(before)?.split_once('\'')?;
    rest.starts_with(after.strip_prefix('\'')?).then(|| meaning.replace("NAME", name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_what_operators_met_and_nothing_of_what_is_stored() {
        let around = "Plan executor error during findAndModify :: caused by :: ";
        for (code, message, meaning) in [
            (
                14,
                "Cannot apply $inc to a value of non-numeric type. {_id: 1} has the field 's' of non-numeric type string",
                Some("`$inc` needs a number, and what is stored is none"),
            ),
            (
                2,
                "The field 'a' must be an array but is of type string in document {_id: 1}",
                Some("`$push` needs an array, and `a` is none"),
            ),
            (
                28,
                "Cannot create field 'b' in element {s: \"secret\"}",
                Some("there can be no `b` there: what holds it is no object"),
            ),
            (
                28,
                "Cannot use the part (x) of (s.x) to traverse the element ({s: \"secret\"})",
                Some("an operator cannot be applied to what is stored where its path leads"),
            ),
            (2, "something else", None),
        ] {
            let refusal = |message| Refusal { code, message, details: None, index: None, is_done: false };
            for message in [message.to_owned(), format!("{around}{message}")] {
                let detail = failed(&refusal(message)).map(|error| error.to_string());
                assert_eq!(detail.as_deref(), meaning);
            }
        }
    }
}
