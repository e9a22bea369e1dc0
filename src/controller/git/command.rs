//! How git is set up for a refresh: in a clone of our own, for as long as the refresh may take.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use tokio::time::Instant;

use super::remote::{Remote, RemoteSettings};
use crate::git::GitError;

/// The most that is read of an answer: a branch and a commit fit many times.
const ANSWER: u64 = 64 * 1024;

/// Settings that hold whatever the user's own say, beside those of every git that we run.
const SETTINGS: &[&str] = &[
    // A link becomes a text file: a repository must not make us read /etc/passwd.
    "core.symlinks=false",
    // The bytes that were committed are the bytes that are loaded.
    "core.autocrlf=false",
    "core.safecrlf=false",
    "core.sparseCheckout=false",
    "core.protectHFS=true",
    "core.protectNTFS=true",
    "submodule.recurse=false",
    "fetch.recurseSubmodules=false",
    "fetch.writeCommitGraph=false",
    "transfer.bundleURI=false",
    "i18n.logOutputEncoding=UTF-8",
    // We tidy up ourselves, in time that is not a fetch's.
    "gc.auto=0",
    "gc.autoDetach=false",
    "maintenance.auto=false",
    "maintenance.autoDetach=false",
];

/// git for one refresh.
#[derive(Debug)]
pub(super) struct Git<'a> {
    directory: &'a Path,
    remote: &'a Remote,
    deadline: Instant,
}

impl<'a> Git<'a> {
    pub(super) fn new(directory: &'a Path, remote: &'a Remote, deadline: Instant) -> Self {
        Self { directory, remote, deadline }
    }

    /// Returns where the clone is, or will be.
    pub(super) fn clone_folder(&self) -> PathBuf {
        self.directory.join("clone.git")
    }

    /// Runs git outside of any repository.
    pub(super) async fn run_anywhere(&self, words: &[&str]) -> Result<Vec<u8>, GitError> {
        self.git().begin(words, &[]).await
    }

    /// Runs git in the clone.
    pub(super) async fn run(&self, words: &[&str]) -> Result<Vec<u8>, GitError> {
        self.git().with_variable("GIT_DIR", self.clone_folder()).begin(words, &[]).await
    }

    /// Runs git in the clone, with files and an index elsewhere.
    pub(super) async fn run_with_files(&self, words: &[&str], files: &Path, index: &Path) -> Result<Vec<u8>, GitError> {
        let git = self.git().with_variable("GIT_DIR", self.clone_folder());
        git.with_variable("GIT_WORK_TREE", files).with_variable("GIT_INDEX_FILE", index).begin(words, &[]).await
    }

    fn git(&self) -> crate::git::Git {
        let left = self.deadline.saturating_duration_since(Instant::now());
        let git = crate::git::Git::speaking(self.directory, left, ANSWER, self.remote.protocols());
        let mut git = git.fixed(SETTINGS).hiding(self.remote.secrets());
        let RemoteSettings { settings, variables } = self.remote.settings();
        for (key, value) in settings {
            git = git.with_setting(key, value);
        }
        // The state directory may lie in a repository of its own, whose settings are not ours.
        let above: OsString = self.directory.parent().unwrap_or(self.directory).into();
        let always = [
            ("GIT_CONFIG_NOSYSTEM", "1".into()),
            ("GIT_ATTR_NOSYSTEM", "1".into()),
            ("GIT_LFS_SKIP_SMUDGE", "1".into()),
            ("GIT_DEFAULT_REF_FORMAT", "files".into()),
            ("GIT_CEILING_DIRECTORIES", above),
        ];
        let has_ssh = ["GIT_SSH_COMMAND", "GIT_SSH"].iter().any(|name| std::env::var_os(name).is_some());
        let ssh = (!has_ssh).then(|| ("GIT_SSH_COMMAND", "ssh -o BatchMode=yes".into()));
        let variables = variables.into_iter().map(|(name, value)| (name, value.into()));
        for (name, value) in always.into_iter().chain(ssh).chain(variables) {
            git = git.with_variable(name, value);
        }
        git
    }
}
