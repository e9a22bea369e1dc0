//! Recording what somebody says about a live face. Nothing is sent.

use crate::face::{Desired, FaceId, FaceKey, Observed, RecordedFace, TrainedFrom};
use crate::plan::Adopt;
use crate::state::Happened;
use crate::tavus::FaceApi;

use super::outcome::chain;
use super::{Done, Executor, Trouble};

impl<A: FaceApi> Executor<'_, A> {
    /// Records a live face under a key, because somebody names both. Whether it may be taken is the caller's to
    /// check; that no other key's record holds it is checked here once more.
    pub async fn import(&self, key: &FaceKey, adopt: &Adopt, desired: &Desired, observed: &Observed) -> Done {
        self.take_in(key, adopt, "imported by id", desired, observed).await
    }

    /// Records what a recorded face was made from, on somebody's word: from now on, other inputs are a change.
    pub async fn assume_inputs(&self, key: &FaceKey, id: &FaceId, trained_from: TrainedFrom) -> Done {
        let failed = |why: String| Done::Failed(Trouble { key: Some(key.clone()), doing: "record the inputs", why });
        let recorded = match self.store.face(key) {
            Ok(Some(face)) if face.id == *id => face,
            Ok(_) => return failed(format!("{id} is not what is recorded for it any more; nothing was done")),
            Err(error) => return failed(format!("{}; nothing was done", chain(&error))),
        };
        let recorded = RecordedFace { trained_from: Some(trained_from), ..recorded };
        let how = "its inputs are assumed to be those of the manifest";
        let history = self.history(key, Happened::Adopted, Some(id), None, how);
        match self.write(key, None, Some(recorded), history).await {
            Ok(()) => Done::Adopted(id.clone()),
            Err(why) => failed(why),
        }
    }
}
