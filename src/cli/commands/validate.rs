//! `facectl validate`

use crate::cli::Exit;
use crate::cli::args::{Global, Paths};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::session::{load_manifests, tell_loaded};
use crate::report::validation_json;

/// Checks the manifests; needs no network and no key.
pub fn run(global: &Global, args: &Paths, output: &Output) -> Result<Exit, CliError> {
    let loaded = load_manifests(global, &args.paths, output)?;
    tell_loaded(global, &loaded, output);
    if output.is_for_programs() {
        output.value(&validation_json(Ok(&loaded)))?;
    } else {
        let (faces, files) = (loaded.desired.faces.len(), loaded.files);
        let plural =
            |number: usize, noun: &str| if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") };
        let head = output.paint.green("Valid:");
        output.result(&format!(
            "{head} {} in {}, project {}.\n",
            plural(faces, "face"),
            plural(files, "file"),
            loaded.project.name
        ))?;
    }
    Ok(Exit::SUCCESS)
}
