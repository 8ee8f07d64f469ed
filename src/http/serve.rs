//! Serving connections: taking them in, speaking HTTP/1.1 on each, letting them end in good order. What is answered is
//! the router's business.

use std::{convert::Infallible, io, time::Duration};

use axum::Router;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::{rt::TokioIo, server::graceful::GracefulShutdown};
use tokio::{
    net::TcpListener,
    time::{sleep, timeout},
};
use tower::Service;

/// How long no connection is taken in after the system had nothing left for one, such as file descriptors.
const PAUSE: Duration = Duration::from_secs(1);

/// Answers with `router` until `shutdown` is ready. Then connections on which nothing runs are closed, and the others
/// after the answer that runs, but all of them after `grace`.
pub(super) async fn serve(router: Router, listener: TcpListener, shutdown: impl Future<Output = ()>, grace: Duration) {
    let connections = GracefulShutdown::new();
    tokio::select! {
        never = accept(&listener, router, &connections) => match never {},
        () = shutdown => tracing::info!("stopping: no new requests are taken"),
    }
    drop(listener);
    if timeout(grace, connections.shutdown()).await.is_err() {
        tracing::warn!("requests are cut off: they did not finish within the grace time");
    }
}

async fn accept(listener: &TcpListener, router: Router, connections: &GracefulShutdown) -> Infallible {
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                recover(&error).await;
                continue;
            }
        };
        // Nagle's algorithm would hold back the end of an answer until the client has acknowledged what came before.
        drop(stream.set_nodelay(true));
        let router = router.clone();
        // A router is always ready.
        let answer = service_fn(move |request| router.clone().call(request));
        let connection = connections.watch(http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(cause = %error, "a connection broke off");
            }
        });
    }
}

/// A client that went away before it was taken in does not matter to the next; but where the system is short of
/// something, trying again at once would only use up the processor.
async fn recover(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        tracing::error!(cause = %error, "no connection can be taken in");
        sleep(PAUSE).await;
    }
}
