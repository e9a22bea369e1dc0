//! Looking at the live faces, and whether it is the right account.

use std::collections::BTreeMap;

use futures_util::future::join_all;

use crate::face::{
    Coverage, FaceId, FaceKey, Naming, Observed, ObservedFace, Ownership, Presence, PreviousFace, Recorded,
    RecordedFace, Sight, TrainingStatus, named_with,
};
use crate::plan::may_not_show_yet;
use crate::state::{Change, Meta, StateStore, account_sample, is_same_account};
use crate::tavus::{FaceReads, details, if_known, is_unknown_id, observe};

use super::super::Exit;
use super::super::error::{CliError, unless_interrupted};
use super::{Session, Workspace};

impl Session {
    /// Looks at the live faces: one complete listing, and a look at each face whose row does not say enough.
    ///
    /// # Errors
    /// When they cannot be listed, when it is not the account the state belongs to, or somebody asks to stop.
    /// Nothing was changed.
    pub async fn survey(&self, meta: &Meta, recorded: &Recorded) -> Result<Observed, CliError> {
        let look = async {
            let mut observed = observe(&self.api, self.clock.as_ref(), self.parallelism).await?;
            if let (true, Coverage::Partial(why)) = (self.accepts_incomplete_listing, &observed.coverage) {
                self.output
                    .talk(&format!("warning: taken as complete, as you asked: the listing does not add up ({why})."));
                observed.coverage = Coverage::Complete;
            }
            let unknown = self.confirm_missing(recorded, &mut observed).await?;
            self.confirm_unknown(&unknown, &mut observed).await?;
            self.guard_account(meta, recorded, &observed)?;
            self.look_for_named(recorded, &mut observed).await?;
            let unclear = self.unclear(recorded, &observed);
            details(&self.api, &mut observed, &unclear, self.parallelism).await?;
            Ok(observed)
        };
        unless_interrupted(&self.interrupt, look).await
    }

