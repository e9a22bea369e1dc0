//! What the API showed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{FaceId, FaceKey, MaterialSight, PalId, Token, VoiceId, split_name};

/// What the API showed, when, and whether it was everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// When the listing began.
    pub at: Timestamp,
    /// Whether absence means anything.
    pub coverage: Coverage,
    /// How it came about.
    pub sight: Sight,
    /// Our own faces, by id. Stock faces are left out.
    pub faces: BTreeMap<FaceId, ObservedFace>,
    /// Which PALs use which face; none where nobody looked, as most plans need not know.
    pub pals: Option<ObservedPals>,
    /// What looks at training material showed, by the key of the face it is for; none where nobody looked, as most
    /// plans need not know.
    pub material: BTreeMap<FaceKey, MaterialSight>,
}

/// How a view of the live faces came about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Sight {
    /// The API was asked.
    #[default]
    #[serde(rename = "observed")]
    Live,
    /// The API was not asked: faces as they were last seen.
    #[serde(rename = "recorded")]
    LastSeen,
    /// Neither API nor state were asked: every face that the lock file knows is taken for live and as it is recorded
    /// there, and no other face for live. Good for a look at what manifests would change, and never to be applied.
    LockFile {
        /// Whether there was a lock file; without one, nothing was recorded.
        is_there: bool,
        /// How many faces it knows.
        #[serde(rename = "recorded_faces")]
        recorded: usize,
        /// When the last of them was created, as far as it says: how old it may be.
        #[serde(rename = "latest_created_at")]
        latest: Option<Timestamp>,
    },
}

impl Sight {
    /// Returns whether it was made from the lock file alone.
    pub fn is_offline(self) -> bool {
        matches!(self, Self::LockFile { .. })
    }
}

/// The PALs of the account, as far as their default face goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObservedPals {
    /// Why the listing is not the whole, if it is not: then nobody can say that a face is used by none.
    pub missing: Option<String>,
    /// The PALs that use a face, by face, in the order of their ids.
    pub by_face: BTreeMap<FaceId, Vec<Pal>>,
}

/// A PAL: the behaviour that uses a face.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Pal {
    /// Its id.
    pub id: PalId,
    /// Its name.
    pub name: String,
}

/// How much of the account a listing showed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "kind", content = "reason")]
pub enum Coverage {
    /// All of it: what is not there does not exist, or is younger than the listing.
    Complete,
    /// Part of it; the text says why. Nothing follows from absence.
    Partial(String),
}

/// What is known about one id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence<'a> {
    /// It was shown.
    Present(&'a ObservedFace),
    /// A complete listing did not show it.
    Gone,
    /// It was not shown, and the listing was not complete.
    Unknown,
}

/// One live face.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedFace {
    /// Its id.
    pub id: FaceId,
    /// Its name as it stands, with a token where there is one; the API may show none.
    pub name: Option<String>,
    /// Its model's word, also one that we do not know.
    pub model: Option<String>,
    /// How far its training is.
    pub status: TrainingStatus,
    /// How far its training is, as a number, where the API says it. For display only.
    pub progress: Option<Progress>,
    /// Why it failed, in the API's words, links redacted.
    pub error: Option<String>,
    /// The voice it speaks with now.
    pub default_voice: Option<VoiceId>,
    /// Whose it is.
    pub ownership: Ownership,
    /// When it was created, where the API says it in a form we can read.
    pub created_at: Option<Timestamp>,
}

/// How far a training is. Built from two words of the API in `tavus/wire.rs` and nowhere else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TrainingStatus {
    /// Not usable yet.
    Training,
    /// Usable with a watermark; its quality still improves (phoenix-4.5 only).
    Preview,
    /// Nothing more will change.
    Ready,
    /// Usable with a watermark for ever: the second stage failed (phoenix-4.5 only).
    TuningFailed,
    /// Not usable, and never will be.
    Failed,
    /// A word we do not know: kept, shown, never taken for ready and never for failed.
    Unknown(String),
}

impl TrainingStatus {
    /// Returns whether nothing more will change without somebody's doing.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Ready | Self::TuningFailed | Self::Failed)
    }

    /// Returns whether a conversation could be held with the face.
    pub fn is_usable(&self) -> bool {
        matches!(self, Self::Preview | Self::Ready | Self::TuningFailed)
    }

    /// Returns the word that people see.
    pub fn shown(&self) -> &str {
        match self {
            Self::Training => "training",
            Self::Preview => "preview",
            Self::Ready => "ready",
            Self::TuningFailed => "tuning failed",
            Self::Failed => "failed",
            Self::Unknown(word) => word,
        }
    }
}

/// Whose face it is, as the API says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ownership {
    /// `face_type: user`.
    User,
    /// `face_type: system`: from the stock catalogue, never touched.
    System,
    /// The API did not say. Not ours, unless our record or our token says so.
    Unsaid,
}

/// Training progress as a share, "20/100" on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Progress {
    /// Done so far.
    pub done: u32,
    /// Out of; never 0.
    pub total: u32,
}

impl Progress {
    /// Returns the share in per cent, 0 to 100.
    pub fn percent(self) -> u32 {
        let total = u64::from(self.total.max(1));
        u32::try_from((u64::from(self.done) * 100 / total).min(100)).unwrap_or(100)
    }
}

impl ObservedFace {
    /// Returns the name as people gave it, without a token.
    pub fn shown_name(&self) -> &str {
        self.name.as_deref().map_or("", |name| split_name(name).0)
    }

    /// Returns the creation token in its name, if there is one.
    pub fn token(&self) -> Option<Token> {
        self.name.as_deref().and_then(|name| split_name(name).1)
    }
}

impl Observed {
    /// Returns what this listing proves about an id.
    pub fn presence(&self, id: &FaceId) -> Presence<'_> {
        match (self.faces.get(id), self.gap()) {
            (Some(face), _) => Presence::Present(face),
            (None, None) => Presence::Gone,
            (None, Some(_)) => Presence::Unknown,
        }
    }

    /// Returns why nothing follows from absence, where nothing does. What was made from the lock file alone proves
    /// nothing either, but is there to be planned from as if it did.
    pub fn gap(&self) -> Option<&str> {
        match &self.coverage {
            Coverage::Partial(why) if !self.sight.is_offline() => Some(why),
            Coverage::Partial(_) | Coverage::Complete => None,
        }
    }

    /// Returns whether absence from this listing proves anything.
    pub fn is_complete(&self) -> bool {
        self.coverage == Coverage::Complete
    }
}
