//! Three views and a policy in, one plan out. Pure: no IO, no waiting, no clock, no randomness.
//!
//! Planning never fails. What blocks a face is an entry in the plan, so that a bad plan can still be read.

mod by_id;
mod code;
mod decide;
mod digest;
mod drift;
mod in_place;
mod labels;
mod merge;
mod policy;
mod replace;
mod retire;
mod review;
mod selection;
mod summary;
#[cfg(test)]
pub(crate) mod tests;
mod views;

use jiff::Timestamp;
use serde::Serialize;

use crate::face::{
    Coverage, Desired, FaceId, FaceKey, FaceSpec, InputChange, Naming, Observed, Origin, Pal, ProjectName, Recorded,
    Token, TrainedFrom, TrainingStatus, VoiceId, WaitFor,
};

pub use by_id::{NotAdoptable, adoptable};
pub use digest::{DigestError, ExpectedDigest, PlanDigest};
pub use drift::{Drift, DriftReport, drift, live_name_agrees};
pub(crate) use drift::{may_not_show_yet, presence};
pub(crate) use in_place::{finishing, is_reached, naming_for};
pub use labels::{LabelSelector, SelectorError};
pub use merge::{Cause, Change};
pub use policy::{Limit, Policy, Refusal, Scope, Shortage, Spent};
pub(crate) use replace::{may_serve, serving};
pub(crate) use retire::{refund_until, users};
pub use review::{Approved, Consent, NotApproved, review};
pub use selection::{KeyPattern, PatternError, Selection};
pub use summary::Summary;
pub(crate) use views::shared_tokens;

/// What is to be done to each face, and why. A plain value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Whose plan it is.
    pub project: ProjectName,
    /// What it stands on.
    pub basis: Basis,
    /// Each face exactly once, in the order of the keys.
    pub faces: Vec<FacePlan>,
    /// Live faces of the account that are not ours: counted, never touched.
    pub foreign: usize,
    /// Faces that the keys had before and that still live, in the order of the keys.
    pub retired: Vec<Retired>,
    /// Live faces that were created for one and the same intent: an incident, reported and left alone.
    pub duplicates: Vec<Duplicate>,
    /// What it was made under: limits, flags, and which part of the project was asked for.
    pub policy: Policy,
    /// What was left out, as only a part of the project was asked for.
    pub left_out: LeftOut,
    /// Limits that the plan breaks: it can be read, but not approved.
    pub refusals: Vec<Refusal>,
    /// Where the account is known to have too little room for what is to be trained.
    pub shortage: Option<Shortage>,
}

/// Faces that have no entry in a plan, as only a part of the project was asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// Faces that the manifests which were given do not declare: they may be declared in others.
    pub elsewhere: usize,
    /// Faces that were not selected.
    pub unselected: usize,
    /// Those of them that something would be done to, or that a person has to look at.
    pub unselected_with_changes: usize,
}

impl LeftOut {
    /// Returns how many faces they are.
    pub fn count(self) -> usize {
        let Self { elsewhere, unselected, unselected_with_changes: _ } = self;
        elsewhere + unselected
    }
}

/// What a plan stands on. When any of it has moved, the plan is stale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Basis {
    /// Which state.
    pub lineage: String,
    /// Which version of it.
    pub serial: u64,
    /// A hash over everything the manifests ask for.
    pub manifests: String,
    /// When the live faces were listed.
    pub observed_at: Timestamp,
    /// Whether the listing showed everything.
    pub coverage: Coverage,
}

/// What is to be done to one face.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FacePlan {
    /// Which face.
    pub key: FaceKey,
    /// Where it was written, unless it left the manifests.
    pub origin: Option<Origin>,
    /// The live face it is about, where there is one.
    pub id: Option<FaceId>,
    /// The name people know it by.
    pub name: String,
    /// Its model's word: the desired one, else the live one.
    pub model: Option<String>,
    /// What is to be done.
    pub action: Action,
    /// Why. People read it, the executor never branches on it.
    pub reason: Reason,
    /// What somebody else changed since we last applied.
    pub drift: Vec<Drift>,
    /// How far the live face's training is, where there is one.
    pub status: Option<TrainingStatus>,
    /// How far it is to be waited for; none for a face that left the manifests.
    pub wait_for: Option<WaitFor>,
}

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
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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

