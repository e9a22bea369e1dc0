//! `facectl ci` against stand-ins of both forges.

mod api;
mod comments;
mod issues;
mod places;
mod stand_in;
mod together;
mod trouble;

use serde_json::{Value, json};

pub(crate) use stand_in::{Does, Kind, SHA, StandIn, TOKEN, Who};

pub(crate) const BOTH: [Kind; 2] = [Kind::GitHub, Kind::GitLab];

/// The event of a pull request, as far as it is read.
pub(crate) fn event(number: u64, sha: &str) -> Value {
    json!({ "action": "synchronize", "number": number, "pull_request": { "number": number, "title": "`$(id)`", "head": { "sha": sha } } })
}

/// The first line of a comment.
pub(crate) fn marker(project: &str, run: &str) -> String {
    format!("<!-- facectl:comment project={project} run={run} commit={SHA} digest=0123456789abcdef -->")
}
