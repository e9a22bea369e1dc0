//! What a plan may do: flags over the project's settings, with what was spent before.

use std::time::Duration;

use crate::apply::spent;
use crate::face::{FaceKey, Recorded};
use crate::manifest::Adopt;
use crate::plan::{Limit, Policy};
use crate::state::{HistoryEntry, StateError, StateStore};

use super::super::args::{PolicyArgs, Skip};
use super::super::error::CliError;
use super::Workspace;

impl Workspace {
    /// Checks that whoever names a face to pay for has named one.
    ///
    /// # Errors
    /// When a key is neither declared nor recorded: a slip that would pass unnoticed.
    pub fn check_keys(&self, args: &PolicyArgs, recorded: &Recorded) -> Result<(), CliError> {
        let PolicyArgs {
            adopt: _,
            recreate,
            retry,
            reason: _,
            create_new,
            fresh: _,
            roll_forward,
            prune: _,
            allow_empty: _,
            prune_failed: _,
            max_trainings: _,
            max_deletions: _,
            skip_preflight: _,
        } = args;
        let is_known = |key: &FaceKey| self.desired().faces.contains_key(key) || recorded.faces.contains_key(key);
        let named = [
            ("--recreate", recreate),
            ("--retry", retry),
            ("--create-new", create_new),
            ("--roll-forward", roll_forward),
        ];
        let mut named = named.into_iter().flat_map(|(flag, keys)| keys.iter().map(move |key| (flag, key)));
        let Some((flag, key)) = named.find(|(_, key)| !is_known(key)) else { return Ok(()) };
        let error = CliError::new(format!("{flag} {key}: there is no such face; nothing was changed"));
        let known: Vec<&str> = self.desired().faces.keys().take(20).map(FaceKey::as_str).collect();
        Err(error.hint(format!("declared are: {}", known.join(", "))))
    }

    /// Returns what was done before, where a limit counts over a period; reading all of it is not for nothing.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn past(&self, store: &dyn StateStore) -> Result<Vec<HistoryEntry>, StateError> {
        let limits = self.loaded.project.settings.limits;
        match limits.max_trainings_per.is_some() || limits.max_deletions_per.is_some() {
            true => store.history(),
            false => Ok(Vec::new()),
        }
    }

    /// Returns what a plan may do. `history` is what was done before: limits may count over a period.
    pub fn policy(&self, args: Option<&PolicyArgs>, recorded: &Recorded, history: &[HistoryEntry]) -> Policy {
        let settings = &self.loaded.project.settings;
        let limits = settings.limits;
        let now = self.clock.now();
        let before = |limit, period: Option<Duration>| Some(spent(limit, period?, history, recorded, now));
        let by_file = Policy {
            adopt_by_name: settings.adopt == Adopt::Unique,
            max_trainings: limits.max_trainings,
            trainings_before: before(Limit::MaxTrainings, limits.max_trainings_per),
            max_deletions: limits.max_deletions,
            deletions_before: before(Limit::MaxDeletions, limits.max_deletions_per),
            face_slots: limits.face_slots,
            refuses_example_hosts: !self.is_rehearsal,
            unread: self.loaded.unread(args.is_some_and(|args| args.allow_empty)),
            still_there: self
                .loaded
                .still_there(recorded.faces.iter().map(|(key, face)| (key, face.manifest.as_deref()))),
            scope: self.scope,
            ..Policy::default()
        };
        let Some(args) = args else { return by_file };
        let PolicyArgs {
            adopt,
            recreate,
            retry,
            reason: _,
            create_new,
            // No part of the plan: it says how long the run waits before it pays.
            fresh: _,
            roll_forward,
            prune,
            allow_empty,
            prune_failed,
            max_trainings,
            max_deletions,
            skip_preflight,
        } = args;
        let keys = |keys: &[FaceKey]| keys.iter().cloned().collect();
        Policy {
            adopt_by_name: by_file.adopt_by_name || *adopt,
            recreate: keys(recreate),
            retry: keys(retry),
            create_new: keys(create_new),
            roll_forward: keys(roll_forward),
            prune: *prune,
            allow_empty: *allow_empty,
            prune_failed: *prune_failed,
            max_trainings: max_trainings.or(by_file.max_trainings),
            max_deletions: max_deletions.or(by_file.max_deletions),
            skip_preflight: Skip::checks(skip_preflight),
            ..by_file
        }
    }
}
