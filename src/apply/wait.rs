//! Looking until each face is as far as it is waited for.
//!
//! Waiting is a recorded state, not a sleeping task: a wait that is interrupted, on any machine, is taken
//! up by the next run. One listing per round serves all faces.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::Timestamp;

use crate::face::{
    Desired, DesiredFace, FaceId, FaceKey, Model, Observed, ObservedFace, RecordedFace, Token, TrainingStatus, WaitFor,
};
use crate::plan::{Switch, finishing, is_reached, may_not_show_yet, may_serve, naming_for, shared_tokens};
use crate::state::Change;
use crate::tavus::{ApiError, FaceApi};

use super::{Done, Event, Executor, Outcome, Pace, Training, Trouble, next_look};

/// Failed looks in a row after which waiting ends: each has been repeated with back-off already.
const FAILED_LOOKS: u32 = 10;
/// How often one change in place is tried while waiting.
const UPDATE_TRIES: u32 = 3;

/// What is known about the faces that are waited for, between rounds.
struct Waiting<'a> {
    desired: &'a Desired,
    /// Still waited for.
    open: BTreeMap<FaceKey, &'a DesiredFace>,
    /// Tokens that several faces carried in the last look.
    shared: BTreeSet<Token>,
    /// Failed changes in place, by face.
    tries: BTreeMap<FaceKey, u32>,
    /// Failed looks at one face alone, by face.
    failed_looks: BTreeMap<FaceKey, u32>,
    /// Faces that were changed in place since the look.
    changed: BTreeSet<FaceKey>,
    /// The state could not be read: nothing more can be told.
    is_over: bool,
    outcome: Outcome,
}

/// What one round of waiting came to.
#[derive(Debug)]
pub struct Tended {
    /// What came of it.
    pub outcome: Outcome,
    /// The faces that are still waited for.
    pub open: BTreeSet<FaceKey>,
    /// How long until the next look; none where nothing is waited for.
    pub next: Option<Duration>,
}

impl<'a> Waiting<'a> {
    fn new(desired: &'a Desired, keys: impl IntoIterator<Item = FaceKey>) -> Self {
        let open = keys.into_iter().filter_map(|key| {
            let (key, face) = desired.faces.get_key_value(&key)?;
            (face.spec.lifecycle.wait_for != WaitFor::None).then(|| (key.clone(), face))
        });
        Self {
            desired,
            open: open.collect(),
            shared: BTreeSet::new(),
            tries: BTreeMap::new(),
            failed_looks: BTreeMap::new(),
            changed: BTreeSet::new(),
            is_over: false,
            outcome: Outcome::default(),
        }
    }
}

/// What one look at one face showed.
enum Look {
    Reached(Training),
    Failed(Training, Option<String>),
    Training(Training),
    Vanished,
    Unseen,
}

