//! Asking git, by its command line.
//!
//! # Guarantees
//! Git is only read from: no hook, no pager, no prompt, no signature check, no file system monitor and no fetch that
//! would fill a partial clone. It takes a bounded time and answers with a bounded number of bytes.
//!
//! # Caveats
//! The folder's own configuration is believed in everything else, as git believes it: a repository that belongs to
//! somebody else is refused by git itself (`safe.directory`).

use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::report::duration;
pub(crate) use crate::text::clean as plain;

/// How much is kept of what git says on standard error.
const COMPLAINT: u64 = 4 * 1024;

/// Git, seen from a folder.
#[derive(Debug, Clone)]
pub struct Git {
    /// Where it runs.
    pub folder: PathBuf,
    /// How long one question may take.
    pub patience: Duration,
    /// The most bytes of one answer.
    pub limit: u64,
}

/// Why git gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// It cannot be started.
    #[error("cannot run git: {0}")]
    NotThere(io::Error),
    /// It said no; in its own words, without control characters and secrets of links.
    #[error("git {command}: {complaint}")]
    Refused {
        /// The command, such as `rev-parse`.
        command: String,
        /// What it said.
        complaint: String,
    },
    /// It took too long, and was ended.
    #[error("git {command} gave no answer within {}", duration(*.patience))]
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
    /// Its answer cannot be read, or is not what it should be.
    #[error("git {command}: {why}")]
    Broken {
        /// The command.
        command: String,
        /// Why.
        why: String,
    },
}

impl Git {
    /// Asks a question, with something on standard input where there is something; returns the answer.
    ///
    /// # Errors
    /// When git is not there, says no, takes too long or answers too much.
    pub fn ask(&self, words: &[impl AsRef<OsStr>], input: &[u8]) -> Result<Vec<u8>, GitError> {
        let name = || words.first().map_or_else(String::new, |word| word.as_ref().to_string_lossy().into_owned());
        let broken = |error: &io::Error| GitError::Broken { command: name(), why: error.to_string() };
        let deadline = Instant::now() + self.patience;
        let mut command = command(&self.folder, words);
        command.env("GIT_LITERAL_PATHSPECS", "1");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(GitError::NotThere)?;
        if let Some(mut stdin) = child.stdin.take() {
            let input = input.to_owned();
            // Beside the reading: git may answer before it has heard all of it. If it stops listening, it says why.
            std::thread::spawn(move || drop(stdin.write_all(&input)));
        }
        let answer = child.stdout.take().map(|stream| read(stream, self.limit + 1));
        let complaint = child.stderr.take().map(|stream| read(stream, COMPLAINT));
        let heard = |stream: Option<mpsc::Receiver<io::Result<Vec<u8>>>>| {
            stream.map(|stream| stream.recv_timeout(deadline.saturating_duration_since(Instant::now())))
        };
        let answer = match heard(answer) {
            Some(Ok(answer)) => answer.map_err(|error| broken(&error)),
            Some(Err(_)) => Err(GitError::Slow { command: name(), patience: self.patience }),
            None => Ok(Vec::new()),
        };
        let is_long = matches!(&answer, Ok(answer) if answer.len() as u64 > self.limit);
        if answer.is_err() || is_long {
            end(&mut child);
            return Err(answer.err().unwrap_or_else(|| GitError::Long { command: name(), limit: self.limit }));
        }
        let complaint = heard(complaint).and_then(Result::ok).and_then(Result::ok).unwrap_or_default();
        // It has closed both streams, so that it ends now.
        match child.wait() {
            Err(error) => Err(broken(&error)),
            Ok(status) if status.success() => answer,
            Ok(_) => {
                Err(GitError::Refused { command: name(), complaint: plain(&String::from_utf8_lossy(&complaint), 300) })
            }
        }
    }

    /// Asks for one line of text.
    ///
    /// # Errors
    /// As [`Git::ask`], and when the answer is no text.
    pub fn line(&self, words: &[impl AsRef<OsStr>]) -> Result<String, GitError> {
        let answer = self.ask(words, &[])?;
        String::from_utf8(answer).map(|text| text.trim_end_matches(['\r', '\n']).to_owned()).map_err(|_| {
            let command = words.first().map_or_else(String::new, |word| word.as_ref().to_string_lossy().into_owned());
            GitError::Broken { command, why: "the answer is not UTF-8 text".to_owned() }
        })
    }
}

/// Settings that keep git from starting other programs, whatever the repository's configuration says. A checkout may
/// hold a folder that looks like a repository without a work tree, with a configuration of its own: only `.git`, which
/// no checkout brings, is taken for one (git 2.38; older ones do not know it).
const SAFE: [&str; 5] = [
    "safe.bareRepository=explicit",
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "log.showSignature=false",
    "core.pager=cat",
];

/// Returns a command that asks git, and lets it start nothing and wait for nobody.
pub fn command(folder: &Path, words: &[impl AsRef<OsStr>]) -> Command {
    let mut command = Command::new("git");
    for setting in SAFE {
        command.args(["-c", setting]);
    }
    command.args(["--no-pager", "--no-optional-locks", "--no-replace-objects"]);
    command.args(words).current_dir(folder);
    command.env("LC_ALL", "C").env("GIT_TERMINAL_PROMPT", "0").env("GIT_NO_LAZY_FETCH", "1");
    command
}

fn read(stream: impl Read + Send + 'static, limit: u64) -> mpsc::Receiver<io::Result<Vec<u8>>> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let done = stream.take(limit).read_to_end(&mut bytes);
        // Nobody listens any more once the patience has ended.
        let _ = sender.send(done.map(|_| bytes));
    });
    receiver
}

/// Ends it; that fails only if it has ended already.
fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}
