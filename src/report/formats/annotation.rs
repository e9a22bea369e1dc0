//! What is to be seen beside a line of a manifest: the same for every forge that shows such notes.

use crate::face::{FaceKey, Origin};
use crate::manifest::{Diagnostic, Place, Severity};
use crate::plan::{FacePlan, Plan, Reason};

use super::super::drift::described;
use super::super::material::source_change_text;
use super::super::offline::reason_in;
use super::super::plan_words::{doubled, refused};
use super::super::words::{advice, reason};
use super::{Body, Drifted, Ran, Rejection, Report, Sound, words_of_failure};

/// How bad it is; the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// Nothing goes on until it is put right.
    Error,
    /// A person has to look.
    Warning,
    /// Worth knowing.
    Notice,
}

/// One note. Its texts are as they came, to be made harmless by the form that shows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Annotation {
    pub(super) level: Level,
    /// A stable word for programs, such as `facectl::unknown-field`.
    pub(super) code: String,
    /// The file as facectl names it; none where no file is meant.
    pub(super) file: Option<String>,
    /// From and to: line and column each, from 1; none where the whole file is meant.
    pub(super) span: Option<((usize, usize), (usize, usize))>,
    pub(super) title: String,
    pub(super) message: String,
}

impl Annotation {
    fn new(level: Level, code: impl Into<String>, title: impl Into<String>, message: impl Into<String>) -> Self {
        Self { level, code: code.into(), file: None, span: None, title: title.into(), message: message.into() }
    }

    fn at(mut self, origin: Option<&Origin>) -> Self {
        if let Some(Origin { file, line, column }) = origin {
            self.file = Some(file.clone());
            self.span = Some(((*line, *column), (*line, *column)));
        }
        self
    }

    fn of_problem(diagnostic: &Diagnostic) -> Self {
        let Diagnostic { code, severity, place, related: _, message, help, hides_line: _ } = diagnostic;
        let Place { file, line, column, end_line, end_column, span } = place;
        let (level, word) = match severity {
            Severity::Error => (Level::Error, "problem"),
            Severity::Warning => (Level::Warning, "warning"),
        };
        let help = help.as_ref().map_or_else(String::new, |help| format!("\nhelp: {help}"));
        Self {
            level,
            code: (*code).to_owned(),
            file: Some(file.to_string()).filter(|file| file != "-"),
            span: span.map(|_| ((*line, *column), (*end_line, *end_column))),
            title: format!("manifest {word} ({code})"),
            message: format!("{message}{help}"),
        }
    }
}

/// Returns everything that is worth a note, the most important first.
pub(super) fn annotations(report: &Report<'_>) -> Vec<Annotation> {
    let mut notes = match &report.body {
        Body::Sound(Sound { loaded }) => loaded.warnings.iter().map(Annotation::of_problem).collect(),
        Body::Rejected(Rejection { diagnostics, .. }) => diagnostics.iter().map(Annotation::of_problem).collect(),
        Body::Plan(planned) => of_plan(planned.plan),
        Body::Run(ran) => of_run(ran),
        Body::Status(_) => Vec::new(),
        Body::Drift(drifted) => of_drift(drifted),
        Body::Failure(failure) => {
            let (message, rest) = words_of_failure(failure);
            let message = format!("{message}\n{}", rest.join("\n"));
            vec![Annotation::new(Level::Error, "facectl::failed", format!("facectl {}", report.command), message)]
        }
    };
    // Stable: within one level things stay in their order.
    notes.sort_by_key(|note| note.level);
    notes
}

