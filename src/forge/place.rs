//! Where to say something, and as which run: from flags and the CI's own variables.
//!
//! Pure: whoever asks brings the variables. All of them are hostile until they are read: a pull request's number may come
//! out of a file that a stranger's job wrote.

use std::fmt;
use std::str::FromStr;

use crate::http::{Address, AddressError};

use super::Event;
use super::marker::Run;

/// Which kind of forge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForgeKind {
    /// github.com or GitHub Enterprise Server.
    GitHub,
    /// gitlab.com or a GitLab of one's own.
    GitLab,
}

/// What flags say; what they do not say comes from the CI.
#[derive(Debug, Clone, Default)]
pub struct Chosen {
    /// Which kind of forge.
    pub kind: Option<ForgeKind>,
    /// Which repository.
    pub repository: Option<String>,
    /// Which pull request.
    pub number: Option<u64>,
    /// The commit that is spoken about.
    pub head: Option<Commit>,
    /// Where the forge's API is.
    pub address: Option<String>,
}

/// Where to say something, and as which run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Which kind of forge.
    pub kind: ForgeKind,
    /// Where its API is.
    pub address: Address,
    /// The repository that issues belong to.
    pub repository: Repository,
    /// The repository that the pull request belongs to: of a fork's pipeline on GitLab another one.
    pub target: Repository,
    /// The pull request, if the run has one.
    pub number: Option<u64>,
    /// Whether number and commit come from two sources that may disagree: then the forge is asked.
    pub is_number_unsure: bool,
    /// The commit that is spoken about.
    pub head: Option<Commit>,
    /// The run that speaks.
    pub run: Option<Run>,
    /// A link to it.
    pub run_link: Option<String>,
    /// Whether a job of GitHub Actions speaks: then its token is the one of `github-actions[bot]`, unless it is another.
    pub is_actions: bool,
}

/// Why it is not known where to say something. Nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// No sign of a CI, and no flag.
    #[error("no forge is known here: neither GITHUB_ACTIONS nor GITLAB_CI is set")]
    NoForge,
    /// Signs of both.
    #[error("both GITHUB_ACTIONS and GITLAB_CI are set")]
    TwoForges,
    /// No repository.
    #[error("no repository is known: {0} is not set")]
    NoRepository(&'static str),
    /// Something is not what it should be.
    #[error("{name} is {value:?}, which is no {what}")]
    Value {
        /// Where it comes from.
        name: &'static str,
        /// The value, cut and harmless.
        value: String,
        /// What it should be.
        what: &'static str,
    },
    /// An address that no secret may go to.
    #[error("cannot use the address of the forge ({name})")]
    Address {
        /// Where it comes from.
        name: &'static str,
        /// Why not.
        source: AddressError,
    },
}

impl Place {
    /// Finds out where to say something.
    ///
    /// # Errors
    /// When that is not known, or something of it is not what it should be.
    pub fn find(
        chosen: &Chosen,
        variable: &dyn Fn(&str) -> Option<String>,
        event: Option<&Event>,
    ) -> Result<Self, PlaceError> {
        let is_set = |name: &str| variable(name).is_some_and(|value| value == "true");
        let kind = match (chosen.kind, is_set("GITHUB_ACTIONS"), is_set("GITLAB_CI")) {
            (Some(kind), ..) => kind,
            (None, true, false) => ForgeKind::GitHub,
            (None, false, true) => ForgeKind::GitLab,
            (None, false, false) => return Err(PlaceError::NoForge),
            (None, true, true) => return Err(PlaceError::TwoForges),
        };
        match kind {
            ForgeKind::GitHub => github(chosen, variable, event, is_set("GITHUB_ACTIONS")),
            ForgeKind::GitLab => gitlab(chosen, variable),
        }
    }
}

type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

