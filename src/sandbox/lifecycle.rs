//! What becomes of a training: a pure function of what it was started with and of the time.
//!
//! ```text
//! phoenix-3, phoenix-4:   started ──> completed
//!                               └───> error
//!
//! phoenix-4.5:            started ──> completed/training ──> completed/completed
//!                               │                      └───> completed/errored
//!                               └───> error
//! ```
//!
//! Nothing is ever stored about progress, so that a clock that jumps by hours, and a restart, need no care.
//! States: the vendor's pages on phoenix-4.5 preview and status (October 2026). Times: middle of the documented
//! ranges, the 4.5 preview of a photo as measured once (59 s).

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use url::Url;

/// Media names that decide what happens, with what they do. The last part of a link's path counts, up to its first dot.
pub const MAGIC_NAMES: &[(&str, &str)] = &[
    ("fail-training.*", "the training fails: status error, with a reason"),
    ("fail-tuning.*", "phoenix-4.5: the preview works, the tuning fails half-way (finetune_status errored)"),
    ("slow.*", "ends 12 hours after the creation"),
    ("stuck.*", "never leaves the status started"),
    ("stuck-tuning.*", "phoenix-4.5: the preview works, the tuning never ends"),
    ("unknown-status.*", "shows the undocumented status word `queued` for the first hour"),
    ("unreachable.*", "refused at once: 400, nothing is started"),
    ("plan-402.*", "refused at once: 402, nothing is started"),
];

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;

/// A rendering model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Model {
    #[serde(rename = "phoenix-3")]
    Phoenix3,
    #[serde(rename = "phoenix-4")]
    Phoenix4,
    #[serde(rename = "phoenix-4.5")]
    Phoenix45,
}

impl Model {
    pub(super) fn parse(word: &str) -> Option<Self> {
        [Self::Phoenix3, Self::Phoenix4, Self::Phoenix45].into_iter().find(|model| model.word() == word)
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Phoenix3 => "phoenix-3",
            Self::Phoenix4 => "phoenix-4",
            Self::Phoenix45 => "phoenix-4.5",
        }
    }
}

/// What a face is trained from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Source {
    Video,
    Image,
}

/// How a training is going to end; read from the name of its media, see [`MAGIC_NAMES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Fate {
    Succeed,
    FailTraining,
    FailTuning,
    Slow,
    Stuck,
    StuckTuning,
    UnknownStatus,
}

/// What the name of the media asks for, before anything is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is taken, and ends like this.
    Train(Fate),
    /// 400.
    Unreachable,
    /// 402.
    NotInPlan,
}

impl Verdict {
    /// Judges a link by the last part of its path. Nothing is ever fetched.
    pub(super) fn of(link: &Url, model: Model) -> Self {
        let file = link.path_segments().and_then(|mut parts| parts.next_back()).unwrap_or("");
        let (stem, extension) = file.split_once('.').unwrap_or((file, ""));
        Self::Train(match stem {
            "unreachable" => return Self::Unreachable,
            "plan-402" => return Self::NotInPlan,
            "fail-training" => Fate::FailTraining,
            "fail-tuning" => Fate::FailTuning,
            "slow" => Fate::Slow,
            "stuck" => Fate::Stuck,
            "stuck-tuning" => Fate::StuckTuning,
            "unknown-status" => Fate::UnknownStatus,
            // The pages disagree on WebM; the newest names it for phoenix-4.5 alone (October 2026).
            _ if extension.eq_ignore_ascii_case("webm") && model != Model::Phoenix45 => Fate::FailTraining,
            _ => Fate::Succeed,
        })
    }
}

/// Everything that decides the course of a training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Training {
    pub(super) model: Model,
    pub(super) source: Source,
    pub(super) fate: Fate,
    pub(super) created_at: Timestamp,
}

/// Departures from the usual course that a test can ask for.
#[derive(Debug, Clone, Default)]
pub(super) struct Quirks {
    /// Shown in place of `started`.
    pub(super) started_word: Option<String>,
    /// How long a fresh preview shows a null `finetune_status`.
    pub(super) gap: SignedDuration,
}

/// What a face shows at one moment, in the API's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stage {
    pub(super) status: String,
    pub(super) finetune_status: Option<&'static str>,
    /// Of 100.
    pub(super) progress: u8,
    pub(super) error_message: Option<&'static str>,
}

/// A moment at which what a face shows changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) at: Timestamp,
    pub(super) succeeds: bool,
}

