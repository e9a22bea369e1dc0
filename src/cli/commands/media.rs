//! `facectl media`

use std::path::PathBuf;
use std::sync::Arc;

use crate::apply::Interrupt;
use crate::cli::Exit;
use crate::cli::args::{Global, InspectArgs, MediaCommand, MediaCommandArgs};
use crate::cli::error::{CliError, unless_interrupted};
use crate::cli::output::Output;
use crate::clock::SystemClock;
use crate::face::{SourceFile, TrainingSource, redact_links};
use crate::media::{AllowedCommand, Commands, Desk, DeskSettings, LINK_LIFETIME};
use crate::report::{InspectionDocument, inspection_text};

/// Runs what is to be done with material.
pub async fn run(
    global: &Global,
    args: MediaCommandArgs,
    output: Output,
    interrupt: Interrupt,
) -> Result<Exit, CliError> {
    match args.command {
        MediaCommand::Inspect(args) => inspect(global, &args, output, interrupt).await,
    }
}

async fn inspect(global: &Global, args: &InspectArgs, output: Output, interrupt: Interrupt) -> Result<Exit, CliError> {
    let InspectArgs { sources, model, kind } = args;
    let folder = std::env::current_dir().map_err(|error| CliError::caused("cannot tell the current folder", &error))?;
    let sources = sources.iter().map(|text| source(text, &folder)).collect::<Result<Vec<_>, _>>()?;
    let mut has_errors = false;
    let mut inspected = Vec::new();
    for (at, source) in sources.into_iter().enumerate() {
        let desk = desk(global, &source, folder.clone());
        let look = async { Ok(desk.inspect(&source, kind.map(Into::into), *model).await) };
        let inspection = unless_interrupted(&interrupt, look).await?;
        has_errors |= inspection.findings.iter().any(crate::face::Finding::is_error);
        if output.is_for_programs() {
            inspected.push((source, inspection));
            continue;
        }
        let gap = if at > 0 { "\n" } else { "" };
        output.result(&format!("{gap}{}", inspection_text(&source, *model, &inspection, output.paint)))?;
    }
    if output.is_for_programs() {
        output.value(&InspectionDocument::of(&inspected, *model))?;
    }
    Ok(if has_errors { Exit::ERROR } else { Exit::SUCCESS })
}

/// Reads what was named: on a command line a file needs no `./`, and may lie anywhere.
fn source(text: &str, folder: &std::path::Path) -> Result<TrainingSource, CliError> {
    let path = folder.join(text);
    if path.is_file() {
        // Without links: a person who names one means what it leads to.
        let path = path.canonicalize().unwrap_or(path);
        let root = PathBuf::from(path.ancestors().last().unwrap_or(folder));
        return Ok(TrainingSource::File(SourceFile { name: text.to_owned(), path, root, content: None }));
    }
    TrainingSource::parse(text).map_err(|error| {
        let shown: String = redact_links(text).chars().take(80).collect();
        CliError::caused(format!("cannot inspect `{shown}`"), &error)
            .hint("name a file that is there, an https link, or an object: s3://BUCKET/KEY, gs://BUCKET/KEY, az://ACCOUNT/CONTAINER/BLOB")
    })
}

fn desk(global: &Global, source: &TrainingSource, folder: PathBuf) -> Desk {
    // Whoever types a command on this machine may run it.
    let typed = match source {
        TrainingSource::Command(command) => Some(AllowedCommand::exactly(command)),
        TrainingSource::Link(_) | TrainingSource::Object(_) | TrainingSource::File(_) => None,
    };
    let commands = Commands { allowed: typed.into_iter().collect(), ..global.media.commands() };
    Desk::new(DeskSettings {
        ca_file: global.ca_file.clone(),
        clock: Arc::new(SystemClock),
        upload: None,
        link_lifetime: global.media.link_lifetime.unwrap_or(LINK_LIFETIME),
        commands,
        state_directory: folder.clone(),
        folder,
        is_rehearsal: false,
    })
}
