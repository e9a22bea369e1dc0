//! What the loop says: structured, and only when there is something to say.

use crate::apply::Event;
use crate::cli::Exit;
use crate::cli::error::CliError;
use crate::manifest::{Diagnostic, Rejected, Severity};
use crate::plan::Plan;
use crate::report::{Paint, duration, line};

/// Problems told of one commit: the others are counted.
const PROBLEMS_TOLD: usize = 20;

/// Tells of an event.
pub fn told(event: &Event) {
    if matches!(event, Event::WaitBegan { .. }) {
        return;
    }
    let plain = Paint { colour: false, width: usize::MAX };
    let Some(text) = line(event, plain) else {
        return tracing::debug!("{event:?}");
    };
    match event {
        Event::CreateFellInDoubt { .. }
        | Event::CreateRefused { .. }
        | Event::StepFailed { .. }
        | Event::TrainingFailed { .. }
        | Event::LookFailed { .. } => tracing::warn!("{text}"),
        _ => tracing::info!("{text}"),
    }
}

/// Returns an error with its causes, on one line.
fn chain(error: &CliError) -> String {
    std::iter::once(&error.message).chain(&error.causes).cloned().collect::<Vec<_>>().join(": ")
}

/// Tells of an error in one line, with its causes and what to do.
pub fn trouble(what: &str, error: &CliError) {
    let why = chain(error);
    tracing::error!(why, help = error.hints.join("; "), "{what}");
}

/// Tells of a source that shows nothing to go by, for so many times in a row.
pub fn source_trouble(error: &CliError, times: u32, has_manifests: bool) {
    let what = match has_manifests {
        true => "the source shows nothing to go by; the last good manifests stay in force",
        false => "the source shows nothing to go by, and there are no manifests from before: nothing is done",
    };
    let why = chain(error);
    tracing::error!(times, why, help = error.hints.join("; "), "{what}");
}

/// Tells of a pass that could not be taken.
pub fn failed_pass(error: &CliError, times: u32, wait: std::time::Duration) {
    let why = chain(error);
    if error.exit == Exit::HELD {
        return tracing::info!(why, "this pass is left out: the state is held by another run");
    }
    let (help, again_in) = (error.hints.join("; "), duration(wait));
    tracing::error!(why, help, times, again_in, "this pass failed, and changed nothing that is not told above");
}

/// Tells what is wrong with manifests, each problem by itself.
pub fn rejected(rejected: &Rejected, commit: Option<&str>, has_others: bool) {
    let told = rejected.diagnostics.iter().filter(|one| one.severity == Severity::Error).take(PROBLEMS_TOLD);
    let problems = errors(rejected);
    for Diagnostic { code, place, message, help, .. } in told {
        tracing::error!(commit, code, help = help.as_deref(), "{place}: {message}");
    }
    let what = match has_others {
        true => "the manifests are broken; the last good ones stay in force",
        false => "the manifests are broken, and there are none from before: nothing is done",
    };
    tracing::error!(commit, problems, "{what}");
}

/// Tells what is worth knowing about manifests that are taken.
pub fn warnings(warnings: &[Diagnostic], commit: Option<&str>) {
    for Diagnostic { code, place, message, help, .. } in warnings.iter().take(PROBLEMS_TOLD) {
        tracing::warn!(commit, code, help = help.as_deref(), "{place}: {message}");
    }
    if warnings.len() > PROBLEMS_TOLD {
        tracing::warn!(
            commit,
            "there are {} more warnings: `facectl validate` tells all",
            warnings.len() - PROBLEMS_TOLD
        );
    }
}

/// Counts what is wrong with manifests.
pub fn errors(rejected: &Rejected) -> usize {
    rejected.diagnostics.iter().filter(|one| one.severity == Severity::Error).count()
}

/// Tells what is about to be done.
pub fn planned(plan: &Plan) {
    let summary = plan.summary();
    tracing::info!(
        create = summary.create,
        update = summary.update,
        replace = summary.replace,
        delete = summary.delete,
        paid_trainings = summary.paid_trainings,
        digest = plan.digest().short(),
        "planned"
    );
}
