//! `voices`

use clap::Args;

/// `voices`
#[derive(Debug, Args)]
pub struct VoicesArgs {
    /// A part of the name; upper and lower case count as the same
    #[arg(value_name = "SEARCH")]
    pub search: Option<String>,
    /// Only voices with this tag; repeatable: all of them must be there
    #[arg(long, value_name = "TAG")]
    pub tag: Vec<String>,
    /// Show voices that cannot be used as well, such as those that are still being made
    #[arg(long)]
    pub all: bool,
}
