//! `folio docs`: pages that describe the collections, written or found to be stale.

use std::{
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use super::say;
use crate::{
    config::Schemas,
    docs::{self, MARK, Page},
    error::{Error, Result},
    schema::Catalog,
};

/// How much of a file is looked at to see who wrote it, in bytes.
const HEAD: usize = 256;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    schemas: Schemas,
    /// Folder that the pages are written to: Markdown for each collection, and all of it as `index.html`
    #[arg(long, value_name = "DIR", default_value = "docs/schema")]
    out: PathBuf,
    /// Write nothing; fail if a page is stale, missing or left over
    #[arg(long)]
    check: bool,
}

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let pages = docs::render(&Catalog::load(&args.schemas.schemas)?);
    let found = Found::read(&args.out, &pages)?;
    if args.check { check(&args.out, &found) } else { write(&args.out, &pages, &found) }
}

/// What a folder has of the pages.
#[derive(Debug, Default)]
struct Found {
    missing: Vec<String>,
    stale: Vec<String>,
    /// Pages that were written of collections which are not there any more.
    left_over: Vec<String>,
    /// Files in the place of pages that somebody else wrote.
    foreign: Vec<String>,
}

impl Found {
    fn read(folder: &Path, pages: &[Page]) -> Result<Self> {
        let mut found = Self::default();
        for page in pages {
            match fs::read(folder.join(&page.name)) {
                Ok(text) if is_same(&text, &page.text) => {}
                Ok(text) if is_ours(&text) => found.stale.push(page.name.clone()),
                Ok(_) => found.foreign.push(page.name.clone()),
                Err(error) if error.kind() == io::ErrorKind::NotFound => found.missing.push(page.name.clone()),
                Err(error) => return Err(failed("read", &folder.join(&page.name), &error)),
            }
        }
        found.left_over = left_over(folder, pages)?;
        Ok(found)
    }

    /// What is wrong with each page, in a line.
    fn lines(&self, folder: &Path) -> Vec<String> {
        let kinds = [
            (&self.missing, "is missing"),
            (&self.stale, "is stale"),
            (&self.left_over, "is left over from a collection that is gone"),
            (&self.foreign, "is not a page that `folio docs` wrote"),
        ];
        let line = |name: &String, what| format!("{} {what}", folder.join(name).display());
        kinds.into_iter().flat_map(|(names, what)| names.iter().map(move |name| line(name, what))).collect()
    }
}

fn left_over(folder: &Path, pages: &[Page]) -> Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed("read", folder, &error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(|error| failed("read", folder, &error))?.file_name();
        names.extend(name.into_string());
    }
    // What cannot be read is none of ours.
    let is_page = |name: &String| fs::read(folder.join(name)).is_ok_and(|text| is_ours(&text));
    let is_known = |name: &String| pages.iter().any(|page| page.name == *name);
    let has_form = |name: &String| matches!(Path::new(name).extension().and_then(OsStr::to_str), Some("md" | "html"));
    names.retain(|name| has_form(name) && !is_known(name) && is_page(name));
    names.sort();
    Ok(names)
}

/// Whether a file has the text, however its lines end: version control may change that.
fn is_same(found: &[u8], text: &str) -> bool {
    found == text.as_bytes() || std::str::from_utf8(found).is_ok_and(|found| found.replace("\r\n", "\n") == text)
}

fn is_ours(found: &[u8]) -> bool {
    String::from_utf8_lossy(&found[..found.len().min(HEAD)]).contains(MARK)
}

fn check(folder: &Path, found: &Found) -> Result<ExitCode> {
    let lines = found.lines(folder);
    if lines.is_empty() {
        say(format_args!("{}: ok", folder.display()));
        return Ok(ExitCode::SUCCESS);
    }
    let advice = format!("write the pages with `folio docs --out {}`", folder.display());
    Err(Error::Startup(format!("{}\n{advice}", lines.join("\n"))))
}

fn write(folder: &Path, pages: &[Page], found: &Found) -> Result<ExitCode> {
    if let Some(name) = found.foreign.first() {
        let path = folder.join(name);
        let refusal = format!(
            "`{}` is not a page that `folio docs` wrote: move it, or name another folder with `--out`",
            path.display()
        );
        return Err(Error::Startup(refusal));
    }
    fs::create_dir_all(folder).map_err(|error| failed("make", folder, &error))?;
    for page in pages.iter().filter(|page| found.stale.contains(&page.name) || found.missing.contains(&page.name)) {
        let path = folder.join(&page.name);
        fs::write(&path, &page.text).map_err(|error| failed("write", &path, &error))?;
    }
    for name in &found.left_over {
        let path = folder.join(name);
        fs::remove_file(&path).map_err(|error| failed("remove", &path, &error))?;
    }
    let (written, removed) = (found.stale.len() + found.missing.len(), found.left_over.len());
    let same = pages.len() - written;
    say(format_args!("{}: {written} pages written, {same} as they were, {removed} removed", folder.display()));
    Ok(ExitCode::SUCCESS)
}

fn failed(what: &str, path: &Path, error: &io::Error) -> Error {
    Error::Startup(format!("cannot {what} `{}`: {error}", path.display()))
}
