//! The one edge where errors become words, hints and an exit code.

use std::error::Error;
use std::fmt::Write;

use crate::apply::Interrupt;
use crate::forge::{EventError, ForgeError, ForgeKind, PlaceError};
use crate::http::CertificateProblem;
use crate::report::Paint;
use crate::state::{LeaseError, StateError};
use crate::tavus::{ApiError, Failure};
use crate::text::{redacted, visible};

use super::Exit;

/// A failure as people see it.
#[derive(Debug, Clone)]
pub struct CliError {
    /// What happened. Fits after "error: ".
    pub message: String,
    /// Why, outermost first.
    pub causes: Vec<String>,
    /// What to do now.
    pub hints: Vec<String>,
    /// The exit code.
    pub exit: Exit,
    /// Said already, such as manifest problems: only the exit code is left.
    pub is_silent: bool,
    /// What could not be reached or used.
    pub concerns: Concern,
}

/// What an error is about, for who goes on after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Concern {
    /// What was asked for.
    Request,
    /// The API: it may answer later.
    Api,
    /// The state: nothing may be paid for until it can be written.
    State,
}

impl CliError {
    /// Returns an error without a cause.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            causes: Vec::new(),
            hints: Vec::new(),
            exit: Exit::ERROR,
            is_silent: false,
            concerns: Concern::Request,
        }
    }

    /// Returns an error with the causes that another one carries.
    pub fn caused(message: impl Into<String>, cause: &dyn Error) -> Self {
        let mut causes = vec![cause.to_string()];
        let mut source = cause.source();
        while let Some(next) = source {
            causes.push(next.to_string());
            source = next.source();
        }
        Self { causes, ..Self::new(message) }
    }

    /// Adds something to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Says what it is about.
    #[must_use]
    fn about(mut self, concern: Concern) -> Self {
        self.concerns = concern;
        self
    }

    /// Sets the exit code.
    #[must_use]
    pub fn exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// Returns an end that has been explained already.
    pub fn silent(exit: Exit) -> Self {
        Self { exit, is_silent: true, ..Self::new("") }
    }

    /// Returns the end of a run that somebody stopped before anything was changed.
    pub fn interrupted() -> Self {
        Self::new("interrupted; nothing was changed").exit(Exit::INTERRUPTED)
    }

    /// Returns the whole text.
    pub fn text(&self, paint: Paint) -> String {
        let mut text = String::new();
        // They quote files, servers and other programs. A hint is a command to paste, whose links stay as they are.
        let said = |words: &str, indent| paint.wrap(&visible(&one_line(&redacted(words))), indent);
        let _ = writeln!(text, "{} {}", paint.red(&paint.bold("error:")), said(&self.message, 7));
        for cause in &self.causes {
            let _ = writeln!(text, "  caused by: {}", said(cause, 13));
        }
        for hint in &self.hints {
            let _ = writeln!(text, "  {} {}", paint.cyan("hint:"), paint.wrap(&visible(&one_line(hint)), 8));
        }
        text
    }
}

/// Line ends would be spelled out, and were only there to be read.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl From<ApiError> for CliError {
    fn from(error: ApiError) -> Self {
        let place = format!("{} {}", error.method, error.path);
        let base = match &error.failure {
            Failure::Status { status: 401 | 403, message, .. } => {
                return Self::new(format!("the API refused the key: {message}"))
                    .hint("check TAVUS_API_KEY: keys are made in the Tavus console (PAL Maker, API keys), are shown once, and can be limited to certain addresses")
                    .exit(Exit::KEY_REFUSED)
                    .about(Concern::Api);
            }
            Failure::Unreachable(why) => Self::new(format!("cannot reach the API at {place}: {why}; nothing was sent"))
                .hint("check the network, a proxy (HTTPS_PROXY), and --api-url"),
            Failure::Certificate { why, problem } => Self::new(format!(
                "cannot trust the certificate of the API at {place}: {why}; nothing was sent"
            ))
            .hint(certificate_hint(*problem, "--api-url")),
            Failure::TooLong { limit, .. } => Self::new(format!("the answer to {place} has more than {limit} bytes, so it was not read"))
                .hint("is --api-url (TAVUS_PUBLIC_API_BASE_URL) really the Tavus API, with /v2 at its end?"),
            Failure::NoAnswer(why) => Self::new(format!("no complete answer to {place}: {why}"))
                .hint("it may pass: run it again; --request-timeout gives it more time"),
            Failure::Status { status, message, .. } => Self::new(format!("{place} was answered HTTP {status}: {message}"))
                .hint(match status {
                    429 | 500.. => "it may pass: run it again",
                    _ => "is --api-url (TAVUS_PUBLIC_API_BASE_URL) really the Tavus API, with /v2 at its end?",
                }),
            Failure::Unreadable { why, .. } => Self::new(format!("the answer to {place} is not what it should be: {why}"))
                .hint("is --api-url (TAVUS_PUBLIC_API_BASE_URL) really the Tavus API, with /v2 at its end? A proxy or a login page answers like this"),
        };
        base.hint("-vv shows every request").about(Concern::Api)
    }
}

