//! Follows one branch of a git repository: fetches it and lays the files of its newest commit into a folder.
//!
//! # Flow
//! Ask the remote where the branch stands (`ls-remote`, some milliseconds where nothing is new). Fetch that commit
//! alone into a bare, shallow clone. Write its files into a folder of their own, which gets its name once it is whole.
//!
//! ```text
//! DIRECTORY/lock                 held for as long as the source lives: one process at a time
//! DIRECTORY/clone.git            bare, one branch, one commit deep; thrown away and made anew where git cannot use it
//! DIRECTORY/checkouts/COMMIT     the files of a commit; the newest two are kept
//! DIRECTORY/checkouts/.new-…     files being written: never taken for a whole commit
//! ```
//!
//! # Guarantees
//! Nothing in the repository is run or followed: no hooks, no filters (LFS among them), no submodules, and a symbolic
//! link becomes a small text file that holds where it pointed. Line ends stay as they were committed. git asks nobody
//! anything, speaks `file`, `ssh` and `https` alone (`http` to this machine only), and is ended with all it
//! started when its time is up. A password in the URL is neither shown, nor written to disk, nor on a command line.
//!
//! # Assumptions
//! A folder from an earlier process is written anew once: after a power cut, files that were never flushed may be empty,
//! and an empty manifest reads as "no faces". A clone is used only while its settings are byte for byte those that were
//! written: one that a checkout brought along configures nothing.
//!
//! # Caveats
//! git's own settings of the user (`~/.gitconfig`) count, as they may hold proxies and credential helpers; those of the
//! machine do not. ssh is called with `BatchMode=yes`; whoever needs other options sets `GIT_SSH_COMMAND`.

use std::collections::HashSet;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::git::GitError;
use crate::http::clean as clean_text;

mod branch;
mod command;
mod export;
mod remote;
#[cfg(test)]
mod tests;
mod trouble;

use command::Git;
use remote::Remote;
pub use trouble::GitTrouble;

/// The longest author or subject that is kept, in characters: both are for people.
const LONGEST: usize = 200;

/// What to follow, and where to keep it.
#[derive(Clone)]
pub struct GitSettings {
    /// `https://…`, `ssh://…`, `git@host:path`, `file://…` or a folder; `http://` to this machine only.
    pub url: String,
    /// The branch, without `refs/heads/`.
    pub branch: String,
    /// The folder or file in the repository that is to be loaded; none: all of it.
    pub path: Option<PathBuf>,
    /// Where clone and files live. Made if it is not there, for its owner's eyes only.
    pub directory: PathBuf,
    /// How long one [`GitSource::refresh`] may take.
    pub timeout: Duration,
}

impl std::fmt::Debug for GitSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { url: _, branch, path, directory, timeout } = self;
        // The URL may hold a password.
        f.debug_struct("GitSettings")
            .field("branch", branch)
            .field("path", path)
            .field("directory", directory)
            .field("timeout", timeout)
            .finish_non_exhaustive()
    }
}

/// The files of one commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkout {
    /// The commit's full id.
    pub commit: String,
    /// Who wrote it, `Name <address>`.
    pub author: String,
    /// The first line of its message.
    pub subject: String,
    /// When it was committed, as it says itself.
    pub committed_at: Timestamp,
    /// What is to be loaded: the folder with the commit's files, [`GitSettings::path`] included.
    pub root: PathBuf,
    /// The folder with all of the commit's files.
    pub top: PathBuf,
}

/// A branch that is followed.
#[derive(Debug)]
pub struct GitSource {
    remote: Remote,
    branch: String,
    path: PathBuf,
    directory: PathBuf,
    timeout: Duration,
    /// One refresh at a time.
    work: Mutex<Work>,
}

/// What a refresh leaves for the next one.
#[derive(Debug, Default)]
struct Work {
    lock: Option<export::Lock>,
    /// Commits whose files this very process has written.
    exported: HashSet<String>,
}

impl GitSource {
    /// Takes settings; touches neither disk nor network.
    ///
    /// # Errors
    /// When URL, branch or path could not be used, or must not be.
    pub fn new(settings: GitSettings) -> Result<Self, GitTrouble> {
        let GitSettings { url, branch, path, directory, timeout } = settings;
        branch::check(&branch)?;
        let directory = std::path::absolute(&directory).map_err(|source| GitTrouble::Disk {
            doing: "find",
            path: directory.clone(),
            source,
        })?;
        Ok(Self {
            remote: Remote::parse(&url)?,
            branch,
            path: inside(path.as_deref().unwrap_or(Path::new("")))?,
            directory,
            timeout,
            work: Mutex::default(),
        })
    }

