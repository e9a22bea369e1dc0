//! Where the manifests come from: a folder, or the head of a branch.

use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use crate::cli::args::{Global, ReconcileArgs};
use crate::cli::error::CliError;
use crate::cli::session::{Followed, Loading, check_own, load_again};
use crate::controller::git::{Checkout, GitSettings, GitSource, GitTrouble};
use crate::manifest::{Loaded, PROJECT_FILE, Rejected, to_json};
use crate::media::stamps;

/// What is followed.
pub struct Source {
    origin: Origin,
    /// Manifests as the command line names them.
    named: Vec<String>,
    /// Where they are now.
    paths: Vec<String>,
    /// What was seen last, so that the same is not told twice.
    seen: Option<Seen>,
    /// What a folder showed a moment ago and has to show again before it counts: somebody may be writing it.
    moving: Option<Seen>,
}

/// Where it is.
enum Origin {
    /// On this machine, where the user may change it at any time.
    Folder,
    /// In a repository.
    Branch { source: Box<GitSource>, branch: String },
}

/// What a source showed last.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    /// These manifests, by their digest, and these files that their faces are trained from, by length and time.
    Sound(String),
    /// These problems.
    Broken(String),
    /// This commit, whose files do not change.
    Commit(String),
}

/// What a source shows.
pub enum News {
    /// What it showed last.
    Same,
    /// Something else than last, and perhaps only half of it: it is to be looked at again soon.
    Moving,
    /// Nothing that could be used, or it could not be asked.
    Trouble(CliError),
    /// A commit without anything to go by.
    Empty {
        /// What is missing.
        error: CliError,
        /// Which commit.
        commit: String,
    },
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

/// How long fetching a commit may take: repositories of manifests are small.
const FETCH: Duration = Duration::from_secs(120);

impl Source {
    /// Returns the source that a command line names, and the settings as they apply to it.
    ///
    /// # Errors
    /// When it cannot be one.
    pub fn of(global: &Global, args: &ReconcileArgs) -> Result<(Self, Global), CliError> {
        let named: Vec<String> = global.file.iter().chain(&args.paths.paths).cloned().collect();
        if named.iter().any(|path| path == "-") {
            return Err(CliError::new("standard input can be read once only, so there is nothing to follow in it")
                .hint("name a folder, or a repository with --git URL"));
        }
        let mut global = Global { file: Vec::new(), ..global.clone() };
        let origin = match &args.git {
            None => Origin::Folder,
            Some(url) => {
                let project_file = global.project_file.as_ref().map(|path| path.to_string_lossy().into_owned());
                if let Some(path) = named.iter().chain(&project_file).find(|path| !stays_inside(Path::new(path))) {
                    return Err(CliError::new(format!("`{path}` leads out of the repository"))
                        .hint("with --git, paths are seen from the repository's root (or from --path)"));
                }
                // A copy of a commit's files is no place to keep anything.
                let state_dir = global.state_dir.clone().unwrap_or_else(|| PathBuf::from(".facectl"));
                let state_dir = std::path::absolute(&state_dir)
                    .map_err(|error| CliError::caused("cannot tell the current folder", &error))?;
                check_own(&state_dir)?;
                let settings = GitSettings {
                    url: url.clone(),
                    branch: args.branch.clone(),
                    path: args.path.as_ref().map(PathBuf::from),
                    directory: state_dir.join("source"),
                    timeout: FETCH,
                };
                global.state_dir = Some(state_dir);
                let source = GitSource::new(settings).map_err(|error| trouble(&error))?;
                tracing::info!(url = source.shown_url(), branch = args.branch, "following");
                Origin::Branch { source: Box::new(source), branch: args.branch.clone() }
            }
        };
        Ok((Self { origin, paths: named.clone(), named, seen: None, moving: None }, global))
    }

    /// Returns the paths of the manifests that were loaded last; none: what the project names.
    pub fn paths(&self) -> &[String] {
        &self.paths
    }

    /// Returns whether it is a folder of the user's own.
    pub fn is_folder(&self) -> bool {
        matches!(self.origin, Origin::Folder)
    }

    /// Returns the commit that was seen last.
    pub fn commit(&self) -> Option<&str> {
        match &self.seen {
            Some(Seen::Commit(commit)) => Some(commit),
            _ => None,
        }
    }

