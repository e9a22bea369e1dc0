//! What was made from the lock file alone, said as that: nobody looked at a live face.

use crate::face::Sight;
use crate::plan::{Plan, Reason};
use crate::state::LOCK_FILE;

use super::words::{count, reason};

/// Returns why an action was chosen, in words that say no more than the plan stands on. Fits after "because".
pub fn reason_in(plan: &Plan, why: &Reason) -> String {
    if !plan.basis.sight.is_offline() {
        return reason(why);
    }
    match why {
        Reason::Agrees => "manifest and lock file agree".to_owned(),
        Reason::New => "it is declared, and the lock file does not know it".to_owned(),
        Reason::ReplacementTrains => "the lock file knows a new face that is to take its place".to_owned(),
        Reason::PreviousHasInputs => {
            "the lock file knows a face that it had before, made from just these inputs: nothing has to be trained if it can still be used".to_owned()
        }
        why => reason(why),
    }
}

/// What an offline plan does not see: a code for programs, and words for people.
const UNSEEN: [(&str, &str); 6] = [
    ("live_faces", "what lives in the account"),
    ("failed_trainings", "failed trainings"),
    ("open_creates", "creates in doubt"),
    ("running_trainings", "running trainings to take up"),
    ("drift", "drift"),
    ("pals", "PALs"),
];

/// Returns what a plan does not see; nothing where the API was asked.
pub(super) fn unseen(plan: &Plan) -> Vec<(&'static str, &'static str)> {
    if !plan.basis.sight.is_offline() {
        return Vec::new();
    }
    let counts_before = plan.policy.trainings_before.is_some() || plan.policy.deletions_before.is_some();
    let history = counts_before.then_some(("history", "what the limits over a period count besides the lock file"));
    UNSEEN.into_iter().chain(history).collect()
}

/// Returns what an offline plan was made from and what it does not see; none where the API was asked.
pub fn offline_text(plan: &Plan) -> Option<String> {
    let from = lock_file_text(plan.basis.sight, plan.basis.serial)?;
    let unseen: Vec<&str> = unseen(plan).into_iter().map(|(_, words)| words).collect();
    let (last, others) = unseen.split_last()?;
    Some(format!("{from} It does not see {} or {last}, and it cannot be applied.", others.join(", ")))
}

/// Returns what was compared with, as a sentence; none where the API was asked or the state.
pub fn lock_file_text(sight: Sight, serial: u64) -> Option<String> {
    match sight {
        Sight::Live | Sight::LastSeen => None,
        Sight::LockFile { is_there: false, .. } => {
            Some(format!("no live face was looked at, and there is no {LOCK_FILE}: every face looks new."))
        }
        Sight::LockFile { recorded, latest, .. } => {
            let latest = latest.map_or_else(String::new, |at| format!(", the latest created at {at:.0}"));
            let faces = count(recorded, "face");
            Some(format!(
                "compared with {LOCK_FILE} alone (serial {serial}, {faces}{latest}); no live face was looked at."
            ))
        }
    }
}
