//! First thing on every start: what was left open is settled, or stays in doubt.
//!
//! # Flow
//! 1. Look for each open create's token in a listing. Found: settle it, record the face.
//! 2. Not found in two complete listings that both began after the settle window: it is absent, and the
//!    same attempt may be sent again.
//! 3. Otherwise wait and look again, unless told not to, or unless the listing stays incomplete: then
//!    nothing can be proven today.
//!
//! # Guarantees
//! Nothing is sent. A create is held absent only with the proof above, never earlier.
//!
//! # Assumptions
//! - A face shows up in the listing within the window after its create was sent (not documented; the
//!   window is a setting).
//! - How much of the window had passed when the looking began is read from the wall clock; what passes from
//!   then on is what was really waited, so a clock that is set meanwhile neither shortens nor stretches it.
//!   One that is set forward between two runs leaves a quarter of the window, between the two listings.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::face::{
    Attempt, Coverage, Doubt, FaceKey, FaceName, Observed, ObservedFace, OnRemoval, OpenCreate, Presence, RecordedFace,
};
use crate::plan::{presence, serving};
use crate::state::{Entry, Happened, Snapshot, StateError};
use crate::tavus::{ApiError, FaceApi};

use super::outcome::chain;
use super::step::placed;
use super::{Event, Executor, Trouble};

/// Complete listings without the token, after the window, that prove absence.
const PROOFS: u32 = 2;
/// The longest wait between two looks while settling.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Listings after every window that were not whole, after which looking ends: a row that cannot be read does
/// not become readable by asking each second.
const BLURRED_LOOKS: u32 = 5;

