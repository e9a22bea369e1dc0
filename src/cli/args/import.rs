//! `import`

use clap::Args;

/// `import`
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// The declared key and the id of the live face; or any number of KEY=FACE_ID
    #[arg(value_name = "KEY FACE_ID | KEY=FACE_ID", required = true)]
    pub faces: Vec<String>,
    /// Record the manifest's inputs as what the face was trained from, on your word
    #[arg(long)]
    pub assume_current: bool,
    /// Do not ask
    #[arg(short = 'y', long, env = "FACECTL_AUTO_APPROVE", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    pub auto_approve: bool,
}
