//! GitHub Actions: notes beside lines, and step outputs.
//!
//! Sources: "Workflow commands for GitHub Actions", docs.github.com; how a runner reads lines: `ActionCommandManager.cs`
//! and `ActionCommand.cs` of actions/runner (both read in November 2026).

use std::fmt::Write;

use super::annotation::{Annotation, Level, annotations};
use super::escape::{clipped, shown};
use super::{Body, Report, Roots, headline};

/// Notes of one level that GitHub shows of one step; it drops the others without a word.
const SHOWN: usize = 10;
/// The longest message of a note, in characters: the API behind it takes 64 KB, and nobody reads as much.
const LONGEST: usize = 2_000;

/// Returns what stands on standard output: the text for people, which no line of can command the runner, then the notes.
///
/// `token` ends the stretch in which the runner takes no commands; nobody may be able to guess it.
pub fn github_commands(report: &Report<'_>, text: &str, roots: &Roots, token: &str) -> String {
    let text = match text.trim_matches('\n') {
        "" => headline(report),
        text => text.to_owned(),
    };
    let mut out = format!("::stop-commands::{token}\n{text}\n::{token}::\n");
    let notes = annotations(report);
    for level in [Level::Error, Level::Warning, Level::Notice] {
        let of: Vec<&Annotation> = notes.iter().filter(|note| note.level == level).collect();
        // The last place says how many there are besides.
        let kept = if of.len() > SHOWN { SHOWN - 1 } else { of.len() };
        for note in of.iter().take(kept) {
            out.push_str(&command(note, roots));
        }
        if of.len() > kept {
            let more = format!("and {} more: the summary and the log of this step have them", of.len() - kept);
            let _ = writeln!(out, "::{} title=facectl {}::{more}", word(level), property(report.command));
        }
    }
    out
}

fn word(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Notice => "notice",
    }
}

fn command(note: &Annotation, roots: &Roots) -> String {
    let Annotation { level, code: _, file, span, title, message } = note;
    let mut properties = Vec::new();
    // A file outside of the repository has no line that could be shown.
    let within = file.as_deref().and_then(|file| roots.within(file));
    let outside = file.as_deref().filter(|_| within.is_none());
    if let Some(file) = &within {
        properties.push(format!("file={}", property(file)));
        if let Some(((line, column), (end_line, end_column))) = span {
            properties.push(format!("line={line}"));
            match line == end_line && end_column > column {
                // Columns count only where begin and end are on one line; the end here is the last, not the one behind.
                true => properties.push(format!("col={column},endColumn={}", (end_column - 1).max(*column))),
                false if end_line > line => properties.push(format!("endLine={end_line}")),
                false => properties.push(format!("col={column}")),
            }
        }
    }
    properties.push(format!("title={}", property(title)));
    let place = outside.map_or_else(String::new, |file| format!("{file}: "));
    let lines: Vec<String> = format!("{place}{message}").lines().map(shown).collect();
    format!("::{} {}::{}\n", word(*level), properties.join(","), data(&clipped(&lines.join("\n"), LONGEST)))
}

/// Escapes what stands behind a command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes what stands in a property of a command.
fn property(text: &str) -> String {
    data(&shown(text)).replace(':', "%3A").replace(',', "%2C")
}

/// Returns the step outputs, as lines for the file that `GITHUB_OUTPUT` names. `token` ends each value; nobody may be
/// able to guess it.
pub fn github_outputs(report: &Report<'_>, token: &str) -> String {
    let mut out = String::new();
    for (name, value) in outputs(report) {
        let _ = writeln!(out, "{name}<<{token}\n{}\n{token}", shown(&value));
    }
    out
}

fn outputs(report: &Report<'_>) -> Vec<(&'static str, String)> {
    let mut outputs = vec![("exit-code", report.exit.to_string()), ("summary", headline(report))];
    let mut number = |name, value: usize| outputs.push((name, value.to_string()));
    let has_changes = match &report.body {
        Body::Plan(planned) => {
            let summary = planned.plan.summary();
            number("creates", summary.create);
            number("updates", summary.update + summary.switch);
            number("replaces", summary.replace);
            number("deletes", summary.delete);
            number("paid-trainings", summary.paid_trainings);
            number("blocked", summary.blocked);
            Some(planned.plan.has_changes())
        }
        Body::Run(ran) => {
            let outcome = ran.outcome;
            let replaces = |key: &&crate::face::FaceKey| {
                let is_replaced = |face: &crate::plan::FacePlan| matches!(face.action, crate::plan::Action::Replace(_));
                ran.plan.faces.iter().any(|face| face.key == **key && is_replaced(face))
            };
            let replaced = outcome.created.iter().filter(replaces).count();
            number("creates", outcome.created.len() - replaced);
            number("updates", outcome.updated.len() + outcome.switched.len());
            number("replaces", replaced);
            number("deletes", outcome.deleted.len());
            number("paid-trainings", outcome.created.len());
            number("blocked", ran.blocked.len());
            let crate::apply::Outcome { created, adopted, updated, forgotten, switched, given_up, deleted, .. } =
                outcome;
            let all = [created, adopted, updated, forgotten, switched, given_up, deleted];
            Some(all.into_iter().any(|done| !done.is_empty()))
        }
        Body::Drift(drifted) => {
            number("drifted", drifted.report.faces.len());
            Some(!drifted.report.faces.is_empty())
        }
        Body::Sound(_) | Body::Rejected(_) | Body::Status(_) | Body::Failure(_) => None,
    };
    if let Some(has_changes) = has_changes {
        outputs.push(("has-changes", has_changes.to_string()));
    }
    if let Body::Plan(planned) = &report.body {
        // Empty where there is nothing to approve.
        let digest =
            (planned.plan.has_changes() && planned.plan.is_for_approval()).then(|| planned.plan.digest().to_string());
        outputs.push(("digest", digest.unwrap_or_default()));
    }
    outputs
}
