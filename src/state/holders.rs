//! Which key's record holds which face, so that who asks about one need not look through all.

use std::collections::{BTreeMap, HashMap};

use crate::face::{FaceId, FaceKey, RecordedFace};

/// An index over the faces of a record. Made when it is first asked for: a run that only looks needs none.
#[derive(Debug, Default)]
pub(super) struct Holders(Option<HashMap<FaceId, Vec<FaceKey>>>);

impl Holders {
    /// Returns the key that holds a face, now or from before; of several the one that sorts first.
    pub(super) fn of(&mut self, id: &FaceId, faces: &BTreeMap<FaceKey, RecordedFace>) -> Option<FaceKey> {
        let index = self.0.get_or_insert_with(|| {
            let mut index = HashMap::new();
            faces.iter().for_each(|(key, face)| add(&mut index, key, face));
            index
        });
        index.get(id)?.iter().min().cloned()
    }

    /// Takes over a change that is about to be made to the faces.
    pub(super) fn change(
        &mut self,
        faces: &BTreeMap<FaceKey, RecordedFace>,
        changes: &[(FaceKey, Option<RecordedFace>)],
    ) {
        let Some(index) = &mut self.0 else { return };
        for (key, _) in changes {
            for id in faces.get(key).into_iter().flat_map(RecordedFace::ids) {
                if let Some(keys) = index.get_mut(id) {
                    keys.retain(|other| other != key);
                }
            }
        }
        // Of several changes of one key the last one counts, as it does for the faces.
        let last: BTreeMap<&FaceKey, &Option<RecordedFace>> = changes.iter().map(|(key, face)| (key, face)).collect();
        for (key, face) in last {
            if let Some(face) = face {
                add(index, key, face);
            }
        }
    }
}

fn add(index: &mut HashMap<FaceId, Vec<FaceKey>>, key: &FaceKey, face: &RecordedFace) {
    for id in face.ids() {
        let keys = index.entry(id.clone()).or_default();
        if !keys.contains(key) {
            keys.push(key.clone());
        }
    }
}
