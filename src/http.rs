//! The HTTP API: the route table and the layers around it.

use std::time::Duration;

use axum::{
    Router, middleware,
    routing::{MethodRouter, delete, get, patch, post, put},
};
use tokio::net::TcpListener;

use crate::{app::App, error::Result};

mod answer;
mod body;
mod bulk;
mod collections;
mod cors;
mod credentials;
mod documents;
mod extract;
mod health;
mod insight;
mod lists;
mod many;
mod meta;
mod negotiate;
mod prefer;
mod problem;
mod results;
mod serve;
mod trace;
mod written;

/// The whole API on `app`, to be served alone or merged into another router. It has a fallback of its own, for paths
/// that nothing is at, so the router that it is merged into must have none.
///
/// The driver recurses through the server's explanations, which quote values of other programs that may be nested a
/// hundred deep. Give the threads of the runtime 16 MiB of stack (`thread_stack_size`), as the `folio` binary does.
///
/// All paths are under `/v1`, but for `/healthz`, `/readyz`, `/metrics`, `/collection.schema.json` and
/// `/problems/{slug}`.
pub fn router(app: App) -> Router {
    let ways = ways().into_iter().fold(Router::new(), |router, (_, path, handler)| router.route(path, handler));
    let ways = ways.fallback(problem::no_route).method_not_allowed_fallback(problem::method_not_allowed);
    cors::share(ways, &app).layer(middleware::from_fn_with_state(app.clone(), trace::observe)).with_state(app)
}

/// Every way in: method (a `GET` answers `HEAD` too), path and handler.
fn ways() -> [(&'static str, &'static str, MethodRouter<App>); 19] {
    let [live, ready, metrics] = health::PATHS;
    [
        ("GET", "/v1", get(collections::index)),
        ("GET", "/v1/{collection}", get(lists::list)),
        ("POST", "/v1/{collection}", post(documents::insert)),
        ("PATCH", "/v1/{collection}", patch(many::update)),
        ("DELETE", "/v1/{collection}", delete(many::delete)),
        ("POST", "/v1/{collection}/_bulk", post(bulk::write)),
        ("GET", "/v1/{collection}/_explain", get(insight::explain)),
        ("GET", "/v1/{collection}/_indexes", get(insight::indexes)),
        ("POST", "/v1/{collection}/_query", post(lists::query)),
        ("GET", "/v1/{collection}/_schema", get(collections::schema)),
        ("GET", "/v1/{collection}/{id}", get(documents::get)),
        ("PUT", "/v1/{collection}/{id}", put(documents::replace)),
        ("PATCH", "/v1/{collection}/{id}", patch(documents::update)),
        ("DELETE", "/v1/{collection}/{id}", delete(documents::delete)),
        ("GET", "/problems/{slug}", get(problem::page)),
        ("GET", meta::PATH, get(meta::schema)),
        ("GET", live, get(health::live)),
        ("GET", ready, get(health::ready)),
        ("GET", metrics, get(health::metrics)),
    ]
}

/// The route table: the method and path of every way in, a `GET` standing for `HEAD` too.
pub fn routes() -> impl Iterator<Item = (&'static str, &'static str)> {
    ways().into_iter().map(|(method, path, _)| (method, path))
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
