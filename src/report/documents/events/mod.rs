//! The lines of `--events`: what happens, one JSON object a line, while it happens.
//!
//! # Guarantees
//! The first line is `version`. Every line has `seq`, which begins with 1 and has no gaps, `at`, `level`, `type` and
//! `message`. A run is what stands between `run_began` and `run_ended`; a process that goes on for ever writes many.
//! Readers are to pass over types and fields that they do not know.

mod counts;
mod from_apply;
mod words;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::face::{FaceId, FaceKey, Pal, ProjectName, Token, WaitFor};
use crate::manifest::DiagnosticDocument;
use crate::plan::{Drift, DriftReport, Plan, PlanDigest, Summary};
use crate::state::Provenance;

use super::super::StatusRow;
use super::super::plan_text::is_shown;
use super::drift::FaceDrift;
use super::plan::Why;
pub use counts::Counts;

/// The version of the lines' form. The first number changes when a reader could break.
pub const EVENTS_FORMAT_VERSION: &str = "1.0";

/// One line of `--events`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "A line of what `facectl --events` writes")]
pub struct EventLine<'a> {
    /// The number of the line: from 1, without gaps.
    pub seq: u64,
    /// When, on the clock of the run. In a rehearsal, from `run_began` on, that is the sandbox's, which runs faster.
    pub at: Timestamp,
    /// When it really was, in a rehearsal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub real_at: Option<Timestamp>,
    /// How bad it is.
    pub level: Level,
    /// What happened.
    #[serde(flatten)]
    pub what: What<'a>,
    /// The same in words for people, on one line.
    pub message: String,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// All is well.
    Info,
    /// Worth a look; the run goes on.
    Warn,
    /// Something did not work.
    Error,
}

/// What happened. Lengths of time are on the clock of the run.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum What<'a> {
    /// Always the first line.
    Version {
        /// The version of this form. The first number changes when a reader could break.
        format_version: &'static str,
        /// Which facectl writes.
        facectl: &'static str,
    },
    /// A run began.
    RunBegan {
        /// The command.
        command: &'a str,
        /// The project; null where the manifests cannot be loaded.
        project: Option<&'a ProjectName>,
        /// Whether it is a rehearsal in the sandbox: nothing is paid.
        rehearsal: bool,
        /// Where the run comes from; null where the manifests cannot be loaded.
        provenance: Option<Provenance>,
    },
    /// Something is wrong with the manifests, or worth knowing about them.
    Diagnostic {
        /// What, and where.
        diagnostic: DiagnosticDocument<'a>,
    },
    /// Something is to be done to a face, or keeps it from being done. Faces that agree are counted alone.
    FacePlanned {
        /// Which face.
        key: &'a FaceKey,
        /// The live face it is about.
        id: Option<&'a FaceId>,
        /// What is to be done, in one word.
        action: &'static str,
        /// Whether it starts a paid training.
        paid: bool,
        /// Why.
        reason: Why,
    },
    /// A plan was made, whose faces stand on the lines before.
    Planned {
        /// What the plan is recognised by.
        digest: PlanDigest,
        /// Whether there is something in it that can be applied.
        applyable: bool,
        /// The plan in numbers, with the trainings that will be paid for.
        summary: Box<Summary>,
        /// Limits that it breaks.
        refusals: usize,
    },
    /// A local file is on its way to where Tavus can fetch it.
    UploadProgressed {
        /// Which face.
        key: FaceKey,
        /// The file, seen from the project's folder.
        file: String,
        /// How many of its bytes are there.
        done_bytes: u64,
        /// How many it has.
        total_bytes: u64,
    },
    /// A create was written down and is being sent.
    CreateBegun {
        /// Which face.
        key: FaceKey,
        /// Under which token.
        token: Token,
    },
    /// A training was started, which is paid for.
    FaceCreated {
        /// Which face.
        key: FaceKey,
        /// Its id.
        id: FaceId,
    },
    /// A create was refused: nothing began.
    CreateRefused {
        /// Which face.
        key: FaceKey,
        /// What the API said.
        why: String,
    },
    /// A create was refused for now; it is sent again later.
    CreatePostponed {
        /// Which face.
        key: FaceKey,
        /// How long it waits.
        wait_secs: f64,
    },
    /// A create got no usable answer: a training may be running.
    CreateFellInDoubt {
        /// Which face.
        key: FaceKey,
        /// What came instead.
        why: String,
    },
    /// A create in doubt was found to have made a face.
    CreateSettled {
        /// Which face.
        key: FaceKey,
        /// Its id.
        id: FaceId,
        /// The token it was found by.
        token: Token,
    },
    /// A create in doubt was proven never to have begun.
    CreateProvenAbsent {
        /// Which face.
        key: FaceKey,
        /// The token that no listing shows.
        token: Token,
    },
    /// Creates in doubt are being looked for.
    SettlingWaited {
        /// Which faces.
        keys: Vec<FaceKey>,
        /// When the settle window ends.
        until: Timestamp,
        /// How long that still is.
        left_secs: f64,
    },
    /// Neither state nor lock file know the project: the first paid create waits, and the live faces are listed again.
    EmptyRecordWaited {
        /// When they are.
        until: Timestamp,
        /// How long that still is.
        left_secs: f64,
    },
    /// A live face was taken into the record.
    FaceAdopted {
        /// Which face.
        key: FaceKey,
        /// Its id.
        id: FaceId,
    },
    /// Name or voice was changed.
    FaceUpdated {
        /// Which face.
        key: FaceKey,
        /// Its id.
        id: FaceId,
        /// What was changed, for people.
        what: String,
        /// Whether only the creation token left the name.
        housekeeping: bool,
    },
    /// A face was dropped from the record.
    FaceForgotten {
        /// Which face.
        key: FaceKey,
    },
    /// A PAL was pointed to another face.
    PalRepointed {
        /// Whose face.
        key: FaceKey,
        /// Which PAL.
        pal: Pal,
        /// The face it uses now.
        to: FaceId,
    },
    /// Another face took the present one's place.
    FaceSwitched {
        /// Which key.
        key: FaceKey,
        /// The face from before, which is kept.
        from: FaceId,
        /// The present face.
        to: FaceId,
    },
    /// A new face that waited beside the present one was given up; it stays alive.
    ReplacementGivenUp {
        /// Which key.
        key: FaceKey,
        /// The new face.
        id: FaceId,
    },
    /// A live face was deleted.
    FaceDeleted {
        /// Which key.
        key: FaceKey,
        /// Its id.
        id: FaceId,
        /// Whether its stored material went too.
        hard: bool,
    },
    /// A step failed, or a safety rule stopped it; the others go on.
    StepFailed {
        /// Which face.
        key: FaceKey,
        /// What was being done, as a verb.
        doing: &'static str,
        /// Why, and what was not done.
        why: String,
    },
    /// Waiting began.
    WaitBegan {
        /// How many faces are waited for.
        faces: usize,
    },
    /// A face in training was looked at.
    TrainingProgressed {
        /// Which face, and how far it is.
        #[serde(flatten)]
        training: TrainingState,
    },
    /// All awaited faces were looked at: the run is alive.
    Heartbeat {
        /// How many are still waited for.
        waiting: usize,
        /// How long until the next look; null where there is nothing left to look at.
        next_look_secs: Option<f64>,
    },
    /// A face is as far as it was waited for.
    FaceReached {
        /// Which face, and how far it is.
        #[serde(flatten)]
        training: TrainingState,
    },
    /// A training failed, or the face will never be as far as it is waited for.
    TrainingFailed {
        /// Which face, and how far it was.
        #[serde(flatten)]
        training: TrainingState,
        /// The API's reason; null where it gives none.
        why: Option<String>,
    },
    /// A look at the live faces failed; it is tried again.
    LookFailed {
        /// What happened.
        why: String,
        /// How often in a row.
        times: u32,
        /// How long until the next look.
        next_look_secs: f64,
    },
    /// How a face is, as `status` shows it.
    FaceStatus {
        /// Which face.
        key: &'a FaceKey,
        /// How it is.
        status: &'a StatusRow,
    },
    /// Somebody else changed a face.
    FaceDrifted {
        /// Which face.
        key: &'a FaceKey,
        /// In which way.
        drift: FaceDrift<'a>,
    },
    /// The run cannot go on; `message` says what happened.
    Error {
        /// What happened.
        #[serde(skip)]
        what: &'a str,
        /// Why, outermost first.
        causes: &'a [String],
        /// What to do now.
        hints: &'a [String],
        /// The exit code that follows from it.
        exit_code: u8,
    },
    /// A run ended, in whatever way. Only the death of the process leaves it out.
    RunEnded {
        /// The exit code; `facectl exit-codes` explains each.
        exit_code: u8,
        /// Counted from the lines since `run_began`.
        counts: Counts,
    },
}

