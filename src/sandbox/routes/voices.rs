//! Voices: two shapes of row, as several generations of the real listing have them.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::request::{Answer, Call, Fields, Refusal, ok};
use crate::sandbox::Shared;
use crate::sandbox::catalogue::{STOCK_FACES, STOCK_VOICES};
use crate::sandbox::records::{Change, VoiceRecord, voice_time};
use crate::sandbox::world::World;

/// `GET /v2/voices`: stock rows without an id; with `source=all` the voices that have one as well.
pub(super) async fn list(State(shared): State<Arc<Shared>>, mut call: Call) -> Answer {
    let window = call.window()?;
    let search = call.text(&["search"]).map(|text| text.to_lowercase());
    let is_descending = call.word(&["sort"], &["asc", "desc"])?.as_deref() == Some("desc");
    let tag = call.text(&["tag"]);
    let is_all = call.word(&["source"], &["all"])?.is_some();
    call.done()?;
    let now = shared.now();
    let store = shared.store();
    let mut rows: Vec<(String, Value)> = STOCK_VOICES
        .iter()
        .enumerate()
        .filter(|(place, _)| tag.as_deref().is_none_or(|tag| stock_tag(*place).eq_ignore_ascii_case(tag)))
        .map(|(place, slug)| (slug.to_string(), stock_row(place, slug)))
        .collect();
    if is_all {
        let is_tagged = |voice: &&VoiceRecord| match &tag {
            Some(tag) => voice.tags.iter().any(|own| own.eq_ignore_ascii_case(tag)),
            None => true,
        };
        let own = store.world().voices().iter().filter(is_tagged);
        rows.extend(own.map(|voice| (voice.name.to_lowercase(), body(voice, now))));
    }
    rows.retain(|(name, _)| search.as_ref().is_none_or(|part| name.contains(part)));
    rows.sort_by(|one, other| one.0.cmp(&other.0));
    if is_descending {
        rows.reverse();
    }
    let total = rows.len();
    let data: Vec<Value> = rows.into_iter().skip(window.offset()).take(window.limit).map(|(_, row)| row).collect();
    ok(json!({ "data": data, "total_count": total, "page": window.page, "limit": window.limit }))
}

/// `GET /v2/voices/{id}`.
pub(super) async fn show(State(shared): State<Arc<Shared>>, Path(id): Path<String>, call: Call) -> Answer {
    call.done()?;
    ok(body(find(shared.store().world(), &id)?, shared.now()))
}

/// `PATCH /v2/voices/{id}`.
pub(super) async fn update(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    call: Call,
    bytes: Bytes,
) -> Answer {
    call.done()?;
    let mut fields = Fields::read(&bytes, call.lenient)?;
    if fields.is_empty() {
        return Err(Refusal::bad("At least one of voice_name, description and tags must be provided"));
    }
    let name = fields.name("voice_name")?;
    // Here null says something: it clears the text.
    let description = fields.has("description").then(|| fields.value("description").unwrap_or(Value::Null));
    let tags = fields.texts("tags")?;
    fields.done()?;
    let mut store = shared.store();
    let mut voice = find(store.world(), &id)?.clone();
    voice.name = name.unwrap_or(voice.name);
    voice.description = match description {
        None => voice.description,
        Some(Value::Null) => None,
        Some(Value::String(text)) if text.chars().count() <= 1000 => Some(text),
        Some(_) => return Err(Refusal::bad("description must be null or a text of at most 1000 characters")),
    };
    voice.tags = match tags {
        None => voice.tags,
        Some(tags) if tags.len() <= 50 && tags.iter().all(|tag| (1..=64).contains(&tag.chars().count())) => tags,
        Some(_) => return Err(Refusal::bad("tags must be at most 50 texts of 1 to 64 characters")),
    };
    let now = shared.now();
    let answer = body(&voice, now);
    store.commit(Change::VoicePut(voice), now, false)?;
    ok(answer)
}

fn find<'a>(world: &'a World, id: &str) -> Result<&'a VoiceRecord, Refusal> {
    world.voice(id).ok_or_else(|| Refusal::error(StatusCode::NOT_FOUND, "Voice not found"))
}

fn body(voice: &VoiceRecord, now: Timestamp) -> Value {
    json!({
        "voice_id": voice.id,
        "voice_name": voice.name,
        "description": voice.description,
        "voice_type": voice.voice_type,
        "status": if voice.is_completed(now) { "completed" } else { "started" },
        "tags": voice.tags,
        "created_at": voice_time(voice.created_at),
    })
}

fn stock_tag(place: usize) -> &'static str {
    ["warm", "narration", "young"][place % 3]
}

fn stock_row(place: usize, slug: &str) -> Value {
    json!({
        "voice_id": null,
        "voice_name": slug,
        "face_id": STOCK_FACES.get(place).map(|face| face.id.as_str()),
        "audio_url": null,
        "tags": [{ "tag_name": stock_tag(place) }, { "tag_name": "english" }],
    })
}
