//! What happens to every request under `/v2` before and after its own route: counting, faults, the key.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::request::Refusal;
use crate::sandbox::Shared;
use crate::sandbox::faults::{Fault, Operation};
use crate::sandbox::socket::Line;

/// How long a request hangs, in real time, if its client is more patient.
const HANG: Duration = Duration::from_secs(120);
/// Larger bodies are refused; no documented request comes near it.
const LARGEST_BODY: usize = 1 << 20;

/// Lets a request through to its route, or does to it what the rules say.
pub(super) async fn gate(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(line): ConnectInfo<Line>,
    request: Request,
    next: Next,
) -> Response {
    let operation = Operation::of(request.method().as_str(), request.uri().path());
    let treatment = shared.script().treat(operation);
    shared.store().count(operation.word());
    let mut request = match in_full(request).await {
        Ok(request) => request,
        Err(refusal) => return refusal.into_response(),
    };
    if let Some(trick) = treatment.pages {
        request.extensions_mut().insert(trick);
    }
    let answer = match treatment.fault {
        Some(fault) => broken(fault, operation, &shared, &line, request, next).await,
        None => effect(&shared, request, next).await,
    };
    if !treatment.slow.is_zero() {
        pause(&shared, treatment.slow).await;
    }
    shared.tick(shared.now());
    answer
}

/// Reads the whole body first: whatever happens to the connection later, the request has arrived by then.
async fn in_full(request: Request) -> Result<Request, Refusal> {
    let (parts, body) = request.into_parts();
    match to_bytes(body, LARGEST_BODY).await {
        Ok(bytes) => Ok(Request::from_parts(parts, Body::from(bytes))),
        Err(_) => Err(Refusal::error(StatusCode::PAYLOAD_TOO_LARGE, "The body is too large")),
    }
}

/// Does what was asked for, if the key is right.
async fn effect(shared: &Shared, request: Request, next: Next) -> Response {
    let key = request.headers().get("x-api-key").and_then(|key| key.to_str().ok()).unwrap_or("");
    let is_right = match &shared.api_key {
        Some(right) => key == right,
        None => !key.is_empty() && !key.starts_with("wrong") && !key.starts_with("bad"),
    };
    if !is_right {
        return Refusal::message(StatusCode::UNAUTHORIZED, "Invalid access token").into_response();
    }
    next.run(request).await
}

async fn broken(
    fault: Fault,
    operation: Operation,
    shared: &Arc<Shared>,
    line: &Line,
    request: Request,
    next: Next,
) -> Response {
    match fault {
        Fault::Status { status, retry_after, after_effect } => {
            if after_effect {
                effect(shared, request, next).await;
            }
            status_page(status, retry_after.as_deref(), operation)
        }
        Fault::Html { after_effect } => {
            if after_effect {
                effect(shared, request, next).await;
            }
            html_page(StatusCode::BAD_GATEWAY)
        }
        Fault::Html200 => {
            effect(shared, request, next).await;
            html_page(StatusCode::OK)
        }
        Fault::DropAfterEffect => {
            effect(shared, request, next).await;
            cut(line)
        }
        Fault::DropBeforeEffect => cut(line),
        Fault::LateEffect(after) => {
            let shared = Arc::clone(shared);
            tokio::spawn(async move {
                shared.clock.sleep(after).await;
                effect(&shared, request, next).await;
            });
            cut(line)
        }
        Fault::Truncate => truncated(effect(shared, request, next).await, line).await,
        Fault::HalfPair => half_paired(effect(shared, request, next).await).await,
        Fault::Hang => {
            effect(shared, request, next).await;
            pause(shared, HANG).await;
            cut(line)
        }
        Fault::Redirect => redirect(&request),
        // Treated apart: they need no broken answer.
        Fault::Slow(_) | Fault::Pages(_) | Fault::Switch(_) => effect(shared, request, next).await,
    }
}

/// Waits in real time: a client's time-outs run on the machine's clock too. Ends early with the sandbox.
async fn pause(shared: &Shared, length: Duration) {
    let mut stopped = shared.stopped.clone();
    tokio::select! {
        () = tokio::time::sleep(length) => {}
        _ = stopped.wait_for(|stop| *stop) => {}
    }
}

/// Closes the connection; the answer is made for hyper's sake and never gets out.
fn cut(line: &Line) -> Response {
    line.cut();
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

/// Announces the whole body and sends half of it.
async fn truncated(answer: Response, line: &Line) -> Response {
    let (parts, body) = answer.into_parts();
    match to_bytes(body, usize::MAX).await {
        Ok(bytes) if !bytes.is_empty() => {
            line.cut_in_body(bytes.len() / 2);
            Response::from_parts(parts, Body::from(bytes))
        }
        _ => cut(line),
    }
}

/// Spoils the first name in an answer.
async fn half_paired(answer: Response) -> Response {
    let (mut parts, body) = answer.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let name = br#"_name":""#;
    let place = bytes.windows(name.len()).position(|window| window == name).map(|at| at + name.len());
    let (before, after) = bytes.split_at(place.unwrap_or(0));
    let half: &[u8] = if place.is_some() { br"\ud83d" } else { b"" };
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from([before, half, after].concat()))
}

fn status_page(status: u16, retry_after: Option<&str>, operation: Operation) -> Response {
    let body: Value = match (status, operation) {
        (401, _) => json!({ "message": "Invalid access token" }),
        (402, Operation::Conversation) => json!({ "message": "The user is out of conversational credits." }),
        (402, _) => json!({ "message": "Payment required" }),
        (429, _) => json!({ "error": "Too many requests" }),
        (409, Operation::Pals) => json!({ "conflict": "maker_changes" }),
        _ => json!({ "error": format!("The sandbox was told to answer {status}") }),
    };
    // Rules name statuses from 400 to 599 only; all of them are valid.
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = (status, Json(body)).into_response();
    if let Some(value) = retry_after.and_then(|after| HeaderValue::from_str(after).ok()) {
        answer.headers_mut().insert(header::RETRY_AFTER, value);
    }
    answer
}

fn html_page(status: StatusCode) -> Response {
    let page = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n\
                <body><center><h1>502 Bad Gateway</h1></center></body>\r\n</html>\r\n";
    (status, [(header::CONTENT_TYPE, "text/html")], page).into_response()
}

/// Points at the other spelling of the same path, where the request would be served.
fn redirect(request: &Request) -> Response {
    let path = request.uri().path();
    let target = match path.strip_prefix("/v2/faces") {
        Some(rest) => format!("/v2/replicas{rest}"),
        None => path.replacen("/v2/pals", "/v2/personas", 1),
    };
    let target = match request.uri().query() {
        Some(query) => format!("{target}?{query}"),
        None => target,
    };
    (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, target)]).into_response()
}
