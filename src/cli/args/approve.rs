//! Agreeing on the command line, where a command would ask a person.

use clap::Args;

/// The flag that agrees. It has no variable here: what a pipeline sets so that `apply` does not ask must not delete a face.
#[derive(Debug, Clone, Args)]
pub struct ApproveArgs {
    /// Do not ask
    #[arg(short = 'y', long, visible_alias = "yes")]
    pub auto_approve: bool,
}
