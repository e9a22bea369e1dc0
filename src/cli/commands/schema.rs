//! `facectl schema`

use serde_json::Value;

use crate::cli::Exit;
use crate::cli::args::SchemaArgs;
use crate::cli::error::CliError;
use crate::cli::output::Output;

/// Prints a JSON Schema.
pub fn run(args: &SchemaArgs, output: &Output) -> Result<Exit, CliError> {
    let schema: Value = of::schema(args.kind)?;
    output.value(&schema)?;
    Ok(Exit::SUCCESS)
}

/// From the types, as they are: what the tests hold `schemas/` against, and write it by.
#[cfg(debug_assertions)]
mod of {
    use serde_json::Value;

    use crate::cli::args::SchemaKind;
    use crate::cli::error::CliError;
    use crate::cli::saved::Sealed;
    use crate::manifest::schemas::{face_schema, project_schema};
    use crate::report::{
        DriftDocument, EventLine, FailureDocument, InspectionDocument, OutcomeDocument, PlanDocument, StatusDocument,
        ValidationDocument, document_schema,
    };
    use crate::state::{LockFile, StateDocument};

    pub(super) fn schema(kind: SchemaKind) -> Result<Value, CliError> {
        Ok(match kind {
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
        })
    }
}

/// From `schemas/`, which the gate has held against the types: what makes them is a megabyte of a release.
#[cfg(not(debug_assertions))]
mod of {
    use serde_json::Value;

    use crate::cli::args::SchemaKind;
    use crate::cli::error::CliError;

    macro_rules! kept {
        ($kind:literal) => {
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/", $kind, ".v1.json"))
        };
    }

    pub(super) fn schema(kind: SchemaKind) -> Result<Value, CliError> {
        let text = match kind {
            SchemaKind::Face => kept!("face"),
            SchemaKind::Project => kept!("project"),
            SchemaKind::Plan => kept!("plan"),
            SchemaKind::SavedPlan => kept!("saved-plan"),
            SchemaKind::Outcome => kept!("outcome"),
            SchemaKind::Status => kept!("status"),
            SchemaKind::Drift => kept!("drift"),
            SchemaKind::Validation => kept!("validation"),
            SchemaKind::Failure => kept!("failure"),
            SchemaKind::Inspection => kept!("inspection"),
            SchemaKind::Events => kept!("events"),
            SchemaKind::Lock => kept!("lock"),
            SchemaKind::State => kept!("state"),
        };
        serde_json::from_str(text).map_err(|error| CliError::new(format!("the schema in facectl is broken: {error}")))
    }
}
