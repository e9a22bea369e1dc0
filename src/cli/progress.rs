//! Events as live bars on a terminal, as lines elsewhere; and, where they are asked for, as events for programs.

use std::collections::BTreeMap;
use std::sync::Mutex;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::apply::{Event, Sink, Training};
use crate::face::FaceKey;
use crate::report::{Heartbeat, duration, hours, line};
use crate::text::{for_people, visible};

use super::output::Output;

/// Shows events to people, and hands them on to programs.
#[derive(Debug)]
pub struct Progress {
    output: Output,
    shown: Mutex<Shown>,
}

#[derive(Debug)]
struct Shown {
    bars: MultiProgress,
    by_key: BTreeMap<FaceKey, ProgressBar>,
    heartbeat: Heartbeat,
}

/// Bars on a screen: more would scroll off it.
const BARS: usize = 16;

impl Progress {
    /// Makes one that writes where the run talks.
    pub fn new(output: Output) -> Self {
        let shown = Shown { bars: MultiProgress::new(), by_key: BTreeMap::new(), heartbeat: Heartbeat::default() };
        Self { output, shown: Mutex::new(shown) }
    }

    fn on_terminal(&self, event: &Event, shown: &mut Shown) {
        match event {
            Event::UploadProgressed { key, name, done, total } => {
                return upload_bar(shown, key, name, (*done, *total));
            }
            Event::TrainingProgressed(training) => update_bar(shown, training),
            Event::FaceReached(training) | Event::TrainingFailed { training, .. } => {
                if let Some(bar) = shown.by_key.remove(&training.key) {
                    bar.finish_and_clear();
                    shown.bars.remove(&bar);
                }
            }
            _ => {}
        }
        if let Some(line) = line(event, self.output.talk_paint) {
            let line = self.output.talk_paint.wrap(&line, 2);
            // Above the bars, which stay at the bottom.
            if shown.by_key.is_empty() {
                self.output.talk(&line);
            } else {
                let _ = shown.bars.println(for_people(&line, self.output.talk_paint.colour));
            }
        }
    }

    fn on_lines(&self, event: &Event, shown: &mut Shown) {
        if let Some(line) = line(event, self.output.talk_paint) {
            self.output.talk(&line);
        }
        if let Some(line) = shown.heartbeat.take(event) {
            self.output.talk(&line);
        }
    }
}

impl Sink for Progress {
    fn take(&self, event: &Event) {
        self.output.events.take(event);
        let mut shown = self.shown.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if self.output.is_quiet {
            return;
        }
        if self.output.is_talk_seen { self.on_terminal(event, &mut shown) } else { self.on_lines(event, &mut shown) }
    }

    /// Takes the bars off the screen.
    fn rest(&self) {
        let mut shown = self.shown.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for bar in std::mem::take(&mut shown.by_key).into_values() {
            bar.finish_and_clear();
        }
        let _ = shown.bars.clear();
    }
}

fn update_bar(shown: &mut Shown, training: &Training) {
    if !shown.by_key.contains_key(&training.key) {
        if shown.by_key.len() >= BARS {
            return;
        }
        let bar = shown.bars.add(ProgressBar::new(100));
        bar.set_style(style());
        bar.set_prefix(training.key.to_string());
        shown.by_key.insert(training.key.clone(), bar);
    }
    let Some(bar) = shown.by_key.get(&training.key) else { return };
    bar.set_position(training.progress.map_or(0, |progress| u64::from(progress.percent())));
    let usual = training.usual_hours.map_or_else(String::new, |range| format!(" of {}", hours(range)));
    bar.set_message(format!("{} {}{usual}", training.status.shown(), duration(training.elapsed)));
}

/// One at a time is uploaded: its bar goes when it is whole.
fn upload_bar(shown: &mut Shown, key: &FaceKey, name: &str, (done, total): (u64, u64)) {
    let bar = shown.by_key.entry(key.clone()).or_insert_with(|| {
        let bar = shown.bars.add(ProgressBar::new(total));
        bar.set_style(upload_style());
        bar.set_prefix(key.to_string());
        bar.set_message(visible(name).into_owned());
        bar
    });
    bar.set_position(done);
    if done >= total
        && let Some(bar) = shown.by_key.remove(key)
    {
        bar.finish_and_clear();
        shown.bars.remove(&bar);
    }
}

fn upload_style() -> ProgressStyle {
    ProgressStyle::with_template(
        "  {prefix:<16!} {bar:16.cyan/blue} {percent:>3}% {bytes} of {total_bytes}, {eta} left  {msg}",
    )
    .unwrap_or_else(|_| ProgressStyle::default_bar())
    .progress_chars("━╸─")
}

fn style() -> ProgressStyle {
    // The template is a constant that indicatif accepts; its own default would still show the share.
    ProgressStyle::with_template("  {prefix:<16!} {bar:16.cyan/blue} {percent:>3}% {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━╸─")
}
