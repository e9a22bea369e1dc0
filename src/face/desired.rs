//! What the manifests ask for.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text::visible;

use super::{FaceId, FaceKey, FaceSpec, ProjectName};

/// Everything the manifests ask for, in the order of the keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Desired {
    /// The project all of it belongs to.
    pub project: ProjectName,
    /// What live names look like once training is under way.
    pub naming: Naming,
    /// The faces, by key.
    pub faces: BTreeMap<FaceKey, DesiredFace>,
    /// A hash over everything above that could change a plan, in hexadecimal; never over a signature.
    pub digest: String,
}

/// One face the manifests ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredFace {
    /// What it is to be.
    pub spec: FaceSpec,
    /// For selectors; never sent.
    pub labels: BTreeMap<String, String>,
    /// For tools; never sent.
    pub annotations: BTreeMap<String, String>,
    /// Where it was written.
    pub origin: Origin,
    /// Its file, seen from the project's folder; none for standard input and for files outside of it.
    pub manifest: Option<String>,
}

/// The annotation by which a manifest says which live face its key is: one that was made elsewhere.
pub const FACE_ID_ANNOTATION: &str = "facectl.dev/face-id";

impl DesiredFace {
    /// Returns the live face that the manifest says it is, where it names one.
    pub fn declared_id(&self) -> Option<FaceId> {
        // What is no id was refused with the manifest.
        self.annotations.get(FACE_ID_ANNOTATION)?.parse().ok()
    }
}

/// A place in a manifest. Lines and columns count from 1, columns in characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
pub struct Origin {
    /// The file as it was found, relative to where facectl runs if it lies below; `-` for standard input.
    pub file: String,
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column } = self;
        write!(f, "{}:{line}:{column}", visible(file))
    }
}

/// `spec.naming` of the project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Naming {
    /// The token leaves the name once the face's id is durable and its first stage is over.
    #[default]
    Clean,
    /// The token stays in the name for ever, so that a machine with an empty disk always finds its faces.
    Marker,
}
