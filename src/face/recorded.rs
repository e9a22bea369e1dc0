//! What we last applied.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::{
    Attempt, FaceId, FaceKey, FaceName, FaceSpec, Fingerprint, ObservedFace, OnRemoval, Progress, Token, TrainedFrom,
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
    /// The file that last declared it, seen from the project's folder: it must be known when the file is no manifest any
    /// more. None where nobody knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<String>,
    /// Whether it was ever seen usable: then a listing without it means that somebody deleted it.
    pub seen_usable: bool,
    /// How far its training was when we last looked. For `status` without a look.
    #[serde(default)]
    pub last_seen: Option<LastSeen>,
    /// The new face that is to take this one's place once it is ready. It has no successor of its own, and no
    /// faces before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub successor: Option<Box<RecordedFace>>,
    /// Faces this key had before, which still exist as far as we know, the latest last.
    #[serde(default, deserialize_with = "previous_faces")]
    pub previous: Vec<PreviousFace>,
    /// The inputs from which a person has rolled it back: they are not gone on to again before the manifest asks
    /// for others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolled_back_from: Option<Fingerprint>,
    /// The face from before that a person is going back to: written down before the first PAL is pointed to it, so
    /// that an end half-way is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub going_back_to: Option<FaceId>,
}

/// A face that a key had before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PreviousFace {
    /// Its id.
    pub id: FaceId,
    /// When another face took its place; none where an early version of facectl remembered the id alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_at: Option<Timestamp>,
    /// The name it had, without a token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<FaceName>,
    /// The voice we last set on it by id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_voice: Option<VoiceId>,
    /// What it was made from, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trained_from: Option<TrainedFrom>,
    /// Which attempt made it.
    pub attempt: Attempt,
    /// The token it was created under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Token>,
    /// Whether the token may still stand in the live name.
    pub token_in_name: bool,
    /// When its creation was settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Whether it was ever seen usable.
    #[serde(default)]
    pub seen_usable: bool,
    /// Whether it was ever the key's present face: only then `rollback` goes back to it by itself. An early version
    /// did not say it, and left no face that was not.
    #[serde(default = "has_served")]
    pub has_served: bool,
}

fn has_served() -> bool {
    true
}

/// Reads faces from before, of which an early version kept the ids alone.
///
/// # Errors
/// When one is neither an id nor a face.
pub(crate) fn previous_faces<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<PreviousFace>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OnDisk {
        Id(FaceId),
        Whole(Box<PreviousFace>),
    }
    let found = Vec::<OnDisk>::deserialize(deserializer)?;
    let read = |found| match found {
        OnDisk::Id(id) => PreviousFace::known_by_id(id),
        OnDisk::Whole(face) => *face,
    };
    Ok(found.into_iter().map(read).collect())
}

impl PreviousFace {
    /// Returns a face of which nothing but its id is known.
    pub fn known_by_id(id: FaceId) -> Self {
        Self {
            id,
            left_at: None,
            name: None,
            default_voice: None,
            trained_from: None,
            attempt: Attempt::FIRST,
            token: None,
            token_in_name: false,
            created_at: None,
            seen_usable: false,
            has_served: true,
        }
    }

    /// Returns the fingerprint it was made from, where it is known.
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        self.trained_from.as_ref().map(TrainedFrom::fingerprint)
    }
}

