//! A plan as programs read it.
//!
//! The outer shape is Terraform's (`terraform show -json`, "JSON Output Format"), so that a policy
//! written for it, such as "no more than two creates", reads ours; our own data is under `faces`.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::face::{Coverage, FaceId, TrainingInput, TrainingVoice};
use crate::plan::{Action, Create, Delete, Drift, FacePlan, Fate, Plan, Reason, Retired, Selection, Switch, Update};
use crate::state::Provenance;

use super::offline::{reason_in, unseen};
use super::words::{advice, input_changes, keep};

/// The version of the JSON form. The first number changes when a reader could break.
pub const PLAN_FORMAT_VERSION: &str = "1.0";

/// Returns a plan as JSON, with where the run that made it comes from. Holds no secret: links are shown without
/// their signatures.
pub fn plan_json(plan: &Plan, now: Timestamp, provenance: Option<&Provenance>) -> Value {
    let changes: Vec<Value> = plan.faces.iter().map(resource_change).collect();
    let drift: Vec<Value> = plan.faces.iter().filter(|face| !face.drift.is_empty()).map(resource_drift).collect();
    let mut value = json!({
        "format_version": PLAN_FORMAT_VERSION,
        "facectl_version": env!("CARGO_PKG_VERSION"),
        "timestamp": now.to_string(),
        "project": plan.project.as_str(),
        "digest": plan.is_for_approval().then(|| plan.digest().to_string()),
        "applyable": plan.is_applyable(),
        "complete": plan.basis.coverage == Coverage::Complete,
        "errored": false,
        "basis": plan.basis,
        "resource_changes": changes,
        "resource_drift": drift,
        "unseen": unseen(plan).iter().map(|(code, _)| code).collect::<Vec<_>>(),
        "faces": plan.faces.iter().map(|face| face_json(face, plan)).collect::<Vec<_>>(),
        "summary": plan.summary(),
        "duplicates": plan.duplicates,
        "retired": plan.retired.iter().map(retired_json).collect::<Vec<_>>(),
        "shortage": plan.shortage,
        "refusals": plan.refusals.iter().map(|refusal| json!({
            "setting": refusal.limit.setting(),
            "flag": refusal.limit.flag(),
            "allowed": refusal.allowed,
            "before": refusal.before.map(|before| json!({ "count": before.count, "period_secs": before.period.as_secs() })),
            "faces": refusal.faces,
        })).collect::<Vec<_>>(),
        "foreign_faces": plan.foreign,
        "selection": selection_json(&plan.policy.selection),
        "left_out": plan.left_out.count(),
        "left_out_with_changes": plan.left_out.unselected_with_changes,
    });
    if let Some(provenance) = provenance {
        value["provenance"] = json!(provenance);
    }
    value
}

/// Returns which part of the project was asked for; null for all of it.
pub(super) fn selection_json(selection: &Selection) -> Value {
    if selection.is_everything() {
        return Value::Null;
    }
    let Selection { targets, exclude, labels } = selection;
    json!({ "target": targets, "exclude": exclude, "selector": labels })
}

fn face_json(face: &FacePlan, plan: &Plan) -> Value {
    // In full, so that a new field cannot be forgotten here.
    let FacePlan { key, origin, id, name, model, action, reason: why, drift, status, wait_for } = face;
    let mut value = json!({
        "key": key.as_str(),
        "id": id.as_ref().map(FaceId::as_str),
        "face_name": name,
        "model_name": model,
        "action": action.word(),
        "symbol": action.symbol(),
        "paid": action.is_paid(),
        "reason": { "code": why.code(), "text": reason_in(plan, why) },
        "origin": origin,
        "status": status.as_ref().map(crate::face::TrainingStatus::shown),
        "wait_for": wait_for.map(|wait_for| wait_for.to_string()),
        "drift": drift.iter().map(drift_json).collect::<Vec<_>>(),
    });
    match action {
        Action::Create(create) | Action::Replace(create) => {
            value["token"] = json!(create.token);
            value["instead_of"] = json!(create.instead_of);
        }
        Action::Switch(Switch { from, to, pals }) => {
            value["switch"] = json!({ "from": from, "to": to, "pals": pals });
        }
        Action::GiveUp(id) => value["gives_up"] = json!(id),
        Action::Delete(Delete { faces, is_hard }) => value["deletes"] = json!({ "faces": faces, "hard": is_hard }),
        Action::Adopt(adopt) => value["token"] = json!(adopt.token),
        Action::Update(update) => value["changes"] = update_json(update),
        Action::NoOp | Action::Wait | Action::Forget | Action::Orphaned | Action::Blocked => {}
    }
    if let Reason::Blocked(block) = why {
        value["help"] = json!(advice(key.as_str(), block));
    }
    if let Some(changes) = input_changes(why) {
        value["input_changes"] = json!(changes);
    }
    value
}

/// Returns what became of a face that a key had before.
fn retired_json(retired: &Retired) -> Value {
    let Retired { key, id, left_at, fate } = retired;
    let (word, until, why) = match fate {
        Fate::Retained => ("retained", None, None),
        Fate::KeptUntil(until) => ("kept", Some(until), None),
        Fate::Prunable => ("prunable", None, None),
        Fate::Kept(why) => ("kept", None, Some(keep(why))),
        Fate::Delete { is_hard: false } => ("delete", None, None),
        Fate::Delete { is_hard: true } => ("hard_delete", None, None),
    };
    json!({ "key": key, "id": id, "left_at": left_at, "fate": word, "until": until, "why": why })
}

