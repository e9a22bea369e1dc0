//! What the loop counts, for Prometheus.
//!
//! Every label has a closed set of values, and every series is there from the start: an alert on a counter that has not
//! been counted yet would otherwise see nothing instead of 0. No label names a face: a project has hundreds of them.
//!
//! | metric | kind | says |
//! |---|---|---|
//! | `facectl_build_info{version,project}` | gauge, 1 | what runs, and for whom |
//! | `facectl_passes_total{result}` | counter | passes by how they ended |
//! | `facectl_pass_duration_seconds` | histogram | how long passes took |
//! | `facectl_last_pass_timestamp_seconds` | gauge | when the last pass ended |
//! | `facectl_last_successful_pass_timestamp_seconds` | gauge | when the last pass ended that saw the API and could write its state |
//! | `facectl_desired_faces` | gauge | faces in the manifests that are in force |
//! | `facectl_faces{state}` | gauge | faces by how the last pass saw them; one state each, except `drifted` |
//! | `facectl_trainings_started_total` | counter | paid trainings that this process started |
//! | `facectl_creates_in_doubt` | gauge | creates of which nobody knows yet what became of them |
//! | `facectl_faces_backing_off` | gauge | faces that are left alone for a while, as they failed |
//! | `facectl_source_commits_total` | counter | new commits that were fetched |
//! | `facectl_source_failures_total` | counter | times that the repository could not be asked |
//! | `facectl_source_up` | gauge, 0 or 1 | whether the last question to the repository was answered |
//! | `facectl_desired_rejected` | gauge, 0 or 1 | whether the newest manifests cannot be used, so that older ones are in force |
//! | `facectl_callbacks_total{verdict}` | counter | training callbacks by what became of them |
//! | `facectl_loop_timestamp_seconds` | gauge | when the loop last got on |

use std::sync::atomic::AtomicU64;

use jiff::Timestamp;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::health::{FaceCounts, PassReport, PassResult};

/// What the answer to `GET /metrics` is: the text that the library writes, which Prometheus reads since version 2.5
/// (OpenMetrics 1.0.0, section "Exposition").
pub(super) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper bounds of the histogram, in seconds: a pass with nothing to do takes part of one, one that waits out a settle
/// window minutes.
const DURATIONS: [f64; 10] = [0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 900.0];

/// One label and its value.
type Label = [(&'static str, &'static str); 1];

/// What became of a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallbackVerdict {
    /// It was put into the queue.
    Queued,
    /// The same face was in the queue already.
    Repeated,
    /// The queue was full: the next pass finds out by itself.
    Dropped,
    /// It is not about a face.
    NotAFace,
    /// It cannot be read.
    Unreadable,
    /// It came to a wrong address.
    Refused,
}

impl CallbackVerdict {
    const ALL: [Self; 6] =
        [Self::Queued, Self::Repeated, Self::Dropped, Self::NotAFace, Self::Unreadable, Self::Refused];

    fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Repeated => "repeated",
            Self::Dropped => "dropped",
            Self::NotAFace => "not_a_face",
            Self::Unreadable => "unreadable",
            Self::Refused => "refused",
        }
    }
}

type Seconds = Gauge<f64, AtomicU64>;

