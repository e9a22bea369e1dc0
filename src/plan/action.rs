//! What is to be done to a face.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::face::{FaceId, FaceKey, FaceSpec, Pal, Token, TrainedFrom, VoiceId};

use super::Change;

/// What is to be done to a face. A closed set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    NoOp,
    /// Start a training, which costs.
    Create(Box<Create>),
    /// Start the training of a face that is to take the present one's place once it is ready, which costs.
    Replace(Box<Create>),
    /// Put another face of the key in the present one's place: first in the PALs, then in the record.
    Switch(Switch),
    /// Stop going on to a new face: it stays alive, as one of those from before.
    GiveUp(FaceId),
    /// Take a live face into the record.
    Adopt(Adopt),
    /// Change name or voice in place.
    Update(Update),
    /// Look again later.
    Wait,
    /// Drop it from the record: it left the manifests, and no live face is left of it.
    Forget,
    /// It left the manifests and lives on. Listed, nothing is done.
    Orphaned,
    /// Delete the live face, and drop it from the record.
    Delete(Delete),
    /// Nothing may be done before a person has.
    Blocked,
}

/// A training to be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Create {
    /// What the face is to be.
    pub spec: FaceSpec,
    /// What its creation is recognised by.
    pub token: Token,
    /// What it will have been made from.
    pub trained_from: TrainedFrom,
    /// The face it takes the place of, which is left alive.
    pub instead_of: Option<FaceId>,
    /// A new face that was to take the place until now, and is left for this one.
    pub gives_up: Option<FaceId>,
}

impl Create {
    /// Returns whether it is what was approved. A version of the material that was not known then may be known by now,
    /// and the same content may lie there under another one; another content was not approved.
    pub fn is_as_approved(&self, approved: &Self) -> bool {
        let trained_from =
            TrainedFrom { revision: approved.trained_from.revision.clone(), ..self.trained_from.clone() };
        let is_same_but_for_version = Self { trained_from, ..self.clone() } == *approved;
        is_same_but_for_version && approved.trained_from.revised(&self.trained_from).is_none()
    }
}

impl Action {
    /// Returns whether it is what was approved.
    pub fn is_as_approved(&self, approved: &Self) -> bool {
        match (self, approved) {
            (Self::Create(now), Self::Create(then)) | (Self::Replace(now), Self::Replace(then)) => {
                now.is_as_approved(then)
            }
            _ => self == approved,
        }
    }
}

/// Another face of the key is to take the present one's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Switch {
    /// The present face.
    pub from: FaceId,
    /// The face that takes its place: usable, and one of this key's.
    pub to: FaceId,
    /// The PALs that use the present face and are pointed to the other one first; none where they are to be left
    /// alone (`lifecycle.repoint_pals: false`) or were not looked at.
    pub pals: Option<Vec<Pal>>,
}

/// Live faces to be deleted. None of them is in use by a PAL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delete {
    /// The live faces, in the order in which they are deleted.
    pub faces: Vec<FaceId>,
    /// Whether stored material goes too.
    pub is_hard: bool,
}

/// A face that a key had before, and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retired {
    /// Whose it was.
    pub key: FaceKey,
    /// The live face.
    pub id: FaceId,
    /// When another one took its place, where that is known.
    pub left_at: Option<Timestamp>,
    /// What becomes of it.
    pub fate: Fate,
}

/// What becomes of a face that a key had before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// Kept: `on_removal` says so.
    Retained,
    /// Kept, to roll back to, until then.
    KeptUntil(Timestamp),
    /// It may be deleted, with `--prune`.
    Prunable,
    /// Kept: something stands against its deletion.
    Kept(Keep),
    /// Deleted.
    Delete {
        /// Whether stored material goes too.
        is_hard: bool,
    },
}