impl<A: FaceApi> Executor<'_, A> {
    /// Waits for these faces, and changes in place what could not be changed while they were training.
    pub async fn wait(&self, desired: &Desired, keys: impl IntoIterator<Item = FaceKey>) -> Outcome {
        let mut waiting = Waiting::new(desired, keys);
        if waiting.open.is_empty() {
            return waiting.outcome;
        }
        self.sink.take(&Event::WaitBegan { faces: waiting.open.len() });
        let deadline = self
            .settings
            .wait_timeout
            .map(|timeout| self.clock.now().saturating_add(timeout).unwrap_or(Timestamp::MAX));
        let mut failed_looks = 0;
        while !waiting.open.is_empty() && !self.must_stop() {
            let next = match self.look(&mut waiting).await {
                Ok(next) => {
                    failed_looks = 0;
                    next
                }
                Err(error) => {
                    failed_looks += 1;
                    match self.note_failed_look(&error, failed_looks, &mut waiting.outcome) {
                        Some(next) => next,
                        None => break,
                    }
                }
            };
            if waiting.open.is_empty() || waiting.is_over {
                break;
            }
            if !self.pause(next, deadline).await {
                waiting.outcome.is_deadline_reached = true;
                break;
            }
        }
        let Waiting { open, mut outcome, .. } = waiting;
        outcome.still_training.extend(open.into_keys());
        outcome.is_interrupted = self.interrupt.is_noted();
        outcome.is_key_refused = self.key_refused.load(Ordering::Relaxed);
        outcome
    }

    /// Takes one round of waiting by a listing that was made already, for who waits between rounds elsewhere. `changed`
    /// are faces that were changed in place since: the listing shows their names as they were before.
    pub async fn tend(
        &self,
        desired: &Desired,
        keys: impl IntoIterator<Item = FaceKey>,
        changed: &BTreeSet<FaceKey>,
        observed: &Observed,
    ) -> Tended {
        let mut waiting = Waiting { changed: changed.clone(), ..Waiting::new(desired, keys) };
        if waiting.open.is_empty() || self.must_stop() {
            let open = waiting.open.into_keys().collect();
            return Tended { outcome: waiting.outcome, open, next: None };
        }
        let next = match self.attend(observed, &mut waiting).await {
            Ok(next) => Some(next),
            Err(error) => self.note_failed_look(&error, 1, &mut waiting.outcome),
        };
        let Waiting { open, mut outcome, .. } = waiting;
        outcome.is_interrupted = self.interrupt.is_noted();
        outcome.is_key_refused = self.key_refused.load(Ordering::Relaxed);
        let open: BTreeSet<FaceKey> = open.into_keys().collect();
        Tended { outcome, next: next.filter(|_| !open.is_empty()), open }
    }

    /// Waits between two looks; false when the deadline comes first.
    async fn pause(&self, next: Duration, deadline: Option<Timestamp>) -> bool {
        let left =
            deadline.map(|deadline| Duration::try_from(deadline.duration_since(self.clock.now())).unwrap_or_default());
        if left.is_some_and(|left| left.is_zero()) {
            return false;
        }
        tokio::select! {
            () = self.clock.sleep(left.map_or(next, |left| left.min(next))) => {}
            () = self.interrupt.noted() => {}
        }
        true
    }

    fn note_failed_look(&self, error: &ApiError, times: u32, outcome: &mut Outcome) -> Option<Duration> {
        if error.is_key_refused() {
            self.key_refused.store(true, Ordering::Relaxed);
        }
        if error.is_key_refused() || times >= FAILED_LOOKS {
            outcome.trouble.push(Trouble::no_look(error.to_string()));
            return None;
        }
        let next = next_look([], self.settings.poll_interval, fastrand::f64()).min(Duration::from_secs(60));
        self.sink.take(&Event::LookFailed { why: error.to_string(), times, next });
        Some(next)
    }

    /// Looks at every open face once; returns how long until the next look.
    async fn look(&self, waiting: &mut Waiting<'_>) -> Result<Duration, ApiError> {
        let Some(observed) = self.listing().await? else { return Ok(Duration::ZERO) };
        self.attend(&observed, waiting).await
    }

    /// Looks at every open face in a listing; returns how long until the next look.
    async fn attend(&self, observed: &Observed, waiting: &mut Waiting<'_>) -> Result<Duration, ApiError> {
        let recorded = match self.store.load() {
            Ok(snapshot) => snapshot.faces,
            Err(error) => {
                waiting.outcome.trouble.push(Trouble::unread_state(&error));
                waiting.is_over = true;
                return Ok(Duration::ZERO);
            }
        };
        let mut paces = Vec::new();
        let mut seen = BTreeMap::new();
        waiting.shared = shared_tokens(observed);
        for (key, desired) in waiting.open.clone() {
            let Some(whole) = recorded.get(&key) else {
                waiting.open.remove(&key);
                continue;
            };
            // Where a new face is to take the place, that is the one to wait for.
            let face = whole.successor.as_deref().unwrap_or(whole);
            let live = match self.find(observed, face).await {
                Ok(live) => live,
                Err(error) if error.is_key_refused() => return Err(error),
                // The others are well: one face that cannot be had must not end their wait.
                Err(error) => {
                    paces.push(Pace { model: Some(desired.spec.model), age: Duration::ZERO });
                    self.note_failed_look_at(&key, &error, waiting);
                    continue;
                }
            };
            let is_tidy =
                |live: &&ObservedFace| live.status == TrainingStatus::Failed || waiting.changed.contains(&key);
            let untold = match live.as_ref().filter(|live| !is_tidy(live)) {
                Some(live) => self.tidy(&key, desired, face, live, waiting).await,
                None => None,
            };
            if let Some(live) = &live {
                seen.insert(key.clone(), (live.clone(), observed.at));
            }
            match self.judge(&key, desired, face, whole.successor.is_some(), live.as_ref(), observed.at) {
                Look::Reached(training) => {
                    self.sink.take(&Event::FaceReached(training));
                    waiting.open.remove(&key);
                    if let Some(successor) = &whole.successor {
                        self.take_place(&key, &whole.id, successor, desired, waiting).await;
                    } else {
                        waiting.outcome.reached.push(key.clone());
                    }
                    // There is no later look that could try again.
                    if let Some(trouble) = untold {
                        waiting.outcome.note(&key, Done::Failed(trouble), self.sink);
                    }
                }
                Look::Failed(training, why) => {
                    waiting.outcome.failed.push((key.clone(), why.clone()));
                    self.sink.take(&Event::TrainingFailed { training, why });
                    waiting.open.remove(&key);
                }
                Look::Vanished => {
                    let why = format!("face {} is gone: neither the listing nor a look at it shows it", face.id);
                    self.sink.take(&Event::StepFailed { key: key.clone(), doing: "wait", why: why.clone() });
                    waiting.outcome.failed.push((key.clone(), Some(why)));
                    waiting.open.remove(&key);
                }
                Look::Training(training) => {
                    paces.push(Pace { model: training.model.parse().ok(), age: training.elapsed });
                    self.sink.take(&Event::TrainingProgressed(training));
                }
                Look::Unseen => paces.push(Pace { model: Some(desired.spec.model), age: Duration::ZERO }),
            }
        }
        self.remember(seen).await;
        let next = next_look(paces, self.settings.poll_interval, fastrand::f64());
        self.sink.take(&Event::RoundEnded { waiting: waiting.open.len(), next });
        Ok(next)
    }

    /// Puts a new face that is ready in the present one's place, as was approved with its training; unless the
    /// manifest asks for something else by now, which is for a plan to say.
    async fn take_place(
        &self,
        key: &FaceKey,
        present: &FaceId,
        successor: &RecordedFace,
        desired: &DesiredFace,
        waiting: &mut Waiting<'_>,
    ) {
        let why_not = match (successor.is_made_for(&desired.spec), desired.spec.lifecycle.protect) {
            (false, _) => Some("the manifest asks for other inputs by now"),
            (true, true) => Some("the present face is protected by now"),
            (true, false) => None,
        };
        if let Some(why_not) = why_not {
            let why = format!("{} is ready, but {why_not}: see the plan", successor.id);
            let trouble = Trouble { key: Some(key.clone()), doing: "switch to the new face", why };
            waiting.outcome.note(key, Done::Failed(trouble), self.sink);
            return;
        }
        let switch = Switch { from: present.clone(), to: successor.id.clone(), pals: None };
        let done = self.switch(key, &switch, waiting.desired).await;
        waiting.outcome.note(key, done, self.sink);
    }

    fn note_failed_look_at(&self, key: &FaceKey, error: &ApiError, waiting: &mut Waiting<'_>) {
        let times = waiting.failed_looks.entry(key.clone()).or_default();
        *times += 1;
        if *times < FAILED_LOOKS {
            tracing::debug!(%key, %error, times, "a look at one face failed");
            return;
        }
        let trouble = Trouble { key: Some(key.clone()), doing: "look at the face", why: error.to_string() };
        waiting.outcome.note(key, Done::Failed(trouble), self.sink);
        waiting.outcome.still_training.push(key.clone());
        waiting.open.remove(key);
    }

    /// Returns the live face: from the listing, else by a look at it alone. A row that says that training
    /// failed does not say why (the row has no `error_message`), so that face is looked at alone too; that
    /// it failed is told even if the reason cannot be had.
    async fn find(&self, observed: &Observed, face: &RecordedFace) -> Result<Option<ObservedFace>, ApiError> {
        match observed.faces.get(&face.id) {
            Some(live) if live.status == TrainingStatus::Failed && live.error.is_none() => {
                match self.api.face(&face.id).await {
                    Ok(found) => Ok(found.or_else(|| Some(live.clone()))),
                    Err(error) if error.is_key_refused() => Err(error),
                    Err(_) => Ok(Some(live.clone())),
                }
            }
            Some(live) => Ok(Some(live.clone())),
            None => self.api.face(&face.id).await,
        }
    }

    fn judge(
        &self,
        key: &FaceKey,
        desired: &DesiredFace,
        face: &RecordedFace,
        is_successor: bool,
        live: Option<&ObservedFace>,
        now: Timestamp,
    ) -> Look {
        let wait_for = if is_successor { WaitFor::Ready } else { desired.spec.lifecycle.wait_for };
        let created_at = face.created_at.or_else(|| live.and_then(|live| live.created_at));
        let elapsed =
            created_at.map_or(Duration::ZERO, |at| Duration::try_from(now.duration_since(at)).unwrap_or_default());
        let Some(live) = live else {
            return if may_not_show_yet(face, now) { Look::Unseen } else { Look::Vanished };
        };
        let model = live.model.clone().unwrap_or_else(|| desired.spec.model.to_string());
        let training = Training {
            key: key.clone(),
            id: live.id.clone(),
            usual_hours: model.parse::<Model>().ok().map(Model::usual_hours),
            model,
            status: live.status.clone(),
            progress: live.progress,
            wait_for,
            elapsed,
        };
        match &live.status {
            // A face that takes another one's place must be as good as it will get.
            _ if is_successor && may_serve(live, desired) => Look::Reached(training),
            status if !is_successor && is_reached(status, wait_for) => Look::Reached(training),
            TrainingStatus::Failed | TrainingStatus::TuningFailed => Look::Failed(training, live.error.clone()),
            _ => Look::Training(training),
        }
    }

    /// Takes the token out of the name once training is under way, and sets the voice that had to wait.
    /// Nothing else: what the manifest or somebody else changed meanwhile goes through a plan. Returns a
    /// failure that nobody was told of, as the next look tries again.
    async fn tidy(
        &self,
        key: &FaceKey,
        desired: &DesiredFace,
        face: &RecordedFace,
        live: &ObservedFace,
        waiting: &mut Waiting<'_>,
    ) -> Option<Trouble> {
        let tries = waiting.tries.get(key).copied().unwrap_or(0);
        let naming = naming_for(waiting.desired.naming, face, &waiting.shared);
        let update = finishing(naming, desired, face, live).filter(|_| tries < UPDATE_TRIES)?;
        let done = self.update(key, &update, waiting.desired).await;
        if let Done::Failed(trouble) = done {
            *waiting.tries.entry(key.clone()).or_default() += 1;
            if tries + 1 < UPDATE_TRIES {
                return Some(trouble);
            }
            waiting.outcome.note(key, Done::Failed(trouble), self.sink);
        } else if update.voice.is_some() {
            waiting.outcome.note(key, done, self.sink);
        }
        None
    }

    /// Remembers how far the faces are, in one write for the whole round.
    async fn remember(&self, seen: BTreeMap<FaceKey, (ObservedFace, Timestamp)>) {
        let current = self.store.load().map(|snapshot| snapshot.faces).unwrap_or_default();
        let news = seen.into_iter().filter_map(|(key, (live, at))| {
            let face = current.get(&key)?;
            let mut new = face.clone();
            let seen = new.of_id_mut(&live.id)?;
            *seen = seen.clone().seen(&live, at);
            (new != *face).then_some((key, Some(new)))
        });
        let change = Change { faces: news.collect(), ..Change::default() };
        if change.faces.is_empty() {
            return;
        }
        if let Err(error) = self.commit(change).await {
            // Only for `status` without a look, and to notice sooner that a face vanished.
            tracing::warn!(%error, "how far the faces are could not be recorded");
        }
    }
}
