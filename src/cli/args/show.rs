//! `show`

use std::path::PathBuf;

use clap::Args;

/// `show`
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The saved plan
    #[arg(value_name = "FILE")]
    pub plan: PathBuf,
}
