//! The server: probes, metrics and callbacks.
//!
//! | request | answer |
//! |---|---|
//! | `GET /healthz` | 200 while the loop makes progress, else 503: start the process anew |
//! | `GET /readyz` | 200 once manifests are loaded and the last pass saw the API, else 503 and why |
//! | `GET /metrics` | everything that is counted, for Prometheus |
//! | `POST /callbacks/SECRET` | 202: the face is looked at soon; 400 for a body that cannot be read |
//!
//! The probes answer in plain text; with `?verbose` or `Accept: application/json` they show all that is known as JSON.
//!
//! # Guarantees
//! Bounded in every direction: connections, time and size of a header, time and size of a body, life of a connection.
//! Probes are answered beside any number of strangers: see `places.rs`.
//! A callback under a wrong secret is answered like any path that does not exist: same words, and a comparison that
//! takes the same time however much was right. No answer holds a secret. Nothing is decided here: a callback wakes the
//! loop, which asks the API.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{RawQuery, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulConnection, GracefulShutdown};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::callbacks::{CallbackSecret, Hints};
use super::health::{Health, Status};
use super::{CallbackVerdict, metrics};
use places::{Places, Visit};

mod places;
#[cfg(test)]
mod tests;

/// The largest body of a callback. The documented ones have less than 1 KiB.
const BODY_LIMIT: usize = 64 * 1024;
/// The largest head of a request, and with it the longest address.
const HEAD_LIMIT: usize = 16 * 1024;
/// The most headers of a request.
const HEADER_LIMIT: usize = 64;
/// How long a connection may live: probes and Prometheus open another one.
const CONNECTION_LIFE: Duration = Duration::from_secs(300);

/// What all requests share.
#[derive(Debug, Clone)]
pub struct Shared {
    /// What probes are told.
    pub health: Arc<Health>,
    /// Where callbacks are received, and where they go; none: nowhere.
    pub callbacks: Option<Callbacks>,
    /// How long a client may take for its head, and how long for its body.
    pub patience: Duration,
}

/// How long a client may take, unless somebody says otherwise.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Where callbacks are received, and where they go.
#[derive(Debug, Clone)]
pub struct Callbacks {
    /// The last part of the address.
    pub secret: CallbackSecret,
    /// Where the loop waits for them.
    pub hints: Arc<Hints>,
}

/// A server at work. Dropping it ends it at once.
#[derive(Debug)]
pub struct ServerHandle {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
}

/// How long a shutdown waits for requests that are being answered.
const GRACE: Duration = Duration::from_secs(2);

impl ServerHandle {
    /// Returns where it listens: with port 0 the system chose one.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends the server: takes no more requests, and lets those under way end if they do so soon.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        // Whoever is slower than that is cut off by the drop.
        let _ = tokio::time::timeout(GRACE, &mut self.server).await;
    }
}

impl Drop for ServerHandle {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Serves until the handle is shut down or dropped.
///
/// # Errors
/// When the listener cannot say where it listens.
pub fn serve(listener: TcpListener, shared: Shared) -> io::Result<ServerHandle> {
    let address = listener.local_addr()?;
    let (stop, stopped) = watch::channel(false);
    let patience = shared.patience;
    let app = router(shared);
    let server = tokio::spawn(accept(listener, app, patience, stopped));
    Ok(ServerHandle { address, stop, server })
}

async fn accept(listener: TcpListener, app: Router, patience: Duration, mut stopped: watch::Receiver<bool>) {
    let graceful = GracefulShutdown::new();
    let mut places = Places::new(places::most_connections());
    // Dropped with this future, and all connections with it.
    let mut connections = tokio::task::JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let next = async {
            match listener.accept().await {
                Ok((stream, _)) => {
                    places.make_room().await;
                    Some(stream)
                }
                Err(_) => {
                    // Out of file descriptors, most likely. Not at once again: that would be spinning.
                    places.give_back().await;
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    None
                }
            }
        };
        let accepted = tokio::select! {
            accepted = next => accepted,
            // An error means that the handle is gone: time to end as well.
            _ = stopped.wait_for(|stop| *stop) => break,
        };
        let Some(stream) = accepted else { continue };
        let visit = Visit::new();
        let connection = graceful.watch(connection(stream, app.clone(), Arc::clone(&visit), patience));
        let served = connections.spawn(async move {
            // How a connection ends is its client's business.
            let _ = tokio::time::timeout(CONNECTION_LIFE, connection).await;
        });
        places.take(visit, served);
    }
    graceful.shutdown().await;
}

