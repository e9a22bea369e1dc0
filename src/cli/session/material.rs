//! Training material, as far as a plan needs to know of it.

use std::collections::{BTreeMap, BTreeSet};

use crate::apply::Event;
use crate::face::{Check, FaceKey, FaceSpec, MaterialSight, Observed, Recorded, TrainingInput, TrainingSource};
use crate::manifest::{Loaded, refresh_digest};
use crate::media::{Desk, DeskSettings, HASHES_FILE, Hashes, LINK_LIFETIME, has_files, read_contents};
use crate::plan::{Plan, Policy, needs_revision, plan};

use super::super::args::Global;
use super::super::error::{CliError, unless_interrupted};
use super::super::output::Output;
use super::{Session, StatePlace, Workspace};

/// Hashing less than that takes no time worth a word, in bytes.
const WORTH_A_WORD: u64 = 200_000_000;

/// Whether hashes of files are written down, to be found again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Remembers {
    /// They are.
    Hashes,
    /// A command that promises to write nothing.
    Nothing,
}

/// Finds out what is in the files that faces are trained from, and says which of them are not here.
pub(super) fn read_files(loaded: &mut Loaded, place: &StatePlace, remembers: Remembers, output: Output) {
    if !has_files(&loaded.desired) {
        return;
    }
    let path = place.directory.join(HASHES_FILE);
    // A commit must not say what is in a file: the plan would compare with that.
    let is_ours = !place.is_tracked();
    let mut hashes = if is_ours { Hashes::load(&path) } else { Hashes::default() };
    let started = std::time::Instant::now();
    let hashed = read_contents(&mut loaded.desired, &mut hashes);
    if is_ours && remembers == Remembers::Hashes {
        hashes.save(&path);
    }
    if hashed >= WORTH_A_WORD {
        let took = crate::report::duration(started.elapsed());
        output.talk(&format!(
            "Hashed {} MB of local files in {took}; what does not change is not hashed again.",
            hashed / 1_000_000
        ));
    }
    refresh_digest(&mut loaded.desired);
}

/// What is said before links are fetched, which may take a while.
fn looking(faces: usize) -> String {
    match faces {
        1 => "Looking at the training material of 1 face.".to_owned(),
        faces => format!("Looking at the training material of {faces} faces."),
    }
}

/// Returns the desk of a run.
pub(super) fn desk(global: &Global, workspace: &Workspace) -> Desk {
    let settings = &workspace.loaded.project.settings.media;
    let asked = &global.media;
    Desk::new(DeskSettings {
        ca_file: global.ca_file.clone(),
        clock: std::sync::Arc::clone(&workspace.clock),
        upload: asked.media_upload.clone().or_else(|| settings.upload.clone()),
        link_lifetime: asked.link_lifetime.or(settings.link_lifetime).unwrap_or(LINK_LIFETIME),
        commands: asked.commands(),
        folder: workspace.loaded.project.root.clone(),
        state_directory: workspace.place.directory.clone(),
        is_rehearsal: global.sandbox || (workspace.is_rehearsal && !asked.preflight),
    })
}

impl Workspace {
    /// Looks at the material of every face that is declared, whether anything is to be paid for or not.
    ///
    /// # Errors
    /// When somebody asks to stop.
    pub async fn look_at_material(
        &self,
        global: &Global,
        skip: &BTreeSet<Check>,
    ) -> Result<BTreeMap<FaceKey, MaterialSight>, CliError> {
        let desk = desk(global, self);
        if desk.asks(skip) {
            self.output.talk(&looking(self.desired().faces.len()));
        }
        let faces = self.desired().faces.iter().map(|(key, face)| (key, &face.spec));
        let look = async { Ok(desk.look(faces, skip).await) };
        unless_interrupted(&self.interrupt, look).await
    }
}

