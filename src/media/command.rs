//! A command that prints a link: run without a shell, for a bounded time, and believed for one line.
//!
//! What it prints is a credential, on either of its outputs: none of it is ever shown, also where it is of no use.

use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;

use crate::face::{FaceKey, Link, SourceCommand};
use crate::process::{Ended, Unfinished, command, finish};

/// How long it may take: a signer asks a store or a vault once.
const TIME: Duration = Duration::from_secs(60);
/// The most that is read of its answer. The longest link has 2,048 characters.
const ANSWER: u64 = 8 * 1024;

/// Why no link came. Holds nothing that the command printed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum CommandError {
    /// It is none of those that may be run here.
    #[error("{0} may not be run here")]
    NotAllowed(String),
    /// It could not be started.
    #[error("it cannot be started ({0})")]
    NotStarted(String),
    /// It was not done in time.
    #[error("it was not done within {} s, and was ended", TIME.as_secs())]
    TimedOut,
    /// It says that it failed.
    #[error("it failed ({0}); what it printed is not shown")]
    Failed(String),
    /// It printed something else than one line.
    #[error("it printed {0}, and not one line with a link; what it printed is not shown")]
    NoLine(&'static str),
    /// It printed something that cannot be used.
    #[error("what it printed is no link that can be used; it is not shown")]
    NoLink,
}

/// Runs a command and returns the link that it printed. `allowed` names the programs that may be run; `lifetime` is how
/// long the link should hold, which the command is told.
pub(super) async fn link_of(
    source: &SourceCommand,
    key: &FaceKey,
    lifetime: Duration,
    allowed: &[String],
    folder: &Path,
) -> Result<Link, CommandError> {
    if !allowed.contains(&source.program) {
        return Err(CommandError::NotAllowed(source.program.clone()));
    }
    // A path is seen from the project, wherever facectl runs.
    let program = match source.program.contains('/') {
        true => folder.join(&source.program),
        false => source.program.clone().into(),
    };
    let mut command = command(&program);
    command.args(&source.arguments).current_dir(folder);
    for (name, _) in std::env::vars_os().filter(|(name, _)| !passes(name)) {
        command.env_remove(name);
    }
    command.env("FACECTL_FACE", key.as_str()).env("FACECTL_LINK_LIFETIME_SECS", lifetime.as_secs().to_string());
    let ended = finish(command, &[], Instant::now() + TIME, (ANSWER, 0)).await.map_err(|error| match error {
        Unfinished::Io(error) => CommandError::NotStarted(error.to_string()),
        Unfinished::TimedOut => CommandError::TimedOut,
    })?;
    let Ended { status, stdout, stderr: _ } = ended;
    if !status.success() {
        return Err(CommandError::Failed(status.to_string()));
    }
    line_of(&stdout)
}

fn line_of(stdout: &[u8]) -> Result<Link, CommandError> {
    let text = std::str::from_utf8(stdout).map_err(|_| CommandError::NoLine("something that is no text"))?;
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    match (lines.next(), lines.next()) {
        (None, _) => Err(CommandError::NoLine("nothing")),
        (Some(_), Some(_)) => Err(CommandError::NoLine("several lines")),
        (Some(line), None) => Link::parse(line).map_err(|_| CommandError::NoLink),
    }
}

/// Returns whether a variable reaches the command. It needs a store's credentials, and none of ours.
fn passes(name: &OsStr) -> bool {
    name.to_str().is_none_or(|name| {
        let is_ours = name.starts_with("TAVUS_") || (name.starts_with("FACECTL_") && !name.starts_with("FACECTL_VAR_"));
        !is_ours
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn run(line: &str) -> Result<Link, CommandError> {
        let Ok(crate::face::TrainingSource::Command(source)) = crate::face::TrainingSource::parse(line) else {
            panic!()
        };
        let allowed = ["sh", "printf", "true", "no-such-program"].map(str::to_owned);
        link_of(&source, &"ana".parse().unwrap(), Duration::from_secs(172_800), &allowed, Path::new("/")).await
    }

    #[tokio::test]
    async fn one_line_is_a_link_and_anything_else_is_told_without_being_shown() {
        let link = run("exec:sh -c 'echo https://m.example.com/$FACECTL_FACE.mp4?t=$FACECTL_LINK_LIFETIME_SECS'").await;
        assert_eq!(link.unwrap().expose(), "https://m.example.com/ana.mp4?t=172800");
        for (line, says) in [
            ("exec:true", "printed nothing"),
            ("exec:printf 'hush\\nhush\\n'", "several lines"),
            ("exec:printf hush", "no link"),
            ("exec:printf http://m.example.com/hush", "no link"),
            ("exec:printf '\\377'", "no text"),
            ("exec:sh -c 'echo hush; echo hush >&2; exit 3'", "it failed (exit status: 3)"),
            ("exec:no-such-program", "cannot be started"),
            ("exec:rm -rf hush", "rm may not be run"),
        ] {
            let error = run(line).await.unwrap_err().to_string();
            assert!(error.contains(says) && !error.contains("hush"), "{line}: {error}");
        }
    }

    #[tokio::test]
    async fn an_endless_answer_is_no_link_and_no_flood() {
        assert_eq!(
            run("exec:sh -c 'yes | head -c 10000000'").await.unwrap_err(),
            CommandError::NoLine("several lines")
        );
    }

    #[test]
    fn our_own_secrets_are_kept_back() {
        for (name, is_passed) in [
            ("AWS_SECRET_ACCESS_KEY", true),
            ("HOME", true),
            ("FACECTL_VAR_BUCKET", true),
            ("TAVUS_API_KEY", false),
            ("FACECTL_GITLAB_TOKEN", false),
        ] {
            assert_eq!(passes(OsStr::new(name)), is_passed, "{name}");
        }
    }
}
