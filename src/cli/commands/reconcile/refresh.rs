//! Asking the source, and taking what it shows where that is sound.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::cli::Exit;
use crate::cli::error::CliError;
use crate::cli::session::Session;
use crate::face::FaceKey;
use crate::manifest::Loaded;

use super::source::News;
use super::{Follower, log, pass};

impl Follower {
    /// Asks the source, and takes what it shows where that is sound.
    ///
    /// # Errors
    /// When there is nothing to go on with: no settings that work, or no sound manifests in a folder at the start.
    pub(super) async fn refresh(&mut self) -> Result<(), CliError> {
        self.is_moving = false;
        let news = self.source.refresh(&self.global).await;
        let failed_before = std::mem::take(&mut self.failed_refreshes);
        if let News::Trouble(error) = news {
            self.failed_refreshes = failed_before.saturating_add(1);
            self.telling.health.source_failed(&error.message);
            // An hour without a network is told a few times, and not at every interval.
            if self.failed_refreshes.is_power_of_two() {
                log::source_trouble(&error, self.failed_refreshes, self.session.is_some());
            }
            return self.go_on_unless_nothing(error);
        }
        if let Some(commit) = self.source.commit() {
            self.telling.health.source_answered(commit);
        }
        if failed_before > 0 {
            tracing::info!(tries = failed_before, "the source answers again");
        }
        let (loaded, followed) = match news {
            News::Same | News::Trouble(_) => return Ok(()),
            News::Empty { error, commit } => {
                self.is_sound = false;
                self.telling.health.desired_rejected(Some(&commit), 1);
                log::trouble("this commit cannot be used; the manifests of before stay in force", &error);
                return self.go_on_unless_nothing(error);
            }
            News::Moving => {
                tracing::debug!("the folder is being written, as it seems; it is read again");
                self.is_moving = true;
                return Ok(());
            }
            News::Broken { rejected, commit } => {
                self.is_sound = false;
                self.telling.health.desired_rejected(commit.as_deref(), log::errors(&rejected));
                self.telling.events.diagnostics(&rejected.diagnostics);
                log::rejected(&rejected, commit.as_deref(), self.session.is_some());
                return self.go_on_unless_nothing(CliError::silent(Exit::ERROR));
            }
            News::Loaded { loaded, followed } => (*loaded, followed),
        };
        let loaded = pass::with_periods(loaded);
        log::warnings(&loaded.warnings, followed.as_ref().map(|followed| followed.commit.as_str()));
        let (origins, kept) = self.origins_of(&loaded);
        let (faces, paths) = (loaded.desired.faces.len(), self.source.paths().to_vec());
        let project = loaded.desired.project.clone();
        let commit = followed.as_ref().map(|followed| followed.commit.clone());
        match &mut self.session {
            Some(session) => {
                if let Err(error) = session.take(&self.global, loaded, &paths, followed) {
                    self.is_sound = false;
                    self.telling.health.desired_rejected(commit.as_deref(), 1);
                    log::trouble("these manifests are not taken; the ones of before stay in force", &error);
                    return Ok(());
                }
            }
            None => {
                let talk = (self.output, self.interrupt.clone());
                self.session = Some(Session::follow(&self.global, loaded, &paths, followed, talk).await?);
            }
        }
        self.is_sound = true;
        (self.origins, self.kept) = (origins, kept);
        self.telling.health.desired_loaded(project.as_str(), commit.as_deref(), faces);
        tracing::info!(faces, commit, "the manifests are in force");
        Ok(())
    }

    /// Returns where each face is or was declared, and the faces whose file was left out as no manifest although it is
    /// there: it was emptied or cut, as it seems, which must not lead to a deletion.
    fn origins_of(&self, loaded: &Loaded) -> (BTreeMap<FaceKey, String>, BTreeSet<FaceKey>) {
        let declared = &loaded.desired.faces;
        let mut origins = self.origins.clone();
        origins.extend(declared.iter().map(|(key, face)| (key.clone(), face.origin.file.clone())));
        let left_out: BTreeSet<&str> =
            loaded.warnings.iter().filter(|one| one.code == "facectl::not-ours").map(|one| &*one.place.file).collect();
        let by_origin = origins.iter().filter(|(_, file)| left_out.contains(file.as_str())).map(|(key, _)| key.clone());
        // After a restart only the name of the file says whose it was.
        let by_name = left_out.iter().filter_map(|file| Path::new(file).file_stem()?.to_str()?.parse().ok());
        let kept = by_origin.chain(by_name).filter(|key| !declared.contains_key(key)).collect();
        (origins, kept)
    }

    /// At the start of a folder's watch an error is the user's slip, and ends it. A repository may be out of reach, or
    /// broken, when the machine starts: it is asked again.
    fn go_on_unless_nothing(&self, error: CliError) -> Result<(), CliError> {
        let is_hopeless = self.session.is_none() && (self.args.once || self.source.is_folder());
        if is_hopeless { Err(error) } else { Ok(()) }
    }
}
