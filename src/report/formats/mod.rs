//! One result, and every form that it is written in.
//!
//! A command makes one [`Report`]; text, JSON, YAML, markdown, GitHub's workflow commands, GitLab's reports and JUnit
//! are all rendered from it, so that no two forms can tell different stories.
//!
//! # Guarantees
//! Text that came from outside (names, messages of the API, paths) is made harmless for each form: it can neither end
//! the place it stands in, nor call anybody, nor command a pipeline. Links are shown without their signatures.

mod annotation;
mod escape;
mod github;
mod gitlab;
mod headline;
mod junit;
mod markdown;
mod page;
mod place;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::apply::Outcome;
use crate::face::{Desired, FaceKey, ProjectName};
use crate::manifest::{Diagnostic, Loaded, Severity, Sources, render_text};
use crate::plan::{DriftReport, FacePlan, Plan};
use crate::state::Provenance;

use super::words::count;
use super::{
    Document, DriftDocument, FailureDocument, OutcomeDocument, Paint, PlanDocument, StatusDocument, StatusRow,
    ValidationDocument, digest_text, drift_text, outcome_text, plan_text, status_table,
};

pub use github::{github_commands, github_outputs};
pub use gitlab::{gitlab_code_quality, gitlab_plan};
pub use headline::headline;
pub use junit::junit;
pub use markdown::{MARKDOWN_LIMIT, markdown};
pub use place::Roots;

/// What a command found or did: the one value that every form is rendered from.
#[derive(Debug, Clone)]
pub struct Report<'a> {
    /// The command, as it is typed.
    pub command: &'a str,
    /// Whose result it is; none where not even that could be found out.
    pub project: Option<&'a ProjectName>,
    /// Who was at work, and on which commit; none where no form was asked for that says it.
    pub provenance: Option<&'a Provenance>,
    /// Whether it is of the sandbox: nothing of it is real.
    pub is_rehearsal: bool,
    /// The exit code.
    pub exit: u8,
    /// What that means.
    pub exit_means: &'a str,
    /// The result itself.
    pub body: Body<'a>,
}

/// The result itself.
#[derive(Debug, Clone)]
pub enum Body<'a> {
    /// The manifests are sound.
    Sound(Sound<'a>),
    /// The manifests cannot be used, so the command did nothing.
    Rejected(Rejection<'a>),
    /// What would be done.
    Plan(Planned<'a>),
    /// What was done, and how things are now.
    Run(Ran<'a>),
    /// How things are.
    Status(Standing<'a>),
    /// What somebody else changed.
    Drift(Drifted<'a>),
    /// The command failed before it had a result.
    Failure(Failure<'a>),
}

/// Sound manifests.
#[derive(Debug, Clone)]
pub struct Sound<'a> {
    /// What they ask for, and what is worth knowing about them.
    pub loaded: &'a Loaded,
}

/// Manifests that cannot be used.
#[derive(Debug, Clone)]
pub struct Rejection<'a> {
    /// What is wrong, sorted by place.
    pub diagnostics: &'a [Diagnostic],
    /// The texts.
    pub sources: &'a Sources,
}

/// A plan, and what it was made from.
#[derive(Debug, Clone)]
pub struct Planned<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// When it was made.
    pub now: Timestamp,
    /// What a reader has to know about it, such as that the API was not asked. Whole sentences.
    pub notes: Vec<String>,
}

/// What came of a run.
#[derive(Debug, Clone)]
pub struct Ran<'a> {
    /// What was done.
    pub outcome: &'a Outcome,
    /// What was planned before it.
    pub plan: &'a Plan,
    /// Faces that stayed blocked, as far as that concerns the command.
    pub blocked: BTreeSet<FaceKey>,
    /// How the faces are after it; where that could not be looked up, those that it was at work on, as recorded.
    pub rows: &'a [StatusRow],
}

/// How things are.
#[derive(Debug, Clone)]
pub struct Standing<'a> {
    /// Whose faces they are.
    pub project: &'a ProjectName,
    /// One row for each face.
    pub rows: &'a [StatusRow],
    /// When the live faces were looked at; none where they were not.
    pub observed_at: Option<Timestamp>,
    /// Faces of which nothing is said, as only a part was asked for.
    pub left_out: usize,
}

/// What somebody else changed.
#[derive(Debug, Clone)]
pub struct Drifted<'a> {
    /// What differs.
    pub report: &'a DriftReport,
    /// The recorded faces that were selected.
    pub compared: Vec<FaceKey>,
    /// Those of them of which nobody can tell, as they were not to be seen in a listing that was not complete.
    pub unseen: Vec<FaceKey>,
    /// Faces whose manifest changed, which is not drift.
    pub changed: &'a [FaceKey],
    /// What is declared, for the places.
    pub desired: &'a Desired,
}

