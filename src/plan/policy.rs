//! What a plan may do, and how much of it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use crate::face::{Check, FaceKey, Observed, Ownership};

use super::{Plan, Selection};

/// What flags and the project's settings allow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// Take over a live own face that alone bears the same name and model.
    pub adopt_by_name: bool,
    /// Train these again when they are missing.
    pub recreate: BTreeSet<FaceKey>,
    /// Train these again when their training failed.
    pub retry: BTreeSet<FaceKey>,
    /// Train these although a live face bears their name, or looks like them under another key.
    pub create_new: BTreeSet<FaceKey>,
    /// Go on to these again although a person went back from them.
    pub roll_forward: BTreeSet<FaceKey>,
    /// Delete what left the manifests, or was replaced long enough ago, where `on_removal` says so.
    pub prune: bool,
    /// Prune also where nothing at all is declared.
    pub allow_empty: bool,
    /// Prune failed faces also within a day of their failure.
    pub prune_failed: bool,
    /// The most trainings that one plan may start; none: no limit.
    pub max_trainings: Option<u32>,
    /// What counts against `max_trainings` besides the plan: trainings that were started lately.
    pub trainings_before: Option<Spent>,
    /// The most faces that one plan may delete; none: no limit.
    pub max_deletions: Option<u32>,
    /// What counts against `max_deletions` besides the plan: faces that were deleted lately.
    pub deletions_before: Option<Spent>,
    /// How many faces of one's own the account has room for; none where nobody said it.
    pub face_slots: Option<u32>,
    /// Whether a training from a host that is reserved for examples is refused: it could only fail. In a rehearsal
    /// nothing is fetched, so nothing is refused.
    pub refuses_example_hosts: bool,
    /// Questions that are not asked of training material before it is paid for.
    pub skip_preflight: BTreeSet<Check>,
    /// Files that were skipped among the manifests, and what `spec.manifests` names and is not there: nobody can say then
    /// what left the manifests, and nothing is deleted.
    pub unread: Vec<String>,
    /// Faces that are not declared although the file that declared them is there: they are not deleted.
    pub still_there: BTreeMap<FaceKey, String>,
    /// How much of the project the manifests cover.
    pub scope: Scope,
    /// Which faces anything is to be planned for.
    pub selection: Selection,
}

/// What was spent of a limit over a period until now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Spent {
    /// How many.
    pub count: u32,
    /// Over how long the limit counts.
    pub period: Duration,
}

/// How much of the project the manifests cover.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Scope {
    /// All of it: what is recorded and not declared has left the manifests.
    #[default]
    Whole,
    /// Some of it: nothing follows from what is not declared.
    Part,
}

/// A limit that a plan breaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Refusal {
    /// Which limit.
    pub limit: Limit,
    /// What it allows.
    pub allowed: u32,
    /// What was spent of it before, where it counts over a period.
    pub before: Option<Spent>,
    /// The faces that count against it, one entry for each training or deletion.
    pub faces: Vec<FaceKey>,
}

/// The account has too little room, as far as somebody said how much it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Shortage {
    /// How many faces of one's own it has room for (`spec.limits.face_slots`).
    pub slots: u32,
    /// How many there are.
    pub taken: usize,
    /// How many more are to be trained.
    pub needed: usize,
}

/// The limits there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// `spec.limits.max_trainings`.
    MaxTrainings,
    /// `spec.limits.max_deletions`.
    MaxDeletions,
}

impl Limit {
    /// Returns the setting in `facectl.yaml`.
    pub fn setting(self) -> &'static str {
        match self {
            Self::MaxTrainings => "spec.limits.max_trainings",
            Self::MaxDeletions => "spec.limits.max_deletions",
        }
    }

    /// Returns the flag.
    pub fn flag(self) -> &'static str {
        match self {
            Self::MaxTrainings => "--max-trainings",
            Self::MaxDeletions => "--max-deletions",
        }
    }

    /// Returns what it counts, as one of them.
    pub fn noun(self) -> &'static str {
        match self {
            Self::MaxTrainings => "training",
            Self::MaxDeletions => "deletion",
        }
    }
}

impl Policy {
    /// Returns the limits that a plan breaks.
    pub(super) fn refusals(&self, plan: &Plan) -> Vec<Refusal> {
        let paid = plan.faces.iter().filter(|face| face.action.is_paid()).map(|face| face.key.clone()).collect();
        let deleted = plan.deletions().map(|(key, _)| key.clone()).collect();
        [
            refusal(Limit::MaxTrainings, self.max_trainings, self.trainings_before, paid),
            refusal(Limit::MaxDeletions, self.max_deletions, self.deletions_before, deleted),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Returns how far the account is short of room for what a plan trains, where somebody said how much it has.
    pub(super) fn shortage(&self, plan: &Plan, observed: &Observed) -> Option<Shortage> {
        let slots = self.face_slots?;
        let taken = observed.faces.values().filter(|face| face.ownership != Ownership::System).count();
        let needed = plan.faces.iter().filter(|face| face.action.is_paid()).count();
        // Whether a failed or a deleted face frees its slot is written nowhere: the worst is planned for.
        let is_short = needed > 0 && taken + needed > usize::try_from(slots).unwrap_or(usize::MAX);
        is_short.then_some(Shortage { slots, taken, needed })
    }
}

fn refusal(limit: Limit, allowed: Option<u32>, before: Option<Spent>, faces: Vec<FaceKey>) -> Option<Refusal> {
    let allowed = allowed?;
    let before = before.filter(|before| before.count > 0);
    let number = faces.len().saturating_add(before.map_or(0, |before| before.count as usize));
    let is_over = !faces.is_empty() && number > usize::try_from(allowed).unwrap_or(usize::MAX);
    is_over.then_some(Refusal { limit, allowed, before, faces })
}
