//! `voices`

use clap::Args;

/// `voices`
///
/// Lists stock voices and your own, with the line that a manifest names each by: `voice_name: anna` for a
/// stock voice by its slug (only for a face from a photo), or `default_voice_id: v…` for a voice with an id.
/// Needs a key, and no manifest. Only what can be used now is shown; --all shows the rest with its status.
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
