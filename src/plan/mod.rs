//! Three views and a policy in, one plan out. Pure: no IO, no waiting, no clock, no randomness.
//!
//! Planning never fails. What blocks a face is an entry in the plan, so that a bad plan can still be read.

mod code;
mod decide;
mod digest;
mod drift;
mod in_place;
mod labels;
mod merge;
mod policy;
mod review;
mod selection;
mod summary;
#[cfg(test)]
pub(crate) mod tests;
mod views;

use jiff::Timestamp;
use serde::Serialize;

use crate::face::{
    Coverage, Desired, FaceId, FaceKey, FaceSpec, InputChange, Naming, Observed, Origin, ProjectName, Recorded, Token,
    TrainedFrom, TrainingStatus, VoiceId, WaitFor,
};

pub use digest::{DigestError, ExpectedDigest, PlanDigest};
pub use drift::{Drift, DriftReport, drift, live_name_agrees};
pub(crate) use drift::{may_not_show_yet, presence};
pub(crate) use in_place::{finishing, is_reached, naming_for};
pub use labels::{LabelSelector, SelectorError};
pub use merge::{Cause, Change};
pub use policy::{Limit, Policy, Refusal, Scope};
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
    /// Live faces that were created for one and the same intent: an incident, reported and left alone.
    pub duplicates: Vec<Duplicate>,
    /// What it was made under: limits, flags, and which part of the project was asked for.
    pub policy: Policy,
    /// What was left out, as only a part of the project was asked for.
    pub left_out: LeftOut,
    /// Limits that the plan breaks: it can be read, but not approved.
    pub refusals: Vec<Refusal>,
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
    /// A live face carries the token of this very intent.
    FoundByToken,
    /// A live face carries this key's token, made from earlier inputs.
    FoundByTokenOfEarlierInputs,
    /// Exactly one live face bears its name and model, and policy says to take it.
    FoundByName,
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
    /// Other training inputs are asked for, which needs a new face.
    NeedsReplacement {
        /// What differs; empty where only the token tells that something does.
        changes: Vec<InputChange>,
        /// Whether the face is protected.
        is_protected: bool,
    },
}

impl Action {
    /// Returns whether it starts a paid training.
    pub fn is_paid(&self) -> bool {
        matches!(self, Self::Create(_))
    }

    /// Returns whether `apply` changes anything by it, here or there.
    pub fn is_change(&self) -> bool {
        match self {
            Self::Create(_) | Self::Adopt(_) | Self::Update(_) | Self::Forget => true,
            Self::NoOp | Self::Wait | Self::Orphaned | Self::Blocked => false,
        }
    }

    /// Returns the word for it in plans and reports.
    pub fn word(&self) -> &'static str {
        match self {
            Self::NoOp => "no-op",
            Self::Create(_) => "create",
            Self::Adopt(_) => "adopt",
            Self::Update(_) => "update",
            Self::Wait => "wait",
            Self::Forget => "forget",
            Self::Orphaned => "orphaned",
            Self::Blocked => "blocked",
        }
    }

    /// Returns the sign in front of it in plans.
    pub fn symbol(&self) -> &'static str {
        match self {
            Self::NoOp => " ",
            Self::Create(_) => "+",
            Self::Adopt(_) => "<=",
            Self::Update(_) => "~",
            Self::Wait => "…",
            Self::Forget => ".",
            Self::Orphaned => "o",
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

impl Plan {
    /// Returns whether `apply` would change anything that is not housekeeping.
    pub fn has_changes(&self) -> bool {
        self.faces.iter().any(|face| face.action.is_change() && !face.is_housekeeping())
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
        duplicates: Vec::new(),
        policy: policy.clone(),
        left_out: LeftOut::default(),
        refusals: Vec::new(),
    };
    decide::fill(&mut plan, desired, recorded, observed, policy);
    plan.refusals = policy.refusals(&plan);
    plan
}

/// Returns the name a face is to have, whole: with its token while that is still needed.
pub(crate) fn wanted_name(spec: &FaceSpec, token: Option<&Token>, naming: Naming, is_needed: bool) -> (String, bool) {
    match token {
        Some(token) if naming == Naming::Marker || is_needed => (crate::face::named_with(&spec.face_name, token), true),
        _ => (spec.face_name.as_str().to_owned(), false),
    }
}
