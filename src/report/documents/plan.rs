//! A plan as programs read it.
//!
//! The outer shape is Terraform's (`terraform show -json`, "JSON Output Format"), so that a policy
//! written for it, such as "no more than two creates", reads ours; our own data is under `faces`.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::face::{
    Check, Coverage, FaceId, FaceKey, Finding, InputChange, Origin, Pal, ProjectName, Revision, Token, TrainingStatus,
    VoiceId, WaitFor,
};
use crate::plan::{
    Action, Basis, Block, Cause, Delete, Duplicate, FacePlan, Fate, KeyPattern, LabelSelector, Plan, PlanDigest,
    Reason, Refusal, Retired, Selection, Shortage, SourceChange, Spent, Summary, Switch, Update,
};
use crate::state::Provenance;

use super::super::offline::{reason_in, unseen};
use super::super::words::{advice, input_changes, keep};
use super::change::{ResourceChange, ResourceDrift};
use super::drift::FaceDrift;
use super::since::{ChangedByDocument, SinceDocument};

/// The version of the JSON form. The first number changes when a reader could break.
pub const PLAN_FORMAT_VERSION: &str = "1.0";

/// What is to be done to each face, and why. Holds no secret: links are shown without their signatures.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Plan", title = "A plan of facectl")]
pub struct PlanDocument<'a> {
    /// The version of this form. The first number changes when a reader could break.
    format_version: &'static str,
    /// Which facectl made it.
    facectl_version: &'static str,
    /// When it was made.
    timestamp: Timestamp,
    /// Whose plan it is.
    project: &'a ProjectName,
    /// What the plan is recognised by: the same plan of the same situation has the same digest on every machine. Null
    /// for one that can never be approved, as nobody looked at the live faces.
    digest: Option<PlanDigest>,
    /// Whether there is something in it that can be applied.
    applyable: bool,
    /// Whether the listing of live faces showed everything.
    complete: bool,
    /// Always false: planning does not fail, what blocks a face stands in the plan.
    errored: bool,
    /// What it stands on.
    basis: &'a Basis,
    /// Each face in the words of Terraform's JSON form.
    resource_changes: Vec<ResourceChange<'a>>,
    /// The faces that somebody else changed, in the words of Terraform's JSON form.
    resource_drift: Vec<ResourceDrift<'a>>,
    /// What the plan does not see, as it was made from the lock file alone; empty where the API was asked.
    unseen: Vec<&'static str>,
    /// Each face once, in the order of the keys.
    faces: Vec<PlannedFace<'a>>,
    /// The plan in numbers.
    summary: Summary,
    /// Live faces that were created for one and the same intent.
    duplicates: &'a [Duplicate],
    /// Faces that keys had before and that still live.
    retired: Vec<RetiredFace<'a>>,
    /// Where the account is known to have too little room.
    shortage: Option<&'a Shortage>,
    /// Limits that the plan breaks: then it cannot be applied.
    refusals: Vec<BrokenLimit<'a>>,
    /// Live faces of the account that are not managed here.
    foreign_faces: usize,
    /// What changed since a revision, where the plan is limited to that.
    since: Option<SinceDocument<'a>>,
    /// Which part of the project was asked for; null for all of it.
    selection: Option<Selected<'a>>,
    /// Questions that were not asked of training material.
    #[serde(skip_serializing_if = "std::collections::BTreeSet::is_empty")]
    skip_preflight: &'a std::collections::BTreeSet<Check>,
    /// Faces that were not asked for.
    left_out: usize,
    /// Those of them that something would be done to, or that a person has to look at.
    left_out_with_changes: usize,
    /// Where the run that made it comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    provenance: Option<&'a Provenance>,
}

