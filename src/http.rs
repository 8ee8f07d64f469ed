//! The HTTP API: the route table and the layers around it.

use std::time::Duration;

use axum::{
    Router, middleware,
    routing::{get, post},
};
use tokio::net::TcpListener;

use crate::{app::App, error::Result};

mod answer;
mod body;
mod collections;
mod documents;
mod extract;
mod health;
mod insight;
mod lists;
mod negotiate;
pub mod problem;
mod serve;
mod trace;

/// The whole API on `app`, to be served alone or merged into another router. It has a fallback of its own, for paths
/// that nothing is at, so the router that it is merged into must have none.
///
/// The driver recurses through the server's explanations, which quote values of other programs that may be nested a
/// hundred deep. Give the threads of the runtime 16 MiB of stack (`thread_stack_size`), as the `folio` binary does.
///
/// All paths are under `/v1`, but for `/healthz`, `/readyz`, `/metrics` and `/problems/{slug}`.
pub fn router(app: App) -> Router {
    let [live, ready, metrics] = health::PATHS;
    Router::new()
        .route("/v1", get(collections::index))
        .route("/v1/{collection}", get(lists::list).merge(post(documents::insert)))
        .route("/v1/{collection}/_explain", get(insight::explain))
        .route("/v1/{collection}/_indexes", get(insight::indexes))
        .route("/v1/{collection}/_query", post(lists::query))
        .route("/v1/{collection}/_schema", get(collections::schema))
        .route(
            "/v1/{collection}/{id}",
            get(documents::get).put(documents::replace).patch(documents::update).delete(documents::delete),
        )
        .route("/problems/{slug}", get(problem::page))
        .route(live, get(health::live))
        .route(ready, get(health::ready))
        .route(metrics, get(health::metrics))
        .fallback(problem::no_route)
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(middleware::from_fn_with_state(app.clone(), trace::observe))
        .with_state(app)
}

/// Serves until `shutdown` is ready, then lets running requests finish for at most `grace`.
pub async fn serve(
    app: App,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
    grace: Duration,
) -> Result<()> {
    serve::serve(router(app.clone()), listener, shutdown, grace).await;
    app.close().await;
    Ok(())
}
