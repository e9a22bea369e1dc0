//! When to look again. Pure.

use std::time::Duration;

use crate::face::Model;

/// How fast one face changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Its model, where we know the word.
    pub model: Option<Model>,
    /// Since its creation.
    pub age: Duration,
}

/// A preview comes within a minute from a photo and minutes from a video (phoenix-4.5 page, October 2026):
/// looking every 15 s for 3 minutes sees it soon.
const FIRST: (Duration, Duration) = (Duration::from_secs(15), Duration::from_secs(3 * 60));
/// Then a while more often than training needs, as early failures show early.
const SECOND: (Duration, Duration) = (Duration::from_secs(2 * 60), Duration::from_secs(30 * 60));
/// Trainings take hours: more often tells nobody more.
const LAST: Duration = Duration::from_secs(5 * 60);

/// Returns how long to wait until the next look at all of these faces; `jitter` from 0 to 1 moves it by up
/// to a tenth either way, so that many runners do not look in step.
pub fn next_look(paces: impl IntoIterator<Item = Pace>, fixed: Option<Duration>, jitter: f64) -> Duration {
    if let Some(fixed) = fixed {
        return fixed;
    }
    let shortest = paces.into_iter().map(interval).min().unwrap_or(LAST);
    shortest.mul_f64(0.9 + 0.2 * jitter.clamp(0.0, 1.0))
}

fn interval(Pace { model, age }: Pace) -> Duration {
    if age < FIRST.1 && model.is_none_or(Model::has_preview) {
        FIRST.0
    } else if age < SECOND.1 {
        SECOND.0
    } else {
        LAST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_youngest_face_sets_the_pace_and_only_a_face_with_a_preview_hurries() {
        let pace = |model, minutes: u64| Pace { model: Some(model), age: Duration::from_secs(minutes * 60) };
        for (paces, seconds, why) in [
            (vec![pace(Model::Phoenix45, 0)], 15, "a preview is near"),
            (vec![pace(Model::Phoenix45, 3)], 120, "the first minutes are over"),
            (vec![pace(Model::Phoenix4, 0)], 120, "no preview to come"),
            (vec![pace(Model::Phoenix4, 45)], 300, "hours to go"),
            (vec![pace(Model::Phoenix4, 45), pace(Model::Phoenix45, 1)], 15, "the youngest counts"),
        ] {
            assert_eq!(next_look(paces, None, 0.5), Duration::from_secs(seconds), "{why}");
        }
        assert_eq!(next_look([], Some(Duration::from_secs(7)), 0.9), Duration::from_secs(7));
    }
}
