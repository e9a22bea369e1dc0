//! A command that prints a link: run without a shell, for a bounded time, and believed for one line.
//!
//! A manifest says what is to be run, and may be a stranger's. So only command lines are run that somebody allowed on this
//! machine, and each sees only the variables that a signer needs: the job's own credentials are not among them.
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

/// A command line that may be run, as `--allow-exec` names it.
///
/// Words are compared one by one. A program alone is allowed without arguments; a program with arguments allows these, and
/// more behind them; a `*` as the last word allows any arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedCommand {
    program: String,
    arguments: Vec<String>,
    /// Whether more may follow.
    is_open: bool,
}

impl AllowedCommand {
    /// Reads a command line, quoted as in a shell.
    ///
    /// # Errors
    /// Where it is none, in words for whoever wrote it.
    pub fn parse(line: &str) -> Result<Self, String> {
        let words = shlex::split(line).filter(|words| words.first().is_some_and(|program| !program.is_empty()));
        let mut words =
            words.ok_or_else(|| "not a command line: PROGRAM ARGUMENTS, quoted as in a shell".to_owned())?;
        let program = words.remove(0);
        if program == "*" {
            return Err("name a program: any program at all would let a manifest decide what is run".to_owned());
        }
        let takes_any = words.pop_if(|word| word == "*").is_some();
        Ok(Self { program, is_open: takes_any || !words.is_empty(), arguments: words })
    }

    /// Returns what allows this very command, with whatever arguments it is written.
    pub fn exactly(source: &SourceCommand) -> Self {
        Self { program: source.program.clone(), arguments: source.arguments.clone(), is_open: false }
    }

    fn allows(&self, source: &SourceCommand) -> bool {
        let Self { program, arguments, is_open } = self;
        let has_words = if *is_open { source.arguments.starts_with(arguments) } else { source.arguments == *arguments };
        source.program == *program && has_words
    }
}

/// What commands may be run on this machine, and what they see of it.
#[derive(Debug, Clone, Default)]
pub struct Commands {
    /// Those that may be run.
    pub allowed: Vec<AllowedCommand>,
    /// Variables that they see besides those that every signer does.
    pub variables: Vec<String>,
}

/// Why no link came. Holds nothing that the command printed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum CommandError {
    /// It is none of those that may be run here; as it is written.
    #[error("`{0}` may not be run here")]
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

