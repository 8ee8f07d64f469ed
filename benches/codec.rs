//! What a document costs on its way out and in: `cargo bench --bench codec`.
//!
//! Encoding stands beside the way that tutorials show: a tree of BSON, a tree of JSON, its text. It allocates nothing
//! but the room that it writes to, and the bench fails where that is not so.

#![expect(clippy::unwrap_used, reason = "the sample is known to be good, and a bench may panic")]

use std::hint::black_box;

use bson::{Bson, Document, RawDocument, RawDocumentBuf};
use criterion::{BatchSize, Criterion, Throughput};
use folio::{
    codec::{decode, encode},
    sample,
    schema::Field,
};

/// The documents of a page that asks for as many.
const PAGE: usize = 100;

fn main() {
    let catalog = sample::catalog().unwrap();
    let shape = &catalog.get("books").unwrap().root;
    let texts: Vec<&str> = sample::FILES[1].1.lines().take(PAGE).collect();
    let books: Vec<_> = texts.iter().map(|text| decode::document(text.as_bytes(), shape).unwrap()).collect();
    let longest = (0..PAGE).max_by_key(|at| texts[*at].len()).unwrap();

    let mut criterion = Criterion::default().configure_from_args();
    encode(&mut criterion, ("one", &books[longest..=longest]), shape);
    encode(&mut criterion, ("page of 100", &books), shape);
    decode(&mut criterion, texts[longest], shape);
    criterion.final_summary();
}

fn encode(criterion: &mut Criterion, (name, books): (&str, &[RawDocumentBuf]), shape: &Field) {
    let mut out = Vec::with_capacity(1 << 20);
    let counted = allocation_counter::measure(|| print(&mut out, books, shape));
    assert_eq!(counted.count_total, 0, "encoding {name} has allocated {} bytes", counted.bytes_total);
    let mut group = criterion.benchmark_group(format!("encode {name}"));
    group.throughput(Throughput::Bytes(books.iter().map(|book| book.as_bytes().len() as u64).sum()));
    group.bench_function("folio", |bench| {
        bench.iter(|| {
            out.clear();
            print(&mut out, black_box(books), shape);
        });
    });
    group.bench_function("trees", |bench| {
        bench.iter(|| {
            out.clear();
            for book in black_box(books) {
                print_by_trees(&mut out, book);
            }
        });
    });
    group.finish();
}

fn print(out: &mut Vec<u8>, books: &[RawDocumentBuf], shape: &Field) {
    for book in books {
        encode::document(out, book, shape).unwrap();
    }
}

fn print_by_trees(out: &mut Vec<u8>, book: &RawDocument) {
    let tree = Bson::Document(Document::try_from(book).unwrap()).into_relaxed_extjson();
    serde_json::to_writer(out, &tree).unwrap();
}

fn decode(criterion: &mut Criterion, text: &str, shape: &Field) {
    let mut group = criterion.benchmark_group("decode one");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("folio", |bench| {
        bench.iter_batched(|| text, |text| decode::document(text.as_bytes(), shape).unwrap(), BatchSize::SmallInput);
    });
    group.finish();
}