/// What is to be done to one face.
#[derive(Debug, Serialize, JsonSchema)]
struct PlannedFace<'a> {
    /// Which face.
    key: &'a FaceKey,
    /// The live face it is about.
    id: Option<&'a FaceId>,
    /// The name people know it by.
    face_name: &'a str,
    /// Its model's word: the desired one, else the live one.
    model_name: Option<&'a str>,
    /// What is to be done, in one word.
    action: &'static str,
    /// The sign for it in texts.
    symbol: &'static str,
    /// Whether it starts a paid training.
    paid: bool,
    /// Why.
    reason: Why,
    /// Where it was written, unless it left the manifests.
    origin: Option<&'a Origin>,
    /// How far the live face's training is: a word of ours, or one of the API that we do not know.
    status: Option<&'a str>,
    /// How far it is waited for.
    wait_for: Option<WaitFor>,
    /// What somebody else changed since we last applied.
    drift: Vec<FaceDrift<'a>>,
    /// What changed its declaration last, where the plan is limited to what changed since a revision.
    #[serde(skip_serializing_if = "Option::is_none")]
    changed_by: Option<ChangedByDocument<'a>>,
    /// The token that a new face is created under, or that a live one was found by.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<Option<&'a Token>>,
    /// The face that the new one takes the place of once it is ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    instead_of: Option<Option<&'a FaceId>>,
    /// Which face takes which one's place.
    #[serde(skip_serializing_if = "Option::is_none")]
    switch: Option<Switched<'a>>,
    /// The new face that is given up; it stays alive.
    #[serde(skip_serializing_if = "Option::is_none")]
    gives_up: Option<&'a FaceId>,
    /// What is deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    deletes: Option<Deleted<'a>>,
    /// What changes in place.
    #[serde(skip_serializing_if = "Option::is_none")]
    changes: Option<Vec<FieldChange<'a>>>,
    /// What a person can do about a blocked face.
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
    /// The training inputs that differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    input_changes: Option<&'a [InputChange]>,
    /// What was found about its training material, where it was looked at.
    #[serde(skip_serializing_if = "<[Finding]>::is_empty")]
    material: &'a [Finding],
    /// How the object that it was trained from changed since, where nothing follows from that.
    #[serde(skip_serializing_if = "Option::is_none")]
    source_change: Option<SourceChanged<'a>>,
}

/// Another object lies under the name that a face was trained from.
#[derive(Debug, Serialize, JsonSchema)]
struct SourceChanged<'a> {
    /// The object's name.
    source: &'a str,
    /// What the face was trained from.
    before: &'a Revision,
    /// What lies there now.
    after: &'a Revision,
}

/// Why something is to be done.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Why {
    /// A stable word for programs.
    pub code: &'static str,
    /// Words for people.
    pub text: String,
}

/// Which face takes which one's place.
#[derive(Debug, Serialize, JsonSchema)]
struct Switched<'a> {
    /// The present face.
    from: &'a FaceId,
    /// The one that takes its place.
    to: &'a FaceId,
    /// The PALs that are pointed to it; null where they were not looked at.
    pals: Option<&'a [Pal]>,
}

/// What is deleted.
#[derive(Debug, Serialize, JsonSchema)]
struct Deleted<'a> {
    /// The live faces.
    faces: &'a [FaceId],
    /// Whether their stored material goes too.
    hard: bool,
}

/// One field that changes in place.
#[derive(Debug, Serialize, JsonSchema)]
struct FieldChange<'a> {
    /// The field, in the manifest's words.
    field: &'static str,
    /// What is live.
    before: Option<&'a str>,
    /// What is wanted.
    after: Option<&'a str>,
    /// Who made them differ.
    cause: Cause,
}

/// A face that a key had before and that still lives.
#[derive(Debug, Serialize, JsonSchema)]
struct RetiredFace<'a> {
    /// Whose.
    key: &'a FaceKey,
    /// Its id.
    id: &'a FaceId,
    /// When another face took its place; null where that was not written down.
    left_at: Option<Timestamp>,
    /// What becomes of it.
    fate: FateWord,
    /// Until when it is kept, where that is known.
    until: Option<Timestamp>,
    /// Why it is kept although it may go.
    why: Option<String>,
}

