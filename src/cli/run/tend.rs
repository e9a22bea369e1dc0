//! One round of waiting, for who waits between rounds elsewhere.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::apply::{Pace, Tended, next_look};
use crate::cli::error::CliError;
use crate::face::FaceKey;
use crate::plan::{Action, Withheld};

use super::{Look, Run};

/// What is still waited for after a round.
#[derive(Debug, Default)]
pub struct Round {
    /// The faces.
    pub open: BTreeSet<FaceKey>,
    /// How long until the next look; none where nothing is waited for.
    pub next: Option<Duration>,
}

impl Run<'_> {
    /// Takes one round of waiting by the look that the last steps were taken by. `awaited` is what the round before
    /// left open: what is ready by now is told.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub async fn tend(&mut self, last: &Look, awaited: &BTreeSet<FaceKey>) -> Result<Round, CliError> {
        let waitable: BTreeSet<FaceKey> = self.waitable(last)?.into_iter().collect();
        // The look is older than what was done by it. Of a face that was changed in place it still says how far it is;
        // every other one is looked at next time.
        let stepped = |is_meant: fn(&Action) -> bool| -> BTreeSet<FaceKey> {
            let faces = last.plan.faces.iter().filter(|face| face.action.is_change() && is_meant(&face.action));
            faces.map(|face| face.key.clone()).collect()
        };
        let changed = stepped(|action| matches!(action, Action::Update(_)));
        let stepped = stepped(|action| !matches!(action, Action::Update(_)));
        // One that is missing and not to be trained again is told of as held back: nothing is to be waited for.
        let is_missing = |key: &FaceKey| last.held.faces.contains(&(key.clone(), Withheld::Missing));
        let is_put_off = |key: &&FaceKey| stepped.contains(key) || self.restraint.resting.contains(*key);
        let keys: BTreeSet<FaceKey> =
            waitable.union(awaited).filter(|key| !is_put_off(key) && !is_missing(key)).cloned().collect();
        let left: BTreeSet<FaceKey> = waitable.union(awaited).filter(is_put_off).cloned().collect();
        let Tended { outcome, mut open, next } =
            self.executor.tend(self.session.desired(), keys, &changed, &last.observed).await;
        self.outcome.absorb(outcome);
        let young = left.iter().filter_map(|key| {
            let model = self.session.desired().faces.get(key)?.spec.model;
            Some(Pace { model: Some(model), age: Duration::ZERO })
        });
        let soon = (!left.is_empty()).then(|| next_look(young, self.executor.settings.poll_interval, fastrand::f64()));
        open.extend(left);
        Ok(Round { open, next: [next, soon].into_iter().flatten().min() })
    }
}
