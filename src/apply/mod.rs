//! The only room that causes effects.
//!
//! # Flow
//! [`Executor::settle`] first, on every start: what was left open is settled, or stays in doubt. Then
//! [`Executor::execute`] takes an [`Approved`] plan, and [`Executor::wait`] looks until each face is as far
//! as it is waited for.
//!
//! # Guarantees
//! No create is sent without a durable `begun`, and none begins before its material was looked at once more. What is reported happened. One face's failure does not
//! stop the others, with one exception: a refused key stops everything, as every answer would be the same.

mod adopt;
mod bind;
mod event;
mod import;
mod interrupt;
mod limits;
mod outcome;
mod recover;
mod retire;
mod schedule;
mod step;
mod switch;
#[cfg(test)]
mod tests;
mod update;
mod wait;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::{StreamExt, stream};

use crate::clock::Clock;
use crate::face::{Check, Desired, DesiredFace, Observed, RecordedFace};
use crate::plan::{Action, Approved, FacePlan};
use crate::state::{Change, RunContext, StateError, StateStore};
use crate::tavus::{ApiError, FaceApi, observe};

use step::{Claims, Creation};

pub use bind::{AsWritten, Binder, Binding, Bound, NotBound};
pub use event::{Event, Sink, Training};
pub use interrupt::{Interrupt, Interrupter, interrupt};
pub use limits::{Ledger, RunLimits, spent};
pub use outcome::{Done, Outcome, Trouble};
pub use recover::Settled;
pub use schedule::{Pace, next_look};
#[cfg(test)]
pub(crate) use step::placed;
pub use wait::Tended;

/// How effects are to be caused.
#[derive(Debug, Clone)]
pub struct ExecuteSettings {
    /// Creates under way at once.
    pub create_parallelism: usize,
    /// Reads under way at once.
    pub parallelism: usize,
    /// How long after its sending a create may still show up in a listing.
    pub settle_window: Duration,
    /// How long one request may be under way.
    pub request_timeout: Duration,
    /// Leave doubts as they are after one look.
    pub no_settle: bool,
    /// Wait for no window to end: settle what can be settled now, and leave the rest.
    pub settles_due_only: bool,
    /// A fixed interval between looks; none: by the faces' age.
    pub poll_interval: Option<Duration>,
    /// How long to wait; none: as long as it takes.
    pub wait_timeout: Option<Duration>,
    /// Why, in the words of whoever asked for it; for the history, without secrets.
    pub reason: String,
    /// How much may be spent.
    pub limits: RunLimits,
    /// What is not asked of training material.
    pub skip_preflight: BTreeSet<Check>,
}

/// Causes effects, one face at a time, each written down before it is sent.
pub struct Executor<'a, A> {
    /// The API.
    pub api: &'a A,
    /// What makes the links that are sent.
    pub binder: &'a dyn Binder,
    /// What we remember. Behind a lease.
    pub store: Arc<dyn StateStore>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Who may ask to stop.
    pub interrupt: Interrupt,
    /// Where events go.
    pub sink: &'a dyn Sink,
    /// How.
    pub settings: ExecuteSettings,
    /// Set once the key was refused: nothing new begins.
    pub key_refused: AtomicBool,
    /// What was spent of the limits.
    pub ledger: Ledger,
    /// Who is at work, for the history.
    pub context: RunContext,
}

impl<A> std::fmt::Debug for Executor<'_, A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Executor").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl<A: FaceApi> Executor<'_, A> {
    /// Does what was approved, free steps first, and says what came of it.
    pub async fn execute(&self, approved: &Approved, desired: &Desired, observed: &Observed) -> Outcome {
        let mut outcome = Outcome::default();
        if let Err(error) = self.refresh_record(desired, observed).await {
            // Nothing was sent yet, and what cannot be written down must not be sent.
            outcome.trouble.push(Trouble::state(&error));
            outcome.skipped.extend(approved.steps().map(|face| face.key.clone()));
            return outcome;
        }
        let is_free = |face: &&FacePlan| !face.action.is_paid() && !matches!(face.action, Action::Delete(_));
        for face in approved.steps().filter(is_free) {
            if self.must_stop() {
                outcome.skipped.push(face.key.clone());
                continue;
            }
            self.free_step(face, desired, observed, &mut outcome).await;
        }
        self.create_all(approved, desired, &mut outcome).await;
        self.delete_all(approved, &mut outcome).await;
        outcome.is_interrupted = self.interrupt.is_noted();
        outcome.is_key_refused = self.key_refused.load(Ordering::Relaxed);
        outcome
    }