impl Training {
    /// Returns when the face leaves `started`, if it ever does.
    pub(super) fn trained(self) -> Option<Step> {
        let usual = match (self.model, self.source) {
            (Model::Phoenix3, _) => 5 * HOUR,
            (Model::Phoenix4, _) => 3 * HOUR + 30 * MINUTE,
            (Model::Phoenix45, Source::Image) => MINUTE,
            (Model::Phoenix45, Source::Video) => 4 * MINUTE,
        };
        let seconds = match self.fate {
            Fate::Stuck => return None,
            // A photo is judged within a minute or so; the long video trainings take half an hour to say no.
            Fate::FailTraining if self.source == Source::Image => MINUTE,
            Fate::FailTraining => usual.min(30 * MINUTE),
            Fate::Slow if self.model != Model::Phoenix45 => 12 * HOUR,
            Fate::Succeed | Fate::FailTuning | Fate::StuckTuning | Fate::Slow | Fate::UnknownStatus => usual,
        };
        Some(Step { at: later(self.created_at, seconds), succeeds: self.fate != Fate::FailTraining })
    }

    /// Returns when the tuning behind a preview ends, if there is one and it ever does.
    pub(super) fn tuned(self) -> Option<Step> {
        if self.model != Model::Phoenix45 {
            return None;
        }
        let preview = self.trained().filter(|step| step.succeeds)?.at;
        match self.fate {
            Fate::FailTraining | Fate::Stuck | Fate::StuckTuning => None,
            Fate::FailTuning => Some(Step { at: later(preview, TUNING / 2), succeeds: false }),
            Fate::Slow => Some(Step { at: later(self.created_at, 12 * HOUR), succeeds: true }),
            Fate::Succeed | Fate::UnknownStatus => Some(Step { at: later(preview, TUNING), succeeds: true }),
        }
    }

    /// Returns the latest change up to `now`, the creation included.
    pub(super) fn changed_at(self, now: Timestamp) -> Timestamp {
        [self.trained(), self.tuned()]
            .into_iter()
            .flatten()
            .map(|step| step.at)
            .filter(|at| *at <= now)
            .fold(self.created_at, Timestamp::max)
    }

    /// Returns what the face shows at `now`.
    pub(super) fn stage(self, now: Timestamp, quirks: &Quirks) -> Stage {
        match self.trained() {
            Some(step) if step.at <= now && step.succeeds => self.trained_stage(step.at, now, quirks),
            Some(step) if step.at <= now => Stage {
                status: "error".into(),
                finetune_status: None,
                progress: 0,
                error_message: Some(match self.source {
                    Source::Video => {
                        "Training failed: the video could not be used (video_format). Please upload another one."
                    }
                    Source::Image => {
                        "Training failed: the person must look straight at the camera (LookingStraightAtCameraError)."
                    }
                }),
            },
            step => Stage {
                status: self.started_word(now, quirks),
                finetune_status: None,
                progress: self.started_progress(step, now),
                error_message: None,
            },
        }
    }

    fn started_word(self, now: Timestamp, quirks: &Quirks) -> String {
        if self.fate == Fate::UnknownStatus && now < later(self.created_at, HOUR) {
            return "queued".into();
        }
        quirks.started_word.clone().unwrap_or_else(|| "started".into())
    }

    /// phoenix-4.5 shows nothing until its preview is there; the others count, and may stand still.
    fn started_progress(self, step: Option<Step>, now: Timestamp) -> u8 {
        match step {
            Some(step) if self.model != Model::Phoenix45 => share(self.created_at, step.at, now, 0, 99),
            Some(_) => 0,
            None => share(self.created_at, later(self.created_at, 12 * HOUR), now, 0, 42),
        }
    }

    fn trained_stage(self, preview: Timestamp, now: Timestamp, quirks: &Quirks) -> Stage {
        let done = |finetune_status, progress| Stage {
            status: "completed".into(),
            finetune_status,
            progress,
            error_message: None,
        };
        if self.model != Model::Phoenix45 {
            return done(None, 100);
        }
        let usual_end = later(preview, TUNING);
        match self.tuned() {
            Some(step) if step.at <= now && step.succeeds => done(Some("completed"), 100),
            // Where the progress stands after a failed tuning is nowhere said: where it was.
            Some(step) if step.at <= now => done(Some("errored"), share(preview, usual_end, step.at, 20, 99)),
            step => {
                let end = step.filter(|step| step.succeeds).map_or(usual_end, |step| step.at);
                let is_gap = now.duration_since(preview) < quirks.gap;
                done((!is_gap).then_some("training"), share(preview, end, now, 20, 99))
            }
        }
    }
}

/// Tuning takes "a few hours", 2 to 3 in reports (2026); in seconds.
const TUNING: i64 = 2 * HOUR + 30 * MINUTE;

/// Returns `seconds` after `at`, or the end of time.
pub(super) fn later(at: Timestamp, seconds: i64) -> Timestamp {
    at.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}

