//! JSON for people: a tree's values with their digits as they were written, on one line or on as many as it takes.

use crate::json::{Node, Tree};

/// The columns that a value on one line may take.
const WIDTH: usize = 88;

/// The value on one line: `{ "a": [1, 2] }`.
pub(super) fn inline(tree: &Tree) -> String {
    match &tree.node {
        Node::Null => "null".to_owned(),
        Node::Bool(value) => value.to_string(),
        Node::Number(digits) => digits.clone(),
        Node::String(text) => quoted(text),
        Node::Array(items) => format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", ")),
        Node::Object(members) if members.is_empty() => "{}".to_owned(),
        Node::Object(members) => {
            let members = members.iter().map(|(name, value)| format!("{}: {}", quoted(name), inline(value)));
            format!("{{ {} }}", members.collect::<Vec<_>>().join(", "))
        }
    }
}

/// The value as a text: an object with a line for each member, what is inside of them on one line where it fits.
pub(super) fn pretty(tree: &Tree) -> String {
    let mut out = String::new();
    match tree.as_object() {
        Some(members) if !members.is_empty() => push_members(&mut out, tree, 0),
        _ => push(&mut out, tree, 0),
    }
    out
}

fn push(out: &mut String, tree: &Tree, indent: usize) {
    let line = inline(tree);
    let column = out.len() - out.rfind('\n').map_or(0, |end| end + 1);
    match &tree.node {
        _ if column + line.chars().count() <= WIDTH => out.push_str(&line),
        Node::Array(items) if !items.is_empty() => {
            push_lines(out, items.iter().map(|item| (None, item)), ("[", "]"), indent);
        }
        Node::Object(members) if !members.is_empty() => push_members(out, tree, indent),
        _ => out.push_str(&line),
    }
}

fn push_members(out: &mut String, tree: &Tree, indent: usize) {
    let members = tree.as_object().into_iter().flatten().map(|(name, value)| (Some(name), value));
    push_lines(out, members, ("{", "}"), indent);
}

fn push_lines<'t>(
    out: &mut String,
    lines: impl Iterator<Item = (Option<&'t String>, &'t Tree)>,
    (open, close): (&str, &str),
    indent: usize,
) {
    out.push_str(open);
    for (at, (name, value)) in lines.enumerate() {
        out.push_str(if at > 0 { ",\n" } else { "\n" });
        out.extend(std::iter::repeat_n("  ", indent + 1));
        if let Some(name) = name {
            out.push_str(&quoted(name));
            out.push_str(": ");
        }
        push(out, value, indent + 1);
    }
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", indent));
    out.push_str(close);
}

fn quoted(text: &str) -> String {
    // Quoting a string cannot fail; `Value` writes it as serde_json does everywhere.
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(text: &str) -> Tree {
        Tree::parse(text.as_bytes(), 16).unwrap()
    }

    #[test]
    fn keeps_digits_and_escapes_strings() {
        let text = r#"{"a":[1.00,9007199254740993],"b\"":{},"c":"<\n>"}"#;
        assert_eq!(inline(&tree(text)), r#"{ "a": [1.00, 9007199254740993], "b\"": {}, "c": "<\n>" }"#);
    }

    #[test]
    fn breaks_lines_where_they_grow_long() {
        let long = "x".repeat(80);
        let text = format!(r#"{{"short":{{"a":1}},"long":["{long}",{{"b":2}}]}}"#);
        let expected =
            format!("{{\n  \"short\": {{ \"a\": 1 }},\n  \"long\": [\n    \"{long}\",\n    {{ \"b\": 2 }}\n  ]\n}}");
        assert_eq!(pretty(&tree(&text)), expected);
        assert_eq!(pretty(&tree("[1]")), "[1]");
        assert_eq!(pretty(&tree("{}")), "{}");
    }
}
