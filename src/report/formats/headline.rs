//! A result in one line.

use crate::plan::Plan;

use super::super::outcome::done_counts;
use super::super::plan_words::{agreement, cost, counts, other_counts};
use super::super::words::count;
use super::{Body, Report, counted};
use crate::report::{Health, StatusRow};

/// Returns the result in one line of plain text, without anything that came from outside: `Plan: 2 to create, …`.
pub fn headline(report: &Report<'_>) -> String {
    match &report.body {
        Body::Sound(sound) => {
            let found = format!(
                "Valid: {} in {}.",
                count(sound.loaded.desired.faces.len(), "face"),
                count(sound.loaded.files, "file")
            );
            match counted(&sound.loaded.warnings).as_str() {
                "" => found,
                warnings => format!("{found} {warnings}."),
            }
        }
        Body::Rejected(rejection) => format!("{} in the manifests: nothing was done.", counted(rejection.diagnostics)),
        Body::Plan(planned) => plan_line(planned.plan),
        Body::Run(ran) => {
            let (head, done) = done_counts(ran.outcome);
            let blocked = ran.blocked.len();
            let blocked = if blocked == 0 { String::new() } else { format!(", {blocked} blocked") };
            format!("{head} {}{blocked}.", done.join(", "))
        }
        Body::Status(standing) => status_line(standing.rows),
        Body::Drift(drifted) => match drifted.report.faces.len() {
            0 => format!("No drift: {} compared.", count(drifted.report.compared, "recorded face")),
            number => format!("{number} of {} drifted.", count(drifted.report.compared, "recorded face")),
        },
        Body::Failure(_) => format!("facectl {} failed, with exit code {}.", report.command, report.exit),
    }
}

fn plan_line(plan: &Plan) -> String {
    let summary = plan.summary();
    if !plan.has_changes() && summary.blocked == 0 {
        return format!("No changes: {}", agreement(summary.no_op, summary.wait, summary.orphaned));
    }
    let also = match other_counts(&summary) {
        others if others.is_empty() => String::new(),
        others => format!(" Also: {}.", others.join(", ")),
    };
    let cost = cost(&summary).map_or_else(String::new, |(cost, how_long)| format!(" {cost}; {how_long}"));
    format!("{}{also}{cost}", counts(&summary))
}

fn status_line(rows: &[StatusRow]) -> String {
    let number = |health: Health| rows.iter().filter(|row| row.health == health).count();
    let said = [
        (number(Health::Ready), "ready"),
        (number(Health::Preview), "preview"),
        (number(Health::Training), "in training"),
        (number(Health::Failed), "failed"),
        (number(Health::Missing), "missing"),
        (number(Health::Unknown), "unknown"),
    ];
    let said = said.into_iter().filter(|(number, _)| *number > 0).map(|(number, word)| format!("{number} {word}"));
    match said.collect::<Vec<_>>() {
        none if none.is_empty() => "No faces are declared or recorded.".to_owned(),
        said => format!("{}: {}.", count(rows.len(), "face"), said.join(", ")),
    }
}
