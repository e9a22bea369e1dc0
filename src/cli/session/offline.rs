//! Planning from the lock file alone: no key, no network, no state.
//!
//! # Guarantees
//! Nothing is opened but manifests, project file and lock file, and the state's snapshot where a file was skipped that may
//! have been a manifest. Nothing is written, and nothing is sent. All of them may come from a stranger: what is wrong with
//! them is said, and costs no more than the limits on their sizes.
//!
//! # Caveats
//! facectl.yaml is believed: who may change it may set limits and `adopt` for this plan, which nobody can apply. The
//! variables that manifests may use (`FACECTL_VAR_*`) can show in the plan.

use std::collections::BTreeMap;

use crate::apply::Interrupt;
use crate::face::{
    Coverage, DesiredFace, FaceId, Observed, ObservedFace, Ownership, Recorded, RecordedFace, Sight, TrainingStatus,
};
use crate::manifest::{LoadRequest, Loaded, Rejected};
use crate::state::{LOCK_FILE, LockFile, StateError};
use crate::tavus::parse_base_url;

use super::super::args::Global;
use super::super::error::CliError;
use super::super::output::Output;
use super::loading::load_declared;
use super::state::StatePlace;
use super::workspace::scope;
use super::{Workspace, api_url, clock_of, material};

impl Workspace {
    /// Loads the manifests, and connects to nothing.
    ///
    /// # Errors
    /// When the manifests or the settings cannot be used.
    pub fn open(
        load: fn(LoadRequest) -> Result<Loaded, Rejected>,
        global: &Global,
        paths: &[String],
        output: Output,
        interrupt: Interrupt,
    ) -> Result<Self, CliError> {
        let mut loaded = load_declared(load, global, paths, &output)?;
        let place = StatePlace::of(global, &loaded.project, output, interrupt.clone())?;
        material::read_files(&mut loaded, &place, material::Remembers::Nothing, output);
        let clock = clock_of(global, &place.directory)?;
        output.events.begin(&loaded.project.name, &clock, || place.run_context().provenance.clone());
        output.events.diagnostics(&loaded.warnings);
        let is_local = || parse_base_url(&api_url(global, &loaded.project)).is_ok_and(|url| url.is_loopback());
        let is_rehearsal = global.sandbox || is_local();
        let scope = scope(global.file.iter().chain(paths), &loaded.project);
        Ok(Self { loaded, clock, output, interrupt, place, is_rehearsal, scope })
    }

    /// Returns what the lock file has recorded, and the live faces that follow if all of it is so.
    ///
    /// # Errors
    /// When the lock file is turned off or cannot be used.
    pub fn offline(&self) -> Result<(Recorded, Observed), CliError> {
        let Some(path) = &self.place.lock_path else {
            return Err(CliError::new("--offline compares with the lock file, and this project writes none")
                .hint("leave --lock-file=false (FACECTL_LOCK_FILE, spec.lock_file in facectl.yaml) away, apply, and commit facectl.lock.yaml"));
        };
        let lock = LockFile::read_untrusted(path, &self.place.project).map_err(unusable)?;
        let recorded = lock.as_ref().map_or_else(Recorded::default, |lock| Recorded {
            lineage: lock.lineage.clone(),
            serial: lock.serial(),
            faces: lock.recorded(),
            open: BTreeMap::new(),
        });
        let created = recorded.faces.values().flat_map(|face| [Some(face), face.successor.as_deref()]);
        let sight = Sight::LockFile {
            is_there: lock.is_some(),
            recorded: recorded.faces.len(),
            latest: created.flatten().filter_map(|face| face.created_at).max(),
        };
        let observed = self.presumed(&recorded, sight);
        Ok((recorded, observed))
    }

    /// Returns every recorded face as if it lived as it is recorded, and every face that a manifest names by its id.
    fn presumed(&self, recorded: &Recorded, sight: Sight) -> Observed {
        let of_record = recorded.faces.values().flat_map(|face| {
            let next = face.successor.iter().map(|next| self.as_recorded(next, TrainingStatus::Training));
            let before = face.previous.iter().map(|before| from_before(&before.id));
            std::iter::once(self.as_recorded(face, TrainingStatus::Ready)).chain(next).chain(before)
        });
        let declared = self.desired().faces.values().filter_map(by_id);
        // What is recorded says more of a face than a manifest that names it.
        let faces = declared.chain(of_record).map(|face| (face.id.clone(), face)).collect();
        let coverage = Coverage::Partial("the API was not asked (--offline)".to_owned());
        Observed { at: self.clock.now(), coverage, sight, faces, pals: None, material: BTreeMap::new() }
    }

    fn as_recorded(&self, face: &RecordedFace, status: TrainingStatus) -> ObservedFace {
        ObservedFace {
            name: Some(self.recorded_name(face)),
            model: face.trained_from.as_ref().map(|from| from.model.to_string()),
            status,
            default_voice: face.default_voice.clone(),
            created_at: face.created_at,
            ..from_before(&face.id)
        }
    }
}

/// Returns a face of which nothing is known but that it was there.
fn from_before(id: &FaceId) -> ObservedFace {
    ObservedFace {
        id: id.clone(),
        name: None,
        model: None,
        status: TrainingStatus::Ready,
        progress: None,
        error: None,
        default_voice: None,
        ownership: Ownership::User,
        created_at: None,
    }
}

/// Returns the face that a manifest names by its id, as the manifest has it.
fn by_id(desired: &DesiredFace) -> Option<ObservedFace> {
    Some(ObservedFace {
        name: Some(desired.spec.face_name.to_string()),
        model: Some(desired.spec.model.to_string()),
        default_voice: desired.spec.default_voice.clone(),
        ..from_before(&desired.declared_id()?)
    })
}

fn unusable(error: StateError) -> CliError {
    let base = CliError::caused(format!("cannot compare with {LOCK_FILE}; nothing was asked or written"), &error);
    match error {
        StateError::Newer { .. } => base.hint("use the facectl that wrote it, or a newer one"),
        StateError::OtherProject { .. } => {
            base.hint("each project has a lock file of its own: check the project's name (facectl.yaml, --project)")
        }
        _ => base.hint("facectl writes this file: take it as it stands on the branch that is applied; after a merge with conflicts keep the blocks of both sides"),
    }
}
