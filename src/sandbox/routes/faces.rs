//! Listing, reading, changing and deleting faces.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::request::{Answer, Call, Fields, Refusal, Window, Words, is_id, ok};
use crate::sandbox::Shared;
use crate::sandbox::catalogue::{self, STOCK_FACES, StockFace};
use crate::sandbox::faults::PageTrick;
use crate::sandbox::lifecycle::{Model, Quirks};
use crate::sandbox::records::{Change, FaceRecord, face_time};
use crate::sandbox::script::Switches;
use crate::sandbox::world::{FaceFilter, World};

/// Stock faces were there before every account.
const STOCK_SINCE: &str = "2025-01-01T00:00:00.000Z";

/// `GET /v2/faces`: own faces newest first, then the stock catalogue.
pub(super) async fn list(State(shared): State<Arc<Shared>>, mut call: Call) -> Answer {
    let switches = shared.switches();
    let mut window = call.window()?;
    window.limit = switches.max_limit.map_or(window.limit, |most| window.limit.min(most.try_into().unwrap_or(100)));
    let verbose = call.flag("verbose")?;
    let face_type = call.word(&["face_type", "replica_type"], &["user", "system"])?;
    let model = match call.text(&["model_name"]) {
        Some(word) => Some(Model::parse(&word).ok_or_else(|| Refusal::bad("Invalid model_name"))?),
        None => None,
    };
    let ids = call.text(&["face_ids", "replica_ids"]);
    let ids: Option<Vec<String>> = ids.map(|ids| ids.split(',').map(|id| id.trim().to_owned()).collect());
    call.done()?;
    let stock: Vec<&StockFace> = match face_type.as_deref() {
        Some("user") => Vec::new(),
        _ => STOCK_FACES
            .iter()
            .filter(|face| model.is_none_or(|model| model.word() == face.model))
            .filter(|face| ids.as_ref().is_none_or(|ids| ids.contains(&face.id)))
            .collect(),
    };
    let shows_own = face_type.as_deref() != Some("system");
    let filter = FaceFilter { model, ids, lag: switches.lag, with_deleted: switches.still_listed };
    let now = shared.now();
    let store = shared.store();
    let own = store.world().listing(&filter, now);
    let own_count = if shows_own { own.len() } else { 0 };
    let cut = Cut::new(window, own_count + stock.len(), call.pages);
    let rows: Vec<Value> = cut
        .places()
        .filter_map(|place| match place.checked_sub(own_count) {
            Some(place) => stock.get(place).map(|face| stock_row(face, call.words, verbose)),
            None => own.get(place).map(|face| row(face, now, call.words, verbose, &switches.quirks)),
        })
        .map(Value::Object)
        .collect();
    // Not by `json!`, which makes a copy of every row.
    let mut page = Map::new();
    page.insert("data".into(), rows.into());
    page.insert("total_count".into(), cut.total.into());
    ok(page.into())
}

/// Which places of a listing one page shows.
struct Cut {
    first: usize,
    limit: usize,
    total: usize,
    is_reversed: bool,
}

impl Cut {
    /// A listing that changes between its pages is told apart from one that does not by nothing but its pages.
    fn new(window: Window, total: usize, trick: Option<PageTrick>) -> Self {
        let (first, limit) = (window.offset(), window.limit);
        let usual = Self { first, limit, total, is_reversed: false };
        match trick.filter(|_| window.page > 1) {
            Some(PageTrick::Shrink) => Self { first: first.saturating_add(1), total: total.saturating_sub(1), ..usual },
            Some(PageTrick::Grow) => Self { first: first - 1, total: total + 1, ..usual },
            Some(PageTrick::Reorder) => Self { is_reversed: window.page.is_multiple_of(2), ..usual },
            None => usual,
        }
    }

    fn places(&self) -> impl Iterator<Item = usize> {
        let (total, is_reversed) = (self.total, self.is_reversed);
        (self.first..self.first.saturating_add(self.limit))
            // With `grow` and `shrink` the total is off by one; places that do not exist show nothing.
            .take_while(move |place| !is_reversed || *place < total)
            .map(move |place| if is_reversed { total - 1 - place } else { place })
    }
}

/// `GET /v2/faces/{id}`.
pub(super) async fn show(State(shared): State<Arc<Shared>>, Path(id): Path<String>, mut call: Call) -> Answer {
    let verbose = call.flag("verbose")?;
    call.done()?;
    if let Some(face) = catalogue::stock_face(&id) {
        let mut body = stock_row(face, call.words, verbose);
        body.insert("error_message".into(), Value::Null);
        body.insert("updated_at".into(), STOCK_SINCE.into());
        return ok(body.into());
    }
    let (now, switches, store) = (shared.now(), shared.switches(), shared.store());
    let face = find(store.world(), &id, call.words, &switches)?;
    let mut body = row(face, now, call.words, verbose, &switches.quirks);
    let stage = face.training.stage(now, &switches.quirks);
    body.insert("error_message".into(), stage.error_message.into());
    let changed = face.training.changed_at(now);
    body.insert("updated_at".into(), face_time(face.touched_at.map_or(changed, |touched| touched.max(changed))));
    ok(body.into())
}

