//! Blocks as one HTML page that asks nothing of any network: its style stands in it, and it has no program.

use std::fmt::Write;

use super::{
    MARK,
    block::{Block, Line, Row, Span, Table},
    diagram::{self, Diagram},
    rule::Rule,
};

const STYLE: &str = include_str!("html/style.css");

/// What the page may do: show itself in its own style, and nothing else.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// The part of the page that describes a collection.
pub(super) struct Section<'b> {
    /// The collection's name; of the overview, nothing.
    pub(super) name: &'b str,
    /// What it calls its documents.
    pub(super) title: &'b str,
    pub(super) blocks: &'b [Block],
}

/// The page.
pub(super) fn write(sections: &[Section<'_>], diagram: &Diagram) -> String {
    let mut out = format!(
        "<!doctype html>\n{MARK}\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <title>Collections</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n"
    );
    push_navigation(&mut out, sections);
    out.push_str("<main>\n");
    for Section { name, blocks, .. } in sections {
        let id = if name.is_empty() { String::new() } else { format!(" id=\"{}\"", escaped(name)) };
        // Writing to a string cannot fail.
        let _ = writeln!(out, "<section{id}>");
        blocks.iter().for_each(|block| push(&mut out, block, (name, diagram)));
        out.push_str("</section>\n");
    }
    out + "</main>\n</body>\n</html>\n"
}

fn push_navigation(out: &mut String, sections: &[Section<'_>]) {
    out.push_str("<nav aria-label=\"Collections\">\n<a class=\"home\" href=\"#\">Collections</a>\n<ul>\n");
    for Section { name, title, .. } in sections.iter().filter(|section| !section.name.is_empty()) {
        let title = if title == name { String::new() } else { format!(" <span>{}</span>", escaped(title)) };
        let _ = writeln!(out, "<li><a href=\"#{0}\">{0}{title}</a></li>", escaped(name));
    }
    out.push_str("</ul>\n</nav>\n");
}

fn push(out: &mut String, block: &Block, (name, diagram): (&str, &Diagram)) {
    let _ = match block {
        Block::Heading(level, line) => writeln!(out, "<h{level}>{}</h{level}>", inline(line)),
        Block::Paragraph(line) => writeln!(out, "<p>{}</p>", inline(line)),
        Block::Table(table) => return push_table(out, table, name),
        Block::Rules(rules) => return push_rules(out, rules),
        Block::Json(text) => writeln!(out, "<pre><code>{}</code></pre>", escaped(text)),
        Block::Diagram => writeln!(out, "<div class=\"wide\">\n{}</div>", diagram::svg(diagram)),
    };
}

fn push_table(out: &mut String, table: &Table, name: &str) {
    out.push_str("<div class=\"wide\">\n<table>\n<thead><tr>");
    for head in table.head {
        let _ = write!(out, "<th scope=\"col\">{head}</th>");
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for Row { anchor, cells } in &table.rows {
        let id = anchor.as_ref().map(|anchor| format!(" id=\"{}.{}\"", escaped(name), escaped(anchor)));
        let _ = write!(out, "<tr{}>", id.unwrap_or_default());
        for (head, cell) in table.head.iter().zip(cells) {
            let _ = write!(out, "<td data-head=\"{head}\">{}</td>", inline(cell));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table>\n</div>\n");
}

fn push_rules(out: &mut String, rules: &[Rule]) {
    out.push_str("<ul>\n");
    for rule in rules {
        let _ = write!(out, "<li>{}", inline(&rule.full()));
        if !rule.parts.is_empty() {
            out.push('\n');
            push_rules(out, &rule.parts);
        }
        out.push_str("</li>\n");
    }
    out.push_str("</ul>\n");
}

fn inline(line: &Line) -> String {
    line.0.iter().map(span).collect()
}

fn span(span: &Span) -> String {
    match span {
        Span::Text(text) => escaped(text),
        Span::Strong(text) => format!("<strong>{}</strong>", escaped(text)),
        Span::Code(text) => format!("<code>{}</code>", escaped(text)),
        Span::Mark(word) => format!("<mark class=\"{word}\">{word}</mark>"),
        Span::Collection(name) => format!("<a href=\"#{0}\">{0}</a>", escaped(name)),
        Span::Break => "<br>".to_owned(),
    }
}

/// A text that is nothing but text, in an element or in the value of an attribute.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() && c != '\n' => out.push(char::REPLACEMENT_CHARACTER),
            c => out.push(c),
        }
    }
    out
}
