//! What came of a run, how things are, and what somebody else changed.

use crate::face::{Coverage, FaceKey};
use crate::plan::Drift;
use crate::report::{Health, StatusRow, Sync};

use super::super::super::words::{count, partial};
use super::super::escape::{clipped, code, prose};
use super::super::page::Part;
use super::super::{Drifted, Ran, Standing};
use super::plan::blocked;
use super::{Loud, boxed, boxed_list, table};
use crate::report::drift::described;

/// The longest note in a table, in characters.
const NOTE: usize = 160;

pub(super) fn of_run(ran: &Ran<'_>) -> Vec<Part> {
    let outcome = ran.outcome;
    let mut parts = Vec::new();
    if outcome.is_key_refused {
        let line =
            "**The API refused the key**, so nothing more was begun: check TAVUS\\_API\\_KEY, then run it again.";
        parts.push(Part::Whole(boxed(Loud::Caution, &[line.to_owned()])));
    }
    if !outcome.in_doubt.is_empty() {
        let lines = outcome.in_doubt.iter().map(|key| code(key.as_str())).collect();
        let title = "In doubt: run `facectl recover`. Nothing is sent again until it is known what became of it";
        parts.push(boxed_list(Loud::Caution, title, lines, 0));
    }
    let bad: Vec<String> = troubles(ran).collect();
    if !bad.is_empty() {
        parts.push(boxed_list(Loud::Caution, "What went wrong", bad, 0));
    }
    let held: Vec<String> = outcome
        .held
        .iter()
        .map(|held| format!("{}did not {}: {}", whose(held.key.as_ref()), held.doing, prose(&held.why)))
        .chain(ran.blocks().filter(|face| !outcome.in_doubt.contains(&face.key)).map(blocked))
        .collect();
    if !held.is_empty() {
        parts.push(boxed_list(Loud::Warning, "Held back: a person has to act first", held, 0));
    }
    parts.extend(ends(ran).map(|line| Part::Whole(boxed(Loud::Note, &[line]))));
    parts.push(rows_table(ran.rows));
    parts
}

/// Returns what went wrong, without what is in doubt.
fn troubles(ran: &Ran<'_>) -> impl Iterator<Item = String> {
    let outcome = ran.outcome;
    let refused = outcome
        .refused
        .iter()
        .map(|(key, why)| format!("{}: refused, nothing was started: {}", code(key.as_str()), prose(why)));
    let failed = outcome.failed.iter().map(|(key, why)| {
        let why = why.as_deref().unwrap_or("its training failed, and the API does not say why");
        format!("{}: {}", code(key.as_str()), prose(why))
    });
    let trouble = outcome
        .trouble
        .iter()
        .map(|one| format!("{}failed to {}: {}", whose(one.key.as_ref()), one.doing, prose(&one.why)));
    refused.chain(failed).chain(trouble)
}

fn whose(key: Option<&FaceKey>) -> String {
    key.map_or_else(String::new, |key| format!("{}: ", code(key.as_str())))
}

/// Returns what is still to come, and how to go on.
fn ends(ran: &Ran<'_>) -> impl Iterator<Item = String> {
    let outcome = ran.outcome;
    let skipped = (!outcome.skipped.is_empty()).then(|| {
        let keys: Vec<String> = outcome.skipped.iter().map(|key| code(key.as_str())).collect();
        format!("Not begun: {}.", clipped_list(&keys))
    });
    let interrupted =
        outcome.is_interrupted.then(|| "Interrupted. The state is safe: run the same command again.".to_owned());
    let deadline = outcome.is_deadline_reached.then(|| {
        let faces = count(outcome.still_training.len(), "face");
        format!("The time to wait is up with {faces} still in training: run `facectl wait`.")
    });
    let left_out = ran.plan.left_out;
    let part = (left_out.unselected > 0)
        .then(|| format!("Partial run: {}", prose(&partial(&ran.plan.policy.selection, left_out))));
    [skipped, interrupted, deadline, part].into_iter().flatten()
}

