//! git's command line: the one place that runs it.
//!
//! # Guarantees
//! Git describes the folder that it is asked about, whatever the environment names: inside of a hook, `GIT_DIR` and
//! its siblings name another repository or index, and are taken away. What carries credentials and transport settings
//! stays (`GIT_SSH*`, `GIT_ASKPASS`, `GIT_CONFIG_*`, `GIT_SSL_*`, proxies).
//!
//! A repository's own settings start no program: no hook, pager, file system monitor or signature check, and, where
//! git is only read from, no transport, so that a partial clone is not filled either. Nothing prompts. A call takes a
//! bounded time, after which git ends with all that it started, and a bounded number of bytes is kept of its answer.
//!
//! # Caveats
//! `git status` runs the filters that a repository configures; [`Git::without_own_filters`] switches them off. In all
//! else settings are believed as git believes them: it refuses a repository that belongs to another user itself
//! (`safe.directory`).

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::process::Command;
use tokio::time::Instant;

pub(crate) use crate::text::clean as plain;

use crate::process::{Ended, Unfinished, finish};

#[cfg(test)]
mod tests;

/// How much is kept of what git says on standard error, in bytes.
const COMPLAINT: u64 = 16 * 1024;
/// The longest complaint that is shown, in characters.
const SHOWN: usize = 400;

/// Settings that keep git from starting other programs, whatever the repository's configuration says. On the command
/// line, as nothing outranks that. A checkout may hold a folder that looks like a repository without a work tree, with
/// a configuration of its own: only `.git`, which no checkout brings, is taken for one (git 2.38; older ones do not
/// know it).
const SAFE: [&str; 6] = [
    "safe.bareRepository=explicit",
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.askPass=",
    "core.pager=cat",
    "log.showSignature=false",
];

/// git's variables that name a place: the list of `git rev-parse --local-env-vars` (git 2.47) without the settings in
/// it, and what else leads git to other files.
const PLACES: [&str; 15] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_ATTR_SOURCE",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_QUARANTINE_PATH",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
];

/// git, seen from a folder.
#[derive(Clone)]
pub(crate) struct Git {
    folder: PathBuf,
    patience: Duration,
    limit: u64,
    /// `key=value`, beside [`SAFE`] and as it is given.
    fixed: &'static [&'static str],
    /// These may name a user, and go through the environment: others see a command line.
    settings: Vec<(String, String)>,
    variables: Vec<(&'static str, OsString)>,
    secrets: Vec<SecretString>,
}

impl std::fmt::Debug for Git {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { folder, patience, limit, fixed: _, settings: _, variables: _, secrets: _ } = self;
        // A variable may be a password.
        f.debug_struct("Git")
            .field("folder", folder)
            .field("patience", patience)
            .field("limit", limit)
            .finish_non_exhaustive()
    }
}

/// Why git gave no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GitError {
    /// It cannot be started.
    #[error("cannot run git: {0}")]
    NotThere(io::Error),
    /// It said no; in its own words, on one line and without secrets.
    #[error("git {command}: {complaint}")]
    Refused {
        /// The command, such as `rev-parse`.
        command: String,
        /// What it said.
        complaint: String,
    },
    /// It took too long, and was ended.
    #[error("git {command} gave no answer within {patience:?}")]
    Slow {
        /// The command.
        command: String,
        /// How long it was waited for.
        patience: Duration,
    },
    /// It answered with more than may be.
    #[error("git {command} answers with more than {limit} bytes")]
    Long {
        /// The command.
        command: String,
        /// How much may be.
        limit: u64,
    },
    /// Its answer is not what it should be.
    #[error("git {command}: {why}")]
    Broken {
        /// The command.
        command: String,
        /// Why.
        why: String,
    },
}

impl Git {
    /// Returns a git that reads the repository around a folder and speaks to no other machine. One question may take so
    /// long, and one answer may have so many bytes.
    pub(crate) fn reading(folder: &Path, patience: Duration, limit: u64) -> Self {
        Self::speaking(folder, patience, limit, "none").with_variable("GIT_NO_LAZY_FETCH", "1")
    }

