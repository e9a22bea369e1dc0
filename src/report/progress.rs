//! Live lines from events.

use crate::apply::{Event, Training};
use crate::face::{TrainingStatus, WaitFor};

use super::Paint;
use super::words::{count, duration, hours};

/// Returns the line for an event, where it is worth one by itself; progress goes into bars or heartbeats.
pub fn line(event: &Event, paint: Paint) -> Option<String> {
    let text = match event {
        Event::UploadProgressed { key, name, done, total } => {
            let shown = |bytes: u64| bytes.div_ceil(1_000_000);
            format!("{} {key}: uploaded {} of {} MB of {name}", paint.cyan("^"), shown(*done), shown(*total))
        }
        Event::CreateBegun { .. } | Event::TrainingProgressed(_) | Event::RoundEnded { .. } => return None,
        Event::WaitBegan { faces } => format!(
            "Waiting for {}. Interrupting is safe: trainings go on, and `facectl wait` takes it up again.",
            count(*faces, "face")
        ),
        Event::FaceCreated { key, id } => format!("{} {key}: training started as {id}", paint.green("+")),
        Event::CreateRefused { key, why } => format!("{} {key}: refused, nothing was started: {why}", paint.red("x")),
        Event::CreatePostponed { key, wait } => {
            format!(
                "{} {key}: the API asks for patience, nothing was started; sent again in {}",
                paint.yellow("…"),
                duration(*wait)
            )
        }
        Event::CreateFellInDoubt { key, why } => format!(
            "{} {key}: in doubt: {why}. A training may have started; it is not sent again until that is known",
            paint.red("?")
        ),
        Event::CreateSettled { key, id, token } => {
            format!("{} {key}: settled: {id} carries its token {token}, so its training did start", paint.green("="))
        }
        Event::CreateProvenAbsent { key, token } => format!(
            "{} {key}: settled: two complete listings after the settle window do not show token {token}, so nothing was started",
            paint.green("=")
        ),
        Event::SettlingWaited { keys, left, .. } => {
            let keys: Vec<&str> = keys.iter().map(crate::face::FaceKey::as_str).collect();
            let rest = if left.is_zero() {
                "confirming by another listing".to_owned()
            } else {
                format!("up to {} more", duration(*left))
            };
            format!("{} looking for {} by token; {rest}", paint.cyan("?"), keys.join(", "))
        }
        Event::EmptyRecordWaited { left, .. } => format!(
            "{} Neither the state nor facectl.lock.yaml knows this project, so a training may have started elsewhere. Waiting {} before the first paid training, then listing the faces again. To avoid the wait, commit facectl.lock.yaml, or pass --fresh (FACECTL_FRESH=1) if this project has never run anywhere. Nothing was sent yet.",
            paint.cyan("?"),
            duration(*left)
        ),
        Event::FaceAdopted { key, id } => format!("{} {key}: took {id} into the record", paint.green("<=")),
        Event::FaceUpdated { is_housekeeping: true, .. } => return None,
        Event::FaceUpdated { key, what, .. } => format!("{} {key}: {what}", paint.yellow("~")),
        Event::FaceForgotten { key } => format!(". {key}: dropped from the record; nothing live was left of it"),
        Event::PalRepointed { key, pal, to } => {
            format!("{} {key}: PAL {} (\"{}\") uses {to} now", paint.green("->"), pal.id, pal.name)
        }
        Event::FaceSwitched { key, from, to } => {
            format!("{} {key}: {to} took the place of {from}, which is kept", paint.green("->"))
        }
        Event::ReplacementGivenUp { key, id } => {
            format!("{} {key}: its replacement {id} is given up and stays alive", paint.yellow("x"))
        }
        Event::FaceDeleted { key, id, is_hard } => {
            let how = if *is_hard { ", with its stored material" } else { "" };
            format!("{} {key}: {id} deleted{how}", paint.red("-"))
        }
        Event::StepFailed { key, doing, why } => format!("{} {key}: failed to {doing}: {why}", paint.red("x")),
        Event::FaceReached(training) => {
            let (word, note) = match (&training.status, training.wait_for) {
                (TrainingStatus::TuningFailed, _) => ("preview", " (its tuning failed: it keeps the watermark)"),
                (status, WaitFor::Preview) if !status.is_final() => {
                    (status.shown(), " (tuning goes on in the background)")
                }
                (status, _) => (status.shown(), ""),
            };
            format!("{} {}: {word} after {}{note}", paint.green("✓"), training.key, duration(training.elapsed))
        }
        Event::TrainingFailed { training, why } => {
            let why = why.as_deref().unwrap_or("the API does not say why");
            format!(
                "{} {}: {} after {}: {why}",
                paint.red("x"),
                training.key,
                training.status.shown(),
                duration(training.elapsed)
            )
        }
        Event::LookFailed { why, times, next } => {
            format!("{} look {times} failed: {why}; again in {}", paint.yellow("!"), duration(*next))
        }
    };
    Some(text)
}

/// Progress for readers without a terminal: one line a round.
#[derive(Debug, Default)]
pub struct Heartbeat {
    round: Vec<Training>,
}

impl Heartbeat {
    /// Takes an event; returns the line of a round that has ended with faces still in training.
    pub fn take(&mut self, event: &Event) -> Option<String> {
        match event {
            Event::TrainingProgressed(training) => self.round.push(training.clone()),
            Event::RoundEnded { waiting, next } if *waiting > 0 => {
                let round = std::mem::take(&mut self.round);
                return Some(heartbeat(&round, *waiting, *next));
            }
            _ => {}
        }
        None
    }
}

/// Faces named in one heartbeat; the others are counted.
const NAMED: usize = 6;

/// `… 1h 4m of usually 3 to 6 hours: training ana 30%, bruno 21%; preview dan 57%; next look in 5m`
fn heartbeat(round: &[Training], waiting: usize, next: std::time::Duration) -> String {
    if round.is_empty() {
        return format!("… {} not listed yet; next look in {}", count(waiting, "face"), duration(next));
    }
    let oldest = round.iter().map(|training| training.elapsed).max().unwrap_or_default();
    let usual = round.iter().filter_map(|training| training.usual_hours).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
    let usual = usual.map_or_else(String::new, |range| format!(" of usually {}", hours(range)));
    let mut by_stage: Vec<(&str, Vec<String>)> = Vec::new();
    for training in round.iter().take(NAMED) {
        let percent = training.progress.map_or_else(String::new, |progress| format!(" {}%", progress.percent()));
        let word = format!("{}{percent}", training.key);
        match by_stage.iter_mut().find(|(stage, _)| *stage == training.status.shown()) {
            Some((_, words)) => words.push(word),
            None => by_stage.push((training.status.shown(), vec![word])),
        }
    }
    let stages: Vec<String> =
        by_stage.into_iter().map(|(stage, words)| format!("{stage} {}", words.join(", "))).collect();
    let more = waiting.saturating_sub(NAMED.min(round.len()));
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("… {}{usual}: {}{more}; next look in {}", duration(oldest), stages.join("; "), duration(next))
}
