//! What a saved plan stands on, face by face, so that it can be said what has moved.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::face::{Desired, FaceId, FaceKey, OpenCreate, Recorded, RecordedFace};
use crate::manifest::face_digest;
use crate::plan::{Plan, PlanDigest};
use crate::report::reason;

/// What a saved plan stands on.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SavedBasis")]
pub(super) struct Basis {
    /// Which state; none where nothing was recorded: then any state that has nothing recorded will do, as on a
    /// runner that begins with an empty disk.
    lineage: Option<String>,
    /// Which version of it. For people: a commit that moves no face is none of the plan's business.
    serial: u64,
    /// When the live faces were listed. For people.
    observed_at: Timestamp,
    /// A hash over everything the manifests ask for.
    manifests: String,
    /// One for each declared face.
    declared: BTreeMap<FaceKey, String>,
    /// One for each recorded face and open create; what only shows how far a training is, is left out.
    recorded: BTreeMap<FaceKey, String>,
    /// What is planned for each face.
    planned: BTreeMap<FaceKey, Planned>,
}

/// What is planned for a face.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SavedFace")]
struct Planned {
    action: String,
    digest: PlanDigest,
}

impl Basis {
    pub(super) fn of(desired: &Desired, recorded: &Recorded, plan: &Plan) -> Self {
        let digests = plan.face_digests();
        let planned = plan.faces.iter().filter_map(|face| {
            let digest = *digests.get(&face.key)?;
            Some((face.key.clone(), Planned { action: face.action.word().to_owned(), digest }))
        });
        Self {
            lineage: lineage(recorded),
            serial: plan.basis.serial,
            observed_at: plan.basis.observed_at,
            manifests: plan.basis.manifests.clone(),
            declared: declared_digests(desired),
            recorded: recorded_digests(recorded),
            planned: planned.collect(),
        }
    }

    /// Returns what has moved of manifests and record.
    pub(super) fn moved(&self, desired: &Desired, recorded: &Recorded) -> Vec<String> {
        let mut moved = Vec::new();
        let (declared, known) = (declared_digests(desired), recorded_digests(recorded));
        let manifests = difference(&self.declared, &declared, ["changed", "new", "gone"]);
        if !manifests.is_empty() {
            moved.push(format!("the manifests: {}", listed(&manifests)));
        } else if desired.digest != self.manifests {
            moved.push("the project's settings (spec.naming)".to_owned());
        }
        let words = ["recorded as another one", "recorded since", "not recorded any more"];
        let faces = difference(&self.recorded, &known, words);
        match (&self.lineage, lineage(recorded)) {
            (Some(then), Some(now)) if *then != now => {
                moved.push(format!("the state: it was made with the state {then}, and here is the state {now}"));
            }
            (Some(then), None) => {
                moved.push(format!("the state: it was made with the state {then}, and here nothing is recorded"));
            }
            _ if !faces.is_empty() => moved.push(format!("the record: {}", listed(&faces))),
            _ => {}
        }
        moved
    }

    /// Returns the faces for which something else is planned now.
    pub(super) fn replanned(&self, plan: &Plan) -> Vec<String> {
        let digests = plan.face_digests();
        let mut moved = Vec::new();
        for face in &plan.faces {
            let (key, action) = (&face.key, face.action.word());
            let why = reason(&face.reason);
            match self.planned.get(key) {
                Some(then) if digests.get(key) == Some(&then.digest) => {}
                Some(then) if then.action == action => {
                    moved.push(format!("{key}: still {action}, but in another way, because {why}"))
                }
                Some(then) => moved.push(format!("{key}: it was {}, and is {action} now, because {why}", then.action)),
                None => moved.push(format!("{key}: it was not in the plan, and is {action} now, because {why}")),
            }
        }
        let known: BTreeSet<&FaceKey> = plan.faces.iter().map(|face| &face.key).collect();
        for (key, then) in self.planned.iter().filter(|(key, _)| !known.contains(key)) {
            moved.push(format!("{key}: it was {}, and is not in the plan now", then.action));
        }
        let more = moved.len().saturating_sub(NAMED);
        if more > 0 {
            moved.truncate(NAMED);
            moved.push(format!("and {more} more faces"));
        }
        moved
    }
}

/// Faces named in one message; the others are counted.
const NAMED: usize = 10;

/// Returns which state it is; none where nothing is recorded in it.
fn lineage(recorded: &Recorded) -> Option<String> {
    let is_blank = recorded.faces.is_empty() && recorded.open.is_empty();
    (!is_blank).then(|| recorded.lineage.clone())
}

fn declared_digests(desired: &Desired) -> BTreeMap<FaceKey, String> {
    desired.faces.iter().map(|(key, face)| (key.clone(), face_digest(face))).collect()
}

fn recorded_digests(recorded: &Recorded) -> BTreeMap<FaceKey, String> {
    let keys: BTreeSet<&FaceKey> = recorded.faces.keys().chain(recorded.open.keys()).collect();
    let digest = |key: &FaceKey| recorded_digest(recorded.faces.get(key), recorded.open.get(key));
    keys.into_iter().map(|key| (key.clone(), digest(key))).collect()
}

fn recorded_digest(face: Option<&RecordedFace>, open: Option<&OpenCreate>) -> String {
    let all = json!([face.map(essence), open.map(|open| &open.token)]);
    let mut hasher = blake3::Hasher::new_derive_key("facectl 2026-11 recorded face");
    hasher.update(all.to_string().as_bytes()).finalize().to_hex()[..32].to_owned()
}

/// Returns what a plan stands on of a recorded face.
fn essence(face: &RecordedFace) -> Value {
    // In full, so that a new field cannot be forgotten here.
    let RecordedFace {
        id,
        name,
        trained_from: _,
        attempt,
        token,
        successor,
        previous,
        rolled_back_from,
        going_back_to,
        // What a look at the live face, or the training itself, brings about.
        default_voice: _,
        token_in_name: _,
        created_at: _,
        seen_usable: _,
        last_seen: _,
        // What the manifests said, which are compared by themselves.
        on_removal: _,
        protect: _,
        manifest: _,
    } = face;
    let previous: Vec<&FaceId> = previous.iter().map(|face| &face.id).collect();
    let successor = successor.as_ref().map(|face| essence(face));
    json!([id, name, face.fingerprint(), attempt, token, successor, previous, rolled_back_from, going_back_to])
}

/// Returns the keys in which two sides differ, each with a word: changed, new or gone.
fn difference<'a>(
    before: &'a BTreeMap<FaceKey, String>,
    now: &'a BTreeMap<FaceKey, String>,
    [changed, new, gone]: [&'static str; 3],
) -> BTreeMap<&'a FaceKey, &'static str> {
    let keys: BTreeSet<&FaceKey> = before.keys().chain(now.keys()).collect();
    keys.into_iter()
        .filter_map(|key| match (before.get(key), now.get(key)) {
            (Some(before), Some(now)) if before == now => None,
            (Some(_), Some(_)) => Some((key, changed)),
            (None, _) => Some((key, new)),
            (Some(_), None) => Some((key, gone)),
        })
        .collect()
}

fn listed(keys: &BTreeMap<&FaceKey, &'static str>) -> String {
    let shown: Vec<String> = keys.iter().take(NAMED).map(|(key, what)| format!("{key} ({what})")).collect();
    match keys.len().saturating_sub(NAMED) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
