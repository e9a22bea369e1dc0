//! Where the manifests come from: a folder, or the head of a branch.

use crate::cli::args::{Global, ReconcileArgs};
use crate::cli::error::CliError;
use crate::cli::session::{Followed, Loading, load_again};
use crate::manifest::{Loaded, Rejected, to_json};

/// What is followed.
pub struct Source {
    /// Manifests as the command line names them.
    paths: Vec<String>,
    /// What was seen last, so that the same is not told twice.
    seen: Option<Seen>,
}

/// What a source showed last.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    /// These manifests, by their digest.
    Sound(String),
    /// These problems.
    Broken(String),
}

/// What a source shows.
pub enum News {
    /// What it showed last.
    Same,
    /// It cannot be asked.
    Unreachable(CliError),
    /// Manifests that cannot be used.
    Broken {
        /// What is wrong with them.
        rejected: Rejected,
        /// Of which commit.
        commit: Option<String>,
    },
    /// Sound ones.
    Loaded {
        /// The manifests.
        loaded: Box<Loaded>,
        /// Of which commit.
        followed: Option<Followed>,
    },
}

impl Source {
    /// Returns the source that a command line names, and the settings as they apply to it.
    ///
    /// # Errors
    /// When it cannot be one.
    pub fn of(global: &Global, args: &ReconcileArgs) -> Result<(Self, Global), CliError> {
        let paths: Vec<String> = global.file.iter().chain(&args.paths.paths).cloned().collect();
        if paths.iter().any(|path| path == "-") {
            return Err(CliError::new("standard input can be read once only, so there is nothing to follow in it")
                .hint("name a folder, or a repository with --git URL"));
        }
        Ok((Self { paths: args.paths.paths.clone(), seen: None }, global.clone()))
    }

    /// Returns the paths that the command line names beside `--file`.
    pub fn paths(&self) -> &[String] {
        &self.paths
    }

    /// Returns whether it is a folder of the user's own.
    pub fn is_folder(&self) -> bool {
        true
    }

    /// Forgets what was seen, so that it is looked at and told anew.
    pub fn forget(&mut self) {
        self.seen = None;
    }

    /// Looks what there is.
    pub async fn refresh(&mut self, global: &Global) -> News {
        let cwd = match std::env::current_dir() {
            Ok(cwd) => cwd,
            Err(error) => return News::Unreachable(CliError::caused("cannot tell the current folder", &error)),
        };
        let paths = global.file.iter().chain(&self.paths).cloned().collect();
        let loading = Loading { paths, project_file: global.project_file.clone(), cwd };
        self.load(global, loading, None)
    }

    fn load(&mut self, global: &Global, loading: Loading, followed: Option<Followed>) -> News {
        let (news, seen) = match load_again(global, loading) {
            Ok(loaded) => {
                let seen = Seen::Sound(format!("{}{:?}", loaded.desired.digest, loaded.project));
                (News::Loaded { loaded: Box::new(loaded), followed }, seen)
            }
            Err(rejected) => {
                let seen = Seen::Broken(to_json(&rejected.diagnostics).to_string());
                (News::Broken { rejected, commit: followed.map(|followed| followed.commit) }, seen)
            }
        };
        if self.seen.as_ref() == Some(&seen) {
            return News::Same;
        }
        self.seen = Some(seen);
        news
    }
}
