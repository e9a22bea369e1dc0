//! Taking a live face into the record. Nothing is sent.

use crate::face::{Desired, FaceKey, FaceName, Observed, Presence, RecordedFace, Token, VoiceId};
use crate::plan::{Adopt, FacePlan, Reason, presence};
use crate::state::{Change, Happened, StateError};
use crate::tavus::FaceApi;

use super::outcome::chain;
use super::step::{failed, placed};
use super::{Done, Event, Executor};

impl<A: FaceApi> Executor<'_, A> {
    /// Takes a live face into the record.
    pub(super) async fn adopt(&self, face: &FacePlan, adopt: &Adopt, desired: &Desired, observed: &Observed) -> Done {
        let key = &face.key;
        if let Some(from) = &adopt.moved_from {
            return self.rekey(key, from).await;
        }
        let how = match (&face.reason, &adopt.token) {
            (Reason::DeclaredById, _) => "named by its manifest",
            (_, Some(_)) => "found by its token",
            (_, None) => "found by its name",
        };
        self.take_in(key, adopt, how, desired, observed).await
    }

    /// Takes a live face into the record, whoever found it, unless another key's record holds it. `how` stands in
    /// the history.
    pub(super) async fn take_in(
        &self,
        key: &FaceKey,
        adopt: &Adopt,
        how: &str,
        desired: &Desired,
        observed: &Observed,
    ) -> Done {
        let Some(live) = observed.faces.get(&adopt.id) else {
            return failed(key, "adopt", format!("{} is no longer in the listing; nothing was done", adopt.id));
        };
        let spec = desired.faces.get(key).map(|face| &face.spec);
        let name: Option<FaceName> = live.shown_name().parse().ok().or_else(|| spec.map(|spec| spec.face_name.clone()));
        let Some(name) = name else {
            return failed(key, "adopt", format!("{} has a name that cannot be recorded; nothing was done", adopt.id));
        };
        let known = || -> Result<_, StateError> {
            Ok((self.store.holder(&adopt.id)?, self.store.face(key)?, self.store.entry(key)?))
        };
        let (holder, before, entry) = match known() {
            Ok(known) => known,
            Err(error) => return failed(key, "adopt", format!("{}; nothing was done", chain(&error))),
        };
        if let Some(by) = holder.filter(|by| by != key) {
            return failed(key, "adopt", format!("the record of {by} holds {}; nothing was done", adopt.id));
        }
        let wanted_voice = spec.and_then(|spec| spec.default_voice.as_ref());
        // Of a face that was made elsewhere, its voice is taken over as it is, once a manifest cares for it: then it is
        // the manifest that changes it. Of one that was made here it may be the one of its recording.
        let is_ours = |voice: &VoiceId| wanted_voice.is_some_and(|wanted| adopt.token.is_none() || wanted == voice);
        let recorded = RecordedFace {
            id: adopt.id.clone(),
            name,
            default_voice: live.default_voice.clone().filter(is_ours),
            trained_from: adopt.trained_from.clone(),
            attempt: adopt.token.as_ref().map_or(crate::face::Attempt::FIRST, Token::attempt),
            token: adopt.token.clone(),
            token_in_name: adopt.token.is_some(),
            created_at: live.created_at.or_else(|| Some(self.clock.now())),
            // What was said last counts where the manifest is gone.
            on_removal: spec
                .map(|spec| spec.lifecycle.on_removal)
                .or(before.as_ref().map(|face| face.on_removal))
                .unwrap_or_default(),
            protect: spec
                .map_or_else(|| before.as_ref().is_some_and(|face| face.protect), |spec| spec.lifecycle.protect),
            manifest: desired
                .faces
                .get(key)
                .map_or_else(|| before.as_ref().and_then(|face| face.manifest.clone()), |face| face.manifest.clone()),
            seen_usable: live.status.is_usable(),
            last_seen: None,
            successor: None,
            previous: Vec::new(),
            rolled_back_from: None,
            going_back_to: None,
        };
        let is_gone = before.as_ref().is_some_and(|face| presence(face, observed) == Presence::Gone);
        let recorded = placed(before, recorded, adopt.beside.as_ref(), is_gone, self.clock.now());
        // An open create that this face answers.
        let settled = entry
            .filter(|entry| Some(entry.token()) == adopt.token.as_ref())
            .and_then(|entry| entry.settle(adopt.id.clone()).ok());
        let history = self.history(key, Happened::Adopted, Some(&adopt.id), adopt.token.as_ref(), how);
        if let Err(why) = self.write(key, settled.as_ref(), Some(recorded), history).await {
            return failed(key, "adopt", why);
        }
        self.sink.take(&Event::FaceAdopted { key: key.clone(), id: adopt.id.clone() });
        Done::Adopted(adopt.id.clone())
    }

    /// Records a face under its new key. Nothing is sent: keys are ours.
    async fn rekey(&self, key: &FaceKey, from: &FaceKey) -> Done {
        let face = match self.store.face(from) {
            Ok(Some(face)) => face,
            Ok(None) => return failed(key, "move", format!("nothing is recorded under {from} any more")),
            Err(error) => return failed(key, "move", chain(&error)),
        };
        let id = face.id.clone();
        let history = self.history(key, Happened::Adopted, Some(&id), None, &format!("moved from key {from}"));
        let change = Change {
            faces: vec![(from.clone(), None), (key.clone(), Some(face))],
            history: vec![history],
            ..Change::default()
        };
        if let Err(error) = self.commit(change).await {
            return failed(key, "move", chain(&error));
        }
        self.sink.take(&Event::FaceAdopted { key: key.clone(), id: id.clone() });
        Done::Adopted(id)
    }
}
