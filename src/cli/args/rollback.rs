//! `facectl rollback`

use clap::Args;

use crate::face::{FaceId, FaceKey};

use super::ApproveArgs;

/// Go back to the face that a key had before; nothing is trained
///
/// Every PAL that uses the present face is pointed to the one before it, then the record. Nothing is trained and
/// nothing is paid; the face that is left stays alive. As long as the manifest asks for the very inputs that were
/// rolled back from, the plan shows the face as blocked and does not go on to them again: set the manifest back, or
/// go on with `facectl apply --roll-forward KEY`.
#[derive(Debug, Args)]
pub struct RollbackArgs {
    /// The face
    #[arg(value_name = "KEY")]
    pub key: FaceKey,
    /// Go back to this face, instead of the latest one before
    #[arg(long, value_name = "FACE_ID")]
    pub to: Option<FaceId>,
    #[command(flatten)]
    pub approve: ApproveArgs,
}
