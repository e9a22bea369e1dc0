//! `facectl explain`

use serde_json::{Value, json};

use crate::cli::Exit;
use crate::cli::args::ExplainArgs;
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::manifest::fields::{Found, NotFound, find, kinds};
use crate::report::{field_text, kinds_text};

/// Suggestions shown at most.
const NEAR_SHOWN: usize = 5;

/// Says what a field is for.
pub fn run(args: &ExplainArgs, output: &Output) -> Result<Exit, CliError> {
    let kinds = kinds();
    let Some(text) = &args.field else {
        if output.is_for_programs() {
            let kind = |field: &crate::manifest::fields::Field| json!({ "kind": field.schema["title"], "description": field.description });
            output.value(&Value::Array(kinds.iter().map(kind).collect()))?;
        } else {
            output.result(&kinds_text(&kinds, output.paint))?;
        }
        return Ok(Exit::SUCCESS);
    };
    let Found { kind, field, is_guessed, other } = find(&kinds, text).map_err(not_found)?;
    if is_guessed {
        let other = other.map(|field| format!("; {} is there too", field.path)).unwrap_or_default();
        output.talk(&output.talk_paint.wrap(&format!("note: this is {}{other}", field.path), 6));
    }
    if output.is_for_programs() {
        output.value(&field.schema)?;
    } else {
        output.result(&field_text(kind, field, args.recursive, output.paint))?;
    }
    Ok(Exit::SUCCESS)
}

fn not_found(error: NotFound) -> CliError {
    let NotFound { why, near } = error;
    let shown = &near[..near.len().min(NEAR_SHOWN)];
    match shown {
        [] => CliError::new(why).hint("`facectl explain face --recursive` lists the fields of a face, `facectl explain project --recursive` those of facectl.yaml"),
        [only] => CliError::new(why).hint(format!("see `facectl explain {only}`")),
        several => CliError::new(why).hint(format!("did you mean one of {}?", several.join(", "))),
    }
}