impl RecordedFace {
    /// Returns the fingerprint it was made from, where it is known.
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        self.trained_from.as_ref().map(TrainedFrom::fingerprint)
    }

    /// Returns whether nothing says that it was made from other inputs than are asked for: unknown never differs, on
    /// either side.
    pub fn is_made_for(&self, spec: &FaceSpec) -> bool {
        match (&self.trained_from, spec.trained_from()) {
            (Some(made), Some(wanted)) => made.changes_to(&wanted).is_empty(),
            _ => true,
        }
    }

    /// Returns the faces that a PAL may use in this key's name, other than `to`: the present one, and new ones that were
    /// left when some PALs were pointed to them already.
    pub fn in_use_but(&self, to: &FaceId) -> Vec<FaceId> {
        let next = self.successor.iter().map(|face| &face.id);
        let left = self.previous.iter().filter(|face| !face.has_served).map(|face| &face.id);
        std::iter::once(&self.id).chain(next).chain(left).filter(|id| *id != to).cloned().collect()
    }

    /// Returns every id that belongs to the key: the present face, the one that is to take its place, and those
    /// it had before.
    pub fn ids(&self) -> impl Iterator<Item = &FaceId> {
        let others = self.successor.iter().map(|face| &face.id).chain(self.previous.iter().map(|face| &face.id));
        std::iter::once(&self.id).chain(others)
    }

    /// Returns the face with this id: the present one, or the one that is to take its place.
    pub fn of_id_mut(&mut self, id: &FaceId) -> Option<&mut Self> {
        if self.id == *id {
            return Some(self);
        }
        self.successor.as_deref_mut().filter(|successor| successor.id == *id)
    }

    /// Returns the record of the key once a newly made (or found) face is beside the present one, which stays.
    /// One that was to take the place until now is left for it.
    #[must_use]
    pub fn with_successor(mut self, new: Self, at: Timestamp) -> Self {
        if let Some(left) = self.successor.take().filter(|left| left.id != new.id) {
            self.previous.push(left.given_up(at));
        }
        self.previous.retain(|face| face.id != new.id);
        self.rolled_back_from = None;
        Self { successor: Some(Box::new(new)), ..self }
    }

    /// Returns the record of the key once a newly made (or found) face is its present one. `is_gone` says that
    /// nothing is left of the one before.
    #[must_use]
    pub fn replaced_by(mut self, new: Self, is_gone: bool, at: Timestamp) -> Self {
        let mut previous = std::mem::take(&mut self.previous);
        previous.extend(self.successor.take().map(|left| left.given_up(at)));
        if !is_gone && !previous.iter().any(|face| face.id == self.id) {
            previous.push(self.left(at));
        }
        previous.retain(|face| face.id != new.id);
        Self { previous, ..new }
    }

    /// Returns the record without one of the live faces that are not the present one.
    #[must_use]
    pub fn without(mut self, id: &FaceId) -> Self {
        self.previous.retain(|face| face.id != *id);
        self.successor = self.successor.filter(|successor| successor.id != *id);
        self
    }

    /// Returns what is remembered of this face alone once another one takes its place.
    pub fn left(self, at: Timestamp) -> PreviousFace {
        let Self {
            id,
            name,
            default_voice,
            trained_from,
            attempt,
            token,
            token_in_name,
            created_at,
            on_removal: _,
            protect: _,
            manifest: _,
            seen_usable,
            last_seen: _,
            successor: _,
            previous: _,
            rolled_back_from: _,
            going_back_to: _,
        } = self;
        PreviousFace {
            id,
            left_at: Some(at),
            name: Some(name),
            default_voice,
            trained_from,
            attempt,
            token,
            token_in_name,
            created_at,
            seen_usable,
            has_served: true,
        }
    }

    /// Returns what is remembered of this face alone, which never took the place that it was made for.
    pub fn given_up(self, at: Timestamp) -> PreviousFace {
        PreviousFace { has_served: false, ..self.left(at) }
    }

    /// Returns every face of the key as one from before, the present one last.
    pub fn all_left(mut self, at: Timestamp) -> Vec<PreviousFace> {
        let mut all = std::mem::take(&mut self.previous);
        all.extend(self.successor.take().map(|next| next.given_up(at)));
        all.push(self.left(at));
        all
    }

    /// Returns the record of the key once its successor has taken this face's place, which is then a previous
    /// one; this record, if it has no successor.
    #[must_use]
    pub fn succeeded(mut self, at: Timestamp) -> Self {
        let Some(successor) = self.successor.take() else { return self };
        let (on_removal, protect, manifest) = (self.on_removal, self.protect, self.manifest.clone());
        let mut previous = std::mem::take(&mut self.previous);
        previous.retain(|face| face.id != successor.id);
        previous.push(self.left(at));
        Self { on_removal, protect, manifest, previous, rolled_back_from: None, going_back_to: None, ..*successor }
    }

    /// Returns the record of the key once it has gone back to a face it had before; the face it leaves and a
    /// successor are previous ones then. None if it never had that face.
    #[must_use]
    pub fn back_to(mut self, id: &FaceId, at: Timestamp) -> Option<Self> {
        let mut previous = std::mem::take(&mut self.previous);
        let place = previous.iter().position(|face| face.id == *id)?;
        let back = previous.remove(place);
        let (on_removal, protect, manifest) = (self.on_removal, self.protect, self.manifest.clone());
        previous.extend(self.successor.take().map(|successor| successor.given_up(at)));
        let name = back.name.clone().unwrap_or_else(|| self.name.clone());
        previous.push(self.left(at));
        let PreviousFace {
            id,
            left_at: _,
            name: _,
            default_voice,
            trained_from,
            attempt,
            token,
            token_in_name,
            created_at,
            seen_usable,
            has_served: _,
        } = back;
        Some(Self {
            id,
            name,
            default_voice,
            trained_from,
            attempt,
            token,
            token_in_name,
            created_at,
            on_removal,
            protect,
            manifest,
            seen_usable,
            last_seen: None,
            successor: None,
            previous,
            rolled_back_from: None,
            going_back_to: None,
        })
    }
}

/// How far a training was when we last looked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OpenCreate {
    /// What it was sent under.
    pub token: Token,
    /// What it was to be made from.
    pub trained_from: TrainedFrom,
    /// When it was written down, before it was sent.
    pub begun_at: Timestamp,
    /// Why we do not know.
    pub doubt: Doubt,
    /// The face whose place it was to take once it is ready; none where it was to be the key's face at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beside: Option<FaceId>,
}

/// Why the outcome of a create is not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "kind", content = "detail")]
pub enum Doubt {
    /// The process ended between writing it down and settling it.
    Unfinished,
    /// It was sent and no usable answer came; the text says what came instead.
    NoAnswer(String),
}