    /// Returns the URL as people may see it, without password and user of an https URL.
    pub fn shown_url(&self) -> &str {
        self.remote.shown()
    }

    /// Asks the remote for the branch and returns the files of its newest commit.
    ///
    /// May be called again at any time; nothing is fetched or written where nothing is new. Dropping the future ends
    /// git, and leaves nothing that the next call would mistake for a commit.
    ///
    /// # Errors
    /// Whatever is in the way. What was returned before stays on disk and usable.
    pub async fn refresh(&self) -> Result<Checkout, GitTrouble> {
        let deadline = Instant::now() + self.timeout;
        let mut work = self.work.lock().await;
        // A folder that somebody removed takes its lock with it.
        if work.lock.is_none() || !export::has_lock(&self.directory) {
            work.lock = None;
            work.lock = Some(export::take_directory(&self.directory)?);
        }
        let git = Git::new(&self.directory, &self.remote, deadline);
        let newest = self.ask(&git).await?;
        let checkout = match self.check_out(&git, &newest, &mut work).await {
            // Its files would not do better in a new clone.
            Err(Broken::Told(trouble)) => return Err(trouble),
            Err(Broken::Git(failure)) => self.start_over(&git, &newest, &mut work, failure).await?,
            Ok(checkout) => checkout,
        };
        if !checkout.root.exists() {
            let commit = checkout.commit;
            return Err(GitTrouble::PathGone { path: self.path.clone(), commit, branch: self.branch.clone() });
        }
        Ok(checkout)
    }

    /// Asks where the branch stands. This needs no clone, so whatever fails here is not the clone's fault.
    async fn ask(&self, git: &Git<'_>) -> Result<String, GitTrouble> {
        let reference = format!("refs/heads/{}", self.branch);
        let words = ["ls-remote", "--quiet", "--end-of-options", "origin", &reference];
        let answer = git.run_anywhere(&words).await.map_err(|failure| self.trouble(failure, "ask"))?;
        let answer = String::from_utf8_lossy(&answer);
        // The name is a pattern to git, which also shows what ends like it.
        let line = answer.lines().filter_map(|line| line.split_once('\t')).find(|(_, name)| *name == reference);
        let commit = line.map(|(commit, _)| commit.to_owned()).filter(|commit| is_commit(commit));
        commit
            .ok_or_else(|| GitTrouble::BranchGone { branch: self.branch.clone(), url: self.remote.shown().to_owned() })
    }

    /// Returns the files of a commit, fetched and written where they are not there yet.
    async fn check_out(&self, git: &Git<'_>, newest: &str, work: &mut Work) -> Result<Checkout, Broken> {
        if !export::is_ours(&git.clone_folder(), newest.len()) {
            self.make_clone(git, newest.len()).await?;
        }
        let known = git.run(&["cat-file", "-e", &format!("{newest}^{{commit}}")]).await;
        let commit = match known {
            Ok(_) => newest.to_owned(),
            Err(GitError::Refused { .. }) => self.fetch(git).await?,
            Err(other) => return Err(other.into()),
        };
        let top = self.directory.join("checkouts").join(&commit);
        let checkout = self.describe(git, commit, top).await?;
        if !work.exported.contains(&checkout.commit) || !checkout.top.is_dir() {
            export::write(git, &self.directory, &checkout.commit).await?;
            work.exported.insert(checkout.commit.clone());
            export::tidy(git, &self.directory, &checkout.commit).await;
            tracing::debug!(commit = checkout.commit, "the files of a commit were written");
        }
        Ok(checkout)
    }

    /// Throws the clone away and tries once more: git could not use it, or could not fetch into it.
    async fn start_over(
        &self,
        git: &Git<'_>,
        newest: &str,
        work: &mut Work,
        failure: GitError,
    ) -> Result<Checkout, GitTrouble> {
        if matches!(failure, GitError::NotThere(_) | GitError::Slow { .. }) {
            return Err(self.trouble(failure, "fetch"));
        }
        tracing::warn!(%failure, "the clone cannot be used: it is thrown away and made anew");
        export::remove(&git.clone_folder())?;
        self.check_out(git, newest, work).await.map_err(|broken| match broken {
            Broken::Told(trouble) => trouble,
            Broken::Git(failure) => self.trouble(failure, "fetch"),
        })
    }

