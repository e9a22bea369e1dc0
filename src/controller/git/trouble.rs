//! What stood in the way of a refresh.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Why there are no files of a newest commit. Holds no password; what git said is one line without control characters.
#[derive(Debug, thiserror::Error)]
pub enum GitTrouble {
    /// An address that git must not be given.
    #[error("the repository `{url}` is not taken: {why}")]
    BadUrl {
        /// The address, without its secrets.
        url: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A name that is not a branch's.
    #[error("`{branch}` is not the name of a branch: {why}")]
    BadBranch {
        /// The name.
        branch: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A path that leads out of the repository.
    #[error("the path {} does not stay inside of the repository", path.display())]
    BadPath {
        /// The path.
        path: PathBuf,
    },
    /// The git command line cannot be started.
    #[error("git cannot be started")]
    NoGit {
        /// What the system said.
        source: io::Error,
    },
    /// Another process follows a repository in the same folder.
    #[error("another process uses {}", directory.display())]
    InUse {
        /// The folder.
        directory: PathBuf,
    },
    /// The remote was asked, or the commit was fetched or written, and git said no.
    #[error("failed to {doing} {url}: {said}")]
    Failed {
        /// What was being done: `ask` or `fetch`.
        doing: &'static str,
        /// The address, without its secrets.
        url: String,
        /// What git said.
        said: String,
    },
    /// It took too long; git was ended.
    #[error("no answer from {url} within {after:?}")]
    TimedOut {
        /// The address, without its secrets.
        url: String,
        /// How long was waited.
        after: Duration,
    },
    /// The remote answers and has no such branch.
    #[error("there is no branch `{branch}` in {url}: it was deleted, renamed or never pushed")]
    BranchGone {
        /// The branch.
        branch: String,
        /// The address, without its secrets.
        url: String,
    },
    /// The newest commit has no such folder or file.
    #[error("there is no {} in commit {commit} of branch `{branch}`", path.display())]
    PathGone {
        /// What was to be loaded.
        path: PathBuf,
        /// The commit.
        commit: String,
        /// Its branch.
        branch: String,
    },
    /// The file system said no.
    #[error("failed to {doing} {}", path.display())]
    Disk {
        /// What was being done, as a verb.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl GitTrouble {
    /// Returns what a person can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::BadUrl { .. } => "give https://…, ssh://…, user@host:path, file://… or a folder",
            Self::BadBranch { .. } => "give the branch as `git branch` shows it",
            Self::BadPath { .. } => "give a path as it is seen from the top of the repository, without `..`",
            Self::NoGit { .. } => "install git, and see that it is on the PATH",
            Self::InUse { .. } => {
                "end the other one: two loops over one project can pay twice. For another project, give this one a --state-dir of its own"
            }
            Self::Failed { said, .. } => hint_for(said),
            Self::TimedOut { .. } => UNREACHABLE,
            Self::BranchGone { .. } => {
                "push the branch, or name another one; what was loaded last stays in force until then"
            }
            Self::PathGone { .. } => {
                "put the files back, or name another path; what was loaded last stays in force until then"
            }
            Self::Disk { .. } => "see to space and permissions there; what was loaded last stays in force until then",
        }
    }

    /// Returns whether the same settings can never work, however often they are tried.
    pub fn is_for_good(&self) -> bool {
        matches!(self, Self::BadUrl { .. } | Self::BadBranch { .. } | Self::BadPath { .. })
    }
}

/// What git, ssh and curl say (git 2.39 to 2.47, OpenSSH 9, in the C locale, which we set), and what to do about it.
const HINTS: &[(&str, &str)] = &[
    ("No space left on device", "make space; what was loaded last stays in force until then"),
    (
        "Host key verification failed",
        "put the host's key into this user's known_hosts, after comparing it with what the git service publishes",
    ),
    (
        "Permission denied (",
        "give ssh a key that may read there, without a passphrase or in an agent (GIT_SSH_COMMAND, SSH_AUTH_SOCK)",
    ),
    ("Authentication failed", NEEDS_TOKEN),
    ("could not read Username", NEEDS_TOKEN),
    ("could not read Password", NEEDS_TOKEN),
    (
        "dubious ownership",
        "that repository is another user's: allow it with `git config --global --add safe.directory FOLDER`",
    ),
    ("Could not resolve host", UNREACHABLE),
    ("Failed to connect", UNREACHABLE),
    ("Connection refused", UNREACHABLE),
    ("Connection timed out", UNREACHABLE),
];
const NEEDS_TOKEN: &str =
    "give a token that may read there, as https://USER:TOKEN@host/…, or set up a credential helper for this user";
const UNREACHABLE: &str = "see that the remote can be reached from here; it is asked again at the next interval";

fn hint_for(said: &str) -> &'static str {
    let known = HINTS.iter().find(|(words, _)| said.contains(words));
    known.map_or("try `git ls-remote` with the same address, as the same user", |(_, hint)| hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_git_says_leads_to_what_helps() {
        for (said, hint) in [
            ("fatal: could not read Username for 'https://git.example.com': terminal prompts disabled", NEEDS_TOKEN),
            (
                "ssh: connect to host 127.0.0.1 port 22: Connection refused; fatal: Could not read from remote",
                UNREACHABLE,
            ),
            ("fatal: unable to access 'https://x.invalid/': Could not resolve host: x.invalid", UNREACHABLE),
            ("fatal: '/nope' does not appear to be a git repository", hint_for("")),
        ] {
            assert_eq!(hint_for(said), hint, "{said}");
        }
        let full = "fatal: write error: No space left on device; fatal: index-pack failed";
        assert!(hint_for(full).starts_with("make space"));
    }
}
