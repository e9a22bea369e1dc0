//! `facectl ci`: what a pipeline says at the forge.

mod comment;
mod desk;
mod issue;
mod text;

use crate::apply::Interrupt;
use crate::cli::Exit;
use crate::cli::args::{CiArgs, CiCommand, Global};
use crate::cli::error::CliError;
use crate::cli::output::Output;

/// Says something at the forge.
pub async fn run(global: &Global, args: CiArgs, output: Output, interrupt: Interrupt) -> Result<Exit, CliError> {
    match args.command {
        CiCommand::Comment(args) => comment::run(global, &args, output, &interrupt).await,
        CiCommand::Issue(args) => issue::run(global, &args, output, &interrupt).await,
    }
}
