//! How things are, as programs read it.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::face::ProjectName;
use crate::state::Provenance;

use super::super::{Standing, StatusRow};
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

impl<'a> StatusDocument<'a> {
    /// Returns how things are for programs, with where the run that asks comes from.
    pub fn of(standing: &Standing<'a>, provenance: Option<&'a Provenance>) -> Self {
        // In full, so that a new field cannot be forgotten here.
        let Standing { project, rows, observed_at, left_out } = *standing;
        Self { format_version: FORMAT_VERSION, project, observed_at, faces: rows, left_out, provenance }
    }
}
