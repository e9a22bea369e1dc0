//! Asking the source, and taking what it shows where that is sound.

use crate::cli::Exit;
use crate::cli::error::CliError;
use crate::cli::session::Session;

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
        self.telling.health.desired_loaded(project.as_str(), commit.as_deref(), faces);
        tracing::info!(faces, commit, "the manifests are in force");
        Ok(())
    }

    /// At the start of a folder's watch an error is the user's slip, and ends it. A repository may be out of reach, or
    /// broken, when the machine starts: it is asked again.
    fn go_on_unless_nothing(&self, error: CliError) -> Result<(), CliError> {
        let is_hopeless = self.session.is_none() && (self.args.once || self.source.is_folder());
        if is_hopeless { Err(error) } else { Ok(()) }
    }
}
