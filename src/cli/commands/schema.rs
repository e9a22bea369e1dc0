//! `facectl schema`

use crate::cli::Exit;
use crate::cli::args::{SchemaArgs, SchemaKind};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::manifest::schemas::{face_schema, project_schema};

/// Prints a JSON Schema.
pub fn run(args: &SchemaArgs, output: &Output) -> Result<Exit, CliError> {
    let schema = match args.kind {
        SchemaKind::Face => face_schema(),
        SchemaKind::Project => project_schema(),
    };
    output.value(&schema)?;
    Ok(Exit::SUCCESS)
}
