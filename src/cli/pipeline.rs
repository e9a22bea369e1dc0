//! The pipeline around a run: where its files are, and what it wants to be told through them.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::report::{Report, Roots, github_outputs, markdown};
use crate::state::Provenance;

use super::error::CliError;
use super::provenance;

/// The most that GitHub shows of one step, all writers together ("Workflow commands", docs.github.com: 1 MiB). One byte
/// too many, and none of it is shown.
const SUMMARY_LIMIT: u64 = 1 << 20;

/// Returns what paths are relative to, here and for the forge.
pub fn roots() -> Roots {
    let current = std::env::current_dir().unwrap_or_default();
    let named = ["GITHUB_WORKSPACE", "CI_PROJECT_DIR"].into_iter().filter_map(std::env::var_os).map(PathBuf::from);
    // A pipeline may be called from a folder that has nothing to do with its checkout.
    let named = named.filter_map(|path| fs::canonicalize(path).ok()).find(|path| current.starts_with(path));
    let by_git = || current.ancestors().find(|folder| folder.join(".git").exists()).map(Path::to_owned);
    let repository = named.or_else(by_git).unwrap_or_else(|| current.clone());
    Roots { current, repository }
}

/// Finds out who is at work where no session knows it.
pub fn provenance() -> Provenance {
    let current = std::env::current_dir().unwrap_or_default();
    provenance::gather(&current, &[&current.join(".facectl")], String::new()).provenance
}

/// Returns a word that nobody can guess, to end what came from outside.
pub fn secret_word() -> String {
    format!("facectl-{}", uuid::Uuid::new_v4().simple())
}

/// Adds to the summary of a step of GitHub Actions and to its outputs, where there is one. What could not be written is
/// returned.
pub fn write_step_files(report: &Report<'_>) -> Vec<CliError> {
    let file = |name: &str| std::env::var_os(name).filter(|path| !path.is_empty()).map(PathBuf::from);
    let mut errors = Vec::new();
    if let Some(path) = file("GITHUB_STEP_SUMMARY") {
        // Another command of the same step may have written there.
        let taken = fs::metadata(&path).map_or(0, |about| about.len());
        let room = usize::try_from(SUMMARY_LIMIT.saturating_sub(taken + 2)).unwrap_or_default();
        let blank = if taken > 0 { "\n" } else { "" };
        // Less than the head alone: nothing that would be cut in its middle.
        if room >= LEAST {
            errors.extend(
                added(&path, &format!("{blank}{}", markdown(report, room))).err().map(|error| {
                    CliError::caused("the step summary could not be written (GITHUB_STEP_SUMMARY)", &error)
                }),
            );
        }
    }
    if let Some(path) = file("GITHUB_OUTPUT") {
        errors.extend(
            added(&path, &github_outputs(report, &secret_word()))
                .err()
                .map(|error| CliError::caused("the step outputs could not be written (GITHUB_OUTPUT)", &error)),
        );
    }
    errors
}

/// The least room in which a summary makes sense, in bytes.
const LEAST: usize = 4_000;

fn added(path: &Path, text: &str) -> io::Result<()> {
    OpenOptions::new().append(true).create(true).open(path)?.write_all(text.as_bytes())
}