    /// Forgets what was seen, so that it is looked at and told anew.
    pub fn forget(&mut self) {
        self.seen = None;
    }

    /// Returns whether a folder still shows what it showed last; the files of a commit do not change.
    pub fn is_still(&self, global: &Global) -> bool {
        let Ok(cwd) = std::env::current_dir() else { return false };
        let loading = Loading { paths: self.paths.clone(), project_file: global.project_file.clone(), cwd };
        !self.is_folder() || self.seen == Some(seen(&load_again(global, loading)))
    }

    /// Looks what there is.
    pub async fn refresh(&mut self, global: &Global) -> News {
        match &self.origin {
            Origin::Folder => match std::env::current_dir() {
                Ok(cwd) => self.load(global, global.project_file.clone(), cwd, None),
                Err(error) => News::Trouble(CliError::caused("cannot tell the current folder", &error)),
            },
            Origin::Branch { source, branch } => {
                let checkout = match source.refresh().await {
                    Ok(checkout) => checkout,
                    Err(error) => return News::Trouble(trouble(&error)),
                };
                let Checkout { commit, author, subject, root, top, committed_at: _ } = checkout;
                let followed = Followed { commit: commit.clone(), branch: branch.clone() };
                let seen = Seen::Commit(commit);
                if self.seen.as_ref() == Some(&seen) {
                    return News::Same;
                }
                tracing::info!(commit = followed.commit, author, subject, "the branch shows this commit");
                let Some(project_file) = project_file(global, &root, &top) else {
                    self.seen = Some(seen);
                    return News::Empty { error: no_project_file(&followed.commit), commit: followed.commit };
                };
                let inside = |path: &String| root.join(path).to_string_lossy().into_owned();
                self.paths = self.named.iter().map(inside).collect();
                if self.named.is_empty() && project_file.parent() != Some(&root) {
                    self.paths.push(root.to_string_lossy().into_owned());
                }
                let news = self.load(global, Some(project_file), top, Some(followed));
                self.seen = Some(seen);
                news
            }
        }
    }

    fn load(
        &mut self,
        global: &Global,
        project_file: Option<PathBuf>,
        cwd: PathBuf,
        followed: Option<Followed>,
    ) -> News {
        let loading = Loading { paths: self.paths.clone(), project_file, cwd };
        let result = load_again(global, loading);
        let seen = seen(&result);
        let news = match result {
            Ok(loaded) => News::Loaded { loaded: Box::new(loaded), followed },
            Err(rejected) => News::Broken { rejected, commit: followed.map(|followed| followed.commit) },
        };
        if self.seen.as_ref() == Some(&seen) {
            self.moving = None;
            return News::Same;
        }
        // Half a file can be a manifest, too, and one that asks for something else to be paid for.
        if self.is_folder() && self.seen.is_some() && self.moving.as_ref() != Some(&seen) {
            self.moving = Some(seen);
            return News::Moving;
        }
        self.moving = None;
        self.seen = Some(seen);
        news
    }
}

/// Returns what manifests are known by.
fn seen(result: &Result<Loaded, Rejected>) -> Seen {
    match result {
        Ok(loaded) => {
            // A file that is half copied must not be paid for, and one that comes later ends a block.
            let files = stamps(&loaded.desired);
            Seen::Sound(format!("{}{:?}{files}", loaded.desired.digest, loaded.project))
        }
        Err(rejected) => Seen::Broken(to_json(&rejected.diagnostics).to_string()),
    }
}

/// Returns the project file of a commit: the one that is named, else the nearest between the folder that is followed and
/// the root of the repository. Never one outside, where another project may lie.
fn project_file(global: &Global, root: &Path, top: &Path) -> Option<PathBuf> {
    if let Some(named) = &global.project_file {
        return Some(top.join(named));
    }
    let inside = root.ancestors().take_while(|folder| folder.starts_with(top));
    inside.map(|folder| folder.join(PROJECT_FILE)).find(|file| file.is_file())
}

fn no_project_file(commit: &str) -> CliError {
    CliError::new(format!(
        "commit {commit} has no {PROJECT_FILE}: the name of a project is part of every creation token"
    ))
    .hint("commit one at the root of the repository, or in the folder that --path names")
}

fn stays_inside(path: &Path) -> bool {
    path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

fn trouble(error: &GitTrouble) -> CliError {
    CliError::caused("cannot follow the repository", error).hint(error.hint())
}
