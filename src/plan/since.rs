//! Which faces changed since a revision of the manifests, and by whom.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::face::FaceKey;

/// The faces that are declared in another way than at a revision: new ones, changed ones, and those that left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Since {
    /// The revision as it was asked for.
    pub rev: String,
    /// The commit that was compared with: where the present commit and the revision parted.
    pub commit: String,
    /// Each face with what changed it last.
    pub faces: BTreeMap<FaceKey, ChangedBy>,
}

/// What changed the declaration of a face last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ChangedBy {
    /// This commit did.
    Commit(Commit),
    /// The history is too long to say it: this is the last commit that touched the face's file, where one did.
    File(Option<Commit>),
    /// It was not committed yet.
    Uncommitted,
}

/// A commit, in text that is fit to be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Commit {
    /// Its hash, whole.
    pub id: String,
    /// The name of who wrote it.
    pub author: String,
    /// The first line of its message.
    pub subject: String,
}

impl Commit {
    /// Returns the beginning of its hash, as people read it.
    pub fn short(&self) -> &str {
        short(&self.id)
    }
}

impl Since {
    /// Returns the beginning of the hash of the commit that was compared with.
    pub fn short(&self) -> &str {
        short(&self.commit)
    }
}

fn short(id: &str) -> &str {
    // Long enough for a repository of millions of commits; hashes are ASCII.
    id.get(..10).unwrap_or(id)
}