/// How far a training is.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct TrainingState {
    /// Which face.
    key: FaceKey,
    /// Its id.
    id: FaceId,
    /// Its model's word.
    model_name: String,
    /// Its stage: a word of ours, or one of the API that we do not know.
    status: String,
    /// Its share in per cent, where the API says it.
    percent: Option<u32>,
    /// How far it is waited for.
    wait_for: WaitFor,
    /// Since its creation.
    elapsed_secs: f64,
    /// How long it usually takes, from and to, in hours.
    usual_hours: Option<(u32, u32)>,
}

impl<'a> What<'a> {
    /// Returns a plan: each face that a text would show, each face from before that is deleted, and what it comes to.
    pub fn planned(plan: &'a Plan) -> impl Iterator<Item = Self> {
        let faces = plan.faces.iter().filter(|face| is_shown(face)).map(|face| Self::FacePlanned {
            key: &face.key,
            id: face.id.as_ref(),
            action: face.action.word(),
            paid: face.action.is_paid(),
            reason: Why::of(plan, &face.reason),
        });
        let retired = plan.retired.iter().filter(|retired| retired.is_deleted()).map(|retired| Self::FacePlanned {
            key: &retired.key,
            id: Some(&retired.id),
            action: "delete",
            paid: false,
            reason: Why {
                code: "retired",
                text: "another face took its place, and it is not kept any longer".to_owned(),
            },
        });
        let whole = Self::Planned {
            digest: plan.digest(),
            applyable: plan.has_changes() && plan.refusals.is_empty(),
            summary: Box::new(plan.summary()),
            refusals: plan.refusals.len(),
        };
        faces.chain(retired).chain(std::iter::once(whole))
    }

    /// Returns each way in which a face is not what we last applied.
    pub fn drifted(report: &'a DriftReport) -> impl Iterator<Item = Self> {
        let each = |(key, drifts): (&'a FaceKey, &'a Vec<Drift>)| {
            drifts.iter().map(move |drift| Self::FaceDrifted { key, drift: FaceDrift::in_words(drift) })
        };
        report.faces.iter().flat_map(each)
    }
}