/// Why an action was chosen. A closed set; each action has exactly one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// All three views agree.
    Agrees,
    /// Nothing is recorded, and no live face answers to its token or name.
    New,
    /// The recorded face is gone, and policy says to train it again.
    RecreateMissing,
    /// Its training failed, and policy says to try again.
    RetryFailed(Option<String>),
    /// Its training failed, and the manifest asks for other inputs now.
    ChangedAfterFailure(Vec<InputChange>),
    /// The manifest asks for other training inputs than the live face was made from.
    InputsChanged(Vec<InputChange>),
    /// The training of the new face failed, and policy says to try again.
    RetryReplacement(Option<String>),
    /// The new face is gone, and policy says to train it again.
    RecreateReplacement,
    /// The new face is ready to take the present one's place.
    ReplacementReady,
    /// The new face that is to take the present one's place is in training.
    ReplacementTrains,
    /// A face from before was made from just what the manifest asks for now, and still lives.
    PreviousHasInputs,
    /// The manifest asks for what the present face was made from, or for something else than the new one.
    ReplacementNotWanted,
    /// A live face carries the token of this very intent.
    FoundByToken,
    /// A live face carries this key's token, made from earlier inputs.
    FoundByTokenOfEarlierInputs,
    /// Exactly one live face bears its name and model, and policy says to take it.
    FoundByName,
    /// Its manifest says by id which live face it is.
    DeclaredById,
    /// Its manifest says that only its key changed.
    Moved(FaceKey),
    /// Another key's manifest says that this key became that one.
    MovedTo(FaceKey),
    /// The manifest changed.
    ManifestChanged,
    /// Somebody else changed the live face.
    Drifted,
    /// The manifest changed, and somebody else changed the live face.
    ManifestChangedAndDrifted,
    /// The creation is durable and training is under way: the token has done its work.
    TokenLeavesName,
    /// The project wants the token in the name, and it is not there.
    TokenEntersName,
    /// Training goes on.
    TrainingGoesOn,
    /// It was created a moment ago, and the listing does not show it yet.
    NotShownYet,
    /// The face can be used as far as the manifest waits for; the rest goes on in the background.
    TrainingGoesOnUnawaited,
    /// It left the manifests.
    LeftManifests,
    /// It left the manifests, and may be deleted with `--prune`.
    LeftManifestsPrunable,
    /// It left the manifests, and something stands against its deletion.
    LeftManifestsKept(Keep),
    /// It left the manifests, `on_removal` says that it may go, and `--prune` was given.
    Pruned,
    /// It left the manifests and is gone.
    LeftManifestsAndGone,
    /// Blocked.
    Blocked(Block),
}

/// What blocks a face.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// A create was begun and nobody knows what became of it.
    InDoubt {
        /// When it was written down.
        begun_at: Timestamp,
        /// What came instead of an answer.
        why: Option<String>,
        /// What to look for.
        token: Token,
    },
    /// The recorded face is gone.
    Missing,
    /// Its training failed.
    Failed(Option<String>),
    /// It will never become more than a preview, and the manifest wants it ready.
    TuningFailed,
    /// The listing was not complete, so nothing proves that the face does not exist already.
    ListingIncomplete(String),
    /// Live faces bear its name, and none is known to be it.
    SameName(Vec<FaceId>),
    /// A live face carries the very token that would be sent, and another key's record holds it.
    HeldByOther {
        /// The live face.
        id: FaceId,
        /// The key that holds it.
        by: FaceKey,
    },
    /// A recorded face that is no longer declared was made from the very same inputs: its key was changed.
    Renamed(FaceKey),
    /// Its manifest names a live face by id, and that one cannot be taken.
    NotAdoptable {
        /// The face that the manifest names.
        id: FaceId,
        /// What stands against it.
        why: NotAdoptable,
    },
    /// Its manifest names a live face by id, and the key has another one.
    NamesAnother {
        /// The face that the manifest names.
        named: FaceId,
        /// The face that the key has.
        has: FaceId,
        /// Whether that one is recorded; otherwise it carries the key's token.
        is_recorded: bool,
    },
    /// A training would be needed, and nothing says what to train it from.
    NoSource,
    /// The material lies on a host that is reserved for examples: the training could only fail.
    ExampleHost(String),
    /// Other training inputs are asked for, which needs a new face, and this one is protected.
    ProtectedFromReplacement {
        /// What differs; empty where only the token tells that something does.
        changes: Vec<InputChange>,
    },
    /// The training of the new face failed; the present one stays.
    ReplacementFailed(Option<String>),
    /// The tuning of the new face failed, and the manifest wants it ready; the present one stays.
    ReplacementTuningFailed,
    /// The new face is gone; the present one stays.
    ReplacementMissing,
    /// A person went back to the present face, and the manifest still asks for what they left.
    RolledBack,
    /// Which PALs use the present face could not be found out, so it cannot be replaced in them.
    PalsUnknown(String),
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

