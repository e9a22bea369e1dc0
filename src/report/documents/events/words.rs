//! Each line in words for people, and how bad it is.

use std::time::Duration;

use crate::apply::Event;
use crate::manifest::Severity;
use crate::report::words::{count, duration};
use crate::report::{Health, Paint, line};

use super::{Level, TrainingState, What};

impl What<'_> {
    /// Returns how bad it is.
    pub fn level(&self) -> Level {
        match self {
            Self::CreateRefused { .. }
            | Self::CreateFellInDoubt { .. }
            | Self::StepFailed { .. }
            | Self::TrainingFailed { .. }
            | Self::Error { .. } => Level::Error,
            Self::CreatePostponed { .. }
            | Self::SettlingWaited { .. }
            | Self::EmptyRecordWaited { .. }
            | Self::LookFailed { .. }
            | Self::FaceDrifted { .. } => Level::Warn,
            Self::Diagnostic { diagnostic } => match diagnostic.severity() {
                Severity::Error => Level::Error,
                Severity::Warning => Level::Warn,
            },
            Self::FacePlanned { action: "blocked", .. } => Level::Warn,
            Self::Planned { refusals, .. } if *refusals > 0 => Level::Warn,
            Self::FaceStatus { status, .. } => match status.health {
                Health::Failed | Health::Missing => Level::Error,
                Health::Unknown => Level::Warn,
                Health::Ready | Health::Preview | Health::Training => Level::Info,
            },
            Self::RunEnded { exit_code, .. } => match exit_code {
                // Changes found, interrupted, still training: answers, and no failures.
                0 | 2 => Level::Info,
                8 | 9 => Level::Warn,
                _ => Level::Error,
            },
            _ => Level::Info,
        }
    }

    /// Returns it in words for people; `event` is what `apply` told, where it did.
    pub fn message(&self, event: Option<&Event>) -> String {
        let text = event.and_then(|event| line(event, Paint::plain())).unwrap_or_else(|| self.words());
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn words(&self) -> String {
        match self {
            Self::Version { facectl, .. } => format!("facectl {facectl}"),
            Self::RunBegan { command, project, rehearsal, .. } => {
                let project = project.map_or_else(String::new, |project| format!(" of project {project}"));
                let rehearsal = if *rehearsal { ", a rehearsal" } else { "" };
                format!("{command}{project} began{rehearsal}")
            }
            Self::Diagnostic { diagnostic } => diagnostic.line(),
            Self::FacePlanned { key, action, paid, reason, .. } => {
                let cost = if *paid { " (a paid training)" } else { "" };
                format!("{key}: {action}{cost}, because {}", reason.text)
            }
            Self::Planned { summary, refusals, .. } => {
                let limits = if *refusals > 0 { "; it breaks a limit, so it cannot be applied" } else { "" };
                format!(
                    "Plan: {} to create, {} to update, {} to replace, {} to delete; {}{limits}",
                    summary.create,
                    summary.update,
                    summary.replace,
                    summary.delete,
                    count(summary.paid_trainings, "paid training"),
                )
            }
            Self::CreateBegun { key, token } => format!("{key}: its create is being sent under token {token}"),
            Self::FaceUpdated { key, what, .. } => format!("{key}: {what}"),
            Self::TrainingProgressed { training } => training.words(),
            Self::Heartbeat { next_look_secs: None, .. } => "nothing is waited for any more".to_owned(),
            Self::Heartbeat { waiting, next_look_secs: Some(next) } => {
                let next = Duration::try_from_secs_f64(*next).unwrap_or_default();
                format!("{} still waited for; next look in {}", count(*waiting, "face"), duration(next))
            }
            Self::FaceStatus { key, status } => format!("{key}: {:?}, {:?}", status.sync, status.health),
            Self::FaceDrifted { key, drift } => format!("{key}: {}", drift.text.as_deref().unwrap_or(&drift.kind)),
            Self::Error { what, .. } => (*what).to_owned(),
            Self::RunEnded { exit_code, .. } => format!("ended with exit code {exit_code}"),
            // All others are told by `apply`, which has words for them.
            _ => String::new(),
        }
    }
}

impl TrainingState {
    fn words(&self) -> String {
        let percent = self.percent.map_or_else(String::new, |percent| format!(" {percent}%"));
        let elapsed = Duration::try_from_secs_f64(self.elapsed_secs).unwrap_or_default();
        format!("{}: {}{percent} after {}", self.key, self.status, duration(elapsed))
    }
}
