//! Putting another face of a key in the present one's place: first in the PALs, then in the record.
//!
//! # Flow
//! 1. The face that takes the place is looked at by itself: it must be there and as good as it will get.
//! 2. Name and voice of a new face are brought up to the manifest, while nobody uses it; one that was in use before
//!    keeps what it had until the next plan.
//! 3. Every PAL that uses the present face, or a new one that was left half-way, is pointed to it, one after the other, under the guard that it still
//!    uses the present one. What counts is what a PAL shows afterwards, not what the answer said.
//! 4. When no PAL uses the present face any more, the record goes over; the present face becomes one from before.
//!
//! # Guarantees
//! No PAL points to a missing or unfinished face at any moment. A crash between any two steps leaves the record
//! where it was, and the next run does what is left: PALs that were pointed already are found so. Nothing is
//! forced over somebody's unpublished edits.

use crate::face::{Desired, DesiredFace, FaceId, FaceKey, Fingerprint, Naming, Pal, PreviousFace, RecordedFace};
use crate::killpoint::kill_point;
use crate::plan::{Switch, finishing, may_serve};
use crate::state::{Change, Happened};
use crate::tavus::{FaceApi, Repointed, is_unknown_id, observe_pals, repoint};

use super::outcome::chain;
use super::step::{failed, held};
use super::{Done, Event, Executor};

/// Why a PAL still uses the face that is to be left.
enum Stuck {
    /// Somebody edits it: they have to publish or discard that first.
    ByPerson(String),
    /// The API refused.
    ByApi(String),
}

/// Why another face takes the place.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// The manifest asks for it.
    Forward,
    /// A person goes back to it, from these inputs.
    Back { from: Option<Fingerprint> },
}

/// How often the PALs are listed before what still turns up is left to the next run.
const ROUNDS: usize = 3;

