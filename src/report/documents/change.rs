//! One face of a plan in the words of Terraform's JSON form.

use schemars::JsonSchema;
use serde::Serialize;

use crate::face::{FaceId, FaceKey, FaceSpec, Lifecycle, Link, TrainingInput, TrainingVoice, VoiceId, VoiceSlug};
use crate::plan::{Action, Create, Drift, FacePlan, Switch};

use super::drift::FaceDrift;

/// What Terraform calls a face of ours.
const TYPE: &str = "tavus_face";

/// What is to be done to one face.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ResourceChange<'a> {
    /// `tavus_face.KEY`
    address: String,
    /// Always `managed`.
    mode: &'static str,
    /// Always `tavus_face`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The key.
    name: &'a FaceKey,
    /// What changes.
    change: PlannedChange<'a>,
}

/// What changes about one face.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ResourceChangeDetail")]
struct PlannedChange<'a> {
    /// In the order in which it is done.
    actions: Vec<ActionWord>,
    /// What is live; null for a face that does not exist.
    before: Option<Attributes<'a>>,
    /// What is wanted; null for a face that goes.
    after: Option<Attributes<'a>>,
    /// What is known only once it is done.
    after_unknown: AfterUnknown,
    /// The live face that is taken into the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    importing: Option<Importing<'a>>,
}

/// Terraform's words. It has none for our other actions: to it they are no change.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum ActionWord {
    NoOp,
    Create,
    Update,
    Delete,
    Forget,
}

/// What is known only once it is done.
#[derive(Debug, Default, Serialize, JsonSchema)]
struct AfterUnknown {
    /// The id, which the server chooses.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<bool>,
}

/// The live face that is taken into the record.
#[derive(Debug, Serialize, JsonSchema)]
struct Importing<'a> {
    id: &'a FaceId,
}

/// A face in the words of the Create Face call.
#[derive(Debug, Default, Clone, Serialize, JsonSchema)]
#[schemars(rename = "FaceAttributes")]
struct Attributes<'a> {
    /// Left out where it is not known yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Option<&'a FaceId>>,
    face_name: &'a str,
    model_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_voice_id: Option<Option<&'a VoiceId>>,
    /// The host alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    callback_url: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    properties: Option<Properties>,
    #[serde(skip_serializing_if = "Option::is_none")]
    training_version: Option<Option<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lifecycle: Option<&'a Lifecycle>,
    /// Without its signature.
    #[serde(skip_serializing_if = "Option::is_none")]
    train_video_url: Option<String>,
    /// Without its signature.
    #[serde(skip_serializing_if = "Option::is_none")]
    train_image_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auto_fix_training_image: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    voice_name: Option<&'a VoiceSlug>,
}

/// `properties` of the Create Face call.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct Properties {
    background_green_screen: bool,
}

/// What somebody else changed about one face.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ResourceDrift<'a> {
    /// `tavus_face.KEY`
    address: String,
    /// Always `tavus_face`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The key.
    name: &'a FaceKey,
    /// What changed.
    change: DriftedChange<'a>,
}

/// What somebody else changed.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ResourceDriftDetail")]
struct DriftedChange<'a> {
    /// `delete` for a face that is gone, else `update`.
    actions: Vec<ActionWord>,
    /// Each field.
    drift: Vec<FaceDrift<'a>>,
}

impl<'a> ResourceChange<'a> {
    pub(super) fn of(face: &'a FacePlan) -> Self {
        let address = format!("{TYPE}.{}", face.key);
        Self { address, mode: "managed", kind: TYPE, name: &face.key, change: PlannedChange::of(face) }
    }
}

