//! What came of a run, as programs read it.

use schemars::JsonSchema;
use serde::Serialize;

use crate::apply::{Outcome, Trouble};
use crate::face::{FaceKey, ProjectName};
use crate::state::Provenance;

use super::super::StatusRow;
use super::FORMAT_VERSION;

/// What came of a run, and how things are after it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Outcome", title = "What came of a run of facectl")]
pub struct OutcomeDocument<'a> {
    /// The version of this form. The first number changes when a reader could break.
    format_version: &'static str,
    /// The project.
    project: &'a ProjectName,
    /// The exit code; `facectl exit-codes` explains each.
    exit_code: u8,
    /// Trainings that were started.
    created: &'a [FaceKey],
    /// Live faces that were taken into the record.
    adopted: &'a [FaceKey],
    /// Faces whose name or voice was changed.
    updated: &'a [FaceKey],
    /// Faces that were dropped from the record.
    forgotten: &'a [FaceKey],
    /// Faces whose place another one took.
    switched: &'a [FaceKey],
    /// Faces whose replacement was given up.
    given_up: &'a [FaceKey],
    /// Keys of which live faces were deleted, one entry for each deletion that was asked for.
    deleted: &'a [FaceKey],
    /// Creates that were refused: nothing began.
    refused: Vec<Refused<'a>>,
    /// Creates of which nobody knows what became of them.
    in_doubt: &'a [FaceKey],
    /// Steps that were not begun, because the run was asked to stop.
    not_begun: &'a [FaceKey],
    /// What a safety rule stopped.
    held: Vec<Problem<'a>>,
    /// Whatever else went wrong.
    trouble: Vec<Problem<'a>>,
    /// Faces that are as far as they were waited for.
    reached: &'a [FaceKey],
    /// Faces whose training failed.
    failed: Vec<FailedTraining<'a>>,
    /// Faces that are still in training.
    still_training: &'a [FaceKey],
    /// Whether somebody asked to stop.
    interrupted: bool,
    /// Whether the wait ended because its time was up.
    deadline_reached: bool,
    /// Whether the API refused the key.
    key_refused: bool,
    /// How the faces are after the run. Where they could not be looked at again, as after an interrupt, only those that
    /// the run was at work on, as they are recorded: whether they are in sync is unknown then.
    faces: &'a [StatusRow],
    /// Faces that the run was not about.
    left_out: usize,
    /// Where the run comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    provenance: Option<&'a Provenance>,
}

/// A create that was refused.
#[derive(Debug, Serialize, JsonSchema)]
struct Refused<'a> {
    /// Which face.
    key: &'a FaceKey,
    /// What the API said.
    why: &'a str,
}

/// Something that went wrong, or was stopped, without stopping the others.
#[derive(Debug, Serialize, JsonSchema)]
struct Problem<'a> {
    /// Which face; null where it concerns all.
    key: Option<&'a FaceKey>,
    /// What was being done, as a verb.
    doing: &'a str,
    /// Why, and what was and was not done.
    why: &'a str,
}

/// A training that failed.
#[derive(Debug, Serialize, JsonSchema)]
struct FailedTraining<'a> {
    /// Which face.
    key: &'a FaceKey,
    /// Why; null where the API does not say it.
    why: Option<&'a str>,
}

impl<'a> Problem<'a> {
    fn of(trouble: &'a Trouble) -> Self {
        let Trouble { key, doing, why } = trouble;
        Self { key: key.as_ref(), doing, why }
    }
}

impl<'a> OutcomeDocument<'a> {
    /// Returns the outcome of a run with how things are after it. `left_out` is how many faces it was not about.
    pub fn of(
        project: &'a ProjectName,
        outcome: &'a Outcome,
        rows: &'a [StatusRow],
        exit_code: u8,
        left_out: usize,
        provenance: Option<&'a Provenance>,
    ) -> Self {
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
            trouble,
            reached,
            failed,
            still_training,
            is_interrupted,
            is_deadline_reached,
            is_key_refused,
        } = outcome;
        Self {
            format_version: FORMAT_VERSION,
            project,
            exit_code,
            created,
            adopted,
            updated,
            forgotten,
            switched,
            given_up,
            deleted,
            refused: refused.iter().map(|(key, why)| Refused { key, why }).collect(),
            in_doubt,
            not_begun: skipped,
            held: held.iter().map(Problem::of).collect(),
            trouble: trouble.iter().map(Problem::of).collect(),
            reached,
            failed: failed.iter().map(|(key, why)| FailedTraining { key, why: why.as_deref() }).collect(),
            still_training,
            interrupted: *is_interrupted,
            deadline_reached: *is_deadline_reached,
            key_refused: *is_key_refused,
            faces: rows,
            left_out,
            provenance,
        }
    }
}