/// What becomes of a face from before.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum FateWord {
    /// Nothing: it is kept for ever.
    Retained,
    /// It is kept for now.
    Kept,
    /// `--prune` would delete it.
    Prunable,
    /// It is deleted.
    Delete,
    /// It is deleted with its stored material.
    HardDelete,
}

/// A limit that the plan breaks.
#[derive(Debug, Serialize, JsonSchema)]
struct BrokenLimit<'a> {
    /// The setting in facectl.yaml.
    setting: &'static str,
    /// The flag that sets it for one run.
    flag: &'static str,
    /// What it allows.
    allowed: u32,
    /// What was spent of it before, where it counts over a period.
    before: Option<SpentBefore>,
    /// The faces that count against it, one entry for each training or deletion.
    faces: &'a [FaceKey],
}

/// What was spent of a limit.
#[derive(Debug, Serialize, JsonSchema)]
struct SpentBefore {
    /// How many.
    count: u32,
    /// Over how long the limit counts.
    period_secs: u64,
}

/// Which part of the project was asked for.
#[derive(Debug, Serialize, JsonSchema)]
struct Selected<'a> {
    /// Only these keys.
    target: &'a [KeyPattern],
    /// These keys not.
    exclude: &'a [KeyPattern],
    /// Only faces with such labels.
    selector: &'a [LabelSelector],
    /// Only what changed since this revision.
    since: Option<&'a str>,
}

/// Returns a plan as JSON, with where the run that made it comes from.
pub fn plan_json(plan: &Plan, now: Timestamp, provenance: Option<&Provenance>) -> Value {
    super::value(&PlanDocument::of(plan, now, provenance))
}

impl<'a> PlanDocument<'a> {
    /// Returns a plan for programs.
    pub fn of(plan: &'a Plan, now: Timestamp, provenance: Option<&'a Provenance>) -> Self {
        // In full, so that a new field cannot be forgotten here.
        let Plan { project, basis, faces, foreign, retired, duplicates, policy, left_out, refusals, shortage } = plan;
        Self {
            format_version: PLAN_FORMAT_VERSION,
            facectl_version: env!("CARGO_PKG_VERSION"),
            timestamp: now,
            project,
            digest: plan.is_for_approval().then(|| plan.digest()),
            applyable: plan.is_applyable(),
            complete: basis.coverage == Coverage::Complete,
            errored: false,
            basis,
            resource_changes: faces.iter().map(ResourceChange::of).collect(),
            resource_drift: faces.iter().filter(|face| !face.drift.is_empty()).map(ResourceDrift::of).collect(),
            unseen: unseen(plan).into_iter().map(|(code, _)| code).collect(),
            faces: faces.iter().map(|face| PlannedFace::of(face, plan)).collect(),
            summary: plan.summary(),
            duplicates,
            retired: retired.iter().map(RetiredFace::of).collect(),
            shortage: shortage.as_ref(),
            refusals: refusals.iter().map(BrokenLimit::of).collect(),
            foreign_faces: *foreign,
            since: policy.selection.since.as_ref().map(SinceDocument::of),
            selection: Selected::of(&policy.selection),
            skip_preflight: &policy.skip_preflight,
            left_out: left_out.count(),
            left_out_with_changes: left_out.unselected_with_changes,
            provenance,
        }
    }
}

impl Why {
    /// Returns why, in words that say no more than the plan stands on.
    pub(in crate::report) fn of(plan: &Plan, why: &Reason) -> Self {
        Self { code: why.code(), text: reason_in(plan, why) }
    }
}

