//! `facectl exit-codes`, also `facectl help exit-codes`

use serde_json::json;

use crate::cli::Exit;
use crate::cli::error::CliError;
use crate::cli::output::Output;

/// Explains the exit codes.
pub fn run(output: &Output) -> Result<Exit, CliError> {
    if output.is_for_programs() {
        let codes: Vec<_> =
            Exit::ALL.iter().map(|(exit, meaning)| json!({ "code": exit.0, "meaning": meaning })).collect();
        output.value(&json!(codes))?;
    } else {
        output.result(&text())?;
    }
    Ok(Exit::SUCCESS)
}

/// Returns the table as text.
pub fn text() -> String {
    let lines: String = Exit::ALL.iter().map(|(exit, meaning)| format!("{:>4}  {meaning}\n", exit.0)).collect();
    format!(
        "Exit codes:\n{lines}\nWhere several fit, the first of 8, 3, 10, 4, 5, 1, 9 is used: what stopped the run, then what needs a person, then what needs time.\n"
    )
}
