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
            Self::InputsChanged(_) => "inputs_changed",
            Self::RetryReplacement(_) => "retry_replacement",
            Self::RecreateReplacement => "recreate_replacement",
            Self::ReplacementReady => "replacement_ready",
            Self::ReplacementTrains => "replacement_trains",
            Self::PreviousHasInputs => "previous_has_inputs",
            Self::ReplacementNotWanted => "replacement_not_wanted",
            Self::LeftManifestsPrunable => "left_manifests_prunable",
            Self::LeftManifestsKept(_) => "left_manifests_kept",
            Self::Pruned => "pruned",
            Self::FoundByToken => "found_by_token",
            Self::FoundByTokenOfEarlierInputs => "found_by_token_of_earlier_inputs",
            Self::FoundByName => "found_by_name",
            Self::DeclaredById => "declared_by_id",
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
                Block::ProtectedFromReplacement { .. } => "blocked_protected_from_replacement",
                Block::ReplacementFailed(_) => "blocked_replacement_failed",
                Block::ReplacementTuningFailed => "blocked_replacement_tuning_failed",
                Block::ReplacementMissing => "blocked_replacement_missing",
                Block::RolledBack => "blocked_rolled_back",
                Block::RollbackUnfinished(_) => "blocked_rollback_unfinished",
                Block::PalsUnknown(_) => "blocked_pals_unknown",
                Block::NotAdoptable { .. } => "blocked_not_adoptable",
                Block::NamesAnother { .. } => "blocked_names_another",
                Block::NoSource => "blocked_no_source",
                Block::ExampleHost(_) => "blocked_example_host",
            },
        }
    }
}