/// Returns where `now` stands between two moments, on a scale from `low` to `high`.
fn share(from: Timestamp, to: Timestamp, now: Timestamp, low: u8, high: u8) -> u8 {
    let whole = to.duration_since(from).as_secs_f64();
    let passed = now.duration_since(from).as_secs_f64();
    let part = if whole > 0.0 { (passed / whole).clamp(0.0, 1.0) } else { 1.0 };
    // Between 0 and 255 by construction: a part of a difference of two u8.
    low + (f64::from(high - low) * part) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: &str = "2026-11-22T08:00:00Z";

    fn seen(model: Model, source: Source, fate: Fate, seconds: i64) -> String {
        let created_at: Timestamp = START.parse().unwrap();
        let stage = Training { model, source, fate, created_at }.stage(later(created_at, seconds), &Quirks::default());
        format!("{}/{} {}", stage.status, stage.finetune_status.unwrap_or("null"), stage.progress)
    }

    #[test]
    fn every_model_goes_the_way_the_documents_say() {
        use {Fate::*, Model::*, Source::*};
        let table = [
            (Phoenix3, Video, Succeed, 0, "started/null 0", "a new face"),
            (Phoenix3, Video, Succeed, 5 * HOUR - 1, "started/null 98", "one second before its end"),
            (Phoenix3, Video, Succeed, 5 * HOUR, "completed/null 100", "5 h on phoenix-3"),
            (Phoenix4, Image, Succeed, 3 * HOUR, "started/null 84", "3 h of 3.5"),
            (Phoenix4, Video, Succeed, 3 * HOUR + 30 * MINUTE, "completed/null 100", "3.5 h on phoenix-4"),
            (Phoenix4, Video, FailTraining, 30 * MINUTE, "error/null 0", "a failed training shows 0"),
            (Phoenix4, Video, FailTuning, 4 * HOUR, "completed/null 100", "there is no tuning to fail"),
            (Phoenix45, Image, Succeed, 59, "started/null 0", "no preview yet"),
            (Phoenix45, Image, Succeed, 60, "completed/training 20", "the preview of a photo: a minute"),
            (Phoenix45, Video, Succeed, 239, "started/null 0", "the preview of a video: 4 minutes"),
            (Phoenix45, Video, Succeed, 240 + TUNING / 2, "completed/training 59", "half of the tuning"),
            (Phoenix45, Video, Succeed, 240 + TUNING, "completed/completed 100", "fully ready"),
            (Phoenix45, Image, FailTraining, 60, "error/null 0", "null beside error"),
            (Phoenix45, Image, FailTuning, 60 + TUNING / 2, "completed/errored 59", "the preview stays"),
            (Phoenix45, Image, Slow, 12 * HOUR - 1, "completed/training 98", "slow: 12 h in all"),
            (Phoenix45, Image, Slow, 12 * HOUR, "completed/completed 100", "slow: 12 h in all"),
            (Phoenix4, Video, Slow, 12 * HOUR, "completed/null 100", "slow: 12 h in all"),
            (Phoenix4, Video, Stuck, 1000 * HOUR, "started/null 42", "never ends"),
            (Phoenix45, Image, StuckTuning, 1000 * HOUR, "completed/training 99", "never ends"),
            (Phoenix4, Video, UnknownStatus, HOUR - 1, "queued/null 28", "an undocumented word"),
            (Phoenix4, Video, UnknownStatus, HOUR, "started/null 28", "for one hour only"),
        ];
        for (model, source, fate, seconds, expected, reason) in table {
            assert_eq!(seen(model, source, fate, seconds), expected, "{model:?} {source:?} {fate:?}: {reason}");
        }
    }

    #[test]
    fn a_preview_can_be_asked_to_show_a_null_tuning_for_a_while() {
        let created_at: Timestamp = START.parse().unwrap();
        let training = Training { model: Model::Phoenix45, source: Source::Image, fate: Fate::Succeed, created_at };
        let quirks = Quirks { gap: SignedDuration::from_secs(30), started_word: Some("reviewing".into()) };
        assert_eq!(training.stage(later(created_at, 10), &quirks).status, "reviewing");
        assert_eq!(training.stage(later(created_at, 89), &quirks).finetune_status, None);
        assert_eq!(training.stage(later(created_at, 90), &quirks).finetune_status, Some("training"));
    }

    #[test]
    fn every_magic_name_does_something() {
        for (name, _) in MAGIC_NAMES {
            let link = Url::parse(&format!("https://media.example.com/x/{}?sig=1", name.replace('*', "mp4"))).unwrap();
            assert_ne!(Verdict::of(&link, Model::Phoenix4), Verdict::Train(Fate::Succeed), "{name}");
        }
        let webm = Url::parse("https://media.example.com/a.webm").unwrap();
        assert_eq!(Verdict::of(&webm, Model::Phoenix4), Verdict::Train(Fate::FailTraining));
        assert_eq!(Verdict::of(&webm, Model::Phoenix45), Verdict::Train(Fate::Succeed));
    }
}
