//! JSON text as people write it: what fits on a line stands on one.

/// How many characters a line may have.
const WIDTH: usize = 120;

/// A JSON value to be printed.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// JSON text.
    Raw(String),
    List(Vec<Value>),
    Object(Members),
}

/// The members of an object, in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Members(Vec<(String, Value)>);

impl Value {
    /// The string `text`.
    pub(super) fn text(text: &str) -> Self {
        Self::Raw(quote(text))
    }

    /// The strings `texts`.
    pub(super) fn texts<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        Self::List(texts.into_iter().map(Self::text).collect())
    }
}

impl Members {
    /// Adds a member; its name must be a new one.
    pub(super) fn put(&mut self, name: &str, value: Value) {
        self.0.push((name.to_owned(), value));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(String, Value)> for Members {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(members: I) -> Self {
        Self(members.into_iter().collect())
    }
}

/// The object as a file.
pub(super) fn print(file: &Members) -> String {
    let mut out = String::new();
    broken(&mut out, ["{", "}"], 0, &file.0, |out, (name, value), depth| member(out, name, value, depth));
    out.push('\n');
    out
}

fn member(out: &mut String, name: &str, value: &Value, depth: usize) {
    let name = quote(name);
    out.push_str(&name);
    out.push_str(": ");
    // A comma may follow.
    let room = WIDTH.saturating_sub(2 * depth + name.chars().count() + 3);
    print_value(out, value, depth, room);
}

/// Prints the value, on one line if `room` characters are enough for it.
fn print_value(out: &mut String, value: &Value, depth: usize, room: usize) {
    let line = line(value);
    match value {
        _ if line.chars().count() <= room => out.push_str(&line),
        Value::Raw(text) => out.push_str(text),
        Value::List(items) if items.iter().all(|item| matches!(item, Value::Raw(_))) => filled(out, depth, items),
        Value::List(items) => broken(out, ["[", "]"], depth, items, |out, item, depth| {
            print_value(out, item, depth, WIDTH.saturating_sub(2 * depth + 1));
        }),
        Value::Object(members) => {
            broken(out, ["{", "}"], depth, &members.0, |out, (name, value), depth| member(out, name, value, depth));
        }
    }
}

/// Prints each part on a line of its own.
fn broken<T>(
    out: &mut String,
    [open, close]: [&str; 2],
    depth: usize,
    parts: &[T],
    print: impl Fn(&mut String, &T, usize),
) {
    out.push_str(open);
    for (at, part) in parts.iter().enumerate() {
        out.push_str(if at > 0 { ",\n" } else { "\n" });
        out.push_str(&"  ".repeat(depth + 1));
        print(out, part, depth + 1);
    }
    out.push('\n');
    out.push_str(&"  ".repeat(depth));
    out.push_str(close);
}

/// Prints a list of scalars, each line as full as it gets.
fn filled(out: &mut String, depth: usize, items: &[Value]) {
    let margin = "  ".repeat(depth + 1);
    let mut lines = vec![String::new()];
    for (at, item) in items.iter().enumerate() {
        let text = line(item) + if at + 1 < items.len() { "," } else { "" };
        let full =
            |line: &String| !line.is_empty() && margin.len() + line.chars().count() + 1 + text.chars().count() > WIDTH;
        match lines.last_mut() {
            Some(line) if !full(line) => {
                line.push_str(if line.is_empty() { "" } else { " " });
                line.push_str(&text);
            }
            _ => lines.push(text),
        }
    }
    out.push_str("[\n");
    for line in &lines {
        out.extend([&margin, line, "\n"]);
    }
    out.push_str(&margin[2..]);
    out.push(']');
}

fn line(value: &Value) -> String {
    match value {
        Value::Raw(text) => text.clone(),
        Value::List(items) => format!("[{}]", items.iter().map(line).collect::<Vec<_>>().join(", ")),
        Value::Object(members) if members.is_empty() => "{}".to_owned(),
        Value::Object(members) => {
            let member = |(name, value): &(String, Value)| format!("{}: {}", quote(name), line(value));
            format!("{{ {} }}", members.0.iter().map(member).collect::<Vec<_>>().join(", "))
        }
    }
}

fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn breaks_what_does_not_fit_on_a_line() {
        let mut short = Members::default();
        short.put("type", Value::text("string"));
        short.put("enum", Value::texts(["a\"", "b"]));
        let mut file = Members::default();
        file.put("short", Value::Object(short.clone()));
        file.put("empty", Value::Object(Members::default()));
        file.put("long", Value::List(vec![Value::Object(short); 4]));
        file.put("names", Value::texts(vec!["x".repeat(70).as_str(); 3]));
        let item = r#"    { "type": "string", "enum": ["a\"", "b"] }"#;
        let name = format!("    \"{}\"", "x".repeat(70));
        let names = format!("[\n{name},\n{name},\n{name}\n  ]");
        let long = [item; 4].join(",\n");
        let expected = format!(
            "{{\n  \"short\": {},\n  \"empty\": {{}},\n  \"long\": [\n{long}\n  ],\n  \"names\": {names}\n}}\n",
            item.trim()
        );
        assert_eq!(print(&file), expected);
    }
}
