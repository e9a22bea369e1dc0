//! What changed since a revision, and by whom.

use crate::plan::{ChangedBy, Commit, Since};

use super::words::count;

/// Returns what changed a face last, for people; fits behind "changed by".
pub fn changed_by_text(by: &ChangedBy) -> String {
    let shown = |commit: &Commit| format!("{} ({}): {}", commit.short(), commit.author, commit.subject);
    match by {
        ChangedBy::Commit(commit) => shown(commit),
        ChangedBy::File(Some(commit)) => format!("an earlier commit; the last one of its file is {}", shown(commit)),
        ChangedBy::File(None) => "an earlier commit".to_owned(),
        ChangedBy::Uncommitted => "what is not committed yet".to_owned(),
    }
}

/// Returns what was compared with and how much changed, as a sentence.
pub fn since_text(since: &Since) -> String {
    let Since { rev: _, commit: _, faces } = since;
    let place = format!("compared with commit {}, where the two parted", since.short());
    let uncommitted = faces.values().filter(|by| **by == ChangedBy::Uncommitted).count();
    match (faces.len(), uncommitted) {
        (0, _) => format!("{place}; no face changed."),
        (all, 0) => format!("{place}; {} changed.", count(all, "face")),
        (all, some) => format!("{place}; {} changed, {some} of them not committed yet.", count(all, "face")),
    }
}
