//! `folio docs`, through the binary itself; and the sample's pages, which are as its files are.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::{Command, Output},
};

use folio::{
    docs::{self, MARK},
    schema::Catalog,
};
use pulldown_cmark::{Event, Options, Parser, Tag};

/// A folder with the files of two collections, and room for pages.
fn files() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let schemas = folder.path().join("schemas");
    fs::create_dir(&schemas).unwrap();
    let file = r#"{"type": "object", "title": "A thing", "properties": {"next": {"bsonType": "objectId", "x-ref": {"collection": "things"}}}}"#;
    fs::write(schemas.join("things.json"), file).unwrap();
    fs::write(schemas.join("others.json"), r#"{"type": "object"}"#).unwrap();
    folder
}

fn run(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_folio"));
    command.arg("docs").args(["--schemas", "schemas", "--out", "pages"]).args(args).current_dir(folder);
    command.output().unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn the_pages_of_the_sample_are_current() {
    let pages = docs::render(&Catalog::load(Path::new("schemas")).unwrap());
    if std::env::var_os("FOLIO_UPDATE").is_some() {
        for page in &pages {
            fs::write(Path::new("docs/schema").join(&page.name), &page.text).unwrap();
        }
    }
    for page in &pages {
        let stored = fs::read_to_string(Path::new("docs/schema").join(&page.name)).unwrap_or_default();
        assert!(stored == page.text, "docs/schema/{} is stale: write it with `folio docs`", page.name);
    }
    assert_eq!(names(Path::new("docs/schema")), pages.into_iter().map(|page| page.name).collect());
}

#[test]
fn pages_are_written_and_checked() {
    let folder = files();
    let missing = run(folder.path(), &["--check"]);
    assert_eq!(missing.status.code(), Some(1));
    for line in
        ["pages/README.md is missing", "pages/things.md is missing", "write the pages with `folio docs --out pages`"]
    {
        assert!(said(&missing).contains(line), "{}", said(&missing));
    }
    assert!(!folder.path().join("pages").exists());

    let written = run(folder.path(), &[]);
    assert_eq!(
        (written.status.code(), said(&written).trim()),
        (Some(0), "pages: 4 pages written, 0 as they were, 0 removed")
    );
    let expected = ["README.md", "index.html", "others.md", "things.md"].map(str::to_owned);
    assert_eq!(names(&folder.path().join("pages")), expected.into());
    let checked = run(folder.path(), &["--check"]);
    assert_eq!((checked.status.code(), said(&checked).trim()), (Some(0), "pages: ok"));
}

#[test]
fn a_check_names_pages_that_are_stale_or_left_over() {
    let folder = files();
    run(folder.path(), &[]);
    let pages = folder.path().join("pages");
    fs::remove_file(folder.path().join("schemas/others.json")).unwrap();
    let text = fs::read_to_string(pages.join("things.md")).unwrap();
    fs::write(pages.join("things.md"), text.replace("A thing", "Something else")).unwrap();
    fs::write(pages.join("notes.md"), "mine").unwrap();

    let checked = run(folder.path(), &["--check"]);
    assert_eq!(checked.status.code(), Some(1));
    for line in ["pages/things.md is stale", "pages/others.md is left over", "pages/index.html is stale"] {
        assert!(said(&checked).contains(line), "{}", said(&checked));
    }
    assert!(!said(&checked).contains("notes.md"), "{}", said(&checked));

    let written = run(folder.path(), &[]);
    assert!(said(&written).contains("1 removed"), "{}", said(&written));
    assert_eq!(run(folder.path(), &["--check"]).status.code(), Some(0));
    assert_eq!(fs::read_to_string(pages.join("notes.md")).unwrap(), "mine");
}

#[test]
fn line_ends_of_another_system_are_not_stale() {
    let folder = files();
    run(folder.path(), &[]);
    let page = folder.path().join("pages/things.md");
    fs::write(&page, fs::read_to_string(&page).unwrap().replace('\n', "\r\n")).unwrap();
    assert_eq!(run(folder.path(), &["--check"]).status.code(), Some(0));
}

#[test]
fn nothing_is_written_over_what_others_wrote() {
    let folder = files();
    let pages = folder.path().join("pages");
    fs::create_dir(&pages).unwrap();
    fs::write(pages.join("README.md"), "# Mine").unwrap();
    let refused = run(folder.path(), &[]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(said(&refused).contains("`pages/README.md` is not a page that `folio docs` wrote"), "{}", said(&refused));
    assert_eq!(names(&pages), [String::from("README.md")].into());
    assert!(said(&run(folder.path(), &["--check"])).contains("pages/README.md is not a page"));
}

#[test]
fn mistakes_in_the_files_are_reported() {
    let folder = files();
    fs::write(folder.path().join("schemas/things.json"), r#"{"type": "object", "titel": 1}"#).unwrap();
    let refused = run(folder.path(), &[]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(said(&refused).contains("things.json#/titel: unknown keyword"), "{}", said(&refused));
    assert!(!folder.path().join("pages").exists());
}

/// Text that is markup in Markdown or HTML, wherever an author may write text.
#[test]
fn what_authors_write_is_never_markup() {
    let evil =
        r#"</code></pre></td>-->'\"><script>alert(1)</script><img src=x onerror=alert(1)>`|[x](javascript:alert(1))"#;
    let file = r#"{
        "type": "object", "title": "EVIL", "description": "EVIL\n\nEVIL", "required": ["EVIL"],
        "properties": {
            "EVIL": {"title": "EVIL", "description": "EVIL", "type": "string", "default": "EVIL", "examples": ["EVIL"]},
            "list": {"type": "array", "items": {"type": "object", "properties": {"EVIL": {"const": "EVIL"}}}},
            "kind": {"enum": ["EVIL", "b"]},
            "either": {"anyOf": [{"title": "EVIL", "const": "EVIL"}, {"required": ["EVIL"]}]},
            "media": {"type": "string", "contentMediaType": "EVIL", "contentEncoding": "EVIL"}
        },
        "dependentRequired": {"EVIL": ["EVIL2"]},
        "examples": [{"EVIL": "EVIL"}],
        "x-indexes": [{"keys": {"kind": 1}, "name": "EVIL", "partialFilter": {"kind": {"$eq": "EVIL"}}}],
        "x-access": {"reader": {"ops": ["read"], "filter": {"EVIL": "EVIL"}}}
    }"#;
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("things.json"), file.replace("EVIL", evil)).unwrap();
    let pages = docs::render(&Catalog::load(folder.path()).unwrap_or_else(|error| panic!("{error}")));
    for page in &pages {
        let found = if page.name == "index.html" { html_markup(&page.text) } else { markdown_markup(&page.text) };
        assert!(found.is_empty(), "{}: {found:?} in {}", page.name, page.text);
    }
}

/// What an author's text can have put into an HTML page.
fn html_markup(page: &str) -> Vec<String> {
    let page = page.replace(MARK, "");
    let markup = ["<script", "<img", "-->", "</pre></td>", "href=\"java"];
    markup.into_iter().filter(|markup| page.contains(markup)).map(str::to_owned).collect()
}

/// The markup in a Markdown page that is not the page's own.
fn markdown_markup(page: &str) -> Vec<String> {
    const TAGS: [&str; 5] = ["<br>", "<strong>", "</strong>", "<code>", "</code>"];
    let odd = Parser::new_ext(page, Options::all()).filter(|event| match event {
        Event::Html(html) => html.trim() != MARK,
        Event::InlineHtml(tag) => !TAGS.contains(&&**tag),
        Event::Start(Tag::Link { dest_url, .. }) => **dest_url != *"things.md",
        Event::Start(Tag::Image { .. }) => true,
        _ => false,
    });
    odd.map(|event| format!("{event:?}")).collect()
}

#[test]
fn the_html_page_asks_for_nothing() {
    let pages = docs::render(&Catalog::load(Path::new("schemas")).unwrap());
    let page = &pages.iter().find(|page| page.name == "index.html").unwrap().text;
    for asks in ["http:", "https:", "src=", "url(", "@import", "<script", "<link", "<iframe", "javascript:"] {
        assert!(!page.contains(asks), "{asks}");
    }
    assert!(page.contains("default-src 'none'"));
    let ids: Vec<_> = page.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    let links: Vec<_> = page.split("href=\"#").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
    assert!(links.iter().all(|link| link.is_empty() || ids.contains(link)), "{links:?}");
}
