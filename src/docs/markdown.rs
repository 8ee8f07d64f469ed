//! Blocks as Markdown, as [GitHub](https://github.github.com/gfm/) reads it.

use std::fmt::Write;

use super::{
    MARK,
    block::{Block, Line, Row, Span, Table},
    diagram::{self, Diagram},
    rule::Rule,
};

/// The file of the page of the collection `name`. A collection may be called `readme`, and some file systems do not tell
/// small letters from large ones.
pub(super) fn file(name: &str) -> String {
    if name.eq_ignore_ascii_case("readme") { format!("{name}.collection.md") } else { format!("{name}.md") }
}

/// The text of a page.
pub(super) fn write(blocks: &[Block], diagram: &Diagram) -> String {
    let mut out = format!("{MARK}\n");
    for block in blocks {
        out.push('\n');
        push(&mut out, block, diagram);
    }
    out
}

fn push(out: &mut String, block: &Block, diagram: &Diagram) {
    // Writing to a string cannot fail.
    let _ = match block {
        Block::Heading(level, line) => writeln!(out, "{} {}", "#".repeat(usize::from(*level)), inline(line)),
        Block::Paragraph(line) => writeln!(out, "{}", paragraph(line)),
        Block::Table(table) => return push_table(out, table),
        Block::Rules(rules) => return push_rules(out, rules, 0),
        // JSON text has no line that begins with a backtick.
        Block::Json(text) => writeln!(out, "```json\n{text}\n```"),
        Block::Diagram => writeln!(out, "```mermaid\n{}```", diagram::mermaid(diagram)),
    };
}

fn push_table(out: &mut String, table: &Table) {
    let _ = writeln!(out, "| {} |", table.head.join(" | "));
    let _ = writeln!(out, "|{}", "---|".repeat(table.head.len()));
    for Row { cells, .. } in &table.rows {
        let cells: Vec<_> = cells.iter().map(inline).collect();
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
}

fn push_rules(out: &mut String, rules: &[Rule], depth: usize) {
    for rule in rules {
        let _ = writeln!(out, "{}- {}", "  ".repeat(depth), paragraph(&rule.full()));
        push_rules(out, &rule.parts, depth + 1);
    }
}

fn inline(line: &Line) -> String {
    line.0.iter().map(span).collect()
}

fn span(span: &Span) -> String {
    match span {
        Span::Text(text) => escaped(text),
        Span::Strong(text) => format!("<strong>{}</strong>", escaped(text)),
        Span::Code(text) => code(text),
        Span::Mark(word) => format!("*{word}*"),
        Span::Collection(name) => format!("[{}]({})", escaped(name), file(name)),
        Span::Break => "<br>".to_owned(),
    }
}

/// A line that stands where a heading, a list or a quotation could begin.
fn paragraph(line: &Line) -> String {
    let text = inline(line);
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let marks = |at: usize, marks: &str| text[at..].starts_with(|c| marks.contains(c));
    match digits {
        0 if marks(0, "#+-=>:") => format!("\\{text}"),
        1.. if marks(digits, ".)") => format!("{}\\{}", &text[..digits], &text[digits..]),
        _ => text.to_owned(),
    }
}

/// A text that is nothing but text, on one line.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' | '^' | '#' => out.extend(['\\', c]),
            // Neither the address of a page nor the name of an emoji.
            ':' if rest.peek().is_some_and(|next| !next.is_whitespace()) => out.push_str("\\:"),
            '.' if out.to_ascii_lowercase().ends_with("www") => out.push_str("\\."),
            '@' => out.push_str("&#64;"),
            // Some readers take braces for attributes.
            '{' => out.push_str("&#123;"),
            '}' => out.push_str("&#125;"),
            c if c.is_whitespace() => out.push(' '),
            c if c.is_control() => out.push(char::REPLACEMENT_CHARACTER),
            c => out.push(c),
        }
    }
    out
}

/// A name or a value, letter by letter. What a code span cannot hold in a table is written in HTML.
fn code(text: &str) -> String {
    let unfit = |c: char| c == '`' || c == '|' || c.is_control();
    if !(text.is_empty() || text.starts_with(' ') || text.ends_with(' ') || text.contains(unfit)) {
        return format!("`{text}`");
    }
    let mut out = String::from("<code>");
    for c in text.chars() {
        if c.is_alphanumeric() || c == ' ' {
            out.push(c);
        } else {
            let shown = if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
            let _ = write!(out, "&#{};", u32::from(shown));
        }
    }
    out + "</code>"
}

/// What a line says, without markup.
#[cfg(test)]
pub(super) fn plain(line: &Line) -> String {
    let span = |span: &Span| match span {
        Span::Text(text) => text.to_string(),
        Span::Strong(text) | Span::Code(text) | Span::Collection(text) => text.clone(),
        Span::Mark(word) => (*word).to_owned(),
        Span::Break => "\n".to_owned(),
    };
    line.0.iter().map(span).collect()
}

#[cfg(test)]
mod tests;