impl From<LeaseError> for CliError {
    fn from(error: LeaseError) -> Self {
        match &error {
            LeaseError::Held { .. } => Self::new(error.to_string())
                .hint("wait for it with --lock-timeout 10m; `facectl status` shows how things are meanwhile")
                .exit(Exit::HELD),
            LeaseError::Io { .. } => Self::caused("cannot take the state; nothing was changed", &error)
                .hint(
                    "is the folder writable? --state-dir chooses another one (keep it: it remembers what was paid for)",
                )
                .about(Concern::State),
        }
    }
}

impl From<StateError> for CliError {
    fn from(error: StateError) -> Self {
        let base = Self::caused("cannot use the state; nothing was sent", &error).about(Concern::State);
        match &error {
            StateError::Damaged { .. } => base.hint(
                "run it again: it begins with an empty state, finds running trainings by their tokens, and never creates a face whose name is live already",
            ),
            StateError::Shortage { .. } => base.hint("raise that limit, or end other processes, and run it again"),
            StateError::Slow { .. } => base.hint(
                "run it again once the machine is idle. Where it stays like this, move that folder away: it is rebuilt from snapshot.json beside it",
            ),
            StateError::Unreadable { .. } => base.hint("the next command that writes moves it aside and rebuilds it"),
            StateError::LockFile { .. } => base.hint("after a merge with conflicts keep the blocks of both sides: each face has one of its own. Never drop one, it may be the only record of a face that was paid for"),
            StateError::Newer { .. } => base.hint("use the facectl that wrote it, or a newer one; it was left as it is"),
            StateError::OtherProject { .. } => base.hint(
                "each project needs a state of its own: check the project's name (facectl.yaml, --project), or choose another --state-dir",
            ),
            StateError::Io { .. } | StateError::Database { .. } => {
                base.hint("is the disk full, or the folder read-only? --state-dir chooses another one")
            }
            StateError::Checksum { .. } | StateError::Record { .. } => base.hint("move the file away and run it again"),
        }
    }
}

impl From<PlaceError> for CliError {
    fn from(error: PlaceError) -> Self {
        let base = Self::caused("cannot tell where to write; nothing was sent", &error);
        match error {
            PlaceError::NoForge => base.hint("outside of a pipeline say it: --forge github|gitlab, --repository OWNER/NAME and --number N; --dry-run shows the text without any of it"),
            PlaceError::TwoForges => base.hint("--forge github or --forge gitlab says which one is meant"),
            PlaceError::NoRepository(_) => base.hint("--repository OWNER/NAME says which one is meant"),
            PlaceError::Value { .. } => base.hint("was it handed on from another job? Then it is not what it should be, and nothing is done with it"),
            PlaceError::Address { .. } => base.hint("--forge-url is the base of the REST API: https://api.github.com, https://git.example.com/api/v3, https://gitlab.example.com/api/v4"),
        }
    }
}

impl From<EventError> for CliError {
    fn from(error: EventError) -> Self {
        Self::caused("cannot tell where to write; nothing was sent", &error)
            .hint("unset GITHUB_EVENT_PATH and give --number to do without")
    }
}

impl From<ForgeError> for CliError {
    fn from(error: ForgeError) -> Self {
        match &error {
            ForgeError::Call { what, kind, source } => forge_call(what, *kind, source),
            ForgeError::Client(source) => Self::caused("cannot set up the client for the forge; nothing was sent", source),
            ForgeError::NoIdentity(_) => Self::caused("cannot tell this token's own comments from others'; nothing was written", &error)
                .hint("use the job's own GITHUB_TOKEN, or a personal access token"),
            ForgeError::Endless(_) => Self::caused("cannot find what is there already; nothing was written", &error)
                .hint("is --forge-url (GITHUB_API_URL, CI_API_V4_URL) really the forge's REST API?"),
            ForgeError::Unlabelled { .. } => Self::caused("the next run would not find this issue, and would open another one", &error)
                .hint("set the label by hand, and give the token the right to set labels (GitHub: `issues: write`; GitLab: role Reporter)"),
            ForgeError::Unsettled => Self::caused("it did not come to rest", &error).hint("run it again, it takes up what is there"),
        }
    }
}

