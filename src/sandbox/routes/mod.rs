//! The paths under `/v2`, new and legacy, the gate that every request to them passes, and the door in front of all.

mod admin;
mod conversations;
mod create;
mod door;
mod faces;
mod gate;
mod pals;
mod request;
mod voices;

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, patch, post};

use super::Shared;
use request::Refusal;

/// Builds the whole server.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    let mut api = Router::new()
        .route("/v2/voices", get(voices::list))
        .route("/v2/voices/{id}", get(voices::show).patch(voices::update))
        .route("/v2/conversations", post(conversations::create))
        .route("/v2/conversations/{id}", get(conversations::show))
        .route("/v2/conversations/{id}/end", post(conversations::end));
    for faces in ["/v2/faces", "/v2/replicas"] {
        api = api
            .route(faces, get(faces::list).post(create::create))
            .route(&format!("{faces}/{{id}}"), get(faces::show).patch(faces::update).delete(faces::delete))
            .route(&format!("{faces}/{{id}}/name"), patch(faces::rename));
    }
    for pals in ["/v2/pals", "/v2/personas"] {
        api = api.route(pals, get(pals::list)).route(&format!("{pals}/{{id}}"), get(pals::show).patch(pals::patch));
    }
    api.fallback(nothing_here)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(Arc::clone(&shared), gate::gate))
        .merge(admin::router())
        .layer(from_fn(door::door))
        .with_state(shared)
}

/// Unknown routes of the real service answer 404 (`/v2/account`, `/v2/usage`: seen in 2026).
async fn nothing_here() -> Refusal {
    Refusal::error(StatusCode::NOT_FOUND, "Not found")
}

async fn wrong_method() -> Refusal {
    Refusal::error(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed")
}