fn of_plan(plan: &Plan) -> Vec<Annotation> {
    let limits = plan.refusals.iter().map(|refusal| {
        let file =
            plan.faces.iter().find(|face| refusal.faces.contains(&face.key)).and_then(|face| face.origin.as_ref());
        Annotation::new(Level::Error, "facectl::over-limit", "over a limit", refused(refusal)).at(file)
    });
    let blocks = plan.blocks().map(|(face, _)| of_block(Level::Warning, face));
    let doubles = plan.duplicates.iter().map(|double| {
        Annotation::new(Level::Warning, "facectl::duplicate", format!("{}: duplicate", double.key), doubled(double))
            .at(origin(plan, &double.key))
    });
    let deletions = plan.deletions().map(|(key, id)| {
        let message = format!("{key}: deletes {id}, which cannot be undone");
        Annotation::new(Level::Warning, "facectl::deletes", format!("{key}: deleted"), message).at(origin(plan, key))
    });
    let paid = plan.faces.iter().filter(|face| face.action.is_paid()).map(|face| {
        let (key, word) = (&face.key, face.action.word());
        let message = format!("{key}: {word}, because {}", reason_in(plan, &face.reason));
        Annotation::new(Level::Notice, "facectl::paid", format!("{key}: starts a paid training"), message)
            .at(face.origin.as_ref())
    });
    let advice = plan.faces.iter().flat_map(|face| {
        face.advice.iter().map(move |finding| {
            let message = format!("{}: {}", face.key, finding.line());
            Annotation::new(Level::Notice, "facectl::material", format!("{}: advice", face.key), message)
                .at(face.origin.as_ref())
        })
    });
    let changed = plan.source_changes().map(|(face, change)| {
        let message = format!("{}: {}", face.key, source_change_text(change));
        Annotation::new(Level::Notice, "facectl::source-changed", format!("{}: source changed", face.key), message)
            .at(face.origin.as_ref())
    });
    limits.chain(doubles).chain(blocks).chain(deletions).chain(paid).chain(advice).chain(changed).collect()
}

fn of_block(level: Level, face: &FacePlan) -> Annotation {
    let key = &face.key;
    let help = match &face.reason {
        Reason::Blocked(block) => format!("\nhelp: {}", advice(key.as_str(), block)),
        _ => String::new(),
    };
    let message = format!("{key}: {}{help}", reason(&face.reason));
    let code = format!("facectl::{}", face.reason.code().replace('_', "-"));
    Annotation::new(level, code, format!("{key}: blocked"), message).at(face.origin.as_ref())
}

fn of_run(ran: &Ran<'_>) -> Vec<Annotation> {
    let outcome = ran.outcome;
    let note = |level, code: &str, key: &FaceKey, title: &str, message: String| {
        Annotation::new(level, code, format!("{key}: {title}"), format!("{key}: {message}")).at(origin(ran.plan, key))
    };
    let doubt =
        "nobody knows whether its training began; run `facectl recover`. Nothing is sent again until it is known";
    let mut notes: Vec<Annotation> = Vec::new();
    if outcome.is_key_refused {
        let message = "The API refused the key, so nothing more was begun: check TAVUS_API_KEY, then run it again.";
        notes.push(Annotation::new(Level::Error, "facectl::key-refused", "the API refused the key", message));
    }
    notes.extend(
        outcome.in_doubt.iter().map(|key| note(Level::Error, "facectl::in-doubt", key, "in doubt", doubt.to_owned())),
    );
    for (key, why) in &outcome.refused {
        notes.push(note(Level::Error, "facectl::refused", key, "refused", format!("nothing was started: {why}")));
    }
    for (key, why) in &outcome.failed {
        let why = why.as_deref().unwrap_or("its training failed, and the API does not say why");
        notes.push(note(Level::Error, "facectl::failed", key, "failed", why.to_owned()));
    }
    for (level, verb, troubles) in
        [(Level::Error, "failed to", &outcome.trouble), (Level::Warning, "did not", &outcome.held)]
    {
        for trouble in troubles {
            let message = format!("{verb} {}: {}", trouble.doing, trouble.why);
            notes.push(match &trouble.key {
                Some(key) => note(level, "facectl::trouble", key, verb, message),
                None => Annotation::new(level, "facectl::trouble", verb, message),
            });
        }
    }
    // Of the others it was said already what became of them.
    let is_said = |face: &&FacePlan| outcome.in_doubt.contains(&face.key);
    notes.extend(ran.blocks().filter(|face| !is_said(face)).map(|face| of_block(Level::Warning, face)));
    notes
}

fn of_drift(drifted: &Drifted<'_>) -> Vec<Annotation> {
    let one = |(key, drifts): (&FaceKey, &Vec<crate::plan::Drift>)| {
        let origin = drifted.desired.faces.get(key).map(|face| &face.origin);
        let message = drifts.iter().map(described).collect::<Vec<_>>().join("; ");
        Annotation::new(Level::Warning, "facectl::drift", format!("{key}: drifted"), format!("{key}: {message}"))
            .at(origin)
    };
    drifted.report.faces.iter().map(one).collect()
}

fn origin<'a>(plan: &'a Plan, key: &FaceKey) -> Option<&'a Origin> {
    plan.faces.iter().find(|face| face.key == *key).and_then(|face| face.origin.as_ref())
}
