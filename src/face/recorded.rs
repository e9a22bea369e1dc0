//! What we last applied.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Attempt, FaceId, FaceKey, FaceName, Fingerprint, ObservedFace, OnRemoval, Progress, Token, TrainedFrom,
    TrainingStatus, VoiceId,
};

/// Everything we remember, under a lineage (which state) and a serial (which version of it).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recorded {
    /// Made once, when the state began. Two states with different lineages have nothing to do with each other.
    pub lineage: String,
    /// Grows by one with each settled step.
    pub serial: u64,
    /// The faces, by key.
    pub faces: BTreeMap<FaceKey, RecordedFace>,
    /// The creates that were begun and whose outcome is not known.
    pub open: BTreeMap<FaceKey, OpenCreate>,
}

/// One face in the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedFace {
    /// Its id. One id belongs to one key at most.
    pub id: FaceId,
    /// The name we last gave it, without a token.
    pub name: FaceName,
    /// The voice we last set by id; none where we never set one.
    pub default_voice: Option<VoiceId>,
    /// What it was made from; none for an imported face, whose inputs nobody knows.
    pub trained_from: Option<TrainedFrom>,
    /// Which attempt made it.
    pub attempt: Attempt,
    /// The token it was created under; none for an imported face.
    pub token: Option<Token>,
    /// Whether the token may still stand in the live name.
    pub token_in_name: bool,
    /// When its creation was settled.
    pub created_at: Option<Timestamp>,
    /// What the manifest last said about removal; it must be known when the manifest is gone.
    pub on_removal: OnRemoval,
    /// What the manifest last said about protection; it must be known when the manifest is gone.
    pub protect: bool,
    /// Whether it was ever seen usable: then a listing without it means that somebody deleted it.
    pub seen_usable: bool,
    /// How far its training was when we last looked. For `status` without a look.
    #[serde(default)]
    pub last_seen: Option<LastSeen>,
    /// Faces this key had before, which still exist as far as we know. Never deleted by ourselves.
    #[serde(default)]
    pub previous: Vec<FaceId>,
}

impl RecordedFace {
    /// Returns the fingerprint it was made from, where it is known.
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        self.trained_from.as_ref().map(TrainedFrom::fingerprint)
    }
}

/// How far a training was when we last looked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastSeen {
    /// When we looked.
    pub at: Timestamp,
    /// Its stage.
    pub status: TrainingStatus,
    /// Its share, where the API said it.
    pub progress: Option<Progress>,
}

impl RecordedFace {
    /// Returns the face with what a look at it showed; the same face if that is nothing new.
    #[must_use]
    pub fn seen(mut self, live: &ObservedFace, at: Timestamp) -> Self {
        self.seen_usable |= live.status.is_usable();
        let is_news =
            self.last_seen.as_ref().is_none_or(|last| last.status != live.status || last.progress != live.progress);
        if is_news {
            self.last_seen = Some(LastSeen { at, status: live.status.clone(), progress: live.progress });
        }
        self
    }
}

/// A create whose outcome we do not know yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenCreate {
    /// What it was sent under.
    pub token: Token,
    /// What it was to be made from.
    pub trained_from: TrainedFrom,
    /// When it was written down, before it was sent.
    pub begun_at: Timestamp,
    /// Why we do not know.
    pub doubt: Doubt,
}

/// Why the outcome of a create is not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "detail")]
pub enum Doubt {
    /// The process ended between writing it down and settling it.
    Unfinished,
    /// It was sent and no usable answer came; the text says what came instead.
    NoAnswer(String),
}
