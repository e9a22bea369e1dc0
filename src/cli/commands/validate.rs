//! `facectl validate`

use crate::cli::Exit;
use crate::cli::args::{Global, Paths};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::pipeline;
use crate::cli::session::{load_manifests, tell_loaded};
use crate::report::{Body, Sound};

/// Checks the manifests; needs no network and no key.
pub fn run(global: &Global, args: &Paths, output: &Output) -> Result<Exit, CliError> {
    let loaded = load_manifests(global, &args.paths, output)?;
    tell_loaded(global, &loaded, output);
    let sound = Body::Sound(Sound { loaded: &loaded });
    output.deliver(Exit::SUCCESS, Some(&loaded.project.name), sound, pipeline::provenance)?;
    Ok(Exit::SUCCESS)
}
