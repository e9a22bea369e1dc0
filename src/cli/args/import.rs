//! `import`

use clap::Args;

/// `import`
///
/// Records that a live face of the account is the declared one: from then on it is planned, updated and
/// waited for like any other. What it was trained from is not known, and never counts as a difference, so
/// that nothing is trained anew. It sends nothing but questions and costs nothing.
///
/// The key must be declared (`facectl export` writes a manifest for a live face). A face that failed, that
/// another key holds, that carries another project's creation token, or that is of the stock catalogue is
/// refused.
///
/// With --assume-current the inputs of the manifest are recorded as what the face was trained from: then a
/// later change of them is seen, and needs a new training. It can be given later, too, once a source was added
/// to the manifest of an imported face, and where the same material has a new link.
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
