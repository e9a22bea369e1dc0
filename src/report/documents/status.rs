//! How things are, as programs read it.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::face::ProjectName;
use crate::state::Provenance;

use super::super::StatusRow;
use super::FORMAT_VERSION;

/// How things are.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Status", title = "What `facectl status` shows")]
pub struct StatusDocument<'a> {
    /// The version of this form. The first number changes when a reader could break.
    format_version: &'static str,
    /// The project.
    project: &'a ProjectName,
    /// When the live faces were listed; null where they were not.
    observed_at: Option<Timestamp>,
    /// Each face, in the order of the keys.
    faces: &'a [StatusRow],
    /// Faces that were not asked for.
    left_out: usize,
    /// Where the run comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    provenance: Option<&'a Provenance>,
}

/// Returns the rows as JSON. `left_out` is how many faces were not asked for.
pub fn status_json(
    project: &ProjectName,
    rows: &[StatusRow],
    observed: Option<Timestamp>,
    left_out: usize,
    provenance: Option<&Provenance>,
) -> Value {
    super::value(&StatusDocument {
        format_version: FORMAT_VERSION,
        project,
        observed_at: observed,
        faces: rows,
        left_out,
        provenance,
    })
}
