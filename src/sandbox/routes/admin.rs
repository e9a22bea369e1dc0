//! Looking behind the scenes and making drift by hand: `/_sandbox/…`, without a key, faults or counts.

use std::collections::HashSet;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, patch, post};
use axum::{Json, Router};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::pals;
use super::request::{Answer, Fields, Refusal, Words, ok};
use crate::sandbox::Shared;
use crate::sandbox::faults::FaultRule;
use crate::sandbox::ledger::Ledger;
use crate::sandbox::lifecycle::{Fate, Model, Source, Training, later};
use crate::sandbox::records::{Change, FaceRecord, PalRecord};
use crate::sandbox::script::Script;

/// More faces than this in one request are a mistake.
const MOST_FACES: u64 = 1_000_000;
/// More time than this at once is a mistake, too: ten years.
const MOST_AT_ONCE: SignedDuration = SignedDuration::from_hours(10 * 365 * 24);

pub(super) fn router() -> Router<Arc<Shared>> {
    Router::new()
        .route("/_sandbox/health", get(health))
        .route("/_sandbox/ledger", get(ledger))
        .route("/_sandbox/clock", post(clock))
        .route("/_sandbox/faults", post(faults))
        .route("/_sandbox/faces", post(add_faces))
        .route("/_sandbox/faces/{id}", patch(alter_face))
        .route("/_sandbox/pals", post(add_pal))
}

async fn health(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(json!({ "status": "ok", "now": shared.now() }))
}

async fn ledger(State(shared): State<Arc<Shared>>) -> Json<Ledger> {
    Json(shared.ledger())
}

/// Lets hours pass at once: `{"advance":"4h"}`, in hours, minutes and seconds. Time never goes back.
async fn clock(State(shared): State<Arc<Shared>>, body: Bytes) -> Answer {
    let mut fields = Fields::read(&body, false)?;
    let text = fields.text("advance")?;
    fields.done()?;
    let by: Option<SignedDuration> = text.and_then(|text| text.parse().ok());
    let by = by.filter(|by| (SignedDuration::ZERO..=MOST_AT_ONCE).contains(by));
    let by = by.ok_or_else(|| Refusal::bad("advance must be a time such as 4h or 90m, and at most ten years"))?;
    let now = shared.wind(by);
    // What is shown from now on is not to be younger again after a crash.
    shared.store().commit(Change::TimePassed, now, false)?;
    ok(json!({ "now": now }))
}

/// Puts an array of rules in the place of those that applied so far.
async fn faults(State(shared): State<Arc<Shared>>, body: Bytes) -> Answer {
    let texts: Vec<String> =
        serde_json::from_slice(&body).map_err(|_| Refusal::bad("The body must be an array of fault rules"))?;
    let rules: Result<Vec<FaultRule>, _> = texts.iter().map(|text| text.parse()).collect();
    *shared.script() = Script::new(rules.map_err(|error| Refusal::bad(error.to_string()))?);
    ok(json!({ "faults": texts }))
}

/// Adds many finished faces at once, which cost nothing: `{"count":10000,"model_name":"phoenix-4","name_prefix":"x"}`.
async fn add_faces(State(shared): State<Arc<Shared>>, body: Bytes) -> Answer {
    let mut fields = Fields::read(&body, false)?;
    let count = fields.number("count", 1)?.unwrap_or(1);
    let model = fields.text("model_name")?.unwrap_or_else(|| "phoenix-4".into());
    let model = Model::parse(&model).ok_or_else(|| Refusal::bad("Invalid model_name"))?;
    let prefix = fields.text("name_prefix")?.unwrap_or_else(|| "face".into());
    fields.done()?;
    if count > MOST_FACES {
        return Err(Refusal::bad(format!("count must be at most {MOST_FACES}")));
    }
    let (now, mut store) = (shared.now(), shared.store());
    let mut ids = HashSet::new();
    while (ids.len() as u64) < count {
        ids.insert(store.world().fresh_id('r', 11));
    }
    let mut ids: Vec<String> = ids.into_iter().collect();
    ids.sort_unstable();
    // A day is longer than any training that ends at all.
    let created_at = later(now, -24 * 3600);
    let added_at = store.world().last_added().map_or(now, |last| last.max(now));
    let face = |(number, id): (usize, &String)| FaceRecord {
        id: id.clone(),
        name: Some(format!("{prefix}-{number}")),
        training: Training { model, source: Source::Video, fate: Fate::Succeed, created_at },
        chosen_voice: None,
        recorded_voice: None,
        callback_url: None,
        added_at,
        touched_at: None,
        deleted_at: None,
    };
    let faces = ids.iter().enumerate().map(face).collect();
    store.commit(Change::FacesAdded { faces, paid: None, voice: None }, now, false)?;
    ok(json!({ "face_ids": ids }))
}

/// Does what somebody else might do: `{"face_name":…,"default_voice_id":…|null,"removed":true}`. Nothing is checked.
async fn alter_face(State(shared): State<Arc<Shared>>, Path(id): Path<String>, body: Bytes) -> Answer {
    let mut fields = Fields::read(&body, false)?;
    let name = fields.value("face_name");
    let voice = fields.value("default_voice_id");
    let is_removed = fields.flag("removed")?.unwrap_or(false);
    fields.done()?;
    let (now, mut store) = (shared.now(), shared.store());
    let face = store.world().face(&id);
    let mut face = face.ok_or_else(|| Refusal::error(StatusCode::NOT_FOUND, "No such face"))?.clone();
    if let Some(name) = name {
        face.name = name.as_str().map(str::to_owned);
    }
    if let Some(voice) = voice {
        face.chosen_voice = voice.as_str().map(str::to_owned);
    }
    face.touched_at = Some(now);
    face.deleted_at = is_removed.then_some(now);
    store.commit(Change::FaceChanged(face), now, false)?;
    ok(json!({}))
}

/// Adds a PAL of the account: `{"pal_name":…,"default_face_id":…}`.
async fn add_pal(State(shared): State<Arc<Shared>>, body: Bytes) -> Answer {
    let mut fields = Fields::read(&body, false)?;
    let name = fields.name("pal_name")?.unwrap_or_else(|| "PAL".into());
    let default_face_id = fields.text("default_face_id")?;
    fields.done()?;
    let (now, mut store) = (shared.now(), shared.store());
    let pal = PalRecord {
        id: store.world().fresh_id('p', 11),
        name,
        pal_type: "user".into(),
        default_face_id,
        created_at: now,
        updated_at: now,
    };
    let answer = pals::body(&pal, Words::New);
    store.commit(Change::PalPut(pal), now, false)?;
    ok(answer)
}
