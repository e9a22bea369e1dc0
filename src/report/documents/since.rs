//! What changed since a revision, as programs read it.

use schemars::JsonSchema;
use serde::Serialize;

use crate::face::FaceKey;
use crate::plan::{ChangedBy, Since};

/// What was compared with, and what changed since.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Since")]
pub struct SinceDocument<'a> {
    /// The revision as it was asked for.
    rev: &'a str,
    /// The commit that was compared with: where what is checked out and the revision parted.
    commit: &'a str,
    /// The faces that are declared in another way since, those that left included.
    changed: Vec<&'a FaceKey>,
}

/// What changed the declaration of a face last.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ChangedBy")]
pub(super) struct ChangedByDocument<'a> {
    /// The commit's hash; null where it was not committed yet, or no commit is known.
    commit: Option<&'a str>,
    /// Who wrote it, by name.
    author: Option<&'a str>,
    /// The first line of its message.
    subject: Option<&'a str>,
    /// Whether it was not committed yet.
    uncommitted: bool,
    /// False where the history was too long to tell: then it is the last commit that touched the face's file.
    exact: bool,
}

impl<'a> SinceDocument<'a> {
    /// Returns what changed for programs.
    pub fn of(since: &'a Since) -> Self {
        let Since { rev, commit, faces } = since;
        Self { rev, commit, changed: faces.keys().collect() }
    }
}

impl<'a> ChangedByDocument<'a> {
    pub(super) fn of(by: &'a ChangedBy) -> Self {
        let (commit, exact) = match by {
            ChangedBy::Commit(commit) => (Some(commit), true),
            ChangedBy::File(commit) => (commit.as_ref(), false),
            ChangedBy::Uncommitted => (None, true),
        };
        Self {
            commit: commit.map(|commit| commit.id.as_str()),
            author: commit.map(|commit| commit.author.as_str()),
            subject: commit.map(|commit| commit.subject.as_str()),
            uncommitted: *by == ChangedBy::Uncommitted,
            exact,
        }
    }
}
