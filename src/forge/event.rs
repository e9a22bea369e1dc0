//! What GitHub says of the event that started a run: the file behind `GITHUB_EVENT_PATH`.
//!
//! Parts of it were written by whoever opened the pull request. Only numbers and commits are taken out of it.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// What of it matters here (GitHub, "Webhook events and payloads"). What is not there is not said.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Event {
    pub(super) pull_request: Option<PullRequest>,
    pub(super) issue: Option<Issue>,
    pub(super) workflow_run: Option<WorkflowRun>,
}

/// Of `pull_request` and `pull_request_target`.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct PullRequest {
    pub(super) number: u64,
    pub(super) head: Option<Head>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Head {
    pub(super) sha: String,
}

/// Of `issue_comment`; a pull request is an issue that has `pull_request`.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Issue {
    pub(super) number: u64,
    pub(super) pull_request: Option<serde_json::Value>,
}

/// Of `workflow_run`: the run that ended, which this one speaks for.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct WorkflowRun {
    pub(super) id: u64,
    pub(super) run_attempt: Option<u64>,
    pub(super) head_sha: String,
    /// Empty for pull requests from forks.
    #[serde(default)]
    pub(super) pull_requests: Vec<PullRequest>,
}

/// Why an event could not be read.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// The file cannot be read.
    #[error("cannot read {path} (GITHUB_EVENT_PATH)", path = .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not what GitHub writes.
    #[error("{path} (GITHUB_EVENT_PATH) is no event of GitHub", path = .path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
}

/// The largest that is read: GitHub sends none above 25 MB ("Webhook events and payloads").
const LARGEST: u64 = 26 << 20;

impl Event {
    /// Reads an event's file.
    ///
    /// # Errors
    /// When it cannot be read or is none.
    pub fn read(path: &Path) -> Result<Self, EventError> {
        let mut bytes = Vec::new();
        File::open(path)
            .and_then(|file| file.take(LARGEST).read_to_end(&mut bytes))
            .map_err(|source| EventError::File { path: path.to_owned(), source })?;
        Self::parse(&bytes).map_err(|source| EventError::Format { path: path.to_owned(), source })
    }

    /// Reads an event.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }

    /// Returns the pull request that it is about, where it is about exactly one.
    pub(super) fn number(&self) -> Option<u64> {
        let Self { pull_request, issue, workflow_run } = self;
        let of_issue = issue.as_ref().filter(|issue| issue.pull_request.is_some()).map(|issue| issue.number);
        let of_run = match workflow_run.as_ref().map(|run| run.pull_requests.as_slice()) {
            Some([only]) => Some(only.number),
            _ => None,
        };
        pull_request.as_ref().map(|pull| pull.number).or(of_issue).or(of_run)
    }

    /// Returns the commit at the head of the pull request when the event happened.
    pub(super) fn head(&self) -> Option<&str> {
        let of_pull = self.pull_request.as_ref().and_then(|pull| pull.head.as_ref()).map(|head| head.sha.as_str());
        of_pull.or(self.workflow_run.as_ref().map(|run| run.head_sha.as_str()))
    }
}
