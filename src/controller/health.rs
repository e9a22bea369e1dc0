//! How the loop is doing: what it tells us, and what that means to whoever asks.
//!
//! # Guarantees
//! Asking never waits for the loop, and never changes anything. No text here holds a secret: what comes from outside
//! is redacted and cut when it comes in.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::metrics::{CallbackVerdict, Metrics};
use crate::clock::Clock;
use crate::http::clean as clean_text;

#[cfg(test)]
mod tests;

/// The longest reason that is shown, in characters.
const LONGEST: usize = 400;

/// How a pass over all faces ended. The worst that happened counts, in this order from the bottom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PassResult {
    /// Nothing is left to do.
    Converged,
    /// Nothing is wrong, and trainings go on.
    Training,
    /// Something waits for a person: a blocked face, a limit, a protection.
    Held,
    /// At least one face failed.
    Failed,
    /// Somebody asked to stop, or a newer commit came.
    Interrupted,
    /// The API could not be reached, or gave no usable answer.
    Unreachable,
    /// The API refused the key.
    KeyRefused,
    /// The state could not be read or written: nothing may be paid for until it can.
    StateFailed,
}

impl PassResult {
    pub(super) const ALL: [Self; 8] = [
        Self::Converged,
        Self::Training,
        Self::Held,
        Self::Failed,
        Self::Interrupted,
        Self::Unreachable,
        Self::KeyRefused,
        Self::StateFailed,
    ];

    /// Returns the word that metrics and answers use.
    pub fn word(self) -> &'static str {
        match self {
            Self::Converged => "converged",
            Self::Training => "training",
            Self::Held => "held",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
            Self::Unreachable => "unreachable",
            Self::KeyRefused => "key_refused",
            Self::StateFailed => "state_failed",
        }
    }

    /// Returns whether the pass saw the whole API and could write down what it did. A face that failed is an answer.
    pub fn is_success(self) -> bool {
        matches!(self, Self::Converged | Self::Training | Self::Held | Self::Failed)
    }

    /// Returns what is in the way of the next pass, if this one shows it.
    fn obstacle(self) -> Option<&'static str> {
        match self {
            Self::Unreachable => Some("the API could not be reached in the last pass"),
            Self::KeyRefused => Some("the API refused the key in the last pass"),
            Self::StateFailed => Some("the state could not be read or written in the last pass"),
            Self::Converged | Self::Training | Self::Held | Self::Failed | Self::Interrupted => None,
        }
    }
}

/// How many faces a pass saw in which state. A face is in one of them; a drifted one is counted there besides.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct FaceCounts {
    /// Manifest, record and API agree.
    pub in_sync: usize,
    /// In training.
    pub training: usize,
    /// Waiting for a person.
    pub blocked: usize,
    /// Training or tuning failed.
    pub failed: usize,
    /// A create of which nobody knows what became of it.
    pub in_doubt: usize,
    /// Changed by somebody else.
    pub drifted: usize,
}

/// What came of a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PassReport {
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// How it ended.
    pub result: PassResult,
    /// What it saw; none where it did not get that far, and then what was seen before still stands.
    pub faces: Option<FaceCounts>,
}

/// How the loop is doing. Shared by the loop, which tells, and the server, which asks.
#[derive(Debug)]
pub struct Health {
    clock: Arc<dyn Clock>,
    /// How long the loop may make no progress before it is taken for stuck.
    stuck_after: Duration,
    known: Mutex<Known>,
    pub(super) metrics: Metrics,
}

/// What the loop has told.
#[derive(Debug)]
struct Known {
    ticked_at: Timestamp,
    /// The newest commit that was fetched.
    fetched: Option<String>,
    loaded: Option<Desired>,
    rejected: Option<Rejected>,
    source: Option<SourceTrouble>,
    last_pass: Option<PassReport>,
    faces: Option<FaceCounts>,
    last_success: Option<Timestamp>,
    backing_off: usize,
}

/// The manifests that are in force.
#[derive(Debug, Clone, Serialize)]
struct Desired {
    /// Their commit; none where a folder is followed.
    commit: Option<String>,
    faces: usize,
    loaded_at: Timestamp,
}