impl<A: FaceApi> Executor<'_, A> {
    /// Puts another face of the key in the present one's place.
    pub(super) async fn switch(&self, key: &FaceKey, switch: &Switch, desired: &Desired) -> Done {
        let Some(face) = desired.faces.get(key) else {
            return failed(key, "switch", "it is not declared any more; nothing was changed".to_owned());
        };
        if let Some(failure) = self.ready(key, switch, face, desired).await {
            return failure;
        }
        let repoints = face.spec.lifecycle.repoint_pals;
        self.go_over(key, (&switch.from, &switch.to), repoints, Way::Forward).await
    }

    /// Points PALs and record of a key from one of its faces to another. The other one is known to be fit.
    async fn go_over(&self, key: &FaceKey, (from, to): (&FaceId, &FaceId), repoints: bool, way: Way) -> Done {
        let mut record = match self.store.face(key) {
            Ok(Some(record)) => record,
            Ok(None) => return failed(key, "switch", "nothing is recorded for it any more".to_owned()),
            Err(error) => return failed(key, "switch", chain(&error)),
        };
        if matches!(way, Way::Back { .. }) && record.going_back_to.as_ref() != Some(to) {
            // A new face tells by itself that it is to take the place; one from before does not.
            record.going_back_to = Some(to.clone());
            let change = Change { faces: vec![(key.clone(), Some(record.clone()))], ..Change::default() };
            if let Err(error) = self.commit(change).await {
                return failed(key, "write down the way back", format!("{}; nothing was changed", chain(&error)));
            }
        }
        if repoints && let Some(failure) = self.repoint_all(key, &record.in_use_but(to), to).await {
            return failure;
        }
        kill_point("switch", "before-record");
        let now = self.clock.now();
        let is_next = record.successor.as_ref().is_some_and(|successor| successor.id == *to);
        let over = if is_next { Some(record.succeeded(now)) } else { record.back_to(to, now) };
        let Some(mut over) = over else {
            return failed(key, "switch", format!("{to} is none of its faces; the record was not changed"));
        };
        if let Way::Back { from } = way {
            over.rolled_back_from = from;
        }
        let (what, detail) = match way {
            Way::Forward => (Happened::Replaced, format!("it took the place of {from}")),
            Way::Back { .. } => (Happened::RolledBack, format!("a person went back to it from {from}")),
        };
        let history = self.history(key, what, Some(to), over.token.clone().as_ref(), &detail);
        if let Err(why) = self.write(key, None, Some(over), history).await {
            return failed(key, "record the switch", format!("{why}; run it again, it goes on from here"));
        }
        self.sink.take(&Event::FaceSwitched { key: key.clone(), from: from.clone(), to: to.clone() });
        Done::Switched
    }

    /// Step 1 and 2. Returns what stands against it.
    async fn ready(&self, key: &FaceKey, switch: &Switch, face: &DesiredFace, desired: &Desired) -> Option<Done> {
        let record = match self.store.face(key) {
            Ok(Some(record)) => record,
            Ok(None) => return Some(failed(key, "switch", "nothing is recorded for it any more".to_owned())),
            Err(error) => return Some(failed(key, "switch", chain(&error))),
        };
        if record.id != switch.from {
            let why = format!("its present face is {} by now, not {}; nothing was changed", record.id, switch.from);
            return Some(failed(key, "switch", why));
        }
        let live = match self.api.face(&switch.to).await {
            Ok(Some(live)) if may_serve(&live, face) => live,
            Ok(Some(live)) => {
                let why = format!(
                    "{} is {} and not fit to take its place; PALs and record still name {}",
                    switch.to,
                    live.status.shown(),
                    switch.from
                );
                return Some(failed(key, "switch", why));
            }
            Ok(None) => {
                let why = format!("{} is gone; PALs and record still name {}", switch.to, switch.from);
                return Some(failed(key, "switch", why));
            }
            Err(error) => return Some(self.api_failed(key, "look at the new face", &error)),
        };
        let successor: &RecordedFace = record.successor.as_deref().filter(|successor| successor.id == switch.to)?;
        // Whether the token may leave the name needs a look at all faces: that is for whatever runs next.
        let naming = if successor.token_in_name { Naming::Marker } else { desired.naming };
        let update = finishing(naming, face, successor, &live)?;
        match self.update(key, &update, desired).await {
            done @ (Done::Failed(_) | Done::Held(_)) => Some(done),
            _ => None,
        }
    }

    /// Step 3. Returns what stands against going on.
    async fn repoint_all(&self, key: &FaceKey, from: &[FaceId], to: &FaceId) -> Option<Done> {
        let left = from.iter().map(FaceId::as_str).collect::<Vec<_>>().join(", ");
        let (mut stuck, mut is_refused) = (Vec::new(), false);
        for _ in 0..ROUNDS {
            let pals = match observe_pals(self.api).await {
                Ok(pals) => pals,
                Err(error) => return Some(self.api_failed(key, "list the PALs", &error)),
            };
            if let Some(why) = &pals.missing {
                let why = format!("{why}, so nobody can say which PALs use {left}; the record stays as it is");
                return Some(held(key, "switch", why));
            }
            let users = from.iter().flat_map(|id| pals.by_face.get(id).into_iter().flatten().map(move |pal| (id, pal)));
            let users: Vec<(&FaceId, &Pal)> = users.collect();
            if users.is_empty() {
                return None;
            }
            for (from, pal) in users {
                if self.must_stop() {
                    return Some(Done::Skipped);
                }
                match self.repoint_one(key, pal, from, to).await {
                    Ok(None) => {}
                    Ok(Some(Stuck::ByPerson(why))) => stuck.push(why),
                    Ok(Some(Stuck::ByApi(why))) => {
                        is_refused = true;
                        stuck.push(why);
                    }
                    Err(done) => return Some(done),
                }
            }
            if !stuck.is_empty() {
                break;
            }
        }
        let why = match stuck.is_empty() {
            true => format!("PALs keep turning up that use {left}"),
            false => stuck.join("; "),
        };
        let why = format!("{why}. {to} is ready, the record stays as it is: run it again then");
        Some(if is_refused { failed(key, "switch", why) } else { held(key, "switch", why) })
    }

    /// Points one PAL; returns why it could not be, where a person has to act.
    async fn repoint_one(&self, key: &FaceKey, pal: &Pal, from: &FaceId, to: &FaceId) -> Result<Option<Stuck>, Done> {
        kill_point("switch", "before-pal");
        let Pal { id, name } = pal;
        match repoint(self.api, id, from, to).await {
            Ok(Repointed::Done) => {}
            Ok(Repointed::NoLongerOurs) => return Ok(None),
            Ok(Repointed::UnpublishedEdits) => {
                return Ok(Some(Stuck::ByPerson(format!(
                    "PAL {id} (\"{name}\") uses {from} and has unpublished edits, which facectl never discards: publish or discard them in the PAL editor"
                ))));
            }
            Ok(Repointed::NotPublished) => {
                return Ok(Some(Stuck::ByPerson(format!(
                    "PAL {id} (\"{name}\") took the change and still shows {from}: publish its draft in the PAL editor"
                ))));
            }
            Err(error) if error.is_key_refused() => return Err(self.api_failed(key, "point a PAL to it", &error)),
            Err(error) => {
                return Ok(Some(Stuck::ByApi(format!(
                    "PAL {id} (\"{name}\") could not be pointed to {to}: {error} (lifecycle.repoint_pals: false leaves PALs alone)"
                ))));
            }
        }
        kill_point("switch", "pal-done");
        let detail = format!("PAL {id} from {from}");
        let history = self.history(key, Happened::PalRepointed, Some(to), None, &detail);
        let change = Change { history: vec![history], ..Change::default() };
        if let Err(error) = self.commit(change).await {
            return Err(failed(key, "write down that a PAL was pointed to it", chain(&error)));
        }
        self.sink.take(&Event::PalRepointed { key: key.clone(), pal: pal.clone(), to: to.clone() });
        Ok(None)
    }

    /// Stops going on to a new face, which stays alive as one from before. PALs that were pointed to it already, when
    /// an earlier run ended half-way, are pointed back first, where the present face can be used.
    pub(super) async fn give_up(&self, key: &FaceKey, id: &FaceId, desired: &Desired) -> Done {
        let record = match self.store.face(key) {
            Ok(Some(record)) => record,
            Ok(None) => {
                return failed(key, "give the replacement up", "nothing is recorded for it any more".to_owned());
            }
            Err(error) => return failed(key, "give the replacement up", chain(&error)),
        };
        let mut record = record;
        let Some(successor) = record.successor.take().filter(|successor| successor.id == *id) else {
            return failed(key, "give the replacement up", format!("{id} does not wait beside it any more"));
        };
        let repoints = desired.faces.get(key).is_none_or(|face| face.spec.lifecycle.repoint_pals);
        if repoints {
            match self.api.face(&record.id).await {
                Ok(Some(live)) if live.status.is_usable() => {
                    if let Some(failure) = self.repoint_all(key, std::slice::from_ref(id), &record.id).await {
                        return failure;
                    }
                }
                Ok(_) => {}
                Err(error) => return self.api_failed(key, "look at the present face", &error),
            }
        }
        record.previous.push(successor.given_up(self.clock.now()));
        let history = self.history(key, Happened::Updated, Some(id), None, "the replacement was given up");
        if let Err(why) = self.write(key, None, Some(record), history).await {
            return failed(key, "give the replacement up", why);
        }
        self.sink.take(&Event::ReplacementGivenUp { key: key.clone(), id: id.clone() });
        Done::GivenUp
    }

    /// Returns the face that a key goes back to: the latest one that was its present face and is as good as it will
    /// get, or the one that is asked for.
    ///
    /// # Errors
    /// When there is none, with what there is; or what the API said.
    pub async fn rollback_target(&self, key: &FaceKey, to: Option<&FaceId>) -> Result<PreviousFace, String> {
        let record =
            self.store.face(key).map_err(|error| chain(&error))?.ok_or("nothing is recorded under that key")?;
        if record.previous.is_empty() {
            return Err("it has no face from before".to_owned());
        }
        // One that ended half-way is gone on with.
        let to = to.or(record.going_back_to.as_ref());
        let is_meant = |face: &&PreviousFace| to.map_or(face.has_served, |to| face.id == *to);
        let mut looked = Vec::new();
        for face in record.previous.iter().rev().filter(is_meant) {
            match self.api.face(&face.id).await {
                Ok(Some(live)) if live.status.is_usable() && live.status.is_final() => return Ok(face.clone()),
                Ok(Some(live)) => looked.push(format!("{} is {}", face.id, live.status.shown())),
                Ok(None) => looked.push(format!("{} is gone", face.id)),
                Err(error) if is_unknown_id(&error) => looked.push(format!("{}: {error}", face.id)),
                Err(error) => return Err(error.to_string()),
            }
        }
        Err(match (looked.is_empty(), to) {
            (true, Some(to)) => format!("{to} is none of the faces that it had before"),
            (true, None) => "none of its faces from before was ever in use (--to names one all the same)".to_owned(),
            (false, _) => format!("none of its faces from before can be used: {}", looked.join(", ")),
        })
    }

    /// Goes back to a face from before: PALs first, then the record. `from` are the inputs that are left: they are
    /// not gone on to again before others are asked for.
    pub async fn roll_back(&self, key: &FaceKey, to: &FaceId, repoints: bool, from: Option<Fingerprint>) -> Done {
        match self.store.face(key) {
            Ok(Some(record)) => self.go_over(key, (&record.id, to), repoints, Way::Back { from }).await,
            Ok(None) => failed(key, "roll back", "nothing is recorded for it any more".to_owned()),
            Err(error) => failed(key, "roll back", chain(&error)),
        }
    }
}
