//! An empty record is no proof: before the first paid create of a run that knows nothing, one settle window is waited.
//!
//! # Flow
//! Where neither state nor lock file know the project, it may have run elsewhere a moment ago: on a disk that is lost,
//! or on another machine. What that run sent shows up in a listing within the settle window. So the window is waited,
//! and the look after it decides.
//!
//! # Guarantees
//! The wait ends one settle window after the record began: a create that was sent before is listed by then. It is left
//! out only where a person answered at a terminal, or says that the project has never run anywhere (`--fresh`), and in
//! the sandbox inside this process, where nobody is paid.
//!
//! # Assumptions
//! - A face shows up in the listing within the window after its create was sent, as everywhere (`apply/recover.rs`).
//! - Whoever has no record in common with this run, and works at the same moment, is seen by nobody.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::apply::Event;
use crate::cli::error::CliError;
use crate::face::{FaceKey, RecordedFace};
use crate::plan::Consent;
use crate::state::{Happened, HistoryEntry};

use super::Run;

impl Run<'_> {
    /// Waits until whatever was sent before this record began shows up in a listing.
    ///
    /// # Errors
    /// When the state cannot be read, or somebody asks to stop. Nothing was sent.
    pub(super) async fn outwait_empty_record(&self, consent: Consent) -> Result<(), CliError> {
        if self.is_fresh || consent == Consent::Given || self.session.is_in_process() {
            return Ok(());
        }
        let (now, window) = (self.session.clock.now(), self.executor.settings.settle_window);
        let snapshot = self.store.load()?;
        // Mostly enough, and the history of many faces is long.
        if !snapshot.journal.is_empty() {
            return Ok(());
        }
        let left = unproven_for(&snapshot.faces, &self.store.history()?, window, now);
        if left.is_zero() {
            return Ok(());
        }
        let until = now.saturating_add(left).unwrap_or(Timestamp::MAX);
        self.sink.take(&Event::EmptyRecordWaited { until, left });
        tokio::select! {
            () = self.session.clock.sleep(left) => Ok(()),
            () = self.session.interrupt.noted() => Err(CliError::interrupted()),
        }
    }
}

/// Returns how long it is until a create that was sent before the record began must be listed.
///
/// | the record | how long |
/// |---|---|
/// | is empty | one window |
/// | has begun a create | not at all: that one was waited for |
/// | knows a face that its history does not, as from the lock file | not at all: the project is known |
/// | only took in what it found | until one window after its first entry |
pub fn unproven_for(
    faces: &BTreeMap<FaceKey, RecordedFace>,
    history: &[HistoryEntry],
    window: Duration,
    now: Timestamp,
) -> Duration {
    let has_begun = history.iter().any(|entry| entry.what == Happened::CreateBegun);
    let is_told = |id| history.iter().any(|entry| entry.id.as_ref() == Some(id));
    let is_known = faces.values().any(|face| !is_told(&face.id));
    if has_begun || is_known {
        return Duration::ZERO;
    }
    match history.iter().map(|entry| entry.at).min() {
        None => window,
        // A beginning that lies in the future, because a clock was set back, counts as now.
        Some(began) => window.saturating_sub(Duration::try_from(now.duration_since(began)).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::world::{World, key, noon};
    use crate::state::RunContext;

    const WINDOW: Duration = Duration::from_secs(120);

    fn entry(world: &World, what: Happened, seconds_ago: i64) -> HistoryEntry {
        let at = noon() - jiff::SignedDuration::from_secs(seconds_ago);
        let id = world.recorded.faces.get(&key("rio")).map(|face| face.id.clone());
        HistoryEntry { id, ..HistoryEntry::new(at, Some(&key("rio")), what, "", &RunContext::default()) }
    }

    fn left(world: &World, history: &[HistoryEntry]) -> u64 {
        unproven_for(&world.recorded.faces, history, WINDOW, noon()).as_secs()
    }

    #[test]
    fn a_record_proves_itself_by_a_create_by_the_lock_file_or_by_age() {
        let (empty, known) = (World::agreeing(), World::agreeing().face("rio"));
        assert_eq!(left(&empty, &[]), 120, "it is empty");
        assert_eq!(left(&empty, &[entry(&known, Happened::CreateBegun, 10)]), 0, "its first create was waited for");
        assert_eq!(left(&known, &[]), 0, "the lock file knows it");
        let adopted = |seconds| entry(&known, Happened::Adopted, seconds);
        assert_eq!(left(&known, &[adopted(30)]), 90, "all that it knows, it has just found");
        assert_eq!(left(&known, &[adopted(300), adopted(30)]), 0, "it is older than the window");
        assert_eq!(left(&known, &[adopted(-500)]), 120, "a clock was set back");
    }
}