/// What to do about a certificate that is not accepted. `address` is the flag that says where the server is.
fn certificate_hint(problem: CertificateProblem, address: &str) -> String {
    match problem {
        CertificateProblem::UnknownIssuer => "where a company's proxy or an own authority issued it, trust that one: --ca-file FILE (FACECTL_CA_FILE), or SSL_CERT_FILE with the machine's roots in it too".to_owned(),
        CertificateProblem::Expired | CertificateProblem::NotYetValid => {
            "check this machine's clock; if it is right, whoever runs the server has to renew the certificate".to_owned()
        }
        CertificateProblem::OtherName | CertificateProblem::Other => format!("check {address}: is it the right host?"),
    }
}

/// Tells of a request to the forge that failed. What was written before it stays, and the next run takes it up.
fn forge_call(what: &str, kind: ForgeKind, error: &ApiError) -> CliError {
    let base = CliError::caused(format!("{what} failed"), error);
    let base = match (&error.failure, kind) {
        (Failure::Status { status: 401, .. }, ForgeKind::GitHub) => base.hint("the token was refused: is it expired, or for another server? FACECTL_GITHUB_TOKEN goes before GH_TOKEN and GITHUB_TOKEN"),
        (Failure::Status { status: 401, .. }, ForgeKind::GitLab) => base.hint("the token was refused: is it expired or revoked? It must be a personal, group or project access token with the scope `api`; CI_JOB_TOKEN is none"),
        (Failure::Status { status: 403 | 404, .. }, ForgeKind::GitHub) => base
            .hint("the job needs `permissions: { pull-requests: write }` for a comment, `{ issues: write }` for an issue; GitHub answers 404 where the token may not even see it")
            .hint("a pull request from a fork gets a token that may only read: plan there without a secret, hand the text on as an artifact, and comment from a second workflow on `workflow_run`; or add --if-permitted, which warns and goes on"),
        (Failure::Status { status: 403 | 404, .. }, ForgeKind::GitLab) => base
            .hint("the token needs the scope `api` and at least the role Reporter in the project of the merge request; GitLab answers 404 where it may not even see it")
            .hint("the pipeline of a fork runs without the project's variables: let a member start it in the parent project, or add --if-permitted, which warns and goes on"),
        (Failure::Status { status: 300..=399, .. }, _) => base.hint("was the repository renamed, or is --forge-url (GITHUB_API_URL, CI_API_V4_URL) wrong? The token follows no redirect"),
        (Failure::Status { status: 429, .. }, _) => base
            .hint("that is the forge's limit for this token and says nothing about its rights: run it again in some minutes, it takes up what is there; fewer jobs at the same time help"),
        (Failure::Status { status: 500.., .. } | Failure::NoAnswer(_), _) => base.hint("it may pass: run it again, it takes up what is there"),
        (Failure::Certificate { problem, .. }, _) => base.hint(certificate_hint(*problem, "--forge-url")),
        (Failure::TooLong { .. }, _) => base.hint("is --forge-url (GITHUB_API_URL, CI_API_V4_URL) really the forge's REST API?"),
        (Failure::Unreachable(_), _) => base.hint("check the network, a proxy (HTTPS_PROXY), and --forge-url (GITHUB_API_URL, CI_API_V4_URL)"),
        (Failure::Status { .. }, _) => base,
        (Failure::Unreadable { .. }, _) => base.hint("is --forge-url (GITHUB_API_URL, CI_API_V4_URL) really the forge's REST API? A proxy or a login page answers like this"),
    };
    base.hint("-vv shows every request")
}

/// Runs something that changes nothing, unless somebody asks to stop first.
pub async fn unless_interrupted<T>(
    interrupt: &Interrupt,
    work: impl Future<Output = Result<T, CliError>>,
) -> Result<T, CliError> {
    tokio::select! {
        done = work => done,
        () = interrupt.noted() => Err(CliError::interrupted()),
    }
}