impl<'a> PlannedChange<'a> {
    fn of(face: &'a FacePlan) -> Self {
        let live = Attributes::live(face);
        let change = |actions, before, after| Self {
            actions,
            before,
            after,
            after_unknown: AfterUnknown::default(),
            importing: None,
        };
        let new = AfterUnknown { id: Some(true) };
        match &face.action {
            Action::Create(create) => {
                let after = Attributes::new(create);
                Self { after_unknown: new, ..change(vec![ActionWord::Create], None, Some(after)) }
            }
            Action::Update(update) => {
                let (mut before, mut after) = (live.clone(), live);
                if let Some(name) = &update.name {
                    (before.face_name, after.face_name) = (name.before(), name.after());
                }
                if let Some(voice) = &update.voice {
                    before.default_voice_id = Some(voice.before().as_ref());
                    after.default_voice_id = Some(voice.after().as_ref());
                }
                change(vec![ActionWord::Update], Some(before), Some(after))
            }
            // As Terraform shows "create_before_destroy".
            Action::Replace(create) => {
                let actions = vec![ActionWord::Create, ActionWord::Delete];
                Self { after_unknown: new, ..change(actions, Some(live), Some(Attributes::new(create))) }
            }
            Action::Switch(Switch { from: _, to, pals: _ }) => {
                let after = Attributes { id: Some(Some(to)), ..live.clone() };
                change(vec![ActionWord::Update], Some(live), Some(after))
            }
            Action::Delete(_) => change(vec![ActionWord::Delete], Some(live), None),
            Action::Forget => change(vec![ActionWord::Forget], Some(live), None),
            Action::Adopt(adopt) => Self {
                importing: Some(Importing { id: &adopt.id }),
                ..change(vec![ActionWord::NoOp], Some(live.clone()), Some(live))
            },
            Action::NoOp | Action::GiveUp(_) | Action::Wait | Action::Orphaned | Action::Blocked => {
                change(vec![ActionWord::NoOp], Some(live.clone()), Some(live))
            }
        }
    }
}

impl<'a> Attributes<'a> {
    /// Returns what tells a live face apart.
    fn live(face: &'a FacePlan) -> Self {
        Self { id: Some(face.id.as_ref()), face_name: &face.name, model_name: face.model.as_deref(), ..Self::default() }
    }

    /// Returns a face that is to be created.
    fn new(create: &'a Create) -> Self {
        let FaceSpec {
            face_name,
            model,
            training,
            default_voice,
            callback_url,
            green_screen,
            training_version,
            lifecycle,
        } = &create.spec;
        let plain = Self {
            id: None,
            face_name: face_name.as_str(),
            model_name: Some(model.as_str()),
            default_voice_id: Some(default_voice.as_ref()),
            callback_url: Some(callback_url.as_ref().map(Link::shown_host)),
            properties: Some(Properties { background_green_screen: *green_screen }),
            training_version: Some(training_version.as_deref()),
            lifecycle: Some(lifecycle),
            ..Self::default()
        };
        match training {
            // Without a source nothing is created.
            None => plain,
            Some(TrainingInput::Video { source }) => Self { train_video_url: Some(source.shown()), ..plain },
            Some(TrainingInput::Image { source, voice, auto_fix }) => {
                let (voice_name, default_voice_id) = match voice {
                    TrainingVoice::Stock(slug) => (Some(slug), plain.default_voice_id),
                    TrainingVoice::Id(id) => (None, Some(Some(id))),
                };
                Self {
                    train_image_url: Some(source.shown()),
                    auto_fix_training_image: Some(*auto_fix),
                    voice_name,
                    default_voice_id,
                    ..plain
                }
            }
        }
    }
}

impl<'a> ResourceDrift<'a> {
    pub(super) fn of(face: &'a FacePlan) -> Self {
        let is_gone = face.drift.contains(&Drift::Missing);
        Self {
            address: format!("{TYPE}.{}", face.key),
            kind: TYPE,
            name: &face.key,
            change: DriftedChange {
                actions: vec![if is_gone { ActionWord::Delete } else { ActionWord::Update }],
                drift: face.drift.iter().map(FaceDrift::of).collect(),
            },
        }
    }
}