    /// A listing by pages can miss a face that was there all the time, when others come and go meanwhile:
    /// before a recorded face counts as gone, it is looked at alone. Returns those whose id the API does not know, which
    /// proves nothing.
    async fn confirm_missing(&self, recorded: &Recorded, observed: &mut Observed) -> Result<Vec<FaceId>, CliError> {
        let missing: Vec<&FaceId> =
            self.matters(recorded).filter(|id| observed.presence(id) == Presence::Gone).collect();
        let is_all = recorded.faces.values().all(|face| observed.presence(&face.id) == Presence::Gone);
        let (mut found, mut unknown) = (0, Vec::new());
        for (looked, chunk) in missing.chunks(self.parallelism.max(1)).enumerate() {
            if found == 0 && looked * self.parallelism.max(1) >= MISSING_LOOKS && is_all {
                // All are missing and none of the first is there: the guard below has its say first.
                return Ok(unknown);
            }
            let faces = join_all(chunk.iter().map(|id| self.api.face(id))).await;
            for (id, face) in chunk.iter().zip(faces) {
                match face {
                    Ok(Some(face)) => {
                        found += 1;
                        observed.faces.insert(face.id.clone(), face);
                    }
                    Ok(None) => {}
                    Err(error) if is_unknown_id(&error) => unknown.push((*id).clone()),
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(unknown)
    }

    /// Lists once more where a missing face was answered "Invalid face_id": only a second complete listing without
    /// it proves that it is gone. Whether it is the right account is judged after that, by all that was found.
    async fn confirm_unknown(&self, unknown: &[FaceId], observed: &mut Observed) -> Result<(), CliError> {
        if unknown.is_empty() {
            return Ok(());
        }
        let again = observe(&self.api, self.clock.as_ref(), self.parallelism).await?;
        if let Coverage::Partial(why) = again.coverage {
            let ids = unknown.iter().map(FaceId::as_str).collect::<Vec<_>>().join(", ");
            observed.coverage = Coverage::Partial(format!("the API neither lists nor denies {ids}; {why}"));
        }
        for id in unknown {
            observed.faces.extend(again.faces.get(id).map(|face| (id.clone(), face.clone())));
        }
        Ok(())
    }

    /// Looks at faces alone that a manifest names by their id and that nobody recorded yet: whether the listing shows
    /// them or not, they are there. What is not known to be ours is left out, as of every listing.
    async fn look_for_named(&self, recorded: &Recorded, observed: &mut Observed) -> Result<(), CliError> {
        let unrecorded = self.desired().faces.iter().filter(|(key, _)| !recorded.faces.contains_key(*key));
        let named: Vec<FaceId> = unrecorded.filter_map(|(_, face)| face.declared_id()).collect();
        let is_absent = |id: &&FaceId| !observed.faces.contains_key(*id);
        let absent: Vec<&FaceId> = named.iter().filter(is_absent).collect();
        for chunk in absent.chunks(self.parallelism.max(1)) {
            for face in join_all(chunk.iter().map(|id| self.api.face(id))).await {
                // An id that the API does not know is not adopted, and nothing is created in its place.
                if let Some(face) = if_known(face)?.filter(|face| face.ownership == Ownership::User) {
                    observed.faces.insert(face.id.clone(), face);
                }
            }
        }
        Ok(())
    }

    /// Returns the recorded faces by whose absence something is paid for, deleted or forgotten. Of those that a
    /// declared key had before, only the ones that were made from what it asks for now.
    fn matters<'a>(&'a self, recorded: &'a Recorded) -> impl Iterator<Item = &'a FaceId> {
        recorded.faces.iter().flat_map(|(key, face)| {
            let wanted = self.desired().faces.get(key).and_then(|desired| desired.spec.fingerprint());
            let is_wanted = move |before: &&PreviousFace| {
                wanted.is_none() || before.fingerprint().is_none_or(|made| Some(made) == wanted)
            };
            let before = face.previous.iter().filter(is_wanted).map(|before| &before.id);
            std::iter::once(&face.id).chain(face.successor.iter().map(|next| &next.id)).chain(before)
        })
    }

    /// Refuses an account in which not one face lives that was seen before: with its key every recorded face
    /// would look deleted, and a policy could buy all of them again.
    fn guard_account(&self, meta: &Meta, recorded: &Recorded, observed: &Observed) -> Result<(), CliError> {
        let project = &self.desired().project;
        let known = account_sample(project, recorded.faces.values().map(|face| &face.id));
        let sample: Vec<String> = meta.account.iter().cloned().chain(known).collect();
        // An account that is empty, for a state that remembers no face: there is nothing to mistake.
        let is_blank = recorded.faces.is_empty() && observed.faces.is_empty();
        // Only young faces are remembered, which may not show yet: the plan waits for them.
        let is_young = !recorded.faces.is_empty()
            && observed.faces.is_empty()
            && recorded.faces.values().all(|face| may_not_show_yet(face, observed.at));
        if self.accepts_account
            || is_blank
            || is_young
            || !observed.is_complete()
            || is_same_account(&sample, project, observed.faces.keys())
        {
            return Ok(());
        }
        let recorded = recorded.faces.len();
        Err(CliError::new(format!(
            "this does not look like the account the state belongs to: none of the faces seen there before ({recorded} of them recorded) is in it; nothing was changed"
        ))
        .hint("check TAVUS_API_KEY and --api-url: is it the key of the right account?")
        .hint("if it is, and all of those faces were deleted, say so with --accept-account")
        .exit(Exit::UNSAFE))
    }

    /// Remembers which account it was; returns the new serial if that was news.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn remember_account(
        &self,
        store: &dyn StateStore,
        meta: &Meta,
        observed: &Observed,
    ) -> Result<Option<u64>, CliError> {
        let sample = account_sample(&self.desired().project, observed.faces.keys());
        if !observed.is_complete() || sample.is_empty() || meta.account == sample {
            return Ok(None);
        }
        Ok(Some(store.note(Change { account: Some(sample), ..Change::default() })?))
    }

    /// Returns the faces whose row may say too little: failed ones (a row has no reason), ones whose voice is managed
    /// but not shown, and ones that are to be taken over and not said to be ours.
    fn unclear(&self, recorded: &Recorded, observed: &Observed) -> Vec<FaceId> {
        let is_unclear = |key: &FaceKey, id: &FaceId| {
            let Some(live) = observed.faces.get(id) else { return false };
            let wants_voice = self.desired().faces.get(key).is_some_and(|face| face.spec.default_voice.is_some())
                || recorded.faces.get(key).is_some_and(|face| face.default_voice.is_some());
            (live.status == TrainingStatus::Failed && live.error.is_none())
                || (live.ownership == Ownership::Unsaid && !recorded.faces.contains_key(key))
                || (wants_voice && live.default_voice.is_none())
        };
        let of_record = recorded.faces.iter().flat_map(|(key, face)| {
            let ids = std::iter::once(&face.id).chain(face.successor.iter().map(|next| &next.id));
            ids.map(move |id| (key, id.clone()))
        });
        let unrecorded = self.desired().faces.iter().filter(|(key, _)| !recorded.faces.contains_key(*key));
        let of_manifests = unrecorded.filter_map(|(key, face)| Some((key, face.declared_id()?)));
        of_record.chain(of_manifests).filter(|(key, id)| is_unclear(key, id)).map(|(_, id)| id).collect()
    }
}

impl Workspace {
    /// Returns what is known without looking at the API: the recorded faces as they were last seen. It proves no
    /// absence, so nothing is ever created on it.
    pub fn unobserved(&self, recorded: &Recorded) -> Observed {
        let faces = recorded.faces.values().flat_map(|face| std::iter::once(face).chain(face.successor.as_deref()));
        let faces = faces.filter_map(|face| Some((face.id.clone(), self.last_seen(face)?)));
        Observed {
            at: self.clock.now(),
            coverage: Coverage::Partial("the API was not asked (--refresh=false)".to_owned()),
            sight: Sight::LastSeen,
            faces: faces.collect(),
            pals: None,
            material: BTreeMap::new(),
        }
    }

    /// Returns a recorded face as it was last seen; none where it was never looked at since it was taken over.
    fn last_seen(&self, face: &RecordedFace) -> Option<ObservedFace> {
        let (status, progress) = match &face.last_seen {
            Some(last) => (last.status.clone(), last.progress),
            None if face.seen_usable => return None,
            None => (TrainingStatus::Training, None),
        };
        Some(ObservedFace {
            id: face.id.clone(),
            name: Some(self.recorded_name(face)),
            model: face.trained_from.as_ref().map(|from| from.model.to_string()),
            status,
            progress,
            error: None,
            default_voice: face.default_voice.clone(),
            ownership: Ownership::User,
            created_at: face.created_at,
        })
    }

    /// Returns the live name that a recorded face is expected to have.
    pub(super) fn recorded_name(&self, face: &RecordedFace) -> String {
        let keeps_token = face.token_in_name && self.desired().naming == Naming::Marker;
        let token = face.token.as_ref().filter(|_| keeps_token);
        token.map_or_else(|| face.name.to_string(), |token| named_with(&face.name, token))
    }
}

/// Recorded faces that are looked at alone before a whole account that is missing counts as another one.
const MISSING_LOOKS: usize = 8;
