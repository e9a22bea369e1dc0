//! What material is, as programs read it.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::face::{Finding, Model, Revision, SourceKind, TrainingSource};
use crate::media::{Facts, Inspection};

use super::FORMAT_VERSION;

/// What `media inspect` found. Holds no secret: links are shown without their signatures.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Inspection", title = "What `facectl media inspect` found")]
pub struct InspectionDocument<'a> {
    /// The version of this form. The first number changes when a reader could break.
    format_version: &'static str,
    /// Each piece of material, in the order in which they were named.
    materials: Vec<Material<'a>>,
}

/// One piece of material.
#[derive(Debug, Serialize, JsonSchema)]
struct Material<'a> {
    /// Where it lies.
    source: String,
    /// The model that it was judged for.
    model_name: &'static str,
    /// What it was taken for; null where nobody could look.
    kind: Option<SourceKind>,
    /// Whether nothing was found that would stop a training.
    usable: bool,
    /// What was seen inside; null where nobody could look.
    facts: Option<&'a Facts>,
    /// What its server calls it.
    content_type: Option<&'a str>,
    /// Until when its link holds, where that can be told.
    link_holds_until: Option<Timestamp>,
    /// Which version of an object it is.
    revision: Option<&'a Revision>,
    /// What is wrong with it, or could be better.
    findings: &'a [Finding],
}

impl<'a> InspectionDocument<'a> {
    /// Returns what material is for programs.
    pub fn of(inspected: &'a [(TrainingSource, Inspection)], model: Model) -> Self {
        let materials = inspected.iter().map(|(source, inspection)| material(source, inspection, model)).collect();
        Self { format_version: FORMAT_VERSION, materials }
    }
}

fn material<'a>(source: &TrainingSource, inspection: &'a Inspection, model: Model) -> Material<'a> {
    // In full, so that a new field cannot be forgotten here.
    let Inspection { facts, kind, content_type, holds_until, revision, findings } = inspection;
    Material {
        source: source.shown(),
        model_name: model.as_str(),
        kind: *kind,
        usable: !findings.iter().any(Finding::is_error),
        facts: facts.as_ref(),
        content_type: content_type.as_deref(),
        link_holds_until: *holds_until,
        revision: revision.as_ref(),
        findings,
    }
}
