//! `facectl delete`

use clap::Args;

use crate::face::{FaceId, FaceKey};

use super::ApproveArgs;

/// Delete a key's live faces: its present one, and all that it had or was to have
///
/// Deletes the live face of a key, with a new one that waits beside it and those it had before, and drops the key from
/// the record. Nothing brings a deleted face back. Refused for a face that is protected, that a PAL uses, whose
/// training failed less than a day ago, or that is still declared: the next apply would train it anew.
#[derive(Debug, Args)]
pub struct DeleteArgs {
    /// The face
    #[arg(value_name = "KEY")]
    pub key: FaceKey,
    /// Only this one of the key's faces: one from before, or one that carries its token too (a duplicate)
    #[arg(long, value_name = "FACE_ID")]
    pub face_id: Option<FaceId>,
    /// Delete the stored material too, training footage included
    #[arg(long)]
    pub hard: bool,
    /// Although it is still declared: the next apply trains it anew, which costs
    #[arg(long)]
    pub although_declared: bool,
    /// Although its training failed less than a day ago, which may lose the refund
    #[arg(long)]
    pub although_failed: bool,
    /// The most faces that may be deleted [default: 3]
    #[arg(long, value_name = "N", env = "FACECTL_MAX_DELETIONS")]
    pub max_deletions: Option<u32>,
    #[command(flatten)]
    pub approve: ApproveArgs,
}