    /// Returns a git that may use these transports, as `GIT_ALLOW_PROTOCOL` names them, and no others.
    pub(crate) fn speaking(folder: &Path, patience: Duration, limit: u64, protocols: &str) -> Self {
        let (settings, variables, secrets) = (Vec::new(), Vec::new(), Vec::new());
        let git = Self { folder: folder.to_owned(), patience, limit, fixed: &[], settings, variables, secrets };
        git.with_variable("GIT_ALLOW_PROTOCOL", protocols)
    }

    /// Gives settings that outrank all others, `key=value` each.
    pub(crate) fn fixed(self, fixed: &'static [&'static str]) -> Self {
        Self { fixed, ..self }
    }

    /// Adds a setting for every call.
    pub(crate) fn with_setting(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.push((key.into(), value.into()));
        self
    }

    /// Sets a variable for every call.
    pub(crate) fn with_variable(mut self, name: &'static str, value: impl Into<OsString>) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    /// Keeps a text out of whatever git says.
    pub(crate) fn hiding(mut self, secrets: impl IntoIterator<Item = SecretString>) -> Self {
        self.secrets.extend(secrets);
        self
    }

    /// Switches off the filters that the repository itself configures. Those of the user and the machine stay: without
    /// the one of Git LFS, each large file that was touched would seem to differ.
    pub(crate) async fn without_own_filters(mut self) -> Self {
        let mut own: Vec<String> = Vec::new();
        for scope in ["--local", "--worktree"] {
            let words = ["config", scope, "--includes", "--null", "--name-only", "--get-regexp", "^filter\\."];
            // It fails where there is none.
            let names = self.run(&words, &[]).await.unwrap_or_default();
            own.extend(names.split(|byte| *byte == 0).filter_map(|name| String::from_utf8(name.to_owned()).ok()));
        }
        own.retain(|name| !name.is_empty());
        for name in own {
            // The middle part is a name of somebody's choice, dots included.
            let Some((filter, _)) = name.rsplit_once('.') else { continue };
            self = self.with_setting(format!("{filter}.clean"), "").with_setting(format!("{filter}.process"), "");
            self = self.with_setting(format!("{filter}.required"), "false");
        }
        self
    }

    /// Asks a question, with something on standard input where there is something; returns the answer.
    ///
    /// # Errors
    /// When git cannot be run, says no, takes too long or answers too much.
    pub(crate) async fn run(&self, words: &[impl AsRef<OsStr>], input: &[u8]) -> Result<Vec<u8>, GitError> {
        let answer = self.begin(words, input).await?;
        match answer.len() as u64 > self.limit {
            true => Err(GitError::Long { command: name(words), limit: self.limit }),
            false => Ok(answer),
        }
    }

    /// As [`Git::run`], where the beginning of a long answer is enough.
    ///
    /// # Errors
    /// When git cannot be run, says no or takes too long.
    pub(crate) async fn begin(&self, words: &[impl AsRef<OsStr>], input: &[u8]) -> Result<Vec<u8>, GitError> {
        let deadline = Instant::now() + self.patience;
        let done = finish(self.command(words), input, deadline, (self.limit + 1, COMPLAINT)).await;
        let Ended { status, stdout, stderr } = done.map_err(|error| match error {
            Unfinished::Io(error) => GitError::NotThere(error),
            Unfinished::TimedOut => GitError::Slow { command: name(words), patience: self.patience },
        })?;
        if status.success() {
            return Ok(stdout);
        }
        let said = self.shown(&String::from_utf8_lossy(&stderr));
        Err(GitError::Refused {
            command: name(words),
            complaint: if said.is_empty() { format!("ended with {status}") } else { said },
        })
    }

    /// As [`Git::run`], for those who cannot wait in the way of async code.
    ///
    /// # Errors
    /// As there.
    pub(crate) fn ask(&self, words: &[impl AsRef<OsStr> + Sync], input: &[u8]) -> Result<Vec<u8>, GitError> {
        wait_for(self.run(words, input)).map_err(GitError::NotThere)?
    }

    /// Asks for one line. It may be a path, and a path is bytes.
    ///
    /// # Errors
    /// As [`Git::ask`].
    pub(crate) fn line(&self, words: &[impl AsRef<OsStr> + Sync]) -> Result<OsString, GitError> {
        let mut answer = self.ask(words, &[])?;
        if answer.pop_if(|byte| *byte == b'\n').is_some() && cfg!(windows) {
            answer.pop_if(|byte| *byte == b'\r');
        }
        path_of(&answer)
            .map(OsString::from)
            .ok_or_else(|| GitError::Broken { command: name(words), why: "the answer is not UTF-8 text".to_owned() })
    }

    fn command(&self, words: &[impl AsRef<OsStr>]) -> Command {
        let mut command = crate::process::command("git");
        for setting in SAFE.iter().chain(self.fixed) {
            command.args(["-c", setting]);
        }
        command.args(["--no-pager", "--no-optional-locks", "--no-replace-objects"]).args(words);
        command.current_dir(&self.folder);
        for (name, _) in std::env::vars_os().filter(|(name, _)| !passes(name)) {
            command.env_remove(name);
        }
        // Behind those that the environment brings already.
        let first = std::env::var("GIT_CONFIG_COUNT").ok().and_then(|count| count.parse().ok()).unwrap_or(0_usize);
        for (at, (key, value)) in self.settings.iter().enumerate().map(|(at, setting)| (first + at, setting)) {
            command.env(format!("GIT_CONFIG_KEY_{at}"), key).env(format!("GIT_CONFIG_VALUE_{at}"), value);
        }
        if !self.settings.is_empty() {
            command.env("GIT_CONFIG_COUNT", (first + self.settings.len()).to_string());
        }
        command
            .env("LC_ALL", "C")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("SSH_ASKPASS_REQUIRE", "never")
            .env("GIT_PROTOCOL_FROM_USER", "0")
            .envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Makes what git said fit to be shown: one line, without secrets.
    fn shown(&self, said: &str) -> String {
        let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        // First of all: whatever is cut later may cut a secret in two.
        let said = self.secrets.iter().fold(lines.join("; "), |said, secret| said.replace(secret.expose_secret(), "…"));
        plain(&said, SHOWN)
    }
}

/// Waits for git on a thread of its own: whoever asks may be in the middle of async code that cannot wait.
///
/// # Errors
/// When the machine has no thread left.
pub(crate) fn wait_for<T: Send>(work: impl Future<Output = T> + Send) -> io::Result<T> {
    std::thread::scope(|scope| {
        let wait = || Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work));
        let thread = std::thread::Builder::new().name("git".to_owned()).spawn_scoped(scope, wait)?;
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Returns a path from the bytes that git has for it. Elsewhere than on Unix only text is a path.
pub(crate) fn path_of(bytes: &[u8]) -> Option<PathBuf> {
    #[cfg(unix)]
    {
        Some(<OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(bytes).into())
    }
    #[cfg(not(unix))]
    {
        std::str::from_utf8(bytes).ok().map(PathBuf::from)
    }
}

/// Returns whether a variable reaches git: neither what names a place, nor what makes git print what it does or read
/// paths in another way, nor a screen that asks, nor our own secrets.
fn passes(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else { return true };
    let is_ours = name.starts_with("TAVUS_") || name.starts_with("FACECTL_");
    let is_told = name.starts_with("GIT_TRACE") || name.ends_with("_PATHSPECS") || name == "SSH_ASKPASS";
    !is_ours && !is_told && !PLACES.contains(&name)
}

fn name(words: &[impl AsRef<OsStr>]) -> String {
    words.first().map_or_else(String::new, |word| word.as_ref().to_string_lossy().into_owned())
}
