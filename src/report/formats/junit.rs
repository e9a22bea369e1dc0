//! JUnit XML: a test for each file or face, for pipelines that show tests.

use std::collections::BTreeMap;

use quick_junit::{NonSuccessKind, Report as Document, TestCase, TestCaseStatus, TestSuite};

use crate::face::FaceKey;
use crate::manifest::{Diagnostic, Severity, Sources};
use crate::plan::{FacePlan, Plan, Reason};

use super::super::drift::described;
use super::super::material::source_change_text;
use super::super::offline::reason_in;
use super::super::plan_words::refused;
use super::super::words::{advice, reason};
use super::escape::shown;
use super::{Body, Drifted, Ran, Rejection, Report, Roots, Sound, words_of_failure};
use crate::report::{Health, StatusRow};

/// Returns the result as JUnit XML. Nothing in it depends on the time.
pub fn junit(report: &Report<'_>, roots: &Roots) -> String {
    let mut suite = TestSuite::new(report.project.map_or("facectl", |project| project.as_str()));
    suite.add_test_cases(cases(report, roots));
    let mut document = Document::new(format!("facectl {}", report.command));
    document.add_test_suite(suite);
    // Writing into a text cannot fail. What no XML may hold not even as a reference was spelled out before, wherever it
    // can come from outside: were one left, the whole report could not be read.
    let mut text = document.to_string().unwrap_or_default();
    text.retain(is_xml);
    text
}

/// XML 1.0, fifth edition, production 2 (`Char`); surrogates are no characters here.
fn is_xml(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..)
}

fn cases(report: &Report<'_>, roots: &Roots) -> Vec<TestCase> {
    match &report.body {
        Body::Sound(Sound { loaded }) => of_files(&loaded.warnings, &loaded.sources, roots),
        Body::Rejected(Rejection { diagnostics, sources }) => of_files(diagnostics, sources, roots),
        Body::Plan(planned) => of_plan(planned.plan, roots),
        Body::Run(ran) => of_run(ran, roots),
        Body::Status(standing) => standing.rows.iter().map(of_row).collect(),
        Body::Drift(drifted) => of_drift(drifted, roots),
        Body::Failure(failure) => {
            let (message, rest) = words_of_failure(failure);
            vec![case("run", not_ok(NonSuccessKind::Error, "failed", message, rest))]
        }
    }
}

fn case(name: &str, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(shown(name), status);
    case.set_classname("facectl");
    case
}

fn not_ok(kind: NonSuccessKind, what: &str, message: &str, lines: impl IntoIterator<Item = String>) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    let message = shown(message);
    let lines: Vec<String> =
        std::iter::once(message.clone()).chain(lines.into_iter().map(|line| shown(&line))).collect();
    status.set_type(what).set_message(message).set_description(lines.join("\n"));
    status
}

fn of_files(diagnostics: &[Diagnostic], sources: &Sources, roots: &Roots) -> Vec<TestCase> {
    let mut files: BTreeMap<&str, Vec<&Diagnostic>> =
        sources.iter().map(|source| (&**source.name(), Vec::new())).collect();
    for diagnostic in diagnostics {
        files.entry(&diagnostic.place.file).or_default().push(diagnostic);
    }
    let one = |(file, found): (&str, Vec<&Diagnostic>)| {
        let name = roots.within(file).unwrap_or_else(|| file.to_owned());
        let said = |one: &&Diagnostic| {
            let help = one.help.as_ref().map_or_else(String::new, |help| format!(" (help: {help})"));
            format!("{}: {}{help}", one.place, one.message)
        };
        match found.iter().find(|one| one.severity == Severity::Error) {
            Some(first) => {
                case(&name, not_ok(NonSuccessKind::Failure, first.code, &first.message, found.iter().map(said)))
            }
            None => {
                let mut sound = case(&name, TestCaseStatus::success());
                if !found.is_empty() {
                    let lines: Vec<String> = found.iter().map(said).map(|line| shown(&line)).collect();
                    sound.set_system_out(lines.join("\n"));
                }
                sound
            }
        }
    };
    files.into_iter().map(one).collect()
}

fn of_plan(plan: &Plan, roots: &Roots) -> Vec<TestCase> {
    let limits = plan.refusals.iter().map(|refusal| {
        let name = refusal.limit.setting();
        case(name, not_ok(NonSuccessKind::Failure, "over-limit", &refused(refusal), None))
    });
    let faces = plan.faces.iter().map(|face| match &face.reason {
        Reason::Blocked(_) => of_block(face, roots),
        _ => {
            let mut well = case(face.key.as_str(), TestCaseStatus::success());
            let paid = if face.action.is_paid() { ", starts a paid training" } else { "" };
            let why = format!("{}{paid}: {}", face.action.word(), reason_in(plan, &face.reason));
            let advice = face.advice.iter().map(|finding| format!("advice: {}", finding.line()));
            let changed = face.source_change.as_ref().map(source_change_text);
            let lines = std::iter::once(why).chain(advice).chain(changed).map(|line| shown(&line));
            well.set_system_out(lines.collect::<Vec<_>>().join("\n"));
            well
        }
    });
    limits.chain(faces).collect()
}