fn update_json(update: &Update) -> Value {
    let mut changes = Vec::new();
    if let Some(name) = &update.name {
        changes.push(
            json!({ "field": "face_name", "before": name.before(), "after": name.after(), "cause": name.cause() }),
        );
    }
    if let Some(voice) = &update.voice {
        changes.push(json!({ "field": "default_voice_id", "before": voice.before(), "after": voice.after(), "cause": voice.cause() }));
    }
    Value::Array(changes)
}

/// Returns one drift as JSON.
pub(super) fn drift_json(drift: &Drift) -> Value {
    let (recorded, live) = match drift {
        Drift::Missing | Drift::TuningFailed => (Value::Null, Value::Null),
        Drift::Renamed { recorded, live } | Drift::ModelDiffers { recorded, live } => (json!(recorded), json!(live)),
        Drift::VoiceChanged { recorded, live } => (json!(recorded), json!(live)),
        Drift::Failed(error) => (Value::Null, json!(error)),
    };
    json!({ "kind": drift.word().replace(' ', "_"), "recorded": recorded, "live": live })
}

fn resource_change(face: &FacePlan) -> Value {
    let (actions, before, after, unknown) = match &face.action {
        Action::Create(create) => (vec!["create"], Value::Null, after_create(create), json!({ "id": true })),
        Action::Update(update) => {
            let (mut before, mut after) = (identity(face), identity(face));
            if let Some(name) = &update.name {
                before.insert("face_name".into(), json!(name.before()));
                after.insert("face_name".into(), json!(name.after()));
            }
            if let Some(voice) = &update.voice {
                before.insert("default_voice_id".into(), json!(voice.before()));
                after.insert("default_voice_id".into(), json!(voice.after()));
            }
            (vec!["update"], Value::Object(before), Value::Object(after), json!({}))
        }
        // As Terraform shows "create_before_destroy".
        Action::Replace(create) => {
            let before = Value::Object(identity(face));
            (vec!["create", "delete"], before, after_create(create), json!({ "id": true }))
        }
        Action::Switch(Switch { from: _, to, pals: _ }) => {
            let mut after = identity(face);
            after.insert("id".into(), json!(to));
            (vec!["update"], Value::Object(identity(face)), Value::Object(after), json!({}))
        }
        Action::Delete(_) => (vec!["delete"], Value::Object(identity(face)), Value::Null, json!({})),
        Action::Forget => (vec!["forget"], Value::Object(identity(face)), Value::Null, json!({})),
        // Terraform has no word for the others: to it they are no change.
        Action::NoOp | Action::GiveUp(_) | Action::Adopt(_) | Action::Wait | Action::Orphaned | Action::Blocked => {
            (vec!["no-op"], Value::Object(identity(face)), Value::Object(identity(face)), json!({}))
        }
    };
    let mut change = json!({ "actions": actions, "before": before, "after": after, "after_unknown": unknown });
    if let Action::Adopt(adopt) = &face.action {
        change["importing"] = json!({ "id": adopt.id });
    }
    json!({
        "address": format!("tavus_face.{}", face.key),
        "mode": "managed",
        "type": "tavus_face",
        "name": face.key.as_str(),
        "change": change,
    })
}

fn resource_drift(face: &FacePlan) -> Value {
    json!({
        "address": format!("tavus_face.{}", face.key),
        "type": "tavus_face",
        "name": face.key.as_str(),
        "change": {
            "actions": if face.drift.contains(&Drift::Missing) { vec!["delete"] } else { vec!["update"] },
            "drift": face.drift.iter().map(drift_json).collect::<Vec<_>>(),
        },
    })
}

fn identity(face: &FacePlan) -> Map<String, Value> {
    let mut map = Map::new();
    map.insert("id".into(), json!(face.id.as_ref().map(FaceId::as_str)));
    map.insert("face_name".into(), json!(face.name));
    map.insert("model_name".into(), json!(face.model));
    map
}

fn after_create(create: &Create) -> Value {
    let crate::face::FaceSpec {
        face_name,
        model,
        training,
        default_voice,
        callback_url,
        green_screen,
        training_version,
        lifecycle,
    } = &create.spec;
    let mut value = json!({
        "face_name": face_name.as_str(),
        "model_name": model.as_str(),
        "default_voice_id": default_voice,
        "callback_url": callback_url.as_ref().map(crate::face::Link::shown_host),
        "properties": { "background_green_screen": green_screen },
        "training_version": training_version,
        "lifecycle": lifecycle,
    });
    match training {
        // Without a source nothing is created.
        None => {}
        Some(TrainingInput::Video { source }) => value["train_video_url"] = json!(source.shown()),
        Some(TrainingInput::Image { source, voice, auto_fix }) => {
            value["train_image_url"] = json!(source.shown());
            value["auto_fix_training_image"] = json!(auto_fix);
            match voice {
                TrainingVoice::Stock(slug) => value["voice_name"] = json!(slug),
                TrainingVoice::Id(id) => value["default_voice_id"] = json!(id),
            }
        }
    }
    value
}
