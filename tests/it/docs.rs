//! The generated documents are as the code is. `FOLIO_UPDATE=1 cargo test --test it docs` writes them anew.

use std::{collections::BTreeSet, fmt::Write, fs, path::Path};

use clap::{Command, CommandFactory};
use folio::{
    cli::Cli,
    problem,
    schema::{load, meta},
};

/// Compares the generated page with the stored one; `tests` write it anew.
pub(crate) fn check(path: &str, current: &str, tests: &str) {
    if std::env::var_os("FOLIO_UPDATE").is_some() {
        fs::write(path, current).unwrap();
    }
    let stored = fs::read_to_string(Path::new(path)).unwrap_or_default();
    assert!(stored == current, "{path} is stale: write it with `FOLIO_UPDATE=1 cargo test --test it {tests}`");
}

#[test]
fn errors_are_documented() {
    let mut text = String::from(
        "# Errors\n\nEvery answer that is not a success is a problem document \
         ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)), `application/problem+json`. The last part of its `type`\n\
         is one of these; the service has the same pages at `/problems/{slug}`.\n",
    );
    for problem in problem::ALL {
        let problem::Problem { slug, status, title, meaning, remedy } = problem;
        write!(text, "\n## {title}\n\n`{slug}`, status {status}\n\n{meaning}\n\n{remedy}\n").unwrap();
    }
    check("docs/errors.md", &text, "docs");
}

/// The table of a command's arguments.
fn describe(command: &Command, text: &mut String) {
    text.push_str("\n| Flag | Variable | Default | |\n|---|---|---|---|\n");
    for arg in command.get_arguments().filter(|arg| arg.get_id() != "help") {
        let value = arg.get_value_names().filter(|_| arg.get_action().takes_values()).map(|names| names[0].to_string());
        let shown = match (arg.get_long(), value) {
            (Some(flag), Some(value)) => format!("--{flag} {value}"),
            (Some(flag), None) => format!("--{flag}"),
            (None, value) => value.unwrap(),
        };
        let variable = arg.get_env().map(|name| format!("`{}`", name.to_str().unwrap())).unwrap_or_default();
        let default =
            arg.get_default_values().first().map(|v| format!("`{}`", v.to_str().unwrap())).unwrap_or_default();
        let help = arg.get_help().unwrap();
        writeln!(text, "| `{shown}` | {variable} | {default} | {help} |").unwrap();
    }
}

#[test]
fn the_rules_in_the_documentation_are_rules() {
    let page = fs::read_to_string("docs/collections.md").unwrap();
    let blocks = page.split("```json\n").skip(1).filter_map(|block| block.split("```").next());
    let rules: Vec<_> = blocks.filter(|block| block.starts_with("\"x-access\"")).collect();
    assert!(rules.len() > 3, "{rules:?}");
    for rules in rules {
        let fields = r#""owner": {"bsonType": "objectId"}, "status": {"type": "string"}, "branch": {"bsonType": "int"},
            "cost": {"bsonType": "decimal"}, "lines": {"type": "array", "items": {"properties": {"cost": {}}}}"#;
        let file = format!(r#"{{"type": "object", "properties": {{{fields}}}, {rules}}}"#);
        let mistakes = load::parse("things.json", "things", file).err();
        assert!(mistakes.is_none(), "{rules}: {mistakes:?}");
    }
}

#[test]
fn the_schema_for_editors_is_current() {
    check("docs/collection.schema.json", meta::text(), "docs");
}

/// The files of a folder of tests, and what is in them.
fn tests(folder: &str) -> Vec<(String, String)> {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let name = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
    files.filter(|path| path.is_file()).map(|path| (name(&path), fs::read_to_string(&path).unwrap())).collect()
}

#[test]
fn what_is_promised_is_tested_where_it_says() {
    let page = fs::read_to_string("docs/SECURITY.md").unwrap();
    let (_, promises) = page.split_once("## What is promised").unwrap();
    let (promises, _) = promises.split_once("\n## ").unwrap();
    let columns =
        promises.lines().filter_map(|line| line.trim_end_matches(" |").rsplit_once(" | ")).map(|(_, last)| last);
    let named: BTreeSet<_> = columns.flat_map(|tests| tests.split('`').skip(1).step_by(2)).collect();
    let (rows, files): (BTreeSet<_>, BTreeSet<_>) = named.into_iter().partition(|name| name.starts_with("row_"));
    let (beside, attacks) = (tests("tests/it"), tests("tests/it/attacks"));
    let tests = || beside.iter().chain(&attacks).flat_map(|(_, text)| text.split("fn row_").skip(1));
    let tests = tests().filter_map(|name| name.get(..2)).filter(|row| row.parse::<u8>().is_ok());
    let tested: BTreeSet<_> = tests.map(|row| format!("row_{row}")).collect();
    assert_eq!(rows, tested.iter().map(String::as_str).collect());
    for file in files {
        assert!(beside.iter().any(|(name, _)| name == file), "there are no tests in `{file}`");
    }
}

#[test]
fn settings_are_documented() {
    let mut text = String::from(
        "# Settings\n\nEvery setting is a flag and an environment variable; the flag goes first. There is no configuration file.\n",
    );
    for command in Cli::command().get_subcommands().filter(|command| !command.is_hide_set()) {
        let nested: Vec<_> = command.get_subcommands().collect();
        for part in if nested.is_empty() { vec![command] } else { nested } {
            let name =
                if part.get_name() == command.get_name() { String::new() } else { format!(" {}", part.get_name()) };
            write!(text, "\n## `folio {}{name}`\n\n{}\n", command.get_name(), part.get_about().unwrap()).unwrap();
            describe(part, &mut text);
        }
    }
    text.push_str(
        "\n## Everywhere\n\n| Variable | Default | |\n|---|---|---|\n\
         | `FOLIO_LOG` | `info`; `serve`: `info,folio::access=warn` | What is logged: a level, or a list; `folio::access` is the line for each request, a warning where the answer is 5xx, `folio::audit` the audit log |\n\
         | `FOLIO_LOG_FORMAT` | | `json` logs JSON, one object a line |\n\
         | `FOLIO_MONGOD` | | The `mongod` program that `folio dev` and the tests run |\n",
    );
    check("docs/config.md", &text, "docs");
}