/// GitHub, "Variables reference" (default environment variables).
fn github(
    chosen: &Chosen,
    variable: Variables<'_>,
    event: Option<&Event>,
    is_actions: bool,
) -> Result<Place, PlaceError> {
    let address = address(chosen, variable, "GITHUB_API_URL", "https://api.github.com")?;
    let repository = match &chosen.repository {
        Some(text) => Repository::github("--repository", text)?,
        None => Repository::github("GITHUB_REPOSITORY", &required(variable, "GITHUB_REPOSITORY")?)?,
    };
    let (number, is_number_unsure) = github_number(chosen, variable, event);
    let head = match (&chosen.head, event.and_then(Event::head), variable("GITHUB_SHA")) {
        (Some(head), ..) => Some(head.clone()),
        (None, Some(head), _) => Some(commit("GITHUB_EVENT_PATH", head)?),
        // Of a pull request this is the commit of a merge that nobody made.
        (None, None, Some(head)) if number.is_none() => Some(commit("GITHUB_SHA", &head)?),
        _ => None,
    };
    let run = match event.and_then(|event| event.workflow_run.as_ref()) {
        // This run speaks for another one, and is as old as that.
        Some(run) => Some(Run { id: run.id, attempt: run.run_attempt.unwrap_or(1) }),
        None => run(variable, "GITHUB_RUN_ID", "GITHUB_RUN_ATTEMPT")?,
    };
    let run_link = variable("GITHUB_SERVER_URL")
        .zip(run)
        .map(|(server, run)| format!("{}/{repository}/actions/runs/{}", server.trim_end_matches('/'), run.id));
    Ok(Place {
        kind: ForgeKind::GitHub,
        address,
        target: repository.clone(),
        repository,
        number,
        is_number_unsure: is_number_unsure && head.is_some(),
        head,
        run,
        run_link: run_link.filter(|link| is_plain_link(link)),
        is_actions,
    })
}

/// Returns the pull request, and whether its number comes from elsewhere than the commit.
fn github_number(chosen: &Chosen, variable: Variables<'_>, event: Option<&Event>) -> (Option<u64>, bool) {
    if let Some(number) = chosen.number {
        return (Some(number), true);
    }
    if let Some(number) = event.and_then(Event::number) {
        return (Some(number), event.is_some_and(|event| event.workflow_run.is_some()));
    }
    let reference = variable("GITHUB_REF").unwrap_or_default();
    let number = reference.strip_prefix("refs/pull/").and_then(|rest| rest.split('/').next()?.parse().ok());
    (number.filter(|number| *number > 0), false)
}

/// GitLab, "Predefined CI/CD variables reference".
fn gitlab(chosen: &Chosen, variable: Variables<'_>) -> Result<Place, PlaceError> {
    let address = address(chosen, variable, "CI_API_V4_URL", "https://gitlab.com/api/v4")?;
    let repository = match &chosen.repository {
        Some(text) => Repository::gitlab("--repository", text)?,
        None => Repository::gitlab("CI_PROJECT_ID", &required(variable, "CI_PROJECT_ID")?)?,
    };
    // The pipeline of a fork runs in the fork; its merge request belongs to the project it came from.
    let target = match variable("CI_MERGE_REQUEST_PROJECT_ID").filter(|_| chosen.repository.is_none()) {
        Some(id) => Repository::gitlab("CI_MERGE_REQUEST_PROJECT_ID", &id)?,
        None => repository.clone(),
    };
    let number = match (chosen.number, variable("CI_MERGE_REQUEST_IID")) {
        (Some(number), _) => Some(number),
        (None, Some(text)) => Some(positive("CI_MERGE_REQUEST_IID", &text, "number of a merge request")?),
        (None, None) => None,
    };
    // Of a merged result CI_COMMIT_SHA is a commit that nobody made.
    let of_branch = variable("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA");
    let head = match (&chosen.head, of_branch.or_else(|| variable("CI_COMMIT_SHA"))) {
        (Some(head), _) => Some(head.clone()),
        (None, Some(head)) => Some(commit("CI_COMMIT_SHA", &head)?),
        (None, None) => None,
    };
    Ok(Place {
        kind: ForgeKind::GitLab,
        address,
        repository,
        target,
        number,
        is_number_unsure: chosen.number.is_some() && head.is_some(),
        head,
        // A job that is run again has a higher id.
        run: run(variable, "CI_PIPELINE_ID", "CI_JOB_ID")?,
        run_link: variable("CI_PIPELINE_URL").filter(|link| is_plain_link(link)),
        is_actions: false,
    })
}

fn address(chosen: &Chosen, variable: Variables<'_>, name: &'static str, default: &str) -> Result<Address, PlaceError> {
    let (name, text) = match (&chosen.address, variable(name)) {
        (Some(text), _) => ("--forge-url", text.clone()),
        (None, Some(text)) => (name, text),
        (None, None) => (name, default.to_owned()),
    };
    Address::parse(&text).map_err(|source| PlaceError::Address { name, source })
}