impl FacePlan {
    /// Returns whether only the creation token is to leave (or enter) the name: what was approved with the
    /// creation, done by whatever runs next, and no change that anybody has to hear about.
    pub fn is_housekeeping(&self) -> bool {
        matches!(self.reason, Reason::TokenLeavesName | Reason::TokenEntersName)
    }
}

impl Retired {
    /// Returns whether it is to be deleted.
    pub fn is_deleted(&self) -> bool {
        matches!(self.fate, Fate::Delete { .. })
    }
}

impl Plan {
    /// Returns whether `apply` would change anything that is not housekeeping.
    pub fn has_changes(&self) -> bool {
        self.faces.iter().any(|face| face.action.is_change() && !face.is_housekeeping())
            || self.retired.iter().any(Retired::is_deleted)
    }

    /// Returns the live faces that it deletes, each with its key.
    pub fn deletions(&self) -> impl Iterator<Item = (&FaceKey, &FaceId)> {
        let left = self.faces.iter().filter_map(|face| match &face.action {
            Action::Delete(delete) => Some(delete.faces.iter().map(|id| (&face.key, id))),
            _ => None,
        });
        let retired = self.retired.iter().filter(|retired| retired.is_deleted());
        left.flatten().chain(retired.map(|retired| (&retired.key, &retired.id)))
    }

    /// Returns whether it matters which PALs use which face: a face is to be left, or to be deleted.
    pub fn needs_pals(&self) -> bool {
        let is_left = |face: &FacePlan| {
            matches!(face.action, Action::Replace(_) | Action::Switch(_) | Action::Delete(_))
                || matches!(face.reason, Reason::ReplacementTrains | Reason::LeftManifestsKept(Keep::PalsUnknown(_)))
                || matches!(face.reason, Reason::Blocked(Block::PalsUnknown(_)))
        };
        let is_going =
            |retired: &Retired| retired.is_deleted() || matches!(retired.fate, Fate::Kept(Keep::PalsUnknown(_)));
        self.faces.iter().any(is_left) || self.retired.iter().any(is_going)
    }

    /// Returns the faces that nothing may be done to before a person has, and why.
    pub fn blocks(&self) -> impl Iterator<Item = (&FacePlan, &Block)> {
        self.faces.iter().filter_map(|face| match &face.reason {
            Reason::Blocked(block) => Some((face, block)),
            _ => None,
        })
    }
}

/// Compares what is asked for with what is recorded and what is live, and says what to do to each face.
///
/// # Guarantees
/// The same views and policy give the same plan, each face stands in it once, and nothing that is
/// neither recorded nor carries this project's token is touched.
pub fn plan(desired: &Desired, recorded: &Recorded, observed: &Observed, policy: &Policy) -> Plan {
    let mut plan = Plan {
        project: desired.project.clone(),
        basis: Basis {
            lineage: recorded.lineage.clone(),
            serial: recorded.serial,
            manifests: desired.digest.clone(),
            observed_at: observed.at,
            coverage: observed.coverage.clone(),
        },
        faces: Vec::new(),
        foreign: 0,
        retired: Vec::new(),
        duplicates: Vec::new(),
        policy: policy.clone(),
        left_out: LeftOut::default(),
        refusals: Vec::new(),
        shortage: None,
    };
    decide::fill(&mut plan, desired, recorded, observed, policy);
    plan.refusals = policy.refusals(&plan);
    plan.shortage = policy.shortage(&plan, observed);
    plan
}

/// Returns the name a face is to have, whole: with its token while that is still needed.
pub(crate) fn wanted_name(spec: &FaceSpec, token: Option<&Token>, naming: Naming, is_needed: bool) -> (String, bool) {
    match token {
        Some(token) if naming == Naming::Marker || is_needed => (crate::face::named_with(&spec.face_name, token), true),
        _ => (spec.face_name.as_str().to_owned(), false),
    }
}
