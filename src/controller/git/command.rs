//! Running git: in an environment of our own, for as long as it may take, and never beyond.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use tokio::process::Command;
use tokio::time::Instant;

use super::remote::{Remote, RemoteSettings};
use crate::process::{Ended, Unfinished, finish};

/// The most that is read of an answer: a branch and a commit fit many times.
const ANSWER: u64 = 64 * 1024;
/// The most that is read of what git says to people.
const TALK: u64 = 16 * 1024;

/// Settings that hold whatever the user's own say.
const SETTINGS: &[(&str, &str)] = &[
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    // A link becomes a text file: a repository must not make us read /etc/passwd.
    ("core.symlinks", "false"),
    // The bytes that were committed are the bytes that are loaded.
    ("core.autocrlf", "false"),
    ("core.safecrlf", "false"),
    ("core.sparseCheckout", "false"),
    ("core.askPass", ""),
    ("core.protectHFS", "true"),
    ("core.protectNTFS", "true"),
    ("submodule.recurse", "false"),
    ("fetch.recurseSubmodules", "false"),
    ("fetch.writeCommitGraph", "false"),
    ("transfer.bundleURI", "false"),
    ("log.showSignature", "false"),
    ("i18n.logOutputEncoding", "UTF-8"),
    // We tidy up ourselves, in time that is not a fetch's.
    ("gc.auto", "0"),
    ("gc.autoDetach", "false"),
    ("maintenance.auto", "false"),
    ("maintenance.autoDetach", "false"),
];

/// git's own variables that pass. All others could point it at other files, or make it print credentials (traces).
const PASSING: &[&str] = &[
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_SSH_VARIANT",
    "GIT_ASKPASS",
    "GIT_CONFIG_GLOBAL",
    "GIT_EXEC_PATH",
    "GIT_SSL_CAINFO",
    "GIT_SSL_CAPATH",
    "GIT_SSL_CERT",
    "GIT_SSL_KEY",
    "GIT_PROXY_SSL_CAINFO",
    "GIT_HTTP_PROXY_AUTHMETHOD",
];

/// Why git did not do what it was told to.
#[derive(Debug)]
pub(super) enum Failure {
    /// It could not be started.
    Missing(io::Error),
    /// Its time was up; it was ended.
    TimedOut,
    /// It ended with an error, and said this: one line, without secrets.
    Ended { said: String },
}

impl Failure {
    /// Says that git answered what nobody expects.
    pub(super) fn strange(command: &str, answer: &str) -> Self {
        Self::Ended { said: format!("`git {command}` answered `{}`", crate::http::clean(answer, 60)) }
    }
}

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
    pub(super) async fn run_anywhere(&self, words: &[&str]) -> Result<Vec<u8>, Failure> {
        self.finish(self.command(words)).await
    }

    /// Runs git in the clone.
    pub(super) async fn run(&self, words: &[&str]) -> Result<Vec<u8>, Failure> {
        let mut command = self.command(words);
        command.env("GIT_DIR", self.clone_folder());
        self.finish(command).await
    }

    /// Runs git in the clone, with files and an index elsewhere.
    pub(super) async fn run_with_files(&self, words: &[&str], files: &Path, index: &Path) -> Result<Vec<u8>, Failure> {
        let mut command = self.command(words);
        command.env("GIT_DIR", self.clone_folder()).env("GIT_WORK_TREE", files).env("GIT_INDEX_FILE", index);
        self.finish(command).await
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = crate::process::command("git");
        command.args(words).current_dir(self.directory);
        for (name, _) in std::env::vars_os().filter(|(name, _)| !passes(name)) {
            command.env_remove(name);
        }
        if std::env::var_os("GIT_SSH_COMMAND").or_else(|| std::env::var_os("GIT_SSH")).is_none() {
            command.env("GIT_SSH_COMMAND", "ssh -o BatchMode=yes");
        }
        let RemoteSettings { settings, variables } = self.remote.settings();
        let settings: Vec<(&str, &str)> =
            SETTINGS.iter().copied().chain(settings.iter().map(|(key, value)| (&**key, &**value))).collect();
        for (at, (key, value)) in settings.iter().enumerate() {
            command.env(format!("GIT_CONFIG_KEY_{at}"), key).env(format!("GIT_CONFIG_VALUE_{at}"), value);
        }
        command
            .env("GIT_CONFIG_COUNT", settings.len().to_string())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_ATTR_NOSYSTEM", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_ALLOW_PROTOCOL", self.remote.protocols())
            .env("GIT_PROTOCOL_FROM_USER", "0")
            .env("GIT_LFS_SKIP_SMUDGE", "1")
            // The state directory may lie in a repository of its own, whose settings are not ours.
            .env("GIT_CEILING_DIRECTORIES", self.directory.parent().unwrap_or(self.directory))
            .env("LC_ALL", "C")
            .envs(variables);
        command
    }

    async fn finish(&self, command: Command) -> Result<Vec<u8>, Failure> {
        let ended = finish(command, self.deadline, (ANSWER, TALK)).await.map_err(|error| match error {
            Unfinished::Io(error) => Failure::Missing(error),
            Unfinished::TimedOut => Failure::TimedOut,
        })?;
        let Ended { status, stdout, stderr } = ended;
        if status.success() {
            return Ok(stdout);
        }
        let said = self.remote.redact(&String::from_utf8_lossy(&stderr));
        Err(Failure::Ended { said: if said.is_empty() { format!("git ended with {status}") } else { said } })
    }
}

/// Returns whether a variable reaches git. Our own secrets do not: neither git nor what it starts needs the API key.
fn passes(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else { return true };
    if name.starts_with("GIT_") {
        return PASSING.contains(&name);
    }
    // Asking on a screen is asking as well.
    !name.starts_with("TAVUS_") && !name.starts_with("FACECTL_") && name != "SSH_ASKPASS"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn git_gets_what_finds_the_users_keys_and_none_of_our_secrets() {
        for passed in
            ["HOME", "PATH", "SSH_AUTH_SOCK", "https_proxy", "GIT_SSH_COMMAND", "GIT_SSL_CAINFO", "XDG_CONFIG_HOME"]
        {
            assert!(passes(OsStr::new(passed)), "{passed}");
        }
        let kept_back = [
            "TAVUS_API_KEY",
            "FACECTL_GIT",
            "GIT_DIR",
            "GIT_TRACE_CURL",
            "GIT_CONFIG_PARAMETERS",
            "GIT_ALLOW_PROTOCOL",
        ];
        for kept_back in kept_back {
            assert!(!passes(OsStr::new(kept_back)), "{kept_back}");
        }
    }
}
