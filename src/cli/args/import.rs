//! `import`

use clap::Args;

use super::ApproveArgs;

/// `import`
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// The declared key and the id of the live face; or any number of KEY=FACE_ID
    #[arg(value_name = "KEY FACE_ID | KEY=FACE_ID", required = true)]
    pub faces: Vec<String>,
    /// Record the manifest's inputs as what the face was trained from, on your word
    #[arg(long)]
    pub assume_current: bool,
    #[command(flatten)]
    pub approve: ApproveArgs,
}
