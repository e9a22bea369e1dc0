//! `facectl validate`

use crate::apply::Interrupt;
use crate::cli::Exit;
use crate::cli::args::{Global, Skip, ValidateArgs};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::pipeline;
use crate::cli::session::{Workspace, load_manifests, reject, tell_loaded};
use crate::face::{Certainty, Check, FaceKey, Finding, TrainingSource};
use crate::manifest::{
    LoadRequest, Loaded, Rejected, Severity, load, material_diagnostics, refuse_skipped, render_text,
};
use crate::report::{Body, Sound};

/// Checks the manifests; needs no network and no key.
pub fn run(global: &Global, args: &ValidateArgs, output: &Output) -> Result<Exit, CliError> {
    let mut loaded = load_manifests(loading(args), global, &args.paths.paths, output)?;
    let missing = missing_files(&loaded);
    let missing = material_diagnostics(&loaded, missing.iter().map(|(key, finding)| (key, finding)));
    if !missing.is_empty() && !output.is_for_programs() {
        let paint = output.talk_paint;
        output.talk(&render_text(&missing, &loaded.sources, paint.colour, paint.width));
    }
    loaded.warnings.extend(missing);
    tell_loaded(global, &loaded, output);
    let sound = Body::Sound(Sound { loaded: &loaded });
    output.deliver(Exit::SUCCESS, Some(&loaded.project.name), sound, pipeline::provenance)?;
    Ok(Exit::SUCCESS)
}

/// Returns how the manifests are loaded.
fn loading(args: &ValidateArgs) -> fn(LoadRequest) -> Result<Loaded, Rejected> {
    match args.strict {
        true => |request| load(request).and_then(refuse_skipped),
        false => load,
    }
}

/// Returns the files that faces are to be trained from and that are not here: a face that was trained needs none.
fn missing_files(loaded: &Loaded) -> Vec<(FaceKey, Finding)> {
    let missing = loaded.desired.faces.iter().filter_map(|(key, face)| {
        let TrainingSource::File(file) = face.spec.training.as_ref()?.source() else { return None };
        let rule = "a face that is yet to be trained needs its file";
        let finding = || {
            Finding::advice(Check::Source, format!("{} is not here", file.name), rule, Certainty::Evident)
                .help("put it there, or leave it where the face was trained already")
        };
        (!file.path.is_file()).then(|| (key.clone(), finding()))
    });
    missing.collect()
}

/// Checks the manifests, and looks at the training material of every face; needs no key.
pub async fn online(
    global: &Global,
    args: ValidateArgs,
    output: Output,
    interrupt: Interrupt,
) -> Result<Exit, CliError> {
    let load = loading(&args);
    let ValidateArgs { paths, online: _, strict: _, skip_preflight } = args;
    let mut workspace = Workspace::open(load, global, &paths.paths, output, interrupt)?;
    let found = workspace.look_at_material(global, &Skip::checks(&skip_preflight)).await?;
    let found =
        found.iter().flat_map(|(key, sight)| sight.findings.iter().flatten().map(move |finding| (key, finding)));
    let mut diagnostics = material_diagnostics(&workspace.loaded, found);
    let is_wrong = diagnostics.iter().any(|one| one.severity == Severity::Error);
    diagnostics.splice(0..0, workspace.loaded.warnings.drain(..));
    if is_wrong {
        let sources = std::mem::take(&mut workspace.loaded.sources);
        return Err(reject(&Rejected { diagnostics, sources }, &output));
    }
    if !output.is_for_programs() && !diagnostics.is_empty() {
        let paint = output.talk_paint;
        output.talk(&render_text(&diagnostics, &workspace.loaded.sources, paint.colour, paint.width));
    }
    workspace.loaded.warnings = diagnostics;
    let loaded = &workspace.loaded;
    let sound = Body::Sound(Sound { loaded });
    output.deliver(Exit::SUCCESS, Some(&loaded.project.name), sound, pipeline::provenance)?;
    Ok(Exit::SUCCESS)
}