    /// Makes an empty clone for ids of so many digits, without the hooks that templates bring.
    async fn make_clone(&self, git: &Git<'_>, digits: usize) -> Result<(), Broken> {
        let folder = git.clone_folder();
        // What may be left of one that was not finished.
        export::remove(&folder)?;
        let format = if digits == 64 { "--object-format=sha256" } else { "--object-format=sha1" };
        git.run_anywhere(&["init", "--quiet", "--bare", "--template=", format, "clone.git"]).await?;
        export::make_ours(&folder, digits)?;
        Ok(())
    }

    /// Fetches the branch as it stands now, which may be further than it was asked for a moment ago.
    async fn fetch(&self, git: &Git<'_>) -> Result<String, Broken> {
        let kept = "refs/facectl/followed";
        // The plus: a branch that was pushed by force is followed like any other.
        let refspec = format!("+refs/heads/{}:{kept}", self.branch);
        let options = ["--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules", "--end-of-options"];
        let words: Vec<&str> = ["fetch"].into_iter().chain(options).chain(["origin", &refspec]).collect();
        git.run(&words).await?;
        let answer = git.run(&["rev-parse", "--verify", "--quiet", kept]).await?;
        let commit = String::from_utf8_lossy(&answer).trim().to_owned();
        if is_commit(&commit) {
            return Ok(commit);
        }
        let why = format!("it answered `{}`", clean_text(&commit, 60));
        Err(GitError::Broken { command: "rev-parse".to_owned(), why }.into())
    }

    /// Reads who committed what and when.
    async fn describe(&self, git: &Git<'_>, commit: String, top: PathBuf) -> Result<Checkout, Broken> {
        let words = ["log", "--max-count=1", "--no-show-signature", "--format=%an <%ae>%x00%ct%x00%s", &commit];
        let answer = git.run(&words).await?;
        let answer = String::from_utf8_lossy(&answer);
        let mut parts = answer.trim_end_matches('\n').splitn(3, '\0');
        let mut part = || parts.next().unwrap_or_default();
        let (author, time, subject) = (part(), part(), part());
        let seconds = time.parse().ok();
        let committed_at = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
        Ok(Checkout {
            author: clean_text(author, LONGEST),
            subject: clean_text(subject, LONGEST),
            // A commit may claim any time at all.
            committed_at: committed_at.unwrap_or(Timestamp::UNIX_EPOCH),
            root: if self.path.as_os_str().is_empty() { top.clone() } else { top.join(&self.path) },
            commit,
            top,
        })
    }

    /// Says what a failure of git means to whoever follows this remote.
    fn trouble(&self, failure: GitError, doing: &'static str) -> GitTrouble {
        let url = self.remote.shown().to_owned();
        match failure {
            GitError::NotThere(source) => GitTrouble::NoGit { source },
            GitError::Slow { .. } => GitTrouble::TimedOut { url, after: self.timeout },
            GitError::Refused { complaint, .. } => GitTrouble::Failed { doing, url, said: complaint },
            other @ (GitError::Long { .. } | GitError::Broken { .. }) => {
                GitTrouble::Failed { doing, url, said: other.to_string() }
            }
        }
    }
}

/// Why no files came of it.
#[derive(Debug)]
enum Broken {
    /// git said no; a new clone may help.
    Git(GitError),
    /// It would not help.
    Told(GitTrouble),
}

impl From<GitError> for Broken {
    fn from(failure: GitError) -> Self {
        Self::Git(failure)
    }
}

impl From<GitTrouble> for Broken {
    fn from(trouble: GitTrouble) -> Self {
        Self::Told(trouble)
    }
}

/// Returns whether a text is the full id of a commit: it becomes the name of a folder.
fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Takes a path that stays inside of the repository.
fn inside(path: &Path) -> Result<PathBuf, GitTrouble> {
    let mut kept = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => kept.push(name),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                return Err(GitTrouble::BadPath { path: path.to_owned() });
            }
        }
    }
    Ok(kept)
}