fn connection(
    stream: TcpStream,
    app: Router,
    visit: Arc<Visit>,
    patience: Duration,
) -> impl GracefulConnection<Error = hyper::Error> + Send {
    let service = hyper::service::service_fn(move |request| {
        let serving = visit.serve();
        let answer = hyper::service::Service::call(&TowerToHyperService::new(app.clone()), request);
        async move {
            let answer = answer.await;
            drop(serving);
            answer
        }
    });
    // It fails only where it changes nothing: answers are then a little slower.
    let _ = stream.set_nodelay(true);
    hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience)
        .max_headers(HEADER_LIMIT)
        .max_buf_size(HEAD_LIMIT)
        .serve_connection(TokioIo::new(stream), service)
}

fn router(shared: Shared) -> Router {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        // Not a route of its own: that would answer other methods in another way than a path that does not exist.
        .fallback(others)
        .layer(axum::middleware::map_response(guarded))
        .with_state(Arc::new(shared))
}

/// Answers are of this moment, and are what they say they are.
async fn guarded(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

async fn healthz(State(shared): State<Arc<Shared>>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let status = shared.health.status();
    let code = if status.is_alive() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    probe(code, &status, status.alive_text(), wants_json(query.as_deref(), &headers))
}

async fn readyz(State(shared): State<Arc<Shared>>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let status = shared.health.status();
    let code = if status.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    probe(code, &status, status.ready_text(), wants_json(query.as_deref(), &headers))
}

fn probe(code: StatusCode, status: &Status, text: String, is_json: bool) -> Response {
    if is_json { (code, Json(status)).into_response() } else { (code, text).into_response() }
}

fn wants_json(query: Option<&str>, headers: &HeaderMap) -> bool {
    let is_verbose = query.unwrap_or_default().split('&').any(|word| word == "verbose" || word.starts_with("verbose="));
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    is_verbose || accept.contains("application/json")
}

async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], shared.health.metrics.text()).into_response()
}

async fn others(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    match request.uri().path().strip_prefix("/callbacks/") {
        Some(given) if request.method() == Method::POST => {
            let door = shared.callbacks.as_ref().filter(|callbacks| callbacks.secret.is(given));
            let (verdict, response) = match door {
                Some(callbacks) => receive(callbacks, request.into_body(), shared.patience).await,
                // Its body stays unread: a stranger costs us nothing.
                None => (CallbackVerdict::Refused, nothing_here()),
            };
            shared.health.callback_received(verdict);
            response
        }
        _ => nothing_here(),
    }
}

/// Reads a callback that came to the right address. The sender's patience is not known, so nothing waits for the loop
/// (no page tells it; docs.tavus.io, October 2026).
async fn receive(callbacks: &Callbacks, body: Body, patience: Duration) -> (CallbackVerdict, Response) {
    let refused = |code: StatusCode, words: &'static str| (CallbackVerdict::Unreadable, (code, words).into_response());
    match tokio::time::timeout(patience, axum::body::to_bytes(body, BODY_LIMIT)).await {
        Err(_) => refused(StatusCode::REQUEST_TIMEOUT, "the body took too long\n"),
        Ok(Err(_)) => refused(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large, or was cut short\n"),
        Ok(Ok(body)) => match callbacks.hints.receive(&body) {
            CallbackVerdict::Unreadable => refused(StatusCode::BAD_REQUEST, "the body cannot be read\n"),
            verdict => (verdict, (StatusCode::ACCEPTED, "noted\n").into_response()),
        },
    }
}

fn nothing_here() -> Response {
    (StatusCode::NOT_FOUND, "not found\n").into_response()
}
