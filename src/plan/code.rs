//! Reasons as programs read them: one word each, which never changes.

use super::{Block, Reason};

impl Reason {
    /// Returns the word for it in what programs read.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Agrees => "agrees",
            Self::New => "new",
            Self::RecreateMissing => "recreate_missing",
            Self::RetryFailed(_) => "retry_failed",
            Self::ChangedAfterFailure(_) => "changed_after_failure",
            Self::FoundByToken => "found_by_token",
            Self::FoundByTokenOfEarlierInputs => "found_by_token_of_earlier_inputs",
            Self::FoundByName => "found_by_name",
            Self::Moved(_) => "moved",
            Self::MovedTo(_) => "moved_to",
            Self::ManifestChanged => "manifest_changed",
            Self::Drifted => "drifted",
            Self::ManifestChangedAndDrifted => "manifest_changed_and_drifted",
            Self::TokenLeavesName => "token_leaves_name",
            Self::TokenEntersName => "token_enters_name",
            Self::TrainingGoesOn => "training_goes_on",
            Self::NotShownYet => "not_shown_yet",
            Self::TrainingGoesOnUnawaited => "training_goes_on_unawaited",
            Self::LeftManifests => "left_manifests",
            Self::LeftManifestsAndGone => "left_manifests_and_gone",
            Self::Blocked(block) => match block {
                Block::InDoubt { .. } => "blocked_in_doubt",
                Block::Missing => "blocked_missing",
                Block::Failed(_) => "blocked_failed",
                Block::TuningFailed => "blocked_tuning_failed",
                Block::ListingIncomplete(_) => "blocked_listing_incomplete",
                Block::SameName(_) => "blocked_same_name",
                Block::HeldByOther { .. } => "blocked_held_by_other",
                Block::Renamed(_) => "blocked_renamed",
                Block::NeedsReplacement { .. } => "blocked_needs_replacement",
            },
        }
    }
}
