//! `docs/json-schema.md`: what comes of the suite, file by file.

use std::fmt::Write;

use super::{Judged, Outcome, is_passed, is_refused, reason, reasons};

const HEAD: &str = "# JSON Schema: the official test suite

The measure of the compiler is the official [JSON-Schema-Test-Suite](https://github.com/json-schema-org/JSON-Schema-Test-Suite), draft 2020-12, as the Python package `jsonschema` 4.26.0 carries it. Each of its schemas becomes the schema of a field in a collection file, the file becomes the validator of a collection, each instance is inserted with the BSON types that the API would give it, and MongoDB's verdict is compared with the suite's.

A test is *passed*, or *refused*: `folio check` does not take the schema, and names the file, the place and the reason, or no BSON number can hold the instance. What a file is taken with is judged as the draft says.
";

const ASSERTED: &str = "
## `format.json`

The suite's `format.json` takes every `format` for an annotation, as an implementation may. Here the nine formats of [collections.md](collections.md#keywords) assert, and the files of `optional/format` are their measure; the others are refused. So these tests of `format.json` come out the other way:

";

pub(super) fn write(files: &[Judged]) -> String {
    let mut page = format!("{HEAD}\n{}\n", figures(files));
    for (title, required) in [("Required", true), ("Optional", false)] {
        write!(page, "\n## {title}\n\n| File | Tests | Passed | Refused | Why |\n|---|---:|---:|---:|---|\n").unwrap();
        for file in files.iter().filter(|file| file.required == required) {
            page.push_str(&row(file));
        }
    }
    page.push_str("\n## Why\n\nThe reasons in full are in [collections.md](collections.md#what-is-refused-and-why).\n\n| Reason | Tests |\n|---|---:|\n");
    for reason in &reasons::ALL {
        let count = |file: &Judged| file.outcomes().filter(|outcome| super::reason(outcome) == Some(reason)).count();
        writeln!(page, "| {} | {} |", reason.why, files.iter().map(count).sum::<usize>()).unwrap();
    }
    page.push_str(ASSERTED);
    for (group, outcomes) in files.iter().flat_map(|file| &file.groups) {
        for (test, _) in group.tests.iter().zip(outcomes).filter(|(_, outcome)| **outcome == Outcome::Asserted) {
            writeln!(page, "- {}: {}: `{}`", group.description, test.description, test.data).unwrap();
        }
    }
    page
}

fn figures(files: &[Judged]) -> String {
    let count = |required: bool, holds: fn(&Outcome) -> bool| -> usize {
        files.iter().filter(|file| file.required == required).map(|file| file.count(holds)).sum()
    };
    let figures = |required| {
        let (all, passed, refused) =
            (count(required, |_| true), count(required, is_passed), count(required, is_refused));
        format!("{all} tests, {passed} passed, {refused} refused")
    };
    let asserted = count(true, |outcome| *outcome == Outcome::Asserted);
    let format: Vec<_> = files.iter().filter(|file| file.name == super::ANNOTATES).collect();
    let other: usize = format.iter().map(|file| file.count(is_refused)).sum();
    format!(
        "- Required files: {}. {asserted} come out the other way because [`format` asserts](#formatjson); {other} of those \
         that are refused are about formats that only annotate.\n\
         - Optional files that are about what a collection file can say: {}.\n\
         - Wrong verdicts: none.",
        figures(true),
        figures(false)
    )
}

fn row(file: &Judged) -> String {
    let why: Vec<_> = reasons::ALL
        .iter()
        .filter_map(|known| {
            let count = file.outcomes().filter(|outcome| reason(outcome) == Some(known)).count();
            (count > 0).then(|| format!("{} ({count})", known.why))
        })
        .collect();
    let counts = (file.count(|_| true), file.count(is_passed), file.count(is_refused));
    format!("| `{}` | {} | {} | {} | {} |\n", file.name, counts.0, counts.1, counts.2, why.join(", "))
}