/// Why there is no result.
#[derive(Debug, Clone)]
pub struct Failure<'a> {
    /// What happened.
    pub message: &'a str,
    /// Why, outermost first.
    pub causes: &'a [String],
    /// What to do now.
    pub hints: &'a [String],
    /// The plan that was shown before, where there was one, and when it was made.
    pub plan: Option<(&'a Plan, Timestamp)>,
}

/// Problems that people are shown: more of them fill a screen and a log, and come from one mistake.
pub const PROBLEMS_SHOWN: usize = 100;

impl Report<'_> {
    /// Returns what stands on standard output for people. Problems and failures do not: they are told on standard
    /// error.
    pub fn text(&self, paint: Paint) -> String {
        match &self.body {
            Body::Sound(sound) => sound_text(sound, paint),
            Body::Rejected(_) | Body::Failure(_) => String::new(),
            Body::Plan(planned) => {
                let is_approvable = planned.plan.has_changes() && planned.plan.is_for_approval();
                let digest = is_approvable.then(|| digest_text(planned.plan.digest(), paint));
                plan_text(planned.plan, paint) + &digest.unwrap_or_default()
            }
            Body::Run(ran) => run_text(ran, paint),
            Body::Status(Standing { rows: [], .. }) => String::new(),
            Body::Status(standing) => status_table(standing.rows, paint),
            Body::Drift(drifted) => drift_text(drifted.report, drifted.changed, paint),
        }
    }

    /// Returns the whole for programs, as `-o json` prints it.
    pub fn document(&self) -> Document<'_> {
        match &self.body {
            Body::Sound(Sound { loaded }) => Document::Validation(ValidationDocument::of(Ok(loaded))),
            Body::Rejected(Rejection { diagnostics, sources: _ }) => {
                Document::Validation(ValidationDocument::of(Err(diagnostics)))
            }
            Body::Plan(planned) => {
                Document::Plan(Box::new(PlanDocument::of(planned.plan, planned.now, self.provenance)))
            }
            Body::Run(Ran { outcome, plan, blocked: _, rows }) => {
                let left_out = plan.left_out.count();
                let document = OutcomeDocument::of(&plan.project, outcome, rows, self.exit, left_out, self.provenance);
                Document::Outcome(Box::new(document))
            }
            Body::Status(standing) => Document::Status(StatusDocument::of(standing, self.provenance)),
            Body::Drift(Drifted { report, compared: _, unseen: _, changed, desired }) => {
                Document::Drift(DriftDocument::of(&desired.project, report, changed, self.provenance))
            }
            Body::Failure(failure) => {
                Document::Failure(Box::new(FailureDocument::of(self.command, self.project, self.exit, failure)))
            }
        }
    }
}

impl Rejection<'_> {
    /// Returns the problems for people: the first of them with their lines, and how many there are.
    pub fn text(&self, paint: Paint) -> String {
        let all = self.diagnostics.len();
        let shown = &self.diagnostics[..all.min(PROBLEMS_SHOWN)];
        let mut text = render_text(shown, self.sources, paint.colour, paint.width);
        if shown.len() < all {
            text.push_str(&format!("These are the first {} of {all}; -o json tells all of them.\n", shown.len()));
        }
        text
    }
}

impl Ran<'_> {
    /// Returns the faces that stayed blocked, with what blocks them.
    fn blocks(&self) -> impl Iterator<Item = &FacePlan> {
        self.plan.blocks().map(|(face, _)| face).filter(|face| self.blocked.contains(&face.key))
    }
}

/// Returns what happened, and why and what to do about it, a line each.
fn words_of_failure<'a>(failure: &Failure<'a>) -> (&'a str, Vec<String>) {
    let causes = failure.causes.iter().map(|cause| format!("caused by: {cause}"));
    let hints = failure.hints.iter().map(|hint| format!("hint: {hint}"));
    (failure.message, causes.chain(hints).collect())
}

fn sound_text(Sound { loaded }: &Sound<'_>, paint: Paint) -> String {
    let (faces, files) = (count(loaded.desired.faces.len(), "face"), count(loaded.files, "file"));
    format!("{} {faces} in {files}, project {}.\n", paint.green("Valid:"), loaded.project.name)
}

fn run_text(ran: &Ran<'_>, paint: Paint) -> String {
    if *ran.outcome == Outcome::default() {
        return String::new();
    }
    let table = match ran.rows {
        [] => String::new(),
        rows => format!("\n{}", status_table(rows, paint)),
    };
    format!("{table}\n{}", outcome_text(ran.outcome, paint))
}

/// Returns how many problems and how many warnings there are, in words; empty where there are none.
fn counted(diagnostics: &[Diagnostic]) -> String {
    let of = |severity| diagnostics.iter().filter(|one| one.severity == severity).count();
    let said = [(of(Severity::Error), "problem"), (of(Severity::Warning), "warning")];
    let said = said.into_iter().filter(|(number, _)| *number > 0).map(|(number, noun)| count(number, noun));
    said.collect::<Vec<_>>().join(", ")
}