fn clipped_list(items: &[String]) -> String {
    const NAMED: usize = 20;
    let shown: Vec<&str> = items.iter().take(NAMED).map(String::as_str).collect();
    match items.len().saturating_sub(NAMED) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

pub(super) fn of_status(standing: &Standing<'_>) -> Vec<Part> {
    let mut lines = Vec::new();
    if standing.observed_at.is_none() {
        lines.push("The API was not asked: health is what was last seen.".to_owned());
    }
    if standing.left_out > 0 {
        lines.push(format!("{} left out, of which nothing is said.", count(standing.left_out, "face")));
    }
    let mut parts: Vec<Part> = lines.into_iter().map(|line| Part::Whole(boxed(Loud::Note, &[line]))).collect();
    parts.push(rows_table(standing.rows));
    parts
}

/// A row for each face; those that are not well first.
fn rows_table(rows: &[StatusRow]) -> Part {
    let mut sorted: Vec<&StatusRow> = rows.iter().collect();
    sorted.sort_by_key(|row| match (row.health, row.sync) {
        (Health::Failed | Health::Missing, _) => 0,
        (Health::Unknown, _) | (_, Sync::Unknown) => 1,
        (_, Sync::OutOfSync) => 2,
        (Health::Training, _) => 3,
        (Health::Preview | Health::Ready, Sync::Synced) => 4,
    });
    let number = sorted.len();
    let left_out = move |kept: usize| {
        let rest = number - kept;
        format!("\nAnd {rest} more, of which `facectl status` tells.\n\n")
    };
    let cells = sorted.into_iter().map(|row| {
        let health = match (&row.unknown_status, row.percent) {
            (Some(word), _) => format!("Unknown ({})", code(word)),
            (None, Some(percent)) => format!("{:?} {percent} %", row.health),
            (None, None) => format!("{:?}", row.health),
        };
        vec![
            code(row.key.as_str()),
            row.face_id.as_ref().map_or_else(|| "-".to_owned(), |id| code(id.as_str())),
            format!("{:?}", row.sync),
            health,
            row.note.as_deref().map_or_else(String::new, |note| prose(&clipped(note, NOTE))),
        ]
    });
    table(&["Face", "Face id", "Sync", "Health", "Next"], cells.collect(), 1, Box::new(left_out))
}

pub(super) fn of_drift(drifted: &Drifted<'_>) -> Vec<Part> {
    let report = drifted.report;
    let mut parts = Vec::new();
    if let Coverage::Partial(why) = &report.coverage {
        let line = format!("The listing was not complete ({}), so no face is called missing.", prose(why));
        parts.push(Part::Whole(boxed(Loud::Warning, &[line])));
    }
    let one = |key: &FaceKey, drift: &Drift| {
        let place =
            drifted.desired.faces.get(key).map_or_else(|| "-".to_owned(), |face| code(&face.origin.to_string()));
        vec![code("≠"), code(key.as_str()), prose(&described(drift)), place]
    };
    let rows: Vec<Vec<String>> =
        report.faces.iter().flat_map(|(key, drifts)| drifts.iter().map(move |drift| one(key, drift))).collect();
    let number = rows.len();
    let left_out = move |kept: usize| format!("\nAnd {} more, of which `facectl drift` tells.\n\n", number - kept);
    parts.push(table(&["", "Face", "What somebody else changed", "Declared at"], rows, 1, Box::new(left_out)));
    let mut notes = String::new();
    if !report.faces.is_empty() {
        notes.push_str("`facectl plan` shows what an apply would put back, and what it would cost.\n\n");
    }
    if !drifted.changed.is_empty() {
        let keys: Vec<String> = drifted.changed.iter().map(|key| code(key.as_str())).collect();
        notes.push_str(&format!("Not drift but changed in the manifests: {}.\n\n", clipped_list(&keys)));
    }
    if report.left_out > 0 {
        let left_out = count(report.left_out, "recorded face");
        notes.push_str(&format!("{left_out} not selected, of which nothing is said.\n\n"));
    }
    parts.push(Part::Whole(notes));
    parts
}
