//! Observed against recorded: what somebody else did.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::face::{
    Coverage, FaceKey, FaceName, Observed, ObservedFace, Presence, Recorded, RecordedFace, Token, TrainingStatus,
    VoiceId, is_alike, is_same_text, named_with, split_name,
};

/// One way in which a live face is not what we last applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Drift {
    /// It is gone: it was there, and a complete listing does not show it.
    Missing,
    /// It has another name.
    Renamed {
        /// What we last applied.
        recorded: String,
        /// What is live.
        live: String,
    },
    /// It speaks with another voice than the one we set.
    VoiceChanged {
        /// What we last applied.
        recorded: VoiceId,
        /// What is live.
        live: Option<VoiceId>,
    },
    /// It says to be of another model than the one it was created for.
    ModelDiffers {
        /// What it was created for.
        recorded: String,
        /// What is live.
        live: String,
    },
    /// Its training failed; the API's reason, if it gave one.
    Failed(Option<String>),
    /// Its tuning failed: it stays a preview for ever.
    TuningFailed,
}

impl Drift {
    /// Returns the word for it in reports.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Renamed { .. } => "renamed",
            Self::VoiceChanged { .. } => "voice changed",
            Self::ModelDiffers { .. } => "model differs",
            Self::Failed(_) => "failed",
            Self::TuningFailed => "tuning failed",
        }
    }
}

/// Drift of a whole project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DriftReport {
    /// Faces that drifted, by key, with every way in which they did.
    pub faces: BTreeMap<FaceKey, Vec<Drift>>,
    /// Recorded faces that were compared.
    pub compared: usize,
    /// Recorded faces that were not selected, of which nothing is said.
    pub left_out: usize,
    /// Live faces of the account that are not in the record.
    pub foreign: usize,
    /// Whether the listing showed everything; without that, nothing is called missing.
    pub coverage: Coverage,
}

impl DriftReport {
    /// Compares everything recorded with everything live.
    pub fn of(recorded: &Recorded, observed: &Observed) -> Self {
        let faces = recorded
            .faces
            .iter()
            .map(|(key, face)| (key.clone(), drift(face, presence(face, observed))))
            .filter(|(_, drift)| !drift.is_empty())
            .collect();
        let known: std::collections::BTreeSet<_> = recorded.faces.values().flat_map(RecordedFace::ids).collect();
        let foreign = observed.faces.keys().filter(|id| !known.contains(id)).count();
        Self { faces, compared: recorded.faces.len(), left_out: 0, foreign, coverage: observed.coverage.clone() }
    }

    /// Returns the same about a part of the recorded faces.
    #[must_use]
    pub fn only(mut self, recorded: &Recorded, is_selected: impl Fn(&FaceKey) -> bool) -> Self {
        self.faces.retain(|key, _| is_selected(key));
        self.compared = recorded.faces.keys().filter(|key| is_selected(key)).count();
        self.left_out = recorded.faces.len() - self.compared;
        self
    }
}

/// How long a new face may be missing from a complete listing before that means that it is gone: how soon it
/// shows is not documented, and the settle window of a create is two minutes.
const MAY_NOT_SHOW: SignedDuration = SignedDuration::from_mins(5);

/// Returns whether a recorded face is so young that its absence proves nothing yet. A creation that lies in
/// the future, because a clock was set back, counts as young: the mistake that costs is the other one.
pub(crate) fn may_not_show_yet(recorded: &RecordedFace, at: Timestamp) -> bool {
    !recorded.seen_usable && recorded.created_at.is_some_and(|created| at.duration_since(created) < MAY_NOT_SHOW)
}

/// Returns what a listing proves about a recorded face.
pub(crate) fn presence<'a>(recorded: &RecordedFace, observed: &'a Observed) -> Presence<'a> {
    match observed.presence(&recorded.id) {
        Presence::Gone if may_not_show_yet(recorded, observed.at) => Presence::Unknown,
        presence => presence,
    }
}

/// Returns every way in which a recorded face is not what we last applied.
pub fn drift(recorded: &RecordedFace, presence: Presence<'_>) -> Vec<Drift> {
    let live = match presence {
        Presence::Gone => return vec![Drift::Missing],
        Presence::Unknown => return Vec::new(),
        Presence::Present(live) => live,
    };
    // In full, so that a new field cannot be forgotten here.
    let ObservedFace { id: _, name, model, status, progress: _, error, default_voice, ownership: _, created_at: _ } =
        live;
    let mut drift = Vec::new();
    if !live_name_agrees(name.as_deref(), &recorded.name, recorded.token.as_ref()) {
        drift.push(Drift::Renamed { recorded: recorded.name.to_string(), live: name.clone().unwrap_or_default() });
    }
    if let Some(voice) = &recorded.default_voice
        && default_voice.as_ref() != Some(voice)
    {
        drift.push(Drift::VoiceChanged { recorded: voice.clone(), live: default_voice.clone() });
    }
    if let (Some(trained_from), Some(model)) = (&recorded.trained_from, model)
        && trained_from.model.as_str() != model
    {
        drift.push(Drift::ModelDiffers { recorded: trained_from.model.to_string(), live: model.clone() });
    }
    match status {
        TrainingStatus::Failed => drift.push(Drift::Failed(error.clone())),
        TrainingStatus::TuningFailed => drift.push(Drift::TuningFailed),
        TrainingStatus::Training | TrainingStatus::Preview | TrainingStatus::Ready | TrainingStatus::Unknown(_) => {}
    }
    drift
}

/// Returns whether a live name is the wanted one, with or without the creation token. A name that the
/// API does not show differs from nothing, and neither do spaces at its ends and another normal form of the same text:
/// the API may store names in the form it likes.
pub fn live_name_agrees(live: Option<&str>, wanted: &FaceName, token: Option<&Token>) -> bool {
    let Some(live) = live.map(str::trim) else { return true };
    is_same_text(live, wanted.as_str()) || token.is_some_and(|token| is_same_text(live, &named_with(wanted, token)))
}

/// Returns whether a live name is the wanted one to the eye, with the creation token: the token may leave it.
pub(crate) fn is_token_only(live: &str, wanted: &FaceName, token: &Token) -> bool {
    let (shown, found) = split_name(live);
    found.as_ref() == Some(token) && is_alike(shown, split_name(&named_with(wanted, token)).0)
}