    async fn free_step(&self, face: &FacePlan, desired: &Desired, observed: &Observed, outcome: &mut Outcome) {
        let done = match &face.action {
            Action::Adopt(adopt) => self.adopt(face, adopt, desired, observed).await,
            Action::Update(update) => self.update(&face.key, update, desired).await,
            Action::Switch(switch) => self.switch(&face.key, switch, desired).await,
            Action::GiveUp(id) => self.give_up(&face.key, id, desired).await,
            Action::Forget => self.forget(&face.key).await,
            Action::NoOp
            | Action::Create(_)
            | Action::Replace(_)
            | Action::Wait
            | Action::Orphaned
            | Action::Delete(_)
            | Action::Blocked => return,
        };
        outcome.note(&face.key, done, self.sink);
    }

    /// Creates with bounded concurrency: two at a time by default, as how many trainings may run at once
    /// is not known (no page says it, October 2026).
    async fn create_all(&self, approved: &Approved, desired: &Desired, outcome: &mut Outcome) {
        let claimed = Claims::default();
        let creates = approved.steps().filter_map(|face| {
            let (create, is_beside) = match &face.action {
                Action::Create(create) => (create, false),
                Action::Replace(create) => (create, true),
                _ => return None,
            };
            let manifest = desired.faces.get(&face.key).and_then(|face| face.manifest.as_deref());
            Some((&face.key, Creation { create, is_beside, manifest }))
        });
        let running = creates.map(|(key, create)| {
            let claimed = &claimed;
            async move { (key, Box::pin(self.create(key, create, claimed)).await) }
        });
        // Not `buffered`: a create that waits for a limit to pass holds up no other.
        let running = stream::iter(running).buffer_unordered(self.settings.create_parallelism.max(1));
        for (key, done) in running.collect::<BTreeMap<_, _>>().await {
            outcome.note(key, done, self.sink);
        }
    }

    /// Brings the record up to what is known without changing anything live: what the manifests say about
    /// removal and protection, which files they are, and which faces were seen usable.
    async fn refresh_record(&self, desired: &Desired, observed: &Observed) -> Result<(), StateError> {
        let snapshot = self.store.load()?;
        let refreshed = snapshot.faces.iter().filter_map(|(key, face)| {
            let new = refreshed(face, desired.faces.get(key), observed);
            (new != *face).then(|| (key.clone(), Some(new)))
        });
        let change = Change { faces: refreshed.collect(), ..Change::default() };
        if change.faces.is_empty() {
            return Ok(());
        }
        self.commit(change).await
    }

    /// Lists the live faces; none when somebody asks to stop meanwhile, as a listing can take long when the
    /// API does not answer.
    async fn listing(&self) -> Result<Option<Observed>, ApiError> {
        tokio::select! {
            observed = observe(self.api, self.clock.as_ref(), self.settings.parallelism) => observed.map(Some).inspect_err(|error| {
                if error.is_key_refused() {
                    self.key_refused.store(true, Ordering::Relaxed);
                }
            }),
            () = self.interrupt.noted() => Ok(None),
        }
    }

    fn must_stop(&self) -> bool {
        self.interrupt.is_noted() || self.key_refused.load(Ordering::Relaxed)
    }

    /// Writes, and returns once it is durable. On a thread that may block: a flush can take long on a slow disk.
    async fn commit(&self, change: Change) -> Result<(), StateError> {
        let store = Arc::clone(&self.store);
        match tokio::task::spawn_blocking(move || store.commit(change)).await {
            Ok(committed) => committed.map(drop),
            // The blocking task panicked or the runtime is going away: nothing is known to be durable.
            Err(error) => {
                Err(StateError::Io { action: "write", path: "the state".into(), source: std::io::Error::other(error) })
            }
        }
    }
}

fn refreshed(face: &RecordedFace, desired: Option<&DesiredFace>, observed: &Observed) -> RecordedFace {
    let mut new = face.clone();
    let live = observed.faces.get(&face.id);
    if let Some(DesiredFace { spec, manifest, .. }) = desired {
        new.manifest.clone_from(manifest);
        new.on_removal = spec.lifecycle.on_removal;
        new.protect = spec.lifecycle.protect;
        // A voice that was sent with a create whose answer was lost: from now on, another one is drift.
        let voice = live.and_then(|live| live.default_voice.as_ref());
        if new.default_voice.is_none() && voice.is_some() && voice == spec.default_voice.as_ref() {
            new.default_voice = voice.cloned();
        }
    }
    new.successor = new.successor.map(|successor| Box::new(refreshed(&successor, desired, observed)));
    match live {
        Some(live) => new.seen(live, observed.at),
        None => new,
    }
}
