//! What `apply` tells, as lines.

use std::time::Duration;

use crate::apply::{Event, Training};

use super::{TrainingState, What};

impl From<&Event> for What<'_> {
    fn from(event: &Event) -> Self {
        match event.clone() {
            Event::UploadProgressed { key, name, done, total } => {
                Self::UploadProgressed { key, file: name, done_bytes: done, total_bytes: total }
            }
            Event::CreateBegun { key, token } => Self::CreateBegun { key, token },
            Event::FaceCreated { key, id } => Self::FaceCreated { key, id },
            Event::CreateRefused { key, why } => Self::CreateRefused { key, why },
            Event::CreatePostponed { key, wait } => Self::CreatePostponed { key, wait_secs: secs(wait) },
            Event::CreateFellInDoubt { key, why } => Self::CreateFellInDoubt { key, why },
            Event::CreateSettled { key, id, token } => Self::CreateSettled { key, id, token },
            Event::CreateProvenAbsent { key, token } => Self::CreateProvenAbsent { key, token },
            Event::SettlingWaited { keys, until, left } => Self::SettlingWaited { keys, until, left_secs: secs(left) },
            Event::EmptyRecordWaited { until, left } => Self::EmptyRecordWaited { until, left_secs: secs(left) },
            Event::FaceAdopted { key, id } => Self::FaceAdopted { key, id },
            Event::FaceUpdated { key, id, what, is_housekeeping } => {
                Self::FaceUpdated { key, id, what, housekeeping: is_housekeeping }
            }
            Event::FaceForgotten { key } => Self::FaceForgotten { key },
            Event::PalRepointed { key, pal, to } => Self::PalRepointed { key, pal, to },
            Event::FaceSwitched { key, from, to } => Self::FaceSwitched { key, from, to },
            Event::ReplacementGivenUp { key, id } => Self::ReplacementGivenUp { key, id },
            Event::FaceDeleted { key, id, is_hard } => Self::FaceDeleted { key, id, hard: is_hard },
            Event::StepFailed { key, doing, why } => Self::StepFailed { key, doing, why },
            Event::WaitBegan { faces } => Self::WaitBegan { faces },
            Event::TrainingProgressed(training) => Self::TrainingProgressed { training: training.into() },
            Event::RoundEnded { waiting, next } => {
                Self::Heartbeat { waiting, next_look_secs: (waiting > 0).then(|| secs(next)) }
            }
            Event::FaceReached(training) => Self::FaceReached { training: training.into() },
            Event::TrainingFailed { training, why } => Self::TrainingFailed { training: training.into(), why },
            Event::LookFailed { why, times, next } => Self::LookFailed { why, times, next_look_secs: secs(next) },
        }
    }
}

impl From<Training> for TrainingState {
    fn from(training: Training) -> Self {
        // In full, so that a new field cannot be forgotten here.
        let Training { key, id, model, status, progress, wait_for, elapsed, usual_hours } = training;
        Self {
            key,
            id,
            model_name: model,
            status: status.shown().to_owned(),
            percent: progress.map(crate::face::Progress::percent),
            wait_for,
            elapsed_secs: secs(elapsed),
            usual_hours,
        }
    }
}

/// Returns a length of time in seconds, to the millisecond.
fn secs(time: Duration) -> f64 {
    (time.as_secs_f64() * 1000.0).round() / 1000.0
}