/// Newer manifests that cannot be used.
#[derive(Debug, Clone, Serialize)]
struct Rejected {
    commit: Option<String>,
    problems: usize,
    since: Timestamp,
}

/// A repository that cannot be asked.
#[derive(Debug, Clone, Serialize)]
struct SourceTrouble {
    why: String,
    since: Timestamp,
}

impl Health {
    /// Makes the health of a loop that begins now. The clock must be the one that the loop's interval runs on;
    /// `stuck_after` must be longer than that interval, and than the longest time between two ticks.
    pub fn new(clock: Arc<dyn Clock>, stuck_after: Duration) -> Self {
        let known = Known {
            ticked_at: clock.now(),
            fetched: None,
            loaded: None,
            rejected: None,
            source: None,
            last_pass: None,
            faces: None,
            last_success: None,
            backing_off: 0,
        };
        let health = Self { clock, stuck_after, known: Mutex::new(known), metrics: Metrics::new() };
        health.loop_ticked();
        health
    }

    /// Notes that the loop got on: it woke, took up a face, or looked at the API.
    pub fn loop_ticked(&self) {
        let now = self.clock.now();
        self.known().ticked_at = now;
        self.metrics.ticked(now);
    }

    /// Notes that the repository answered with this commit.
    pub fn source_answered(&self, commit: &str) {
        let mut known = self.known();
        known.source = None;
        let is_new = known.fetched.as_deref() != Some(commit);
        known.fetched = Some(commit.to_owned());
        self.metrics.fetched(is_new);
    }

    /// Notes that the repository could not be asked. What was loaded before stays in force.
    pub fn source_failed(&self, why: &str) {
        let since = self.known().source.as_ref().map_or_else(|| self.clock.now(), |trouble| trouble.since);
        self.known().source = Some(SourceTrouble { why: clean_text(why, LONGEST), since });
        self.metrics.source_failed();
    }

    /// Notes which manifests are in force from now on; no commit where a folder is followed.
    pub fn desired_loaded(&self, project: &str, commit: Option<&str>, faces: usize) {
        let mut known = self.known();
        known.loaded = Some(Desired { commit: commit.map(str::to_owned), faces, loaded_at: self.clock.now() });
        known.rejected = None;
        self.metrics.loaded(faces);
        self.metrics.name_project(project);
    }

    /// Notes that newer manifests cannot be used. What was loaded before stays in force.
    pub fn desired_rejected(&self, commit: Option<&str>, problems: usize) {
        let mut known = self.known();
        let commit = commit.map(str::to_owned);
        let before = known.rejected.take().filter(|before| before.commit == commit);
        let since = before.map_or_else(|| self.clock.now(), |before| before.since);
        known.rejected = Some(Rejected { commit, problems, since });
        self.metrics.rejected();
    }

    /// Notes what came of a pass.
    pub fn pass_ended(&self, report: PassReport) {
        let mut known = self.known();
        known.last_pass = Some(report);
        known.faces = report.faces.or(known.faces);
        if report.result.is_success() {
            known.last_success = Some(report.ended_at);
        }
        self.metrics.passed(&report);
    }

    /// Notes that a paid training was started.
    pub fn training_started(&self) {
        self.metrics.training_started();
    }

    /// Notes how many faces are left alone for a while, as they failed.
    pub fn backing_off(&self, faces: usize) {
        self.known().backing_off = faces;
        self.metrics.backing_off(faces);
    }

    /// Notes what became of a callback.
    pub fn callback_received(&self, verdict: CallbackVerdict) {
        self.metrics.received(verdict);
    }

