//! Manifests that are sound or not, and failures.

use crate::manifest::{Diagnostic, Severity, Sources, render_text};
use crate::report::Paint;

use super::super::escape::{code, fenced, plain_words, prose};
use super::super::page::{List, Part};
use super::super::words_of_failure;
use super::super::{Failure, Rejection, Sound};
use super::{fold, plan};

/// Problems that are shown with their lines; the others have their place.
const WITH_LINES: usize = 20;

pub(super) fn of_sound(sound: &Sound<'_>) -> Vec<Part> {
    listed(&sound.loaded.warnings, &sound.loaded.sources)
}

pub(super) fn of_rejection(rejection: &Rejection<'_>) -> Vec<Part> {
    listed(rejection.diagnostics, rejection.sources)
}

pub(super) fn of_failure(failure: &Failure<'_>) -> Vec<Part> {
    let (message, rest) = words_of_failure(failure);
    let mut text = format!("{}\n\n", prose(message));
    for line in rest {
        text.push_str(&format!("- {}\n", prose(&line)));
    }
    let mut parts = vec![Part::Whole(text + "\n")];
    // What was refused is often the plan itself: whoever reads this has to see it.
    if let Some((plan, _)) = failure.plan {
        parts.push(Part::Whole("The plan, as it was shown before that:\n\n".to_owned()));
        parts.extend(plan::shown(plan));
    }
    parts
}

/// Errors first; each on one line, then the lines of the files behind a fold.
fn listed(diagnostics: &[Diagnostic], sources: &Sources) -> Vec<Part> {
    let mut sorted: Vec<&Diagnostic> = diagnostics.iter().collect();
    sorted.sort_by_key(|one| one.severity);
    let number = sorted.len();
    let lines: Vec<String> = sorted.iter().map(|one| line(one)).collect();
    let left_out = move |kept: usize| format!("- and {} more: `facectl validate` shows all of them\n", number - kept);
    let tail = "\n".to_owned();
    let list = List { head: String::new(), lines, tail, rank: 0, left_out: Box::new(left_out) };
    let folds: Vec<String> = sorted.iter().take(WITH_LINES).map(|one| folded(one, sources)).collect();
    let left_out =
        move |_: usize| "The lines of the others are left out: the log of the run shows them.\n\n".to_owned();
    let (head, tail) = (String::new(), String::new());
    let folds = List { head, lines: folds, tail, rank: 2, left_out: Box::new(left_out) };
    vec![Part::List(list), Part::List(folds)]
}

fn line(diagnostic: &Diagnostic) -> String {
    let Diagnostic { code: _, severity, place, related: _, message, help, hides_line: _ } = diagnostic;
    let word = match severity {
        Severity::Error => "**problem**",
        Severity::Warning => "warning",
    };
    let help = help.as_ref().map_or_else(String::new, |help| format!(" **Do:** {}", prose(help)));
    format!("- {word} at {}: {}{help}\n", code(&place.to_string()), prose(message))
}

fn folded(diagnostic: &Diagnostic, sources: &Sources) -> String {
    let text = render_text(std::slice::from_ref(diagnostic), sources, false, Paint::plain().width);
    // The last line counts the problems, of which there is one.
    let lines: Vec<String> = text.trim_end().lines().map(str::to_owned).collect();
    let lines = lines.get(..lines.len().saturating_sub(1)).unwrap_or_default();
    let end = lines.iter().rposition(|line| !line.trim().is_empty()).map_or(0, |at| at + 1);
    // Behind a title only HTML is read, no markdown.
    let place = plain_words(&diagnostic.place.to_string());
    let title = format!("<code>{place}</code> {}", diagnostic.code);
    fold(&title, &fenced("text", lines.get(..end).unwrap_or_default()))
}