/// Why a face is not deleted although it may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keep {
    /// It is protected.
    Protected,
    /// PALs use it.
    UsedByPals(Vec<Pal>),
    /// Which PALs use it could not be found out.
    PalsUnknown(String),
    /// Its training failed less than a day ago: deleting it now may lose the refund (documentation on training
    /// failures, docs.tavus.io, 2026). Until then.
    FailedLately(Timestamp),
    /// The listing of live faces was not complete.
    ListingIncomplete(String),
    /// Nothing is declared at all, and `--allow-empty` was not given.
    NothingDeclared,
    /// A create of its key is in doubt.
    InDoubt,
    /// Files were skipped among the manifests, so that it may be declared in one of them. Never empty.
    ManifestsUnread(Vec<String>),
    /// The file that declared it is there, and was not read as its manifest.
    FileStillThere(String),
    /// The record of another key holds it too.
    HeldBy(FaceKey),
    /// A key that is declared and not recorded asks for just what it was made from: only the key was changed, as it
    /// seems.
    LooksRenamed(FaceKey),
    /// The manifest asks for what it was made from, and the present face is another one.
    AskedFor,
    /// The present face of its key may not be what is asked for, and this one may be: nobody knows what is in the file,
    /// or which version of the object lies there.
    MaterialUnknown,
    /// The present face of its key is missing, failed or in training: this one is all there is to go back to.
    PresentNotUsable,
}

/// A live face to be taken into the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adopt {
    /// The live face.
    pub id: FaceId,
    /// The creation token in its name; none when it was found by name.
    pub token: Option<Token>,
    /// What it was made from, if the token says that it was made from today's inputs.
    pub trained_from: Option<TrainedFrom>,
    /// The key it was recorded under until now, where only the key changed.
    pub moved_from: Option<FaceKey>,
    /// The present face, whose place it is to take once it is ready.
    pub beside: Option<FaceId>,
}

/// A change in place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// The live face.
    pub id: FaceId,
    /// The name, whole, as it stands and as it is to be.
    pub name: Option<Change<String>>,
    /// The default voice, as it stands and as it is to be.
    pub voice: Option<Change<Option<VoiceId>>>,
    /// Whether the new name still carries the creation token.
    pub token_in_name: bool,
}

/// Two or more live faces that were created for one intent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Duplicate {
    /// Which face.
    pub key: FaceKey,
    /// The token they share.
    pub token: Token,
    /// The one that is kept: the recorded one, else the oldest, else the one whose id sorts first.
    pub kept: FaceId,
    /// The others, which are left alone.
    pub others: Vec<FaceId>,
}

impl Action {
    /// Returns whether it starts a paid training.
    pub fn is_paid(&self) -> bool {
        self.training().is_some()
    }

    /// Returns the training that it starts, if it does.
    pub fn training(&self) -> Option<&Create> {
        match self {
            Self::Create(create) | Self::Replace(create) => Some(create),
            _ => None,
        }
    }

    /// Returns whether `apply` changes anything by it, here or there.
    pub fn is_change(&self) -> bool {
        match self {
            Self::Create(_)
            | Self::Replace(_)
            | Self::Switch(_)
            | Self::GiveUp(_)
            | Self::Adopt(_)
            | Self::Update(_)
            | Self::Forget
            | Self::Delete(_) => true,
            Self::NoOp | Self::Wait | Self::Orphaned | Self::Blocked => false,
        }
    }

    /// Returns the word for it in plans and reports.
    pub fn word(&self) -> &'static str {
        match self {
            Self::NoOp => "no-op",
            Self::Create(_) => "create",
            Self::Replace(_) => "replace",
            Self::Switch(_) => "switch",
            Self::GiveUp(_) => "give up replacement",
            Self::Adopt(_) => "adopt",
            Self::Update(_) => "update",
            Self::Wait => "wait",
            Self::Forget => "forget",
            Self::Orphaned => "orphaned",
            Self::Delete(_) => "delete",
            Self::Blocked => "blocked",
        }
    }

    /// Returns the sign in front of it in plans.
    pub fn symbol(&self) -> &'static str {
        match self {
            Self::NoOp => " ",
            Self::Create(_) => "+",
            Self::Replace(_) => "-/+",
            Self::Switch(_) => "->",
            Self::GiveUp(_) => "x",
            Self::Adopt(_) => "<=",
            Self::Update(_) => "~",
            Self::Wait => "…",
            Self::Forget => ".",
            Self::Orphaned => "o",
            Self::Delete(_) => "-",
            Self::Blocked => "!",
        }
    }
}

impl Retired {
    /// Returns whether it is to be deleted.
    pub fn is_deleted(&self) -> bool {
        matches!(self.fate, Fate::Delete { .. })
    }
}
