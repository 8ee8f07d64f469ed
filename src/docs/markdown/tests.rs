use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag};

use super::{super::rule::Verb, *};
use crate::docs::block::text;

/// What a reader of `markdown` sees: its texts, and the markup that is not of `expected` kinds.
fn read(markdown: &str) -> (String, Vec<String>) {
    // Smart punctuation changes quotes, which is no markup.
    let options = Options::all().difference(Options::ENABLE_SMART_PUNCTUATION);
    let (mut seen, mut odd) = (String::new(), Vec::new());
    for event in Parser::new_ext(markdown, options) {
        match event {
            Event::Text(text) | Event::Code(text) => seen.push_str(&text),
            Event::InlineHtml(tag) if ["<code>", "</code>", "<strong>", "</strong>"].contains(&&*tag) => {}
            Event::Html(comment) if comment.trim() == MARK => {}
            Event::Start(Tag::Heading { id: None, classes, .. }) if classes.is_empty() => {}
            Event::Start(
                Tag::Paragraph
                | Tag::Table(_)
                | Tag::TableHead
                | Tag::TableRow
                | Tag::TableCell
                | Tag::List(None)
                | Tag::Item
                | Tag::HtmlBlock,
            )
            | Event::End(_) => {}
            other => odd.push(format!("{other:?}")),
        }
    }
    (seen, odd)
}

fn page(block: Block) -> String {
    write(&[block], &Diagram::default())
}

/// One line of a text as a page shows it.
fn shown(text: &str) -> String {
    let shown = |c: char| match c {
        c if c.is_whitespace() => ' ',
        c if c.is_control() => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    text.chars().map(shown).collect()
}

/// `text` in every place that text may have.
fn everywhere(words: &str) -> [(&'static str, Block); 5] {
    let line = || text(words.to_owned());
    let cell = |line| Row { anchor: None, cells: vec![line] };
    [
        ("heading", Block::Heading(2, line())),
        ("paragraph", Block::Paragraph(line())),
        ("cell", Block::Table(Table { head: &[""], rows: vec![cell(line())] })),
        ("strong", Block::Table(Table { head: &[""], rows: vec![cell(Line::default().strong(words))] })),
        ("item", Block::Rules(vec![Rule::new(Verb::Sentence, line())])),
    ]
}

fn assert_is_text(words: &str) {
    for (place, block) in everywhere(words) {
        let markdown = page(block);
        let (seen, odd) = read(&markdown);
        assert_eq!(odd, Vec::<String>::new(), "{place}: {markdown}");
        assert_eq!(seen.trim(), shown(words).trim(), "{place}: {markdown}");
    }
    for code in [
        Block::Paragraph(text("x").code(words)),
        Block::Table(Table {
            head: &["x"],
            rows: vec![Row { anchor: None, cells: vec![Line::default().code(words)] }],
        }),
    ] {
        let markdown = page(code);
        let (seen, odd) = read(&markdown);
        assert_eq!(odd, Vec::<String>::new(), "{markdown}");
        let expected: String =
            words.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect();
        assert_eq!(seen, format!("x{expected}"), "{markdown}");
    }
}

#[test]
fn what_authors_write_is_text() {
    for words in [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[a](javascript:alert(1)) ![b](http://c) [d]: e [^1] [[wiki]]",
        "<http://example.org> http://example.org www.example.org a@example.org",
        "`code` ``two`` *one* **two** _one_ __two__ ~~gone~~ ~sub~ ^sup^ ||secret||",
        "a | b | c",
        "a \\| b \\\\| c \\",
        "# heading #",
        "heading # {#id .class}",
        "- item",
        "1. item",
        "12345) item",
        "+ item",
        "> quote",
        "=== ",
        "---",
        "***",
        ": definition",
        "```js",
        "~~~",
        "$x$ $$y$$ \\(z\\)",
        "&lt;b&gt; &amp; &#60; &copy;",
        "two\nlines\n\n# and a heading\n\n    code",
        "a\u{0}b\u{7}c\u{85}d",
        ":smile: @somebody #12",
        "[x] done",
        "[ ] to do",
        "|---|",
        "--- | ---",
        "<!-- comment -->",
        "\u{202e}text\u{2066}",
        "^[^`|]+$",
        "`",
        "``",
        " a ",
        "\t",
    ] {
        assert_is_text(words);
    }
}

proptest! {
    #[test]
    fn any_text_is_text(words in r"([\x20-\x7e]{0,3}[*_`<>|\[\]()#+\-.!~$^&:;=\\ \n0-9a-z/@{}]{0,6}){1,4}") {
        assert_is_text(&words);
    }

    #[test]
    fn any_letters_are_text(words in r"\PC{1,12}") {
        assert_is_text(&words);
    }
}

#[test]
fn the_page_of_a_collection_called_readme_is_not_the_first_page() {
    assert_eq!(file("readme"), "readme.collection.md");
    assert_eq!(file("readMe"), "readMe.collection.md");
    assert_eq!(file("books"), "books.md");
}

#[test]
fn rules_are_lists_in_lists() {
    let parts = vec![Rule::new(Verb::Is, text("at least ").code("0")), Rule::new(Verb::Has, text("no items"))];
    let rule = Rule { verb: Verb::Does, words: text("fulfills one of these:"), parts };
    let expected = format!("{MARK}\n\n- fulfills one of these:\n  - is at least `0`\n  - has no items\n");
    assert_eq!(page(Block::Rules(vec![rule])), expected);
}