impl Session {
    /// Looks at the material that a plan depends on, and plans again: which version of an object lies under its name,
    /// and whether what would be paid for could only fail.
    ///
    /// # Errors
    /// When somebody asks to stop.
    pub(super) async fn plan_with_material(
        &self,
        first: Plan,
        recorded: &Recorded,
        observed: &mut Observed,
        policy: &Policy,
    ) -> Result<Plan, CliError> {
        let objects: Vec<FaceKey> = needs_revision(self.desired(), recorded)
            .filter(|key| policy.selection.selects(key, self.desired().faces.get(*key).map(|face| &face.labels)))
            .cloned()
            .collect();
        let mut plan_now = first;
        if !objects.is_empty() {
            let look = async { Ok(self.desk.revisions(self.specs(&objects)).await) };
            let mut unknown = Vec::new();
            for (key, found) in unless_interrupted(&self.interrupt, look).await? {
                match found {
                    Ok(revision) => {
                        let sight = MaterialSight { revision: Some(revision), findings: None };
                        observed.material.insert(key, sight);
                    }
                    Err(why) => unknown.push((key, why)),
                }
            }
            self.tell_unknown(&unknown);
            plan_now = plan(self.desired(), recorded, observed, policy);
        }
        let paid: Vec<FaceKey> = plan_now.needs_preflight(&observed.material).cloned().collect();
        // A plan that breaks a limit is not applied as it stands: a slip in a template must not open a thousand links.
        if paid.is_empty() || !plan_now.refusals.is_empty() {
            return Ok(plan_now);
        }
        if self.desk.asks(&policy.skip_preflight) {
            self.output.talk(&looking(paid.len()));
        }
        let look = async { Ok(self.desk.look(self.specs(&paid), &policy.skip_preflight).await) };
        for (key, sight) in unless_interrupted(&self.interrupt, look).await? {
            let seen = observed.material.entry(key).or_default();
            // A look that failed does not make a version unknown that was found out a moment ago.
            *seen = MaterialSight { revision: sight.revision.or_else(|| seen.revision.take()), ..sight };
        }
        Ok(plan(self.desired(), recorded, observed, policy))
    }

    fn specs<'a>(&'a self, keys: &'a [FaceKey]) -> impl Iterator<Item = (&'a FaceKey, &'a FaceSpec)> {
        keys.iter().filter_map(|key| Some((key, &self.desired().faces.get(key)?.spec)))
    }

    /// What cannot be looked at never differs: that is said, as somebody may wait for a change to be seen.
    fn tell_unknown(&self, unknown: &[(FaceKey, String)]) {
        let Some((key, why)) = unknown.first() else { return };
        let others = match unknown.len() {
            1 => String::new(),
            more => format!(" (and of {} more)", more - 1),
        };
        let line = format!(
            "warning: whether the object of {key}{others} changed since its training could not be found out: {why}. It counts as unchanged."
        );
        self.output.talk(&self.output.talk_paint.wrap(&line, 2));
    }

    /// Uploads the files of what a plan pays for, unless they lie there already. What fails is said; its create is not
    /// sent then.
    ///
    /// # Errors
    /// When somebody asks to stop: what was uploaded so far is not uploaded again.
    pub async fn upload_files(&self, plan: &Plan, sink: &dyn crate::apply::Sink) -> Result<(), CliError> {
        let paid = plan.faces.iter().filter(|face| face.action.is_paid());
        for face in paid {
            let Some(spec) = self.desired().faces.get(&face.key).map(|face| &face.spec) else { continue };
            let Some(TrainingSource::File(file)) = spec.training.as_ref().map(TrainingInput::source) else { continue };
            let total = file.content.as_ref().map_or(0, |content| content.length);
            let name = file.name.clone();
            let tell = |done| {
                let (key, name) = (face.key.clone(), name.clone());
                sink.take(&Event::UploadProgressed { key, name, done, total });
            };
            let upload = async { Ok(self.desk.upload(spec, &tell).await) };
            if let Err(finding) = unless_interrupted(&self.interrupt, upload).await? {
                let why = finding.line();
                tracing::warn!(key = %face.key, why, "the file could not be uploaded; it is tried again before the create");
            }
        }
        Ok(())
    }
}
