//! What came of a run, as programs read it.

use serde_json::{Value, json};

use crate::apply::Outcome;
use crate::face::ProjectName;
use crate::state::Provenance;

use super::StatusRow;

/// Returns the outcome of a run with how things are after it. `left_out` is how many faces it was not about.
pub fn outcome_json(
    project: &ProjectName,
    outcome: &Outcome,
    rows: &[StatusRow],
    exit_code: u8,
    left_out: usize,
    provenance: Option<&Provenance>,
) -> Value {
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
    let mut value = json!({
        "format_version": "1.0",
        "project": project.as_str(),
        "exit_code": exit_code,
        "created": created,
        "adopted": adopted,
        "updated": updated,
        "forgotten": forgotten,
        "switched": switched,
        "given_up": given_up,
        "deleted": deleted,
        "refused": refused.iter().map(|(key, why)| json!({ "key": key, "why": why })).collect::<Vec<_>>(),
        "in_doubt": in_doubt,
        "not_begun": skipped,
        "held": held.iter().map(|held| json!({ "key": held.key, "doing": held.doing, "why": held.why })).collect::<Vec<_>>(),
        "trouble": trouble.iter().map(|trouble| json!({ "key": trouble.key, "doing": trouble.doing, "why": trouble.why })).collect::<Vec<_>>(),
        "reached": reached,
        "failed": failed.iter().map(|(key, why)| json!({ "key": key, "why": why })).collect::<Vec<_>>(),
        "still_training": still_training,
        "interrupted": is_interrupted,
        "deadline_reached": is_deadline_reached,
        "key_refused": is_key_refused,
        "faces": rows,
        "left_out": left_out,
    });
    if let Some(provenance) = provenance {
        value["provenance"] = json!(provenance);
    }
    value
}