/// The counters of one process.
#[derive(Debug)]
pub(super) struct Metrics {
    registry: Registry,
    build: Family<[(&'static str, String); 2], Gauge>,
    passes: Family<Label, Counter>,
    pass_duration: Histogram,
    last_pass: Seconds,
    last_success: Seconds,
    desired: Gauge,
    faces: Family<Label, Gauge>,
    trainings: Counter,
    in_doubt: Gauge,
    backing_off: Gauge,
    commits: Counter,
    source_failures: Counter,
    source_up: Gauge,
    rejected: Gauge,
    callbacks: Family<Label, Counter>,
    loop_time: Seconds,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let metrics = Self {
            registry: Registry::with_prefix("facectl"),
            build: Family::default(),
            passes: Family::default(),
            pass_duration: Histogram::new(DURATIONS),
            last_pass: Gauge::default(),
            last_success: Gauge::default(),
            desired: Gauge::default(),
            faces: Family::default(),
            trainings: Counter::default(),
            in_doubt: Gauge::default(),
            backing_off: Gauge::default(),
            commits: Counter::default(),
            source_failures: Counter::default(),
            source_up: Gauge::default(),
            rejected: Gauge::default(),
            callbacks: Family::default(),
            loop_time: Gauge::default(),
        };
        metrics.registered().with_every_series()
    }

    /// Gives every metric its name and its words.
    fn registered(mut self) -> Self {
        // In full, so that a new field cannot be forgotten here.
        let Self {
            registry,
            build,
            passes,
            pass_duration,
            last_pass,
            last_success,
            desired,
            faces,
            trainings,
            in_doubt,
            backing_off,
            commits,
            source_failures,
            source_up,
            rejected,
            callbacks,
            loop_time,
        } = &mut self;
        // The library adds the period, the unit and `_total`.
        registry.register("build_info", "What runs, and for which project", build.clone());
        registry.register("passes", "Passes over all faces, by how they ended", passes.clone());
        let seconds = Unit::Seconds;
        let words = "How long passes took";
        registry.register_with_unit("pass_duration", words, seconds.clone(), pass_duration.clone());
        let words = "When the last pass ended, in Unix time";
        registry.register_with_unit("last_pass_timestamp", words, seconds.clone(), last_pass.clone());
        let words = "When the last pass ended that saw the API and could write its state, in Unix time";
        registry.register_with_unit("last_successful_pass_timestamp", words, seconds.clone(), last_success.clone());
        registry.register("desired_faces", "Faces in the manifests that are in force", desired.clone());
        registry.register("faces", "Faces by how the last pass saw them; drifted ones count twice", faces.clone());
        registry.register("trainings_started", "Paid trainings that this process started", trainings.clone());
        let words = "Creates of which nobody knows yet what became of them";
        registry.register("creates_in_doubt", words, in_doubt.clone());
        registry.register("faces_backing_off", "Faces that are left alone for a while", backing_off.clone());
        registry.register("source_commits", "New commits that were fetched", commits.clone());
        let words = "Times that the repository could not be asked";
        registry.register("source_failures", words, source_failures.clone());
        let words = "Whether the last question to the repository was answered";
        registry.register("source_up", words, source_up.clone());
        let words = "Whether the newest manifests cannot be used, so that older ones are in force";
        registry.register("desired_rejected", words, rejected.clone());
        registry.register("callbacks", "Training callbacks, by what became of them", callbacks.clone());
        let words = "When the loop last got on, in Unix time";
        registry.register_with_unit("loop_timestamp", words, seconds, loop_time.clone());
        self
    }

    fn with_every_series(self) -> Self {
        for result in PassResult::ALL {
            drop(self.passes.get_or_create(&[("result", result.word())]));
        }
        for verdict in CallbackVerdict::ALL {
            drop(self.callbacks.get_or_create(&[("verdict", verdict.word())]));
        }
        self.count_faces(&FaceCounts::default());
        self.name_project("");
        self
    }

    /// Says for which project this runs.
    pub(super) fn name_project(&self, project: &str) {
        // Another project than before must not leave its line behind.
        self.build.clear();
        let version = env!("CARGO_PKG_VERSION").to_owned();
        self.build.get_or_create(&[("version", version), ("project", project.to_owned())]).set(1);
    }

    pub(super) fn ticked(&self, now: Timestamp) {
        self.loop_time.set(now.as_duration().as_secs_f64());
    }

    pub(super) fn loaded(&self, faces: usize) {
        self.desired.set(whole(faces));
        self.rejected.set(0);
    }

    pub(super) fn rejected(&self) {
        self.rejected.set(1);
    }

    pub(super) fn fetched(&self, is_new: bool) {
        self.source_up.set(1);
        if is_new {
            self.commits.inc();
        }
    }

    pub(super) fn source_failed(&self) {
        self.source_up.set(0);
        self.source_failures.inc();
    }

    pub(super) fn backing_off(&self, faces: usize) {
        self.backing_off.set(whole(faces));
    }

    pub(super) fn training_started(&self) {
        self.trainings.inc();
    }

    pub(super) fn received(&self, verdict: CallbackVerdict) {
        self.callbacks.get_or_create(&[("verdict", verdict.word())]).inc();
    }

    pub(super) fn passed(&self, report: &PassReport) {
        let PassReport { started_at, ended_at, result, faces } = report;
        let at = ended_at.as_duration().as_secs_f64();
        self.passes.get_or_create(&[("result", result.word())]).inc();
        self.pass_duration.observe(ended_at.duration_since(*started_at).as_secs_f64().max(0.0));
        self.last_pass.set(at);
        if result.is_success() {
            self.last_success.set(at);
        }
        if let Some(faces) = faces {
            self.count_faces(faces);
        }
    }

    fn count_faces(&self, faces: &FaceCounts) {
        let FaceCounts { in_sync, training, blocked, failed, in_doubt, drifted } = faces;
        for (state, count) in [
            ("in_sync", in_sync),
            ("training", training),
            ("blocked", blocked),
            ("failed", failed),
            ("in_doubt", in_doubt),
            ("drifted", drifted),
        ] {
            self.faces.get_or_create(&[("state", state)]).set(whole(*count));
        }
        self.in_doubt.set(whole(*in_doubt));
    }

    /// Returns all of it as text.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        // Writing into a String does not fail.
        let _ = prometheus_client::encoding::text::encode(&mut text, &self.registry);
        text
    }
}

/// More faces than fit are not counted any further.
fn whole(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
