//! `show`

use std::path::PathBuf;

use clap::Args;

/// `show`
///
/// Shows a plan that `facectl plan --out FILE` saved: as it was shown then, with its digest, when it was made and from
/// which commit. Nothing is looked up: whether the plan still stands is checked by `facectl apply FILE`, before
/// anything is sent.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The saved plan
    #[arg(value_name = "FILE")]
    pub plan: PathBuf,
}
