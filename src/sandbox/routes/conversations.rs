//! Conversations, as far as they prove that a face is accepted.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::request::{Answer, Call, Fields, Refusal, ok};
use crate::sandbox::Shared;
use crate::sandbox::catalogue;
use crate::sandbox::lifecycle::Quirks;
use crate::sandbox::records::{Change, ConversationRecord, face_time};
use crate::sandbox::world::World;

/// `POST /v2/conversations`. The face is checked in test mode too.
pub(super) async fn create(State(shared): State<Arc<Shared>>, call: Call, body: Bytes) -> Answer {
    call.done()?;
    let mut fields = Fields::read(&body, call.lenient)?;
    let face = either(&mut fields, "face_id", "replica_id")?;
    let pal_id = either(&mut fields, "pal_id", "persona_id")?;
    let is_test = fields.flag("test_mode")?.unwrap_or(false);
    let name = fields.text("conversation_name")?;
    let require_auth = fields.flag("require_auth")?.unwrap_or(false);
    let callback_url = fields.callback()?;
    read_rest(&mut fields)?;
    fields.done()?;
    let (now, mut store) = (shared.now(), shared.store());
    let world = store.world();
    let pal_face = match pal_id.as_deref().map(|id| world.pal(id)) {
        Some(None) => return Err(Refusal::message(StatusCode::BAD_REQUEST, "Invalid persona_id")),
        Some(Some(pal)) => pal.default_face_id.clone(),
        None => None,
    };
    let Some(face_id) = face.or(pal_face).filter(|id| is_usable(world, id, now)) else {
        // The old word is what the real service says on the new path too (seen in 2026).
        return Err(Refusal::message(StatusCode::BAD_REQUEST, "Invalid replica_uuid"));
    };
    let conversation = ConversationRecord {
        id: world.fresh_id('c', 13),
        name,
        face_id,
        pal_id,
        callback_url,
        require_auth,
        created_at: now,
        ended_at: is_test.then_some(now),
        end_reason: is_test.then(|| "test_mode".into()),
    };
    let mut answer = basics(&conversation);
    if require_auth {
        answer["meeting_token"] = format!("token-of-{}", conversation.id).into();
    }
    store.commit(Change::ConversationPut(conversation), now, false)?;
    ok(answer)
}

/// Takes a field under its new or its old name, not both.
fn either(fields: &mut Fields, new: &str, old: &str) -> Result<Option<String>, Refusal> {
    match (fields.text(new)?, fields.text(old)?) {
        (Some(_), Some(_)) => Err(Refusal::bad(format!("Only one of {new} and {old} may be provided"))),
        (new, old) => Ok(new.or(old)),
    }
}

/// Checks the form of what makes no difference here.
fn read_rest(fields: &mut Fields) -> Result<(), Refusal> {
    for name in ["conversational_context", "custom_greeting"] {
        fields.value(name).is_none_or(|value| value.is_string()).then_some(()).ok_or_else(|| not_text(name))?;
    }
    fields.flag("audio_only")?;
    fields.number("max_participants", 2)?;
    fields.link("meeting_url")?;
    for (name, allowed) in [("policy", &["eu"][..]), ("document_retrieval_strategy", &["speed", "quality", "balanced"])]
    {
        if fields.text(name)?.is_some_and(|word| !allowed.contains(&word.as_str())) {
            return Err(Refusal::bad(format!("{name} must be one of: {}", allowed.join(", "))));
        }
    }
    for name in ["memory_stores", "document_ids", "document_tags"] {
        fields.texts(name)?;
    }
    let mut properties = fields.object("properties")?;
    properties.number("max_call_duration", 1)?;
    properties.number("participant_left_timeout", 0)?;
    properties.number("participant_absent_timeout", 0)?;
    for name in ["enable_recording", "enable_closed_captions", "apply_greenscreen", "require_auth"] {
        properties.flag(name)?;
    }
    properties.texts("languages")?;
    properties.object("recording_storage")?;
    for name in ["language", "recording_s3_bucket_name", "recording_s3_bucket_region", "aws_assume_role_arn"] {
        properties.text(name)?;
    }
    properties.done()
}

fn not_text(name: &str) -> Refusal {
    Refusal::bad(format!("{name} must be a text"))
}

/// A preview counts as usable.
fn is_usable(world: &World, id: &str, now: Timestamp) -> bool {
    let is_trained =
        |training: crate::sandbox::lifecycle::Training| training.stage(now, &Quirks::default()).status == "completed";
    catalogue::stock_face(id).is_some() || world.face(id).is_some_and(|face| is_trained(face.training))
}

/// `GET /v2/conversations/{id}`.
pub(super) async fn show(State(shared): State<Arc<Shared>>, Path(id): Path<String>, mut call: Call) -> Answer {
    let verbose = call.flag("verbose")?;
    call.done()?;
    let store = shared.store();
    let conversation = find(store.world(), &id)?;
    let mut body = basics(conversation);
    body["face_id"] = conversation.face_id.as_str().into();
    body["pal_id"] = conversation.pal_id.as_deref().into();
    // Which spelling the real service answers with is not known: both.
    body["replica_id"] = body["face_id"].clone();
    body["persona_id"] = body["pal_id"].clone();
    body["updated_at"] = face_time(conversation.ended_at.unwrap_or(conversation.created_at));
    if verbose {
        let ended = conversation.ended_at.map(|at| {
            json!({
                "event_type": "system.shutdown",
                "timestamp": face_time(at),
                "properties": { "shutdown_reason": conversation.end_reason },
            })
        });
        body["events"] = ended.into_iter().collect();
    }
    ok(body)
}

/// `POST /v2/conversations/{id}/end`: 200, also for one that has ended.
pub(super) async fn end(State(shared): State<Arc<Shared>>, Path(id): Path<String>, call: Call) -> Answer {
    call.done()?;
    let (now, mut store) = (shared.now(), shared.store());
    let mut conversation = find(store.world(), &id)?.clone();
    if conversation.ended_at.is_none() {
        conversation.ended_at = Some(now);
        conversation.end_reason = Some("end_conversation_endpoint_hit".into());
        store.commit(Change::ConversationPut(conversation), now, false)?;
    }
    ok(json!({}))
}

fn find<'a>(world: &'a World, id: &str) -> Result<&'a ConversationRecord, Refusal> {
    world.conversation(id).ok_or_else(|| Refusal::bad("Invalid conversation_id"))
}

fn basics(conversation: &ConversationRecord) -> Value {
    json!({
        "conversation_id": conversation.id,
        "conversation_name": conversation.name,
        "conversation_url": format!("https://tavus.daily.co/{}", conversation.id),
        "status": if conversation.ended_at.is_some() { "ended" } else { "active" },
        "callback_url": conversation.callback_url.as_deref().unwrap_or(""),
        "created_at": face_time(conversation.created_at),
    })
}
