//! First thing on every start: what was left open is settled, or stays in doubt.
//!
//! # Flow
//! 1. Look for each open create's token in a listing. Found: settle it, record the face.
//! 2. Not found in two complete listings that both began after the settle window: it is absent, and the
//!    same attempt may be sent again.
//! 3. Otherwise wait and look again, unless told not to.
//!
//! # Guarantees
//! Nothing is sent. A create is held absent only with the proof above, never earlier.
//!
//! # Assumptions
//! A face shows up in the listing within the window after its create was sent (not documented; the
//! window is a setting).

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::face::{Attempt, FaceKey, FaceName, Observed, ObservedFace, OnRemoval, OpenCreate, RecordedFace};
use crate::state::Happened;
use crate::tavus::{ApiError, FaceApi};

use super::outcome::chain;
use super::{Event, Executor, Trouble};

/// Complete listings without the token, after the window, that prove absence.
const PROOFS: u32 = 2;
/// The longest wait between two looks while settling.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// What became of the open creates.
#[derive(Debug, Default)]
pub struct Settled {
    /// Found: these faces exist and are recorded now.
    pub found: Vec<FaceKey>,
    /// Proven never to have begun.
    pub absent: Vec<FaceKey>,
    /// Still in doubt.
    pub in_doubt: Vec<FaceKey>,
    /// What went wrong while writing it down.
    pub trouble: Vec<Trouble>,
}

impl<A: FaceApi> Executor<'_, A> {
    /// Settles what was left open.
    ///
    /// # Errors
    /// When the live faces cannot be listed. Nothing was changed that was not reported.
    pub async fn settle(&self) -> Result<Settled, ApiError> {
        let mut settled = Settled::default();
        let mut open = match self.store.load() {
            Ok(snapshot) => snapshot.recorded().open,
            Err(error) => {
                settled.trouble.push(Trouble::state(&error));
                return Ok(settled);
            }
        };
        let started = self.clock.now();
        let mut proofs: BTreeMap<FaceKey, u32> = BTreeMap::new();
        while !open.is_empty() {
            let Some(observed) = self.listing().await? else { break };
            for (key, create) in open.clone() {
                let window_ends = window_end(&create, started, self.settings.settle_window);
                if let Some(live) = bearer(&observed, &create) {
                    self.found(&key, &create, live, &mut settled).await;
                } else if observed.is_complete() && observed.at >= window_ends {
                    let proofs = proofs.entry(key.clone()).or_default();
                    *proofs += 1;
                    if *proofs < PROOFS {
                        continue;
                    }
                    self.absent(&key, &create, &mut settled).await;
                } else {
                    continue;
                }
                open.remove(&key);
            }
            if open.is_empty() || self.settings.no_settle || self.must_stop() {
                break;
            }
            self.wait_for_settling(&open, started).await;
        }
        settled.in_doubt.extend(open.into_keys());
        Ok(settled)
    }

    async fn wait_for_settling(&self, open: &BTreeMap<FaceKey, OpenCreate>, started: Timestamp) {
        let window = self.settings.settle_window;
        let Some(until) = open.values().map(|create| window_end(create, started, window)).max() else { return };
        let left = Duration::try_from(until.duration_since(self.clock.now())).unwrap_or_default();
        self.sink.take(&Event::SettlingWaited { keys: open.keys().cloned().collect(), until, left });
        // After the window the proofs follow quickly; a second keeps two listings from being one.
        let wait = if left.is_zero() { Duration::from_secs(1) } else { left.min(LOOK_EVERY) };
        tokio::select! {
            () = self.clock.sleep(wait) => {}
            () = self.interrupt.noted() => {}
        }
    }

    async fn found(&self, key: &FaceKey, create: &OpenCreate, live: &ObservedFace, settled: &mut Settled) {
        let outcome = self.record_found(key, create, live).await;
        match outcome {
            Ok(()) => {
                self.sink.take(&Event::CreateSettled {
                    key: key.clone(),
                    id: live.id.clone(),
                    token: create.token.clone(),
                });
                settled.found.push(key.clone());
            }
            Err(why) => {
                settled.trouble.push(Trouble { key: Some(key.clone()), doing: "settle the create", why });
                settled.in_doubt.push(key.clone());
            }
        }
    }

    async fn record_found(&self, key: &FaceKey, create: &OpenCreate, live: &ObservedFace) -> Result<(), String> {
        let snapshot = self.store.load().map_err(|error| chain(&error))?;
        let entry = snapshot.journal.get(key).ok_or("its journal entry is gone")?;
        let entry = entry.settle(live.id.clone()).map_err(|error| error.to_string())?;
        let before = snapshot.faces.get(key);
        let name: FaceName = live
            .shown_name()
            .parse()
            .or_else(|_| key.as_str().parse())
            .map_err(|error: crate::face::NameError| error.to_string())?;
        let mut previous = before.map_or_else(Vec::new, |face| face.previous.clone());
        previous.extend(before.map(|face| face.id.clone()).filter(|id| *id != live.id));
        let face = RecordedFace {
            id: live.id.clone(),
            name,
            default_voice: None,
            trained_from: Some(create.trained_from.clone()),
            attempt: create.token.attempt().max(Attempt::FIRST),
            token: Some(create.token.clone()),
            token_in_name: true,
            created_at: live.created_at.or(Some(create.begun_at)),
            on_removal: before.map_or(OnRemoval::Retain, |face| face.on_removal),
            protect: before.is_some_and(|face| face.protect),
            seen_usable: live.status.is_usable(),
            last_seen: None,
            previous,
        };
        let history =
            self.history(key, Happened::CreateSettled, Some(&live.id), Some(&create.token), "found by its token");
        self.write(key, Some(&entry), Some(face), history).await
    }

    async fn absent(&self, key: &FaceKey, create: &OpenCreate, settled: &mut Settled) {
        let entry = self.store.entry(key).ok().flatten().and_then(|entry| entry.absent().ok());
        let detail = "two complete listings after the settle window do not show its token";
        let history = self.history(key, Happened::CreateAbsent, None, Some(&create.token), detail);
        let written = match &entry {
            Some(entry) => self.write(key, Some(entry), None, history).await,
            None => Err("its journal entry is gone or closed".to_owned()),
        };
        match written {
            Ok(()) => {
                self.sink.take(&Event::CreateProvenAbsent { key: key.clone(), token: create.token.clone() });
                settled.absent.push(key.clone());
            }
            Err(why) => {
                settled.trouble.push(Trouble { key: Some(key.clone()), doing: "settle the create", why });
                settled.in_doubt.push(key.clone());
            }
        }
    }
}

/// When a create that was sent has had time to show up. A beginning that lies in the future, because a
/// clock was set back, counts as now: the window is never skipped, and never longer than it is.
fn window_end(create: &OpenCreate, now: Timestamp, window: Duration) -> Timestamp {
    create.begun_at.min(now).saturating_add(window).unwrap_or(Timestamp::MAX)
}

/// The live face that carries an open create's token; of several the oldest, as in the plan.
fn bearer<'a>(observed: &'a Observed, create: &OpenCreate) -> Option<&'a ObservedFace> {
    let carries_it = |face: &&ObservedFace| face.token().as_ref() == Some(&create.token);
    let oldest = |face: &&ObservedFace| (face.created_at.is_none(), face.created_at, face.id.clone());
    observed.faces.values().filter(carries_it).min_by_key(oldest)
}
