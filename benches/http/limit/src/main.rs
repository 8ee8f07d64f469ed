//! What the stack can give: the benchmark's seven jobs with nothing else in the way. No schema, no checks, no errors
//! worth the name.
//!
//! `MODE=raw` is tuned by hand: the driver's raw batches, one pass from BSON to JSON, one thread for everything.
//! `MODE=naive` is the same program as a tutorial would write it.

use std::{convert::Infallible, env, error::Error, io};

use axum::{Router, http::StatusCode, serve::ListenerExt};
use hyper::server::conn::http1;
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use mongodb::{Client, Collection, Database, bson::doc, options::ClientOptions};
use tokio::{net::TcpListener, runtime};

mod decode;
mod encode;
mod naive;
mod raw;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What is read, and what is written to.
struct Shelves<D: Send + Sync> {
    books: Collection<D>,
    books_w: Collection<D>,
}

impl<D: Send + Sync> Shelves<D> {
    fn of(database: &Database) -> Self {
        Self { books: database.collection("books"), books_w: database.collection("books_w") }
    }
}

type Failure = (StatusCode, String);

fn bad(error: impl ToString) -> Failure {
    (StatusCode::BAD_REQUEST, error.to_string())
}

fn failed(error: impl ToString) -> Failure {
    (StatusCode::UNPROCESSABLE_ENTITY, error.to_string())
}

fn missing() -> Failure {
    (StatusCode::NOT_FOUND, "not found".to_owned())
}

fn main() -> Result<(), Box<dyn Error>> {
    let (mode, address, uri) = (env::var("MODE")?, env::var("LISTEN")?, env::var("MONGODB")?);
    match mode.as_str() {
        "raw" => runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
            let app = raw::router(&connect(&uri).await?);
            serve_by_hand(TcpListener::bind(address).await?, app).await?;
            Ok(())
        }),
        "naive" => runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(async {
            let app = naive::router(&connect(&uri).await?);
            let listener = TcpListener::bind(address).await?;
            axum::serve(listener.tap_io(|stream| stream.set_nodelay(true).unwrap_or_default()), app).await?;
            Ok(())
        }),
        other => Err(format!("`MODE={other}`: expected `raw` or `naive`").into()),
    }
}

async fn connect(uri: &str) -> mongodb::error::Result<Database> {
    let mut options = ClientOptions::parse(uri).await?;
    (options.max_pool_size, options.min_pool_size, options.max_connecting) = (Some(64), Some(2), Some(8));
    let database = Client::with_options(options)?.database("bench");
    database.run_command(doc! { "ping": 1 }).await?;
    Ok(database)
}

/// `axum::serve` without what it adds to each connection.
async fn serve_by_hand(listener: TcpListener, app: Router) -> io::Result<Infallible> {
    let service = TowerToHyperService::new(app);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (stream, service) = (TokioIo::new(stream), service.clone());
        tokio::spawn(async move { http1::Builder::new().pipeline_flush(true).serve_connection(stream, service).await });
    }
}
