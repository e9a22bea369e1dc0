//! `facectl state`

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use crate::face::FaceKey;

use super::ApproveArgs;
use super::values::parse_duration;

/// `state`
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub struct StateArgs {
    #[command(subcommand)]
    pub command: StateCommand,
}

/// What to do with the state.
#[derive(Debug, Subcommand)]
pub enum StateCommand {
    /// List the faces in the record
    #[command(visible_alias = "ls")]
    List,
    /// Show everything that is recorded about one face, and its last create
    Show(StateShowArgs),
    /// Show what was done: when, by whom, from which commit, and with which outcome
    ///
    /// Oldest first, so that the newest stands where you look. Each entry carries a hash over itself and the one
    /// before it; --verify follows that chain, and says where an entry was changed, taken out or slipped in.
    History(HistoryArgs),
    /// Drop faces from the record; the live faces live on, and are nobody's then
    ///
    /// For a face that is to live on without facectl, such as an orphan that another project takes over. It leaves the
    /// record and facectl.lock.yaml; its history stays. While its manifest is still there, forget that first: the next
    /// plan takes the live face up again where its name carries the creation token, and else is blocked by its name.
    #[command(visible_alias = "rm")]
    Forget(ForgetArgs),
    /// Record a face under another key; nothing is sent, and nothing is trained
    ///
    /// The declarative way is the annotation `facectl.dev/moved-from: OLD` under metadata.annotations of the new
    /// manifest: it travels with the commit and works on every machine. This command is for when there is no manifest.
    #[command(visible_alias = "mv")]
    Move(MoveArgs),
    /// Print the whole state as one file: a backup, or to move it to another machine
    Pull,
    /// Replace the state by a file that `state pull` wrote
    ///
    /// The file may have been edited, as long as the state was not written meanwhile: its serial says which state it was
    /// made from. What was there before is kept as a file in `backups/` of the state's folder, and can be pushed again.
    /// The history that is here is kept; the file cannot rewrite it.
    Push(PushArgs),
}

/// `state show`
#[derive(Debug, Args)]
pub struct StateShowArgs {
    /// The face
    #[arg(value_name = "KEY")]
    pub key: FaceKey,
}

/// `state history`
#[derive(Debug, Args)]
pub struct HistoryArgs {
    /// Only this face
    #[arg(value_name = "KEY")]
    pub key: Option<FaceKey>,
    /// Only what happened within this time, such as `2h` or `30 days`
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub since: Option<Duration>,
    /// Only the newest so many
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// Check the chain of hashes instead; exit with 5 where it breaks
    #[arg(long, conflicts_with_all = ["key", "since", "limit"])]
    pub verify: bool,
    /// The same as -o json
    #[arg(long)]
    pub json: bool,
}

/// `state forget`
#[derive(Debug, Args)]
pub struct ForgetArgs {
    /// The faces
    #[arg(value_name = "KEY", required = true)]
    pub keys: Vec<FaceKey>,
    #[command(flatten)]
    pub approve: ApproveArgs,
}

/// `state move`
#[derive(Debug, Args)]
pub struct MoveArgs {
    /// The key it is recorded under
    #[arg(value_name = "OLD")]
    pub old: FaceKey,
    /// The key to record it under
    #[arg(value_name = "NEW")]
    pub new: FaceKey,
}

/// `state push`
#[derive(Debug, Args)]
pub struct PushArgs {
    /// The file, or `-` for standard input
    #[arg(value_name = "FILE")]
    pub state: PathBuf,
    /// Push although the file is older, comes from another line of runs, has a broken history, or does not know of
    /// faces and open creates that are recorded here; they are named. Another project's state is never taken
    #[arg(long)]
    pub force: bool,
}