/// `PATCH /v2/faces/{id}`: only what is sent changes.
pub(super) async fn update(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    call: Call,
    body: Bytes,
) -> Answer {
    call.done()?;
    let mut fields = Fields::read(&body, call.lenient)?;
    if fields.is_empty() {
        return Err(Refusal::bad("At least one of face_name and default_voice_id must be provided"));
    }
    let name = take_name(&mut fields, call.words)?;
    let voice = fields.text("default_voice_id")?;
    fields.done()?;
    let (now, switches, mut store) = (shared.now(), shared.switches(), shared.store());
    let mut face = find(store.world(), &id, call.words, &switches)?.clone();
    match voice.as_deref().map(|voice| store.world().voice(voice)) {
        Some(None) => return Err(Refusal::bad("Invalid default_voice_id")),
        Some(Some(known)) if !known.is_completed(now) => return Err(Refusal::bad("default_voice_id is not ready yet")),
        _ => {}
    }
    face.name = name.map(|name| switches.stored(name)).or(face.name);
    face.chosen_voice = voice.or(face.chosen_voice);
    face.touched_at = Some(now);
    let answer = json!({
        (call.words.face("id")): face.id,
        (call.words.face("name")): face.name,
        "default_voice_id": face.default_voice(now),
        "original_voice_id": face.original_voice(now),
    });
    store.commit(Change::FaceChanged(face), now, false)?;
    ok(answer)
}

/// `PATCH /v2/faces/{id}/name`, the legacy way; the answer is nowhere described.
pub(super) async fn rename(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    call: Call,
    body: Bytes,
) -> Answer {
    call.done()?;
    let mut fields = Fields::read(&body, call.lenient)?;
    let name = take_name(&mut fields, call.words)?.ok_or_else(|| Refusal::bad("face_name must be provided"))?;
    fields.done()?;
    let (now, switches, mut store) = (shared.now(), shared.switches(), shared.store());
    let mut face = find(store.world(), &id, call.words, &switches)?.clone();
    face.name = Some(switches.stored(name));
    face.touched_at = Some(now);
    store.commit(Change::FaceChanged(face), now, false)?;
    ok(json!({}))
}

/// `DELETE /v2/faces/{id}`: final either way, and allowed at any time.
pub(super) async fn delete(State(shared): State<Arc<Shared>>, Path(id): Path<String>, mut call: Call) -> Answer {
    // Hard or soft: no difference can be seen from outside.
    call.flag("hard")?;
    call.done()?;
    let (now, switches, mut store) = (shared.now(), shared.switches(), shared.store());
    let mut face = find(store.world(), &id, call.words, &switches)?.clone();
    face.deleted_at = Some(now);
    store.commit(Change::FaceChanged(face), now, false)?;
    match switches.no_content {
        true => Ok(StatusCode::NO_CONTENT.into_response()),
        false => ok(json!({})),
    }
}

fn take_name(fields: &mut Fields, words: Words) -> Result<Option<String>, Refusal> {
    let new = fields.name("face_name")?;
    let old = if words == Words::Old || !fields.has("face_name") { fields.name("replica_name")? } else { None };
    Ok(new.or(old))
}

/// Finds an own face; a stock face cannot be changed and counts as foreign here.
fn find<'a>(world: &'a World, id: &str, words: Words, switches: &Switches) -> Result<&'a FaceRecord, Refusal> {
    let invalid = || format!("Invalid {}", words.face("id"));
    if !is_id(id) {
        return Err(Refusal::bad(invalid()));
    }
    let status = if switches.unknown_is_400 { StatusCode::BAD_REQUEST } else { StatusCode::NOT_FOUND };
    world.face(id).ok_or_else(|| Refusal::error(status, invalid()))
}

/// Returns whether an id names an own face or a stock face.
pub(super) fn is_known(world: &World, id: &str) -> bool {
    world.face(id).is_some() || catalogue::stock_face(id).is_some()
}

/// A listing's row. It has neither `error_message` nor `updated_at`: these come with the face itself.
fn row(face: &FaceRecord, now: Timestamp, words: Words, verbose: bool, quirks: &Quirks) -> Map<String, Value> {
    let stage = face.training.stage(now, quirks);
    let thumbnail = (stage.status == "completed").then(|| thumbnail(&face.id));
    let mut row = Map::new();
    row.insert(words.face("id"), face.id.as_str().into());
    row.insert(words.face("name"), face.name.as_deref().into());
    row.insert("thumbnail_video_url".into(), thumbnail.into());
    row.insert("training_progress".into(), format!("{}/100", stage.progress).into());
    row.insert("status".into(), stage.status.into());
    row.insert("finetune_status".into(), stage.finetune_status.into());
    row.insert("model_name".into(), face.training.model.word().into());
    row.insert("default_voice_id".into(), face.default_voice(now).into());
    row.insert("original_voice_id".into(), face.original_voice(now).into());
    row.insert("created_at".into(), face_time(face.training.created_at));
    if verbose {
        row.insert(words.face("type"), "user".into());
    }
    row
}

fn stock_row(face: &StockFace, words: Words, verbose: bool) -> Map<String, Value> {
    let mut row = Map::new();
    row.insert(words.face("id"), face.id.as_str().into());
    row.insert(words.face("name"), face.name.as_str().into());
    row.insert("thumbnail_video_url".into(), thumbnail(&face.id).into());
    row.insert("training_progress".into(), "100/100".into());
    row.insert("status".into(), "completed".into());
    row.insert("finetune_status".into(), (face.model == "phoenix-4.5").then_some("completed").into());
    row.insert("model_name".into(), face.model.into());
    row.insert("default_voice_id".into(), Value::Null);
    row.insert("original_voice_id".into(), Value::Null);
    row.insert("created_at".into(), STOCK_SINCE.into());
    if verbose {
        row.insert(words.face("type"), "system".into());
    }
    row
}

/// A link that leads nowhere, on a name that is reserved for that (RFC 2606).
fn thumbnail(id: &str) -> String {
    format!("https://cdn.tavus.invalid/thumbnails/{id}.mp4")
}
