//! What the world is made of, and the changes it can go through. Both are written to disk as they stand here.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ledger::TrainingStarted;
use super::lifecycle::Training;
use super::table::Record;

/// A face of the account. What it shows is computed from its training when somebody looks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct FaceRecord {
    pub(super) id: String,
    pub(super) name: Option<String>,
    pub(super) training: Training,
    /// The voice set by somebody: at the creation from a photo, or by a change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) chosen_voice: Option<String>,
    /// The voice made from the recording; there once the training is over. Videos only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) recorded_voice: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) callback_url: Option<String>,
    /// When the sandbox got it: never earlier than that of the face before it.
    pub(super) added_at: Timestamp,
    /// The last change by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) touched_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) deleted_at: Option<Timestamp>,
}

impl Record for FaceRecord {
    fn id(&self) -> &str {
        &self.id
    }
}

impl FaceRecord {
    /// Returns the voice made from the recording, if it exists by now.
    pub(super) fn original_voice(&self, now: Timestamp) -> Option<&str> {
        let is_trained = self.training.trained().is_some_and(|step| step.succeeds && step.at <= now);
        self.recorded_voice.as_deref().filter(|_| is_trained)
    }

    /// Returns the voice in use.
    pub(super) fn default_voice(&self, now: Timestamp) -> Option<&str> {
        self.chosen_voice.as_deref().or_else(|| self.original_voice(now))
    }
}

/// A voice with an id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct VoiceRecord {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) voice_type: String,
    pub(super) tags: Vec<String>,
    pub(super) created_at: Timestamp,
    /// When it is finished; none: never.
    pub(super) ready_at: Option<Timestamp>,
}

impl Record for VoiceRecord {
    fn id(&self) -> &str {
        &self.id
    }
}

impl VoiceRecord {
    pub(super) fn is_completed(&self, now: Timestamp) -> bool {
        self.ready_at.is_some_and(|at| at <= now)
    }
}

/// A PAL, as far as faces go.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct PalRecord {
    pub(super) id: String,
    pub(super) name: String,
    /// `user`, `system`, or `other`, which neither filter shows.
    pub(super) pal_type: String,
    pub(super) default_face_id: Option<String>,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
}

impl Record for PalRecord {
    fn id(&self) -> &str {
        &self.id
    }
}

/// A conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct ConversationRecord {
    pub(super) id: String,
    pub(super) name: Option<String>,
    pub(super) face_id: String,
    pub(super) pal_id: Option<String>,
    pub(super) callback_url: Option<String>,
    pub(super) require_auth: bool,
    pub(super) created_at: Timestamp,
    pub(super) ended_at: Option<Timestamp>,
    pub(super) end_reason: Option<String>,
}

/// One change of the world; one line of the journal.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Change {
    /// New faces; `paid` is set where they start a training that costs money.
    FacesAdded {
        faces: Vec<FaceRecord>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        paid: Option<TrainingStarted>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        voice: Option<VoiceRecord>,
    },
    /// The whole face as it is from now on.
    FaceChanged(FaceRecord),
    /// The whole voice as it is from now on.
    VoicePut(VoiceRecord),
    /// The whole PAL as it is from now on.
    PalPut(PalRecord),
    /// The whole conversation as it is from now on.
    ConversationPut(ConversationRecord),
    /// Only time passed.
    TimePassed,
}

/// Writes a time as faces show it: with milliseconds and a Z.
pub(super) fn face_time(at: Timestamp) -> Value {
    at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string().into()
}

/// Writes a time as voices show it: microseconds, no zone.
pub(super) fn voice_time(at: Timestamp) -> Value {
    at.strftime("%Y-%m-%dT%H:%M:%S%.6f").to_string().into()
}
