//! What came of a run, from what happened.

use crate::apply::{Outcome, Trouble};
use crate::face::FaceKey;

use super::Paint;
use super::words::count;

/// Returns the closing lines of a run.
pub fn outcome_text(outcome: &Outcome, paint: Paint) -> String {
    // In full, so that a new field cannot be forgotten here.
    let Outcome {
        created: _,
        adopted: _,
        updated: _,
        forgotten: _,
        switched: _,
        given_up: _,
        deleted: _,
        refused,
        in_doubt,
        skipped,
        held,
        trouble,
        reached: _,
        failed,
        still_training,
        is_interrupted,
        is_deadline_reached,
        is_key_refused,
    } = outcome;
    let (head, done) = done_counts(outcome);
    let is_well = is_well(outcome);
    let painted = if is_well { paint.green(head) } else { paint.red(head) };
    let mut text = format!("{}{}\n", paint.bold(&painted), paint.list_behind(head, &done, 2));
    let mut say = |line: String| {
        text.push_str(&paint.wrap(&line, 2));
        text.push('\n');
    };
    // Once more at the end, where people look: the lines on the way may have scrolled off, or been silenced.
    for (key, why) in refused {
        say(format!("x {key}: refused, nothing was started: {why}"));
    }
    for (key, why) in failed {
        say(format!("x {key}: {}", why.as_deref().unwrap_or("its training failed, and the API does not say why")));
    }
    for (sign, said) in [("!", held), ("x", trouble)] {
        for Trouble { key, doing, why } in said {
            let whose = key.as_ref().map_or_else(String::new, |key| format!("{sign} {key}: "));
            let what = if sign == "!" { "did not" } else { "failed to" };
            say(format!("{whose}{what} {doing}: {why}"));
        }
    }
    if !skipped.is_empty() {
        say(format!("Not begun: {}.", keys(skipped)));
    }
    if *is_key_refused {
        say("The API refused the key, so nothing more was begun: check TAVUS_API_KEY, then run it again.".to_owned());
    }
    if !in_doubt.is_empty() {
        say(format!(
            "In doubt: {}. Run `facectl recover`; nothing is sent again until it is known what became of {}.",
            keys(in_doubt),
            if in_doubt.len() == 1 { "it" } else { "them" }
        ));
    }
    if *is_interrupted {
        say("Interrupted. The state is safe: run the same command again.".to_owned());
    }
    if *is_deadline_reached {
        say(format!(
            "The time to wait is up with {} still in training{}: run `facectl wait`.",
            count(still_training.len(), "face"),
            if is_well { ", and nothing wrong" } else { "" }
        ));
    }
    text
}

/// Returns whether nothing went wrong.
pub(super) fn is_well(outcome: &Outcome) -> bool {
    let Outcome { refused, in_doubt, held, trouble, failed, is_key_refused, .. } = outcome;
    refused.is_empty()
        && in_doubt.is_empty()
        && held.is_empty()
        && trouble.is_empty()
        && failed.is_empty()
        && !is_key_refused
}

/// Returns how a run went: a head, and the numbers that are not zero.
pub(super) fn done_counts(outcome: &Outcome) -> (&'static str, Vec<String>) {
    // In full, so that a new field cannot be forgotten here.
    let Outcome {
        created,
        adopted,
        updated,
        forgotten,
        switched,
        given_up,
        deleted,
        refused,
        in_doubt,
        skipped,
        held,
        trouble: _,
        reached,
        failed,
        still_training,
        is_interrupted: _,
        is_deadline_reached: _,
        is_key_refused: _,
    } = outcome;
    let mut done = vec![format!("{} created", created.len()), format!("{} updated", updated.len())];
    for (number, what) in [
        (adopted.len(), "adopted"),
        (switched.len(), "switched to another face"),
        (given_up.len(), "replacement given up"),
        (deleted.len(), "deleted"),
        (forgotten.len(), "forgotten"),
        (refused.len(), "refused"),
        (in_doubt.len(), "in doubt"),
        (skipped.len(), "not begun"),
        (held.len(), "held back"),
        (reached.len(), "reached what was waited for"),
        (failed.len(), "failed"),
        (still_training.len(), "still in training"),
    ] {
        if number > 0 {
            done.push(format!("{number} {what}"));
        }
    }
    (if is_well(outcome) { "Done:" } else { "Done, with trouble:" }, done)
}

fn keys(keys: &[FaceKey]) -> String {
    keys.iter().map(FaceKey::as_str).collect::<Vec<_>>().join(", ")
}
