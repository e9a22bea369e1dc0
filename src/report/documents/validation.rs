//! What checking manifests showed, as programs read it.

use schemars::JsonSchema;
use serde::Serialize;

use crate::manifest::{Diagnostic, DiagnosticDocument, Loaded};

use super::FORMAT_VERSION;

/// What checking manifests showed. Where they cannot be used, every command that reads them says this.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Validation", title = "What `facectl validate` found")]
pub struct ValidationDocument<'a> {
    /// The version of this form. The first number changes when a reader could break.
    format_version: &'static str,
    /// Whether the manifests can be used.
    valid: bool,
    /// The project, where they can.
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<&'a str>,
    /// How many files were read, where they can.
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<usize>,
    /// How many faces they declare, where they can.
    #[serde(skip_serializing_if = "Option::is_none")]
    faces: Option<usize>,
    /// What is wrong, or worth knowing, sorted by place.
    diagnostics: Vec<DiagnosticDocument<'a>>,
}

impl<'a> ValidationDocument<'a> {
    /// Returns what checking manifests showed for programs: what was loaded, or what is wrong.
    pub fn of(checked: Result<&'a Loaded, &'a [Diagnostic]>) -> Self {
        let (loaded, diagnostics) = match checked {
            Ok(loaded) => (Some(loaded), loaded.warnings.as_slice()),
            Err(diagnostics) => (None, diagnostics),
        };
        Self {
            format_version: FORMAT_VERSION,
            valid: loaded.is_some(),
            project: loaded.map(|loaded| loaded.project.name.as_str()),
            files: loaded.map(|loaded| loaded.files),
            faces: loaded.map(|loaded| loaded.desired.faces.len()),
            diagnostics: diagnostics.iter().map(DiagnosticDocument::of).collect(),
        }
    }
}
