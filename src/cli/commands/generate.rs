//! `facectl completions` and `facectl man`: generated from the command line itself.

use std::path::Path;

use crate::cli::Exit;
use crate::cli::error::CliError;
use crate::cli::output::Output;

/// Prints a completion script.
pub fn completions(shell: clap_complete::Shell, output: &Output) -> Result<Exit, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut crate::cli::command(), "facectl", &mut script);
    output.verbatim(&String::from_utf8_lossy(&script))?;
    Ok(Exit::SUCCESS)
}

/// Prints the manual page, or writes one for each command.
pub fn man(dir: Option<&Path>, output: &Output) -> Result<Exit, CliError> {
    let command = crate::cli::command();
    let failed = |error: std::io::Error| CliError::caused("cannot write the manual page", &error);
    match dir {
        Some(dir) => clap_mangen::generate_to(command, dir).map_err(failed)?,
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(command).render(&mut page).map_err(failed)?;
            output.verbatim(&String::from_utf8_lossy(&page))?;
        }
    }
    Ok(Exit::SUCCESS)
}
