//! What GitLab reads: the counts that a merge request shows, and the code quality report.
//!
//! Sources: "Integrate Terraform with merge requests" (`artifacts:reports:terraform`) and "Code Quality report format",
//! docs.gitlab.com (both read in November 2026).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::annotation::{Annotation, Level, annotations};
use super::escape::{clipped, shown};
use super::{Body, Report, Roots, headline};

/// The longest description, in characters.
const LONGEST: usize = 1_000;

/// Returns the counts that the widget of a merge request shows.
///
/// Where there is no plan there are no counts: then the widget says that the report could not be made, and not that
/// nothing changes.
pub fn gitlab_plan(report: &Report<'_>) -> Value {
    match &report.body {
        Body::Plan(planned) => {
            let summary = planned.plan.summary();
            // A replacement is a new face, and the old one goes later, if at all.
            json!({
                "create": summary.create + summary.replace,
                "update": summary.update + summary.switch,
                "delete": summary.delete,
            })
        }
        _ => json!({ "error": shown(&headline(report)) }),
    }
}

/// Returns the problems as code quality findings, each at its file and line.
pub fn gitlab_code_quality(report: &Report<'_>, roots: &Roots) -> Value {
    let mut used = BTreeSet::new();
    let findings = annotations(report).into_iter().filter(|note| note.level != Level::Notice);
    findings.map(|note| finding(&note, roots, &mut used)).collect()
}

fn finding(note: &Annotation, roots: &Roots, used: &mut BTreeSet<String>) -> Value {
    let Annotation { level, code, file, span, title: _, message } = note;
    let path = file.as_deref().and_then(|file| roots.within(file));
    // A finding without a file is not shown at all: what concerns the whole project stands at its file.
    let path = path.or_else(|| roots.within("facectl.yaml")).unwrap_or_else(|| "facectl.yaml".to_owned());
    let ((line, _), (end, _)) = span.unwrap_or(((1, 1), (1, 1)));
    let description = clipped(&shown(message), LONGEST);
    // Without the line: what only moved is the same finding, and GitLab compares them by this.
    let mut count = 0;
    let fingerprint = loop {
        let text = format!("{code}\0{path}\0{description}\0{count}");
        let print = blake3::hash(text.as_bytes()).to_hex().to_string();
        if used.insert(print.clone()) {
            break print;
        }
        count += 1;
    };
    json!({
        "description": description,
        "check_name": code,
        "fingerprint": fingerprint,
        "severity": match level {
            Level::Error => "critical",
            Level::Warning => "minor",
            Level::Notice => "info",
        },
        "location": { "path": path, "lines": { "begin": line.max(1), "end": end.max(line).max(1) } },
    })
}
