//! Which account a state belongs to, without keeping its key.
//!
//! With another account's key every recorded face would look deleted, and a policy such as
//! `on_missing: recreate` would buy all of them again. So the state keeps a sample of hashed face ids, and
//! an account in which not one of them lives is not taken for ours.

use std::collections::BTreeSet;

use crate::face::{FaceId, ProjectName};

/// Ids in the sample. The smallest hashes are kept, so the sample hardly changes while the account does.
const SAMPLE: usize = 64;

/// Returns a sample of the ids of an account, hashed with the project's name as key.
pub fn account_sample<'a>(project: &ProjectName, ids: impl IntoIterator<Item = &'a FaceId>) -> Vec<String> {
    let hashes: BTreeSet<String> = ids.into_iter().map(|id| hashed(project, id)).collect();
    hashes.into_iter().take(SAMPLE).collect()
}

/// Returns whether at least one id of a sample is among these; also when the sample is empty.
pub fn is_same_account<'a>(
    sample: &[String],
    project: &ProjectName,
    ids: impl IntoIterator<Item = &'a FaceId>,
) -> bool {
    sample.is_empty() || ids.into_iter().any(|id| sample.contains(&hashed(project, id)))
}

fn hashed(project: &ProjectName, id: &FaceId) -> String {
    let mut hasher = blake3::Hasher::new_derive_key("facectl 2026-11 account guard");
    hasher.update(project.as_str().as_bytes()).update(b"/").update(id.as_str().as_bytes());
    hasher.finalize().to_hex()[..16].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_face_that_is_still_there_is_enough_and_none_is_not() {
        let project: ProjectName = "p".parse().unwrap();
        let id = |text: &str| text.parse::<FaceId>().unwrap();
        let sample = account_sample(&project, &[id("r1"), id("r2")]);
        assert!(is_same_account(&sample, &project, &[id("r2"), id("r9")]));
        assert!(!is_same_account(&sample, &project, &[id("r9")]));
        assert!(!is_same_account(&sample, &project, &[]));
        assert!(is_same_account(&[], &project, &[]));
    }
}
