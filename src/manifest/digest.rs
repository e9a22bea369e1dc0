//! One hash over everything in the manifests that could change a plan.

use std::collections::BTreeMap;

use crate::face::{Desired, DesiredFace, FaceKey, FaceSpec, Lifecycle, Naming, OnSourceChange, ProjectName};

/// Returns the digest, in hexadecimal. Equal for equal wishes, however the files are cut and links are signed.
pub(super) fn of(project: &ProjectName, naming: Naming, faces: &BTreeMap<FaceKey, DesiredFace>) -> String {
    let mut hash = Hash(blake3::Hasher::new_derive_key("facectl 2026-11 manifest digest"));
    hash.text(project.as_str());
    hash.text(match naming {
        Naming::Clean => "clean",
        Naming::Marker => "marker",
    });
    hash.count(faces.len());
    for (key, face) in faces {
        hash.text(key.as_str());
        hash.face(face);
    }
    hash.0.finalize().to_hex().to_string()
}

/// Brings the digest of what is wanted up to date, after more became known about it than the manifests say: what is in
/// the files that they name.
pub fn refresh(desired: &mut Desired) {
    desired.digest = of(&desired.project, desired.naming, &desired.faces);
}

/// What the names of annotations begin with that mean something to facectl.
const OUR_PREFIX: &str = "facectl.dev/";
/// Returns the digest of one face, in hexadecimal: it tells which face changed where the whole did.
pub fn of_face(face: &DesiredFace) -> String {
    let mut hash = Hash(blake3::Hasher::new_derive_key("facectl 2026-11 manifest of one face digest"));
    hash.face(face);
    hash.0.finalize().to_hex()[..32].to_owned()
}

struct Hash(blake3::Hasher);

impl Hash {
    /// With its length in front, so that no two sequences of texts run into each other.
    fn text(&mut self, text: &str) {
        self.count(text.len());
        self.0.update(text.as_bytes());
    }

    fn count(&mut self, count: usize) {
        self.0.update(&(count as u64).to_le_bytes());
    }

    fn face(&mut self, face: &DesiredFace) {
        // In full, so that a new field cannot be forgotten here.
        let DesiredFace { spec, labels, annotations, origin: _, manifest: _ } = face;
        let FaceSpec {
            face_name,
            model: _,
            training,
            default_voice,
            callback_url,
            green_screen: _,
            training_version: _,
            lifecycle,
        } = spec;
        self.text(face_name.as_str());
        // Holds model, training, green screen and version, without signatures.
        let fingerprint = spec.fingerprint().map(|fingerprint| fingerprint.to_string());
        // A file whose content nobody knows is told from another one by its name.
        let named = || training.as_ref().map(|training| training.source().shown());
        self.text(&fingerprint.or_else(named).unwrap_or_default());
        self.text(default_voice.as_ref().map_or("", |voice| voice.as_str()));
        self.text(&callback_url.as_ref().map(crate::face::Link::identity).unwrap_or_default());
        let Lifecycle {
            on_removal,
            protect,
            wait_for,
            on_missing,
            on_failed,
            retire_after,
            repoint_pals,
            on_source_change,
        } = lifecycle;
        self.text(&format!("{on_removal:?} {protect} {wait_for:?} {on_missing:?} {on_failed:?}"));
        self.text(&format!("{retire_after} {repoint_pals}"));
        // Only where it says something: manifests without it have the digest that they always had.
        if *on_source_change != OnSourceChange::default() {
            self.text(&format!("{on_source_change:?}"));
        }
        // Those that are for facectl decide what a face is; the others say nothing to a plan.
        let ours: Vec<_> = annotations.iter().filter(|(name, _)| name.starts_with(OUR_PREFIX)).collect();
        self.count(ours.len());
        for (name, value) in ours {
            self.text(name);
            self.text(value);
        }
        self.count(labels.len());
        for (name, value) in labels {
            self.text(name);
            self.text(value);
        }
    }
}
