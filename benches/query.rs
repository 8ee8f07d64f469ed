//! What a query string costs until MongoDB can be asked: `cargo bench --bench query`.

#![expect(clippy::unwrap_used, reason = "the queries are known to be good, and a bench may panic")]

use std::hint::black_box;

use criterion::Criterion;
use folio::{
    config::Limits,
    query::{self, CursorKey, Query},
    sample,
};

/// A query of each kind that clients send.
const QUERIES: [(&str, &str); 4] = [
    ("none", ""),
    ("by author", "author=6650f0000000000000000001&sort=-year&limit=20"),
    ("by ranges", "year[gte]=1900&year[lt]=2000&tags[in]=novel,poetry&price[lte]=15.00&fields=title,author,year"),
    (
        "by filter",
        "filter=%7B%22$or%22:%5B%7B%22year%22:%7B%22$gte%22:1970%7D%7D,%7B%22publisher.city%22:%22Paris%22%7D%5D,\
         %22contributors%22:%7B%22$elemMatch%22:%7B%22role%22:%22translator%22%7D%7D%7D&sort=title",
    ),
];

fn main() {
    let (catalog, limits, cursors) = (sample::catalog().unwrap(), Limits::default(), CursorKey::derive(b"bench"));
    let schema = catalog.get("books").unwrap();
    let mut criterion = Criterion::default().configure_from_args();
    for (name, text) in QUERIES {
        criterion.bench_function(&format!("parse {name}"), |bench| {
            bench.iter(|| Query::parse(black_box(text), &limits).unwrap());
        });
        let query = Query::parse(text, &limits).unwrap();
        criterion.bench_function(&format!("plan {name}"), |bench| {
            bench.iter(|| query::plan(schema, black_box(&query), &limits, &cursors).unwrap().settle().unwrap());
        });
    }
    criterion.final_summary();
}
