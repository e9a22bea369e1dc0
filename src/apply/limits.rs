//! What may be spent, counted from what was done: at plan time, and again before each request that spends.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

use jiff::Timestamp;

use crate::face::{Recorded, RecordedFace, Token};
use crate::plan::{Limit, Spent};
use crate::state::{Happened, HistoryEntry};

/// How much one run, and all runs of a period together, may spend. None is no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RunLimits {
    /// The most trainings, and what was started before over the period that counts.
    pub trainings: Option<(u32, Option<Spent>)>,
    /// The most deletions, and what was deleted before over the period that counts.
    pub deletions: Option<(u32, Option<Spent>)>,
}

/// What this run has spent, each thing once: a create that is sent again under its token is the same training. The
/// lease keeps every other run from spending beside it.
#[derive(Debug, Default)]
pub struct Ledger {
    trainings: Mutex<BTreeSet<String>>,
    deletions: Mutex<BTreeSet<String>>,
}

impl Ledger {
    /// Counts one more, unless that is one too many.
    pub(super) fn spend(&self, limit: Limit, what: &str, limits: &RunLimits) -> Result<(), String> {
        let (spent, allowed) = match limit {
            Limit::MaxTrainings => (&self.trainings, limits.trainings),
            Limit::MaxDeletions => (&self.deletions, limits.deletions),
        };
        let mut spent = spent.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if spent.contains(what) {
            return Ok(());
        }
        if let Some((allowed, before)) = allowed {
            let number = spent.len() + before.map_or(0, |before| before.count as usize);
            if number >= allowed as usize {
                let (setting, flag) = (limit.setting(), limit.flag());
                return Err(format!("{setting} allows {allowed}, and that many were reached ({flag})"));
            }
        }
        spent.insert(what.to_owned());
        Ok(())
    }
}

impl<A> super::Executor<'_, A> {
    /// Counts one more request that spends on something, named by its token or id.
    ///
    /// # Errors
    /// When a limit is reached: it must not be sent.
    pub(super) fn spend(&self, limit: Limit, what: &str) -> Result<(), String> {
        self.ledger.spend(limit, what, &self.settings.limits)
    }
}

/// Returns what was spent of a limit over a period until now: from the history, and from the record where the
/// history of another machine is not here.
///
/// A create that was refused, or is proven never to have begun, was not paid for. One in doubt counts.
pub fn spent(limit: Limit, period: Duration, history: &[HistoryEntry], recorded: &Recorded, now: Timestamp) -> Spent {
    let since = now.saturating_sub(period).unwrap_or(Timestamp::MIN);
    let lately = || history.iter().filter(|entry| entry.at >= since);
    let count = match limit {
        Limit::MaxDeletions => lately().filter(|entry| entry.what == Happened::Deleted).count(),
        Limit::MaxTrainings => {
            let mut paid: BTreeSet<&Token> = BTreeSet::new();
            for entry in lately() {
                match (&entry.what, &entry.token) {
                    (Happened::CreateBegun, Some(token)) => paid.insert(token),
                    (Happened::CreateRefused | Happened::CreateAbsent, Some(token)) => paid.remove(token),
                    _ => false,
                };
            }
            for face in recorded.faces.values() {
                paid.extend(made_since(face, since));
            }
            paid.len()
        }
    };
    Spent { count: u32::try_from(count).unwrap_or(u32::MAX), period }
}

/// Returns the tokens of the trainings of a key that were started since.
fn made_since(face: &RecordedFace, since: Timestamp) -> impl Iterator<Item = &Token> {
    let present = std::iter::once(face).chain(face.successor.as_deref()).map(|face| (&face.token, face.created_at));
    let before = face.previous.iter().map(|face| (&face.token, face.created_at));
    present.chain(before).filter_map(move |(token, at)| token.as_ref().filter(|_| at.is_some_and(|at| at >= since)))
}