/// A create to be settled.
#[derive(Debug)]
struct Open {
    create: OpenCreate,
    /// How long to wait, from the beginning of the looking, until a complete listing without its token counts.
    left: Duration,
    /// How many of those there were.
    proofs: u32,
}

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
    /// When the live faces cannot be listed at all; nothing was changed. Later failures are in the result,
    /// beside what was settled until then.
    pub async fn settle(&self) -> Result<Settled, ApiError> {
        let mut settled = Settled::default();
        let mut open = match self.store.load() {
            Ok(snapshot) => self.open_creates(&snapshot),
            Err(error) => {
                settled.trouble.push(Trouble::state(&error));
                return Ok(settled);
            }
        };
        let (mut looks, mut blurred) = (0, 0);
        let mut waited = Duration::ZERO;
        while !open.is_empty() {
            let observed = match self.listing().await {
                Ok(Some(observed)) => observed,
                Ok(None) => break,
                Err(error) if looks == 0 => return Err(error),
                Err(error) => {
                    settled.trouble.push(cannot_look(error.to_string()));
                    break;
                }
            };
            looks += 1;
            self.settle_by(&observed, waited, &mut open, &mut settled).await;
            let is_any_due = open.values().any(|open| waited >= open.left);
            let is_later = self.settings.settles_due_only && !is_any_due;
            if open.is_empty() || self.settings.no_settle || is_later || self.must_stop() {
                break;
            }
            let blurs: Vec<String> = open.values().filter_map(|open| blur(&observed, &open.create)).collect();
            if let Some(why) = blurs.first()
                && open.values().all(|open| waited >= open.left)
                && blurs.len() == open.len()
            {
                blurred += 1;
                if blurred >= BLURRED_LOOKS {
                    settled.trouble.push(cannot_look(format!("the listing proves nothing: {why}")));
                    break;
                }
            }
            waited = waited.saturating_add(self.wait_for_settling(&open, waited).await);
        }
        settled.in_doubt.extend(open.into_keys());
        Ok(settled)
    }

    /// Returns how long it is until one of the creates in doubt can be settled one way or the other; none where none is.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn unsettled_for(&self) -> Result<Option<Duration>, StateError> {
        Ok(self.open_creates(&self.store.load()?).into_values().map(|open| open.left).min())
    }

    fn open_creates(&self, snapshot: &Snapshot) -> BTreeMap<FaceKey, Open> {
        let now = self.clock.now();
        let open = snapshot.journal.iter().filter_map(|(key, entry)| {
            let create = entry.open()?;
            // A create whose run ended may have been under way for as long as a request may be.
            let under_way = match create.doubt {
                Doubt::Unfinished => self.settings.request_timeout,
                Doubt::NoAnswer(_) => Duration::ZERO,
            };
            let window_ends = window_end(entry.under_way_until(), now, under_way + self.settings.settle_window);
            let left = Duration::try_from(window_ends.duration_since(now)).unwrap_or_default();
            Some((key.clone(), Open { create, left, proofs: 0 }))
        });
        open.collect()
    }

    /// Settles what one listing proves.
    async fn settle_by(
        &self,
        observed: &Observed,
        waited: Duration,
        open: &mut BTreeMap<FaceKey, Open>,
        settled: &mut Settled,
    ) {
        for key in open.keys().cloned().collect::<Vec<_>>() {
            let Some(Open { create, left, proofs }) = open.get_mut(&key) else { continue };
            if let Some(live) = bearer(observed, create) {
                self.found(&key, create, live, observed, settled).await;
            } else if waited >= *left && blur(observed, create).is_none() {
                *proofs += 1;
                if *proofs < PROOFS {
                    continue;
                }
                self.absent(&key, create, settled).await;
            } else {
                continue;
            }
            open.remove(&key);
        }
    }

    /// Waits until the next look; returns for how long.
    async fn wait_for_settling(&self, open: &BTreeMap<FaceKey, Open>, waited: Duration) -> Duration {
        let lefts = open.values().map(|open| open.left.saturating_sub(waited));
        let left = if self.settings.settles_due_only { Duration::ZERO } else { lefts.max().unwrap_or_default() };
        let until = self.clock.now().saturating_add(left).unwrap_or(Timestamp::MAX);
        self.sink.take(&Event::SettlingWaited { keys: open.keys().cloned().collect(), until, left });
        // The listings that prove absence lie apart.
        let wait = if left.is_zero() { self.settings.settle_window / 4 } else { left.min(LOOK_EVERY) };
        tokio::select! {
            () = self.clock.sleep(wait) => wait,
            () = self.interrupt.noted() => Duration::ZERO,
        }
    }

    async fn found(
        &self,
        key: &FaceKey,
        create: &OpenCreate,
        live: &ObservedFace,
        observed: &Observed,
        settled: &mut Settled,
    ) {
        match self.record_found(key, create, live, observed).await {
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

    async fn record_found(
        &self,
        key: &FaceKey,
        create: &OpenCreate,
        live: &ObservedFace,
        observed: &Observed,
    ) -> Result<(), String> {
        let entry = self.store.entry(key).map_err(|error| chain(&error))?.ok_or("its journal entry is gone")?;
        let entry = entry.settle(live.id.clone()).map_err(|error| error.to_string())?;
        let holder = self.store.holder(&live.id).map_err(|error| chain(&error))?;
        if let Some(by) = holder.filter(|by| by != key) {
            return Err(format!("face {} carries its token, but the record of {by} holds it", live.id));
        }
        let recorded = self.store.face(key).map_err(|error| chain(&error))?;
        let before = recorded.as_ref();
        let name: FaceName = live
            .shown_name()
            .parse()
            .or_else(|_| key.as_str().parse())
            .map_err(|error: crate::face::NameError| error.to_string())?;
        let new = RecordedFace {
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
            manifest: before.and_then(|face| face.manifest.clone()),
            seen_usable: live.status.is_usable(),
            last_seen: None,
            successor: None,
            previous: Vec::new(),
            rolled_back_from: None,
            going_back_to: None,
        };
        let is_gone = before.is_some_and(|face| presence(face, observed) == Presence::Gone);
        // Whichever face serves by now: it is never left for one that is not ready.
        let beside = create.beside.as_ref().or_else(|| serving(before?, observed));
        let face = placed(before.cloned(), new, beside, is_gone, self.clock.now());
        let history =
            self.history(key, Happened::CreateSettled, Some(&live.id), Some(&create.token), "found by its token");
        self.write(key, Some(&entry), Some(face), history).await
    }

    /// Takes an open create as never begun because a person says so; the history keeps that it was their word.
    ///
    /// # Errors
    /// When nothing is open under that key, or it cannot be written down.
    pub async fn assume_absent(&self, key: &FaceKey) -> Result<(), String> {
        let entry = self.store.entry(key).map_err(|error| chain(&error))?;
        let open = entry.as_ref().and_then(Entry::open).ok_or("no create of it is open")?;
        let mut settled = Settled::default();
        self.hold_absent(key, &open, "assumed absent on a person's word (--assume-absent)", &mut settled).await;
        settled.trouble.pop().map_or(Ok(()), |trouble| Err(trouble.why))
    }

    async fn absent(&self, key: &FaceKey, create: &OpenCreate, settled: &mut Settled) {
        let detail = "two complete listings after the settle window do not show its token";
        self.hold_absent(key, create, detail, settled).await;
    }

    async fn hold_absent(&self, key: &FaceKey, create: &OpenCreate, detail: &str, settled: &mut Settled) {
        let entry = self.store.entry(key).ok().flatten().and_then(|entry| entry.absent().ok());
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

fn cannot_look(why: String) -> Trouble {
    Trouble { key: None, doing: "look for creates in doubt", why }
}

/// When a create that was sent has had time to show up. A moment that lies in the future, because a clock
/// was set back, counts as now: the window is never skipped, and never longer than it is.
fn window_end(under_way_until: Timestamp, now: Timestamp, window: Duration) -> Timestamp {
    under_way_until.min(now).saturating_add(window).unwrap_or(Timestamp::MAX)
}

/// Why a listing without the token proves nothing about a create; none where it does.
fn blur(observed: &Observed, create: &OpenCreate) -> Option<String> {
    if let Coverage::Partial(why) = &observed.coverage {
        return Some(why.clone());
    }
    // A row may get its name later than the rest of it: then the token is not to be seen yet.
    let may_be_it = |face: &&ObservedFace| {
        let earliest = create.begun_at.saturating_sub(CLOCKS_DIFFER_BY).unwrap_or(Timestamp::MIN);
        face.name.is_none() && face.created_at.is_none_or(|at| at >= earliest)
    };
    let nameless = observed.faces.values().find(may_be_it)?;
    Some(format!("face {} is young enough to be it and shows no name", nameless.id))
}

/// How far the API's clock may be behind ours.
const CLOCKS_DIFFER_BY: SignedDuration = SignedDuration::from_mins(10);

/// The live face that carries an open create's token; of several the oldest, as in the plan.
fn bearer<'a>(observed: &'a Observed, create: &OpenCreate) -> Option<&'a ObservedFace> {
    let carries_it = |face: &&ObservedFace| face.token().as_ref() == Some(&create.token);
    let oldest = |face: &&ObservedFace| (face.created_at.is_none(), face.created_at, face.id.clone());
    observed.faces.values().filter(carries_it).min_by_key(oldest)
}
