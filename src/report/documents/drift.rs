//! Drift as programs read it.

use schemars::JsonSchema;
use serde::Serialize;

use crate::face::{Coverage, FaceKey, ProjectName, VoiceId};
use crate::plan::{Drift, DriftReport};
use crate::state::Provenance;

use super::super::drift::described;
use super::FORMAT_VERSION;

/// What somebody else changed since the last apply.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Drift", title = "What `facectl drift` found")]
pub struct DriftDocument<'a> {
    /// The version of this form. The first number changes when a reader could break.
    format_version: &'static str,
    /// The project.
    project: &'a ProjectName,
    /// Whether the listing of live faces showed everything.
    complete: bool,
    /// Recorded faces that were compared.
    compared: usize,
    /// Those of them that drifted.
    drifted: usize,
    /// Each face that drifted.
    faces: Vec<DriftedFace<'a>>,
    /// Faces that differ because their manifest does, which is no drift.
    changed_in_manifests: &'a [FaceKey],
    /// Live faces of the account that are not in the record.
    foreign_faces: usize,
    /// Recorded faces that were not asked for.
    left_out: usize,
    /// Where the run comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    provenance: Option<&'a Provenance>,
}

/// A face that drifted.
#[derive(Debug, Serialize, JsonSchema)]
struct DriftedFace<'a> {
    /// Which face.
    key: &'a FaceKey,
    /// In which ways.
    drift: Vec<FaceDrift<'a>>,
}

/// One way in which a live face is not what we last applied.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct FaceDrift<'a> {
    /// Which way: `missing`, `renamed`, `voice_changed`, `model_differs`, `failed` or `tuning_failed`.
    pub kind: String,
    /// What we last applied, where there is a value to it.
    pub recorded: Option<&'a str>,
    /// What is live, where there is a value to it; for `failed` the API's reason.
    pub live: Option<&'a str>,
    /// Words for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

impl<'a> FaceDrift<'a> {
    /// Returns one drift, without words for people.
    pub fn of(drift: &'a Drift) -> Self {
        let (recorded, live) = match drift {
            Drift::Missing | Drift::TuningFailed => (None, None),
            Drift::Renamed { recorded, live } | Drift::ModelDiffers { recorded, live } => {
                (Some(recorded.as_str()), Some(live.as_str()))
            }
            Drift::VoiceChanged { recorded, live } => (Some(recorded.as_str()), live.as_ref().map(VoiceId::as_str)),
            Drift::Failed(error) => (None, error.as_deref()),
        };
        Self { kind: drift.word().replace(' ', "_"), recorded, live, text: None }
    }

    /// Returns one drift with words for people.
    pub fn in_words(drift: &'a Drift) -> Self {
        Self { text: Some(described(drift)), ..Self::of(drift) }
    }
}

impl<'a> DriftDocument<'a> {
    /// Returns a drift report for programs. `changed` are the faces whose manifest changed, which is no drift.
    pub fn of(
        project: &'a ProjectName,
        report: &'a DriftReport,
        changed: &'a [FaceKey],
        provenance: Option<&'a Provenance>,
    ) -> Self {
        // In full, so that a new field cannot be forgotten here.
        let DriftReport { faces, compared, left_out, foreign, coverage } = report;
        let face = |(key, drifts): (&'a FaceKey, &'a Vec<Drift>)| DriftedFace {
            key,
            drift: drifts.iter().map(FaceDrift::in_words).collect(),
        };
        Self {
            format_version: FORMAT_VERSION,
            project,
            complete: *coverage == Coverage::Complete,
            compared: *compared,
            drifted: faces.len(),
            faces: faces.iter().map(face).collect(),
            changed_in_manifests: changed,
            foreign_faces: *foreign,
            left_out: *left_out,
            provenance,
        }
    }
}
