//! `facectl fmt`

use std::io;

use crate::cli::Exit;
use crate::cli::args::{FmtArgs, Global};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::manifest::format::{Fate, FormatRequest, Formatted, format};
use crate::manifest::{Severity, render_text};
use crate::report::{format_json, format_summary, format_text};

/// Lays out manifests.
pub fn run(global: &Global, args: &FmtArgs, output: &Output) -> Result<Exit, CliError> {
    let paths: Vec<String> = global.file.iter().chain(&args.paths).cloned().collect();
    let is_stream = paths.iter().any(|path| path == "-");
    if is_stream && paths.len() > 1 {
        return Err(CliError::new("`-` stands alone: what comes on standard input goes to standard output")
            .hint("run it once for standard input and once for the files"));
    }
    let cwd = std::env::current_dir().map_err(|error| CliError::caused("cannot tell the current folder", &error))?;
    let formatted = format(FormatRequest {
        paths,
        project_file: global.project_file.clone(),
        cwd,
        stdin: Box::new(io::stdin()),
        is_written: !args.check,
    });
    show(&formatted, args, is_stream, output)?;
    let has_errors = formatted.diagnostics.iter().any(|one| one.severity == Severity::Error);
    let has_changes = formatted.files.iter().any(|file| matches!(file.fate, Fate::Changed { .. }));
    Ok(if has_errors || (args.check && has_changes) { Exit::ERROR } else { Exit::SUCCESS })
}

fn show(formatted: &Formatted, args: &FmtArgs, is_stream: bool, output: &Output) -> Result<(), CliError> {
    if output.is_for_programs() {
        return output.value(&format_json(formatted, args.check, args.diff));
    }
    if !formatted.diagnostics.is_empty() {
        let paint = output.talk_paint;
        let text = render_text(&formatted.diagnostics, &formatted.sources, paint.colour, paint.width);
        match formatted.diagnostics.iter().any(|one| one.severity == Severity::Error) {
            true => output.say(&text),
            false => output.talk(&text),
        }
    }
    if is_stream && !args.check && !args.diff {
        // Another tool's text goes through as it came: an editor that pipes its buffer must get it back.
        let text: String = formatted.files.iter().filter_map(|file| file.fate.text()).collect();
        return output.verbatim(&text);
    }
    output.result(&format_text(formatted, args.diff, output.paint))?;
    if !is_stream {
        output.talk(&format_summary(formatted, args.check));
    }
    Ok(())
}