impl<'a> PlannedFace<'a> {
    fn of(face: &'a FacePlan, plan: &'a Plan) -> Self {
        // In full, so that a new field cannot be forgotten here.
        let FacePlan {
            key,
            origin,
            id,
            name,
            model,
            action,
            reason: why,
            drift,
            status,
            wait_for,
            advice: found,
            source_change,
        } = face;
        let plain = Self {
            key,
            id: id.as_ref(),
            face_name: name,
            model_name: model.as_deref(),
            action: action.word(),
            symbol: action.symbol(),
            paid: action.is_paid(),
            reason: Why::of(plan, why),
            origin: origin.as_ref(),
            status: status.as_ref().map(TrainingStatus::shown),
            wait_for: *wait_for,
            drift: drift.iter().map(FaceDrift::of).collect(),
            changed_by: plan
                .policy
                .selection
                .since
                .as_ref()
                .and_then(|since| since.faces.get(key))
                .map(ChangedByDocument::of),
            token: None,
            instead_of: None,
            switch: None,
            gives_up: None,
            deletes: None,
            changes: None,
            help: match why {
                Reason::Blocked(block) => Some(advice(key.as_str(), block)),
                _ => None,
            },
            input_changes: input_changes(why),
            material: match why {
                Reason::Blocked(Block::Material(findings)) => findings,
                _ => found,
            },
            source_change: source_change.as_ref().map(|SourceChange { source, before, after }| SourceChanged {
                source,
                before,
                after,
            }),
        };
        match action {
            Action::Create(create) | Action::Replace(create) => {
                Self { token: Some(Some(&create.token)), instead_of: Some(create.instead_of.as_ref()), ..plain }
            }
            Action::Switch(Switch { from, to, pals }) => {
                Self { switch: Some(Switched { from, to, pals: pals.as_deref() }), ..plain }
            }
            Action::GiveUp(id) => Self { gives_up: Some(id), ..plain },
            Action::Delete(Delete { faces, is_hard }) => {
                Self { deletes: Some(Deleted { faces, hard: *is_hard }), ..plain }
            }
            Action::Adopt(adopt) => Self { token: Some(adopt.token.as_ref()), ..plain },
            Action::Update(update) => Self { changes: Some(FieldChange::all(update)), ..plain },
            Action::NoOp | Action::Wait | Action::Forget | Action::Orphaned | Action::Blocked => plain,
        }
    }
}

impl<'a> FieldChange<'a> {
    fn all(update: &'a Update) -> Vec<Self> {
        let voice = |voice: &'a Option<VoiceId>| voice.as_ref().map(VoiceId::as_str);
        let name = update.name.as_ref().map(|name| FieldChange {
            field: "face_name",
            before: Some(name.before()),
            after: Some(name.after()),
            cause: name.cause(),
        });
        let voice = update.voice.as_ref().map(|change| FieldChange {
            field: "default_voice_id",
            before: voice(change.before()),
            after: voice(change.after()),
            cause: change.cause(),
        });
        name.into_iter().chain(voice).collect()
    }
}

impl<'a> RetiredFace<'a> {
    fn of(retired: &'a Retired) -> Self {
        let Retired { key, id, left_at, fate } = retired;
        let (fate, until, why) = match fate {
            Fate::Retained => (FateWord::Retained, None, None),
            Fate::KeptUntil(until) => (FateWord::Kept, Some(*until), None),
            Fate::Prunable => (FateWord::Prunable, None, None),
            Fate::Kept(why) => (FateWord::Kept, None, Some(keep(why))),
            Fate::Delete { is_hard: false } => (FateWord::Delete, None, None),
            Fate::Delete { is_hard: true } => (FateWord::HardDelete, None, None),
        };
        Self { key, id, left_at: *left_at, fate, until, why }
    }
}

impl<'a> BrokenLimit<'a> {
    fn of(refusal: &'a Refusal) -> Self {
        let Refusal { limit, allowed, before, faces } = refusal;
        let spent = |Spent { count, period }: Spent| SpentBefore { count, period_secs: period.as_secs() };
        Self { setting: limit.setting(), flag: limit.flag(), allowed: *allowed, before: before.map(spent), faces }
    }
}

impl<'a> Selected<'a> {
    fn of(selection: &'a Selection) -> Option<Self> {
        let Selection { targets, exclude, labels, since } = selection;
        let since = since.as_ref().map(|since| since.rev.as_str());
        (!selection.is_everything()).then_some(Self { target: targets, exclude, selector: labels, since })
    }
}
