//! Three views and a policy in, one plan out. Pure: no IO, no waiting, no clock, no randomness.
//!
//! Planning never fails. What blocks a face is an entry in the plan, so that a bad plan can still be read.

mod action;
mod adopt;
mod by_id;
mod code;
mod decide;
mod digest;
mod drift;
mod in_place;
mod labels;
mod material;
mod merge;
mod policy;
mod reason;
mod replace;
mod restrain;
mod retire;
mod review;
mod selection;
mod since;
mod summary;
#[cfg(test)]
pub(crate) mod tests;

mod views;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::face::{
    Coverage, Desired, FaceId, FaceKey, FaceSpec, Finding, Naming, Observed, Origin, ProjectName, Recorded, Sight,
    Token, TrainingStatus, WaitFor,
};

pub use action::{Action, Adopt, Create, Delete, Duplicate, Fate, Keep, Retired, Switch, Update};
pub use by_id::{NotAdoptable, adoptable};
pub use digest::{DigestError, ExpectedDigest, PlanDigest};
pub use drift::{Drift, DriftReport, drift, live_name_agrees};
pub(crate) use drift::{is_token_only, may_not_show_yet, presence};
pub(crate) use in_place::{finishing, is_reached, naming_for};
pub use labels::{LabelSelector, SelectorError};
pub use material::{SourceChange, needs_revision};
pub use merge::{Cause, Change};
pub use policy::{Limit, Policy, Refusal, Scope, Shortage, Spent};
pub use reason::{Block, Reason};
pub(crate) use replace::{may_serve, serving};
pub use restrain::{HeldBack, Restraint, Withheld};
pub(crate) use retire::{refund_until, users};
pub use review::{Approved, Consent, NotApproved, review};
pub use selection::{KeyPattern, PatternError, Selection};
pub use since::{ChangedBy, Commit, Since};
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
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
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
    /// How the view of the live faces came about.
    #[serde(flatten)]
    pub sight: Sight,
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
    /// What was found about the material of a training that is to be paid for, and does not stop it.
    pub advice: Vec<Finding>,
    /// How the object it was trained from changed since, where the manifest asks for nothing to follow from that.
    pub source_change: Option<SourceChange>,
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
            || self.retired.iter().any(Retired::is_deleted)
    }

    /// Returns whether it can be approved at all: there is something to do, it breaks no limit, and it stands on what
    /// the API showed.
    pub fn is_applyable(&self) -> bool {
        self.has_changes() && self.refusals.is_empty() && self.is_for_approval()
    }

    /// Returns whether it may be approved as far as the way goes in which it was made: what stands on the lock file
    /// alone is for looking at, and what is limited by a revision cannot be asked for by `apply`.
    pub fn is_for_approval(&self) -> bool {
        !self.basis.sight.is_offline() && self.policy.selection.since.is_none()
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
            matches!(face.action, Action::Replace(_) | Action::Switch(_) | Action::GiveUp(_) | Action::Delete(_))
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
            sight: observed.sight,
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
