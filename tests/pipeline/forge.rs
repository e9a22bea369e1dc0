//! The forge's API: the stand-in that the tests of `facectl ci` are made with, seen by its comments and issues.

#[path = "../cli/forge/api.rs"]
#[allow(dead_code, reason = "shared with the tests of the command line, which use all of it")]
mod api;
#[path = "../cli/forge/stand_in.rs"]
#[allow(dead_code, reason = "as above")]
mod stand_in;

use serde_json::{Value, json};

use stand_in::StandIn;
pub(crate) use stand_in::{Kind, TOKEN};

/// A forge with a repository `acme/faces`, which on GitLab is project 42.
pub(crate) struct Forge {
    stand_in: StandIn,
}

impl Forge {
    pub(crate) fn start(kind: Kind) -> Self {
        Self { stand_in: StandIn::start(kind) }
    }

    pub(crate) fn url(&self) -> String {
        self.stand_in.url()
    }

    /// Says at which commit a pull request stands.
    pub(crate) fn stands_at(&self, number: u64, commit: &str) {
        self.stand_in.world().heads.insert(number, commit.to_owned());
    }

    /// Returns the comments on a pull request: id and text.
    pub(crate) fn comments(&self, number: u64) -> Vec<(u64, String)> {
        let world = self.stand_in.world();
        let of = world.comments.iter().filter(|comment| comment.number == number);
        of.map(|comment| (comment.id, comment.body.clone())).collect()
    }

    /// Returns all issues: title, text, and whether it is open.
    pub(crate) fn issues(&self) -> Vec<(String, String, bool)> {
        let world = self.stand_in.world();
        world.issues.iter().map(|issue| (issue.title.clone(), issue.body.clone(), issue.is_open)).collect()
    }
}

/// What the stand-in's own jobs are told about their event; those of the workflows bring theirs.
fn event(number: u64, sha: &str) -> Value {
    json!({ "number": number, "pull_request": { "number": number, "head": { "sha": sha } } })
}
