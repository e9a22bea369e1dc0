//! How a run ended: what is still blocked, and the exit code.

use std::collections::BTreeSet;

use crate::apply::Outcome;
use crate::cli::Exit;
use crate::face::FaceKey;
use crate::plan::{Block, FacePlan, Plan};

/// Returns the exit code: what stopped the run, then what needs a person, then what needs time.
pub fn exit(outcome: &Outcome, plan: &Plan, minds_duplicates: bool, concerns: fn(&Block) -> bool) -> Exit {
    let is_blocked =
        |wanted: fn(&Block) -> bool| still_blocked(outcome, plan).any(|(_, block)| concerns(block) && wanted(block));
    let is_failed = !outcome.failed.is_empty()
        || !outcome.refused.is_empty()
        || outcome.trouble.iter().any(|trouble| trouble.key.is_some());
    if outcome.is_interrupted {
        Exit::INTERRUPTED
    } else if outcome.is_key_refused {
        Exit::KEY_REFUSED
    } else if !outcome.in_doubt.is_empty() || is_blocked(|block| matches!(block, Block::InDoubt { .. })) {
        Exit::IN_DOUBT
    } else if is_failed || is_blocked(is_about_failure) {
        Exit::FACE_FAILED
    } else if is_blocked(|_| true) || (minds_duplicates && !plan.duplicates.is_empty()) || !outcome.held.is_empty() {
        Exit::UNSAFE
    } else if !outcome.trouble.is_empty() {
        Exit::ERROR
    } else if outcome.is_deadline_reached {
        Exit::STILL_TRAINING
    } else {
        Exit::SUCCESS
    }
}

/// Returns whether a training failed that somebody waits for.
pub fn is_about_failure(block: &Block) -> bool {
    matches!(
        block,
        Block::Failed(_) | Block::TuningFailed | Block::ReplacementFailed(_) | Block::ReplacementTuningFailed
    )
}

/// Returns the faces that the plan called blocked and whose fate was not settled since.
pub(super) fn still_blocked<'a>(
    outcome: &'a Outcome,
    plan: &'a Plan,
) -> impl Iterator<Item = (&'a FacePlan, &'a Block)> {
    let settled: BTreeSet<&FaceKey> = outcome.adopted.iter().chain(&outcome.created).collect();
    plan.blocks().filter(move |(face, _)| !settled.contains(&face.key))
}
