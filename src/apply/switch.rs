//! Putting another face of a key in the present one's place: first in the PALs, then in the record.
//!
//! # Flow
//! 1. The face that takes the place is looked at by itself: it must be there and as good as it will get.
//! 2. Its name and voice are brought up to the manifest, while nobody uses it.
//! 3. Every PAL that uses the present face is pointed to it, one after the other, under the guard that it still
//!    uses the present one. What counts is what a PAL shows afterwards, not what the answer said.
//! 4. When no PAL uses the present face any more, the record goes over; the present face becomes one from before.
//!
//! # Guarantees
//! No PAL points to a missing or unfinished face at any moment. A crash between any two steps leaves the record
//! where it was, and the next run does what is left: PALs that were pointed already are found so. Nothing is
//! forced over somebody's unpublished edits.

use crate::face::{Desired, DesiredFace, FaceId, FaceKey, Fingerprint, Naming, Pal, RecordedFace};
use crate::killpoint::kill_point;
use crate::plan::{Switch, finishing, may_serve};
use crate::state::Happened;
use crate::tavus::{FaceApi, Repointed, observe_pals, repoint};

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
        if repoints && let Some(failure) = self.repoint_all(key, from, to).await {
            return failure;
        }
        kill_point("switch", "before-record");
        let now = self.clock.now();
        let record = match self.store.face(key) {
            Ok(Some(record)) => record,
            Ok(None) => return failed(key, "switch", "nothing is recorded for it any more".to_owned()),
            Err(error) => return failed(key, "switch", chain(&error)),
        };
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
    async fn repoint_all(&self, key: &FaceKey, from: &FaceId, to: &FaceId) -> Option<Done> {
        let (mut stuck, mut is_refused) = (Vec::new(), false);
        for _ in 0..ROUNDS {
            let pals = match observe_pals(self.api).await {
                Ok(pals) => pals,
                Err(error) => return Some(self.api_failed(key, "list the PALs", &error)),
            };
            if let Some(why) = &pals.missing {
                let why = format!("{why}, so nobody can say which PALs use {from}; the record still names it");
                return Some(held(key, "switch", why));
            }
            let users: &[Pal] = pals.by_face.get(from).map_or(&[], Vec::as_slice);
            if users.is_empty() {
                return None;
            }
            for pal in users {
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
            true => format!("PALs keep turning up that use {from}"),
            false => stuck.join("; "),
        };
        let why = format!("{why}. {to} is ready, the record still names {from}: apply again then");
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
                    "PAL {id} (\"{name}\") has unpublished edits, which facectl never discards: publish or discard them in the PAL editor"
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
        let change = crate::state::Change { history: vec![history], ..crate::state::Change::default() };
        if let Err(error) = self.commit(change).await {
            return Err(failed(key, "write down that a PAL was pointed to it", chain(&error)));
        }
        self.sink.take(&Event::PalRepointed { key: key.clone(), pal: pal.clone(), to: to.clone() });
        Ok(None)
    }

    /// Stops going on to a new face, which stays alive as one from before. Nothing is sent.
    pub(super) async fn give_up(&self, key: &FaceKey, id: &FaceId) -> Done {
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
        record.previous.push(successor.left(self.clock.now()));
        let history = self.history(key, Happened::Updated, Some(id), None, "the replacement was given up");
        if let Err(why) = self.write(key, None, Some(record), history).await {
            return failed(key, "give the replacement up", why);
        }
        self.sink.take(&Event::ReplacementGivenUp { key: key.clone(), id: id.clone() });
        Done::GivenUp
    }

    /// Goes back to the latest face from before that can be used, or to a certain one: PALs first, then the record.
    /// `from` are the inputs that are asked for now: they are not gone on to again before others are asked for.
    ///
    /// # Errors
    /// When there is none, with what there is.
    pub async fn roll_back(
        &self,
        key: &FaceKey,
        to: Option<&FaceId>,
        repoints: bool,
        from: Option<Fingerprint>,
    ) -> Result<Done, String> {
        let record =
            self.store.face(key).map_err(|error| chain(&error))?.ok_or("nothing is recorded under that key")?;
        if record.previous.is_empty() {
            return Err("it has no face from before".to_owned());
        }
        let mut looked = Vec::new();
        for face in record.previous.iter().rev().filter(|face| to.is_none_or(|to| face.id == *to)) {
            match self.api.face(&face.id).await {
                Ok(Some(live)) if live.status.is_usable() => {
                    return Ok(self.go_over(key, (&record.id, &face.id), repoints, Way::Back { from }).await);
                }
                Ok(Some(live)) => looked.push(format!("{} is {}", face.id, live.status.shown())),
                Ok(None) => looked.push(format!("{} is gone", face.id)),
                Err(error) => return Ok(self.api_failed(key, "look at the face from before", &error)),
            }
        }
        Err(match (looked.is_empty(), to) {
            (true, Some(to)) => format!("{to} is none of the faces that it had before"),
            _ => format!("none of its faces from before can be used: {}", looked.join(", ")),
        })
    }
}
