//! Deleting live faces: those that left the manifests, and those that were replaced long enough ago.
//!
//! # Guarantees
//! Nothing is deleted that a PAL uses: the PALs are listed again right before. Faces from before go first and the
//! present one last, and each is dropped from the record once it is gone, so a crash in between loses nothing: the
//! next plan shows what is left. A face that is gone already counts as deleted.

use crate::face::{FaceId, FaceKey, RecordedFace};
use crate::killpoint::kill_point;
use crate::plan::{Action, Approved, Delete, Fate, Keep, Limit, users};
use crate::state::{Change, Happened};
use crate::tavus::{FaceApi, is_unknown_id, observe_pals};

use super::outcome::chain;
use super::step::{failed, held};
use super::{Done, Event, Executor, Outcome};

impl<A: FaceApi> Executor<'_, A> {
    /// Deletes what was approved to be deleted, after everything else.
    pub(super) async fn delete_all(&self, approved: &Approved, outcome: &mut Outcome) {
        let left = approved.steps().filter_map(|face| match &face.action {
            Action::Delete(delete) => Some((face.key.clone(), delete.clone())),
            _ => None,
        });
        let retired = approved.plan().retired.iter().filter_map(|retired| match retired.fate {
            Fate::Delete { is_hard } => {
                Some((retired.key.clone(), Delete { faces: vec![retired.id.clone()], is_hard }))
            }
            _ => None,
        });
        for (key, delete) in left.chain(retired) {
            if self.must_stop() {
                outcome.skipped.push(key);
                continue;
            }
            let done = self.delete(&key, &delete).await;
            outcome.note(&key, done, self.sink);
        }
    }

    /// Deletes live faces of a key, one after the other.
    pub async fn delete(&self, key: &FaceKey, delete: &Delete) -> Done {
        let pals = match observe_pals(self.api).await {
            Ok(pals) => pals,
            Err(error) => return self.api_failed(key, "list the PALs before deleting", &error),
        };
        match users(Some(&pals), &delete.faces) {
            None => {}
            Some(Keep::UsedByPals(pals)) => {
                let names: Vec<String> = pals.iter().map(|pal| format!("{} (\"{}\")", pal.id, pal.name)).collect();
                let why = format!("it is used by {}; nothing was deleted", names.join(", "));
                return held(key, "delete", why);
            }
            Some(Keep::PalsUnknown(why)) => {
                return held(key, "delete", format!("which PALs use it is not known ({why}); nothing was deleted"));
            }
            Some(_) => {}
        }
        for id in &delete.faces {
            if let Err(done) = self.delete_one(key, id, delete.is_hard).await {
                return done;
            }
        }
        Done::Deleted
    }

    async fn delete_one(&self, key: &FaceKey, id: &FaceId, is_hard: bool) -> Result<(), Done> {
        self.spend(Limit::MaxDeletions, id.as_str())
            .map_err(|why| held(key, "delete", format!("{why}; {id} was not deleted")))?;
        kill_point("delete", "before-send");
        match self.api.delete_face(id, is_hard).await {
            Ok(()) => {}
            Err(error) if is_unknown_id(&error) => {
                // Also the answer to an earlier try that was lost, where an API says 400 for what is gone.
                let why = format!(
                    "{error}. That is no proof that {id} is gone: another account's key is answered like this. It stays in the record; check the key, then run it again: a complete listing without {id} proves it"
                );
                return Err(failed(key, "delete", why));
            }
            Err(error) => return Err(self.api_failed(key, "delete", &error)),
        }
        kill_point("delete", "answered");
        let record = self.store.face(key).map_err(|error| failed(key, "record the deletion", chain(&error)))?;
        let left = record.and_then(|record| remaining(record, id));
        let detail = if is_hard { "with its stored material" } else { "" };
        let history = self.history(key, Happened::Deleted, Some(id), None, detail);
        let change = Change { faces: vec![(key.clone(), left)], history: vec![history], ..Change::default() };
        if let Err(error) = self.commit(change).await {
            let why = format!("{id} was deleted, but that could not be written down: {}", chain(&error));
            return Err(failed(key, "record the deletion", why));
        }
        self.sink.take(&Event::FaceDeleted { key: key.clone(), id: id.clone(), is_hard });
        Ok(())
    }
}

/// Returns what is left of a record once a live face is gone; none where it was its present one.
fn remaining(record: RecordedFace, id: &FaceId) -> Option<RecordedFace> {
    if record.id == *id {
        return None;
    }
    Some(record.without(id))
}
