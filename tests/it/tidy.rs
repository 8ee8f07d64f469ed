//! Walls between the rooms of the house, and habits of size.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Everything below `src`, with its path from there.
fn sources() -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { walk(&path, found) } else { found.push(path) }
        }
    }
    let mut found = Vec::new();
    walk(Path::new("src"), &mut found);
    let name = |path: &Path| path.strip_prefix("src").unwrap().to_str().unwrap().to_owned();
    found.iter().map(|path| (name(path), fs::read_to_string(path).unwrap())).collect()
}

/// The room a file belongs to: its first folder, or its own name.
fn room(path: &str) -> &str {
    path.split('/').next().unwrap().trim_end_matches(".rs")
}

/// The lines that do something, before the tests.
fn code(text: &str) -> impl Iterator<Item = &str> {
    let ours = text.split("#[cfg(test)]").next().unwrap_or_default();
    ours.lines().filter(|line| !line.trim_start().starts_with("//"))
}

#[test]
fn no_room_names_what_it_must_not() {
    let walls: [(&[&str], &[&str]); 6] = [
        (
            &["error", "json", "schema", "codec", "query", "update", "access", "infer", "etag", "problem", "docs"],
            &["axum", "mongodb", "tokio", "clap", "tracing", "store", "auth", "http", "cli"],
        ),
        (&["store", "sync", "document", "sample"], &["axum"]),
        (&["http", "document", "sample"], &["mongodb"]),
        (&["auth"], &["axum", "mongodb", "clap"]),
        (&["audit"], &["axum", "mongodb", "tokio", "clap", "store", "http"]),
        (
            &["sync/diff", "sync/change", "sync/print", "sync/index", "sync/json", "sync/rules"],
            &["axum", "mongodb", "tokio"],
        ),
    ];
    for (path, text) in sources() {
        for (rooms, forbidden) in walls {
            let below = |room: &&str| path.trim_end_matches(".rs") == *room || path.starts_with(&format!("{room}/"));
            if !rooms.contains(&room(&path)) && !rooms.iter().any(below) {
                continue;
            }
            for name in forbidden {
                let uses = |line: &&str| line.contains(&format!("{name}::")) || line.contains(&format!("use {name}"));
                let found: Vec<_> = code(&text).filter(uses).collect();
                assert!(found.is_empty(), "src/{path} names `{name}`: {found:?}");
            }
        }
    }
}

#[test]
fn only_extractors_read_raw_paths_and_queries() {
    for (path, text) in sources() {
        if path != "http/extract.rs" {
            let raw = |line: &&str| {
                ["RawPathParams", "extract::Path", "extract::Query", "RawQuery"].iter().any(|n| line.contains(n))
            };
            assert_eq!(code(&text).filter(raw).count(), 0, "src/{path} reads the path or the query by itself");
        }
    }
}

#[test]
fn only_access_makes_permits() {
    for (path, text) in sources() {
        if path != "access.rs" {
            assert!(!code(&text).any(|line| line.contains("Permitted(")), "src/{path} makes a permit of its own");
        }
    }
}

#[test]
fn only_failure_reads_driver_errors() {
    for (path, text) in sources() {
        let allowed = ["store/failure.rs", "store/client.rs"].contains(&path.as_str())
            || ["store/failure/", "store/client/"].iter().any(|folder| path.starts_with(folder));
        let reads = |line: &str| {
            line.contains("WriteFailure::") || line.contains("ErrorKind::Write") || line.contains("ErrorKind::Command")
        };
        assert!(allowed || !code(&text).any(reads), "src/{path} looks into driver errors");
    }
}

#[test]
fn files_stay_small() {
    for (path, text) in sources() {
        let lines = code(&text).count();
        assert!(!path.ends_with("mod.rs"), "src/{path}: `foo.rs` beside `foo/`, no `mod.rs`");
        assert!(lines <= 400 || path.ends_with("tests.rs"), "src/{path} has {lines} lines");
    }
}

#[test]
fn main_is_small() {
    assert!(fs::read_to_string("src/main.rs").unwrap().lines().count() < 40);
}