    /// Returns how the loop is doing now.
    pub fn status(&self) -> Status {
        let now = self.clock.now();
        self.known().status(now, self.stuck_after)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How the loop is doing, for probes and people.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    /// The version of this form.
    format_version: u32,
    /// The version of facectl.
    facectl: &'static str,
    /// When this was asked.
    at: Timestamp,
    /// Why the process should be started anew; none while it is alive.
    stuck: Option<String>,
    /// Why it cannot do its work now; empty where it can.
    not_ready: Vec<String>,
    /// What somebody should know although the work goes on.
    notes: Vec<String>,
    /// The manifests in force.
    desired: Option<Desired>,
    /// Newer ones that cannot be used.
    rejected: Option<Rejected>,
    /// Why the repository cannot be asked, and since when.
    source_trouble: Option<SourceTrouble>,
    last_pass: Option<LastPass>,
    last_successful_pass_at: Option<Timestamp>,
    /// What the last pass saw that saw anything.
    faces: Option<FaceCounts>,
    faces_backing_off: usize,
}

#[derive(Debug, Clone, Serialize)]
struct LastPass {
    result: PassResult,
    started_at: Timestamp,
    ended_at: Timestamp,
}

impl Status {
    /// Returns whether the loop makes progress.
    pub fn is_alive(&self) -> bool {
        self.stuck.is_none()
    }

    /// Returns whether it can do its work.
    pub fn is_ready(&self) -> bool {
        self.not_ready.is_empty()
    }

    /// Returns the answer to `GET /healthz` as lines.
    pub fn alive_text(&self) -> String {
        format!("{}\n", self.stuck.as_deref().unwrap_or("alive"))
    }

    /// Returns the answer to `GET /readyz` as lines: the reasons against it, else `ready`; then the notes.
    pub fn ready_text(&self) -> String {
        let first = if self.is_ready() { vec!["ready"] } else { self.not_ready.iter().map(String::as_str).collect() };
        let notes = self.notes.iter().map(|note| format!("note: {note}"));
        first.into_iter().map(str::to_owned).chain(notes).map(|line| line + "\n").collect()
    }
}

impl Known {
    fn status(&self, now: Timestamp, stuck_after: Duration) -> Status {
        let Self { ticked_at, fetched: _, loaded, rejected, source, last_pass, faces, last_success, backing_off } =
            self;
        let silent = now.duration_since(*ticked_at);
        let is_stuck = silent > SignedDuration::try_from(stuck_after).unwrap_or(SignedDuration::MAX);
        Status {
            format_version: 1,
            facectl: env!("CARGO_PKG_VERSION"),
            at: now,
            stuck: is_stuck.then(|| format!("the loop has made no progress since {}", shown(*ticked_at))),
            not_ready: self.not_ready(),
            notes: self.notes(),
            desired: loaded.clone(),
            rejected: rejected.clone(),
            source_trouble: source.clone(),
            last_pass: last_pass.map(|PassReport { started_at, ended_at, result, faces: _ }| LastPass {
                result,
                started_at,
                ended_at,
            }),
            last_successful_pass_at: *last_success,
            faces: *faces,
            faces_backing_off: *backing_off,
        }
    }

    fn not_ready(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        if self.loaded.is_none() {
            // Why, where somebody knows: without anything in force a note would be too little.
            let trouble = self.trouble();
            reasons.push("no manifests have been loaded yet".to_owned());
            reasons.extend(trouble);
        }
        match self.last_pass {
            None => reasons.push("no pass has ended yet".to_owned()),
            Some(pass) => reasons.extend(pass.result.obstacle().map(str::to_owned)),
        }
        // A pass that was cut short says nothing; one before it must have seen the API.
        let is_cut = self.last_pass.is_some_and(|pass| pass.result == PassResult::Interrupted);
        if is_cut && self.last_success.is_none() {
            reasons.push("no pass has seen the API yet".to_owned());
        }
        reasons
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = if self.loaded.is_some() { self.trouble() } else { Vec::new() };
        let in_doubt = self.faces.map_or(0, |faces| faces.in_doubt);
        if in_doubt > 0 {
            notes.push(format!("creates in doubt: {in_doubt}; nothing is bought again until they are settled"));
        }
        notes
    }

    /// Says what is wrong with the newest manifests.
    fn trouble(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(SourceTrouble { why, since }) = &self.source {
            lines.push(format!("the repository cannot be followed since {}: {why}", shown(*since)));
        }
        if let Some(Rejected { commit, problems, since }) = &self.rejected {
            let which = commit.as_ref().map_or_else(String::new, |commit| format!(" of commit {commit}"));
            lines.push(format!("the manifests{which} cannot be used since {} (problems: {problems})", shown(*since)));
        }
        lines
    }
}

fn shown(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}
