//! `facectl schema`

use serde_json::Value;

use crate::cli::Exit;
use crate::cli::args::{SchemaArgs, SchemaKind};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::saved::Sealed;
use crate::manifest::schemas::{face_schema, project_schema};
use crate::report::{
    DriftDocument, EventLine, FailureDocument, InspectionDocument, OutcomeDocument, PlanDocument, StatusDocument,
    ValidationDocument, document_schema,
};
use crate::state::{LockFile, StateDocument};

/// Prints a JSON Schema.
pub fn run(args: &SchemaArgs, output: &Output) -> Result<Exit, CliError> {
    output.value(&schema(args.kind))?;
    Ok(Exit::SUCCESS)
}

fn schema(kind: SchemaKind) -> Value {
    match kind {
        SchemaKind::Face => face_schema(),
        SchemaKind::Project => project_schema(),
        SchemaKind::Plan => document_schema::<PlanDocument<'_>>("plan"),
        SchemaKind::SavedPlan => document_schema::<Sealed<'_>>("saved-plan"),
        SchemaKind::Outcome => document_schema::<OutcomeDocument<'_>>("outcome"),
        SchemaKind::Status => document_schema::<StatusDocument<'_>>("status"),
        SchemaKind::Drift => document_schema::<DriftDocument<'_>>("drift"),
        SchemaKind::Validation => document_schema::<ValidationDocument<'_>>("validation"),
        SchemaKind::Failure => document_schema::<FailureDocument<'_>>("failure"),
        SchemaKind::Inspection => document_schema::<InspectionDocument<'_>>("inspection"),
        SchemaKind::Events => document_schema::<EventLine<'_>>("events"),
        SchemaKind::Lock => document_schema::<LockFile>("lock"),
        SchemaKind::State => document_schema::<StateDocument<'_>>("state"),
    }
}
