//! PALs, as far as their default face goes.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde_json::{Value, json};

use super::faces::is_known;
use super::request::{Answer, Call, Refusal, Words, ok};
use crate::sandbox::Shared;
use crate::sandbox::records::{Change, PalRecord, face_time};
use crate::sandbox::world::World;

/// `GET /v2/pals`: oldest first. Some are in neither filter, as seen in 2026.
pub(super) async fn list(State(shared): State<Arc<Shared>>, mut call: Call) -> Answer {
    let window = call.window()?;
    let pal_type = call.word(&["pal_type", "persona_type"], &["user", "system"])?;
    let is_descending = call.word(&["sort"], &["asc", "desc"])?.as_deref() == Some("desc");
    call.done()?;
    let store = shared.store();
    let is_wanted = |pal: &&PalRecord| pal_type.as_ref().is_none_or(|wanted| *wanted == pal.pal_type);
    let mut pals: Vec<&PalRecord> = store.world().pals().iter().filter(is_wanted).collect();
    if is_descending {
        pals.reverse();
    }
    let total = pals.len();
    let page = pals.into_iter().skip(window.offset()).take(window.limit);
    let data: Vec<Value> = page.map(|pal| body(pal, call.words)).collect();
    ok(json!({ "data": data, "total_count": total }))
}

/// `GET /v2/pals/{id}`: the object itself; by a rule inside a `data` array, as the published contract has it.
pub(super) async fn show(State(shared): State<Arc<Shared>>, Path(id): Path<String>, call: Call) -> Answer {
    call.done()?;
    let is_wrapped = shared.switches().pal_envelope;
    let body = body(find(shared.store().world(), &id)?, call.words);
    ok(if is_wrapped { json!({ "data": [body] }) } else { body })
}

/// `PATCH /v2/pals/{id}`: a JSON Patch; it applies at once.
pub(super) async fn patch(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    mut call: Call,
    bytes: Bytes,
) -> Answer {
    let is_forced = call.flag("force")?;
    call.done()?;
    let switches = shared.switches();
    let (now, mut store) = (shared.now(), shared.store());
    let before = find(store.world(), &id)?;
    if before.pal_type != "user" {
        return Err(invalid());
    }
    let mut pal = before.clone();
    let mut is_elsewhere = false;
    for step in steps(&bytes)? {
        is_elsewhere |= step.apply(&mut pal, store.world(), call.lenient)?;
    }
    if pal == *before && !is_elsewhere {
        // HTTP allows no body here, whatever the published contract says.
        return Ok(StatusCode::NOT_MODIFIED.into_response());
    }
    if switches.pal_conflict && !is_forced {
        let body = json!({ "conflict": "maker_changes", "message": "The PAL has unpublished changes" });
        return Err(Refusal::body(StatusCode::CONFLICT, body));
    }
    pal.updated_at = now;
    let mut answer = body(&pal, call.words);
    if switches.pal_conflict {
        answer["discarded_maker_changes"] = true.into();
    }
    store.commit(Change::PalPut(pal), now, false)?;
    ok(answer)
}

/// One step of a JSON Patch (RFC 6902), of the three kinds the contract allows.
struct Step {
    operation: String,
    path: String,
    value: Value,
}

fn steps(bytes: &[u8]) -> Result<Vec<Step>, Refusal> {
    let malformed = || Refusal::message(StatusCode::UNPROCESSABLE_ENTITY, "Invalid JSON patch format");
    let Ok(Value::Array(steps)) = serde_json::from_slice(bytes) else { return Err(malformed()) };
    if steps.is_empty() {
        return Err(malformed());
    }
    let read = |step: &Value| {
        let text = |name: &str| step.get(name).and_then(Value::as_str).map(str::to_owned);
        let step = Step { operation: text("op")?, path: text("path")?, value: step.get("value")?.clone() };
        matches!(step.operation.as_str(), "add" | "replace" | "test").then_some(step)
    };
    steps.iter().map(|step| read(step).ok_or_else(malformed)).collect()
}

impl Step {
    /// Returns whether it changed something that is not modelled here.
    fn apply(self, pal: &mut PalRecord, world: &World, lenient: bool) -> Result<bool, Refusal> {
        // The server translates the old word (documentation, 2026).
        if !matches!(self.path.as_str(), "/default_face_id" | "/default_replica_id") {
            if lenient
                && self.path == "/pal_name"
                && let Some(name) = self.value.as_str()
            {
                pal.name = name.into();
                return Ok(true);
            }
            return match lenient {
                true => Ok(self.operation != "test"),
                false => Err(Refusal::bad(format!("Unknown path: {}", self.path))),
            };
        }
        if self.operation == "test" {
            return match self.value == json!(pal.default_face_id) {
                true => Ok(false),
                false => Err(Refusal::bad("JSON patch test failed")),
            };
        }
        if self.operation == "replace" && pal.default_face_id.is_none() {
            return Err(Refusal::bad("There is no default_face_id to replace"));
        }
        match self.value {
            Value::String(id) if is_known(world, &id) => pal.default_face_id = Some(id),
            _ => return Err(Refusal::bad("Invalid replica_uuid")),
        }
        Ok(false)
    }
}

/// Finds a PAL of any kind; one that is not ours says the same as one that does not exist.
fn find<'a>(world: &'a World, id: &str) -> Result<&'a PalRecord, Refusal> {
    world.pal(id).ok_or_else(invalid)
}

fn invalid() -> Refusal {
    Refusal::bad("Invalid persona_id")
}

/// The fields faces care about.
pub(super) fn body(pal: &PalRecord, words: Words) -> Value {
    let face = if words == Words::New { "default_face_id" } else { "default_replica_id" };
    json!({
        (words.pal("id")): pal.id,
        (words.pal("name")): pal.name,
        face: pal.default_face_id,
        "created_at": face_time(pal.created_at),
        "updated_at": face_time(pal.updated_at),
    })
}