fn required(variable: Variables<'_>, name: &'static str) -> Result<String, PlaceError> {
    variable(name).ok_or(PlaceError::NoRepository(name))
}

fn run(variable: Variables<'_>, id: &'static str, attempt: &'static str) -> Result<Option<Run>, PlaceError> {
    let Some(text) = variable(id) else { return Ok(None) };
    let number = positive(id, &text, "number of a run")?;
    let attempt = variable(attempt).map(|text| positive(attempt, &text, "number of an attempt")).transpose()?;
    Ok(Some(Run { id: number, attempt: attempt.unwrap_or(1) }))
}

fn positive(name: &'static str, text: &str, what: &'static str) -> Result<u64, PlaceError> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|number| is_number && *number > 0);
    number.ok_or_else(|| wrong(name, text, what))
}

fn commit(name: &'static str, text: &str) -> Result<Commit, PlaceError> {
    text.parse().map_err(|_| wrong(name, text, "commit"))
}

fn wrong(name: &'static str, value: &str, what: &'static str) -> PlaceError {
    PlaceError::Value { name, value: crate::http::clean(value, 60), what }
}

/// A link that stands in a text as it is: nothing of it could be read as markdown.
fn is_plain_link(link: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/".contains(c);
    (link.starts_with("https://") || link.starts_with("http://")) && link.chars().all(is_plain) && link.len() < 500
}

/// A commit: 7 to 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit(String);

/// It is no commit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a commit is 7 to 64 hexadecimal digits")]
pub struct NoCommit;

impl FromStr for Commit {
    type Err = NoCommit;

    fn from_str(text: &str) -> Result<Self, NoCommit> {
        let is_commit = (7..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_commit { Ok(Self(text.to_ascii_lowercase())) } else { Err(NoCommit) }
    }
}

impl Commit {
    /// Returns it whole.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns its beginning, as people write it.
    pub fn short(&self) -> &str {
        self.0.get(..7).unwrap_or(&self.0)
    }

    /// Returns whether both are the same, as far as the shorter one goes.
    pub fn is_same(&self, other: &str) -> bool {
        let other = other.to_ascii_lowercase();
        other.len() >= 7 && (other.starts_with(&self.0) || self.0.starts_with(&other))
    }
}

impl fmt::Display for Commit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A repository, as the forge's paths name it: nothing in it can lead to another path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository(String);

impl Repository {
    /// Reads `OWNER/NAME`.
    fn github(name: &'static str, text: &str) -> Result<Self, PlaceError> {
        let is_pair = text.split('/').count() == 2;
        if is_pair && is_path(text) {
            return Ok(Self(text.to_owned()));
        }
        Err(wrong(name, text, "repository of GitHub (OWNER/NAME)"))
    }

    /// Reads a number or `GROUP/…/NAME`.
    fn gitlab(name: &'static str, text: &str) -> Result<Self, PlaceError> {
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit()) && (1..=20).contains(&text.len());
        if is_number || (text.contains('/') && is_path(text)) {
            return Ok(Self(text.to_owned()));
        }
        Err(wrong(name, text, "project of GitLab (its number, or GROUP/NAME)"))
    }

    /// Returns it as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns it as one segment of a path (GitLab, "Namespaced paths").
    pub(super) fn encoded(&self) -> String {
        self.0.replace('/', "%2F")
    }
}

fn is_path(text: &str) -> bool {
    let is_segment = |segment: &str| {
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        !segment.is_empty() && segment != "." && segment != ".." && segment.bytes().all(is_word)
    };
    text.len() <= 300 && text.split('/').all(is_segment)
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A label of issues: what one's own are listed by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label(String);

/// It is no label.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a label has 1 to 50 letters, digits, blanks or any of `-_.:/`")]
pub struct NoLabel;

impl FromStr for Label {
    type Err = NoLabel;

    fn from_str(text: &str) -> Result<Self, NoLabel> {
        // A comma would be two labels for both forges.
        let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/ ".contains(&byte);
        let is_label = (1..=50).contains(&text.len()) && text == text.trim() && text.bytes().all(is_fine);
        if is_label { Ok(Self(text.to_owned())) } else { Err(NoLabel) }
    }
}

impl Label {
    /// Returns it as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
