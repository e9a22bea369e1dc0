//! `POST /v2/faces`: the one request that costs money.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use serde_json::json;
use url::Url;

use super::request::{Answer, Call, Fields, Refusal, Words, ok};
use crate::sandbox::Shared;
use crate::sandbox::callbacks::{remembered, without_secrets};
use crate::sandbox::catalogue;
use crate::sandbox::ledger::TrainingStarted;
use crate::sandbox::lifecycle::{Fate, Model, Source, Training, Verdict};
use crate::sandbox::records::{Change, FaceRecord, VoiceRecord};
use crate::sandbox::script::Switches;
use crate::sandbox::world::World;

/// A create that keeps to the contract.
struct Order {
    name: Option<String>,
    model: Model,
    source: Source,
    /// What may be remembered of the link.
    link: String,
    fate: Fate,
    default_voice: Option<String>,
    callback_url: Option<String>,
}

/// Starts a training. It is in the ledger and on disk before it is answered.
pub(super) async fn create(State(shared): State<Arc<Shared>>, call: Call, body: Bytes) -> Answer {
    call.done()?;
    let switches = shared.switches();
    let mut store = shared.store();
    let now = shared.now();
    let mut order = read(&call, &body, store.world(), now)?;
    order.name = order.name.map(|name| switches.stored(name));
    check_limits(store.world(), &switches, now)?;
    let (face, voice, paid) = book(order, store.world(), now);
    let answer = json!({ (call.words.face("id")): face.id, "status": "started" });
    store.commit(Change::FacesAdded { faces: vec![face.clone()], paid: Some(paid), voice }, now, true)?;
    drop(store);
    shared.callbacks().expect(&face, now);
    ok(answer)
}

/// Checks everything the contract says about the body.
fn read(call: &Call, body: &Bytes, world: &World, now: Timestamp) -> Result<Order, Refusal> {
    let mut fields = Fields::read(body, call.lenient)?;
    let (url, source) = read_source(&mut fields)?;
    let model = match fields.text("model_name")? {
        // The newest page says required, the August contract says phoenix-4.
        None => Model::Phoenix4,
        Some(word) => Model::parse(&word).ok_or_else(|| Refusal::bad(format!("Invalid model_name: {word}")))?,
    };
    if model == Model::Phoenix3 && source == Source::Image {
        return Err(Refusal::bad("phoenix-3 cannot be trained from an image"));
    }
    let default_voice = read_voice(&mut fields, source, world, now)?;
    let mut name = fields.name("face_name")?;
    if call.words == Words::Old || call.lenient {
        name = name.or(fields.name("replica_name")?);
    }
    let callback_url = fields.callback()?.map(remembered);
    if source == Source::Image {
        fields.flag("auto_fix_training_image")?;
    } else {
        // Legacy: taken, and of no effect.
        fields.link("consent_video_url")?;
    }
    let mut properties = fields.object("properties")?;
    properties.flag("background_green_screen")?;
    properties.done()?;
    fields.done()?;
    let fate = match Verdict::of(&url, model) {
        Verdict::Train(fate) => fate,
        Verdict::Unreachable => return Err(Refusal::bad("The training source could not be downloaded.")),
        Verdict::NotInPlan => return Err(Refusal::message(StatusCode::PAYMENT_REQUIRED, "Payment required")),
    };
    let link = without_secrets(url);
    Ok(Order { name, model, source, link, fate, default_voice, callback_url })
}

fn read_source(fields: &mut Fields) -> Result<(Url, Source), Refusal> {
    let (video, image) = (fields.link("train_video_url")?, fields.link("train_image_url")?);
    match (video, image) {
        (Some((_, url)), None) => Ok((url, Source::Video)),
        (None, Some((_, url))) => Ok((url, Source::Image)),
        (None, None) => Err(Refusal::bad("Either train_video_url or train_image_url must be provided.")),
        (Some(_), Some(_)) => Err(Refusal::bad("Only one of train_video_url and train_image_url may be provided.")),
    }
}

/// A photo has no sound and needs exactly one voice; a video brings its own.
fn read_voice(fields: &mut Fields, source: Source, world: &World, now: Timestamp) -> Result<Option<String>, Refusal> {
    let (slug, id) = (fields.text("voice_name")?, fields.text("default_voice_id")?);
    if let Some(slug) = slug.as_deref().filter(|slug| !catalogue::is_stock_voice(slug)) {
        return Err(Refusal::bad(format!("Invalid voice_name: {slug}")));
    }
    match (source, slug, id) {
        (Source::Video, _, None) => Ok(None),
        (Source::Video, _, Some(_)) => Err(Refusal::bad("default_voice_id cannot be used with train_video_url")),
        // Nowhere is it said that a voice chosen by its slug shows up as an id.
        (Source::Image, Some(_), None) => Ok(None),
        (Source::Image, None, Some(id)) => match world.voice(&id) {
            Some(voice) if voice.is_completed(now) => Ok(Some(id)),
            Some(_) => Err(Refusal::bad("default_voice_id is not ready yet")),
            None => Err(Refusal::bad("Invalid default_voice_id")),
        },
        (Source::Image, ..) => {
            Err(Refusal::bad("Exactly one of voice_name and default_voice_id must be provided with train_image_url"))
        }
    }
}

/// A failed face counts until it is deleted.
fn check_limits(world: &World, switches: &Switches, now: Timestamp) -> Result<(), Refusal> {
    if switches.slots.is_some_and(|slots| world.live_faces().count() as u64 >= slots) {
        return Err(Refusal::message(StatusCode::PAYMENT_REQUIRED, "Payment required"));
    }
    let is_running = |face: &&FaceRecord| {
        let steps = (face.training.trained(), face.training.tuned());
        steps.0.is_none_or(|step| step.at > now) || steps.1.is_some_and(|step| step.at > now)
    };
    if switches.concurrent.is_some_and(|most| world.live_faces().filter(is_running).count() as u64 >= most) {
        return Err(Refusal::message(StatusCode::BAD_REQUEST, "User has reached maximum concurrent trainings"));
    }
    Ok(())
}

/// Turns an order into what is written down.
fn book(order: Order, world: &World, now: Timestamp) -> (FaceRecord, Option<VoiceRecord>, TrainingStarted) {
    let Order { name, model, source, link, fate, default_voice, callback_url } = order;
    let training = Training { model, source, fate, created_at: now };
    let id = world.fresh_id('r', 11);
    let voice = (source == Source::Video).then(|| VoiceRecord {
        id: world.fresh_id('v', 12),
        name: name.clone().unwrap_or_else(|| id.clone()),
        description: None,
        voice_type: "user".into(),
        tags: Vec::new(),
        created_at: now,
        ready_at: training.trained().filter(|step| step.succeeds).map(|step| step.at),
    });
    let paid = TrainingStarted {
        face_id: id.clone(),
        face_name: name.clone(),
        model_name: model.word().into(),
        source: link,
        at: now,
    };
    let face = FaceRecord {
        id,
        name,
        training,
        chosen_voice: default_voice,
        recorded_voice: voice.as_ref().map(|voice| voice.id.clone()),
        callback_url,
        // The clock may have been wound back by hand; the order of the list must not suffer.
        added_at: world.last_added().map_or(now, |last| last.max(now)),
        touched_at: None,
        deleted_at: None,
    };
    (face, voice, paid)
}
