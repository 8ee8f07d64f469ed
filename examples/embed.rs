//! The library inside another axum application: a route of its own on typed documents, beside the whole API.
//!
//! `cargo run --example embed -- --open --mongodb 'mongodb://127.0.0.1:27017/?replicaSet=rs0'`, then
//! `curl http://127.0.0.1:8080/shelf/poetry`, `curl -XPOST http://127.0.0.1:8080/shelf/poetry` and
//! `curl http://127.0.0.1:8080/v1/books`.

#![expect(clippy::disallowed_types, reason = "routes of the application's own answer bad paths as axum does")]

use axum::{
    Router,
    extract::{Path, State},
    routing::get,
};
use bson::doc;
use clap::Parser;
use folio::{
    App, Settings,
    config::Schemas,
    document::Find,
    sample::{self, Book},
};
use tokio::{net::TcpListener, runtime, signal::ctrl_c};

#[derive(Parser)]
struct Args {
    #[command(flatten)]
    schemas: Schemas,
    #[command(flatten)]
    settings: Settings,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt::init();
    // Why so much stack: see `folio::router`.
    let runtime = runtime::Builder::new_multi_thread().enable_all().thread_stack_size(16 << 20).build()?;
    runtime.block_on(run())
}

async fn run() -> Result<(), Box<dyn std::error::Error>> {
    let Args { schemas, settings } = Args::parse();
    let app = App::start(&schemas, &settings).await?;
    sample::fill(&app).await?;
    let stop = async { ctrl_c().await.unwrap_or_default() };
    axum::serve(TcpListener::bind(settings.serving.listen).await?, router(app.clone()))
        .with_graceful_shutdown(stop)
        .await?;
    app.close().await;
    Ok(())
}

/// The application's own routes beside the whole API.
pub(crate) fn router(app: App) -> Router {
    let shelves = Router::new().route("/shelf/{tag}", get(shelf).post(restock)).with_state(app.clone());
    shelves.merge(folio::router(app))
}

/// The titles under a tag, one a line. `--open` is about the API: who may see this is the application's own affair.
async fn shelf(State(app): State<App>, Path(tag): Path<String>) -> folio::Result<String> {
    let find = Find { filter: doc! { "tags": tag }, sort: doc! { "title": 1 }, limit: 100, ..Find::default() };
    let books = app.collection::<Book>()?.find(find).await?;
    Ok(books.into_iter().map(|book| book.title + "\n").collect())
}

/// One copy more of all books under a tag; how many books that are.
async fn restock(State(app): State<App>, Path(tag): Path<String>) -> folio::Result<String> {
    let counts = app.collection::<Book>()?.update_many(doc! { "tags": tag }, doc! { "$inc": { "stock": 1 } }).await?;
    Ok(format!("{}\n", counts.changed))
}
