//! What a page is made of, before it is Markdown or HTML.
//!
//! All text is text here, its own and that of authors: what it takes to keep it so is the business of the two
//! renderers.

use std::borrow::Cow;

use super::rule::Rule;

/// A piece of a page.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Block {
    /// A heading; 1 is the page's own.
    Heading(u8, Line),
    Paragraph(Line),
    Table(Table),
    /// Rules, those with parts as lists in lists.
    Rules(Vec<Rule>),
    /// JSON text.
    Json(String),
    /// The diagram of all collections.
    Diagram,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Table {
    pub(super) head: &'static [&'static str],
    pub(super) rows: Vec<Row>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    /// What the row is called within its page, where links may lead to it.
    pub(super) anchor: Option<String>,
    /// As many as the head has.
    pub(super) cells: Vec<Line>,
}

/// Text on one line.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Line(pub(super) Vec<Span>);

/// A piece of a line.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Span {
    Text(Cow<'static, str>),
    Strong(String),
    /// A name or a value, letter by letter.
    Code(String),
    /// One of a few words that stand out: `required`.
    Mark(&'static str),
    /// The collection of that name, as a link to its page.
    Collection(String),
    /// The line goes on below.
    Break,
}

impl Line {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[must_use]
    pub(super) fn text(self, text: impl Into<Cow<'static, str>>) -> Self {
        self.with(Span::Text(text.into()))
    }

    #[must_use]
    pub(super) fn strong(self, text: &str) -> Self {
        self.with(Span::Strong(text.to_owned()))
    }

    #[must_use]
    pub(super) fn code(self, text: impl Into<String>) -> Self {
        self.with(Span::Code(text.into()))
    }

    #[must_use]
    pub(super) fn mark(self, word: &'static str) -> Self {
        self.with(Span::Mark(word))
    }

    #[must_use]
    pub(super) fn collection(self, name: &str) -> Self {
        self.with(Span::Collection(name.to_owned()))
    }

    #[must_use]
    pub(super) fn line(mut self, line: Self) -> Self {
        self.0.extend(line.0);
        self
    }

    /// Each of `lines`, with `separator` between them.
    pub(super) fn joined(lines: impl IntoIterator<Item = Self>, separator: &'static str) -> Self {
        let apart = Span::Text(separator.into());
        Self::set_apart(lines, &apart)
    }

    /// Each of `lines` that is not empty, one below the other.
    pub(super) fn stacked(lines: impl IntoIterator<Item = Self>) -> Self {
        Self::set_apart(lines.into_iter().filter(|line| !line.is_empty()), &Span::Break)
    }

    /// `a`, `b` and `c`; `word` is "and" or "or".
    pub(super) fn listed(lines: Vec<Self>, word: &str) -> Self {
        let last = lines.len().saturating_sub(1);
        let apart = |at: usize| match at {
            0 => Self::default(),
            at if at == last => Self::default().text(format!(" {word} ")),
            _ => Self::default().text(", "),
        };
        lines.into_iter().enumerate().fold(Self::default(), |all, (at, line)| all.line(apart(at)).line(line))
    }

    /// About how many characters it shows.
    pub(super) fn width(&self) -> usize {
        let width = |span: &Span| match span {
            Span::Text(text) => text.chars().count(),
            Span::Strong(text) | Span::Code(text) | Span::Collection(text) => text.chars().count(),
            Span::Mark(word) => word.len(),
            Span::Break => 0,
        };
        self.0.iter().map(width).sum()
    }

    fn with(mut self, span: Span) -> Self {
        self.0.push(span);
        self
    }

    fn set_apart(lines: impl IntoIterator<Item = Self>, apart: &Span) -> Self {
        let mut all = Self::default();
        for (at, line) in lines.into_iter().enumerate() {
            all.0.extend((at > 0).then(|| apart.clone()));
            all.0.extend(line.0);
        }
        all
    }
}

/// A line that is one text.
pub(super) fn text(text: impl Into<Cow<'static, str>>) -> Line {
    Line::default().text(text)
}

/// A line that is one name or value.
pub(super) fn code(text: impl Into<String>) -> Line {
    Line::default().code(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_as_sentences_do() {
        let cases: [(&[&str], usize); 4] = [(&[], 0), (&["a"], 1), (&["a", "b"], 3), (&["a", "b", "c"], 5)];
        for (names, spans) in cases {
            let line = Line::listed(names.iter().map(|name| code(*name)).collect(), "or");
            assert_eq!(line.0.iter().filter(|span| **span != Span::Text("".into())).count(), spans, "{line:?}");
        }
        let line = Line::listed(vec![text("a"), text("b"), text("c")], "or");
        assert_eq!(line, text("a").text(", ").text("b").text(" or ").text("c"));
    }
}