/// Runs a command and returns the link that it printed. `lifetime` is how long the link should hold, which the command is
/// told.
pub(super) async fn link_of(
    source: &SourceCommand,
    key: &FaceKey,
    lifetime: Duration,
    commands: &Commands,
    folder: &Path,
) -> Result<Link, CommandError> {
    if !commands.allowed.iter().any(|allowed| allowed.allows(source)) {
        return Err(CommandError::NotAllowed(source.line()));
    }
    // A path is seen from the project, wherever facectl runs.
    let program = match source.program.contains('/') {
        true => folder.join(&source.program),
        false => source.program.clone().into(),
    };
    let mut command = command(&program);
    command.args(&source.arguments).current_dir(folder);
    command.env_clear().envs(std::env::vars_os().filter(|(name, _)| passes(name, &commands.variables)));
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

/// Variables that every command sees: where programs and files are, in which language and time it speaks, how the network
/// is reached, and whom it trusts there. A signer in a runtime of its own may need its variable by `--exec-env`.
const SEEN: [&str; 37] = [
    "ALL_PROXY",
    "APPDATA",
    "COMSPEC",
    "CURL_CA_BUNDLE",
    "HOME",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "LANG",
    "LANGUAGE",
    "LOCALAPPDATA",
    "LOGNAME",
    "NODE_EXTRA_CA_CERTS",
    "NO_COLOR",
    "NO_PROXY",
    "PATH",
    "PATHEXT",
    "PROGRAMDATA",
    "PROGRAMFILES",
    "REQUESTS_CA_BUNDLE",
    "SHELL",
    "SYSTEMDRIVE",
    "SYSTEMROOT",
    "TEMP",
    "TERM",
    "TMP",
    "TMPDIR",
    "TZ",
    "USER",
    "USERNAME",
    "USERPROFILE",
    "WINDIR",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "all_proxy",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];
/// How variables begin that every command sees: its locale, its roots, and the stores' credentials.
const SEEN_BY_PREFIX: [&str; 6] = ["LC_", "SSL_CERT_", "AWS_", "GOOGLE_", "CLOUDSDK_", "AZURE_"];
/// Variables that no command ever sees: what they open has nothing to do with media.
const NEVER_SEEN: [&str; 5] = ["GITHUB_TOKEN", "GH_TOKEN", "GITLAB_TOKEN", "CI_JOB_TOKEN", "CI_JOB_JWT"];
/// How variables begin that no command ever sees: our own, and what asks a forge for more rights.
const NEVER_SEEN_BY_PREFIX: [&str; 3] = ["TAVUS_", "FACECTL_", "ACTIONS_"];

/// Reads the name of a variable that commands are to see.
///
/// # Errors
/// Where they must not, in words for whoever wrote it.
pub fn parse_seen_variable(name: &str) -> Result<String, String> {
    if name.is_empty() || name.contains(|c: char| c == '=' || c.is_whitespace() || c.is_control()) {
        return Err("not the name of a variable".to_owned());
    }
    match is_never_seen(name) {
        true => Err("a command from a manifest never sees this variable: it opens more than media".to_owned()),
        false => Ok(name.to_owned()),
    }
}

fn is_never_seen(name: &str) -> bool {
    // Some systems take names in any case.
    let name = name.to_ascii_uppercase();
    NEVER_SEEN.contains(&&*name) || NEVER_SEEN_BY_PREFIX.iter().any(|prefix| name.starts_with(prefix))
}

/// Returns whether a variable reaches a command.
fn passes(name: &OsStr, more: &[String]) -> bool {
    let Some(name) = name.to_str() else { return false };
    let is_seen = |name: &str| SEEN.contains(&name) || SEEN_BY_PREFIX.iter().any(|prefix| name.starts_with(prefix));
    let is_seen = is_seen(name) || (cfg!(windows) && is_seen(&name.to_ascii_uppercase()));
    !is_never_seen(name) && (is_seen || more.iter().any(|more| more == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(line: &str) -> SourceCommand {
        match crate::face::TrainingSource::parse(&format!("exec:{line}")) {
            Ok(crate::face::TrainingSource::Command(source)) => source,
            other => panic!("{other:?}"),
        }
    }

    async fn run(line: &str) -> Result<Link, CommandError> {
        let source = source(line.strip_prefix("exec:").unwrap());
        let allowed = ["sh -c", "printf *", "true", "no-such-program"];
        let commands =
            Commands { allowed: allowed.map(|line| AllowedCommand::parse(line).unwrap()).into(), variables: vec![] };
        link_of(&source, &"ana".parse().unwrap(), Duration::from_secs(172_800), &commands, Path::new("/")).await
    }

    #[test]
    fn a_command_is_allowed_word_by_word() {
        for (allowed, line, expected) in [
            ("sign", "sign", true),
            ("sign", "sign ana.mp4", false),
            ("sign *", "sign", true),
            ("sign *", "sign ana.mp4 --for 48h", true),
            ("sign --bucket faces", "sign --bucket faces", true),
            ("sign --bucket faces", "sign --bucket faces ana.mp4", true),
            ("sign --bucket faces", "sign --bucket facesx ana.mp4", false),
            ("sign --bucket faces", "sign --bucket", false),
            ("sign --bucket faces", "sign ana.mp4 --bucket faces", false),
            ("sign --bucket faces", "/bin/sign --bucket faces", false),
            ("sign --bucket 'a b' *", "sign --bucket 'a b' c", true),
            ("sign --bucket 'a b'", "sign --bucket a b", false),
            ("sign", "./sign", false),
            ("sign", "'sign '", false),
        ] {
            let allows = AllowedCommand::parse(allowed).unwrap().allows(&source(line));
            assert_eq!(allows, expected, "{allowed}: {line}");
        }
        for bad in ["", " ", "*", "* x", "'sign", "''"] {
            assert!(AllowedCommand::parse(bad).is_err(), "{bad:?}");
        }
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
            ("exec:true -rf", "`true -rf` may not be run here"),
        ] {
            let error = run(line).await.unwrap_err().to_string();
            assert!(error.contains(says) && !error.contains("hush"), "{line}: {error}");
        }
    }

    #[tokio::test]
    async fn a_command_sees_what_signers_need_and_nothing_else() {
        // What there is at all, besides what a shell sets for itself.
        let script = r#"exec:sh -c 'echo https://m.example.com/x.mp4?n=$(env | cut -d= -f1 | sort | tr "\n" ,)'"#;
        let link = run(script).await.unwrap();
        let names: Vec<&str> = link.expose().split_once("?n=").unwrap().1.split(',').collect();
        let own = ["FACECTL_FACE", "FACECTL_LINK_LIFETIME_SECS", "OLDPWD", "PWD", "SHLVL", "_", ""];
        for name in names {
            assert!(own.contains(&name) || passes(OsStr::new(name), &[]), "{name}");
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
    fn credentials_of_the_job_are_kept_back_whoever_asks_for_them() {
        for (name, is_passed) in [
            ("AWS_SECRET_ACCESS_KEY", true),
            ("GOOGLE_APPLICATION_CREDENTIALS", true),
            ("AZURE_STORAGE_ACCOUNT_KEY", true),
            ("HOME", true),
            ("LC_ALL", true),
            ("https_proxy", true),
            ("SSL_CERT_FILE", true),
            ("FACECTL_VAR_BUCKET", false),
            ("FACECTL_GITLAB_TOKEN", false),
            ("TAVUS_API_KEY", false),
            ("GITHUB_TOKEN", false),
            ("CI_JOB_TOKEN", false),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", false),
            ("DATABASE_URL", false),
            ("LD_PRELOAD", false),
        ] {
            assert_eq!(passes(OsStr::new(name), &[]), is_passed, "{name}");
        }
        assert!(passes(OsStr::new("VAULT_TOKEN"), &["VAULT_TOKEN".to_owned()]));
        assert_eq!(parse_seen_variable("VAULT_TOKEN").as_deref(), Ok("VAULT_TOKEN"));
        for name in ["TAVUS_API_KEY", "GITHUB_TOKEN", "github_token", "CI_JOB_TOKEN", "FACECTL_API_KEY_FILE"] {
            assert!(parse_seen_variable(name).is_err(), "{name}");
            assert!(!passes(OsStr::new(name), &[name.to_owned()]), "{name}");
        }
        assert!(parse_seen_variable("").is_err() && parse_seen_variable("a=b").is_err());
    }
}