fn of_block(face: &FacePlan, roots: &Roots) -> TestCase {
    let help = match &face.reason {
        Reason::Blocked(block) => Some(format!("help: {}", advice(face.key.as_str(), block))),
        _ => None,
    };
    let place = face.origin.as_ref().map(|origin| {
        let file = roots.within(&origin.file).unwrap_or_else(|| origin.file.clone());
        format!("at {file}:{}:{}", origin.line, origin.column)
    });
    let status =
        not_ok(NonSuccessKind::Failure, face.reason.code(), &reason(&face.reason), help.into_iter().chain(place));
    case(face.key.as_str(), status)
}

fn of_run(ran: &Ran<'_>, roots: &Roots) -> Vec<TestCase> {
    let outcome = ran.outcome;
    let mut cases: BTreeMap<&FaceKey, TestCase> = ran.rows.iter().map(|row| (&row.key, of_row(row))).collect();
    let done = [&outcome.created, &outcome.adopted, &outcome.updated, &outcome.switched, &outcome.reached];
    for key in done.into_iter().flatten() {
        cases.entry(key).or_insert_with(|| case(key.as_str(), TestCaseStatus::success()));
    }
    for face in ran.blocks() {
        cases.insert(&face.key, of_block(face, roots));
    }
    for key in outcome.still_training.iter().chain(&outcome.skipped) {
        let mut waiting = TestCaseStatus::skipped();
        let is_training = outcome.still_training.contains(key);
        waiting.set_message(if is_training { "still in training: run `facectl wait`" } else { "not begun" });
        let mut waiting = case(key.as_str(), waiting);
        // Its id is what a person looks for when nobody could wait for it.
        waiting.system_out = cases.remove(key).and_then(|row| row.system_out);
        cases.insert(key, waiting);
    }
    let mut bad =
        |key, kind, what, message: &str| cases.insert(key, case(key.as_str(), not_ok(kind, what, message, None)));
    for held in &outcome.held {
        if let Some(key) = &held.key {
            bad(key, NonSuccessKind::Failure, "held", &format!("did not {}: {}", held.doing, held.why));
        }
    }
    for trouble in &outcome.trouble {
        if let Some(key) = &trouble.key {
            bad(key, NonSuccessKind::Error, "trouble", &format!("failed to {}: {}", trouble.doing, trouble.why));
        }
    }
    for (key, why) in &outcome.failed {
        let why = why.as_deref().unwrap_or("its training failed, and the API does not say why");
        bad(key, NonSuccessKind::Failure, "failed", why);
    }
    for (key, why) in &outcome.refused {
        bad(key, NonSuccessKind::Failure, "refused", &format!("nothing was started: {why}"));
    }
    for key in &outcome.in_doubt {
        bad(key, NonSuccessKind::Error, "in-doubt", "nobody knows whether its training began: run `facectl recover`");
    }
    let mut all: Vec<TestCase> = cases.into_values().collect();
    for trouble in outcome.trouble.iter().filter(|trouble| trouble.key.is_none()) {
        let message = format!("failed to {}: {}", trouble.doing, trouble.why);
        all.push(case("run", not_ok(NonSuccessKind::Error, "trouble", &message, None)));
    }
    if outcome.is_key_refused {
        all.push(case("run", not_ok(NonSuccessKind::Error, "key-refused", "the API refused the key", None)));
    }
    if outcome.is_interrupted {
        let message = "interrupted; the state is safe, run the same command again";
        all.push(case("run", not_ok(NonSuccessKind::Error, "interrupted", message, None)));
    }
    all
}

fn of_row(row: &StatusRow) -> TestCase {
    let note = row.note.as_deref().unwrap_or_default();
    let status = match row.health {
        Health::Failed | Health::Missing => {
            let what = if row.health == Health::Failed { "failed" } else { "missing" };
            not_ok(NonSuccessKind::Failure, what, if note.is_empty() { what } else { note }, None)
        }
        Health::Ready | Health::Preview | Health::Training | Health::Unknown => TestCaseStatus::success(),
    };
    let mut case = case(row.key.as_str(), status);
    let id = row.face_id.as_ref().map_or_else(String::new, |id| format!("{id}: "));
    case.set_system_out(shown(&format!("{id}{:?}, {:?} {note}", row.sync, row.health)).trim_end().to_owned());
    case
}

fn of_drift(drifted: &Drifted<'_>, roots: &Roots) -> Vec<TestCase> {
    let one = |key: &FaceKey| match drifted.report.faces.get(key) {
        None if drifted.unseen.contains(key) => {
            let mut status = TestCaseStatus::skipped();
            status.set_message("the listing was not complete and did not show it: nobody can tell");
            case(key.as_str(), status)
        }
        None => case(key.as_str(), TestCaseStatus::success()),
        Some(drifts) => {
            let said: Vec<String> = drifts.iter().map(described).collect();
            let origin = drifted.desired.faces.get(key).map(|face| &face.origin);
            let place = origin
                .map(|origin| format!("at {}", roots.within(&origin.file).unwrap_or_else(|| origin.file.clone())));
            case(key.as_str(), not_ok(NonSuccessKind::Failure, "drift", &said.join("; "), place))
        }
    };
    drifted.compared.iter().map(one).collect()
}
