//! `export`

use std::path::PathBuf;

use clap::Args;

/// `export`
///
/// Writes a manifest for each live face of your own that is neither recorded nor declared yet, ready to be
/// applied: `facectl apply` then takes the faces over by their ids, and trains nothing. So an account that
/// was filled by hand comes under git in two commands. It needs no manifest and no facectl.yaml to begin
/// with.
///
/// The key is made from the face's name. What the API does not tell (what a face was trained from) stands in
/// the manifest as a comment. Faces whose training failed are left out.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// Which faces: a key, a face id, or a pattern over names such as `Ana*` [default: all that are not
    /// recorded]
    #[arg(value_name = "KEY | FACE_ID | PATTERN")]
    pub faces: Vec<String>,
    /// Where to write [default: the first folder that facectl.yaml names, else `faces`]
    #[arg(long, value_name = "DIR", env = "FACECTL_EXPORT_DIR", conflicts_with = "stdout")]
    pub dir: Option<PathBuf>,
    /// Write to standard output, as one YAML stream, and no file
    #[arg(long)]
    pub stdout: bool,
    /// Export recorded faces as well
    #[arg(long)]
    pub all: bool,
    /// Replace files that are there already
    #[arg(long)]
    pub overwrite: bool,
}
