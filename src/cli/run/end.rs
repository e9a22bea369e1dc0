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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::Trouble;
    use crate::plan::tests::world::{World, key};

    #[test]
    fn where_several_codes_fit_the_first_of_the_promised_order_is_used() {
        let trouble = |key| Trouble { key, doing: "do it", why: "it went wrong".to_owned() };
        let mut outcome = Outcome {
            refused: vec![(key("bea"), "402".to_owned())],
            in_doubt: vec![key("ana")],
            held: vec![trouble(None)],
            trouble: vec![trouble(None)],
            is_interrupted: true,
            is_deadline_reached: true,
            is_key_refused: true,
            ..Outcome::default()
        };
        let plan = World::agreeing().face("ana").face("bea").plan();
        let mut step = |mend: fn(&mut Outcome)| {
            let found = exit(&outcome, &plan, true, |_| true).0;
            mend(&mut outcome);
            found
        };
        let found = [
            step(|outcome| outcome.is_interrupted = false),
            step(|outcome| outcome.is_key_refused = false),
            step(|outcome| outcome.in_doubt.clear()),
            step(|outcome| outcome.refused.clear()),
            step(|outcome| outcome.held.clear()),
            step(|outcome| outcome.trouble.clear()),
            step(|outcome| outcome.is_deadline_reached = false),
            step(|_| {}),
        ];
        assert_eq!(found, [8, 3, 10, 4, 5, 1, 9, 0]);
    }

    #[test]
    fn a_blocked_face_ends_a_run_by_what_blocks_it() {
        for (world, code) in [
            (World::agreeing().failed("ana"), Exit::FACE_FAILED),
            (World::agreeing().declared("ana").in_doubt("ana", 1), Exit::IN_DOUBT),
            (World::agreeing().declared("ana").stray("r1", "Ana"), Exit::UNSAFE),
        ] {
            let plan = world.plan();
            assert_eq!(plan.blocks().count(), 1, "{}", world.text());
            assert_eq!(exit(&Outcome::default(), &plan, true, |_| true), code, "{}", world.text());
        }
    }
}
